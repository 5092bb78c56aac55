"""The simulated switch's queue_log as a file: its end read, lines appended, one writer at a time.

Comes in: a path, and what `live.follow` appends. Goes out: bytes, as Asterisk writes them: UTF-8, LF.
Never: shortens the file. Somebody may be reading it, and would take a shorter file for another one.
"""

import fcntl
import os
from collections.abc import Callable
from datetime import date, tzinfo
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from collectors.simulator.live import LinesOfDay, Place, follow, resume_after
from dashboard.errors import SourceUnavailable

# Thousands of lines: the last second many times over, even of a hotline scaled by 100.
_TAIL_BYTES: Final = 256 * 1024


class LogFile:
    """A queue_log open for appending.

    After an `OSError` of `append` (a full disk) open it anew: how much was written is read from the file.
    """

    def __init__(self, path: Path) -> None:
        """Opens the file, makes it if there is none, and looks at its end.

        Raises:
            SourceUnavailable: Another simulator writes this file.
            OSError: The file cannot be made, read or written.
        """
        self._fd = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            try:
                fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as exc:
                raise SourceUnavailable(
                    f"{path}: another simulator writes this file; stop it, or name another path"
                ) from exc
            size = os.fstat(self._fd).st_size
            start = max(0, size - _TAIL_BYTES)
            complete, _, self._torn = os.pread(self._fd, size - start, start).rpartition(b"\n")
        except BaseException:
            os.close(self._fd)
            raise
        lines = complete.decode(errors="replace").split("\n") if complete else []
        self._tail = lines[1:] if start else lines  # the first one may be cut

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._fd)

    def tail(self) -> list[str]:
        """The last complete lines that it had when it was opened."""
        return list(self._tail)

    def append(self, line: str) -> None:
        """Write one line, given without its newline.

        A half line that the file ended with is completed if it is the beginning of this one; otherwise
        it is closed, for the reader to count as a bad line.
        """
        data = line.encode() + b"\n"
        if self._torn:
            data = data[len(self._torn) :] if data.startswith(self._torn) else b"\n" + data
            self._torn = b""
        while data:
            data = data[os.write(self._fd, data) :]


def keep_writing(
    path: Path,
    lines_by_day: LinesOfDay,
    *,
    zone: tzinfo,
    first_day: date,
    now: Callable[[], float],
    sleep: Callable[[float], object],
    stop: Callable[[], bool],
) -> None:
    """Follow the clock into a file, from where it ends, until stopped; see `live.follow`.

    Args:
        path: The queue_log.
        lines_by_day: The lines of a local day.
        zone: The hotline's time zone.
        first_day: The local day that an empty file begins with.
        now: The hotline's clock, epoch seconds.
        sleep: Waits so many seconds.
        stop: True ends it.

    Raises:
        SourceUnavailable: Another simulator writes this file.
        OSError: It cannot be written; call again to go on.
    """
    with LogFile(path) as log:
        start = resume_after(log.tail(), lines_by_day, zone=zone) or Place(day=first_day, index=0)
        follow(lines_by_day, zone=zone, start=start, now=now, sleep=sleep, append=log.append, stop=stop)
