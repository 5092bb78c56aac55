"""The archive of a source as one log, in the order in which it is counted.

The archive has a live stream, cut into days, and imports, each of which is a stretch of the same log under its own
name. What lies apart is read one after the other; a day of which several of them have lines is merged
(`core/merge.py`), so that what overlaps counts once. Reads only.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import NamedTuple, Protocol

from dashboard.core.days import Zone
from dashboard.core.events import Event
from dashboard.core.merge import Line, merge
from dashboard.store.archive import BEGINNING, Archive, Position, Record


class Replay(Protocol):
    """How to read the archived records of a kind of source."""

    def __call__(self, kind: str, payload: bytes) -> Event | None:
        """The event of a record; None for what does not count."""
        ...

    def line(self, kind: str, payload: bytes) -> tuple[int | None, bytes] | None:
        """A record's time (None where it has none) and what makes it the same line as another; None for no line."""
        ...


Span = tuple[int, int]


class Stretch(NamedTuple):
    """Neighbouring records of the one log.

    Attributes:
        records: To be counted, in order.
        live: Records of the live stream that lie in this stretch, in order, counted or not: they tell what it covers.
        from_s: The log may be cut at this instant: all before is earlier, all in here and after is not.
        differs: Without what is new there would be other lines, or another order; False where nothing is new.
        grew: There were lines before what is new came.
    """

    records: Sequence[Record]
    live: Sequence[Record] = ()
    from_s: int = 0
    differs: bool = False
    grew: bool = True


class Known(NamedTuple):
    """What of an archive is counted: of the live stream up to a position, and imports up to a number."""

    live: Position
    imported: int


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
    numbers = [
        info.number
        for info in archive.imports()
        if info.first_s is not None and (imports is None or info.number <= imports)
    ]
    live = any(segment.day <= upto.day for segment in archive.segments())
    if not numbers:
        yield from (Stretch(records, records) for records in _live_records(archive, BEGINNING, upto))
    elif len(numbers) == 1 and not live:
        yield from (Stretch(records) for records in archive.read_import(numbers[0]))
    else:
        everything = Known(upto, max(numbers))
        yield from _by_day(_pieces(archive, zone, replay, numbers, BEGINNING, upto, everything), zone, 0)


def log_since(
    archive: Archive, zone: Zone, replay: Replay, known: Known, least_s: int
) -> Iterator[Stretch] | None:
    """An archive as one log, from the beginning of a day on, with what is new in it told.

    Args:
        archive, zone, replay: As of `whole_log`.
        known: What is not new.
        least_s: The first second of the day.

    Returns:
        Its stretches; None where the log cannot be cut there.

    Raises:
        StoreError: The archive is damaged.
        StoreUnavailable: It cannot be read now.
    """
    numbers = [
        info.number for info in archive.imports() if info.last_s is not None and info.last_s >= least_s
    ]
    after = Position(zone.day(least_s), 0)
    pieces = _pieces(archive, zone, replay, numbers, after, archive.end(), known)
    if any(from_s < least_s <= to_s for piece in pieces for from_s, to_s in piece.steps):
        return None
    return _by_day(pieces, zone, least_s)


def _pieces(
    archive: Archive,
    zone: Zone,
    replay: Replay,
    numbers: Sequence[int],
    after: Position,
    upto: Position,
    known: Known,
) -> list["_Piece"]:
    first_s = {info.number: info.first_s or 0 for info in archive.imports()}
    pieces = []
    for number in sorted(numbers, key=lambda number: (first_s[number], number)):
        read = partial(archive.read_import, number)
        is_new = number > known.imported
        pieces.append(
            _Piece(
                replay,
                first_s[number],
                is_live=False,
                old=None if is_new else read,
                new=read if is_new else None,
            )
        )
    old = partial(_live_records, archive, after, min(known.live, upto))
    new = partial(_live_records, archive, max(after, known.live), upto)
    begun_s = zone.bounds(after.day)[0] if after > BEGINNING else 0
    pieces.append(_Piece(replay, begun_s, is_live=True, old=old, new=new))
    for piece in pieces:
        piece.look_for_steps(zone)
    return pieces


