"""Today's counts -> what the hall's screen shows.

Pure. Comes in: each source's counts as they stand now, the averages of comparable days, what the configuration
says. Goes out: a `HallView`.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from dashboard.core.calendar import Calendar, DayKind
from dashboard.core.calls import WAITING, call_fate, waited_s
from dashboard.core.counts import CALLS, SEAT, F, S, join
from dashboard.core.days import SLOT_S, Zone, regroup
from dashboard.core.gaps import Span, length_s, merged, uncovered
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


LAG_S = 5
"""The last read may be this long ago before it looks like a gap: by then the screen looks stale."""

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
    parts_of: dict[str, list[Part]] = {}
    for day, part in days:
        parts_of.setdefault(day, []).append(part)
    found: dict[int, list[int]] = {}
    for day, parts in parts_of.items():
        for slot in zone.slots(day):
            there = _begun(parts, slot + SLOT_S)
            if not there or any(_gap_s(part, slot, slot + SLOT_S) > GAP_SHARE * SLOT_S for part in there):
                continue
            rows = [row for part in there if (row := part.rows.get((CALLS, "", slot))) is not None]
            found.setdefault(zone.minute_of_day(slot), []).append(sum(_at(row, F["answers"]) for row in rows))
    by_minute = {minute: sum(answers) / len(answers) for minute, answers in found.items()}
    return Averages(by_minute=by_minute, days=len(parts_of), widened=widened, known=known)


def _begun(parts: Sequence[Part], by_s: int) -> list[Part]:
    """The sources that have delivered anything by an instant; before, a source is no gap but not there."""
    return [part for part in parts if part.coverage and min(part.coverage)[0] < by_s]


def _gap_s(part: Part, from_s: int, to_s: int) -> int:
    return to_s - from_s - covered_s(part.coverage, part.as_of_s, from_s, to_s)


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
    # Just after midnight nothing of the day may have been read yet; that is the source's age, and no gap.
    known = standing == "live" and any(
        part.as_of_s is not None
        and covered_s(part.coverage, part.as_of_s, min(start_s, now - LAG_S), end_s) > 0
        for part in parts
    )
    ranges = _ranges(settings, kind, zone.local(now).weekday())
    rows: dict[int, list[list[int]]] = {}
    for part in parts:
        for (row_kind, _, slot), row in part.rows.items():
            if row_kind == CALLS and start_s <= slot < end_s:
                rows.setdefault(slot, []).append(row)
    by_slot = {slot: join(CALLS, found) for slot, found in rows.items()}
    today = join(CALLS, by_slot.values())
    queue = _waiting(settings, parts, start_s, end_s)
    talking = sum(1 for part in parts for call in part.open_calls if any(leg.talking for leg in call.legs))
    measured = waits(today, settings.threshold_s, settings.short_s, queue.beyond)
    slot_start = regroup(zone.slot(now), settings.minutes, zone)
    slots = _slots(settings, parts, by_slot, average, queue.open_slots, day, now, known)
    slot_end = _slot_end(zone, slot_start, settings.minutes)
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
        slot_end_s=slot_end,
        answers_slot=slot_answers if known else None,
        average_slot=_mean(zone, average, range(slot_start, slot_end, SLOT_S)),
        answers_per_seat=_per_seat(parts, today[F["answers"]], start_s, end_s) if known else None,
        waiting_now=queue.people if known else None,
        waiting_since_s=queue.since_s if known else None,
        waiting_beyond=queue.beyond_target if known else None,
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
        gaps=_missing(parts, slots, now) if known else (),
        unassigned_queues=_unassigned(settings, parts, start_s),
    )


@dataclass(slots=True)
class _Queue:
    """Who waits now.

    Attributes:
        people: Calls that wait.
        since_s: Since when the one that waits longest does, with what it waited in other queues before.
        beyond: Undecided calls of today that have waited longer than T.
        beyond_target: Calls that wait longer than the target.
        open_slots: Slots with undecided calls.
    """

    people: int = 0
    since_s: int | None = None
    beyond: int = 0
    beyond_target: int = 0
    open_slots: set[int] = field(default_factory=set)


def _waiting(settings: HallSettings, parts: Sequence[Part], start_s: int, end_s: int) -> _Queue:
    queue = _Queue()
    for part in parts:
        now_s = part.as_of_s or 0
        for call in part.open_calls:
            deciding = call_fate(call.legs)
            if deciding is None or not any(leg.fate == WAITING for leg in call.legs):
                continue
            waited = waited_s(call.legs, now_s)
            queue.people += 1
            queue.since_s = now_s - waited if queue.since_s is None else min(queue.since_s, now_s - waited)
            queue.beyond_target += waited > settings.target_wait_s
            offered_s = next(leg.offered_s for leg in call.legs if leg.offered_s is not None)
            if deciding.fate == WAITING and start_s <= offered_s < end_s:
                queue.beyond += waited > settings.threshold_s
                queue.open_slots.add(offered_s - offered_s % SLOT_S)
    return queue


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
    average_cumulative: float | None = 0.0 if average.days else None
    for start, members in groups.items():
        end = members[-1] + SLOT_S
        answers = sum(by_slot[slot][F["answers"]] for slot in members if slot in by_slot)
        mean = _mean(zone, average, members)
        cumulative += answers
        # A slot that has no average makes the sum unknown from there on.
        average_cumulative = None if average_cumulative is None or mean is None else average_cumulative + mean
        if end <= low or start >= high:
            continue
        future = start > now
        past = min(end, now)
        covered = sum(covered_s(part.coverage, part.as_of_s, start, past) for part in parts)
        running = start <= now < end
        # A running slot lags by as much as the last read; that is the source's age, not a gap.
        most_s = GAP_SHARE * (end - start) + (LAG_S if running else 0)
        gap = start < past and any(_gap_s(part, start, past) > most_s for part in _begun(parts, past))
        seen = known and not future and (covered > 0 or running or answers > 0)
        views.append(
            SlotView(
                start_s=start,
                end_s=end,
                answers=answers if seen else None,
                cumulative=cumulative if seen else None,
                average=mean,
                average_cumulative=average_cumulative,
                gap=gap,
                open=any(slot in open_slots for slot in members),
                running=running,
                future=future,
                backfilled=any(
                    length_s(part.backfilled, (start, end)) > GAP_SHARE * (end - start) for part in parts
                ),
            )
        )
    return tuple(views)


def _missing(parts: Sequence[Part], slots: Sequence[SlotView], now: int) -> tuple[Span, ...]:
    """What of the chart's past some source does not cover; the lag of its last read is no gap yet."""
    within = slots[0].start_s, min(slots[-1].end_s, now)
    found: list[Span] = []
    for part in parts:
        read = [(from_s, min(to_s, part.as_of_s or 0)) for from_s, to_s in sorted(part.coverage)]
        lagging = now - LAG_S - int(GAP_SHARE * (slots[0].end_s - slots[0].start_s))
        found += [span for span in uncovered(read, within) if span[0] < lagging or span[1] < within[1]]
    return tuple(merged(found))


