"""`wallboard import`, `replay` and `rebuild`: what one does with files and with the archive."""

import re
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from collectors.base import Tools
from collectors.registry import kind_of
from collectors.runner import writer_for
from dashboard.commands.context import configuration, open_store
from dashboard.commands.process import hotline_clock, say
from dashboard.config import Config
from dashboard.errors import ConfigError
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
        if not Path(path).is_file():
            raise ConfigError(f"{path}: there is no such file")
    files = kind.order([Path(path) for path in paths])
    rejected = 0
    with open_store(config) as store, Bar() as bar:
        writer = writer_for(config, store.connect(), name, kind_name, say)
        numbers = Numbers(config.data_dir)
        writer.open()
        numbers.open()
        try:
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
        finally:
            numbers.close()
            writer.close()
            writer.client.close()
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
        lines = Path(path).read_bytes().splitlines(keepends=True)
    except OSError as exc:
        raise ConfigError(f"{path}: {exc.strerror}") from exc
    times = [match for match in map(_EPOCH.match, lines) if match is not None]
    if not times:
        raise ConfigError(f"{path}: no line begins with an epoch second; is it a queue_log?")
    first_s = int(times[0][1])
    shift_s = int(time.time()) - first_s if now else 0
    begun_s = time.monotonic()
    written = 0
    with Path(to).open("ab", buffering=0) as file:
        for line in lines:
            match = _EPOCH.match(line)
            if match is not None:
                at_s = int(match[1])
                if speed > 0:
                    delay_s = (at_s - first_s) / speed - (time.monotonic() - begun_s)
                    if delay_s > 0:
                        time.sleep(delay_s)
                line = b"%d" % (at_s + shift_s) + line[10:]
            file.write(line if line.endswith(b"\n") else line + b"\n")
            written += 1
    out(f"{written} lines appended to {to}")
    return 0


def run_rebuild(option: str | None, *, source: str | None, out: Callable[[str], None] = print) -> int:
    """Make the counts of every source (or of one) again from the archive."""
    config = configuration(option)
    with open_store(config) as store, Bar() as bar:
        for configured in config.sources:
            if source is not None and configured.name != source:
                continue
            writer = writer_for(config, store.connect(), configured.name, configured.kind, say)
            bar.begin(configured.name)
            try:
                writer.open(rebuild=True, progress=bar.at)
            finally:
                writer.close()
                writer.client.close()
            bar.end()
            out(f"{configured.name}: made again; position {writer.position}")
    return 0
