"""A switch's log files as they lie on the disk: opened, recognised, put in order, read whole.

Plain or compressed (gzip, bzip2, xz; told by the content, not by the name). Bytes come out as they were written.
Writes nothing, waits for nothing.
"""

import bz2
import contextlib
import grp
import gzip
import itertools
import lzma
import os
import pwd
import re
import stat
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from dashboard.errors import SourceUnavailable

HEAD_BYTES = 256
"""What a file is known by: at most this many of its first bytes. Rotation keeps them; an inode it may not."""

LONGEST_LINE = 65_536
"""Bytes of a line that are kept; `parse.py` rejects what is as long as that."""

CHUNK_BYTES = 1 << 20
TIMES_BYTES = 4096  # where a file's first line is torn, the next is not far

DAMAGED = (EOFError, zlib.error, lzma.LZMAError, gzip.BadGzipFile)
"""What a compressed file raises that is cut short or spoilt."""

_TIME = re.compile(rb"(?:^|\n)\0*([1-3][0-9]{9})\|")
# queue_log.0, queue_log.1795445259, queue_log-20261123.gz; but not queue_log.old, queue_log.bak
_ROTATED = re.compile(r"[.-](\d[\dT:._-]*?)(?:\.(?:gz|bz2|xz))?", re.ASCII)
_NAME = re.compile(".+?" + _ROTATED.pattern, re.ASCII)
_NUMBER_DIGITS = 5  # longer ones are dates or times

Identity = tuple[int, int]
"""A file's device and inode."""


_Unpacked = gzip.GzipFile | bz2.BZ2File | lzma.LZMAFile


class HeadInfo(NamedTuple):
    """What the beginning of a file tells.

    Attributes:
        first_s: The time of its first line, epoch seconds; None where it has none.
        head: Its first bytes, uncompressed, at most `HEAD_BYTES`.
    """

    first_s: int | None
    head: bytes


class Moved(Exception):
    """Under a name lies another file than a moment ago: a rotation is going on; look again."""


class Log:
    """An open log file, read at any offset of its uncompressed text.

    Args:
        path: Its name.
        identity: Which file is expected under that name; None takes any.

    Raises:
        Moved: Another file, or none, is there.
        SourceUnavailable: It is no regular file.
        OSError: It cannot be opened.
    """

    def __init__(self, path: Path, identity: Identity | None = None) -> None:
        try:
            # Non-blocking: a pipe of that name must not stop the collector.
            self.fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        except FileNotFoundError as error:
            raise Moved from error
        self.path = path
        self._stream: _Unpacked | None = None
        try:
            found = os.fstat(self.fd)
            self.device, self.inode = found.st_dev, found.st_ino
            if identity is not None and identity != self.identity:
                raise Moved
            if not stat.S_ISREG(found.st_mode):
                raise SourceUnavailable(f"{path} is no regular file; correct the source's path")
            magic = os.pread(self.fd, 6, 0)
            if magic.startswith((b"\x1f\x8b", b"BZh", b"\xfd7zXZ\0")):
                self._stream = _unpacked(self.fd, magic)
        except BaseException:
            os.close(self.fd)
            raise

    @property
    def identity(self) -> Identity:
        """Its device and inode."""
        return self.device, self.inode

    def at(self, offset: int, size: int) -> bytes:
        """At most so many bytes from an offset on; fewer at the end, and from a slow file system anywhere."""
        if self._stream is None:
            return os.pread(self.fd, size, offset)
        if self._stream.tell() != offset:
            self._stream.seek(offset)
        return self._stream.read1(size)  # what stands before a damage is still given

    def all_at(self, offset: int, size: int) -> bytes:
        """So many bytes from an offset on; fewer only at the end."""
        data = part = self.at(offset, size)
        while part and len(data) < size:
            part = self.at(offset + len(data), size - len(data))
            data += part
        return data

    def state(self) -> tuple[int, int] | None:
        """Its size in bytes and when it was changed, in ns; None of a compressed one, which changes no more."""
        if self._stream is not None:
            return None
        found = os.fstat(self.fd)
        return found.st_size, found.st_mtime_ns

    def info(self) -> HeadInfo:
        """What its beginning tells."""
        beginning = self.all_at(0, TIMES_BYTES)
        return HeadInfo(first_time(beginning), beginning[:HEAD_BYTES])

    def close(self) -> None:
        """Let go of it."""
        if self._stream is not None:
            self._stream.close()
        os.close(self.fd)


