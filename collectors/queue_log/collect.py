"""Asterisk's queue_log, followed live or imported whole: all of its I/O.

Lines come from `follow.py`, are read and masked by `parse.py`, and go to the writer; callers' numbers go to their own
table before the line, without them, is archived. Archived records of this kind:

    F  a place in a file: the lines after it are of that file
    L  `offset|origin|masked line`     R  `offset|reason|masked line`, for what cannot be read
    C  epoch second up to which the log was read     G  what happened where lines may be lost
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from collectors.base import Imported, Replay, Step, Tools
from collectors.queue_log import parse
from collectors.queue_log.files import head_info, order_files, read_whole
from collectors.queue_log.follow import Follower, Note, Piece, Place
from dashboard.core.events import Event, Offered
from dashboard.core.names import Names
from dashboard.errors import ConfigError, RecordMalformed, SourceUnavailable, StoreUnavailable
from dashboard.store.archive import Position
from dashboard.store.writer import COVERED, FILE, GAP, LINE, REJECT, Item

PARSER_VERSION = 1
MARK_EVERY_S = 60
NUMBERS_AT_ONCE = 5000
CATCHING_UP_BYTES = 1 << 19


def replayer(names: Names) -> Replay:
    """How to read archived records of a queue_log, with today's names."""

    def replay(kind: str, payload: bytes) -> Event | None:
        if kind == LINE:
            _, origin, line = payload.split(b"|", 2)
            try:
                return parse.replay(line, origin.decode() or None, names)
            except RecordMalformed:
                return None
        if kind == REJECT:
            try:
                return parse.replay(payload.split(b"|", 2)[2], None, names)
            except RecordMalformed:
                return None
        return None

    return replay


def order(paths: Iterable[Path]) -> Sequence[Path]:
    """Files of one log in the order in which they were written."""
    return order_files(paths)


class _Reading:
    """Lines -> items for the archive; numbers aside."""

    def __init__(self, tools: Tools) -> None:
        self.tools = tools
        self.names = tools.config.names()
        self.home_area = tools.config.hotline.home_area
        self.rejected = 0
        self._secret: dict[str, bool] = {}
        self._numbers: list[tuple[str, str, str, int]] = []
        self._dropped: list[str] = []
        self._dropped_s = 0

    def secret(self, queue: str) -> bool:
        known = self._secret.get(queue)
        if known is None:
            known = self._secret[queue] = self.tools.config.queue_rule(queue)[1]
        return known

    def item(self, line: bytes, offset: int) -> Item:
        record = parse.read(line, self.names, self.home_area, self.secret)
        if record.event is None:
            self.rejected += 1
            reason = (record.reject or "").partition(":")[0].replace("|", "/").replace("\n", " ")
            return Item(REJECT, b"%d|%s|%s" % (offset, reason.encode("utf-8", "replace"), record.line))
        if record.number is not None and record.callid is not None:
            self._numbers.append((self.tools.source, record.callid, record.number, record.event.at_s))
        elif type(record.event) is Offered and self.secret(record.event.queue):
            self._dropped.append(record.event.callid)
            self._dropped_s = record.event.at_s
        origin = (record.origin or "").replace("|", "/").encode()
        return Item(LINE, b"%d|%s|%s" % (offset, origin, record.line), record.event)

    def store_numbers(self) -> None:
        """Keep the numbers of the lines so far, before the lines are archived without them."""
        if self._numbers:
            self.tools.numbers.put(self._numbers)
            self._numbers = []
        if self._dropped:
            self.tools.numbers.drop(self.tools.source, self._dropped, self._dropped_s)
            self._dropped = []

    @property
    def waiting(self) -> int:
        return len(self._numbers) + len(self._dropped)


