"""The book of record: what every source told, appended to plain files, one directory a source.

In come payloads of bytes, each with a kind (one ASCII letter); out come the same, in the order of writing.
What a payload means is not known here. No caller's number may be in one: writers see to it.

    DATA/archive/{source}/lock                     held by the one process that writes live records
    DATA/archive/{source}/live/2026-11-23.seg      the segment being written
    DATA/archive/{source}/live/2026-11-22.seg.gz   a closed one
    DATA/archive/{source}/live/2026-11-22.seg.torn what a crash left half written, cut off and kept aside
    DATA/archive/{source}/import/000001.seg.gz     one import: a header, its records, a footer

One record is one line, `{crc32 of the rest:08x} {length} {kind} {payload}`; so `zgrep` reads the archive too.
Nothing is ever changed or sorted, and nothing but a torn tail is ever taken away. Readers need no lock.
"""

import contextlib
import errno
import fcntl
import os
import re
import string
import zlib
from binascii import crc32, hexlify
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import accumulate, islice
from pathlib import Path
from struct import pack
from typing import Any, BinaryIO, Final, NamedTuple

import msgspec

from dashboard.errors import ConfigError, PositionConflict, StoreError, StoreUnavailable

Record = tuple[str, bytes]
"""(kind, payload). A plain tuple: a named one costs as much again as reading the record."""

Header = Mapping[str, Any]
"""What an import's first or last line says; fit for JSON."""

CLOSED_LEVEL: Final = 3
IMPORT_LEVEL: Final = 1
"""zlib's levels. An import waits for its own; 1 takes two thirds of the time of 3 for a tenth more bytes."""

AHEAD_S: Final = 86_400
"""A clock that goes back by more has been wrong."""

_RECORDS_AT_ONCE: Final = 1024
_BYTES_AT_ONCE: Final = 1 << 16
_PACKED_AT_ONCE: Final = 1 << 14
"""Small enough to stay in the processor's cache: four times as much takes a quarter longer."""

_SQUEEZE_BYTES: Final = 1 << 20
_SQUEEZE_AHEAD: Final = 4
"""Blocks for the compressing thread, large because each costs it up to three waits for Python's lock."""

_STORED_BYTES: Final = 0xFFFF
"""The most that one stored deflate block can hold (RFC 1951, 3.2.4)."""

_LOST_BLOCK: Final = bytes(512)
"""What a power cut leaves of a block that was not written, though later ones were."""

_FAR: Final = 10**12 - 1
_LETTERS: Final = {letter: letter.encode() for letter in string.ascii_letters}
_KINDS: Final = {code: letter for letter, code in _LETTERS.items()}
_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_LIVE_NAME: Final = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})\.seg(\.gz)?")
_IMPORT_NAME: Final = re.compile(r"([0-9]{6})\.seg\.gz")
_SOURCE_NAME: Final = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]*")
_POSITION: Final = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2}):([0-9]{12})")


class Position(NamedTuple):
    """A border between two live records of one source; a later one is greater, and so is its text.

    Attributes:
        day: The segment's day.
        offset: Bytes of the uncompressed segment before the border.
    """

    day: str
    offset: int

    @property
    def text(self) -> str:
        """The position as Redis keeps it.

        >>> Position("2026-11-23", 4711).text
        '2026-11-23:000000004711'
        """
        return f"{self.day}:{self.offset:012d}"

    @classmethod
    def of_text(cls, text: str) -> "Position":
        """Read what `text` wrote.

        Raises:
            StoreError: It is no position; whoever stored it is at fault.

        >>> Position.of_text("2026-11-23:000000004711").offset
        4711
        """
        match = _POSITION.fullmatch(text)
        if match is None:
            raise StoreError(f"{text[:40]!r} is no position in an archive: run `wallboard rebuild`")
        return cls(match[1], int(match[2]))

    @classmethod
    def end_of(cls, day: str) -> "Position":
        """A bound behind every record of the day's segment, for `upto`."""
        return cls(day, _FAR)


