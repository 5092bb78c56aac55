"""`wallboard init`: a first wallboard.toml from what the switch already knows.

Reads a queues.conf and queue_logs, asks which queues are secret, writes one new file. Never overwrites one
unasked, never touches the switch.
"""

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path

from dashboard.commands.plan import Plan, make_plan
from dashboard.commands.queues_conf import QueuesConf, parse
from dashboard.commands.starter import write
from dashboard.commands.survey import Survey, log_lines, look_through
from dashboard.config import FILE_NAME, load, toml_string, unreadable
from dashboard.core.days import Zone
from dashboard.core.names import CUT_BYTES, readable
from dashboard.errors import ConfigError

QUEUES_CONF = Path("etc/asterisk/queues.conf")
QUEUE_LOG = Path("var/log/asterisk/queue_log")
DEFAULT_ZONE = "Asia/Shanghai"
DEFAULT_NAME = "12366"

_ROTATED = re.compile(r"(.*queue_log)(?:[.-][0-9]+)*(?:\.gz)?")
_UTC = frozenset({"UTC", "Etc/UTC", "Universal", "Etc/Universal", "Zulu", "Etc/Zulu", "GMT", "Etc/GMT"})


def run_init(
    *,
    queues_conf: Path | None = None,
    queue_logs: Sequence[Path] = (),
    output: Path = Path("wallboard.toml"),
    secret: Sequence[str] | None = None,
    yes: bool = False,
    force: bool = False,
    zone: str | None = None,
    name: str = DEFAULT_NAME,
    ask: Callable[[str], str] | None = None,
    out: Callable[[str], None] = print,
    root: Path = Path("/"),
) -> int:
    """Write a commented wallboard.toml.

    Args:
        queues_conf: Asterisk's queues.conf; None looks for it in its usual place.
        queue_logs: Logs to look through, rotated and compressed ones too; none looks for the usual one.
        output: The file to write.
        secret: The secret queues, each item one name or several with commas; None asks.
        yes: Ask nothing: every queue remains secret.
        force: Overwrite `output`.
        zone: The hotline's time zone; None takes the machine's, or China's where that says nothing.
        name: The hotline's name.
        ask: Puts a question and returns the answer, as `input` does; None asks nothing.
        out: Says a line.
        root: Where the usual places and the machine's time zone are looked for.

    Returns:
        0.

    Raises:
        ConfigError: The output is there already, a file that was named cannot be read, or a queue or zone that
            was named is unknown.
    """
    if output.exists() and not force:
        raise ConfigError(
            f"{output} is there already; name another with --output, or overwrite it with --force"
        )
    if zone is not None:
        _check_zone(zone)
    zone = zone or _machine_zone(root)
    read: list[str] = []
    conf = _read_conf(queues_conf, root, read, out)
    logs = list(queue_logs)
    if not logs and (usual := root / QUEUE_LOG).exists():
        logs = [usual]
    survey = _read_logs(logs, bool(queue_logs), conf, read, out)
    plan = make_plan(conf, survey)
    queues = [queue.name for queue in plan.queues]
    _say_found(plan, read, out)
    if secret is not None:
        chosen = _named(secret, queues)
    elif yes or ask is None or not queues:
        chosen = queues
    else:
        chosen = _asked(queues, ask, out)
    log_path = _live(logs[0], out) if logs else Path("/") / QUEUE_LOG
    text = write(plan, name=name, zone=zone, secret=chosen, log_path=str(log_path), found_in=read)
    _write(output, text)
    _say_written(output, queues, chosen, zone, out)
    return 0


def _read_conf(path: Path | None, root: Path, read: list[str], out: Callable[[str], None]) -> QueuesConf:
    named = path is not None
    path = path or root / QUEUES_CONF
    if not named and not path.exists():
        return QueuesConf()
    if (reason := unreadable(path)) is not None:
        if named:
            raise ConfigError(reason)
        out(f"left out: {reason}")
        return QueuesConf()
    conf = parse(path.read_bytes())
    read.append(str(path))
    if conf.unread:
        out(f"{path}: no sense in line {', '.join(map(str, conf.unread[:10]))}; left out")
    return conf


def _read_logs(
    paths: Sequence[Path], named: bool, conf: QueuesConf, read: list[str], out: Callable[[str], None]
) -> Survey:
    good = []
    for path in paths:
        if (reason := unreadable(path)) is None:
            good.append(path)
        elif named:
            raise ConfigError(reason)
        else:
            out(f"left out: {reason}")

    def lines() -> Iterator[bytes]:
        for path in sorted(good, key=_first_line):
            try:
                yield from log_lines(path)
            except (OSError, EOFError) as exc:
                raise ConfigError(f"{path} cannot be read to its end: {exc}") from exc
            read.append(str(path))

    members = {m.name or m.interface for queue in conf.queues for m in queue.members}
    return look_through(lines(), {queue.name for queue in conf.queues}, members)


