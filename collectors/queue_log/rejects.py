"""Archived records of a queue_log -> its lines that could not be read, each with its place and why.

Pure. What is archived of such a line is masked already.
"""

import contextlib
import re
from collections.abc import Iterable, Iterator

from collectors.base import Reject
from collectors.queue_log import parse
from collectors.queue_log.follow import Place
from dashboard.config import Config
from dashboard.errors import RecordMalformed
from dashboard.store.archive import Record
from dashboard.store.items import FILE, LINE, REJECT

_TIME = re.compile(rb"\0*([1-3][0-9]{9})\|")


def rejects(records: Iterable[Record], config: Config, file: str, since_s: int) -> Iterator[Reject]:
    """Find the lines that could not be read when they were archived.

    Args:
        records: Of the live stream or of one import, from its beginning.
        config: For today's names, by which some may be readable now.
        file: The import's file; "" for the live stream, whose files are told by when they begin: their names change.
        since_s: The time of those before any line that has one.
    """
    names = config.names()
    before: bytes | None = None
    for kind, payload in records:
        if kind == LINE:
            before = payload
        elif kind == FILE:
            file = _file_of(payload, config)
        elif kind == REJECT:
            offset, reason, line = payload.split(b"|", 2)
            if before is not None:
                since_s = _time_of(before.split(b"|", 2)[2], since_s)
                before = None
            since_s = _time_of(line, since_s)
            readable = False
            with contextlib.suppress(RecordMalformed):
                parse.replay(line, None, names)
                readable = True
            yield Reject(
                at_s=since_s,
                file=file,
                offset=int(offset),
                reason=reason.decode("utf-8", "replace"),
                line=line.decode("utf-8", "replace"),
                readable=readable,
            )


def _time_of(line: bytes, before_s: int) -> int:
    match = _TIME.match(line)
    return before_s if match is None else int(match[1])


def _file_of(payload: bytes, config: Config) -> str:
    """What is known of a file that was followed: its name is another one by now."""
    mark = Place.from_text(payload.decode().partition("|")[0]).mark
    began = "" if mark.first_s is None else f", begins {config.zone.iso(mark.first_s)}"
    return f"inode {mark.inode}{began}"
