"""The hall's screen: `HallView` -> frame, and `HallView` -> Dash components that say what the frame says.

Pure: no I/O, no clock. Every text and attribute that may change is written once, in `hall_frame`; the structure
below names the places. `assets/` holds the look and the script that applies later frames.
"""

from typing import Final

from dash.development.base_component import Component

from dashboard.core.days import Zone
from dashboard.core.views import HallView, SourceView
from layouts import format as shown
from layouts import ids
from layouts.figures import slot_chart
from layouts.frame import Frame, empty
from layouts.measure import em
from layouts.seats import Layout, write_seats
from layouts.text import Say, speaker
from layouts.theme import STALE_AFTER_S
from layouts.tiles import TILES, tile_node, write_tiles
from layouts.tree import Node, as_cell, draw

_CHARTS: Final = {
    ids.CHART_WIDE: {False: (1052.0, 560.0), True: (624.0, 232.0)},
    ids.CHART_TALL: {False: (1012.0, 440.0), True: (1012.0, 262.0)},
}
"""Width and height of the chart where seats leave it room, and where they are crowded."""

_NAME_U: Final = 620.0
_NAME_SIZES: Final = (("l", 44), ("m", 36), ("s", 30), ("two", 30), ("floor", 24))
_FOOTER_U: Final = 1820.0
_FOOTER_LINE_U: Final = 990.0  # upright, fates and sources have a line each
_KEYS: Final = ("today", "running", "average", "cumulative", "average_cumulative", "gap", "backfilled")
_FATES: Final = ("offered", "answered", "abandoned", "overflowed", "lost")
_SPOKEN: Final = {
    "data-say-stale": "band.stale",
    "data-say-never": "band.never",
    "data-say-seconds": "band.seconds",
    "data-say-minutes": "band.minutes",
    "data-say-hours": "band.hours",
    "data-say-connection": "band.connection",
    "data-say-source": "band.source",
    "data-say-store": "band.store",
    "data-say-age": "age.data",
    "data-say-no-age": "age.none",
    "data-say-source-age": "age.source",
    "data-say-live": "link.live",
    "data-say-poll": "link.poll",
    "data-say-lost": "link.lost",
}
"""What the script says by itself while no frame can tell it."""

SOURCE_CELL: Final = Node(
    "li", "source", "", (Node("bdi", "source-name", "name"), Node("span", "source-age", "age"))
)

_HEADER: Final = Node(
    "header",
    "header",
    "",
    (
        Node("bdi", "name", "hall-name"),
        Node("div", "day", "", (Node("div", "day-line", "day"), Node("div", "day-line", "phase"))),
        Node("div", "moved", "moved"),
        Node(
            "div",
            "link",
            "link",
            (
                Node("div", "link-line", "", (Node("span", "dot"), Node("span", "", "age"))),
                Node("div", "link-line link-state", "link-state"),
            ),
        ),
        Node("div", "notice", "notice"),
        Node("div", "band", "", (Node("span", "", "band"), Node("span", "", "band-why"))),
        Node("div", "clock", "clock"),
    ),
)
_CHART: Final = Node(
    "section",
    "panel chart-panel",
    "",
    (
        Node(
            "div",
            "panel-head",
            "",
            (
                Node("h2", "panel-title", "chart-title"),
                *(
                    Node(
                        "span", f"key key-{key}", "", (Node("span", "swatch"), Node("span", "", f"key-{key}"))
                    )
                    for key in _KEYS
                ),
            ),
        ),
        Node("div", "chart", ids.CHART_WIDE),
        Node("div", "chart", ids.CHART_TALL),
    ),
)
_SEATS: Final = Node(
    "section",
    "panel seats-panel",
    "",
    (
        Node(
            "div",
            "panel-head",
            "",
            (
                Node("h2", "panel-title", "seats-title"),
                Node("span", "panel-note", "seats-online"),
                Node("span", "panel-note page", "seats-page"),
            ),
        ),
        Node("ul", "legend", ids.LEGEND),
        Node("ul", "seats", ids.SEATS),
    ),
)
_FOOTER: Final = Node(
    "footer",
    "footer",
    "",
    (
        Node(
            "div",
            "fates",
            "",
            (
                Node("span", "chip", "fate-title"),
                *(
                    Node(
                        "span",
                        "fate",
                        "",
                        (
                            Node("span", "fate-word", f"fate-{fate}-word"),
                            Node("span", "fate-count", f"fate-{fate}"),
                        ),
                    )
                    for fate in _FATES
                ),
            ),
        ),
        Node(
            "div",
            "sources",
            "",
            (
                Node("span", "chip", "sources-title"),
                Node("ul", "source-list", ids.SOURCES),
                Node("span", "more", "sources-more"),
                Node(
                    "span",
                    "unassigned",
                    "unassigned",
                    (Node("span", "", "unassigned-word"), Node("bdi", "", "unassigned-names")),
                ),
            ),
        ),
    ),
)
PAGE: Final = Node(
    "main",
    "hall",
    ids.HALL,
    (
        _HEADER,
        Node("div", "tiles", "", tuple(tile_node(name) for name in TILES)),
        _CHART,
        _SEATS,
        _FOOTER,
    ),
)
"""The page's structure; ids are those of `hall_frame`."""


