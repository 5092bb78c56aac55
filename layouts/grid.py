"""How the seats' cells are laid out: columns, size of type, and which cell needs more room.

Comes in: names, and the box of the screen that holds them. Goes out: an `Arrangement` in which every text fits
without a smaller type than the floor, without a cut and without an ellipsis. Pure.

A cell has two lines (name and bureau; state and time), three (name; state; bureau and time), or, where a name or
a reason is very long, as many as it takes over several columns and rows.
"""

from collections.abc import Sequence
from functools import lru_cache
from math import log
from typing import Final, Literal, NamedTuple

from layouts.measure import em, lines

GAP_U: Final = 5.0
COLUMNS_MOST: Final = 8
HEIGHT_MOST_U: Final = 160.0
_BEST_SHAPE: Final = 2.6  # width ÷ height of a cell that looks right
_BETWEEN_U: Final = 6.0
_LINE: Final = 1.2
_REASON_WORDS: Final = (
    1.1  # every cell has room for a reason as wide as a state's widest word; longer ones are asked about
)
_SMALLER: Final = 0.6  # a step of smaller type is worth one cell of more than one column
_TIME: Final = "0:00:00"

Mode = Literal["two", "three", "tall"]


class Size(NamedTuple):
    """A step of type: the style's name, name and detail in u, what the cell's edges take across and down."""

    name: str
    name_u: float
    detail_u: float
    across_u: float
    down_u: float


SIZES: Final = (
    Size("xl", 40, 32, 34, 24),
    Size("l", 34, 28, 32, 18),
    Size("m", 29, 25, 30, 12),
    Size("s", 25, 23, 24, 8),
    Size("xs", 22, 22, 16, 3),
)
"""The largest first; the last one is the floor."""


class Box(NamedTuple):
    """The room for all cells, in u."""

    width_u: float
    height_u: float


class Need(NamedTuple):
    """What a seat's cell has to show: its name, its bureau, and the reason of its pause where that is long."""

    label: str
    site: str
    reason: str


class Place(NamedTuple):
    """A cell's part of the grid, and how its lines are set."""

    columns: int
    rows: int
    mode: Mode


class Arrangement(NamedTuple):
    """A grid that holds all cells.

    Attributes:
        columns, rows: Of the grid.
        size: Its type.
        width_u: Of a cell of one column, its edges taken off.
        places: One a cell, in order.
    """

    columns: int
    rows: int
    size: Size
    width_u: float
    places: tuple[Place, ...]


def need(label: str, site: str, reason: str, word_em: float) -> Need:
    """What a seat needs; a short reason fits everywhere, so that a pause does not move the others."""
    return Need(label, site, reason if em(reason) > _REASON_WORDS * word_em else "")


@lru_cache(128)
def arrange(needs: tuple[Need, ...], box: Box, word_em: float, floor: bool = False) -> Arrangement | None:
    """Find the best grid in which all cells fit; None if they do not even in the smallest type.

    Args:
        needs: In the order of the cells.
        box: Their room.
        word_em: Width of the widest word for a state.
        floor: Try the smallest type only.
    """
    found = [
        (rank * _SMALLER + _ugliness(arrangement, box), arrangement)
        for rank, size in enumerate(SIZES)
        if not floor or size is SIZES[-1]
        for columns in range(1, COLUMNS_MOST + 1)
        for mode in ("two", "three")
        if (arrangement := _try(needs, box, word_em, size, columns, mode)) is not None
    ]
    return min(found, key=lambda one: one[0])[1] if found else None


def height(box: Box, rows: int) -> float:
    """The height of a cell of one row."""
    return min(HEIGHT_MOST_U, (box.height_u - (rows - 1) * GAP_U) / max(1, rows))


def _try(
    needs: tuple[Need, ...], box: Box, word_em: float, size: Size, columns: int, mode: Literal["two", "three"]
) -> Arrangement | None:
    column_u = (box.width_u - (columns - 1) * GAP_U) / columns
    least_u = _height(size, 2 if mode == "two" else 3)
    if column_u - size.across_u < _state_u(size, word_em) or len(needs) * least_u > columns * box.height_u:
        return None
    places = []
    for one in needs:
        place = _place(one, size, column_u, least_u, columns, word_em, mode)
        if place is None:
            return None
        places.append(place)
    rows = _pack(places, columns)
    if (box.height_u - (rows - 1) * GAP_U) / max(1, rows) < least_u:
        return None
    return Arrangement(columns, rows, size, column_u - size.across_u, tuple(places))