def _slot_end(zone: Zone, start: int, minutes: int) -> int:
    end = start + SLOT_S
    while regroup(end, minutes, zone) == start:
        end += SLOT_S
    return end


def _mean(zone: Zone, average: Averages, slots: Iterable[int]) -> float | None:
    """Mean answers of some slots together; None where one of them has no average."""
    means = [average.by_minute.get(zone.minute_of_day(slot)) for slot in slots]
    known = [mean for mean in means if mean is not None]
    return sum(known) if known and len(known) == len(means) else None


def _by_now(settings: HallSettings, average: Averages, day: str, now: int) -> float | None:
    """Mean answers of comparable days by this time: the running slot in proportion to its past part."""
    if not average.days:
        return None
    zone = settings.zone
    total = 0.0
    for slot in zone.slots(day):
        if slot >= now:
            break
        mean = average.by_minute.get(zone.minute_of_day(slot))
        if mean is None:
            return None
        total += mean * min(1.0, (now - slot) / SLOT_S)
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
    opens = min(later)
    for slot in zone.slots(day):
        at_minute = zone.minute_of_day(slot)
        at_s = slot + max(0, opens - at_minute) * 60
        if at_s > now and opens < at_minute + SLOT_S // 60:
            return at_s
    return None


def _unassigned(settings: HallSettings, parts: Sequence[Part], start_s: int) -> tuple[str, ...]:
    found = {
        ident
        for part in parts
        for (kind, ident, slot) in part.rows
        if kind == "q" and slot >= start_s and ident not in settings.known_queues
    }
    return tuple(sorted(found))