def hall_layout(view: HallView, zone: Zone) -> Component:
    """Draw the page.

    Args:
        view: What it shows first.
        zone: The hotline's, for times of day.
    """
    return draw(PAGE, hall_frame(view, zone))


def hall_frame(view: HallView, zone: Zone) -> Frame:
    """Say everything that the page says.

    Args:
        view: What is shown.
        zone: The hotline's, for times of day.
    """
    say = speaker(view.language)
    frame = empty()
    _write_header(view, zone, frame, say)
    tones = write_tiles(view, zone, frame, say)
    layout = write_seats(view, frame, say)
    _write_chart(view, zone, layout, frame, say)
    _write_footer(view, frame, say)
    frame["attr"][ids.HALL] = {
        "lang": view.language,
        "data-page": ids.HALL,
        "data-crowded": "yes" if layout.crowded else None,
        "data-gap": "yes" if any(slot.gap for slot in view.slots) else None,
        "data-late": "yes" if any(slot.backfilled for slot in view.slots) else None,
        "data-standing": view.standing,
        "data-opening": view.opening,
        "data-tone": "action" if "action" in tones else "attention" if "attention" in tones else "calm",
        "data-stale-after-s": f"{STALE_AFTER_S:g}",
        **{name: say(key) for name, key in _SPOKEN.items()},
    }
    return frame


def _write_header(view: HallView, zone: Zone, frame: Frame, say: Say) -> None:
    kind = [shown.day(view.day, view.language), say(f"kind.{view.day_kind}")]
    if not view.calendar_known:
        kind.append(say("calendar.unknown"))
    phase = [say(f"phase.{view.phase}")] if view.phase else []
    if view.opening == "before":
        before = say("opening.before", time=shown.time_of_day(view.opens_s, zone)) if view.opens_s else None
        phase.append(before or say("opening.soon"))
    elif view.opening != "open":
        phase.append(say(f"opening.{view.opening}"))
    known = [source.age_s for source in view.sources if source.age_s is not None]
    frame["text"] |= {
        "hall-name": view.name,
        "day": " · ".join(kind),
        "phase": " · ".join(phase),
        "moved": say("clock.moved") if view.moved_clock else "",
        "notice": "" if view.standing == "live" else say(f"notice.{view.standing}"),
    }
    frame["first"] |= {
        "age": say("age.data", age=shown.age(max(known))) if known else say("age.none"),
        "link-state": say("link.lost"),
        "clock": shown.clock(view.now_s, zone),
        "band": "",
        "band-why": "",
    }
    frame["attr"]["hall-name"] = {"data-size": _name_size(view.name)}
    frame["attr"]["link"] = {}  # the script's own: how it is connected


