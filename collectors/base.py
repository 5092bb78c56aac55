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


class Kind(Protocol):
    """A kind of source: what a module `collectors.<kind>.collect` has."""

    PARSER_VERSION: int

    def replayer(self, names: Names) -> Replay:
        """How to read this kind's archived records."""
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
