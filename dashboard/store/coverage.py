"""Which stretches of time a source covers: what was read of it, less the gaps.

Pure. A live stream covers all from one record to the next, unless a gap was told between them; an import covers its
first to its last line.
"""

from collections.abc import Callable, Iterable, Sequence

from dashboard.core.events import Event
from dashboard.store.archive import Record
from dashboard.store.items import COVERED, GAP, Item

STEP_S = 86_400
"""A clock that goes back by more has been wrong; one that goes back by less may be a late line's."""

Span = tuple[int, int]
Replay = Callable[[str, bytes], Event | None]


class Coverage:
    """The spans of one source.

    Attributes:
        spans: [from, to] in epoch seconds, in order, apart from each other.
        live_s: Up to where the live stream covers; None before it and behind a gap.
    """

    def __init__(self, spans: Iterable[Span] = (), live_s: int | None = None) -> None:
        self.spans = merged(spans)
        self.live_s = live_s

    def add_import(self, first_s: int | None, last_s: int | None) -> None:
        """An import covers its first to its last line; nothing where it has no line with a time."""
        if first_s is not None and last_s is not None:
            self.spans = merged([*self.spans, (first_s, last_s)])

    def add_live(self, items: Iterable[Item]) -> None:
        """Records of the live stream cover all since those before them."""
        found: Span | None = None
        for item in items:
            at_s = item.at_s
            if item.kind == GAP:
                self._cover(found)
                found = self.live_s = None
            elif at_s is not None:
                found = (at_s if found is None else found[0], at_s)
        self._cover(found)

    def add_archived(self, records: Sequence[Record], replay: Replay) -> None:
        """The same of archived records; most hold no gap, and only the first and the last time of those matter."""
        if any(kind in (GAP, COVERED) for kind, _ in records):
            self.add_live(Item(kind, payload, replay(kind, payload)) for kind, payload in records)
            return
        first = _first(records, replay)
        last = _first(reversed(records), replay)
        if first is not None and last is not None:
            self._cover((first.at_s, last.at_s))

    def _cover(self, found: Span | None) -> None:
        if found is None:
            return
        first_s, last_s = found
        if self.live_s is not None and first_s < self.live_s - STEP_S:
            # The clock had been ahead: what it claimed to cover is not over yet.
            self.spans = [
                (from_s, first_s if to_s == self.live_s else to_s)
                for from_s, to_s in self.spans
                if to_s != self.live_s or from_s < first_s
            ]
        elif self.live_s is not None:
            first_s = min(first_s, self.live_s)
        self.live_s = max(first_s, last_s)
        self.spans = merged([*self.spans, (first_s, self.live_s)])


def _first(records: Iterable[Record], replay: Replay) -> Event | None:
    return next((event for record in records if (event := replay(*record)) is not None), None)


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