def _name_size(name: str) -> str:
    wide_em = em(name)
    for size, font_u in _NAME_SIZES:
        if wide_em * font_u <= _NAME_U * (2 - 0.2 if size in ("two", "floor") else 1):
            return size
    return "floor"


def _write_chart(view: HallView, zone: Zone, layout: Layout, frame: Frame, say: Say) -> None:
    frame["text"]["chart-title"] = say("chart.title")
    frame["text"] |= {f"key-{key}": say(f"chart.{key}") for key in _KEYS}
    for id_, boxes in _CHARTS.items():
        frame["svg"][id_] = slot_chart(view.slots, view.now_s, *boxes[layout.crowded], zone, say, view.gaps)


def _write_footer(view: HallView, frame: Frame, say: Say) -> None:
    fates = (view.offered, view.answered, view.abandoned, view.overflowed, view.lost)
    frame["text"]["fate-title"] = say("fate.title")
    for fate, count in zip(_FATES, fates, strict=True):
        frame["text"][f"fate-{fate}-word"] = say(f"fate.{fate}")
        frame["text"][f"fate-{fate}"] = shown.number(count)
    fates_u = _wide(say("fate.title")) + sum(
        _wide(say(f"fate.{fate}") + " " + shown.number(count))
        for fate, count in zip(_FATES, fates, strict=True)
    )
    left_u = min(_FOOTER_U - fates_u, _FOOTER_LINE_U) - _wide(say("sources.title"))
    unassigned, left_u = _unassigned(view.unassigned_queues, left_u, say)
    shown_sources, hidden = _that_fit(view.sources, left_u, say)
    frame["text"] |= {
        "sources-title": say("sources.title") if view.sources else say("sources.none"),
        "sources-more": say("sources.more", count=hidden) if hidden else "",
        "unassigned-word": say("unassigned.title") if unassigned else "",
        "unassigned-names": unassigned,
    }
    frame["attr"]["unassigned"] = {"title": " · ".join(view.unassigned_queues) or None}
    frame["lists"][ids.SOURCES] = {
        "keys": [ids.key(source.name) for source in shown_sources],
        "cell": as_cell(SOURCE_CELL),
    }
    for source in shown_sources:
        key = ids.key(source.name)
        frame["text"][ids.cell(ids.SOURCES, key, "name")] = _source_text(source, say)
        frame["ages"][ids.cell(ids.SOURCES, key, "age")] = source.name
        frame["attr"][ids.cell(ids.SOURCES, key)] = {
            "data-tone": "attention" if source.problem or source.age_s is None else None,
            "title": source.problem or None,
        }


def _wide(text: str) -> float:
    """What a piece of the footer takes, with the space after it."""
    return 23 * em(text) + 34


def _source_text(source: SourceView, say: Say) -> str:
    return say("sources.problem", name=source.name) if source.problem else source.name


def _that_fit(sources: tuple[SourceView, ...], left_u: float, say: Say) -> tuple[list[SourceView], int]:
    """The sources that the footer has room for, those with a problem first, and how many it has not."""
    ordered = sorted(sources, key=lambda source: not source.problem)
    fit: list[SourceView] = []
    room_u = left_u - (_wide(say("sources.more", count=len(sources))) if len(sources) > 1 else 0)
    for source in ordered:
        wide_u = _wide(_source_text(source, say)) + 23 * em(say("age.source", age="0000"))
        if wide_u <= room_u:
            room_u -= wide_u
            fit.append(source)
    return fit, len(sources) - len(fit)


def _unassigned(queues: tuple[str, ...], left_u: float, say: Say) -> tuple[str, float]:
    """Names of queues that the configuration does not name, or how many they are; and the room that is left."""
    if not queues:
        return "", left_u
    left_u -= _wide(say("unassigned.title"))
    names = " · ".join(queues)
    text = names if _wide(names) <= left_u / 2 else str(len(queues))
    return text, left_u - _wide(text)
