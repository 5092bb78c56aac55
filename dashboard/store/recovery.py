"""The archive of a source as one log, in the order in which it is counted.

The archive has a live stream, cut into days, and imports, each of which is a stretch of the same log under its own
name. What lies apart is read one after the other; a day of which several of them have lines is merged
(`core/merge.py`), so that what overlaps counts once. Reads only.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import NamedTuple, Protocol

from dashboard.core.days import Zone
from dashboard.core.events import Event
from dashboard.core.merge import Line, merge
from dashboard.store.archive import Archive, Position, Record


class Replay(Protocol):
    """How to read the archived records of a kind of source."""

    def __call__(self, kind: str, payload: bytes) -> Event | None:
        """The event of a record; None for what does not count."""
        ...

    def line(self, kind: str, payload: bytes) -> tuple[int | None, bytes] | None:
        """A record's time (None where it has none) and what makes it the same line as another; None for no line."""
        ...


Span = tuple[int, int]

_Timed = tuple[int, Record, bytes | None]
"""(time, record, what makes it the same line as another; None for no line)."""


class Stretch(NamedTuple):
    """Neighbouring records of the one log.

    Attributes:
        records: To be counted, in order.
        live: Records of the live stream that lie in this stretch, in order, counted or not: they tell what it covers.
    """

    records: Sequence[Record]
    live: Sequence[Record]


def whole_log(
    archive: Archive,
    zone: Zone,
    replay: Replay,
    *,
    upto: Position | None = None,
    imports: int | None = None,
) -> Iterator[Stretch]:
    """All of an archive as one log.

    Args:
        archive: The source's.
        zone: The hotline's.
        replay: Of the source's kind.
        upto: Nothing of the live stream behind it; its durable end if None.
        imports: The number of the last import to be read; all if None.

    Raises:
        StoreError: The archive is damaged.
        StoreUnavailable: It cannot be read now.
    """
    upto = archive.end() if upto is None else upto
    found = [
        (info.first_s, info.number)
        for info in archive.imports()
        if info.first_s is not None and (imports is None or info.number <= imports)
    ]
    live = [segment.day for segment in archive.segments() if segment.day <= upto.day]
    if not found:
        yield from (Stretch(records, records) for records in _live_records(archive, upto))
        return
    if len(found) == 1 and not live:
        yield from (Stretch(records, ()) for records in archive.read_import(found[0][1]))
        return
    pieces = [
        _Piece(partial(archive.read_import, number), replay, first_s, is_live=False)
        for first_s, number in sorted(found)
    ]
    if live:
        read = partial(_live_records, archive, upto)
        pieces.append(_Piece(read, replay, zone.bounds(live[0])[0], is_live=True))
    # The log must not be cut where some piece has an earlier line behind a later one.
    unclean = [span for piece in pieces for span in piece.steps_back(zone)]
    yield from _by_day(pieces, zone, unclean)


def _live_records(archive: Archive, upto: Position) -> Iterator[list[Record]]:
    return (chunk.records for chunk in archive.read_live(upto=upto))


class _Piece:
    """A piece of the log, read in order.

    Attributes:
        is_live: It is the live stream.
        next: Its next record and its time, None behind the last.
    """

    def __init__(
        self,
        read: Callable[[], Iterator[list[Record]]],
        replay: Replay,
        first_s: int,
        *,
        is_live: bool,
    ) -> None:
        self._read, self._line, self._first_s, self.is_live = read, replay.line, first_s, is_live
        self._lines: Iterator[_Timed] = iter(())
        self.next: _Timed | None = None

    def open(self) -> None:
        """Go to the first record."""
        self._lines = self._timed()
        self.next = next(self._lines, None)

    def _timed(self) -> Iterator[_Timed]:
        at_s = self._first_s
        line_of = self._line
        for records in self._read():
            for record in records:
                line = line_of(*record)
                if line is not None and line[0] is not None:
                    at_s = line[0]
                yield at_s, record, None if line is None else line[1]

    def take(self, before_s: int) -> list[_Timed]:
        """What comes before the first record of an instant or later."""
        taken = []
        following = self.next
        while following is not None and following[0] < before_s:
            taken.append(following)
            following = next(self._lines, None)
        self.next = following
        return taken

    def steps_back(self, zone: Zone) -> list[Span]:
        """The spans (from, to] of more than a day's border by which a line comes too late."""
        steps: list[Span] = []
        latest_s = today_s = 0
        for at_s, _, _ in self._timed():
            if at_s > latest_s:
                latest_s = at_s
                today_s = zone.bounds(zone.day(at_s))[0]
            elif at_s < today_s:
                if steps and steps[-1][1] == latest_s:
                    at_s = min(at_s, steps.pop()[0])
                steps.append((at_s, latest_s))
        return steps


def _by_day(pieces: Sequence[_Piece], zone: Zone, unclean: Sequence[Span]) -> Iterator[Stretch]:
    for piece in pieces:
        piece.open()
    while times := [piece.next[0] for piece in pieces if piece.next is not None]:
        end_s = zone.bounds(zone.day(min(times)))[1]
        while any(from_s < end_s <= to_s for from_s, to_s in unclean):
            end_s = zone.bounds(zone.day(end_s))[1]
        taken = [(piece, lines) for piece in pieces if (lines := piece.take(end_s))]
        live = [record for piece, lines in taken if piece.is_live for _, record, _ in lines]
        if len(taken) == 1:
            records = [record for _, record, _ in taken[0][1]]
        else:
            merged = merge(
                [Line(at_s, text, *record) for at_s, record, text in lines if text is not None]
                for _, lines in taken
            )
            records = [(line.kind, line.payload) for line in merged]
        yield Stretch(records, live)
