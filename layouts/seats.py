"""The hall's seats: which are shown now, in which grid, and what each cell says.

Comes in: a `HallView`. Goes out: the parts of a frame for the grid, its title and the legend. Pure.

More seats than fit are shown in pages that turn by the hotline's clock, those first that are neither ready nor
talking; the legend always counts all.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Final, NamedTuple

from dashboard.config import UNASSIGNED
from dashboard.core.seats import PAUSED, READY, SIGNED_OUT, STATES, TALKING, UNKNOWN, UNREACHABLE
from dashboard.core.views import HallView, SeatView
from layouts import format as shown
from layouts import ids
from layouts.frame import Frame
from layouts.grid import GAP_U, Arrangement, Box, Need, arrange, need
from layouts.measure import em
from layouts.text import Say
from layouts.tree import Node, as_cell

PAGE_S: Final = 12
"""How long a page of seats stays, seconds."""
PAGE_SEATS: Final = 60
ROOMY_SEATS: Final = 24
"""Up to so many seats, the chart gets the larger part of the screen."""

_LEGEND_LINE_U: Final = 32
_LEGEND_ITEM_U: Final = 46  # shape and spaces
_RARE: Final = ("hold", "unreachable")  # in the legend only while a seat is in them


class Room(NamedTuple):
    """The grid's room on the two shapes of screen: lying 1920×1080 and upright 1080×1920."""

    wide: Box
    tall: Box


ROOMY: Final = Room(Box(738, 508), Box(1012, 478))
CROWDED: Final = Room(Box(1172, 780), Box(1012, 744))

CELL: Final = Node(
    "li",
    "seat",
    "",
    (
        Node(
            "div",
            "seat-line",
            "",
            (
                Node("bdi", "seat-name", "name"),
                Node("bdi", "seat-site", "site"),
                Node("bdi", "seat-reason seat-reason-up", "reason-up"),
            ),
        ),
        Node(
            "div",
            "seat-line",
            "",
            (
                Node(
                    "div",
                    "seat-status",
                    "",
                    (
                        Node("span", "shape"),
                        Node("span", "seat-word", "word"),
                        Node("bdi", "seat-reason seat-reason-beside", "reason"),
                        Node("span", "pause-mark", "mark"),
                    ),
                ),
                Node("span", "seat-time", "time"),
            ),
        ),
    ),
)
LEGEND_CELL: Final = Node(
    "li",
    "legend-item",
    "",
    (Node("span", "shape"), Node("span", "", "word"), Node("span", "legend-count", "count")),
)


class Layout(NamedTuple):
    """What is shown now.

    Attributes:
        crowded: The seats need the larger part of the screen.
        seats: On this page.
        wide, tall: Their grids; None where even the smallest type does not hold one seat.
        page, pages: From 1 on.
    """

    crowded: bool
    seats: tuple[SeatView, ...]
    wide: Arrangement | None
    tall: Arrangement | None
    page: int
    pages: int