BEGINNING: Final = Position("0000-00-00", 0)
"""Before every record; the end of an empty archive."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """Neighbouring live records.

    Attributes:
        start: The border before the first.
        end: The border after the last.
        records: At least one.
    """

    start: Position
    end: Position
    records: list[Record]

    def positions(self) -> list[Position]:
        """The border after each record, in the order of `records`."""
        day = self.start.day
        # A line is: eight digits, a space, the length, a space, the kind, a space, the payload, a newline.
        sizes = (13 + len(str(len(payload))) + len(payload) for _, payload in self.records)
        borders = accumulate(sizes, initial=self.start.offset)
        return [Position(day, offset) for offset in islice(borders, 1, None)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovered:
    """What `Archive.open` found.

    Attributes:
        end: The border after the last good record.
        cut_bytes: Length of the torn tail; 0 after a clean stop.
        kept_in: The file that holds the torn tail, None if there was none.
    """

    end: Position
    cut_bytes: int
    kept_in: Path | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentInfo:
    """One live segment.

    Attributes:
        day: The day it was begun for.
        path: The file that is read now; compressing gives it another name.
        closed: Whether a later segment exists, so that this one never changes again.
        size: Bytes of its uncompressed text, which compressing does not change.
    """

    day: str
    path: Path
    closed: bool
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportInfo:
    """One import segment.

    Attributes:
        number: Its number, from 1, in the order of importing.
        header: What the importer said before its records.
        footer: What it said after them.
        records: How many there are.
        first_s: Epoch seconds, `first_s` of the footer, else of the header, else None.
        last_s: The same for `last_s`.
        until_s: The time of its last line, where a clock was more than a day ahead of that before; else `last_s`.
    """

    number: int
    header: Header
    footer: Header
    records: int
    first_s: int | None
    last_s: int | None

    @property
    def until_s(self) -> int | None:
        end_s = self.footer.get("end_s")
        if self.last_s is None or end_s is None or end_s > self.last_s - AHEAD_S:
            return self.last_s
        return int(end_s)


class Archive:
    """One source's part of the archive.

    Reading needs no `open`. Writing live records does, and only one process at a time may.
    """

    def __init__(self, data_dir: Path, source: str) -> None:
        """Name the archive; touches no file.

        Args:
            data_dir: The data directory.
            source: The source's name in the configuration.

        Raises:
            ConfigError: The name cannot be a directory's; the operator renames the source.
        """
        if _SOURCE_NAME.fullmatch(source) is None:
            raise ConfigError(
                f"source name {source[:40]!r}: use letters, digits, '_', '-' and '.', and no '.' in front"
            )
        self.source = source
        self._home = data_dir / "archive" / source
        self._live = self._home / "live"
        self._import = self._home / "import"
        self._lock: int | None = None
        self._file: int | None = None
        self._day = ""
        self._size = 0
        self._durable = BEGINNING
        self._waiting: list[bytes] = []
        self._waiting_bytes = 0

    # --- writing live records ---

    def open(self) -> Recovered:
        """Become the one writer of live records, and put right what a crash left behind.

        A torn tail is what no good line follows, or what lost pages (zero bytes) interrupt: it was never
        durable. It is cut off, kept aside and told of.

        Raises:
            PositionConflict: Another process writes this source; the operator stops one of the two.
            StoreUnavailable: The data directory cannot be written now.
            StoreError: The newest segment is damaged in its middle, or compressed; the operator restores it.
        """
        with _writing(self._home):
            self._make_directories()
            self._lock = _take_lock(self._home / "lock", f"the archive of {self.source}")
            try:
                _remove_temps(self._live)
                with contextlib.suppress(PositionConflict):  # an import is running, and the temp is its own
                    lock = _take_lock(self._import / "lock", "an import")
                    try:
                        _remove_temps(self._import)
                    finally:
                        os.close(lock)
                return self._recover()
            except BaseException:
                self.close()
                raise

    def close(self) -> None:
        """Let another process write. What was appended and not flushed is dropped."""
        self._forget_waiting()
        self._begin("")
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def append(self, records: Iterable[Record], day: str) -> Position:
        """Take records to be written by the next `flush`; all of them or, after an error, none.

        Args:
            records: (kind, payload) each; the payload holds no newline.
            day: The hotline's local date, `YYYY-MM-DD`. A later one than the segment's begins a new segment
                (and flushes the old); an earlier one does not, for a clock's steps are kept, not sorted.

        Returns:
            The border after the last of them; durable once `flush` returns it or a greater one.

        Raises:
            ValueError: A kind, a payload or the day has the wrong form; the calling code is at fault.
            StoreUnavailable: As from `flush`.
        """
        if self._lock is None:
            raise RuntimeError("open() comes before append()")
        if day != self._day and _DAY.fullmatch(day) is None:
            raise ValueError(f"a day is YYYY-MM-DD, not {day[:40]!r}")
        texts = list(_framed(records))
        if texts:
            if day > self._day:
                self.flush()
                self._begin(day)
            self._waiting += texts
            self._waiting_bytes += sum(map(len, texts))
        if not self._waiting:
            return self._durable
        return Position(self._day, self._size + self._waiting_bytes)

    def flush(self) -> Position:
        """Make everything appended so far survive a power cut.

        Returns:
            The border after the last durable record.

        Raises:
            StoreUnavailable: The disk is full or failing. Everything after `end()` is taken back, on the disk
                and in memory: append it again.
            StoreError: Somebody else cut or removed the segment; the operator restores it.
        """
        if not self._waiting:
            return self._durable
        data = memoryview(b"".join(self._waiting))
        size = self._size
        self._forget_waiting()
        path = self._live / f"{self._day}.seg"
        with _writing(path):
            if self._file is None:
                self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
                _sync_directory(self._live)
            found = os.fstat(self._file)
            if found.st_size < size or not found.st_nlink:
                raise StoreError(f"{path} was cut or removed by somebody else: restore it, then restart")
            try:
                if found.st_size > size:  # left by a failed flush whose taking back failed as well
                    os.ftruncate(self._file, size)
                while data:
                    written = os.pwrite(self._file, data, size)
                    size, data = size + written, data[written:]
                os.fsync(self._file)
            except OSError:
                # After a failed fsync Linux forgets which pages are missing: the bytes must be written again.
                with contextlib.suppress(OSError):
                    os.ftruncate(self._file, self._size)
                raise
        self._size = size
        self._durable = Position(self._day, size)
        return self._durable

    def compress_closed(self) -> list[str]:
        """Compress every segment but the newest. Needs `open`.

        Returns:
            The days that were compressed now.

        Raises:
            StoreUnavailable: The disk is full or failing; the plain segment stays.
        """
        if self._lock is None:
            raise RuntimeError("open() comes before compress_closed()")
        days = self._days()
        closed = [path for day, path in days.items() if day < max(days) and path.suffix == ".seg"]
        for path in closed:
            for _ in self._compress(path):
                pass
        return [path.stem for path in closed]

    def is_written(self) -> bool:
        """Whether another process here writes live records."""
        try:
            os.close(_take_lock(self._home / "lock", f"the archive of {self.source}"))
        except PositionConflict:
            return True
        except OSError:
            return False
        return False

    # --- imports ---

    def write_import(
        self, header: Header, records: Iterable[Record], footer: Callable[[], Header] = dict
    ) -> int:
        """Write a whole import as one segment, which appears complete or not at all. Needs no `open`.

        Args:
            header: What is known before: the file's name, say, and `first_s`, if known.
            records: (kind, payload) each, in the import's own order; read once.
            footer: Asked when the records are through: `first_s`, `last_s`, counts.

        Returns:
            The import's number.

        Raises:
            PositionConflict: Another import into this source is running; the operator waits for it.
            StoreUnavailable: The disk is full or failing; nothing is left behind.
            ValueError: A kind or a payload has the wrong form; the calling code is at fault.
        """
        with _writing(self._import):
            self._make_directories()
            lock = _take_lock(self._import / "lock", f"an import into {self.source}")
        try:
            number = max(self._import_paths(), default=0) + 1
            path = self._import / f"{number:06d}.seg.gz"
            temp = path.with_name(path.name + ".tmp")
            try:
                _write_import(temp, header, records, footer)
                with _writing(path):
                    temp.replace(path)
                    _sync_directory(self._import)
            except BaseException:
                temp.unlink(missing_ok=True)
                raise
        finally:
            os.close(lock)
        return number

    def imports(self) -> list[ImportInfo]:
        """Every import, by number. Reads the first and the last line of each, not what is between.

        Raises:
            StoreError: A segment is damaged; the operator restores it or imports again.
        """
        return [_import_info(number, path) for number, path in self._import_paths().items()]

    def last_import(self) -> int:
        """The number of the last import, 0 for none; looks at names alone."""
        return max(self._import_paths(), default=0)

    def read_import(self, number: int) -> Iterator[list[Record]]:
        """Read an import's records, without its header and footer, in lists of neighbours.

        Raises:
            StoreError: There is no such import, or it is damaged; good records before the damage come first.
        """
        path = self._import_paths().get(number)
        if path is None:
            raise StoreError(f"{self._import}: there is no import {number}")
        header, held, count = False, list[Record](), 0
        with _reading(path), path.open("rb", buffering=0) as file:
            for records, _ in _checked(path, _inflated(file, 0), 0):
                if not header:
                    header = records.pop(0)[0] == "H"
                count += len(records)
                # The newest record is held back: it is the footer if no other comes.
                records[:0] = held
                held = records[-1:]
                if len(records) > 1:
                    yield records[:-1]
        if not header or not held or held[0][0] != "F" or _json(path, held[0]).get("records") != count - 1:
            raise _damaged(path, None, "its first or last line is missing, or counts other records")

    # --- reading live records ---

    def read_live(self, after: Position | None = None, upto: Position | None = None) -> Iterator[Chunk]:
        """Read live records in order. Works beside the writer and beside `compress_closed`.

        Args:
            after: The border to begin at; None for the beginning, `Position(day, 0)` for a day's segment.
            upto: No record that ends behind it; None for what is there. A reader beside the writer names the
                committed position, because a line that is not durable yet may be taken back.

        Raises:
            StoreError: A record is damaged (good records before it come first), or `after` is no border of
                this archive, which then was cut or replaced; the operator restores the file or rebuilds.
            StoreUnavailable: A segment cannot be read now.
        """
        after = after or BEGINNING
        upto = upto or Position.end_of("9999-99-99")
        days = self._days()
        if after.offset and after.day not in days:
            raise StoreError(
                f"{self._live}/{after.day}.seg is missing: restore it or run `wallboard rebuild`"
            )
        if upto <= after:
            return
        for day in days:
            if not after.day <= day <= upto.day:
                continue
            start = Position(day, after.offset if day == after.day else 0)
            stop = upto.offset if day == upto.day else _FAR
            for records, offset in self._read_segment(day, start.offset, stop, growing=day == max(days)):
                end = Position(day, offset)
                yield Chunk(start=start, end=end, records=records)
                start = end

    def last(self, kind: str) -> bytes | None:
        """The payload of the newest durable record of a kind, None if there is none.

        Reads whole segments from the newest backwards, so ask for a kind that is written every day.

        Raises:
            StoreError: As from `read_live`.
        """
        days = self._days()
        for day in reversed(days):
            found = None
            for records, _ in self._read_segment(day, 0, _FAR, growing=day == max(days)):
                found = next((payload for one, payload in reversed(records) if one == kind), found)
            if found is not None:
                return found
        return None

    def end(self) -> Position:
        """The border after the last record: the last durable one for the writer, else the last whole line.

        Raises:
            StoreUnavailable: The directory cannot be read now.
        """
        return self._durable if self._lock is not None else self._find_end()

    def segments(self) -> list[SegmentInfo]:
        """Every live segment, by day.

        Raises:
            StoreUnavailable: The directory cannot be read now.
        """
        days = self._days()
        infos = []
        for day in days:
            path, file = self._open_segment(day)
            with _reading(path), file:
                size = _text_size(path, file)
            infos.append(SegmentInfo(day=day, path=path, closed=day < max(days), size=size))
        return infos

    # --- private ---

    def _make_directories(self) -> None:
        for path in (*reversed(self._home.parents[:2]), self._home, self._live, self._import):
            path.mkdir(mode=0o700, exist_ok=True)

    def _begin(self, day: str) -> None:
        """Go to another segment; its file is made by the first flush."""
        if self._file is not None:
            os.close(self._file)
        self._file, self._day, self._size = None, day, 0

    def _forget_waiting(self) -> None:
        self._waiting, self._waiting_bytes = [], 0

    def _recover(self) -> Recovered:
        days = self._days()
        cut_bytes, kept_in = 0, None
        if days:
            day, path = days.popitem()
            if path.suffix == ".gz":
                raise StoreError(f"{path} is the newest segment and is compressed: gunzip it")
            self._begin(day)
            self._file = os.open(path, os.O_RDWR | os.O_CLOEXEC)
            with path.open("rb") as file:
                with contextlib.suppress(_Damaged):
                    for _, self._size in _checked(path, _plain(file, 0), 0):
                        pass
                file.seek(self._size)
                tail = file.read()
            if tail:
                if not _is_torn(tail):
                    raise _damaged(path, self._size, "good records follow")
                kept_in = path.with_name(path.name + ".torn")
                _append_file(kept_in, tail)
                os.ftruncate(self._file, self._size)
                os.fsync(self._file)
                cut_bytes = len(tail)
        _sync_directory(self._live)
        self._durable = self._find_end()
        return Recovered(end=self._durable, cut_bytes=cut_bytes, kept_in=kept_in)

    def _compress(self, path: Path) -> Iterator[None]:
        """Compress one segment, pausing where a crash would leave something new behind."""
        target = path.with_name(path.name + ".gz")
        temp = target.with_name(target.name + ".tmp")
        with _writing(temp):
            try:
                with path.open("rb", buffering=0) as plain, _create(temp) as file:
                    squeeze = zlib.compressobj(CLOSED_LEVEL, wbits=31)
                    for block in _plain(plain, 0):
                        _write_all(file, squeeze.compress(block))
                    _write_all(file, squeeze.flush())
                    os.fsync(file.fileno())
                yield
                if not _same_text(path, temp):
                    raise StoreUnavailable(f"{temp} does not hold what was written to it: check the disk")
            except (OSError, StoreUnavailable):
                temp.unlink(missing_ok=True)
                raise
            yield
            temp.replace(target)
            yield
            _sync_directory(self._live)
            yield
            path.unlink()
            _sync_directory(self._live)

    def _days(self) -> dict[str, Path]:
        """Day -> its file, by day; where both forms are there, the plain one."""
        days = self._listed_days()
        # A segment that changes its name meanwhile may hide from one listing, but not from two that agree.
        while (again := self._listed_days()).keys() != days.keys():
            days = again
        return again

    def _listed_days(self) -> dict[str, Path]:
        # Sorted, the plain name comes first; setting in reverse lets it win.
        found = [match for name in _names(self._live) if (match := _LIVE_NAME.fullmatch(name))]
        days = {match[1]: self._live / match[0] for match in reversed(found)}
        return dict(sorted(days.items()))

    def _import_paths(self) -> dict[int, Path]:
        found = [match for name in _names(self._import) if (match := _IMPORT_NAME.fullmatch(name))]
        return {int(match[1]): self._import / match[0] for match in found}

    def _open_segment(self, day: str) -> tuple[Path, BinaryIO]:
        plain = self._live / f"{day}.seg"
        packed = plain.with_name(plain.name + ".gz")
        with _reading(packed):
            try:
                return plain, plain.open("rb", buffering=0)
            except FileNotFoundError:
                return packed, packed.open("rb", buffering=0)

    def _read_segment(
        self, day: str, start: int, stop: int, *, growing: bool
    ) -> Iterator[tuple[list[Record], int]]:
        """Yield (records, offset after them) of a segment's part; a growing one may end in half a line."""
        path, file = self._open_segment(day)
        is_plain = path.suffix == ".seg"
        with _reading(path), file:
            blocks = (_plain if is_plain else _inflated)(file, max(start - 1, 0))
            if start:
                blocks = _after_newline(path, blocks, start)
            yield from _checked(path, blocks, start, stop, half_line_is_fine=growing and is_plain)

    def _find_end(self) -> Position:
        for day in reversed(self._days()):
            path, file = self._open_segment(day)
            with _reading(path), file:
                size = _text_size(path, file)
                if path.suffix == ".seg":
                    size = _whole_lines(file, size)
            if size:
                return Position(day, size)
        return BEGINNING


