"""`wallboard audit`: do the counts say what the archive says?"""

import json
import sys
from collections.abc import Callable
from typing import Any

import msgspec

from collectors.registry import kind_of
from collectors.runner import stamp_of
from dashboard.commands.context import configuration, open_store
from dashboard.commands.importing import Bar, chosen_kinds
from dashboard.commands.process import hotline_clock, rare_collections
from dashboard.commands.show import asked, printable
from dashboard.config import Config
from dashboard.core.calls import Call
from dashboard.core.table import days_between
from dashboard.store import codec
from dashboard.store.archive import BEGINNING, Archive
from dashboard.store.audit import Difference, audited, outdated, refolded
from dashboard.store.reader import Reader, rules_of


def run_audit(
    option: str | None, text: str, *, source: str | None, as_json: bool, out: Callable[[str], None] = print
) -> int:
    """Compare the counts of a period with the archive, source by source.

    Args:
        option: `--config`.
        text: The period.
        source: Only this one.
        as_json: Say it as one JSON object.
        out: Takes a line.

    Returns:
        0 where nothing differs; 1 where something does, or there is nothing to compare with.

    Raises:
        ConfigError: The period is not one, or there is no such source.
        StoreError: The archive is damaged, or shorter than what is counted.
        StoreUnavailable: Redis does not answer.
    """
    config = configuration(option)
    first, last, ask = asked(config, text, hotline_clock()())
    days = [day for day, _ in days_between(ask.zone, ask.from_s, ask.to_s)]
    with rare_collections(), open_store(config) as store, Bar() as bar:
        reader = Reader(store.connect(), config.hotline.id)
        kinds = chosen_kinds(config, source, reader.sources())
        told = [_of_source(config, reader, name, kind, days, bar) for name, kind in sorted(kinds.items())]
        reader.client.close()
    for one in told:
        for sentence in one["outdated"]:
            print(f"{one['source']}: {sentence}", file=sys.stderr)
    code = 1 if any(one["problem"] or one["total"] for one in told) else 0
    if as_json:
        for one in told:
            one["differences"] = [difference.as_json() for difference in one["differences"]]
        period = first if first == last else f"{first}..{last}"
        out(json.dumps({"period": period, "exit": code, "sources": told}, ensure_ascii=False))
    else:
        for one in told:
            _say(config, one, out)
        if not told:
            out("nothing is archived, and nothing is counted")
    return code


def _of_source(
    config: Config, reader: Reader, name: str, kind: str, days: list[str], bar: Bar
) -> dict[str, Any]:
    snapshot = reader.snapshot(name, days, days)
    archive = Archive(config.data_dir, name)
    stamp = stamp_of(config, kind)
    answer: dict[str, Any] = {
        "source": name,
        "problem": None,
        "position": snapshot.position or None,
        "fold": stamp.fold,
        "parser": stamp.parser,
        "records": None,
        "days": None,
        "rows": None,
        "calls": None,
        "total": 0,
        "differences": [],
        "outdated": outdated(snapshot.stamps, stamp, days),
    }
    if snapshot.position == codec.UNFINISHED or (snapshot.standing == "rebuilding" and not snapshot.position):
        answer["problem"] = "its counts are being made again from the archive: ask again when they are there"
    elif not snapshot.position:
        if archive.end() > BEGINNING or archive.imports():
            answer["problem"] = "archived and not counted: start its collector, or run: wallboard rebuild"
    else:
        zone = config.zone
        span = (zone.bounds(days[0])[0], zone.bounds(days[-1])[1])
        replay = kind_of(kind).replayer(config.names())
        bar.begin(name)
        again = refolded(archive, rules_of(config), replay, snapshot.position, span, bar.at)
        bar.end()
        found = audited(snapshot, again, zone)
        answer.update({key: getattr(found, key) for key in ("records", "days", "rows", "calls", "total")})
        answer["differences"] = found.differences
    return answer


def _say(config: Config, one: dict[str, Any], out: Callable[[str], None]) -> None:
    if one["problem"]:
        out(f"{one['source']}: {one['problem']}")
        return
    if one["position"] is None:
        out(f"{one['source']}: nothing is archived, and nothing is counted")
        return
    for difference in one["differences"]:
        out(printable(f"{one['source']}: {_text(config, difference)}"))
    compared = (
        f"{one['rows']:,} rows and {one['calls']:,} calls of {one['days']} days, with {one['records']:,} records "
        f"up to {one['position']}, by parser {one['parser']} and fold {one['fold']}"
    )
    if not one["total"]:
        out(f"{one['source']}: no difference in {compared}")
        return
    shown = len(one["differences"])
    more = f" ({shown} of them shown)" if shown < one["total"] else ""
    what = "difference" if one["total"] == 1 else "differences"
    out(f"{one['source']}: {one['total']:,} {what}{more} in {compared}: run wallboard rebuild")


def _text(config: Config, one: Difference) -> str:
    at = "" if not one.slot else f" {config.zone.local(one.slot):%H:%M:%S}"
    words = [one.day, one.kind.replace("_", " "), one.id, one.column]
    return f"{' '.join(word for word in words if word)}{at}: stored {_value(one.stored)}, archive {_value(one.archive)}"


def _value(found: Any) -> str:
    """A value, a call by its legs."""
    if isinstance(found, Call):
        return json.dumps(msgspec.to_builtins(found.legs), ensure_ascii=False)
    return "nothing" if found is None else str(found)
