"""`wallboard show`: the counts of a period, as a table, JSON or CSV."""

import csv
import io
import json
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from dashboard.commands.context import configuration, open_store
from dashboard.commands.older import outdated_counts
from dashboard.commands.process import hotline_clock
from dashboard.config import UNASSIGNED, Config
from dashboard.core.days import period
from dashboard.core.gaps import REASONS
from dashboard.core.table import Ask, By, Part, days_between, table
from dashboard.errors import ConfigError
from dashboard.store.archive import archived
from dashboard.store.codec import Standing
from dashboard.store.feed import calendar_of
from dashboard.store.reader import Reader, Snapshot, part_of, rules_of

SHOWN = (
    ("offered", "offered"),
    ("answered", "answered"),
    ("abandoned", "abandoned"),
    ("overflowed", "overflowed"),
    ("lost", "lost"),
    ("waiting", "waiting"),
    ("answers", "answers"),
    ("service_level", "SL"),
    ("answer_rate", "rate"),
    ("asa", "ASA s"),
    ("aht", "AHT s"),
    ("gap_s", "gap s"),
)
"""Columns of the table on a terminal; JSON and CSV have all."""

NOTES_AT_MOST = 5

ASKED = ("standing", "threshold_s", "formula", "short_s")
"""What the text says besides the counts, and JSON does not."""

SHOWN_OF_SEATS = (
    ("answers", "answers"),
    ("talk_done_s", "talk s"),
    ("wrap_done_s", "wrap s"),
    ("paused_s", "paused s"),
    ("signed_in_s", "signed in s"),
    ("occupancy", "occup."),
    ("ring_no_answer", "no answer"),
    ("gap_s", "gap s"),
)
"""The same for seats, which have work and no fates."""


def counts(
    config: Config,
    reader: Reader,
    text: str,
    now_s: float,
    *,
    by: By = "total",
    minutes: int | None = None,
    threshold_s: int | None = None,
    formula: str | None = None,
    short_s: int | None = None,
) -> dict[str, Any]:
    """The answer of `show`, as a value.

    Args:
        config: The hotline.
        reader: Where from.
        text: The period, as on the command line.
        now_s: The hotline's clock.
        by: How rows are grouped.
        minutes, threshold_s, formula, short_s: Of the configuration where not given.

    Returns:
        {"period", "zone", "by", "as_of", "rows", "total", "quality": see `_quality`}, and how it was asked: `ASKED`.

    Raises:
        ConfigError: The period, a threshold or the formula is not one.
        StoreUnavailable: Redis does not answer.
    """
    first, last, ask = asked(
        config, text, now_s, minutes=minutes, threshold_s=threshold_s, formula=formula, short_s=short_s
    )
    ask = replace(ask, by=by)
    zone = ask.zone
    days = [day for day, _ in days_between(zone, ask.from_s, ask.to_s)]
    rules = rules_of(config)
    snapshots = [reader.snapshot(name, days) for name in sources_of(config, reader)]
    parts = [part_of(snapshot, rules, now_s, days) for snapshot in snapshots]
    try:
        made = table(ask, parts)
    except ValueError as exc:
        raise ConfigError(str(exc)) from exc
    as_of = [part.as_of_s for part in parts if part.as_of_s is not None]
    return {
        "period": first if first == last else f"{first}..{last}",
        "zone": zone.name,
        "by": by,
        "as_of": zone.iso(max(as_of)) if as_of else None,
        "standing": standing_of(snapshots),
        "threshold_s": ask.threshold_s,
        "formula": ask.formula,
        "short_s": ask.short_s,
        **made,
        "quality": _quality(config, snapshots, parts, days, made["total"]["orphan"]),
    }


