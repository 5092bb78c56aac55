"""What is known of a source's time, folded from its records: which stretches it covers, what was lost, what was late.

Pure. A live stream covers all from one record to the next, unless a loss was told between them; an import covers its
first to its last line. What the live stream says is kept apart from the imports, so that these may come in any order.
Where the records are cut into batches changes nothing.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from dashboard.core.gaps import Gap, Span, gaps, merged, overlap
from dashboard.store.archive import Record
from dashboard.store.items import AWAY, COVERED, GAP, LINE, Item, away_of, loss_of
from dashboard.store.recovery import Replay

__all__ = ["Coverage", "Known", "decode_known"]

STEP_S = 86_400
"""A clock that goes back by more has been wrong; one that goes back by less may be a late line's."""


class Known(msgspec.Struct):
    """What the records told so far; all that has to be carried over a cut.

    Attributes:
        imported: What imports cover.
        live: What the live stream covers, before the stretch that it is in now.
        from_s, live_s: The stretch that the live stream is in; None before it and behind a loss.
        lost: A loss that has not ended: since when (None: nothing was known before it), reason, detail.
        told: Losses that have ended, whether or not something covers them.
        late: Stretches in which the source was not read, and read again later.
    """

    imported: list[Span] = []
    live: list[Span] = []
    from_s: int | None = None
    live_s: int | None = None
    lost: tuple[int | None, str, str] | None = None
    told: list[Gap] = []
    late: list[Span] = []


decode_known = msgspec.json.Decoder(Known).decode


class Coverage:
    """The coverage of one source.

    Attributes:
        known: What the records told.
        spans: [from, to] in epoch seconds that are covered, in order, apart from each other.
    """

    def __init__(self, known: Known | None = None) -> None:
        self.known = Known() if known is None else known
        self.spans: list[Span] = []
        self._join()

    @property
    def read_s(self) -> int | None:
        """Up to when the live stream is known at the latest; None where it has not begun."""
        known = self.known
        if known.live_s is not None:
            return known.live_s
        return known.live[-1][1] if known.live else None

    @property
    def gaps(self) -> list[Gap]:
        """What nothing covers between the first and the last known second."""
        return gaps(self.spans, self.known.told)

    @property
    def backfilled(self) -> list[Span]:
        """What was read later, and is covered by that."""
        return overlap(self.spans, self.known.late)

    @property
    def published(self) -> dict[str, Any]:
        """What a reader needs of it: the fields of `codec.Change`."""
        return {"coverage": self.spans, "told": self.known.told, "late": self.known.late}

    def add_import(self, first_s: int | None, last_s: int | None) -> None:
        """An import covers its first to its last line; nothing where it has no line with a time."""
        if first_s is not None and last_s is not None:
            self.known.imported = merged([*self.known.imported, (first_s, last_s)])
            self._join()

    def add_live(self, items: Iterable[Item]) -> None:
        """Records of the live stream cover all since those before them."""
        for item in items:
            if item.kind == GAP:
                self._lose(*loss_of(item.payload))
            elif item.kind == AWAY:
                self.known.late = merged([*self.known.late, away_of(item.payload)])
            elif (at_s := item.at_s) is not None:
                self._cover(at_s)
        self._join()

    def add_archived(self, records: Sequence[Record], replay: Replay) -> None:
        """The same of archived records; most hold nothing but lines."""
        if any(kind in (GAP, COVERED, AWAY) for kind, _ in records):
            self.add_live(Item(kind, payload, replay(kind, payload)) for kind, payload in records)
        else:
            for kind, payload in records:
                if kind == LINE:  # its time is cheaper to have than its event
                    line = replay.line(kind, payload)
                    at_s = None if line is None else line[0]
                else:
                    event = replay(kind, payload)
                    at_s = None if event is None else event.at_s
                if at_s is not None:
                    self._cover(at_s)
            self._join()

    def _lose(self, reason: str, detail: str) -> None:
        known = self.known
        if known.lost is None:
            known.lost = (self.read_s, reason, detail)
        self._end()

    def _end(self) -> None:
        """The stretch that the live stream was in is over."""
        known = self.known
        if known.from_s is not None and known.live_s is not None:
            known.live = merged([*known.live, (known.from_s, known.live_s)])
        known.from_s = known.live_s = None

    def _cover(self, at_s: int) -> None:
        known = self.known
        if known.live_s is None:
            if known.lost is not None:
                from_s, reason, detail = known.lost
                if from_s is not None and from_s < at_s:
                    known.told = [*known.told, Gap(from_s, at_s, reason, detail)]
                known.lost = None
            known.from_s = known.live_s = at_s
        elif at_s < known.live_s - STEP_S:
            # The clock had been ahead: what it claimed to cover is not over yet.
            known.from_s = at_s if known.from_s is None else min(known.from_s, at_s)
            known.live_s = at_s
        elif at_s > known.live_s:
            known.live_s = at_s

    def _join(self) -> None:
        known = self.known
        now = [] if known.from_s is None or known.live_s is None else [(known.from_s, known.live_s)]
        self.spans = merged([*known.imported, *known.live, *now])
