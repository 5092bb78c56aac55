"""What a page shows, as values without a look: made by the readers, turned into components and frames by layouts.

Pure. None means unknown and is shown as "—"; times are epoch seconds UTC by the hotline's clock.
"""

from dataclasses import dataclass
from typing import Literal

Standing = Literal["live", "rebuilding", "no_data"]
Opening = Literal["open", "before", "closed", "rest"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SeatView:
    """One seat's cell.

    Attributes:
        id: The seat's id.
        label: The name of the person on it, as shown.
        site: Its bureau's short label.
        state: One of `core.seats.STATES`.
        since_s: Since when; None where unknown.
        reason: Of a pause; "" else.
        pause_mark: A pause waits under the work in progress.
        overlong: The pause is longer than allowed.
    """

    id: str
    label: str
    site: str
    state: str
    since_s: int | None
    reason: str
    pause_mark: bool
    overlong: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotView:
    """One slot of the day's chart.

    Attributes:
        start_s, end_s: Its borders.
        answers: Answers made in it so far; None where nothing covers it, and in the future.
        cumulative: Answers from the day's start to its end (for the running slot: to now); None likewise.
        average: Mean answers of the same slot by the local clock over the comparable days; None without any.
        average_cumulative: The same, from the day's start to the slot's end.
        gap: More than 1 % of its past part is not covered.
        open: Calls offered in it are not decided yet.
        running: Now lies in it.
        future: It has not begun.
        backfilled: More than 1 % of it was read later than it was written.
    """

    start_s: int
    end_s: int
    answers: int | None
    cumulative: int | None
    average: float | None
    average_cumulative: float | None
    gap: bool
    open: bool
    running: bool
    future: bool
    backfilled: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceView:
    """A source's age: seconds since its last successful read by Redis's clock; None if never or not known."""

    name: str
    age_s: float | None
    last_event_s: int | None
    problem: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class HallView:
    """Everything on the hall's screen.

    Attributes:
        now_s: The hotline's clock when this was made.
        moved_clock: The clock is a demonstration's, not the time of day.
        day: Local date, "YYYY-MM-DD".
        day_kind: workday, rest_day, holiday or make_up_workday.
        phase: Of the filing period: early, late, after; None where it has none or is not known.
        calendar_known: False: the calendar does not know this year.
        standing: live; rebuilding: counts are being made again; no_data: no source has delivered yet.
        opening: open, before (opens later today), closed (over for today), rest (not open today).
        opens_s: When it opens next today, where `before`.
        answers_today: Cumulative answers.
        answers_comparable: Mean answers of comparable days by this time of day.
        comparable_days: How many comparable days the averages are of.
        comparable_widened: Fewer than five had the same phase: any phase was taken.
        talking_now: Calls in conversation.
        slot_start_s, slot_end_s: The running slot.
        answers_slot: Answers in the running slot so far.
        average_slot: Mean answers of the running slot, whole, over comparable days.
        answers_per_seat: Today's answers per seat that was signed in, rang or answered.
        waiting_now: In queue now.
        waiting_since_s: When the one waiting longest entered.
        waiting_beyond: How many wait longer than the target.
        offered, answered, abandoned, overflowed, lost: Fates of today's calls.
        service_level: (within, of) by `formula` and `threshold_s`; None without coverage; of = 0 is unknown.
        formula: Key of the service level's formula.
        threshold_s: T in seconds.
        target_service_level: 0–1.
        target_wait_s: The longest wait that is all right, seconds.
        minutes: Length of the chart's slots.
        slots: From first to last opening hour, wider where calls were.
        seats: In the order of sites and ids.
        sources: Their ages.
        gaps: (from, to) of what some source does not cover of the chart's time up to now, in order and apart.
        unassigned_queues: Queues that the configuration does not name.
    """

    name: str
    language: str
    now_s: float
    moved_clock: bool
    day: str
    day_kind: str
    phase: str | None
    calendar_known: bool
    standing: Standing
    opening: Opening
    opens_s: int | None
    answers_today: int | None
    answers_comparable: float | None
    comparable_days: int
    comparable_widened: bool
    talking_now: int | None
    slot_start_s: int
    slot_end_s: int
    answers_slot: int | None
    average_slot: float | None
    answers_per_seat: float | None
    waiting_now: int | None
    waiting_since_s: int | None
    waiting_beyond: int | None
    offered: int | None
    answered: int | None
    abandoned: int | None
    overflowed: int | None
    lost: int | None
    service_level: tuple[int, int] | None
    formula: str
    threshold_s: int
    target_service_level: float
    target_wait_s: int
    minutes: int
    slots: tuple[SlotView, ...]
    seats: tuple[SeatView, ...]
    sources: tuple[SourceView, ...]
    gaps: tuple[tuple[int, int], ...] = ()
    unassigned_queues: tuple[str, ...] = ()

    @property
    def missing_s(self) -> int:
        """How many seconds of the chart's time the totals miss."""
        return sum(to_s - from_s for from_s, to_s in self.gaps)


@dataclass(frozen=True, slots=True, kw_only=True)
class Beat:
    """The proof of life, each second.

    Attributes:
        now_s: The hotline's clock, epoch seconds.
        offset_s: UTC offset of its zone at this moment.
        ages: Name of each counting source -> seconds since its last successful read; None if never or not known.
        store_ok: The store answers.
        standing: Whether counts are there at all.
    """

    now_s: float
    offset_s: int
    ages: dict[str, float | None]
    store_ok: bool
    standing: Standing
