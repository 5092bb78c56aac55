"""Counts -> the rows of a table: by total, queue, seat, site, slot or day.

Pure. What `wallboard show` prints, and what pages and reports show later, is this one table. Fates are counted in
the slot of the offer, work in the slot in which it was done; a total counts calls, a queue's row legs, and a site's
row the calls that had a leg in one of its queues.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from dashboard.core.calls import WAITING, Call, apply_counts, call_counts, call_fate, waited_s
from dashboard.core.counts import CALLS, FATE_COLUMNS, QUEUE, SEAT, SEAT_COLUMNS, F, S, join
from dashboard.core.days import SLOT_S, Zone, regroup
from dashboard.core.gaps import Gap, Span
from dashboard.core.metrics import METRICS, service_level, waits

By = Literal["total", "queue", "seat", "site", "slot", "day"]
BYS: tuple[By, ...] = ("total", "queue", "seat", "site", "slot", "day")

Key = tuple[str, str, int]
Row = list[int]

COUNT_COLUMNS = tuple(
    column for column in FATE_COLUMNS if not column.startswith(("answered_wait_", "abandoned_wait_"))
)
WORK_COLUMNS = ("answers", "talk_done_s", "hold_done_s", "wrap_done_s")
SEAT_ONLY = tuple(column for column in SEAT_COLUMNS if column not in WORK_COLUMNS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Observes:
    """What a source can see; what nobody sees is null.

    Attributes:
        hold: Holds.
        wrap: Some queue has a configured time of wrap-up.
        refused_from_s: Refusals are told from this time on; None: not at all.
    """

    hold: bool = False
    wrap: bool = False
    refused_from_s: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One source's counts of a period, as they stand at its `as_of_s`.

    Attributes:
        rows: By (kind, id, slot).
        open_calls: Calls waiting or in conversation at `as_of_s`.
        multi: Calls with more than one leg, of the period's days.
        coverage: Spans [from, to) in epoch seconds.
        as_of_s: min(now, end of coverage); None where nothing is covered.
        observes: What the source can see.
        gaps: What it does not cover, between its first and its last second, with reasons; the period's.
        backfilled: Spans that were read later, and are covered by that.
    """

    rows: Mapping[Key, Row]
    open_calls: Sequence[Call]
    multi: Sequence[Call]
    coverage: Sequence[tuple[int, int]]
    as_of_s: int | None
    observes: Observes
    gaps: Sequence[Gap] = ()
    backfilled: Sequence[Span] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """What is asked for.

    Attributes:
        zone: The hotline's.
        from_s, to_s: The period, its end not in it.
        by: How rows are grouped.
        minutes: Length of the rows of `slot`.
        threshold_s, formula, short_s: Of the service level and of short abandons.
        site_of_queue, site_of_seat: (name, day) -> site's id, at that day.
        queues, seats, sites: Configured ones: they have a row even when nothing happened.
    """

    zone: Zone
    from_s: int
    to_s: int
    by: By = "total"
    minutes: int = 30
    threshold_s: int = 15
    formula: str = "of_offered"
    short_s: int = 5
    site_of_queue: Callable[[str, str], str] = lambda _queue, _day: "shared"
    site_of_seat: Callable[[str, str], str] = lambda _seat, _day: "shared"
    queues: Sequence[str] = ()
    seats: Sequence[str] = ()
    sites: Sequence[str] = ()


@dataclass(slots=True)
class _Group:
    """What a row of the table is made of."""

    fates: list[Row] = field(default_factory=list)
    works: list[Row] = field(default_factory=list)
    spans: list[tuple[int, int]] = field(default_factory=list)
    waiting: int = 0
    waiting_beyond: int = 0
    legs: int = 0
    multi_site: int = 0
    open: bool = False


def table(ask: Ask, parts: Sequence[Part]) -> dict[str, Any]:
    """Make the table.

    Args:
        ask: What is asked for.
        parts: One a source.

    Returns:
        {"rows": [one object a group, each with "key" and the columns], "total": one object, without "key"}. Counts
        are whole numbers, None where nothing covers them or nobody observes the column; averages and ratios are
        unrounded.

    Raises:
        ValueError: A threshold is no edge of the histogram, or the formula is not known.
    """
    groups: dict[str, _Group] = {}
    for key in _expected(ask):
        groups[key] = _Group()
    total = _Group(spans=[(ask.from_s, ask.to_s)])
    for part in parts:
        _add_rows(ask, part, groups, total)
        _add_waiting(ask, part, groups, total)
    if ask.by == "site":
        _count_site_calls(ask, parts, groups)
    total.multi_site = sum(
        1
        for part in parts
        for call in part.multi
        if _in(ask, _offered_s(call)) and len(_sites(ask, call)) > 1
    )
    seats_only = ask.by == "seat"
    rows = []
    unexpected = sorted(groups.keys() - set(_expected(ask)))
    for key in [*_expected(ask), *unexpected]:
        group = groups[key]
        group.spans = _spans(ask, key)
        rows.append(
            {
                "key": _key_text(ask, key),
                **_columns(ask, group, parts, seats_only=seats_only, with_seats=ask.by != "queue"),
            }
        )
    summary = _columns(ask, total, parts, seats_only=False, with_seats=True)
    summary["legs"] = total.legs if summary["offered"] is not None else None
    summary["multi_site"] = total.multi_site if summary["offered"] is not None else None
    return {"rows": rows, "total": summary}


