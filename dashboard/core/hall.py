"""Today's counts -> what the hall's screen shows.

Pure. Comes in: each source's counts as they stand now, the averages of comparable days, what the configuration
says. Goes out: a `HallView`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from dashboard.core.calendar import Calendar, DayKind
from dashboard.core.calls import WAITING, Leg, waited_s
from dashboard.core.counts import CALLS, SEAT, F, S, join
from dashboard.core.days import SLOT_S, Zone, regroup
from dashboard.core.metrics import ratio, service_level, waits
from dashboard.core.seats import PAUSED, SIGNED_OUT, UNKNOWN, Seat, shown
from dashboard.core.table import Part, covered_s
from dashboard.core.views import HallView, Opening, SeatView, SlotView, SourceView, Standing

DAY_KINDS = {"workday": "workday", "rest": "rest_day", "holiday": "holiday", "makeup": "make_up_workday"}
GAP_SHARE = 0.01
"""A slot with a larger share of it not covered is drawn as a gap, and left out of averages."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Averages:
    """Mean answers of the comparable days.

    Attributes:
        by_minute: Minute of the local day at which a 15-minute slot begins -> mean answers in it.
        days: How many days they are of.
        widened: Too few had the same phase; any phase was taken.
        known: The calendar knows the day and all of those.
    """

    by_minute: Mapping[int, float]
    days: int
    widened: bool
    known: bool