def _height(size: Size, text_lines: int) -> float:
    """Two lines are a name's and a detail's; every further one is a detail's."""
    return size.down_u + _LINE * (size.name_u + (text_lines - 1) * size.detail_u)


def _state_u(size: Size, word_em: float) -> float:
    """Shape, word, mark and time."""
    return size.detail_u * (0.9 + word_em + 0.7 + em(_TIME)) + _BETWEEN_U


@lru_cache(16384)
def _place(
    one: Need, size: Size, column_u: float, least_u: float, columns: int, word_em: float, mode: Mode
) -> Place | None:
    """The smallest part of the grid in which a seat's texts fit."""
    best: Place | None = None
    for across in range(1, columns + 1):
        width_u = across * column_u + (across - 1) * GAP_U - size.across_u
        if _fits(one, size, width_u, word_em, mode):
            best = Place(across, 1, mode)
            break
    for across in range(1, columns + 1):
        width_u = across * column_u + (across - 1) * GAP_U - size.across_u
        for down in (2, 3, 4):
            if best is not None and across * down >= best.columns * best.rows:
                break
            high_u = down * least_u + (down - 1) * GAP_U - size.down_u
            if _tall_u(one, size, width_u) <= high_u:
                best = Place(across, down, "tall")
                break
    return best


def _fits(one: Need, size: Size, width_u: float, word_em: float, mode: Mode) -> bool:
    name_u, site_u = em(one.label) * size.name_u, em(one.site) * size.detail_u
    reason_u = max(em(one.reason), _REASON_WORDS * word_em) * size.detail_u
    time_u = em(_TIME) * size.detail_u
    state_u = _state_u(size, word_em)
    if mode == "two":
        # A reason that does not fit beside the state takes the bureau's place.
        beside = state_u + _BETWEEN_U + reason_u <= width_u
        second_u = site_u if beside else max(site_u, reason_u)
        return name_u + _BETWEEN_U + second_u <= width_u and state_u <= width_u
    beside = size.detail_u * (0.9 + word_em + 0.7) + _BETWEEN_U + reason_u <= width_u
    second_u = site_u if beside else max(site_u, reason_u)
    return name_u <= width_u and second_u + _BETWEEN_U + time_u <= width_u


def _tall_u(one: Need, size: Size, width_u: float) -> float:
    """Height of: the name's lines; the state; the reason's lines; bureau and time, below each other if need be."""
    details = 1 + (lines(one.reason, size.detail_u, width_u) if one.reason else 1)
    site_u, time_u = em(one.site) * size.detail_u, em(_TIME) * size.detail_u
    details += 1 if site_u + _BETWEEN_U + time_u <= width_u else 1 + lines(one.site, size.detail_u, width_u)
    return _LINE * (lines(one.label, size.name_u, width_u) * size.name_u + details * size.detail_u)


def _pack(places: Sequence[Place], columns: int) -> int:
    """How many rows the browser will take: it puts each cell at the first free part after the one before."""
    if all(place.columns == place.rows == 1 for place in places):
        return -(-len(places) // columns)
    taken: set[tuple[int, int]] = set()
    row = column = rows = 0
    for place in places:
        while column + place.columns > columns or any(
            (row + down, column + across) in taken
            for down in range(place.rows)
            for across in range(place.columns)
        ):
            column += 1
            if column >= columns:
                row, column = row + 1, 0
        taken.update(
            (row + down, column + across) for down in range(place.rows) for across in range(place.columns)
        )
        rows = max(rows, row + place.rows)
        column += place.columns
        if column >= columns:
            row, column = row + 1, 0
    return rows


def _ugliness(arrangement: Arrangement, box: Box) -> float:
    """How far cells are from a good shape, and how much of the grid they leave empty."""
    cell_u = arrangement.width_u + arrangement.size.across_u
    shape = abs(log(cell_u / height(box, arrangement.rows) / _BEST_SHAPE))
    filled = sum(place.columns * place.rows for place in arrangement.places)
    empty = 1 - filled / max(1, arrangement.columns * arrangement.rows)
    larger = sum(place.columns * place.rows > 1 for place in arrangement.places)
    return shape + 2.5 * empty + 0.5 * larger
