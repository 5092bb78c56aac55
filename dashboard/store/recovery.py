"""The archive of a source in the order in which it is counted.

The archive has a live stream, cut into days, and imports, each of which is a log of its own. Counting goes through
them by the time of their first line.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from dashboard.core.days import Zone
from dashboard.core.events import Event
from dashboard.store.archive import Archive, Position, Record
from dashboard.store.items import LINE

Replay = Callable[[str, bytes], Event | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A stretch of the archive that was written in one go.

    Attributes:
        number: Of an import; 0 for a day of the live stream.
        day: Of the live stream; "" for an import.
        first_s: The time of its first line.
        last_s: Of an import its last line's; of a day of the live stream its end, if that is later than its first.
    """

    number: int
    day: str
    first_s: int
    last_s: int


def pieces(archive: Archive, zone: Zone, replay: Replay) -> list[Piece]:
    """All of an archive, in the order in which it is counted; imports without any time are left out."""
    found = [
        Piece(number=info.number, day="", first_s=info.first_s, last_s=info.last_s or info.first_s)
        for info in archive.imports()
        if info.first_s is not None
    ]
    for segment in archive.segments():
        start_s, end_s = zone.bounds(segment.day)
        times = (
            event.at_s
            for records in read_day(archive, segment.day)
            for kind, payload in records
            if kind == LINE and (event := replay(kind, payload)) is not None
        )
        first_s = next(times, start_s)
        found.append(
            Piece(number=0, day=segment.day, first_s=first_s, last_s=max(first_s, end_s - 1)),
        )
    # The live stream is one log: its days keep their order, whatever its clock did.
    live = sorted((piece for piece in found if not piece.number), key=lambda piece: piece.day)
    least_s = 0
    ordered = [(piece.first_s, piece.last_s, piece.number, piece) for piece in found if piece.number]
    for piece in live:
        least_s = max(least_s, piece.first_s)
        ordered.append((least_s, max(least_s, piece.last_s), 0, piece))
    return [entry[3] for entry in sorted(ordered, key=lambda entry: (*entry[:3], entry[3].day))]


def read_piece(archive: Archive, piece: Piece) -> Iterator[list[Record]]:
    """The records of a piece, in lists of neighbours."""
    return archive.read_import(piece.number) if piece.number else read_day(archive, piece.day)


def read_day(archive: Archive, day: str) -> Iterator[list[Record]]:
    """The records of one day of the live stream, up to the last one that is durable."""
    upto = min(Position.end_of(day), archive.end())
    return (chunk.records for chunk in archive.read_live(after=Position(day, 0), upto=upto))
