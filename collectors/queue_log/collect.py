"""Asterisk's queue_log, followed live or imported whole: all of its I/O.

Lines come from `follow.py`, are read and masked by `parse.py`, and go to the writer; callers' numbers go to their own
table before the line, without them, is archived. Archived records of this kind:

    F  `place|key's name`, a place in a file: the lines after it are of that file
    L  `offset|origin|masked line`     R  `offset|reason|masked line`, for what cannot be read
    C  epoch second up to which the log was read     G  `reason|what happened` where lines may be lost
    A  `since|now` epoch seconds: it is read again, after nobody read it for a while
"""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from collectors.base import Imported, Reject, Replay, Step, Tools
from collectors.queue_log import parse, whole
from collectors.queue_log import rejects as rejected
from collectors.queue_log.files import Entry, entry, order_files, siblings
from collectors.queue_log.follow import Follower, Mark, Note, Place
from collectors.queue_log.reading import Reading
from dashboard.config import Config
from dashboard.core.events import Event
from dashboard.core.names import Names
from dashboard.errors import ConfigError, RecordMalformed, SourceUnavailable, StoreUnavailable
from dashboard.store.archive import ImportInfo, Position, Record
from dashboard.store.items import COVERED, FILE, LINE, REJECT, Item, away, loss

PARSER_VERSION = 1
MARK_EVERY_S = 60
AWAY_S = MARK_EVERY_S + 60
"""Who has not read the log for longer reads it late; a start knows when that was to a mark's distance only."""
CATCHING_UP_BYTES = 1 << 19


class _Replay:
    """Reads archived records of a queue_log, with today's names."""

    def __init__(self, names: Names) -> None:
        self._names = names

    def __call__(self, kind: str, payload: bytes) -> Event | None:
        try:
            if kind == LINE:
                _, origin, line = payload.split(b"|", 2)
                return parse.replay(line, origin.decode() or None, self._names)
            if kind == REJECT:
                return parse.replay(payload.split(b"|", 2)[2], None, self._names)
        except RecordMalformed:
            pass
        return None

    def line(self, kind: str, payload: bytes) -> tuple[int | None, bytes] | None:
        if kind not in (LINE, REJECT):
            return None
        line = payload.split(b"|", 2)[2]
        if kind == REJECT:
            # What yesterday's names could not read is blanked more: as today's would blank it, it may be one they read.
            line = parse.mask(line, self._names).line
        return parse.time_of(line), line


def replayer(names: Names) -> Replay:
    """How to read archived records of a queue_log, with today's names."""
    return _Replay(names)


def order(paths: Iterable[Path]) -> Sequence[Path]:
    """Files of one log in the order in which they were written."""
    return order_files(paths)


def rejects(records: Iterable[Record], config: Config, file: str, since_s: int) -> Iterable[Reject]:
    """What could not be read, of archived records; see `rejects.py`."""
    return rejected.rejects(records, config, file, since_s)


class QueueLogCollector:
    """Follows one live queue_log."""

    def __init__(self, tools: Tools) -> None:
        self.tools = tools
        self.path = Path(tools.config.source(tools.source).path)
        self._reading = Reading(tools)
        self._key = whole.file_key(tools)
        self._follower: Follower | None = None
        self._mark: Mark | None = None
        self._unwritten: list[Item] = []
        self._marked_s = 0.0
        self._taken_bytes = 0
        self._read_s = tools.writer.keeper.coverage.read_s

    def step(self) -> Step:
        """Take what is new, a chunk at a time."""
        try:
            follower = self._follow()
            if not self._unwritten:
                self._unwritten = self._take(follower)
        except SourceUnavailable as exc:
            return Step(busy=False, read=False, problem=str(exc))
        if self._unwritten:
            try:
                self._reading.store_numbers()
                self.tools.writer.write(self._unwritten)
            except StoreUnavailable as exc:
                return Step(busy=False, read=False, problem=str(exc))
            # A full chunk: there is more, and what is counted so far is not how things stand now.
            return Step(busy=True, read=self._taken_bytes < CATCHING_UP_BYTES)
        if not follower.reading:
            return Step(busy=False, read=False, problem=f"{self.path} does not exist yet")
        return Step(busy=False, read=True)

    def _follow(self) -> Follower:
        if self._follower is None:
            place, known = archived_place(self.tools, self._key)
            # A mark that the archive has not is told with the next line.
            self._mark = place.mark if place is not None and known else None
            if place is None:
                place = place_behind_imports(self.tools, self.path)
            elif not known:
                place = place_by_time(self.path, place, self._key)
            self._follower = Follower(self.path, place, key=self._key)
        return self._follower

    def _take(self, follower: Follower) -> list[Item]:
        pieces = follower.poll()
        self._taken_bytes = sum(len(piece.line) for piece in pieces)
        items: list[Item] = []
        for note in follower.take_notes():
            self._tell(note)
            if note.kind == "gap":
                items.append(loss(note.reason, note.text))
                self._marked_s = 0.0  # the gap ends here, whether or not a line follows
        for piece in pieces:
            if piece.place.mark != self._mark:
                self._mark = piece.place.mark
                text = f"{Place(piece.place.mark, 0).to_text()}|{name_of(self._key)}"
                items.append(Item(FILE, text.encode()))
            items.append(self._reading.item(piece.line, piece.place.offset))
        now_s = self.tools.clock()
        if follower.reading:
            if self._read_s is not None and now_s - self._read_s > AWAY_S:
                items.insert(0, away(self._read_s, int(now_s)))
            self._read_s = int(now_s)
        if follower.reading and not pieces and not 0 <= now_s - self._marked_s < MARK_EVERY_S:
            self._marked_s = now_s
            items.append(Item(COVERED, b"%d" % int(now_s)))
        return items

    def _tell(self, note: Note) -> None:
        self.tools.log(f"{self.tools.source}: {note.text}")

    def close(self) -> None:
        """Let go of the file."""
        if self._follower is not None:
            self._follower.close()


