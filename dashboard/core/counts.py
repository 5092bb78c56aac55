"""The columns that are counted, and rows of them: one row per kind, id and 15-minute slot.

Pure. A row is a list of whole numbers in the order of its kind's columns; a missing tail is zeros, so a column may
be added at the end without touching what is stored. Kinds of row:

    queue  fates of its legs by the slot of their offer, work by the slot in which it was done
    calls  fates of whole calls, id "" (a call through two queues is one call and two legs)
    seat   work only
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable
from typing import NamedTuple

QUEUE, CALLS, SEAT = "q", "c", "s"

EDGES_S = (1, 2, 3, 5, 10, 15, 20, 25, 30, 45, 60, 90, 120, 180, 240, 300, 600)
"""Upper edges of the wait histograms, inclusive, in seconds; one more bin holds what is above."""

BINS = len(EDGES_S) + 1

FATE_COLUMNS = (
    "offered",
    "answered",
    "abandoned",
    "overflowed",
    "lost",
    "cut",
    "finished",
    "answer_wait_s",
    "abandon_wait_s",
    "overflow_wait_s",
    "talk_s",
    "hold_s",
    "wrap_s",
    "longest_wait_s",
    "answers",
    "talk_done_s",
    "hold_done_s",
    "wrap_done_s",
    "refused",
    "abandoned_after_answer",
    "overflowed_timeout",
    "overflowed_key",
    "overflowed_empty",
    "overflowed_withdrawn",
    "overflowed_moved",
    "lost_switch_died",
    "lost_gap",
    "lost_no_end",
    "orphan",
    *(f"answered_wait_{i}" for i in range(BINS)),
    *(f"abandoned_wait_{i}" for i in range(BINS)),
)
"""Columns of queue and calls rows. `finished` are answered calls whose conversation has ended and is known;
`orphan` are ends that came after their leg was closed, without effect; the last two groups are histograms."""

SEAT_COLUMNS = (
    "answers",
    "talk_done_s",
    "hold_done_s",
    "wrap_done_s",
    "paused_s",
    "signed_in_s",
    "busy_signed_in_s",
    "paused_signed_in_s",
    "ring_no_answer",
)
"""Columns of seat rows. The two `…_signed_in_s` are the parts of work and pause within observed sign-in: what
occupancy divides."""

MAXIMA = frozenset({"longest_wait_s"})
"""Columns that join by the larger, not by the sum."""

COLUMNS = {QUEUE: FATE_COLUMNS, CALLS: FATE_COLUMNS, SEAT: SEAT_COLUMNS}

F = {name: i for i, name in enumerate(FATE_COLUMNS)}
"""Index of each fate column."""

S = {name: i for i, name in enumerate(SEAT_COLUMNS)}
"""Index of each seat column."""

ANSWERED_WAIT = F["answered_wait_0"]
ABANDONED_WAIT = F["abandoned_wait_0"]

_BIN_OF = tuple(bisect_left(EDGES_S, wait) for wait in range(EDGES_S[-1] + 1))


def bin_of(wait_s: int) -> int:
    """The histogram bin of a wait; a wait equal to an edge lies below it.

    >>> bin_of(15) == EDGES_S.index(15), bin_of(16) == EDGES_S.index(20), bin_of(601) == BINS - 1
    (True, True, True)
    """
    return _BIN_OF[wait_s] if wait_s <= EDGES_S[-1] else BINS - 1


def bins_within(threshold_s: int) -> int:
    """How many bins lie at or under a threshold.

    Args:
        threshold_s: One of `EDGES_S`.

    Raises:
        ValueError: The threshold is no edge; the message lists the edges.

    >>> bins_within(1), bins_within(600)
    (1, 17)
    """
    try:
        return EDGES_S.index(threshold_s) + 1
    except ValueError:
        raise ValueError(
            f"a threshold of {threshold_s} s is not an edge of the wait histogram; "
            f"allowed: {', '.join(map(str, EDGES_S))}"
        ) from None


class RowKey(NamedTuple):
    """Which row: its kind, the queue's name or the seat's id ("" for calls), its slot's start in epoch seconds."""

    kind: str
    id: str
    slot: int


_WIDTH = {kind: len(columns) for kind, columns in COLUMNS.items()}


class Rows(dict[tuple[str, str, int], list[int]]):
    """Rows that make themselves as zeros, and remember which were touched.

    The fold takes them by `touch`. A store can give a `load` that is asked for a row's stored values when the row
    is not here: so a line with a time long ago changes what is stored then, instead of starting it again at zero.
    """

    __slots__ = ("load", "touched")

    def __init__(self, load: "Callable[[tuple[str, str, int]], list[int] | None] | None" = None) -> None:
        super().__init__()
        self.load = load
        self.touched: set[tuple[str, str, int]] = set()

    def __missing__(self, key: tuple[str, str, int]) -> list[int]:
        stored = self.load(key) if self.load is not None else None
        row = widened(key[0], stored) if stored is not None else [0] * _WIDTH[key[0]]
        self[key] = row
        return row

    def put(self, key: tuple[str, str, int], row: list[int]) -> None:
        """Take a stored row, without touching it."""
        self[key] = widened(key[0], row)

    def touch(self, key: tuple[str, str, int]) -> list[int]:
        """The row to change, marked as touched."""
        self.touched.add(key)
        return self[key]


def widened(kind: str, row: list[int]) -> list[int]:
    """A copy of a stored row with today's number of columns (its missing tail as zeros)."""
    return row + [0] * (_WIDTH[kind] - len(row))


def trimmed(row: list[int]) -> list[int]:
    """A row without its tail of zeros: what is stored.

    >>> trimmed([1, 0, 2, 0, 0])
    [1, 0, 2]
    """
    end = len(row)
    while end > 8 and not any(row[end - 8 : end]):  # most rows end in empty histograms
        end -= 8
    while end and row[end - 1] == 0:
        end -= 1
    return row[:end]


def join(kind: str, rows: Iterable[list[int]]) -> list[int]:
    """Rows of one kind as one: sums, and the larger of maxima.

    >>> join(SEAT, [[1, 60], [2, 5]])[:2]
    [3, 65]
    """
    total = [0] * _WIDTH[kind]
    longest = F["longest_wait_s"] if kind != SEAT else -1
    for row in rows:
        for i, value in enumerate(row):
            if value:
                if i == longest:
                    total[i] = max(total[i], value)
                else:
                    total[i] += value
    return total