NO_AVERAGES = Averages(by_minute={}, days=0, widened=False, known=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class SeatLine:
    """A seat as the configuration knows it: its id, the name shown, its site's short name."""

    id: str
    label: str
    site: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HallSettings:
    """What the configuration says of the hall's screen; see `docs/configure.md`."""

    name: str
    language: str
    zone: Zone
    minutes: int
    threshold_s: int
    formula: str
    short_s: int
    target_service_level: float
    target_wait_s: int
    paused_too_long_s: int
    hours_on: Callable[[int], Sequence[tuple[int, int]]]
    always_open: bool
    seat_lines: Callable[[str], Sequence[SeatLine]]
    line_of: Callable[[str, str], SeatLine]
    known_queues: frozenset[str]
    moved_clock: bool = False


def averages(zone: Zone, days: Sequence[tuple[str, Part]], *, widened: bool, known: bool) -> Averages:
    """Mean answers per slot by the local clock over some days; a slot with a gap is left out.

    Args:
        zone: The hotline's.
        days: (day, counts of that day) of each day and source.
        widened, known: Passed on.
    """
    sums: dict[int, dict[str, int]] = {}
    for day, part in days:
        for slot in zone.slots(day):
            if covered_s(part.coverage, part.as_of_s, slot, slot + SLOT_S) < SLOT_S * (1 - GAP_SHARE):
                continue
            row = part.rows.get((CALLS, "", slot))
            of_day = sums.setdefault(zone.minute_of_day(slot), {})
            of_day[day] = of_day.get(day, 0) + (_at(row, F["answers"]) if row else 0)
    by_minute = {minute: sum(of_day.values()) / len(of_day) for minute, of_day in sums.items()}
    return Averages(by_minute=by_minute, days=len({day for day, _ in days}), widened=widened, known=known)


def _at(row: Sequence[int], index: int) -> int:
    return row[index] if index < len(row) else 0


def hall_view(
    settings: HallSettings,
    calendar: Calendar,
    parts: Sequence[Part],
    seats: Sequence[Mapping[str, Seat]],
    average: Averages,
    sources: Sequence[SourceView],
    now_s: float,
    standing: Standing,
) -> HallView:
    """Make the hall's view.

    Args:
        settings: Of the screen.
        calendar: Of the hotline.
        parts: Today's counts as they stand now, one a source.
        seats: Seat id -> seat as it stands now, one mapping a source that sees seats.
        average: Of comparable days.
        sources: Their ages.
        now_s: The hotline's clock, epoch seconds.
        standing: Whether counts are there at all.
    """
    zone, now = settings.zone, int(now_s)
    day = zone.day(now)
    start_s, end_s = zone.bounds(day)
    kind = calendar.day(zone.local(now).date())
    known = standing == "live" and any(
        covered_s(part.coverage, part.as_of_s, start_s, end_s) > 0 for part in parts
    )
    ranges = _ranges(settings, kind, zone.local(now).weekday())
    rows: dict[int, list[list[int]]] = {}
    for part in parts:
        for (row_kind, _, slot), row in part.rows.items():
            if row_kind == CALLS and start_s <= slot < end_s:
                rows.setdefault(slot, []).append(row)
    by_slot = {slot: join(CALLS, found) for slot, found in rows.items()}
    today = join(CALLS, by_slot.values())
    oldest_s, beyond, beyond_target, open_slots = _waiting(settings, parts, start_s, end_s)
    talking = sum(1 for part in parts for call in part.open_calls if any(leg.talking for leg in call.legs))
    waiting_all = [
        leg for part in parts for call in part.open_calls for leg in call.legs if leg.fate == WAITING
    ]
    measured = waits(today, settings.threshold_s, settings.short_s, beyond)
    slot_start = regroup(zone.slot(now), settings.minutes, zone)
    slots = _slots(settings, parts, by_slot, average, open_slots, day, now, known)
    running = next((slot for slot in slots if slot.start_s == slot_start), None)
    slot_answers = sum(
        row[F["answers"]]
        for slot, row in by_slot.items()
        if regroup(slot, settings.minutes, zone) == slot_start
    )
    cells = _seats(settings, seats, day, now, known)
    return HallView(
        name=settings.name,
        language=settings.language,
        now_s=now_s,
        moved_clock=settings.moved_clock,
        day=day,
        day_kind=DAY_KINDS[kind.kind],
        phase=kind.phase,
        calendar_known=kind.known and average.known,
        standing=standing,
        opening=_opening(ranges, zone.minute_of_day(now)),
        opens_s=_opens_s(zone, ranges, day, now),
        answers_today=today[F["answers"]] if known else None,
        answers_comparable=_by_now(settings, average, day, now),
        comparable_days=average.days,
        comparable_widened=average.widened,
        talking_now=talking if known else None,
        slot_start_s=slot_start,
        slot_end_s=_slot_end(zone, slot_start, settings.minutes),
        answers_slot=slot_answers if known else None,
        average_slot=running.average
        if running
        else _slot_average(zone, average, slot_start, settings.minutes),
        answers_per_seat=_per_seat(parts, today[F["answers"]], start_s, end_s) if known else None,
        waiting_now=len(waiting_all) if known else None,
        waiting_since_s=oldest_s if known else None,
        waiting_beyond=beyond_target,
        offered=today[F["offered"]] if known else None,
        answered=today[F["answered"]] if known else None,
        abandoned=today[F["abandoned"]] if known else None,
        overflowed=today[F["overflowed"]] if known else None,
        lost=today[F["lost"]] if known else None,
        service_level=service_level(settings.formula, measured) if known else None,
        formula=settings.formula,
        threshold_s=settings.threshold_s,
        target_service_level=settings.target_service_level,
        target_wait_s=settings.target_wait_s,
        minutes=settings.minutes,
        slots=slots,
        seats=cells,
        sources=tuple(sources),
        unassigned_queues=_unassigned(settings, parts, start_s),
    )


def _waiting(
    settings: HallSettings, parts: Sequence[Part], start_s: int, end_s: int
) -> tuple[int | None, int, int, set[int]]:
    """(when the longest waiting entered, calls of today beyond T, beyond the target, slots with undecided calls)."""
    beyond = beyond_target = 0
    oldest_s: int | None = None
    open_slots: set[int] = set()
    for part in parts:
        now_s = part.as_of_s or 0
        for call in part.open_calls:
            entered: list[Leg] = [
                leg for leg in call.legs if leg.fate == WAITING and leg.offered_s is not None
            ]
            if not entered:
                continue
            first_s = min(leg.offered_s or 0 for leg in entered)
            oldest_s = first_s if oldest_s is None else min(oldest_s, first_s)
            waited = waited_s(call.legs, now_s)
            beyond_target += waited > settings.target_wait_s
            offered_s = next(leg.offered_s for leg in call.legs if leg.offered_s is not None)
            if start_s <= offered_s < end_s and not any(leg.fate == "answered" for leg in call.legs):
                beyond += waited > settings.threshold_s
                open_slots.add(offered_s - offered_s % SLOT_S)
    return oldest_s, beyond, beyond_target, open_slots


def _chart_bounds(
    settings: HallSettings, by_slot: Mapping[int, list[int]], day: str, now: int
) -> tuple[int, int]:
    """From the first to the last opening hour, wider where calls were; the whole day without hours."""
    zone = settings.zone
    start_s, end_s = zone.bounds(day)
    if settings.always_open:
        return start_s, end_s
    ranges = list(settings.hours_on(zone.local(now).weekday()))
    if not ranges:
        # A rest day is drawn over the hours of the others, so that the picture keeps its shape.
        ranges = [hours for weekday in range(7) for hours in settings.hours_on(weekday)]
    if not ranges:
        return start_s, end_s
    first_min, last_min = min(a for a, _ in ranges), max(b for _, b in ranges)
    step_s = settings.minutes * 60
    inside = [slot for slot in zone.slots(day) if first_min <= zone.minute_of_day(slot) < last_min]
    busy = [slot for slot, row in by_slot.items() if row[F["answers"]] or row[F["offered"]]]
    low = min([*inside[:1], *busy], default=start_s)
    high = max([*inside[-1:], *busy], default=end_s - SLOT_S) + SLOT_S
    low = regroup(low, settings.minutes, zone)
    return max(start_s, low), min(end_s, max(high, low + step_s))


def _slots(
    settings: HallSettings,
    parts: Sequence[Part],
    by_slot: Mapping[int, list[int]],
    average: Averages,
    open_slots: set[int],
    day: str,
    now: int,
    known: bool,
) -> tuple[SlotView, ...]:
    zone = settings.zone
    low, high = _chart_bounds(settings, by_slot, day, now)
    groups: dict[int, list[int]] = {}
    for slot in zone.slots(day):
        groups.setdefault(regroup(slot, settings.minutes, zone), []).append(slot)
    views = []
    cumulative = 0
    average_cumulative = 0.0
    for start, members in groups.items():
        end = members[-1] + SLOT_S
        answers = sum(by_slot[slot][F["answers"]] for slot in members if slot in by_slot)
        means = [average.by_minute.get(zone.minute_of_day(slot)) for slot in members]
        mean = (
            sum(m for m in means if m is not None)
            if average.days and any(m is not None for m in means)
            else None
        )
        cumulative += answers
        average_cumulative += mean or 0.0
        if end <= low or start >= high:
            continue
        future = start > now
        past_s = max(0, min(end, now) - start)
        covered = sum(covered_s(part.coverage, part.as_of_s, start, min(end, now)) for part in parts)
        running = start <= now < end
        # A running slot lags by as much as the last read; that is the source's age, not a gap.
        slack_s = 5 if running else 0
        missing = past_s * len(parts) - covered - slack_s > GAP_SHARE * (end - start)
        seen = known and not future and (covered > 0 or running or answers > 0)
        views.append(
            SlotView(
                start_s=start,
                end_s=end,
                answers=answers if seen else None,
                cumulative=cumulative if seen else None,
                average=mean,
                average_cumulative=average_cumulative if average.days else None,
                gap=bool(parts) and past_s > 0 and missing and not (running and not covered and not known),
                open=any(slot in open_slots for slot in members),
                running=running,
                future=future,
            )
        )
    return tuple(views)


def _slot_end(zone: Zone, start: int, minutes: int) -> int:
    end = start + SLOT_S
    while regroup(end, minutes, zone) == start:
        end += SLOT_S
    return end


def _slot_average(zone: Zone, average: Averages, start: int, minutes: int) -> float | None:
    if not average.days:
        return None
    slots = range(start, _slot_end(zone, start, minutes), SLOT_S)
    return sum(average.by_minute.get(zone.minute_of_day(slot), 0.0) for slot in slots)


def _by_now(settings: HallSettings, average: Averages, day: str, now: int) -> float | None:
    """Mean answers of comparable days by this time: the running slot in proportion to its past part."""
    if not average.days:
        return None
    zone = settings.zone
    total = 0.0
    for slot in zone.slots(day):
        if slot > now:
            break
        share = min(1.0, (now - slot) / SLOT_S)
        total += share * average.by_minute.get(zone.minute_of_day(slot), 0.0)
    return total


def _per_seat(parts: Sequence[Part], answers: int, start_s: int, end_s: int) -> float | None:
    """Answers per seat that was signed in, rang or answered today."""
    staffed = set()
    for part in parts:
        for (kind, ident, slot), row in part.rows.items():
            if kind == SEAT and start_s <= slot < end_s and ident not in staffed:
                there = ("signed_in_s", "answers", "ring_no_answer", "talk_done_s")
                if any(_at(row, S[column]) for column in there):
                    staffed.add(ident)
    return ratio(answers, len(staffed))


def _seats(
    settings: HallSettings, sources: Sequence[Mapping[str, Seat]], day: str, now: int, known: bool
) -> tuple[SeatView, ...]:
    lines = {line.id: line for line in settings.seat_lines(day)}
    for seats in sources:
        for seat_id in sorted(seats):
            if seat_id not in lines:
                lines[seat_id] = settings.line_of(seat_id, day)
    views = []
    for seat_id, line in lines.items():
        best: SeatView | None = None
        for seats in sources:
            seat = seats.get(seat_id)
            if seat is None or not known:
                continue
            state = shown(seat, now)
            if best is None or state.state not in (UNKNOWN, SIGNED_OUT):
                best = SeatView(
                    id=seat_id,
                    label=line.label,
                    site=line.site,
                    state=state.state,
                    since_s=state.since_s,
                    reason=state.reason,
                    pause_mark=state.pause_mark,
                    overlong=state.state == PAUSED and now - state.since_s > settings.paused_too_long_s,
                )
        views.append(
            best
            or SeatView(
                id=seat_id,
                label=line.label,
                site=line.site,
                state=UNKNOWN,
                since_s=None,
                reason="",
                pause_mark=False,
                overlong=False,
            )
        )
    return tuple(views)


def _ranges(settings: HallSettings, kind: DayKind, weekday: int) -> Sequence[tuple[int, int]]:
    """Opening hours of a day: none on a holiday; a make-up workday keeps the hours of the first open weekday."""
    if settings.always_open:
        return ((0, 24 * 60),)
    if kind.kind == "holiday":
        return ()
    hours = settings.hours_on(weekday)
    if kind.kind == "makeup" and not hours:
        return next((settings.hours_on(other) for other in range(7) if settings.hours_on(other)), ())
    return hours


def _opening(ranges: Sequence[tuple[int, int]], minute: int) -> Opening:
    if not ranges:
        return "rest"
    if any(start <= minute < end for start, end in ranges):
        return "open"
    return "before" if any(minute < start for start, _ in ranges) else "closed"


def _opens_s(zone: Zone, ranges: Sequence[tuple[int, int]], day: str, now: int) -> int | None:
    """When it opens next today."""
    minute = zone.minute_of_day(now)
    later = [start for start, _ in ranges if start > minute]
    if not later or any(start <= minute < end for start, end in ranges):
        return None
    return next(
        (slot for slot in zone.slots(day) if slot > now and zone.minute_of_day(slot) >= min(later)), None
    )


def _unassigned(settings: HallSettings, parts: Sequence[Part], start_s: int) -> tuple[str, ...]:
    found = {
        ident
        for part in parts
        for (kind, ident, slot) in part.rows
        if kind == "q" and slot >= start_s and ident not in settings.known_queues
    }
    return tuple(sorted(found))