def archived(data_dir: Path) -> list[str]:
    """The sources that have an archive in a data directory.

    Raises:
        StoreUnavailable: The directory cannot be read now.
    """
    return [name for name in _names(data_dir / "archive") if _SOURCE_NAME.fullmatch(name)]


class _Damaged(StoreError):
    """A record is not as it was written."""


def _damaged(path: Path, offset: int | None, why: str) -> _Damaged:
    where = "" if offset is None else f" at byte {offset} of its text"
    return _Damaged(f"{path} is damaged{where} ({why}): restore it from a backup")


# --- lines ---


def _framed(records: Iterable[Record]) -> Iterator[bytes]:
    """Records -> whole lines, about a thousand a piece."""
    source = iter(records)
    while batch := list(islice(source, _RECORDS_AT_ONCE)):
        try:
            rests = [b"%d %b %b" % (len(payload), _LETTERS[kind], payload) for kind, payload in batch]
        except KeyError as exc:
            raise ValueError(f"a record's kind is one ASCII letter, not {exc.args[0]!r}") from None
        text = b"".join([b"%08x %b\n" % (crc32(rest), rest) for rest in rests])
        if text.count(b"\n") != len(rests):
            raise ValueError("a record's payload holds a newline")
        yield text


def _parsed(text: bytes) -> tuple[list[Record], int]:
    """Whole lines -> the records before the first damaged line, and the bytes they take."""
    lines = text.split(b"\n")
    lines.pop()
    rests = [line[9:] for line in lines]
    # All checksums of a block in one comparison: a quarter quicker than line by line.
    right = hexlify(pack(f">{len(rests)}I", *map(crc32, rests)), b" ", 4) + b" "
    if right != b"".join([line[:9] for line in lines]):
        good = next(i for i, line in enumerate(lines) if line[:9] != right[9 * i : 9 * i + 9])
        del rests[good:]
    records: list[Record] = []
    keep = records.append
    with contextlib.suppress(ValueError, KeyError):  # the checksum is right, yet nobody here wrote the line
        for rest in rests:
            length, kind, payload = rest.split(b" ", 2)
            if int(length) != len(payload):
                break
            keep((_KINDS[kind], payload))
    del lines[len(records) :]
    return records, sum(map(len, lines)) + len(lines)