def _first_line(path: Path) -> bytes:
    """Begins with the time, so it orders a log's files."""
    try:
        return next(log_lines(path), b"")
    except (OSError, EOFError):
        return b""  # told of when it is read


def _live(path: Path, out: Callable[[str], None]) -> Path:
    """The file that is being written, where a rotated one was looked through."""
    found = _ROTATED.fullmatch(path.name)
    live = (path.with_name(found[1]) if found else path).absolute()
    if live != path.absolute():
        out(f"{path.name} is a rotated file; the source is {live}")
    return live


def _named(secret: Sequence[str], queues: Collection[str]) -> list[str]:
    """The queues that --secret means; a name may itself hold a comma."""
    chosen = []
    for item in secret:
        for name in [item] if item in queues else filter(None, map(str.strip, item.split(","))):
            if name not in queues:
                known = ", ".join(map(_text, queues)) or "none was found"
                raise ConfigError(f"--secret: there is no queue {_text(name)}; queues: {known}")
            chosen.append(name)
    return chosen


def _asked(queues: Sequence[str], ask: Callable[[str], str], out: Callable[[str], None]) -> list[str]:
    out("Callers of a secret queue are never identifiable: their numbers are not kept. The queues:")
    for number, queue in enumerate(queues, 1):
        out(f"  {number}  {_text(queue)}")
    while True:
        try:
            answer = ask("Which are secret? Numbers with commas, `none`, or Enter for all: ").strip()
        except EOFError:
            answer = ""
        if answer.lower() in ("", "all"):
            return list(queues)
        if answer.lower() == "none":
            return []
        numbers = re.split(r"[\s,，、]+", answer.strip(",，、"))
        if all(part.isascii() and part.isdigit() and 1 <= int(part) <= len(queues) for part in numbers):
            return [queues[int(part) - 1] for part in dict.fromkeys(numbers)]
        out(f"Please answer with numbers from 1 to {len(queues)}, such as 2,3.")


def _say_found(plan: Plan, read: Sequence[str], out: Callable[[str], None]) -> None:
    where = " and ".join(read) if read else "no file: name them with --queues-conf and --queue-log"
    out(f"found {_many(len(plan.queues), 'queue')} and {_many(len(plan.seats), 'seat')} in {where}")
    for line in plan.not_followed:
        out(f"not followed: {_text(line)}; if it names queues, give that file with --queues-conf too")
    long = [name for seat in plan.seats for name in seat.names if len(name.encode()) > CUT_BYTES]
    if long:
        out(f"{_many(len(long), 'name')} over {CUT_BYTES} bytes: the switch cuts them, both forms are known")
    guessed = [seat for seat in plan.seats if seat.suggested]
    if guessed:
        out(
            f"{_many(len(guessed), 'seat')} with an interface that fits the log, as a comment: confirm it there"
        )
    alone = [seat for seat in plan.seats if seat.interface is None and seat.suggested is None]
    if alone:
        out(f"{_many(len(alone), 'seat')} without an interface: the log does not tell it; write it there")
    if plan.loose:
        out(f"{_many(len(plan.loose), 'interface')} of nobody known, listed as comments below the seats")
    for name in plan.unwritable:
        out(f"left out: {_text(name)} is not UTF-8; let the switch write UTF-8")


def _say_written(
    output: Path, queues: Sequence[str], chosen: Collection[str], zone: str, out: Callable[[str], None]
) -> None:
    out(f"wrote {output}, time zone {zone}")
    if queues and len(chosen) == len(queues):
        out("all queues remain secret; where one is not, write `secret = false` in its table")
    elif queues:
        out(f"secret: {', '.join(map(_text, chosen)) or 'none'}")
    option = "" if output.name == FILE_NAME and output.parent == Path() else f" --config {output}"
    out("next:")
    out(f"  1. edit {output}: the hotline's id and name, the sites, the hours")
    out(f"  2. wallboard check{option}")
    out(f"  3. wallboard serve --collect{option}")


def _write(output: Path, text: str) -> None:
    """Whole or not at all, and only what `load` takes."""
    half = output.with_name(f".{output.name}.new")
    try:
        half.write_text(text, encoding="utf-8")
        load(half)
        half.replace(output)
    except OSError as exc:
        raise ConfigError(f"{output} cannot be written: {exc.strerror}") from exc
    finally:
        half.unlink(missing_ok=True)


def _check_zone(zone: str) -> None:
    try:
        Zone(zone)
    except ValueError as exc:
        raise ConfigError(f"--zone: {exc}") from exc


def _machine_zone(root: Path) -> str:
    """The machine's own zone; servers that run on UTC say nothing about the hotline."""
    try:
        target = str((root / "etc/localtime").readlink())
    except OSError:
        return DEFAULT_ZONE
    zone = target.partition("zoneinfo/")[2]
    try:
        Zone(zone)
    except ValueError:
        return DEFAULT_ZONE
    return DEFAULT_ZONE if zone in _UTC else zone


def _many(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


def _text(name: str) -> str:
    return toml_string(readable(name))