def _in(ask: Ask, at_s: int | None) -> bool:
    return at_s is not None and ask.from_s <= at_s < ask.to_s


def _offered_s(call: Call) -> int | None:
    return next((leg.offered_s for leg in call.legs if leg.offered_s is not None), None)


def _sites(ask: Ask, call: Call) -> set[str]:
    return {
        ask.site_of_queue(leg.queue, ask.zone.day(leg.offered_s))
        for leg in call.legs
        if leg.offered_s is not None
    }


def _expected(ask: Ask) -> list[str]:
    """The groups that are there even when nothing happened, in their order."""
    match ask.by:
        case "total":
            return ["total"]
        case "queue":
            return list(ask.queues)
        case "seat":
            return list(ask.seats)
        case "site":
            return list(ask.sites)
        case "day":
            return [day for day, _ in days_between(ask.zone, ask.from_s, ask.to_s)]
    slots: dict[str, None] = {}
    for _, (start_s, end_s) in days_between(ask.zone, ask.from_s, ask.to_s):
        for slot in range(start_s, end_s, SLOT_S):
            slots[str(regroup(slot, ask.minutes, ask.zone))] = None
    return list(slots)


def days_between(zone: Zone, from_s: int, to_s: int) -> Iterable[tuple[str, tuple[int, int]]]:
    """The days of a period with their bounds."""
    at_s = from_s
    while at_s < to_s:
        day = zone.day(at_s)
        bounds = zone.bounds(day)
        yield day, bounds
        at_s = bounds[1]


def _spans(ask: Ask, key: str) -> list[tuple[int, int]]:
    """The stretches of time that a group is of."""
    if ask.by == "day":
        return [ask.zone.bounds(key)]
    if ask.by == "slot":
        start = int(key)
        end = start
        while end < ask.to_s and regroup(end, ask.minutes, ask.zone) == start:
            end += SLOT_S
        return [(start, end)]
    return [(ask.from_s, ask.to_s)]


def _key_text(ask: Ask, key: str) -> str:
    return ask.zone.iso(int(key)) if ask.by == "slot" else key


def _group_of(ask: Ask, kind: str, ident: str, slot: int) -> str | None:
    match ask.by:
        case "total":
            return "total" if kind == CALLS else None
        case "queue":
            return ident if kind == QUEUE else None
        case "seat":
            return ident if kind == SEAT else None
        case "site":
            return ask.site_of_queue(ident, ask.zone.day(slot)) if kind == QUEUE else None
        case "day":
            return ask.zone.day(slot) if kind == CALLS else None
    return str(regroup(slot, ask.minutes, ask.zone)) if kind == CALLS else None


def _add_rows(ask: Ask, part: Part, groups: dict[str, _Group], total: _Group) -> None:
    for (kind, ident, slot), row in part.rows.items():
        if not ask.from_s <= slot < ask.to_s:
            continue
        if kind == CALLS:
            total.fates.append(row)
        elif kind == QUEUE:
            total.legs += row[F["offered"]]
        elif kind == SEAT:
            total.works.append(row)
            if ask.by == "site":
                site = ask.site_of_seat(ident, ask.zone.day(slot))
                groups.setdefault(site, _Group()).works.append(row)
        key = _group_of(ask, kind, ident, slot)
        if key is not None:
            group = groups.setdefault(key, _Group())
            (group.works if kind == SEAT else group.fates).append(row)
        if kind == SEAT and ask.by in ("slot", "day"):
            when = ask.zone.day(slot) if ask.by == "day" else str(regroup(slot, ask.minutes, ask.zone))
            groups.setdefault(when, _Group()).works.append(row)
        elif kind == SEAT and ask.by == "total":
            groups["total"].works.append(row)


def _add_waiting(ask: Ask, part: Part, groups: dict[str, _Group], total: _Group) -> None:
    """Undecided calls (legs, by queue), and those of them that have waited beyond the threshold."""
    now_s = part.as_of_s or 0
    for call in part.open_calls:
        offered_s = _offered_s(call)
        deciding = call_fate(call.legs)
        waiting = deciding is not None and deciding.fate == WAITING and _in(ask, offered_s)
        if waiting and offered_s is not None:
            beyond = waited_s(call.legs, now_s) > ask.threshold_s
            key = _group_of(ask, CALLS, "", offered_s - offered_s % SLOT_S)
            for group in (total, groups.get(key) if key else None):
                if group is not None:
                    group.waiting += 1
                    group.waiting_beyond += beyond
                    group.open = True
        if ask.by == "queue":
            for leg in call.legs:
                if leg.fate == WAITING and _in(ask, leg.offered_s):
                    group = groups.setdefault(leg.queue, _Group())
                    group.waiting += 1
                    group.waiting_beyond += now_s - (leg.offered_s or 0) > ask.threshold_s
                    group.open = True
        elif ask.by == "site":
            for site in _sites(ask, call):
                legs = _legs_at(ask, call, site)
                deciding = call_fate(legs)
                if deciding is not None and deciding.fate == WAITING and _in(ask, legs[0].offered_s):
                    group = groups.setdefault(site, _Group())
                    group.waiting += 1
                    group.waiting_beyond += waited_s(legs, now_s) > ask.threshold_s
                    group.open = True