class Entry(NamedTuple):
    """A file beside the live one, or that one, as it was found.

    Attributes:
        path: Its name.
        identity: Its device and inode.
        size: Bytes; None of a compressed one, whose text's size is not known.
        rotated: Its name is one that a rotation gives: it ends in a number or a date.
        first_s: As in `HeadInfo`.
        head: As in `HeadInfo`.
    """

    path: Path
    identity: Identity
    size: int | None
    rotated: bool
    first_s: int | None
    head: bytes


def entry(path: Path, live_name: str, identity: Identity | None = None) -> Entry:
    """Look at a file.

    Args:
        path: Its name.
        live_name: The live file's name, without its folder.
        identity: As for `Log`.
    """
    with contextlib.closing(Log(path, identity)) as log:
        info, state = log.info(), log.state()
        rotated = _ROTATED.fullmatch(path.name.removeprefix(live_name)) is not None
        return Entry(path, log.identity, None if state is None else state[0], rotated, *info)


def siblings(live: Path) -> tuple[list[Entry], list[PermissionError]]:
    """Find the files beside the live one that may have been it: `queue_log.*` and `queue_log-*`.

    Returns:
        The files, oldest first, one of each text, without empty and damaged ones; and why others could not be
        opened.

    Raises:
        Moved: They are just being renamed.
    """
    entries: list[Entry] = []
    denials: list[PermissionError] = []
    names = _names_beside(live)
    for name in names:
        try:
            entries.append(entry(live.with_name(name), live.name))
        except PermissionError as error:
            denials.append(error)
        except (SourceUnavailable, *DAMAGED):
            continue
    if names != _names_beside(live):
        raise Moved  # while .1 becomes .2, a file may be missed
    # A text may be there twice: while it is being compressed, or beside somebody's own copy of it.
    entries.sort(key=lambda e: (not e.rotated, e.size is None, -(e.size or 0), e.path.name))
    of_text: dict[bytes, Entry] = {}
    for found in entries:
        if found.head:
            of_text.setdefault(found.head, found)
    by_path = {found.path: found for found in of_text.values()}
    order = _ordered([(found.path, found.first_s) for found in by_path.values()])
    return [by_path[path] for path in order], denials


def _names_beside(live: Path) -> dict[str, int]:
    if not live.parent.is_dir():
        return {}
    with os.scandir(live.parent) as found:
        return {e.name: e.inode() for e in found if e.name.startswith((f"{live.name}.", f"{live.name}-"))}


def first_time(text: bytes) -> int | None:
    """The time of the first line that has one, epoch seconds; None where none has."""
    match = _TIME.search(text)
    return None if match is None else int(match[1])


def head_info(path: Path) -> HeadInfo:
    """What the beginning of a file tells, compressed or not.

    Raises:
        SourceUnavailable: It cannot be read; who must do what.
    """
    with telling(path), contextlib.closing(Log(path)) as log:
        return log.info()


def order_files(paths: Iterable[Path]) -> list[Path]:
    """Put the files of one log in the order in which they were written.

    By the time of their first line; equal ones by the number in their names, of which the higher is the older
    unless the other files show the contrary (Asterisk's `rotatestrategy = sequential`), or by the date. A file
    without number or date comes after those of the same time, one without any line first.

    Raises:
        SourceUnavailable: One cannot be read; who must do what.
    """
    return _ordered([(path, head_info(path).first_s) for path in paths])