def lay_out(seats: Sequence[SeatView], now_s: float, legend_em: Sequence[float], word_em: float) -> Layout:
    """Choose grid and page.

    Args:
        seats: All of them, in the order of sites.
        now_s: The hotline's clock, by which pages turn.
        legend_em: Widths of the legend's items.
        word_em: Width of the widest word for a state.
    """
    for crowded in (False, True) if len(seats) <= ROOMY_SEATS else (True,):
        room = _room(crowded, legend_em)
        both = _grids(seats, room, word_em)
        if len(seats) <= PAGE_SEATS and None not in both:
            return Layout(crowded, tuple(seats), *both, 1, 1)
    room = _room(True, legend_em)
    pages = _pages(seats, room, word_em)
    page = int(now_s // PAGE_S) % len(pages)
    return Layout(True, pages[page], *_grids(pages[page], room, word_em), page + 1, len(pages))


def _grids(
    seats: Sequence[SeatView], room: Room, word_em: float, *, floor: bool = False
) -> tuple[Arrangement | None, Arrangement | None]:
    needs: tuple[Need, ...] = tuple(need(_name(seat), seat.site, seat.reason, word_em) for seat in seats)
    return arrange(needs, room.wide, word_em, floor), arrange(needs, room.tall, word_em, floor)


def _name(seat: SeatView) -> str:
    return seat.label.strip() or seat.id


def _room(crowded: bool, legend_em: Sequence[float]) -> Room:
    """What the legend leaves; its first line is taken off already."""

    def left(box: Box) -> Box:
        taken, used_u = 1, 0.0
        for item_em in legend_em:
            wide_u = 22 * item_em + _LEGEND_ITEM_U
            if used_u + wide_u > box.width_u:
                taken, used_u = taken + 1, 0.0
            used_u += wide_u
        return Box(box.width_u, box.height_u - (taken - 1) * _LEGEND_LINE_U)

    room = CROWDED if crowded else ROOMY
    return Room(left(room.wide), left(room.tall))


def _pages(seats: Sequence[SeatView], room: Room, word_em: float) -> list[tuple[SeatView, ...]]:
    """As few pages as hold all seats, equally full where that fits."""
    ordered = sorted(seats, key=lambda seat: seat.state in (READY, TALKING))
    full = _full_pages(ordered, room, word_em)
    share = -(-len(ordered) // len(full))
    even = [tuple(ordered[at : at + share]) for at in range(0, len(ordered), share)]
    return even if all(_fit(page, room, word_em) for page in even) else full


def _full_pages(ordered: list[SeatView], room: Room, word_em: float) -> list[tuple[SeatView, ...]]:
    pages = []
    left = ordered
    while left:
        least, most = 1, min(PAGE_SEATS, len(left))
        while least < most:
            count = (least + most + 1) // 2
            if _fit(tuple(left[:count]), room, word_em):
                least = count
            else:
                most = count - 1
        pages.append(tuple(left[:least]))
        left = left[least:]
    return pages


def _fit(seats: tuple[SeatView, ...], room: Room, word_em: float) -> bool:
    return None not in _grids(seats, room, word_em, floor=True)


def write_seats(view: HallView, frame: Frame, say: Say) -> Layout:
    """Write grid, title and legend into a frame.

    Args:
        view: What is shown.
        frame: Where to.
        say: The words.

    Returns:
        What was chosen, for the page around it.
    """
    counts = Counter(seat.state for seat in view.seats)
    legend_em = _write_legend(counts, frame, say)
    word_em = max(em(say(f"state.{state}")) for state in STATES)
    seats = [replace(s, site=say("seats.unassigned")) if s.site == UNASSIGNED else s for s in view.seats]
    layout = lay_out(seats, view.now_s, legend_em, word_em)
    away = counts[SIGNED_OUT] + counts[UNREACHABLE] + counts[UNKNOWN]
    frame["text"] |= {
        "seats-title": say("seats.title", count=len(view.seats)),
        "seats-online": say("seats.online", count=len(view.seats) - away)
        if view.seats
        else say("seats.none"),
        "seats-page": say("seats.page", page=layout.page, pages=layout.pages) if layout.pages > 1 else "",
    }
    frame["attr"][ids.SEATS] = {
        **_grid("data-wide", layout.wide, len(view.seats)),
        **_grid("data-tall", layout.tall, len(view.seats)),
    }
    frame["lists"][ids.SEATS] = {"keys": [ids.key(seat.id) for seat in layout.seats], "cell": as_cell(CELL)}
    for index, seat in enumerate(layout.seats):
        _write_cell(seat, index, layout, frame, say)
    return layout


def _grid(prefix: str, grid: Arrangement | None, seats: int) -> dict[str, str | None]:
    """No seats: an empty grid of one column."""
    if grid is None:
        return {f"{prefix}-columns": "1" if not seats else "4", f"{prefix}-size": "xs"}
    return {f"{prefix}-columns": str(grid.columns), f"{prefix}-size": grid.size.name}


def _write_cell(seat: SeatView, index: int, layout: Layout, frame: Frame, say: Say) -> None:
    key = ids.key(seat.id)
    name, word = _name(seat), say(f"state.{seat.state}")
    reason = seat.reason if seat.state == PAUSED else ""
    attr: dict[str, str | None] = {
        "data-state": seat.state,
        "data-tone": "action" if seat.overlong else None,
        "title": " · ".join(part for part in (name, seat.site, word, reason) if part),
    }
    for prefix, grid in (("data-wide", layout.wide), ("data-tall", layout.tall)):
        if grid is not None:
            place = grid.places[index]
            attr |= {
                f"{prefix}-span": f"{place.columns}x{place.rows}",
                f"{prefix}-mode": place.mode,
                f"{prefix}-reason": _reason_place(seat, reason, word, grid, index) if reason else None,
            }
    frame["attr"][ids.cell(ids.SEATS, key)] = attr
    frame["attr"][ids.cell(ids.SEATS, key, "mark")] = {
        "data-on": "yes" if seat.pause_mark else None,
        "title": say("seats.pause_waits") if seat.pause_mark else None,
    }
    frame["text"] |= {
        ids.cell(ids.SEATS, key, "name"): name,
        ids.cell(ids.SEATS, key, "site"): seat.site,
        ids.cell(ids.SEATS, key, "word"): word,
        ids.cell(ids.SEATS, key, "reason"): reason,
        ids.cell(ids.SEATS, key, "reason-up"): reason,
    }
    frame["since"][ids.cell(ids.SEATS, key, "time")] = seat.since_s


def _reason_place(seat: SeatView, reason: str, word: str, grid: Arrangement, index: int) -> str:
    """Beside the state if it fits there, else where the bureau stands."""
    place, size = grid.places[index], grid.size
    if place.mode == "tall":
        return "beside"
    column_u = grid.width_u + size.across_u
    width_u = place.columns * column_u + (place.columns - 1) * GAP_U - size.across_u
    taken_em = 0.9 + em(word) + 0.7 + (em("0:00:00") if place.mode == "two" else 0)
    return "beside" if size.detail_u * (taken_em + em(reason)) + 16 <= width_u else "up"


def _write_legend(counts: Counter[str], frame: Frame, say: Say) -> list[float]:
    """The states with their counts; returns the width of each."""
    states = [state for state in STATES if counts[state] or state not in _RARE]
    frame["lists"][ids.LEGEND] = {"keys": states, "cell": as_cell(LEGEND_CELL)}
    widths = []
    for state in states:
        word, count = say(f"state.{state}"), shown.number(counts[state])
        frame["attr"][ids.cell(ids.LEGEND, state)] = {
            "data-state": state,
            "data-none": None if counts[state] else "yes",
        }
        frame["text"][ids.cell(ids.LEGEND, state, "word")] = word
        frame["text"][ids.cell(ids.LEGEND, state, "count")] = count
        widths.append(em(word) + em(count))
    return widths