def _quality(
    config: Config,
    snapshots: Sequence[Snapshot],
    parts: Sequence[Part],
    days: Sequence[str],
    orphans: int | None,
) -> dict[str, Any]:
    """What the counts of some days are worth.

    Returns:
        {"gaps": [{"source", "from", "to", "reason", "detail"}] and "backfilled": [{"source", "from", "to"}], those
        that touch the days, whole; "unknown": source -> verb -> how many, and "steps_back": source -> how often its
        clock went back, both since its beginning; "orphans": late ends of calls in the days; "calendar_unknown": the
        days of which the calendar does not know the kind}.
    """
    zone, calendar = config.zone, calendar_of(config)
    from_s, to_s = zone.bounds(days[0])[0], zone.bounds(days[-1])[1]
    known = [(snapshot.source, snapshot.clock, part) for snapshot, part in zip(snapshots, parts, strict=True)]
    return {
        "gaps": [
            {
                "source": source,
                "from": zone.iso(gap.from_s),
                "to": zone.iso(gap.to_s),
                "reason": gap.reason,
                "detail": gap.detail,
            }
            for source, _, part in known
            for gap in part.gaps
        ],
        "backfilled": [
            {"source": source, "from": zone.iso(late_s), "to": zone.iso(until_s)}
            for source, _, part in known
            for late_s, until_s in part.backfilled
            if late_s < to_s and until_s > from_s
        ],
        "unknown": {source: dict(clock.unknown) for source, clock, _ in known if clock.unknown},
        "steps_back": {source: clock.steps_back for source, clock, _ in known if clock.steps_back},
        "orphans": orphans,
        "calendar_unknown": [day for day in days if not calendar.day(date.fromisoformat(day)).known],
    }


def asked(
    config: Config,
    text: str,
    now_s: float,
    *,
    minutes: int | None = None,
    threshold_s: int | None = None,
    formula: str | None = None,
    short_s: int | None = None,
) -> tuple[str, str, Ask]:
    """What is asked for on the command line, and by the configuration where the command line does not say.

    Args:
        config: The hotline.
        text: The period, as on the command line.
        now_s: The hotline's clock.
        minutes, threshold_s, formula, short_s: None where not given.

    Returns:
        The first and the last day, and the whole question; grouped as a total.

    Raises:
        ConfigError: The period is not one.
    """
    zone, hall = config.zone, config.hall
    try:
        first, last = period(text, zone.day(int(now_s)))
    except ValueError as exc:
        raise ConfigError(str(exc)) from exc
    ask = Ask(
        zone=zone,
        from_s=zone.bounds(first)[0],
        to_s=zone.bounds(last)[1],
        minutes=minutes or hall.minutes,
        threshold_s=hall.threshold_s if threshold_s is None else threshold_s,
        formula=formula or hall.formula,
        short_s=hall.short_s if short_s is None else short_s,
        site_of_queue=config.site_of_queue,
        site_of_seat=config.site_of_seat,
        queues=config.queue_names,
        seats=config.seat_ids,
        sites=[site.id for site in config.sites],
    )
    return first, last, ask


def standing_of(snapshots: Iterable[Snapshot]) -> Standing:
    """What may be said of sources together."""
    found = {snapshot.standing for snapshot in snapshots}
    return "rebuilding" if "rebuilding" in found else "live" if "live" in found else "no_data"


def sources_of(config: Config, reader: Reader) -> list[str]:
    """The configured sources, and those that something was imported into."""
    names = [source.name for source in config.sources]
    return names + [name for name in reader.sources() if name not in names]


def run_show(
    option: str | None,
    text: str,
    *,
    by: By,
    minutes: int | None,
    threshold_s: int | None,
    formula: str | None,
    short_s: int | None,
    form: str,
    out: Callable[[str], None] = print,
) -> int:
    """Print the counts of a period.

    Args:
        option: `--config`.
        text: The period.
        by, minutes, threshold_s, formula, short_s: As for `counts`.
        form: "table", "json" or "csv".
        out: Takes the text.
    """
    config = configuration(option)
    with open_store(config) as store:
        reader = Reader(store.connect(), config.hotline.id)
        answer = counts(
            config,
            reader,
            text,
            hotline_clock()(),
            by=by,
            minutes=minutes,
            threshold_s=threshold_s,
            formula=formula,
            short_s=short_s,
        )
        uncounted = sorted(set(archived(config.data_dir)) - set(reader.sources()))
        first, _, last = answer["period"].partition("..")
        notes = list(outdated_counts(config, reader, first, last or first))
        reader.client.close()
    if form == "json":
        out(json.dumps({key: answer[key] for key in answer if key not in ASKED}, ensure_ascii=False))
    elif form == "csv":
        out(_csv(answer))
    else:
        out(_text(config, answer))
    if answer["standing"] == "rebuilding":
        print("counts are being made again from the archive; ask again soon", file=sys.stderr)
    elif uncounted:
        print(
            f"archived and not counted: {', '.join(uncounted)}; start its collector, or run: wallboard rebuild",
            file=sys.stderr,
        )
    for name, note in notes:
        print(f"{name}: {note}", file=sys.stderr)
    return 0


