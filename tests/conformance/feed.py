"""What a kind of source tells the conformance tests of itself: `feeds/KIND.py` has `feeds(shared) -> list[Feed]`.

`shared` is the folder of the big recordings, None where it is absent. A kind needs nothing else to be tried.
"""

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


class Toml(Protocol):
    def __call__(self, *, log: Path, redis_url: str | None = None) -> str: ...


@dataclass(frozen=True, kw_only=True)
class Feed:
    """One recording of one kind, as bytes that a file takes.

    Attributes:
        kind: In `collectors.registry.KINDS`.
        name: Of the recording.
        data: All its bytes, lines ended by a newline.
        toml: A configuration for it, with one source `pbx1` that follows `log`.
        junk: Lines that the kind cannot read; with a telephone number that must not be kept.
        number: The number in them.
        is_end: Whether a line ends an answered call.
        rotate: Does with the live file what the switch does when it begins a new one.
    """

    kind: str
    name: str
    data: bytes
    toml: Toml
    junk: tuple[bytes, ...]
    number: bytes
    is_end: Callable[[bytes], bool]
    rotate: Callable[[Path], None]

    def __str__(self) -> str:
        return f"{self.kind}-{self.name}"


def feeds_of(kind: str, shared: Path | None) -> list[Feed]:
    """The recordings of a kind.

    Raises:
        ModuleNotFoundError: The kind has no feed.
    """
    found: list[Feed] = importlib.import_module(f"conformance.feeds.{kind}").feeds(shared)
    return found
