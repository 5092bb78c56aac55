"""A switch's own log file -> its complete lines, each once, with the place after it.

`Follower` reads a file that somebody else writes, rotates (by renaming, or by copying and truncating), compresses,
truncates and replaces. A `Place` given to a new `Follower` goes on where the last one stopped, in whatever file the
text has come to lie. Bytes come out as they were written; what they mean is `parse.py`'s matter. Only complete
lines are taken; what a file holds behind its last newline is a line once the file has a successor. Reads no clock,
never waits, writes nothing.
"""

import hashlib
import os
import re
from pathlib import Path
from types import TracebackType
from typing import Literal, NamedTuple

import msgspec

from collectors.queue_log.files import (
    CHUNK_BYTES,
    DAMAGED,
    HEAD_BYTES,
    LONGEST_LINE,
    Entry,
    HeadInfo,
    Identity,
    Log,
    Moved,
    denied,
    entry,
    first_time,
    head_info,
    order_files,
    read_whole,
    siblings,
)
from dashboard.errors import SourceUnavailable

__all__ = [
    "LONGEST_LINE",
    "Follower",
    "HeadInfo",
    "Mark",
    "Note",
    "Piece",
    "Place",
    "head_info",
    "order_files",
    "read_whole",
]

_PLACE = re.compile(r"1:([0-9]+):([0-9]+):([0-9]+):([0-9a-f]+):([0-9]+|-):([0-9]+)")


class Mark(msgspec.Struct, frozen=True, gc=False):
    """What a file is recognised by, wherever it is moved or copied to.

    Attributes:
        device: The file system it lay on; with the inode a hint that decides between equal heads.
        inode: Its number there.
        length: How many of its first bytes are hashed: those up to the place, at most `HEAD_BYTES`.
        digest: Their BLAKE2b, 16 bytes as hexadecimal text; keyed, for a caller's number could be guessed from it.
        first_s: The time of the first line in them, epoch seconds; None where none has one.
    """

    device: int
    inode: int
    length: int
    digest: str
    first_s: int | None

    @classmethod
    def of(cls, identity: Identity, head: bytes, key: bytes) -> "Mark":
        """The mark of a file of which so much of the beginning has been taken."""
        return cls(*identity, len(head), _digest(head, key), first_time(head))

    def fits(self, head: bytes, key: bytes) -> bool:
        """Whether a file with such a beginning may be the marked one, or a copy of it."""
        return len(head) >= self.length > 0 and _digest(head[: self.length], key) == self.digest


class Place(msgspec.Struct, frozen=True, gc=False):
    """Where to go on: behind a line of a file.

    A msgspec Struct and not a dataclass because one is made for each line.

    Attributes:
        mark: Which file.
        offset: Bytes of its uncompressed text that have been taken.
    """

    mark: Mark
    offset: int

    def to_text(self) -> str:
        """As one word, for storing; the same place of the same file gives the same text."""
        mark = self.mark
        first = "-" if mark.first_s is None else mark.first_s
        return f"1:{mark.device}:{mark.inode}:{mark.length}:{mark.digest}:{first}:{self.offset}"

    @classmethod
    def from_text(cls, text: str) -> "Place":
        """Read what `to_text` wrote.

        Raises:
            ValueError: The text is no place, or one of a later version of this program.

        >>> text = "1:8:77:41:00ff:1795445183:41"
        >>> Place.from_text(text).to_text() == text
        True
        """
        match = _PLACE.fullmatch(text)
        if match is None:
            raise ValueError(f"no place in a log file: {text[:80]!r}")
        device, inode, length, digest, first, offset = match.groups()
        first_s = None if first == "-" else int(first)
        return cls(Mark(int(device), int(inode), int(length), digest, first_s), int(offset))


class Piece(NamedTuple):
    """One line.

    Attributes:
        place: The place after it.
        line: Its bytes without the newline; of a line longer than `LONGEST_LINE` so many bytes.
    """

    place: Place
    line: bytes


Kind = Literal["missing", "appeared", "rotated", "truncated", "gap", "half_line", "long_line"]


class Note(NamedTuple):
    """Something that happened to the file, fit for the operator.

    Attributes:
        kind: `gap` where lines may be lost that nobody can get back; the others lose nothing.
        text: One line in plain words.
        place: The last place before it; None before the first line.
        reason: Of a gap, a word of `core.gaps.REASONS`; "" of the others.
    """

    kind: Kind
    text: str
    place: Place | None
    reason: str = ""


class _Next(NamedTuple):
    """Where to go on when a file gives no more lines; its text continues there if `same`."""

    path: Path
    identity: Identity
    offset: int = 0
    same: bool = False


