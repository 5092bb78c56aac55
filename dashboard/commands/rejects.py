"""`wallboard rejects`: the lines that could not be read, masked, each with its place and why."""

import json
from collections.abc import Callable, Iterator
from itertools import chain
from typing import Any

from collectors.base import Reject
from collectors.registry import kind_of
from dashboard.commands.context import configuration
from dashboard.commands.importing import chosen_kinds
from dashboard.commands.process import hotline_clock
from dashboard.commands.show import asked, printable
from dashboard.config import Config
from dashboard.store.archive import Archive


def run_rejects(
    option: str | None,
    text: str | None,
    *,
    source: str | None,
    as_json: bool,
    out: Callable[[str], None] = print,
) -> int:
    """Print what could not be read.

    Args:
        option: `--config`.
        text: The period; None for all that is archived.
        source: Only this one.
        as_json: Say it as one JSON object.
        out: Takes a line.

    Raises:
        ConfigError: The period is not one, or there is no such source.
        StoreError: The archive is damaged.
    """
    config = configuration(option)
    span = None
    if text is not None:
        _, _, ask = asked(config, text, hotline_clock()())
        span = (ask.from_s, ask.to_s)
    found = []
    for name, kind in sorted(chosen_kinds(config, source).items()):
        found += [
            _record(config, name, number, one)
            for number, one in _rejects(config, name, kind)
            if span is None or span[0] <= one.at_s < span[1]
        ]
    found.sort(key=lambda one: one["at"])
    if as_json:
        out(json.dumps({"count": len(found), "rejects": found}, ensure_ascii=False))
        return 0
    for one in found:
        where = f"import {one['import']}, {one['file']}" if one["import"] else one["file"] or "no file known"
        out(printable(f"{one['at']}  {one['source']}  {where}, byte {one['offset']}"))
        out(
            printable(
                f"    {one['reason']}" + ("; it can be read now, and is counted" if one["readable"] else "")
            )
        )
        out(printable(f"    {one['line']}"))
    readable = sum(one["readable"] for one in found)
    more = f"; {readable} of them can be read now" if readable else ""
    out(f"{len(found):,} {'line' if len(found) == 1 else 'lines'} could not be read{more}")
    return 0


def _rejects(config: Config, name: str, kind: str) -> Iterator[tuple[int, Reject]]:
    """Every reject of a source's archive with its import's number, 0 of the live stream."""
    archive = Archive(config.data_dir, name)
    read = kind_of(kind).rejects
    for info in archive.imports():
        records = chain.from_iterable(archive.read_import(info.number))
        file = str(info.header.get("file", ""))
        yield from ((info.number, one) for one in read(records, config, file, info.first_s or 0))
    segments = archive.segments()
    if segments:
        live = (record for chunk in archive.read_live(upto=archive.end()) for record in chunk.records)
        since_s = config.zone.bounds(segments[0].day)[0]
        yield from ((0, one) for one in read(live, config, "", since_s))


def _record(config: Config, source: str, number: int, one: Reject) -> dict[str, Any]:
    """One line, as JSON has it."""
    return {
        "source": source,
        "at": config.zone.iso(one.at_s),
        "import": number or None,
        "file": one.file or None,
        "offset": one.offset,
        "reason": one.reason,
        "line": one.line,
        "readable": one.readable,
    }
