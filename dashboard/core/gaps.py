"""What is known of a source's time: which stretches nobody could deliver, and which were read later.

Pure. A gap is what no piece of a source covers between its first and its last known second; so gaps and coverage
share that time out, and an import that covers a gap closes it. What was told of a loss gives the gap its reason.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Final, NamedTuple

Span = tuple[int, int]

REASONS: Final[dict[str, tuple[str, str]]] = {
    "replaced": ("日志已换，旧文件不在", "another log, and the one before is gone"),
    "truncated": ("日志被截断", "log truncated"),
    "damaged": ("日志损坏", "log damaged"),
    "off": ("采集停止，无法补读", "collector off, and the source cannot be read again"),
    "between": ("两段记录之间，情况不明", "between two pieces, nothing known"),
    "lost": ("记录丢失", "records lost"),
}
"""Why there is a gap: a short word, then what people read, Chinese first."""

BETWEEN: Final = "between"
LOST: Final = "lost"
"""The reason of a loss that was told without one."""


class Gap(NamedTuple):
    """A stretch that a source could not deliver.

    Attributes:
        from_s, to_s: Epoch seconds.
        reason: One of `REASONS`.
        detail: In the collector's words; "" where nobody told.
    """

    from_s: int
    to_s: int
    reason: str
    detail: str = ""


def merged(spans: Iterable[Span]) -> list[Span]:
    """Spans in order, those that touch or overlap as one.

    >>> merged([(5, 9), (1, 2), (2, 4)])
    [(1, 4), (5, 9)]
    """
    result: list[Span] = []
    for from_s, to_s in sorted(spans):
        if result and from_s <= result[-1][1]:
            result[-1] = (result[-1][0], max(to_s, result[-1][1]))
        else:
            result.append((from_s, to_s))
    return result


def gaps(coverage: Sequence[Span], told: Sequence[Gap], within: Span | None = None) -> list[Gap]:
    """The gaps of a source.

    Args:
        coverage: What is covered, in order and apart.
        told: The losses that were told, whether or not something covers them by now.
        within: Only gaps that touch this stretch; whole ones all the same.

    >>> gaps([(0, 10), (20, 30)], [Gap(12, 25, "truncated")])
    [Gap(from_s=10, to_s=12, reason='between', detail=''), Gap(from_s=12, to_s=20, reason='truncated', detail='')]
    """
    found: list[Gap] = []
    ordered = sorted(told)
    for (_, from_s), (to_s, _) in pairwise(_near(coverage, within)):
        at_s = from_s
        for loss in ordered:
            low, high = max(at_s, loss.from_s), min(to_s, loss.to_s)
            if low < high:
                if at_s < low:
                    found.append(Gap(at_s, low, BETWEEN))
                found.append(loss._replace(from_s=low, to_s=high))
                at_s = high
        if at_s < to_s:
            found.append(Gap(at_s, to_s, BETWEEN))
    if within is not None:
        found = [gap for gap in found if gap.from_s < within[1] and gap.to_s > within[0]]
    return found


def _near(coverage: Sequence[Span], within: Span | None) -> Sequence[Span]:
    """The spans that gaps of a stretch lie between."""
    if within is None:
        return coverage
    first = max(0, bisect_right(coverage, within[0], key=lambda span: span[0]) - 1)
    return coverage[first : bisect_right(coverage, within[1], key=lambda span: span[0]) + 1]


def overlap(some: Sequence[Span], others: Sequence[Span]) -> list[Span]:
    """What lies in both; each in order and apart.

    >>> overlap([(0, 10), (20, 30)], [(5, 25)])
    [(5, 10), (20, 25)]
    """
    shared = (
        (max(from_s, low), min(to_s, high)) for from_s, to_s in some for low, high in others if low < to_s
    )
    return [(from_s, to_s) for from_s, to_s in shared if from_s < to_s]


def uncovered(coverage: Sequence[Span], within: Span) -> list[Span]:
    """What of a stretch is not covered, from the first covered second on; nothing where that is later.

    >>> uncovered([(10, 20), (30, 40)], (0, 50))
    [(20, 30), (40, 50)]
    """
    found = []
    at_s = max(within[0], coverage[0][0]) if coverage else within[1]
    for from_s, to_s in coverage:
        if at_s < from_s and at_s < within[1]:
            found.append((at_s, min(from_s, within[1])))
        at_s = max(at_s, to_s)
    if at_s < within[1]:
        found.append((at_s, within[1]))
    return found


def length_s(spans: Iterable[Span], within: Span) -> int:
    """Seconds of a stretch that lie in any of the spans.

    >>> length_s([(0, 10), (5, 12), (20, 90)], (2, 30))
    20
    """
    cut = ((max(from_s, within[0]), min(to_s, within[1])) for from_s, to_s in spans)
    return sum(to_s - from_s for from_s, to_s in merged(span for span in cut if span[0] < span[1]))