def _checked(
    path: Path, blocks: Iterator[bytes], start: int, stop: int = _FAR, *, half_line_is_fine: bool = False
) -> Iterator[tuple[list[Record], int]]:
    """Blocks of text -> (records, offset after them), up to the last record that ends by `stop`.

    Raises:
        _Damaged: Naming the offset of the first line that is not as it was written.
    """
    offset, half = start, b""
    try:
        for block in blocks:
            text = (half + block)[: stop - offset]
            cut = text.rfind(b"\n") + 1
            half = text[cut:]
            if cut:
                records, good = _parsed(text[:cut])
                if records:
                    yield records, offset + good
                if good < cut:
                    raise _damaged(path, offset + good, "a line does not fit its checksum")
                offset += cut
            if offset + len(half) >= stop:
                return
    except (zlib.error, EOFError) as exc:
        raise _damaged(path, offset, "it cannot be decompressed") from exc
    if half and not half_line_is_fine:
        raise _damaged(path, offset, "its last line is cut")


def _is_torn(tail: bytes) -> bool:
    line, _, rest = tail.partition(b"\n")
    return _LOST_BLOCK in line or not any(_parsed(other + b"\n")[0] for other in rest.split(b"\n"))


# --- files ---


def _plain(file: BinaryIO, start: int) -> Iterator[bytes]:
    file.seek(start)
    while block := file.read(_BYTES_AT_ONCE):
        yield block


