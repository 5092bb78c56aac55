"""A whole queue_log file -> one import: recognised under any name, surveyed, archived as it is."""

import hashlib
import re
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from collectors.base import Imported, Tools
from collectors.queue_log.files import CHUNK_BYTES, Log, read_whole, telling
from collectors.queue_log.reading import Reading
from dashboard.store.items import Item

NUMBERS_AT_ONCE = 5000

_TIMES = re.compile(rb"(?:^|\n)\0*([1-3][0-9]{9})\|")


class Survey(NamedTuple):
    """What a file is.

    Attributes:
        digest: A keyed hash of its text, so that the same file is known under any name.
        size: Bytes of its text.
        first_s, last_s: The earliest and the latest time in it; None where no line has one.
        whole: Its last line ends in a newline.
    """

    digest: str
    size: int
    first_s: int | None
    last_s: int | None
    whole: bool


def survey(path: Path, key: bytes, size: int | None = None, *, whole_lines: bool = False) -> Survey:
    """Read a file through.

    Args:
        path: The file, plain or compressed.
        key: For the hash: without it, a number could be guessed from the hash of a short file.
        size: Look at so many bytes only.
        whole_lines: Leave out what stands behind the last newline.

    Raises:
        SourceUnavailable: It cannot be read; who must do what.
    """
    digest = hashlib.blake2b(digest_size=16, key=key)
    upto_line = digest.copy()
    offset = line_end = 0
    tail = b""
    first = last = b""
    with telling(path), closing(Log(path)) as log:
        while data := log.at(offset, CHUNK_BYTES if size is None else min(CHUNK_BYTES, size - offset)):
            offset += len(data)
            cut = data.rfind(b"\n") + 1
            if cut:
                digest.update(data[:cut])
                upto_line, line_end = digest.copy(), offset - len(data) + cut
                digest.update(data[cut:])
                times = _TIMES.findall(tail + data[:cut])
                tail = data[cut:]
            else:
                digest.update(data)
                tail += data
                times = []
            if times:
                first, last = min(first or times[0], *times), max(last, *times)
    if whole_lines:
        digest, offset = upto_line, line_end
    elif times := _TIMES.findall(tail):
        first, last = min(first or times[0], *times), max(last, *times)
    return Survey(
        digest.hexdigest(),
        offset,
        int(first) if first else None,
        int(last) if last else None,
        offset == line_end,
    )


def import_file(tools: Tools, path: Path, progress: Callable[[int], None]) -> Imported:
    """Import one whole file, once.

    Of the live log itself, what stands behind its last newline is still being written, and is left out.

    Raises:
        SourceUnavailable: It cannot be read to its end.
        StoreUnavailable: Redis or the disk is away.
    """
    done = Imported(path)
    found = survey(path, file_key(tools), whole_lines=_is_live(tools, path))
    if any(info.header.get("hash") == found.digest for info in tools.writer.archive.imports()):
        done.repeated = True
        return done
    reading = Reading(tools)

    def items() -> Iterator[Item]:
        for offset, line in read_whole(path):
            if offset > found.size:
                break
            item = reading.item(line, offset)
            done.accepted += item.event is not None
            if reading.waiting >= NUMBERS_AT_ONCE:
                reading.store_numbers()
            yield item
        reading.store_numbers()

    header = {
        "kind": "queue_log",
        "file": path.name,
        "hash": found.digest,
        "size": found.size,
        "first_s": found.first_s,
        "last_s": found.last_s,
    }
    done.number = tools.writer.write_import(header, items(), progress=progress)
    done.rejected = reading.rejected
    return done


def file_key(tools: Tools) -> bytes:
    """The key by which files are recognised in this data directory."""
    return tools.numbers.key_for(b"files")


def _is_live(tools: Tools, path: Path) -> bool:
    live = [Path(source.path) for source in tools.config.sources if source.name == tools.source]
    return any(one.exists() and path.samefile(one) for one in live)
