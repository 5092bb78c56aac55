"""`wallboard calls`: the calls behind a number of `wallboard show`."""

import csv
import io
import json
import sys
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from dashboard.commands.context import configuration, open_store
from dashboard.commands.process import hotline_clock
from dashboard.commands.show import asked, pad, printable, safe, sources_of, standing_of, width
from dashboard.config import SHARED, UNASSIGNED, Config
from dashboard.core.calls import Leg, call_fate, call_wait_s
from dashboard.core.days import SLOT_S, Zone, regroup
from dashboard.core.opened import OF_TOTAL, OUTCOMES, Opened, Where, figures, opened
from dashboard.core.table import Ask, covered_s, days_between
from dashboard.errors import ConfigError
from dashboard.store.reader import Reader, Snapshot, calls_of, rules_of

DAY_S = 86_400

LEG_COLUMNS = (
    *("queue", "offered", "fate", "reason", "wait_s", "until", "seat", "ended", "talk_s", "wrap_s", "cut"),
    "meant",
)
CALL_COLUMNS = ("source", "callid", "at", "origin", "fate", "wait_s")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which calls are asked for.

    Attributes:
        outcome: A column of `show`: calls that add something to it. None: every call of the row.
        queue, seat, site: As in the rows of `show`.
        slot: "HH:MM" of a single day, or a slot's key as `show --by slot` prints it.
        by_work: By the time of the answer and the conversation, instead of the offer.
    """

    outcome: str | None = None
    queue: str | None = None
    seat: str | None = None
    site: str | None = None
    slot: str | None = None
    by_work: bool = False

    def column(self) -> str:
        """The column whose calls are listed.

        Raises:
            ConfigError: There is no such column, or it has no calls in such a row.
        """
        works = self.by_work or self.seat is not None
        column = self.outcome or ("answers" if works else "offered")
        if column not in OUTCOMES:
            raise ConfigError(f'"{column}" is not an outcome; allowed: {", ".join(OUTCOMES)}')
        if works and column != "answers":
            raise ConfigError(
                f"--seat and --by-work mean work, and {column} is a fate: leave out --outcome, or the other"
            )
        return column


def listed(
    config: Config, reader: Reader, text: str, now_s: float, wanted: Wanted, **how: Any
) -> dict[str, Any]:
    """The answer of `calls`, as a value.

    Args:
        config: The hotline.
        reader: Where from.
        text: The period, as on the command line.
        now_s: The hotline's clock.
        wanted: Which calls.
        how: minutes, threshold_s, formula, short_s; of the configuration where not given.

    Returns:
        {"period", "zone", "as_of", "standing", "outcome", "figures", "uncovered", "calls"}: the figures are those
        that `show` has of the row, made from all of its calls; uncovered are the days of which nothing is known.

    Raises:
        ConfigError: The period, the slot, the outcome, a threshold or the formula is not one.
        StoreUnavailable: Redis does not answer.
    """
    column = wanted.column()
    first, last, ask = asked(config, text, now_s, **how)
    days = [day for day, _ in days_between(ask.zone, ask.from_s, ask.to_s)]
    if wanted.slot is not None:
        ask = _slot_of(ask, wanted.slot)
    rules = rules_of(config)
    around_days = 1 + -(-(rules.waiting_limit_s + rules.talking_limit_s) // DAY_S)
    asked_days = [ask.zone.shift_days(first, -n) for n in range(around_days, 0, -1)]
    asked_days += [*days, ask.zone.shift_days(last, 1)]
    snapshots = [reader.snapshot(name, [], asked_days) for name in sources_of(config, reader)]
    sources = [calls_of(snapshot, rules, now_s) for snapshot in snapshots if snapshot.generation]
    where = Where(ask=ask, queue=wanted.queue, site=wanted.site, seat=wanted.seat)
    try:
        found = opened(where, sources)
    except ValueError as exc:
        raise ConfigError(str(exc)) from exc
    if not found:
        _refuse_unknown(config, wanted)
    made = figures(found, seat=wanted.seat is not None)
    if (wanted.queue, wanted.site, wanted.seat) == (None, None, None):
        made = {**dict.fromkeys(OF_TOTAL, 0), **made}
    columns = {column, "talk_done_s"} if wanted.by_work and wanted.outcome is None else {column}
    chosen = [one for one in found if columns & one.adds.keys()]
    as_of = [one.as_of_s for one in sources if one.as_of_s is not None]
    return {
        "period": first if first == last else f"{first}..{last}",
        "zone": ask.zone.name,
        "as_of": ask.zone.iso(max(as_of)) if as_of else None,
        "standing": standing_of(snapshots),
        "outcome": column,
        "figures": made,
        "uncovered": _uncovered(ask, days, snapshots, now_s),
        "calls": [_record(ask, one, one.worked if column == "answers" else one.meant) for one in chosen],
    }


def _refuse_unknown(config: Config, wanted: Wanted) -> None:
    """A name that nothing was found of, and that the configuration does not know either, is a slip."""
    sites = [*(site.id for site in config.sites), SHARED, UNASSIGNED]
    for what, name, known in (
        ("queue", wanted.queue, config.queue_names),
        ("seat", wanted.seat, config.seat_ids),
        ("site", wanted.site, sites),
    ):
        if name is not None and name not in known:
            there = printable(", ".join(known)) or "none"
            raise ConfigError(f"there is no {what} {printable(name)!r} in the period; configured: {there}")


def _slot_of(ask: Ask, text: str) -> Ask:
    """The period, narrowed to one slot."""
    zone = ask.zone
    try:
        if len(text) == 5:
            start_s = next(
                slot for slot in range(ask.from_s, ask.to_s, SLOT_S) if f"{zone.local(slot):%H:%M}" == text
            )
        else:
            start_s = int(datetime.fromisoformat(text).astimezone(zone.local(ask.from_s).tzinfo).timestamp())
        if not ask.from_s <= start_s < ask.to_s or regroup(start_s, ask.minutes, zone) != start_s:
            raise ValueError
    except (ValueError, StopIteration, OverflowError):
        raise ConfigError(
            f'slot "{text[:40]}" does not begin in the period; write one as 09:00, or as `wallboard show --by slot '
            f"--minutes {ask.minutes}` prints it"
        ) from None
    if len(text) == 5 and zone.day(ask.from_s) != zone.day(ask.to_s - 1):
        raise ConfigError(
            f"slot {text} is of several days: ask for one day, or write the slot as `show` prints it"
        )
    end_s = start_s
    while end_s < ask.to_s and regroup(end_s, ask.minutes, zone) == start_s:
        end_s += SLOT_S
    return replace(ask, from_s=start_s, to_s=end_s)


def _uncovered(ask: Ask, days: Sequence[str], snapshots: Sequence[Snapshot], now_s: float) -> list[str]:
    """The days of a period, so far, of which nothing is there."""
    found = []
    for day in days:
        from_s, to_s = ask.zone.bounds(day)
        known = any(day in one.stamps or covered_s(one.coverage, to_s, from_s, to_s) for one in snapshots)
        if from_s <= now_s and not known:
            found.append(day)
    return found


def _record(ask: Ask, one: Opened, meant: Collection[int]) -> dict[str, Any]:
    """One call, as JSON has it, with the legs that are meant; no caller's number is known here."""

    def iso(at_s: int | None) -> str | None:
        return None if at_s is None else ask.zone.iso(at_s)

    def leg_of(index: int, leg: Leg) -> dict[str, Any]:
        values = (
            *(leg.queue, iso(leg.offered_s), leg.fate, leg.reason, leg.wait_s, iso(leg.until_s), leg.seat),
            *(iso(leg.ended_s), leg.talk_s, leg.wrap_s, leg.cut, index in meant),
        )
        return dict(zip(LEG_COLUMNS, values, strict=True))

    call = one.call
    deciding = call_fate(call.legs)
    wait_s = 0 if deciding is None else call_wait_s(call.legs, deciding)
    return {
        "source": one.source,
        "callid": call.callid,
        "at": iso(call.at_s),
        "origin": call.origin,
        "fate": None if deciding is None else deciding.fate,
        # Of one that waits, or was lost, there may be nothing known: that is no 0.
        "wait_s": wait_s if wait_s or (deciding is not None and deciding.wait_s is not None) else None,
        "legs": [leg_of(index, leg) for index, leg in enumerate(call.legs)],
    }