def _csv(answer: dict[str, Any]) -> str:
    buffer = io.StringIO()
    rows = answer["rows"]
    columns = ["key", *(column for column in answer["total"])]
    writer = csv.DictWriter(buffer, columns, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    for row in [*rows, {"key": "total", **answer["total"]}] if answer["by"] != "total" else rows:
        writer.writerow({name: safe(row.get(name)) for name in columns})
    return buffer.getvalue().rstrip("\n")


def safe(value: Any) -> Any:
    """A name that a spreadsheet would take for a formula, as text."""
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@") else value


def _text(config: Config, answer: dict[str, Any]) -> str:
    lines = [
        f"{config.hotline.name}  {answer['period']} ({answer['zone']})  as of {answer['as_of'] or '—'}",
        f"SL: {answer['formula']} within {answer['threshold_s']} s; short abandons: {answer['short_s']} s",
    ]
    rows = list(answer["rows"]) if answer["by"] != "total" else []
    last_day = answer["period"].rpartition("..")[2]
    shown = SHOWN_OF_SEATS if answer["by"] == "seat" else SHOWN
    body = [
        [_label(config, answer["by"], row["key"], last_day), *(_cell(row, key) for key, _ in shown)]
        for row in rows
    ]
    body.append(["total", *(_cell(answer["total"], key) for key, _ in shown)])
    head = [answer["by"], *(title for _, title in shown)]
    widths = [max(width(line[i]) for line in [head, *body]) for i in range(len(head))]
    for line in [head, *body]:
        cells = [pad(line[0], widths[0], left=True), *map(pad, line[1:], widths[1:])]
        lines.append("  ".join(cells).rstrip())
    total = answer["total"]
    if total["legs"] is not None and total["legs"] != total["offered"]:
        lines.append(
            f"{total['offered']} calls had {total['legs']} legs; {total['multi_site']} at several sites"
        )
    return "\n".join([*lines, *_notes(answer["quality"])])


def _notes(quality: dict[str, Any]) -> list[str]:
    """A line a gap, and a line a stretch that was read later."""
    notes = [
        f"gap {_stretch(gap)}  {printable(gap['source'])}: {REASONS[gap['reason']][1]}"
        + (f" ({printable(gap['detail'])})" if gap["detail"] else "")
        for gap in quality["gaps"]
    ]
    late = [f"read later {_stretch(one)}  {printable(one['source'])}" for one in quality["backfilled"]]
    return [line for some in (notes, late) for line in _capped(some)]


def _capped(lines: list[str]) -> list[str]:
    more = len(lines) - NOTES_AT_MOST
    return [*lines[:NOTES_AT_MOST], f"and {more} more"] if more > 0 else lines


def _stretch(of: dict[str, Any]) -> str:
    """From when to when; the day once where it is one.

    >>> _stretch({"from": "2026-11-23T09:40:00+08:00", "to": "2026-11-23T10:05:30+08:00"})
    '2026-11-23 09:40:00–10:05:30'
    """
    start, end = (of[name][:19].replace("T", " ") for name in ("from", "to"))
    return f"{start}–{end[11:] if start[:10] == end[:10] else end}"


def _label(config: Config, by: str, key: str, day: str) -> str:
    """What a row is called on a day; names are text of a stranger, who must not steer the terminal."""
    label = key
    if by == "queue":
        name = config.label_of_queue(key, day)
        label = f"{name} ({key})" if name != key else key
    elif by == "seat":
        name = config.label_of_seat(key, day)
        label = f"{key} {name}" if name != key else key
    elif by == "site":
        label = "unassigned" if key == UNASSIGNED else config.site_name(key)
    elif by == "slot":
        label = key[:16].replace("T", " ")
    return printable(label)


def printable(text: str) -> str:
    """A stranger's text as it may be shown on a terminal."""
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)


def _cell(row: dict[str, Any], key: str) -> str:
    value = row.get(key)
    if value is None:
        return "—"
    if key in ("service_level", "answer_rate", "occupancy"):
        return f"{100 * value:.1f} %"
    return f"{value:.1f}" if isinstance(value, float) else str(value)


def width(text: str) -> int:
    """Columns of a terminal that a text takes."""
    return sum(2 if ord(char) > 0x2E7F else 1 for char in text)


def pad(text: str, columns: int, *, left: bool = False) -> str:
    """A text as wide as a column."""
    space = " " * (columns - width(text))
    return text + space if left else space + text


BYS: Sequence[str] = ("total", "queue", "seat", "site", "slot", "day")