def _inflated(file: BinaryIO, start: int) -> Iterator[bytes]:
    """The text of one or more gzip members, from its byte `start` on.

    Raises:
        zlib.error: The data is damaged.
        EOFError: The data is cut.
    """
    member, data = zlib.decompressobj(wbits=31), file.read(_PACKED_AT_ONCE)
    while data or not member.eof:
        block = member.decompress(data, _BYTES_AT_ONCE)
        data = (member.unused_data if member.eof else member.unconsumed_tail) or file.read(_PACKED_AT_ONCE)
        if len(block) > start:
            yield block[start:]
        start = max(start - len(block), 0)
        if member.eof and data:
            member = zlib.decompressobj(wbits=31)
        elif not (block or data or member.eof):
            raise EOFError


def _after_newline(path: Path, blocks: Iterator[bytes], start: int) -> Iterator[bytes]:
    """Drop the first byte, which has to be the newline before `start`."""
    try:
        first = next(blocks, b"")
    except (zlib.error, EOFError) as exc:
        raise _damaged(path, None, "it cannot be decompressed") from exc
    if first[:1] != b"\n":
        raise StoreError(
            f"{path} was cut or replaced (no record ends at byte {start}): run `wallboard rebuild`"
        )
    yield first[1:]
    yield from blocks


