"""Pieces of one log -> the log: what overlaps is there once, and nothing is sorted.

Pure. A piece is a stretch of a log as somebody kept it: a rotated file, a copy, what a collector followed. Two lines
are identical when their text is, so a line that is in two pieces is one line of the log; what is twice in one piece
is two lines. Each piece keeps its own order, whatever its clock did.
"""

from bisect import bisect_left
from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Sequence
from itertools import accumulate, pairwise
from typing import NamedTuple


class Line(NamedTuple):
    """A line of a piece, as far as merging has to know it.

    Attributes:
        at_s: Its time, epoch seconds; of a line without one that of the line before it.
        text: What makes it identical to another: the line with the caller's number and name blanked.
        kind, payload: As it is archived.
    """

    at_s: int
    text: bytes
    kind: str
    payload: bytes


_Same = tuple[int, bytes]
"""What two identical lines have in common: time and text."""


def merge(pieces: Iterable[Sequence[Line]]) -> list[Line]:
    """Make one log of pieces of it.

    Args:
        pieces: Each in its own order; in which order they come makes no difference.

    Returns:
        Every line of every piece; of lines that are identical as many as the piece with most of them has.
    """
    left = sorted((piece for piece in pieces if piece), key=_place)
    if all(one[-1].at_s < other[0].at_s for one, other in pairwise(left)) and all(map(_is_sorted, left)):
        return [line for piece in left for line in piece]
    merged = list(left.pop(0))
    while left:
        known = {line[:2] for line in merged}
        # One that shares lines first: they say where it belongs, where times alone may not.
        index = next((i for i, piece in enumerate(left) if any(line[:2] in known for line in piece)), 0)
        merged = _merge_two(merged, left.pop(index))
    return merged


def _is_sorted(piece: Sequence[Line]) -> bool:
    return all(line.at_s <= after.at_s for line, after in pairwise(piece))


def _place(piece: Sequence[Line]) -> tuple[object, ...]:
    return piece[0].at_s, -len(piece), piece[-1].at_s, [line.text for line in piece]


def _merge_two(one: Sequence[Line], other: Sequence[Line]) -> list[Line]:
    """Make one log of two pieces: what both have aligns them, what only one has goes between by its time."""
    ones, others = Counter(line[:2] for line in one), Counter(line[:2] for line in other)
    left = ones | others
    merged: list[Line] = []
    ours_from = theirs_from = 0
    for ours_at, theirs_at in [*_aligned(one, other, ones, others), (len(one), len(other))]:
        between = _between(one[ours_from:ours_at], other[theirs_from:theirs_at], one, other)
        for line in (*between, *one[ours_at : ours_at + 1]):
            # Where the pieces disagree about the order, one has had its say, and the line is there already.
            if left[line[:2]]:
                left[line[:2]] -= 1
                merged.append(line)
        ours_from, theirs_from = ours_at + 1, theirs_at + 1
    return merged


def _aligned(
    one: Sequence[Line], other: Sequence[Line], ones: Counter[_Same], others: Counter[_Same]
) -> list[tuple[int, int]]:
    """Where two pieces have the same line: (index in one, index in the other), both rising.

    Lines that each has once come first, as many as keep their order (the longest rising sequence); repeated ones are
    aligned between those, as they come.
    """
    place = {line[:2]: index for index, line in enumerate(other) if others[line[:2]] == 1}
    sure = _rising(
        (index, place[line[:2]])
        for index, line in enumerate(one)
        if ones[line[:2]] == 1 and line[:2] in place
    )
    pairs: list[tuple[int, int]] = []
    ours_from = theirs_from = 0
    for ours_at, theirs_at in [*sure, (len(one), len(other))]:
        if ours_from < ours_at and theirs_from < theirs_at:
            places: dict[_Same, deque[int]] = defaultdict(deque)
            for index in range(theirs_from, theirs_at):
                places[other[index][:2]].append(index)
            for index in range(ours_from, ours_at):
                found = places.get(one[index][:2])
                while found:
                    at = found.popleft()
                    if at >= theirs_from:
                        pairs.append((index, at))
                        theirs_from = at + 1
                        break
        if ours_at < len(one):
            pairs.append((ours_at, theirs_at))
        ours_from, theirs_from = ours_at + 1, theirs_at + 1
    return pairs


def _rising(pairs: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """The longest sequence of pairs in which both numbers rise; the first of each pair rises already."""
    ends: list[int] = []  # the smallest end of a sequence of each length
    tops: list[tuple[int, int]] = []
    before: dict[tuple[int, int], tuple[int, int] | None] = {}
    for pair in pairs:
        length = bisect_left(ends, pair[1])
        before[pair] = tops[length - 1] if length else None
        ends[length : length + 1] = [pair[1]]
        tops[length : length + 1] = [pair]
    found: list[tuple[int, int]] = []
    last = tops[-1] if tops else None
    while last is not None:
        found.append(last)
        last = before[last]
    return found[::-1]


def _between(
    ours: Sequence[Line], theirs: Sequence[Line], one: Sequence[Line], other: Sequence[Line]
) -> Sequence[Line]:
    """Order lines that only one of two pieces has, between two lines that both have."""
    if not ours or not theirs:
        return ours or theirs
    # Where one ends as the other begins, they follow each other, even if a clock was set back within one of them.
    if ours[-1].at_s < theirs[0].at_s or _meet(ours, theirs, one, other):
        return [*ours, *theirs]
    if theirs[-1].at_s < ours[0].at_s or _meet(theirs, ours, other, one):
        return [*theirs, *ours]
    return _by_time(ours, theirs)


def _meet(first: Sequence[Line], then: Sequence[Line], one: Sequence[Line], other: Sequence[Line]) -> bool:
    """Whether the second that ends one piece begins the other: then the lines of the one go first."""
    return first[-1] is one[-1] and then[0] is other[0] and first[-1].at_s == then[0].at_s


def _by_time(ours: Sequence[Line], theirs: Sequence[Line]) -> list[Line]:
    """Two stretches by time, each in its own order; of one second, ours first.

    A line counts as no later than any that follows it: a clock that was ahead for a while holds nothing up.
    """
    merged: list[Line] = []
    at = 0
    waiting = _no_later(theirs)
    for line, at_s in zip(ours, _no_later(ours), strict=True):
        while at < len(theirs) and waiting[at] < at_s:
            merged.append(theirs[at])
            at += 1
        merged.append(line)
    return merged + list(theirs[at:])


def _no_later(lines: Sequence[Line]) -> list[int]:
    return list(accumulate((line.at_s for line in reversed(lines)), min))[::-1]
