"""`wallboard import`, `replay` and `rebuild`: what one does with files and with the archive."""

import re
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

from collectors.base import Tools
from collectors.registry import KINDS, kind_of
from collectors.runner import writer_for
from dashboard.commands.context import configuration, open_store
from dashboard.commands.process import hotline_clock, rare_collections, say
from dashboard.config import Config
from dashboard.config.access import unreadable
from dashboard.core.counts import CALLS, F, join
from dashboard.core.days import period
from dashboard.errors import ConfigError, PositionConflict
from dashboard.store.archive import Archive, archived
from dashboard.store.numbers import Numbers
from dashboard.store.reader import Reader
from dashboard.store.writer import Writer

PATIENCE_S = 60.0
DAYS_AT_ONCE = 100
CHANGES_SHOWN = 10
TOLD = ("offered", "answered", "abandoned", "overflowed", "lost")
"""The columns that an import tells of the days that it changed."""

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
    """Import whole files into a source's archive, and count them; what other pieces of the log have, too, counts once.

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
    with rare_collections(), open_store(config) as store, Bar() as bar, ExitStack() as cleaning:
        writer = writer_for(config, store.connect(), name, kind_name, say)
        cleaning.callback(writer.client.close)
        counts_here = _open_or_leave(writer, config, name)
        if counts_here:
            cleaning.callback(writer.close)
        numbers = Numbers(config.data_dir)
        numbers.open()
        cleaning.callback(numbers.close)
        tools = Tools(
            config=config, source=name, writer=writer, numbers=numbers, clock=hotline_clock(), log=say
        )
        reader = Reader(writer.client, config.hotline.id)
        before = calls_by_day(reader, name)
        number = 0
        for file in files:
            bar.begin(file.name)
            done = kind.import_file(tools, file, bar.at)
            bar.end()
            rejected += done.rejected
            number = max(number, done.number)
            if done.repeated:
                out(f"{file}: repeated, nothing added")
            else:
                out(f"{file}: accepted {done.accepted}, repeated 0, rejected {done.rejected}")
        if number:
            bar.begin("counting")
            if counts_here:
                writer.commit(bar.at)
            elif not _counted(reader, name, number):
                out(f"{name}: archived; its collector does not answer, and counts it when it is back")
                return 1 if strict and rejected else 0
            bar.end()
            for line in changes(before, calls_by_day(reader, name)):
                out(line)
    return 1 if strict and rejected else 0


def _open_or_leave(writer: Writer, config: Config, source: str) -> bool:
    """Become the source's writer; False where its collector runs here, which then counts what is archived.

    Raises:
        PositionConflict: Somebody else writes it, and will not see this archive.
    """
    try:
        writer.open()
    except PositionConflict:
        if not writer.archive.is_written():
            raise
        say(f"{source} is being collected; its collector counts what is imported")
        return False
    return True


def _counted(reader: Reader, source: str, number: int) -> bool:
    """Wait until a collector has counted an import; False where it does not."""
    deadline_s = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline_s:
        position = reader.snapshot(source, []).position
        if "#" in position and int(position.partition("#")[2]) >= number:
            return True
        time.sleep(0.1)
    return False


def calls_by_day(reader: Reader, source: str) -> dict[str, tuple[int, ...]]:
    """Day -> offered, answered, abandoned, overflowed, lost of one source, as they are stored."""
    snapshot = reader.snapshot(source, [])
    found: dict[str, tuple[int, ...]] = {}
    days = sorted(snapshot.stamps)
    for start in range(0, len(days), DAYS_AT_ONCE):
        for day, stored in reader.snapshot(source, days[start : start + DAYS_AT_ONCE]).days.items():
            total = join(CALLS, (row for key, row in stored.rows.items() if key[0] == CALLS))
            counts = tuple(total[F[column]] for column in TOLD)
            if any(counts):
                found[day] = counts
    return found


def changes(before: dict[str, tuple[int, ...]], after: dict[str, tuple[int, ...]]) -> list[str]:
    """Which days changed, with their counts before and after, in a line each; many new days as one line."""
    new = sorted(after.keys() - before.keys())
    lines = []
    if new:
        span = new[0] if len(new) == 1 else f"{len(new)} days, {new[0]} to {new[-1]}"
        lines.append(f"new: {span}, offered {sum(after[day][0] for day in new)}")
    changed = [day for day in sorted(before) if after.get(day) != before[day]]
    for day in changed[:CHANGES_SHOWN]:
        pairs = zip(TOLD, before[day], after.get(day, (0,) * len(TOLD)), strict=True)
        told = ", ".join(f"{column} {was} → {now}" for column, was, now in pairs if was != now)
        lines.append(f"changed: {day}, {told}")
    if len(changed) > CHANGES_SHOWN:
        lines.append(f"changed: {len(changed) - CHANGES_SHOWN} more days")
    return lines or ["nothing changed"]


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


def run_rebuild(
    option: str | None,
    *,
    source: str | None,
    text: str | None = None,
    out: Callable[[str], None] = print,
) -> int:
    """Make the counts of every source (or of one) again from the archive.

    Args:
        option: `--config`.
        source: Only this one.
        text: A period: only its days are made again, from the state in which the first began, and what follows from
            them; None for all.
        out: Takes a line a source.

    Raises:
        ConfigError: There is no such source, or the period is not one.
        PositionConflict: A collector writes one of them.
    """
    config = configuration(option)
    span: tuple[int, int] | None = None
    if text is not None:
        try:
            first, last = period(text, config.zone.day(int(hotline_clock()())))
        except ValueError as exc:
            raise ConfigError(str(exc)) from exc
        span = config.zone.bounds(first)[0], config.zone.bounds(last)[1]
    kinds = chosen_kinds(config, source)
    with rare_collections(), open_store(config) as store, Bar() as bar:
        for name, kind in sorted(kinds.items()):
            writer = writer_for(config, store.connect(), name, kind, say)
            bar.begin(name)
            try:
                writer.open(rebuild=span is None, progress=bar.at)
                if span is not None:
                    writer.keeper.count_again(*span, bar.at)
                writer.close()
            finally:
                writer.client.close()
            bar.end()
            out(f"{name}: made again; position {writer.position}")
    return 0


def chosen_kinds(config: Config, source: str | None, counted: Iterable[str] = ()) -> dict[str, str]:
    """Source -> kind, of all that are configured or archived, or of one of them.

    Args:
        config: The hotline.
        source: Only this one; None for all.
        counted: Those that have counts, whether or not anything is archived.

    Raises:
        ConfigError: There is no such source; the message lists them.
    """
    names = {*archived(config.data_dir), *counted, *(one.name for one in config.sources)}
    kinds = {name: kind for name in names if (kind := kind_in(config, name))}
    if source is not None and source not in kinds:
        raise ConfigError(f"there is no source {source!r}; sources: {', '.join(sorted(kinds)) or 'none'}")
    return kinds if source is None else {source: kinds[source]}


def kind_in(config: Config, name: str) -> str | None:
    """The kind of a source, by the configuration or by its archive; None where neither tells."""
    configured = next((one.kind for one in config.sources if one.name == name), None)
    return configured or archived_kind(config, name)


def archived_kind(config: Config, name: str) -> str | None:
    """The kind of a source that the configuration does not name (any more); None where nothing tells."""
    kinds = {str(info.header.get("kind")) for info in Archive(config.data_dir, name).imports()}
    found = kinds & KINDS.keys() or (KINDS.keys() if len(KINDS) == 1 else set())
    return min(found, default=None)
