"""The five headline figures: what each says, beside its target, and when it calls.

Comes in: a `HallView`. Goes out: the parts of a frame for the tiles. Pure. A tile has a label, a flag (a word for
why it calls, never colour alone), the figure with its unit, and up to two notes of a key and a value.
"""

from collections.abc import Callable
from typing import Final, Literal, NamedTuple

from dashboard.core.days import Zone
from dashboard.core.views import HallView
from layouts import format as shown
from layouts import ids
from layouts.frame import Frame, count_from
from layouts.measure import em
from layouts.text import Say
from layouts.theme import STALE_AFTER_S
from layouts.tree import Node

Tone = Literal["calm", "attention", "action"]
Fit = Literal["full", "tight", "alone"]

_BOLD: Final = 1.06  # bold digits are wider than those that were measured
_WIDTHS_U: Final = {"service": 388.0}
_WIDTH_U: Final = 303.0  # the others'
_CROWDED_WIDTH_U: Final = 290.0
_MISSING_FROM_S: Final = 60

_ACTION_TARGETS: Final = 2
"""A longest wait of so many targets needs somebody to act; beyond one target it asks for attention."""
_ACTION_CALLS: Final = 3
"""So do that many callers beyond the target."""


class Note(NamedTuple):
    """A line under a figure.

    Attributes:
        key: In words.
        value: "" where the words say all.
        since_s: Instead of the value: the instant from which the browser counts.
        counts: The value is counted from `since_s`, which may be None for "—".
    """

    key: str
    value: str = ""
    since_s: int | None = None
    counts: bool = False


class Tile(NamedTuple):
    """What a tile says."""

    label: str
    figure: str
    unit: str
    notes: tuple[Note, Note]
    tone: Tone = "calm"
    flag: str = ""
    title: str | None = None


def _calls(count: int | None, say: Say) -> tuple[str, str]:
    """A count as a headline: figure and unit. Five digits have no comma, six are shortened by the language's custom."""
    if count is None or count < 10_000:
        return shown.number(count), say("unit.calls")
    if count < 100_000:
        return str(count), say("unit.calls")
    return shown.shortened(count, say("unit.many_calls")), say("unit.many_calls")


def _cumulative(view: HallView, zone: Zone, say: Say) -> Tile:
    figure, unit = _calls(view.answers_today, say)
    return Tile(
        label=say("cumulative.label"),
        figure=figure,
        unit=unit,
        notes=(
            _by_now(view, say),
            Note(say("cumulative.talking"), shown.number(view.talking_now)),
        ),
    )