def _text_size(path: Path, file: BinaryIO) -> int:
    """Bytes of the uncompressed text; a gzip file of one member ends in it (modulo 4 GiB)."""
    size = file.seek(0, os.SEEK_END)
    if path.suffix == ".seg":
        return size
    file.seek(max(size - 4, 0))
    return int.from_bytes(file.read(4), "little")


def _whole_lines(file: BinaryIO, size: int) -> int:
    """The offset behind the last newline before `size`."""
    while size:
        start = max(size - _BYTES_AT_ONCE, 0)
        file.seek(start)
        newline = file.read(size - start).rfind(b"\n")
        if newline >= 0:
            return start + newline + 1
        size = start
    return 0


def _same_text(plain: Path, packed: Path) -> bool:
    with plain.open("rb", buffering=0) as one, packed.open("rb", buffering=0) as other:
        try:
            for block in _inflated(other, 0):
                # A raw file's read may be short only at its end.
                if one.read(len(block)) != block:
                    return False
        except (zlib.error, EOFError):
            return False
        return not one.read(1)


def _names(directory: Path) -> list[str]:
    with _reading(directory):
        try:
            return sorted(path.name for path in directory.iterdir())
        except FileNotFoundError:
            return []


def _create(path: Path) -> BinaryIO:
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    return os.fdopen(fd, "wb", buffering=0)