def follow(tools: Tools) -> QueueLogCollector:
    """Follow the live log."""
    return QueueLogCollector(tools)


def import_file(tools: Tools, path: Path, progress: Callable[[int], None]) -> Imported:
    """Import one whole file, once; see `whole.py`."""
    return whole.import_file(tools, path, progress)


def name_of(key: bytes) -> str:
    """A short name of a key, so that another one is known to be another."""
    return hashlib.blake2b(key=key, digest_size=4, person=b"name").hexdigest()


def archived_place(tools: Tools, key: bytes) -> tuple[Place | None, bool]:
    """Where the archive's live stream ends in the source.

    Returns:
        The place, None where there is no line yet; and whether it was marked with this key.
    """
    archive = tools.writer.archive
    offset: int | None = None
    for segment in reversed(archive.segments()):
        payload_of_file: bytes | None = None
        after_mark: int | None = None
        end = min(Position.end_of(segment.day), archive.end())
        for chunk in archive.read_live(after=Position(segment.day, 0), upto=end):
            for kind, payload in chunk.records:
                if kind == FILE:
                    payload_of_file, after_mark = payload, None
                elif kind in (LINE, REJECT):
                    after_mark = int(payload.split(b"|", 1)[0])
        offset = after_mark if offset is None else offset
        if payload_of_file is not None:
            text, _, name = payload_of_file.decode().partition("|")
            return Place(Place.from_text(text).mark, offset or 0), name == name_of(key)
    return None, True


def place_by_time(path: Path, place: Place, key: bytes) -> Place:
    """A place that was marked with a key which is lost: in the file that begins at the same time.

    Two files of one log do not begin in one second, but for those that somebody made by hand.
    """
    was = place.mark
    files = siblings(path)[0] + ([entry(path, path.name)] if path.exists() else [])
    fitting = [
        file
        for file in files
        if file.first_s == was.first_s and (file.size is None or file.size >= place.offset)
    ]
    fitting.sort(key=lambda file: file.identity != (was.device, was.inode))
    if not fitting:
        return place
    return Place(Mark.of(fitting[0].identity, fitting[0].head[: place.offset], key), place.offset)


def place_behind_imports(tools: Tools, path: Path) -> Place | None:
    """Where to begin a live log of which something was imported; None for its beginning.

    What it shares with imports that end otherwise counts once all the same: the archive is read as one log.

    Raises:
        SourceUnavailable: A file cannot be read; who must do what.
    """
    imports = tools.writer.archive.imports()
    if not imports:
        return None
    key = whole.file_key(tools)
    live = entry(path, path.name) if path.exists() else None
    files = siblings(path)[0]
    for file in [*([live] if live else []), *reversed(files)]:
        size = max((_imported_of(file, info, key) for info in imports), default=0)
        if size:
            tools.log(f"{tools.source}: {file.path} was imported up to byte {size}; going on behind it")
            return Place(Mark.of(file.identity, file.head[:size], key), size)
    return None


def _imported_of(file: Entry, info: ImportInfo, key: bytes) -> int:
    """How much of a file an import holds, in bytes from its beginning; 0 for nothing."""
    size = info.header.get("size")
    if not isinstance(size, int) or not size or (file.size is not None and file.size < size):
        return 0
    found = whole.survey(file.path, key, size)
    if found.size != size or found.digest != info.header.get("hash"):
        return 0
    if not found.whole and file.size != size:
        raise ConfigError(
            f"{file.path} was imported while its last line was half written: wait until it is rotated away"
        )
    return size
