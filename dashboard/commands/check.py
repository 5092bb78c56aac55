"""`wallboard check`: everything that is wrong with a configuration, at once and without a network.

The file itself, the sources that it names, the names in their logs that it does not, the data directory. Reads
only; what it prints holds no caller's number.
"""

import json
import os
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from collectors.queue_log.parse import parse_line
from dashboard.commands.older import outdated_counts
from dashboard.commands.plan import QueuePlan, ids_by_interface, make_plan, pair
from dashboard.commands.queues_conf import QueuesConf
from dashboard.commands.starter import queue_block, seat_block
from dashboard.commands.survey import Survey, log_lines, look_through
from dashboard.config import Config, Source, find, load, toml_string, unreadable, unwritable
from dashboard.core.events import Unknown
from dashboard.core.names import CUT_BYTES, Names, cut, readable
from dashboard.errors import ConfigError, RecordMalformed, StoreUnavailable
from dashboard.store.connect import connect
from dashboard.store.embedded import Embedded
from dashboard.store.reader import Reader

GOOD, FAILED, WRONG = 0, 1, 2

REJECTS_SHOWN = 3
SEATS_SHOWN = 5

NOT_UTF_8 = "is not UTF-8 and cannot be configured; let the switch write UTF-8"

Level = Literal["config", "failed", "note"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that the operator should know.

    Attributes:
        level: "config" makes the exit code 2, "failed" 1; a "note" asks for nothing.
        where: What it is about: the configuration, a source's name, the data directory.
        text: What it is, and what to do.
        add: TOML lines that mend it; None where none would.
    """

    level: Level
    where: str
    text: str
    add: str | None = None


def run_check(
    option: str | Path | None = None,
    *,
    as_json: bool = False,
    out: Callable[[str], None] = print,
    environ: Mapping[str, str] = os.environ,
    folder: Path | None = None,
) -> int:
    """Check a configuration and what it names.

    Args:
        option: What `--config` said; None looks for the file as every command does.
        as_json: Say it as one JSON object.
        out: Says a line.
        environ: The environment.
        folder: Where to look for the file last; the working directory by default.

    Returns:
        0 all is good, 1 a check failed, 2 the configuration is wrong.
    """
    path: Path | None = None
    config: Config | None = None
    try:
        path = find(option, environ, folder)
        config = load(path)
        config.redis_url(environ)
        findings = [*check(config), *_older_counts(config, environ)]
    except ConfigError as exc:
        config = None
        findings = [
            Finding(level="config", where="configuration", text=line) for line in str(exc).splitlines()
        ]
    levels = {finding.level for finding in findings}
    code = WRONG if "config" in levels else FAILED if "failed" in levels else GOOD
    if as_json:
        told = [asdict(finding) for finding in findings]
        whole = {"config": str(path) if path else None, "exit": code, "findings": told}
        out(json.dumps(whole, ensure_ascii=False, indent=2))
    else:
        _say(path, config, findings, out)
    return code


def check(config: Config) -> Iterator[Finding]:
    """What is wrong around a configuration that is right in itself."""
    if (reason := unwritable(config.data_dir)) is not None:
        yield Finding(level="failed", where="data directory", text=reason)
    if not config.sources:
        yield Finding(
            level="note", where="sources", text="there is no [[sources]] table: nothing is collected"
        )
    for source in config.sources:
        yield from _check_source(source, config)
    yield from _long_names(config)


def _older_counts(config: Config, environ: Mapping[str, str]) -> Iterator[Finding]:
    """Days that were counted by other rules than this program's; asked of a Redis on a socket of this machine only."""
    url = config.redis_url(environ)
    if url is None:
        embedded = Embedded(config.data_dir)
        if not embedded.socket.exists():
            return
        url = embedded.url
    if not url.startswith("unix:"):
        return
    client = connect(url)
    try:
        for source, sentence in outdated_counts(config, Reader(client, config.hotline.id)):
            yield Finding(level="note", where=source, text=sentence)
    except StoreUnavailable:
        return  # it does not run: whoever starts it, and asks it, is told
    finally:
        client.close()


def _check_source(source: Source, config: Config) -> Iterator[Finding]:
    if (reason := unreadable(source.path)) is not None:
        yield Finding(level="failed", where=source.name, text=reason)
        return
    try:
        yield from _check_log(source, config)
    except (OSError, EOFError) as exc:
        yield Finding(
            level="failed", where=source.name, text=f"{source.path} cannot be read to its end: {exc}"
        )


def _check_log(source: Source, config: Config) -> Iterator[Finding]:
    names = config.names()
    known = {*names.by_name, *names.by_interface}
    survey = look_through(log_lines(source.path), names.queues, known)
    # What is configured as one seat's device is nobody else's.
    survey.fits = {name: found - names.by_interface.keys() for name, found in survey.fits.items()}
    if not survey.lines:
        yield Finding(level="note", where=source.name, text=f"{source.path} holds no line yet")
        return
    for queue, count in survey.queues.items():
        if queue not in names.queues:
            yield _unknown_queue(source.name, queue, count)
    yield from _unknown_seats(source.name, config, names, survey)
    yield from _unread_lines(source, names)


def _unknown_queue(where: str, queue: str, count: int) -> Finding:
    text = f"queue {_text(queue)} ({_lines(count)}) is not configured: it stays secret, and unassigned"
    try:
        block = queue_block(QueuePlan(name=queue), is_secret=True)
    except ValueError:
        return Finding(level="failed", where=where, text=f"{text}; {NOT_UTF_8}")
    return Finding(level="failed", where=where, text=text, add=block)


def _unknown_seats(where: str, config: Config, names: Names, survey: Survey) -> Iterator[Finding]:
    """Members and interfaces that no seat has, each with the lines to add."""
    members = {name: n for name, n in survey.members.items() if not _is_known(name, names)}
    interfaces = {name: n for name, n in survey.interfaces.items() if not _is_known(name, names)}
    for interface, seat in _owners(config, names, survey, interfaces).items():
        yield Finding(
            level="failed",
            where=where,
            text=f"{_no_seat(interface, interfaces.pop(interface))}; it fits seat {toml_string(seat)}: if it is "
            "that seat's, add this to its table",
            add=f"interface = {toml_string(interface)}",
        )
    strangers = Survey(members=Counter(members), interfaces=Counter(interfaces), fits=survey.fits)
    plan = make_plan(QueuesConf(), strangers, config.seat_ids)
    without = _without_interface(config)
    site = config.sites[0].id if len(config.sites) == 1 else None
    loose = list(plan.loose)
    for new in plan.seats:
        name = new.interface or new.names[0]
        count = members.get(name) or members.get(cut(name)) or 0
        if count:
            text = f"member {_text(name)} ({_lines(count)}) is no configured seat: shown by that name, unassigned"
        elif without:
            loose.append(name)
            continue
        else:
            text = _no_seat(name, interfaces.get(name, 0))
        yield Finding(level="failed", where=where, text=text, add=seat_block(new, site))
    for interface in loose:
        text = f"{_no_seat(interface, interfaces.get(interface, 0))}; add this to the table of the seat that has it"
        if without:
            text += (
                f" (without one: {', '.join(without[:SEATS_SHOWN])}{' …' if without[SEATS_SHOWN:] else ''})"
            )
        yield Finding(level="failed", where=where, text=text, add=f"interface = {toml_string(interface)}")
    for name in plan.unwritable:
        yield Finding(level="failed", where=where, text=f"the name {toml_string(name)} {NOT_UTF_8}")


def _without_interface(config: Config) -> list[str]:
    having = {seat.id for seat in config.seats if seat.interface is not None}
    return [seat for seat in config.seat_ids if seat not in having]


def _owners(config: Config, names: Names, survey: Survey, interfaces: Collection[str]) -> dict[str, str]:
    """Interface -> the configured seat without one that it fits: by its extension, else by the log."""
    without = set(_without_interface(config))
    people = {name: entries[0][1] for name, entries in names.by_name.items() if entries[0][1] in without}
    paired = pair(survey.fits, interfaces, [*people, *(n for n in survey.members if n not in names.by_name)])
    by_log = {interface: people[name] for name, interface in paired.items() if name in people}
    by_id = {interface: seat for interface, seat in ids_by_interface(interfaces).items() if seat in without}
    return {name: found for name in interfaces if (found := by_id.get(name) or by_log.get(name)) is not None}


def _unread_lines(source: Source, names: Names) -> Iterator[Finding]:
    """Lines that will not count, by the collector's own parser."""
    verbs: Counter[str] = Counter()
    rejects: list[str] = []
    rejected = 0
    for line in log_lines(source.path):
        if not line:
            continue
        try:
            event = parse_line(line.decode("utf-8", "surrogateescape"), names)
        except RecordMalformed as exc:
            rejected += 1
            if len(rejects) < REJECTS_SHOWN:
                rejects.append(str(exc))
        else:
            if isinstance(event, Unknown):
                verbs[event.verb] += 1
    for verb, count in verbs.items():
        text = f"unknown event {toml_string(verb)} ({_lines(count)}): counted and shown, without effect"
        yield Finding(level="note", where=source.name, text=text)
    if rejected:
        text = f"{_lines(rejected)} cannot be read, such as: {' / '.join(rejects)}"
        yield Finding(level="failed", where=source.name, text=text)


def _long_names(config: Config) -> Iterator[Finding]:
    for seat in config.seats:
        for item in seat.names:
            if (size := len(item.name.encode())) > CUT_BYTES:
                text = f"the name {toml_string(item.name)} of seat {toml_string(seat.id)} has {size} bytes: "
                text += f"the switch cuts it after {CUT_BYTES}; both forms are known"
                yield Finding(level="note", where="configuration", text=text)


def _say(
    path: Path | None, config: Config | None, findings: list[Finding], out: Callable[[str], None]
) -> None:
    for finding in findings:
        if finding.level == "config":
            out(finding.text)
            continue
        out(f"{finding.level}: {finding.where}: {finding.text}")
        for line in (finding.add or "").splitlines():
            out(f"    {line}")
    failed = sum(finding.level == "failed" for finding in findings)
    if config is None:
        out(f"to mend: {len(findings)} in the configuration; nothing else was checked")
    elif failed:
        out(f"to mend: {failed}; indented lines are for {path}")
    else:
        queues, seats, sources = len(config.queue_names), len(config.seat_ids), len(config.sources)
        out(f"{path}: good; queues: {queues}, seats: {seats}, sources: {sources}")


def _is_known(name: str, names: Names) -> bool:
    return name in names.by_name or name in names.by_interface


def _no_seat(interface: str, count: int) -> str:
    return f"interface {_text(interface)} ({_lines(count)}) is no configured seat's, so it makes no seat"


def _lines(count: int) -> str:
    return f"{count:,} line{'' if count == 1 else 's'}"


def _text(name: str) -> str:
    return toml_string(readable(name))