def _append_file(path: Path, data: bytes) -> None:
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    with os.fdopen(fd, "wb", buffering=0) as file:
        _write_all(file, data)
        os.fsync(fd)


def _write_all(file: BinaryIO, data: bytes) -> None:
    """Write to an unbuffered file, which on a disk that fills up takes only a part."""
    view = memoryview(data)
    while view:
        view = view[file.write(view) :]


def _remove_temps(directory: Path) -> None:
    for path in directory.glob("*.tmp"):
        path.unlink(missing_ok=True)


def _sync_directory(path: Path) -> None:
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _take_lock(path: Path, what: str) -> int:
    """Hold the lock until the returned file descriptor is closed.

    Raises:
        PositionConflict: Another process holds it.
    """
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.pread(fd, 20, 0).decode("ascii", "replace").strip() or "unknown"
        os.close(fd)
        raise PositionConflict(f"process {holder} already writes {what}: wait for it or stop it") from None
    with contextlib.suppress(OSError):  # a full disk must not keep the writer from starting
        os.ftruncate(fd, 0)
        os.pwrite(fd, b"%d\n" % os.getpid(), 0)
    return fd


@contextlib.contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as exc:
        if exc.errno in (errno.ENOSPC, errno.EDQUOT):
            why = "the disk is full: free some space, then writing goes on by itself"
        else:
            why = f"cannot write ({exc.strerror}): let this process write there, then it goes on by itself"
        raise StoreUnavailable(f"{exc.filename or path}: {why}") from exc