def _legs_at(ask: Ask, call: Call, site: str) -> list[Any]:
    return [
        leg
        for leg in call.legs
        if leg.offered_s is not None and ask.site_of_queue(leg.queue, ask.zone.day(leg.offered_s)) == site
    ]


def _count_site_calls(ask: Ask, parts: Sequence[Part], groups: dict[str, _Group]) -> None:
    """Make of the legs of a site its calls: where one call has several legs there, it counts once."""
    for part in parts:
        for call in part.multi:
            for site in _sites(ask, call):
                legs = _legs_at(ask, call, site)
                if len(legs) < 2:
                    continue
                correction = [0] * len(FATE_COLUMNS)
                for leg in legs:
                    if _in(ask, leg.offered_s):
                        apply_counts(correction, call_counts([leg]), {})
                if _in(ask, legs[0].offered_s):
                    apply_counts(correction, {}, call_counts(legs))
                correction[F["abandoned_after_answer"]] = 0  # counts legs: its queues' rows have them all
                groups.setdefault(site, _Group()).fates.append(correction)


def covered_s(coverage: Iterable[tuple[int, int]], as_of_s: int | None, from_s: int, to_s: int) -> int:
    """Seconds of a stretch that one source covers, up to its as_of."""
    total = 0
    for start_s, end_s in coverage:
        total += max(0, min(to_s, end_s, as_of_s or 0) - max(from_s, start_s))
    return total


def _gap_s(group: _Group, parts: Sequence[Part]) -> int | None:
    """Seconds of a group's past in which some source is missing; None of the future, and before the first began."""
    missing: set[tuple[int, int]] = set()
    begun = False
    for part in parts:
        for from_s, to_s in group.spans:
            to_s = min(to_s, part.as_of_s or 0)
            if from_s >= to_s or not part.coverage or min(part.coverage)[0] >= to_s:
                continue
            begun = True
            for start_s, end_s in sorted(part.coverage):
                if from_s < start_s:
                    missing.add((from_s, min(start_s, to_s)))
                from_s = max(from_s, end_s)
            if from_s < to_s:
                missing.add((from_s, to_s))
    gap_s = reached_s = 0
    for from_s, to_s in sorted(missing):
        gap_s += max(0, to_s - max(from_s, reached_s))
        reached_s = max(reached_s, to_s)
    return gap_s if begun else None


def _columns(
    ask: Ask, group: _Group, parts: Sequence[Part], *, seats_only: bool, with_seats: bool
) -> dict[str, Any]:
    fates = join(CALLS, group.fates)
    works = join(SEAT, group.works)
    covered = sum(
        covered_s(part.coverage, part.as_of_s, from_s, to_s) for part in parts for from_s, to_s in group.spans
    )
    known = covered > 0 or bool(group.fates) or bool(group.works)
    row: dict[str, Any] = {}
    for column in COUNT_COLUMNS:
        row[column] = fates[F[column]] if known and not seats_only else None
    for column in WORK_COLUMNS:
        from_seats = works[S[column]] if seats_only else fates[F[column]]
        row[column] = from_seats if known else None
    for column in SEAT_ONLY:
        row[column] = works[S[column]] if known and with_seats else None
    if ask.by == "site":
        row["seat_answers"] = works[S["answers"]] if known else None
    _hide_unobserved(row, group, parts)
    row["waiting"] = group.waiting if known and not seats_only else None
    measured = waits(fates, ask.threshold_s, ask.short_s, group.waiting_beyond)
    row["abandoned_short"] = measured.abandoned_short if known and not seats_only else None
    within, of = service_level(ask.formula, measured)
    row["service_level_within"] = within if known and not seats_only else None
    row["service_level_of"] = of if known and not seats_only else None
    for metric in METRICS:
        row[metric.key] = metric.value(row)
    row["gap_s"] = _gap_s(group, parts)
    row["open"] = group.open
    return row


def _hide_unobserved(row: dict[str, Any], group: _Group, parts: Sequence[Part]) -> None:
    if not any(part.observes.hold for part in parts):
        row["hold_s"] = row["hold_done_s"] = None
    if not any(part.observes.wrap for part in parts):
        row["wrap_s"] = row["wrap_done_s"] = None
    seen_from = [part.observes.refused_from_s for part in parts if part.observes.refused_from_s is not None]
    if not seen_from or all(min(seen_from) >= to_s for _, to_s in group.spans):
        row["refused"] = None