def _live_records(archive: Archive, after: Position, upto: Position) -> Iterator[list[Record]]:
    return (
        (chunk.records for chunk in archive.read_live(after=after, upto=upto)) if after < upto else iter(())
    )


class _Timed(NamedTuple):
    """A record with its time; what makes it the same line as another (None for no line); whether it is new."""

    at_s: int
    record: Record
    text: bytes | None
    is_new: bool


Read = Callable[[], Iterator[list[Record]]]


class _Piece:
    """A piece of the log, read in order.

    Attributes:
        is_live: It is the live stream.
        next: Its next record and its time, None behind the last.
        steps: The spans (from, to], each over a border of days, by which a line of it comes too late.
    """

    def __init__(
        self, replay: Replay, first_s: int, *, is_live: bool, old: Read | None, new: Read | None
    ) -> None:
        self._line, self._first_s, self._old, self._new = replay.line, first_s, old, new
        self.is_live = is_live
        self._lines: Iterator[_Timed] = iter(())
        self.next: _Timed | None = None
        self.steps: list[Span] = []

    def open(self) -> None:
        """Go to the first record."""
        self._lines = self._timed()
        self.next = next(self._lines, None)

    def _timed(self) -> Iterator[_Timed]:
        at_s = self._first_s
        line_of = self._line
        for read, is_new in ((self._old, False), (self._new, True)):
            for records in read() if read is not None else ():
                for record in records:
                    line = line_of(*record)
                    if line is not None and line[0] is not None:
                        at_s = line[0]
                    yield _Timed(at_s, record, None if line is None else line[1], is_new)

    def take(self, before_s: int) -> list[_Timed]:
        """What comes before the first record of an instant or later."""
        taken = []
        following = self.next
        while following is not None and following.at_s < before_s:
            taken.append(following)
            following = next(self._lines, None)
        self.next = following
        return taken

    def look_for_steps(self, zone: Zone) -> None:
        """Read it through for `steps`."""
        latest_s = today_s = 0
        for at_s, *_ in self._timed():
            if at_s > latest_s:
                latest_s = at_s
                today_s = zone.bounds(zone.day(at_s))[0]
            elif at_s < today_s:
                if self.steps and self.steps[-1][1] == latest_s:
                    at_s = min(at_s, self.steps.pop()[0])
                self.steps.append((at_s, latest_s))


def _by_day(pieces: Sequence[_Piece], zone: Zone, least_s: int) -> Iterator[Stretch]:
    """Merge pieces, a day at a time, or as many as cannot be cut apart."""
    steps = [step for piece in pieces for step in piece.steps]
    for piece in pieces:
        piece.open()
        piece.take(least_s)
    while times := [piece.next.at_s for piece in pieces if piece.next is not None]:
        from_s, end_s = zone.bounds(zone.day(min(times)))
        while any(step_from_s < end_s <= step_to_s for step_from_s, step_to_s in steps):
            end_s = zone.bounds(zone.day(end_s))[1]
        taken = [(piece, lines) for piece in pieces if (lines := piece.take(end_s))]
        live = [line.record for piece, lines in taken if piece.is_live for line in lines]
        anything_new = any(line.is_new for _, lines in taken for line in lines)
        if len(taken) == 1:
            timed = taken[0][1]
            known = not all(line.is_new for line in timed if line.text is not None)
            new = any(line.is_new and line.text is not None for line in timed)
            yield Stretch([line.record for line in timed], live, from_s, new, known)
            continue
        merged = _merged(lines for _, lines in taken)
        differs, known = False, True
        if anything_new:
            before = _merged([line for line in lines if not line.is_new] for _, lines in taken)
            differs = [line[:2] for line in before] != [line[:2] for line in merged]
            known = bool(before)
        yield Stretch([(line.kind, line.payload) for line in merged], live, from_s, differs, known)


def _merged(pieces: Iterable[Sequence[_Timed]]) -> list[Line]:
    return merge(
        [Line(line.at_s, line.text, *line.record) for line in lines if line.text is not None]
        for lines in pieces
    )