@contextlib.contextmanager
def _reading(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as exc:
        why = f"cannot read ({exc.strerror}): let this process read it"
        raise StoreUnavailable(f"{exc.filename or path}: {why}") from exc


# --- import segments ---


def _write_import(
    path: Path, header: Header, records: Iterable[Record], footer: Callable[[], Header]
) -> None:
    """Header and records as one gzip member, the footer as another that `imports` finds from the file's end.

    One thread compresses while the caller's records are made: zlib lets go of Python's lock.
    """
    squeeze = zlib.compressobj(IMPORT_LEVEL, wbits=31)
    ahead: deque[Future[None]] = deque()
    texts = list(_framed([("H", msgspec.json.encode(header))]))
    size = count = 0
    with _writing(path):
        file = _create(path)

    def write(texts: list[bytes]) -> None:
        with _writing(path):  # here and not around everything: the caller's records may fail to be read
            _write_all(file, squeeze.compress(b"".join(texts)))

    with file:
        with ThreadPoolExecutor(max_workers=1) as pool:
            for text in _framed(records):
                texts.append(text)
                size += len(text)
                count += text.count(b"\n")
                if size >= _SQUEEZE_BYTES:
                    ahead.append(pool.submit(write, texts))
                    texts, size = [], 0
                    if len(ahead) > _SQUEEZE_AHEAD:
                        ahead.popleft().result()
            ahead.append(pool.submit(write, texts))
            for done in ahead:
                done.result()
        [last] = _framed([("F", msgspec.json.encode({**footer(), "records": count}))])
        with _writing(path):
            _write_all(file, squeeze.flush() + _stored_member(last))
            os.fsync(file.fileno())


def _stored_member(text: bytes) -> bytes:
    """A gzip member that holds the text as it is; so its length follows from its last four bytes.

    Source: RFC 1952, 2.3 (member), RFC 1951, 3.2.4 (stored blocks).
    """
    blocks = [text[i : i + _STORED_BYTES] for i in range(0, len(text), _STORED_BYTES)]
    body = b"".join(pack("<BHH", 0, len(one), len(one) ^ 0xFFFF) + one for one in blocks[:-1])
    body += pack("<BHH", 1, len(blocks[-1]), len(blocks[-1]) ^ 0xFFFF) + blocks[-1]
    return b"\x1f\x8b\x08\0\0\0\0\0\0\xff" + body + pack("<II", crc32(text), len(text))


def _last_member(file: BinaryIO) -> bytes:
    """The text of the stored member that ends the file.

    Raises:
        ValueError, zlib.error: The file does not end in one.
    """
    end = file.seek(0, os.SEEK_END)
    file.seek(max(end - 4, 0))
    length = int.from_bytes(file.read(4), "little")
    size = 18 + length + 5 * -(-length // _STORED_BYTES)
    if size > end:
        raise ValueError
    file.seek(end - size)
    return zlib.decompress(file.read(size), wbits=31)


def _import_info(number: int, path: Path) -> ImportInfo:
    with _reading(path), path.open("rb", buffering=0) as file:
        records, _ = next(_checked(path, _inflated(file, 0), 0), ([], 0))
        try:
            lasts, _ = _parsed(_last_member(file))
        except (ValueError, zlib.error):
            lasts = []
    if not records or len(lasts) != 1:
        raise _damaged(path, None, "its first or last line is missing")
    header, footer = _json(path, records[0]), _json(path, lasts[0])
    said = {**header, **footer}
    return ImportInfo(
        number=number,
        header=header,
        footer=footer,
        records=said.get("records", 0),
        first_s=said.get("first_s"),
        last_s=said.get("last_s"),
    )


def _json(path: Path, record: Record) -> dict[str, Any]:
    try:
        return msgspec.json.decode(record[1], type=dict[str, Any])
    except msgspec.DecodeError as exc:
        raise _damaged(path, None, "its first or last line is not JSON") from exc