def run_calls(
    option: str | None,
    text: str,
    wanted: Wanted,
    *,
    form: str,
    out: Callable[[str], None] = print,
    **how: Any,
) -> int:
    """Print the calls behind a number.

    Args:
        option: `--config`.
        text: The period.
        wanted: Which calls.
        form: "table", "json" or "csv".
        out: Takes the text.
        how: As for `listed`.
    """
    config = configuration(option)
    with open_store(config) as store:
        reader = Reader(store.connect(), config.hotline.id)
        answer = listed(config, reader, text, hotline_clock()(), wanted, **how)
        reader.client.close()
    if form == "json":
        out(json.dumps(answer, ensure_ascii=False))
    elif form == "csv":
        out(_csv(answer))
    else:
        out(_text(config, answer))
    if answer["standing"] == "rebuilding":
        print("counts are being made again from the archive; ask again soon", file=sys.stderr)
    elif answer["uncovered"]:
        print(f"nothing is known of: {_stretches(answer['uncovered'])}", file=sys.stderr)
    return 0


def _stretches(days: Sequence[str]) -> str:
    """Days as stretches, A..B."""
    found: list[list[str]] = []
    for day in days:
        if found and Zone.shift_days(found[-1][-1], 1) == day:
            found[-1].append(day)
        else:
            found.append([day])
    return ", ".join(some[0] if len(some) == 1 else f"{some[0]}..{some[-1]}" for some in found)