class QueueLogCollector:
    """Follows one live queue_log."""

    def __init__(self, tools: Tools) -> None:
        self.tools = tools
        self.path = Path(tools.config.source(tools.source).path)
        self._reading = _Reading(tools)
        self._follower = Follower(self.path, self._resume())
        self._mark = None if self._follower.place is None else self._follower.place.mark
        self._unwritten: list[Item] = []
        self._marked_s = 0.0
        self._taken_bytes = 0

    def _resume(self) -> Place | None:
        """Where the archive ends in the source; behind what was imported of the live file before it was followed."""
        archive = self.tools.writer.archive
        offset: int | None = None
        for segment in reversed(archive.segments()):
            mark = None
            after_mark: int | None = None
            end = min(Position.end_of(segment.day), archive.end())
            for chunk in archive.read_live(after=Position(segment.day, 0), upto=end):
                for kind, payload in chunk.records:
                    if kind == FILE:
                        mark, after_mark = Place.from_text(payload.decode()).mark, None
                    elif kind in (LINE, REJECT):
                        after_mark = int(payload.split(b"|", 1)[0])
            offset = after_mark if offset is None else offset
            if mark is not None:
                return Place(mark, offset or 0)
        return self._behind_import()

    def _behind_import(self) -> Place | None:
        imports = self.tools.writer.archive.imports()
        if not imports or not self.path.exists():
            return None
        for info in imports:
            size = info.header.get("size")
            if isinstance(size, int) and digest_of(self.path, size) == info.header.get("hash"):
                self.tools.log(
                    f"{self.tools.source}: {self.path} was imported up to byte {size}; going on behind it"
                )
                return place_at(self.path, size)
        first_s = head_info(self.path).first_s
        last_s = max((info.last_s for info in imports if info.last_s is not None), default=None)
        if first_s is not None and last_s is not None and first_s < last_s:
            raise ConfigError(
                f"{self.path} begins at {first_s}, before the end of what was imported into {self.tools.source} "
                f"({last_s}): its lines would be counted twice. Import only older, rotated files"
            )
        return None

    def step(self) -> Step:
        """Take what is new, a chunk at a time."""
        try:
            if not self._unwritten:
                self._unwritten = self._take()
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
        if not self._follower.reading:
            return Step(busy=False, read=False, problem=f"{self.path} does not exist yet")
        return Step(busy=False, read=True)

    def _take(self) -> list[Item]:
        pieces = self._follower.poll()
        self._taken_bytes = sum(len(piece.line) for piece in pieces)
        items: list[Item] = []
        for note in self._follower.take_notes():
            self._tell(note)
            if note.kind == "gap":
                items.append(Item(GAP, note.text.encode("utf-8", "replace").replace(b"\n", b" ")))
        for piece in pieces:
            if piece.place.mark != self._mark:
                self._mark = piece.place.mark
                items.append(Item(FILE, Place(piece.place.mark, 0).to_text().encode()))
            items.append(self._reading.item(piece.line, piece.place.offset))
        now_s = self.tools.clock()
        if self._follower.reading and not pieces and now_s - self._marked_s >= MARK_EVERY_S:
            self._marked_s = now_s
            items.append(Item(COVERED, b"%d" % int(now_s)))
        return items

    def _tell(self, note: Note) -> None:
        self.tools.log(f"{self.tools.source}: {note.text}")

    def close(self) -> None:
        """Let go of the file."""
        self._follower.close()


def follow(tools: Tools) -> QueueLogCollector:
    """Follow the live log."""
    return QueueLogCollector(tools)


def place_at(path: Path, offset: int) -> Place:
    """The place behind so many bytes of a live file."""
    follower = Follower(path)
    last: Piece | None = None
    while pieces := follower.poll():
        for piece in pieces:
            if piece.place.offset <= offset:
                last = piece
        if pieces[-1].place.offset >= offset:
            break
    follower.close()
    if last is None or last.place.offset != offset:
        raise ConfigError(f"{path}: what was imported of it does not end at the end of a line")
    return last.place


def digest_of(path: Path, size: int | None = None) -> str | None:
    """The hash of a file's first bytes (of all of it without a size); None where it has fewer."""
    digest = hashlib.blake2b(digest_size=16)
    left = size
    for offset, line in read_whole(path):
        data = line + b"\n"
        if left is not None:
            if left <= 0:
                break
            left -= len(data)
        digest.update(data)
        del offset
    return None if left is not None and left > 0 else digest.hexdigest()


def import_file(tools: Tools, path: Path, progress: Callable[[int], None]) -> Imported:
    """Import one whole file, once.

    Raises:
        ConfigError: Its time overlaps what is counted already.
        SourceUnavailable: It cannot be read to its end.
    """
    done = Imported(path)
    digest, size, first_s, last_s = _survey(path, tools.config.names())
    archive = tools.writer.archive
    if any(info.header.get("hash") == digest for info in archive.imports()):
        done.repeated = True
        return done
    _refuse_overlap(tools, path, first_s, last_s)
    reading = _Reading(tools)

    def items() -> Iterator[Item]:
        for offset, line in read_whole(path):
            item = reading.item(line, offset)
            done.accepted += item.event is not None
            if reading.waiting >= NUMBERS_AT_ONCE:
                reading.store_numbers()
            yield item
        reading.store_numbers()

    header = {"kind": "queue_log", "file": path.name, "hash": digest, "size": size}
    tools.writer.write_import(header, items(), progress=progress)
    done.rejected = reading.rejected
    return done


def _survey(path: Path, names: Names) -> tuple[str, int, int | None, int | None]:
    """(hash, bytes, first and last time) of a file."""
    digest = hashlib.blake2b(digest_size=16)
    size = 0
    last = b""
    for offset, line in read_whole(path):
        digest.update(line + b"\n")
        size = offset
        if line:
            last = line
    first_s = head_info(path).first_s
    last_s: int | None = first_s
    record = parse.read(last, names, None, lambda _: True) if last else None
    if record is not None and record.event is not None:
        last_s = record.event.at_s
    return digest.hexdigest(), size, first_s, last_s


def _refuse_overlap(tools: Tools, path: Path, first_s: int | None, last_s: int | None) -> None:
    if first_s is None or last_s is None:
        return
    zone = tools.config.zone
    for piece in tools.writer.spans():
        if first_s < piece[1] and piece[0] < last_s:
            raise ConfigError(
                f"{path} holds {zone.iso(first_s)} to {zone.iso(last_s)}; {tools.source} already has "
                f"{zone.iso(piece[0])} to {zone.iso(piece[1])}. Files that overlap cannot be merged yet: "
                "import only what is not counted"
            )