class Follower:
    """Takes each line of a growing file once, through rotation, truncation and its own restarts.

    Args:
        path: The live file, as the switch names it.
        start: Where an earlier follower stopped; None takes the live file from its beginning, and none of
            the files rotated away before.
        key: Of the marks' hashes; that of `start`.
    """

    def __init__(self, path: Path, start: Place | None = None, *, key: bytes = b"") -> None:
        self._path = path
        self._key = key
        self._place = start
        self._file: Log | None = None
        self._offset = 0  # of the next line in the open file
        self._head = b""  # the open file's
        self._mark: Mark | None = None  # with a whole head; shorter ones differ from line to line
        self._seen: tuple[int, int] | None = None  # the open file's state when it was read to its end
        self._broken = False  # the open file cannot be read any further
        self._long: bytes | None = None  # what is kept of a line whose end has not come yet
        self._long_until = 0  # how far that line has been looked at
        self._before: list[bytes] = []  # heads of the files that are older than the open one
        self._folder_seen: int | None = None
        self._missing = False
        self._notes: list[Note] = []

    @property
    def place(self) -> Place | None:
        """The place after the last line that was taken."""
        return self._place

    @property
    def reading(self) -> bool:
        """Whether a file is open: without one, an empty poll proves nothing."""
        return self._file is not None

    def take_notes(self) -> list[Note]:
        """What has happened since last asked. Notes of a poll come before the lines of that poll."""
        notes, self._notes = self._notes, []
        return notes

    def close(self) -> None:
        """Let go of the file; the next poll finds it again."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def __enter__(self) -> "Follower":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def poll(self, limit_bytes: int = CHUNK_BYTES) -> list[Piece]:
        """Take the complete lines that have come, of one file at a time.

        Args:
            limit_bytes: Read about so much at once; a long file takes many polls.

        Returns:
            The lines in the order in which they were written; empty where there is nothing new.

        Raises:
            SourceUnavailable: The file, its folder or a rotated file cannot be read; who must do what. The
                next poll tries again.
        """
        try:
            pieces = self._poll(limit_bytes)
        except Moved:
            self._folder_seen = None
            return []  # a rotation is just going on
        except PermissionError as error:
            self.close()
            raise SourceUnavailable(denied(Path(error.filename or self._path))) from error
        except DAMAGED as error:
            self.close()
            raise SourceUnavailable(f"{self._path} is damaged: {error}") from error
        except OSError as error:
            self.close()
            where = error.filename or self._path
            raise SourceUnavailable(f"cannot read {where}: {error.strerror or error}") from error
        if pieces:
            self._place = pieces[-1].place
        return pieces

    def _poll(self, limit: int) -> list[Piece]:
        while True:
            file = self._file or self._find()
            if file is None:
                return []
            if pieces := self._take(file, limit):
                return pieces
            if file is not self._file:
                continue  # its text was taken away under it
            successor = self._successor(file)
            if successor is None:
                return []
            # What was written between the last look and the sight of the successor.
            if pieces := self._take(file, limit):
                return pieces
            if file is self._file and (pieces := self._switch(file, successor)):
                return pieces

    # --- Lines ---------------------------------------------------------------------------------------------

    def _take(self, file: Log, limit: int) -> list[Piece]:
        """The complete lines behind the offset; opens another file where this one's text is gone."""
        if self._broken:
            return []
        state = file.state()
        if state is not None:
            if state == self._seen:
                return []
            if self._offset == 0 and self._start_with_unread(file):
                return []
            if not self._is_intact(file, state[0]):
                self._leave_truncated(file, state[0])
                return []
        try:
            pieces, until = self._lines(file, max(limit, LONGEST_LINE), None if state is None else state[0])
        except DAMAGED as error:
            lost = f"{file.path} is damaged behind {self._offset:,} bytes ({error}); its rest is lost"
            self._lose("damaged", lost)
            self._broken = True
            return []
        if state is not None and until >= state[0]:
            self._seen = state
        return pieces

    def _is_intact(self, file: Log, size: int) -> bool:
        """Whether what was taken of the file still is its beginning; renews the head."""
        if size < self._offset:
            return False
        head = file.all_at(0, HEAD_BYTES)
        if not head.startswith(self._head[: self._offset]):
            return False
        if head != self._head:
            self._head, self._mark = head, None
        return True

    def _lines(self, file: Log, limit: int, size: int | None) -> tuple[list[Piece], int]:
        """Lines, and how far the file has been looked at: not behind `size`, of which the head is known."""
        while self._long is not None:
            data = file.at(self._long_until, _within(limit, self._long_until, size))
            if not data:
                return [], self._long_until
            end = data.find(b"\n")
            self._long_until += len(data) if end < 0 else end + 1
            if end >= 0:
                line, self._long = self._long, None
                return [self._piece(file, line, self._long_until)], self._long_until
        data = part = file.at(self._offset, _within(limit, self._offset, size))
        until = self._offset + len(data)
        while (end := data.rfind(b"\n")) < 0 and part and len(data) < LONGEST_LINE:
            # Only a file's end may be taken for one, not the end of a short read.
            part = file.at(until, _within(limit, until, size))
            data += part
            until += len(part)
        if end < 0:
            if len(data) < LONGEST_LINE:
                return [], until
            self._note("long_line", f"{file.path} has a line of more than {LONGEST_LINE:,} bytes; cut there")
            self._long, self._long_until = data[:LONGEST_LINE], until
            return self._lines(file, limit, size)
        pieces = []
        offset = self._offset
        for line in data[:end].split(b"\n"):
            offset += len(line) + 1
            pieces.append(self._piece(file, line, offset))
        return pieces, until

    def _piece(self, file: Log, line: bytes, until: int) -> Piece:
        self._offset = until
        mark = self._mark
        if mark is None:
            mark = Mark.of(file.identity, self._head[:until], self._key)
            if until >= HEAD_BYTES:
                self._mark = mark
        return Piece(Place(mark, until), line if len(line) <= LONGEST_LINE else line[:LONGEST_LINE])

    def _half_line(self, file: Log) -> list[Piece]:
        """What stands behind the last newline of a file that has a successor."""
        if self._broken:
            return []
        if self._long is not None:
            rest, until = self._long, self._long_until
        else:
            rest = file.all_at(self._offset, LONGEST_LINE)
            until = self._offset + len(rest)
        if not rest:
            return []
        self._note("half_line", f"{file.path} ends within a line; it is taken as it stands")
        return [self._piece(file, rest, until)]

    # --- From file to file -----------------------------------------------------------------------------------

    def _find(self) -> Log | None:
        """Open the file in which to go on; None where there is none yet."""
        state = _stat(self._path)
        live = None if state is None else (state.st_dev, state.st_ino)
        entries, denials = siblings(self._path)
        if self._place is None:
            if live is None:
                self._note_missing()
                return None
            file = self._open(_Next(self._path, live))
            self._before = [e.head for e in entries]
            self._note("appeared", f"{self._path} is read from its beginning")
            return file
        if live is not None:
            entries.append(entry(self._path, self._path.name, live))
        mark, offset = self._place.mark, self._place.offset
        fitting = [e for e in entries if mark.fits(e.head, self._key)]
        # Of equal heads the one with the inode, else the live file, else the oldest of a rotated file's name.
        same_inode = mark.device, mark.inode
        fitting.sort(key=lambda e: (e.identity != same_inode, e.path != self._path, not e.rotated))
        whole = [e for e in fitting if e.size is None or e.size >= offset]
        if not fitting:
            if denials:
                raise denials[0]  # better not to go on than to declare lost what only may not be read
            if live is None:
                self._note_missing()
                return None
            first_s = mark.first_s
            older = [e for e in entries if first_s is None or e.first_s is None or e.first_s <= first_s]
            self._before = [e.head for e in older if e.path != self._path]
            file = self._open(self._next_of(entries, live) or _Next(self._path, live))
            self._lose(
                "replaced", f"{self._path} is another file now, and the one that was read last is gone"
            )
            return file
        found = (whole or fitting)[0]
        file = self._open(_Next(found.path, found.identity, offset if whole else found.size or 0))
        older = entries if found.path == self._path else entries[: entries.index(found)]
        self._before = [e.head for e in older if e.path != self._path]
        if not whole:
            self._note_shorter(found.path)
        if found.path != self._path:
            self._note("rotated", f"{self._path} was rotated meanwhile; going on in {found.path.name}")
        return file

    def _successor(self, file: Log) -> _Next | None:
        """What comes after the open file; None while that is still the last.

        A live file without a line yet is none: logrotate makes an empty one at once, while the switch still
        writes to the old one until it is told.
        """
        found = _stat(self._path)
        if found is not None and (found.st_dev, found.st_ino) == file.identity:
            return None
        live = (found.st_dev, found.st_ino) if found is not None and found.st_size else None
        if live is None:
            # Files only come and go where the folder changes; most polls end here.
            folder = self._path.parent.stat().st_mtime_ns
            if folder == self._folder_seen:
                return None
            self._folder_seen = folder
            if found is None and os.fstat(file.fd).st_nlink == 0 and not self._missing:
                self._missing = True
                self._note(
                    "missing", f"{self._path} was removed while it is written; reload the switch's logger"
                )
        elif self._offset:
            now = entry(self._path, self._path.name, live)
            if now.size is not None and now.head.startswith(self._head[: self._offset]):
                # The same text in another file: one that rsync keeps up to date, or that was put back.
                if now.size < self._offset:
                    self._note_shorter(self._path)
                return _Next(self._path, live, min(self._offset, now.size), same=True)
        entries = [e for e in siblings(self._path)[0] if e.head != self._head and e.identity != file.identity]
        return self._next_of(entries, live)

    def _switch(self, file: Log, to: _Next) -> list[Piece]:
        """Go over to a successor; the lines that the old file still gave by that."""
        successor = Log(to.path, to.identity)
        pieces = []
        if not to.same:
            try:
                pieces = self._half_line(file)
            except OSError:
                successor.close()
                raise
            self._before.append(self._head)
            # Files that were opened under another name than the live one have been noted then.
            if file.path == self._path:
                self._note("rotated", f"{self._path} was rotated; going on in {to.path.name}")
        file.close()
        self._start(successor, to.offset)
        return pieces

    def _start_with_unread(self, file: Log) -> bool:
        """Whether a file of which nothing has been taken had been copied and truncated before it was looked at.

        Its copy then is a file that nobody has read, and older than it.
        """
        entries = siblings(self._path)[0]
        own = file.all_at(0, HEAD_BYTES)
        moved = (at for at, e in enumerate(entries) if e.identity == file.identity or e.head == own)
        renamed = next(moved, None)
        found = _stat(self._path)
        if renamed is None and (found is None or (found.st_dev, found.st_ino) != file.identity):
            return False
        unread = self._next_of(entries[:renamed], None)
        if unread is None:
            return False
        successor = Log(unread.path, unread.identity)
        self._note("truncated", f"{file.path} was copied and truncated; {unread.path.name} is read first")
        file.close()
        self._start(successor, 0)
        return True

    def _leave_truncated(self, file: Log, size: int) -> None:
        """Go on in the copy of a file whose text is gone; where there is none, after the gap."""
        taken = self._head[: self._offset]
        left = file.all_at(0, HEAD_BYTES)
        if left.startswith(taken) or (left.endswith(b"\n") and taken.startswith(left)):
            self._note_shorter(file.path)
            self._start(file, size)
            return
        mark = Mark.of(file.identity, taken, self._key)
        entries, denials = siblings(self._path)
        copies = [e for e in entries if mark.fits(e.head, self._key)]
        whole = [e for e in copies if e.size is None or e.size >= self._offset]
        if whole:
            copy = next((e for e in whole if e.rotated), whole[0])
            to = _Next(copy.path, copy.identity, self._offset)
        elif denials and not copies:
            raise denials[0]
        else:
            others = [e for e in entries if e not in copies]
            to = self._next_of(others, file.identity) or _Next(self._path, file.identity)
        successor = Log(to.path, to.identity)
        file.close()
        if whole:
            self._note("truncated", f"{file.path} was copied and truncated; its rest is in {to.path.name}")
        else:
            self._before += [e.head for e in copies]
            why = "its copy is shorter than what was read" if copies else "there is no copy of it"
            self._lose("truncated", f"{file.path} was truncated and {why}; what was written last may be lost")
        self._start(successor, to.offset)

    def _next_of(self, entries: list[Entry], live: Identity | None) -> _Next | None:
        """The oldest of the rotated files that are younger than the open one, else the live file if there is."""
        for e in entries:
            if e.rotated and e.head not in self._before:
                return _Next(e.path, e.identity)
        return None if live is None else _Next(self._path, live)

    def _open(self, at: _Next) -> Log:
        file = Log(at.path, at.identity)
        self._start(file, at.offset)
        return file

    def _start(self, file: Log, offset: int) -> None:
        self._file, self._offset = file, offset
        self._head = file.all_at(0, HEAD_BYTES)
        self._mark = self._seen = self._long = self._folder_seen = None
        self._broken = self._missing = False

    def _note(self, kind: Kind, text: str) -> None:
        self._notes.append(Note(kind, text, self._place))

    def _lose(self, reason: str, text: str) -> None:
        self._notes.append(Note("gap", text, self._place, reason))

    def _note_missing(self) -> None:
        if not self._missing:
            self._missing = True
            self._note("missing", f"{self._path} does not exist (yet)")

    def _note_shorter(self, path: Path) -> None:
        self._lose("truncated", f"{path} has become shorter than what was read of it; read on from its end")


def _stat(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except FileNotFoundError:
        return None


def _within(limit: int, offset: int, size: int | None) -> int:
    return limit if size is None else max(0, min(limit, size - offset))


def _digest(head: bytes, key: bytes) -> str:
    return hashlib.blake2b(head, digest_size=16, key=key).hexdigest()