def read_whole(path: Path) -> Iterator[tuple[int, bytes]]:
    """Read a file that grows no more, compressed or not.

    Yields:
        (offset after the line in the uncompressed bytes, the line without its newline); the last line also
        where it has no newline, and of a line longer than `LONGEST_LINE` so many bytes.

    Raises:
        SourceUnavailable: It cannot be read, or is damaged: then the lines before the damage have been given.
    """
    with telling(path), contextlib.closing(Log(path)) as log:
        at = offset = 0  # read up to, given up to
        rest = b""
        while data := log.at(at, CHUNK_BYTES):
            at += len(data)
            lines = (rest + data).split(b"\n")
            dropped = at - offset - len(rest) - len(data)  # of a line longer than any that is kept
            rest = lines.pop()
            for line in lines:
                offset += len(line) + 1 + dropped
                dropped = 0
                yield offset, line if len(line) <= LONGEST_LINE else line[:LONGEST_LINE]
            rest = rest[:LONGEST_LINE]
        if rest:
            yield at, rest


def denied(path: Path) -> str:
    """Say who may read a file, and what to do so that this user may."""
    try:
        for folder in (*reversed(path.parents), path):
            blocked = folder
            found = folder.stat()
            need = os.R_OK if folder == path else os.X_OK
            if not os.access(folder, need, effective_ids=os.access in os.supports_effective_ids):
                break
    except OSError as error:
        return f"cannot read {path}: {error.strerror} at {blocked}"
    mode = stat.S_IMODE(found.st_mode)
    group = _group(found.st_gid)
    text = f"cannot read {path}: " + ("it" if blocked == path else str(blocked))
    text += f" belongs to {_user(found.st_uid)}:{group} (mode {mode:o})."
    if found.st_gid not in (os.getegid(), *os.getgroups()):
        text += (
            f" Add this user to the group: sudo usermod -aG {group} {_user(os.geteuid())}, then log in again."
        )
    need = stat.S_IRGRP if blocked == path else stat.S_IXGRP
    if not mode & need:
        text += f" Let the group in: sudo chmod g+{'r' if blocked == path else 'x'} {blocked}."
    return text


def _user(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _group(gid: int) -> str:
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return str(gid)


@contextlib.contextmanager
def telling(path: Path) -> Iterator[None]:
    """Turn what the system raises into what the operator can act on.

    Raises:
        SourceUnavailable: The file cannot be read; who must do what.
    """
    try:
        yield
    except Moved as error:
        raise SourceUnavailable(f"{path} does not exist") from error
    except DAMAGED as error:
        raise SourceUnavailable(f"{path} is damaged, or not compressed to its end: {error}") from error
    except PermissionError as error:
        raise SourceUnavailable(denied(path)) from error
    except OSError as error:
        raise SourceUnavailable(f"cannot read {path}: {error.strerror}") from error


def _unpacked(fd: int, magic: bytes) -> _Unpacked:
    raw = open(fd, "rb", closefd=False)  # noqa: SIM115 -- lives as long as the Log, which owns the fd
    if magic.startswith(b"\x1f\x8b"):
        return gzip.GzipFile(fileobj=raw, mode="rb")
    return bz2.BZ2File(raw) if magic.startswith(b"BZh") else lzma.LZMAFile(raw)


def _ordered(files: list[tuple[Path, int | None]]) -> list[Path]:
    numbered: list[tuple[int, int]] = []
    keys: dict[Path, tuple[int, int, str]] = {}  # (kind of name, number, date)
    for path, first_s in files:
        match = _NAME.fullmatch(path.name)
        if match is None:
            keys[path] = (2, 0, "")
        elif match[1].isdigit() and match[1].isascii() and len(match[1]) <= _NUMBER_DIGITS:
            keys[path] = (1, int(match[1]), "")
            if first_s is not None:
                numbered.append((int(match[1]), first_s))
        else:
            keys[path] = (0, 0, match[1])
    numbered.sort()
    later = sum((b > a) - (b < a) for (_, a), (_, b) in itertools.pairwise(numbered))
    sign = 1 if later > 0 else -1

    def key(file: tuple[Path, int | None]) -> tuple[int, int, int, str, str]:
        kind, number, date = keys[file[0]]
        return file[1] or 0, kind, sign * number, date, str(file[0])

    return [path for path, _ in sorted(files, key=key)]
