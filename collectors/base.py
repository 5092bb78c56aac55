"""What every kind of source gives to the runner, and the runner to it.

A kind is a folder with `collect.py` (all I/O), `parse.py` (pure), `sample.toml` and `README.md`; `registry.py` has
the one table of them. Collectors never import the screens, and do not know each other.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from dashboard.config import Config
from dashboard.core.names import Names
from dashboard.store.archive import Record
from dashboard.store.numbers import Numbers
from dashboard.store.recovery import Replay
from dashboard.store.writer import Item, Writer

__all__ = ["Collector", "Imported", "Kind", "Log", "Replay", "Step", "Tools", "counted"]

Log = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """What a collector works with.

    Attributes:
        config: The hotline.
        source: The source's name.
        writer: Its only writer, open.
        numbers: Where callers' numbers go, open.
        clock: The hotline's clock, epoch seconds.
        log: Takes one line for the operator.
    """

    config: Config
    source: str
    writer: Writer
    numbers: Numbers
    clock: Callable[[], float]
    log: Log


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What one look at the source brought.

    Attributes:
        busy: There was something: look again at once.
        read: The source was read, up to what is newest in it; not while catching up.
        problem: What is wrong, in a sentence; "" for nothing.
    """

    busy: bool
    read: bool
    problem: str = ""


class Collector(Protocol):
    """Follows one live source."""

    def step(self) -> Step:
        """Take what is new; never waits, never raises for what a source holds."""
        ...

    def close(self) -> None:
        """Let go of the source."""
        ...


@dataclass(slots=True)
class Imported:
    """What became of a file that was to be imported.

    Attributes:
        number: Of its segment in the archive; 0 where there is none.
    """

    file: Path
    number: int = 0
    accepted: int = 0
    rejected: int = 0
    repeated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Reject:
    """A record that could not be read when it came.

    Attributes:
        at_s: Its time, epoch seconds; where it has none, that of the one before it.
        file: What is known of the file that it came in; "" where nothing is.
        offset: Bytes of that file's text up to its end.
        reason: Why, in plain words.
        line: The record, masked; a stranger's text.
        readable: It can be read by now, with the names of today, and is counted.
    """

    at_s: int
    file: str
    offset: int
    reason: str
    line: str
    readable: bool


class Kind(Protocol):
    """A kind of source: what a module `collectors.<kind>.collect` has."""

    PARSER_VERSION: int

    def replayer(self, names: Names) -> Replay:
        """How to read this kind's archived records."""
        ...

    def rejects(self, records: Iterable[Record], config: Config, file: str, since_s: int) -> Iterable[Reject]:
        """What could not be read, of archived records of this kind.

        Args:
            records: Of the live stream or of one import, from its beginning.
            config: For the names of today.
            file: The import's file; "" for the live stream, whose records tell.
            since_s: The time of those before any record that has one.
        """
        ...

    def follow(self, tools: Tools) -> Collector:
        """Follow the live source."""
        ...

    def order(self, paths: Iterable[Path]) -> Sequence[Path]:
        """Files of one log in the order in which they were written."""
        ...

    def import_file(self, tools: Tools, path: Path, progress: Callable[[int], None]) -> Imported:
        """Import one whole file."""
        ...


def counted(item: Item) -> bool:
    """Whether an item was understood."""
    return item.kind == "L"
