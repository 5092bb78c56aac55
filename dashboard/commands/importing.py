"""`wallboard import`, `replay` and `rebuild`: what one does with files and with the archive."""

import re
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

from collectors.base import Tools
from collectors.registry import KINDS, kind_of
from collectors.runner import writer_for
from dashboard.commands.context import configuration, open_store
from dashboard.commands.process import hotline_clock, rare_collections, say
from dashboard.config import Config
from dashboard.config.access import unreadable
from dashboard.errors import ConfigError
from dashboard.store.archive import Archive, archived
from dashboard.store.numbers import Numbers

_EPOCH = re.compile(rb"^([1-9][0-9]{9})\|")


def source_for(config: Config, kind: str, name: str | None) -> str:
    """The source that files of a kind go to.

    Raises:
        ConfigError: Several would fit and none is named; the message lists them.
    """
    if name is not None:
        return name
    fitting = [source.name for source in config.sources if source.kind == kind]
    if len(fitting) > 1:
        raise ConfigError(f"several sources are of kind {kind}; choose one: --source {' | '.join(fitting)}")
    return fitting[0] if fitting else kind


def run_import(
    option: str | None,
    kind_name: str,
    paths: Sequence[str],
    *,
    source: str | None,
    strict: bool,
    out: Callable[[str], None] = print,
) -> int:
    """Import whole files into a source's archive and count them.

    Returns:
        0 when every file was read to its end; 1 with `strict` when a line was rejected.
    """
    config = configuration(option)
    kind = kind_of(kind_name)
    name = source_for(config, kind_name, source)
    for path in paths:
        problem = unreadable(Path(path))
        if problem is not None:
            raise ConfigError(problem)
    files = kind.order([Path(path) for path in paths])
    rejected = 0
    with open_store(config) as store, Bar() as bar, rare_collections(), ExitStack() as cleaning:
        writer = writer_for(config, store.connect(), name, kind_name, say)
        cleaning.callback(writer.client.close)
        writer.open()
        cleaning.callback(writer.close)
        numbers = Numbers(config.data_dir)
        numbers.open()
        cleaning.callback(numbers.close)
        tools = Tools(
            config=config, source=name, writer=writer, numbers=numbers, clock=hotline_clock(), log=say
        )
        for file in files:
            bar.begin(file.name)
            done = kind.import_file(tools, file, bar.at)
            bar.end()
            rejected += done.rejected
            if done.repeated:
                out(f"{file}: repeated, nothing added")
            else:
                out(f"{file}: accepted {done.accepted}, repeated 0, rejected {done.rejected}")
    return 1 if strict and rejected else 0


class Bar:
    """A line on the terminal that says how far an import is; nothing where the output is no terminal."""

    def __init__(self) -> None:
        self.shown_s = 0.0
        self.name = ""
        self.live = sys.stderr.isatty()

    def __enter__(self) -> "Bar":
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def begin(self, name: str) -> None:
        """A file begins."""
        self.name = name
        self.at(0)

    def at(self, done: int) -> None:
        """So many records have been counted."""
        now_s = time.monotonic()
        if self.live and (now_s - self.shown_s > 0.1 or done == 0):
            self.shown_s = now_s
            print(f"\r{self.name}: {done:,} records counted\x1b[K", end="", file=sys.stderr, flush=True)

    def end(self) -> None:
        """The line is cleared."""
        if self.live and self.name:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
        self.name = ""


def run_replay(path: str, to: str, *, speed: float, now: bool, out: Callable[[str], None] = print) -> int:
    """Append a recording's lines to a file in their rhythm.

    Args:
        path: The recording.
        to: The file that grows.
        speed: How many times faster; 0 at once.
        now: Shift the lines' times so that the first is now.
        out: Takes one line at the end.
    """
    try:
        lines = Path(path).read_bytes().removesuffix(b"\n").split(b"\n")
        first_s = next((int(match[1]) for line in lines if (match := _EPOCH.match(line))), None)
        if first_s is None:
            raise ConfigError(f"{path}: no line begins with an epoch second; is it a queue_log?")
        with Path(to).open("ab", buffering=0) as file:
            for line in _in_rhythm(lines, first_s, speed, int(time.time()) if now else first_s):
                file.write(line + b"\n")
    except OSError as exc:
        raise ConfigError(f"{exc.filename or to}: {exc.strerror}") from exc
    out(f"{len(lines)} lines appended to {to}")
    return 0


def _in_rhythm(lines: Sequence[bytes], first_s: int, speed: float, from_s: int) -> Iterator[bytes]:
    """Lines when their time has come, shifted to begin at `from_s`."""
    begun_s = time.monotonic()
    for line in lines:
        match = _EPOCH.match(line)
        if match is None:
            yield line
            continue
        at_s = int(match[1])
        if speed > 0:
            time.sleep(max(0.0, (at_s - first_s) / speed - (time.monotonic() - begun_s)))
        yield b"%d" % (at_s - first_s + from_s) + line[10:]


def run_rebuild(option: str | None, *, source: str | None, out: Callable[[str], None] = print) -> int:
    """Make the counts of every source (or of one) again from the archive.

    Raises:
        ConfigError: There is no such source.
        PositionConflict: A collector writes one of them.
    """
    config = configuration(option)
    kinds = {name: kind for name in archived(config.data_dir) if (kind := archived_kind(config, name))}
    kinds |= {one.name: one.kind for one in config.sources}
    if source is not None and source not in kinds:
        raise ConfigError(f"there is no source {source!r}; sources: {', '.join(sorted(kinds)) or 'none'}")
    with open_store(config) as store, Bar() as bar, rare_collections():
        for name, kind in sorted(kinds.items()):
            if source not in (None, name):
                continue
            writer = writer_for(config, store.connect(), name, kind, say)
            bar.begin(name)
            try:
                writer.open(rebuild=True, progress=bar.at)
                writer.close()
            finally:
                writer.client.close()
            bar.end()
            out(f"{name}: made again; position {writer.position}")
    return 0


def archived_kind(config: Config, name: str) -> str | None:
    """The kind of a source that the configuration does not name (any more); None where nothing tells."""
    kinds = {str(info.header.get("kind")) for info in Archive(config.data_dir, name).imports()}
    found = kinds & KINDS.keys() or (KINDS.keys() if len(KINDS) == 1 else set())
    return min(found, default=None)