def _by_now(view: HallView, say: Say) -> Note:
    """What comparable days had by now; instead of it what the total misses, for then they do not compare."""
    if view.answers_today is not None and view.missing_s >= _MISSING_FROM_S:
        return Note(say("cumulative.missing"), say("slot.minutes", minutes=-(-view.missing_s // 60)))
    return Note(say("cumulative.by_now"), shown.rounded(view.answers_comparable))


def _slot(view: HallView, zone: Zone, say: Say) -> Tile:
    times = f"{shown.time_of_day(view.slot_start_s, zone)}–{shown.time_of_day(view.slot_end_s, zone)}"
    # Rounded up: a slot with time left never says 0.
    left_min = max(0, -(-(view.slot_end_s - int(view.now_s)) // 60))
    figure, unit = _calls(view.answers_slot, say)
    return Tile(
        label=say("slot.label"),
        figure=figure,
        unit=unit,
        notes=(
            Note(say("slot.running"), times),
            Note(say("slot.left"), say("slot.minutes", minutes=left_min)),
        ),
    )


def _average(view: HallView, zone: Zone, say: Say) -> Tile:
    if view.standing != "live":
        days = say("average.days", days=shown.UNKNOWN)
    elif not view.comparable_days:
        days = say("average.none")
    elif view.comparable_widened:
        days = say("average.widened", days=view.comparable_days)
    elif not view.calendar_known:  # the header says so in any case
        days = say("average.guessed", days=view.comparable_days)
    else:
        days = say("average.days", days=view.comparable_days)
    return Tile(
        label=say("average.label"),
        figure=shown.decimal(view.average_slot),
        unit=say("unit.calls"),
        notes=(Note(days), Note(say("average.per_seat"), shown.decimal(view.answers_per_seat))),
    )


def _queue(view: HallView, zone: Zone, say: Say) -> Tile:
    tone = queue_tone(view)
    beyond = view.waiting_beyond or 0
    target = shown.duration(view.target_wait_s)
    value = f"{target} · {say('queue.beyond', count=beyond)}" if beyond else target
    return Tile(
        label=say("queue.label"),
        figure=shown.number(view.waiting_now),
        unit=say("unit.people"),
        notes=(
            Note(
                say("queue.longest"), since_s=view.waiting_since_s if view.waiting_now else None, counts=True
            ),
            Note(say("queue.target"), value),
        ),
        tone=tone,
        flag="" if tone == "calm" else say(f"queue.{tone}"),
    )


def as_of_s(view: HallView) -> float:
    """The instant that the data is of: now, or when stale data was read; what has happened since nobody knows."""
    age_s = max((source.age_s for source in view.sources if source.age_s is not None), default=0.0)
    return view.now_s - age_s if age_s > STALE_AFTER_S else view.now_s


def queue_tone(view: HallView) -> Tone:
    """Calm; attention while somebody waits beyond the target; action when the wait doubles or callers pile up."""
    if not view.waiting_now or view.waiting_since_s is None:
        return "calm"
    waited_s = as_of_s(view) - view.waiting_since_s
    if waited_s > _ACTION_TARGETS * view.target_wait_s or (view.waiting_beyond or 0) >= _ACTION_CALLS:
        return "action"
    return "attention" if waited_s > view.target_wait_s else "calm"


def _service(view: HallView, zone: Zone, say: Say) -> Tile:
    share = shown.share(view.service_level)
    counted = (
        f" · {view.service_level[0]:,} / {view.service_level[1]:,}"
        if share.percent and view.service_level
        else ""
    )
    tone = service_tone(view)
    title = None
    if share.interval:
        low, high = share.interval
        title = say("service.interval", least=shown.FEW_CALLS, low=low, high=high)
    return Tile(
        label=say("service.label", threshold=view.threshold_s),
        figure=share.figure,
        unit=say("unit.percent") if share.percent else "",
        notes=(
            Note(say(f"formula.{view.formula}", threshold=view.threshold_s)),
            Note(say("service.target"), shown.percent(view.target_service_level) + counted),
        ),
        tone=tone,
        flag="" if tone == "calm" else say(f"service.{tone}"),
        title=title,
    )


def service_tone(view: HallView) -> Tone:
    """Attention under the target; few calls are not judged."""
    if view.service_level is None or view.service_level[1] < shown.FEW_CALLS:
        return "calm"
    within, of = view.service_level
    return "attention" if within < view.target_service_level * of else "calm"


TILES: Final[dict[str, Callable[[HallView, Zone, Say], Tile]]] = {
    "cumulative": _cumulative,
    "slot": _slot,
    "average": _average,
    "queue": _queue,
    "service": _service,
}
"""In the order of the screen."""


def tile_node(name: str) -> Node:
    """A tile's structure."""

    def part(tag: str, cls: str, part: str, *children: Node) -> Node:
        return Node(tag, cls, ids.tile(name, part), children)

    notes = tuple(
        Node(
            "div",
            "note",
            "",
            (part("span", "note-key", f"note-{n}-key"), part("span", "note-value", f"note-{n}")),
        )
        for n in (1, 2)
    )
    return Node(
        "section",
        f"tile tile-{name}",
        ids.tile(name),
        (
            Node("div", "tile-head", "", (part("h2", "tile-label", "label"), part("span", "flag", "flag"))),
            Node("div", "tile-body", "", (part("span", "figure", "figure"), part("span", "unit", "unit"))),
            *notes,
        ),
    )


def _fit(tile: Tile, width_u: float) -> Fit:
    """The figure's size: full; else at its floor; where that is too wide still, without its unit."""

    def wide_u(figure_u: float, unit_u: float) -> float:
        unit = 14 + unit_u * em(tile.unit) if tile.unit else 0
        return _BOLD * em(tile.figure) * figure_u + unit

    if wide_u(116, 34) <= width_u and wide_u(97, 30) <= _CROWDED_WIDTH_U:
        return "full"
    return "tight" if wide_u(97, 30) <= min(width_u, _CROWDED_WIDTH_U) else "alone"


def write_tiles(view: HallView, zone: Zone, frame: Frame, say: Say) -> set[Tone]:
    """Write all tiles into a frame; returns the tones that occur."""
    tones: set[Tone] = set()
    for name, make in TILES.items():
        tile = make(view, zone, say)
        tones.add(tile.tone)
        fit = _fit(tile, _WIDTHS_U.get(name, _WIDTH_U))
        frame["attr"][ids.tile(name)] = {"data-tone": tile.tone, "data-fit": fit, "title": tile.title}
        frame["text"] |= {
            ids.tile(name, "label"): tile.label,
            ids.tile(name, "flag"): tile.flag,
            ids.tile(name, "figure"): tile.figure,
            ids.tile(name, "unit"): "" if tile.figure == shown.UNKNOWN else tile.unit,
        }
        for n, note in enumerate(tile.notes, start=1):
            frame["text"][ids.tile(name, f"note-{n}-key")] = note.key
            if note.counts:
                count_from(frame, ids.tile(name, f"note-{n}"), note.since_s, view.now_s)
            else:
                frame["text"][ids.tile(name, f"note-{n}")] = note.value
    return tones