def _csv(answer: dict[str, Any]) -> str:
    """One line a leg."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow([*CALL_COLUMNS, *(f"leg_{column}" for column in LEG_COLUMNS)])
    for call in answer["calls"]:
        for leg in call["legs"]:
            values = [call[column] for column in CALL_COLUMNS] + [leg[column] for column in LEG_COLUMNS]
            writer.writerow(map(safe, values))
    return buffer.getvalue().rstrip("\n")


def _text(config: Config, answer: dict[str, Any]) -> str:
    head = ["at", "call", "origin", "queue", "fate", "wait s", "seat", "talk s", "wrap s"]
    body: list[list[str]] = []
    for call in answer["calls"]:
        first = [call["at"][:19].replace("T", " "), call["callid"], call["origin"] or "—"]
        for leg in call["legs"]:
            fate = (
                leg["fate"] + (f" {leg['reason']}" if leg["reason"] else "") + (" cut" if leg["cut"] else "")
            )
            known = (leg["wait_s"], leg["seat"], leg["talk_s"], leg["wrap_s"])
            wait_s, seat, talk_s, wrap_s = ("—" if value is None else str(value) for value in known)
            offer = "" if leg["offered"] is not None else " (offer not seen)"
            body.append([*first, leg["queue"] + offer, fate, wait_s, seat, talk_s, wrap_s])
            first = ["", "", ""]
    lines = [f"{config.hotline.name}  {answer['period']} ({answer['zone']})  as of {answer['as_of'] or '—'}"]
    lines += _columns([head, *body], left={0, 1, 2, 3, 4, 6})
    legs = sum(leg["meant"] for call in answer["calls"] for leg in call["legs"])
    lines.append(f"{len(answer['calls'])} calls, {legs} legs: {answer['outcome']} {_figure(answer)}")
    return "\n".join(lines)


def _figure(answer: dict[str, Any]) -> int:
    figure: int = answer["figures"].get(answer["outcome"], 0)
    return figure


def _columns(rows: Sequence[Sequence[str]], left: Collection[int]) -> list[str]:
    shown = [[printable(cell) for cell in row] for row in rows]
    widths = [max(width(row[index]) for row in shown) for index in range(len(shown[0]))]
    return [
        "  ".join(pad(cell, widths[index], left=index in left) for index, cell in enumerate(row)).rstrip()
        for row in shown
    ]
