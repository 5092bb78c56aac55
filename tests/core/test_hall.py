"""What the hall's screen shows, made of counts as they stand."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from dashboard.core.calendar import Calendar
from dashboard.core.days import SLOT_S, Zone
from dashboard.core.events import (
    Abandoned,
    Answered,
    Ended,
    Event,
    Offered,
    Overflowed,
    Paused,
    RingMissed,
    SeatSeen,
    SignedIn,
    SignedOut,
    SwitchStarted,
)
from dashboard.core.hall import NO_AVERAGES, Averages, HallSettings, SeatLine, averages, hall_view
from dashboard.core.seats import PAUSED, READY, SIGNED_OUT, TALKING, UNKNOWN, WRAP_UP, Seat
from dashboard.core.table import Part
from dashboard.core.views import HallView, SeatView, SlotView, SourceView
from tests.core.fold_streams import DAY_S, EIGHT, RULES, SHANGHAI, H, at, folded, part

T = EIGHT
START, END = SHANGHAI.bounds("2026-11-23")
CN = Calendar("cn")
HOURS = ((8 * 60 + 30, 12 * 60), (14 * 60, 17 * 60 + 30))
SEATS = ("s", "r")


def line(seat: str, _day: str = "") -> SeatLine:
    return SeatLine(id=seat, label=seat.upper(), site="市局")


SETTINGS = HallSettings(
    name="福州12366",
    language="zh-CN",
    zone=SHANGHAI,
    minutes=30,
    threshold_s=15,
    formula="of_offered",
    short_s=5,
    target_service_level=0.8,
    target_wait_s=60,
    paused_too_long_s=900,
    hours_on=lambda weekday: HOURS if weekday < 5 else (),
    always_open=False,
    seat_lines=lambda _day: [line(seat) for seat in SEATS],
    line_of=line,
    known_queues=frozenset("abc"),
)


def view(
    lines: Sequence[Event],
    now_s: float,
    *,
    average: Averages = NO_AVERAGES,
    source: Part | None = None,
    parts: Sequence[Part] | None = None,
    seats: Sequence[Mapping[str, Seat]] | None = None,
    calendar: Calendar = CN,
    **settings: Any,
) -> HallView:
    """The view at an instant up to which the source was read."""
    asked = replace(SETTINGS, **settings)
    made = source or part(lines, int(now_s), [(START - DAY_S, int(now_s))])
    return hall_view(
        asked,
        calendar,
        [made] if parts is None else parts,
        [folded(lines).state.seats] if seats is None else seats,
        average,
        [SourceView(name="pbx1", age_s=0.4, last_event_s=None)],
        now_s,
        "live",
    )


def at_clock(shown: HallView, clock: str) -> SlotView:
    return next(slot for slot in shown.slots if f"{SHANGHAI.local(slot.start_s):%H:%M}" == clock)


def clocks(shown: HallView) -> list[str]:
    return [f"{SHANGHAI.local(slot.start_s):%H:%M}" for slot in shown.slots]


def answered(at_s: int, callid: str, wait_s: int = 0, talk_s: int = 60, seat: str = "s") -> list[Event]:
    return [
        Offered(at_s, callid, "c"),
        Answered(at_s + wait_s, callid, "c", seat, wait_s),
        Ended(at_s + wait_s + talk_s, callid, "c", seat, talk_s),
    ]


# Figures ----------------------------------------------------------------------------------------------------------

MORNING = [
    *answered(at("8:40"), "1", 10),
    *answered(at("8:50"), "2", 30),
    Offered(at("9:01"), "3", "a"),
    Abandoned(at("9:01:04"), "3", "a", 4),
    Offered(at("9:02"), "4", "a"),
    Overflowed(at("9:02:40"), "4", "a", 40, "timeout"),
    Offered(at("9:02:40"), "4", "b"),
    *answered(at("9:05"), "5", 5, 60, "r"),
    Offered(at("9:09"), "6", "zone nobody named"),
    Answered(at("9:09:10"), "6", "zone nobody named", "s", 10),
]


def test_the_figures_of_a_morning() -> None:
    shown = view(MORNING, at("9:10") + 0.7)
    figures = {
        "now_s": at("9:10") + 0.7,
        "day": "2026-11-23",
        "day_kind": "workday",
        "phase": "after",
        "calendar_known": True,
        "standing": "live",
        "opening": "open",
        "opens_s": None,
        "answers_today": 4,
        "talking_now": 1,
        "slot_start_s": at("9:00"),
        "slot_end_s": at("9:30"),
        "answers_slot": 2,
        "answers_per_seat": 2.0,
        "waiting_now": 1,
        "waiting_since_s": at("9:02"),
        "waiting_beyond": 1,
        "offered": 6,
        "answered": 4,
        "abandoned": 1,
        "overflowed": 0,
        "lost": 0,
        "service_level": (3, 6),
        "unassigned_queues": ("zone nobody named",),
    }
    assert {key: getattr(shown, key) for key in figures} == figures


def test_what_the_configuration_says_is_passed_on() -> None:
    shown = view([], at("9:10"), moved_clock=True, language="en")
    passed = (
        "name",
        "language",
        "minutes",
        "threshold_s",
        "formula",
        "target_service_level",
        "target_wait_s",
    )
    assert {key: getattr(shown, key) for key in passed} == {
        key: getattr(SETTINGS, key) for key in passed if key != "language"
    } | {"language": "en"}
    assert (shown.moved_clock, [source.name for source in shown.sources]) == (True, ["pbx1"])


def test_a_call_that_is_transferred_and_waits_again_waits_since_then_and_is_decided() -> None:
    lines = [*answered(at("9:00"), "1", 50, 100), Offered(at("9:03"), "1", "b")]
    shown = view(lines, at("9:03:30"))
    assert (shown.waiting_now, shown.waiting_since_s, shown.waiting_beyond) == (1, at("9:03"), 0)
    assert shown.service_level == (0, 1)
    assert not at_clock(shown, "09:00").open


def test_a_caller_who_went_on_to_another_queue_is_one_person_who_waits_from_the_first() -> None:
    lines = [
        Offered(at("9:00"), "1", "a"),
        Overflowed(at("9:00:40"), "1", "a", 40, "timeout"),
        Offered(at("9:00:40"), "1", "b"),
        Offered(at("9:00:40"), "1", "c"),
    ]
    shown = view(lines, at("9:01:01"))
    assert (shown.waiting_now, shown.waiting_since_s, shown.waiting_beyond) == (1, at("9:00"), 1)
    assert view(lines, at("9:01")).waiting_beyond == 0


def test_a_miss_is_a_miss_as_soon_as_it_waits_longer_than_t() -> None:
    lines = [*answered(at("9:00"), "1"), Offered(at("9:05"), "2", "c")]
    assert view(lines, at("9:05:15")).service_level == (1, 1)
    assert view(lines, at("9:05:16")).service_level == (1, 2)


def test_yesterdays_caller_who_still_waits_is_in_the_queue_but_not_in_todays_figures() -> None:
    lines = [Offered(START - 30, "1", "c")]
    shown = view(lines, START + 30)
    assert (shown.waiting_now, shown.waiting_since_s, shown.offered, shown.service_level) == (
        1,
        START - 30,
        0,
        (0, 0),
    )


def test_a_restart_loses_who_waited() -> None:
    shown = view([Offered(at("9:00"), "1", "c"), SwitchStarted(at("9:01"))], at("9:02"))
    assert (shown.lost, shown.waiting_now, shown.waiting_since_s) == (1, 0, None)


def test_answers_per_seat_are_over_seats_that_signed_in_rang_or_answered() -> None:
    lines = [
        *answered(at("9:00", -1), "0", seat="there yesterday"),
        *answered(at("9:00"), "1"),
        *answered(at("9:05"), "2"),
        SignedIn(at("9:00"), "signed in", "c"),
        RingMissed(at("9:06"), "3", "rang", "c", 8000),
        Paused(at("9:00"), "paused, and not seen to sign in", "c", ""),
    ]
    assert view(lines, at("9:10")).answers_per_seat == pytest.approx(2 / 3)
    assert view([], at("9:10")).answers_per_seat is None


# The day ----------------------------------------------------------------------------------------------------------


def test_the_chart_goes_from_the_first_to_the_last_opening_hour() -> None:
    shown = view([], at("9:10"))
    assert (clocks(shown)[0], clocks(shown)[-1], len(shown.slots)) == ("08:30", "17:00", 18)


def test_it_is_wider_where_calls_were() -> None:
    lines = [*answered(at("7:50"), "1"), Offered(at("18:10"), "2", "c")]
    shown = view(lines, at("18:20"))
    assert (clocks(shown)[0], clocks(shown)[-1]) == ("07:30", "18:00")


def test_without_hours_it_is_the_whole_day() -> None:
    shown = view([], at("9:10"), always_open=True)
    assert (clocks(shown)[0], clocks(shown)[-1], len(shown.slots)) == ("00:00", "23:30", 48)
    assert shown.opening == "open"


@pytest.mark.parametrize(("minutes", "count"), [(15, 36), (30, 18), (60, 10)])
def test_slots_of_other_lengths(minutes: int, count: int) -> None:
    shown = view([], at("9:10"), minutes=minutes)
    assert len(shown.slots) == count
    assert (shown.slots[0].start_s, shown.slots[-1].end_s) == (
        at("8:00") if minutes == 60 else at("8:30"),
        at("18:00") if minutes == 60 else at("17:30"),
    )


@pytest.mark.parametrize(
    ("clock", "opening", "opens"),
    [
        ("0:00", "before", "8:30"),
        ("8:29:59", "before", "8:30"),
        ("8:30", "open", None),
        ("11:59:59", "open", None),
        ("12:00", "before", "14:00"),
        ("14:00", "open", None),
        ("17:30", "closed", None),
        ("23:59:59", "closed", None),
    ],
)
def test_whether_it_is_open_and_when_it_opens(clock: str, opening: str, opens: str | None) -> None:
    shown = view([], at(clock))
    assert (shown.opening, shown.opens_s) == (opening, None if opens is None else at(opens))


def test_it_may_open_between_two_slots() -> None:
    hours = ((8 * 60 + 40, 12 * 60),)
    shown = view([], at("8:35"), hours_on=lambda _: hours)
    assert shown.opens_s == at("8:40")


def test_a_rest_day_keeps_the_shape_of_the_others() -> None:
    saturday = view([], at("9:10", 5), source=part([], at("9:10", 5), [(START, at("9:10", 5))]))
    assert (saturday.opening, saturday.opens_s, saturday.day_kind) == ("rest", None, "rest_day")
    assert (clocks(saturday)[0], clocks(saturday)[-1]) == ("08:30", "17:00")


@pytest.mark.parametrize(
    ("day", "kind", "opening"), [("2026-10-01", "holiday", "rest"), ("2026-10-10", "make_up_workday", "open")]
)
def test_a_holiday_is_closed_and_a_make_up_workday_has_the_hours_of_workdays(
    day: str, kind: str, opening: str
) -> None:
    now_s = SHANGHAI.bounds(day)[0] + 9 * H
    shown = view([], now_s, source=part([], now_s, [(now_s - DAY_S, now_s)]))
    assert (shown.day_kind, shown.opening) == (kind, opening)
    assert len(shown.slots) == 18


def test_a_year_that_the_calendar_does_not_know_is_marked() -> None:
    now_s = SHANGHAI.bounds("2031-11-24")[0] + 9 * H
    shown = view([], now_s, source=part([], now_s, [(now_s - DAY_S, now_s)]))
    assert (shown.calendar_known, shown.phase) == (False, None)
    unsure = Averages(by_minute={}, days=1, widened=False, known=False)
    assert not view([], at("9:10"), average=unsure).calendar_known


# Slots ------------------------------------------------------------------------------------------------------------


def test_slots_of_a_morning_whole() -> None:
    average = Averages(by_minute=dict.fromkeys(range(0, 1440, 15), 2.0), days=3, widened=True, known=True)
    shown = view(MORNING, at("9:10"), average=average)
    plain = {"gap": False, "average": 4.0, "open": False, "running": False, "future": False}
    assert shown.slots[:3] == (
        SlotView(
            start_s=at("8:30"),
            end_s=at("9:00"),
            answers=2,
            cumulative=2,
            average_cumulative=72.0,
            **plain,
        ),
        SlotView(
            start_s=at("9:00"),
            end_s=at("9:30"),
            answers=2,
            cumulative=4,
            average_cumulative=76.0,
            **plain | {"open": True, "running": True},
        ),
        SlotView(
            start_s=at("9:30"),
            end_s=at("10:00"),
            answers=None,
            cumulative=None,
            average_cumulative=80.0,
            **plain | {"future": True},
        ),
    )
    assert (shown.comparable_days, shown.comparable_widened, shown.average_slot) == (3, True, 4.0)


def test_answers_before_the_chart_begins_count_in_the_cumulative() -> None:
    lines = [*answered(at("8:05"), "1"), *answered(at("8:40"), "2")]
    shown = view(lines, at("9:10"), hours_on=lambda _: ((9 * 60, 17 * 60),))
    assert clocks(shown)[0] == "08:00"
    assert [at_clock(shown, clock).cumulative for clock in ("08:00", "08:30", "09:00")] == [1, 2, 2]


def test_a_slot_with_more_than_1_percent_missing_is_a_gap() -> None:
    for missing_s, gap in ((18, False), (19, True)):
        coverage = [(START, at("8:40")), (at("8:40") + missing_s, at("9:40"))]
        shown = view([], at("9:40"), source=part([], at("9:40"), coverage))
        assert [at_clock(shown, clock).gap for clock in ("08:30", "09:00", "09:30")] == [gap, False, False]


def test_the_running_slot_may_lag_by_as_much_as_a_read() -> None:
    for lag_s, gap in ((23, False), (24, True)):
        read_s = at("9:40") - lag_s
        shown = view([], at("9:40"), source=part([], read_s, [(START, read_s)]))
        assert [at_clock(shown, clock).gap for clock in ("09:00", "09:30", "10:00")] == [False, gap, False]


def test_what_totals_miss_is_what_some_source_does_not_cover_of_the_chart() -> None:
    first = part([], at("10:40"), [(START, at("9:05")), (at("9:20"), at("10:40"))])
    other = part([], at("10:40"), [(at("8:45"), at("9:10")), (at("9:30"), at("10:40"))])
    shown = view([], at("10:40"), parts=[first, other])
    assert shown.gaps == ((at("9:05"), at("9:30")),)
    assert shown.missing_s == 25 * 60
    assert view([], at("10:40"), source=part([], at("10:40"))).gaps == ()


def test_a_gap_of_the_night_is_not_missed_by_the_day() -> None:
    coverage = [(START, at("3:00")), (at("4:00"), at("9:40"))]
    assert view([], at("9:40"), source=part([], at("9:40"), coverage)).missing_s == 0


def test_a_source_that_is_silent_misses_what_came_since() -> None:
    for silent_s, gaps in ((23, ()), (24, ((at("9:40") - 24, at("9:40")),))):
        read_s = at("9:40") - silent_s
        assert view([], at("9:40"), source=part([], read_s, [(START, read_s)])).gaps == gaps


def test_slots_are_marked_that_were_read_later() -> None:
    late = replace(part([], at("10:40")), backfilled=[(at("9:10"), at("9:30") + 10)])
    shown = view([], at("10:40"), source=late)
    marked = [f"{SHANGHAI.local(slot.start_s):%H:%M}" for slot in shown.slots if slot.backfilled]
    assert marked == ["09:00"]
    assert shown.gaps == ()


def test_a_slot_without_coverage_is_unknown_and_later_ones_go_on() -> None:
    coverage = [(START, at("9:00")), (at("10:00"), at("10:40"))]
    lines = [*answered(at("8:40"), "1"), *answered(at("10:10"), "2")]
    shown = view(lines, at("10:40"), source=part(lines, at("10:40"), coverage))
    found = [
        (at_clock(shown, c).answers, at_clock(shown, c).cumulative)
        for c in ("08:30", "09:00", "09:30", "10:00")
    ]
    assert found == [(1, 1), (None, None), (None, None), (1, 2)]
    assert [at_clock(shown, c).gap for c in ("08:30", "09:00", "09:30", "10:00")] == [
        False,
        True,
        True,
        False,
    ]


def test_before_the_source_was_there_is_unknown_and_no_gap() -> None:
    shown = view([], at("10:40"), source=part([], at("10:40"), [(at("10:00"), at("10:40"))]))
    found = [(at_clock(shown, c).answers, at_clock(shown, c).gap) for c in ("09:30", "10:00", "10:30")]
    assert found == [(None, False), (0, False), (0, False)]


def test_one_of_two_sources_missing_is_a_gap() -> None:
    whole = part([], at("9:40"), [(START, at("9:40"))])
    broken = part([], at("9:40"), [(START, at("8:40")), (at("8:50"), at("9:40"))])
    shown = view([], at("9:40"), parts=[whole, broken])
    assert [at_clock(shown, clock).gap for clock in ("08:30", "09:00")] == [True, False]


def test_a_day_of_25_hours_has_its_repeated_hour_twice() -> None:
    berlin = Zone("Europe/Berlin")
    start_s, end_s = berlin.bounds("2026-10-25")
    shown = view(
        [],
        end_s - 60,
        source=part([], end_s - 60, [(start_s - DAY_S, end_s - 60)]),
        zone=berlin,
        always_open=True,
        minutes=60,
        calendar=Calendar("weekdays"),
    )
    assert len(shown.slots) == 25
    assert [slot.start_s for slot in shown.slots] == list(range(start_s, end_s, H))


# Unknown ----------------------------------------------------------------------------------------------------------

NUMBERS = (
    *("answers_today", "talking_now", "answers_slot", "answers_per_seat", "waiting_now", "waiting_since_s"),
    *("waiting_beyond", "offered", "answered", "abandoned", "overflowed", "lost", "service_level"),
)


@pytest.mark.parametrize("standing", ["no_data", "rebuilding"])
def test_without_data_every_figure_is_unknown(standing: Any) -> None:
    source = part(MORNING, at("9:10"))
    shown = hall_view(
        SETTINGS, CN, [source], [folded(MORNING).state.seats], NO_AVERAGES, [], at("9:10"), standing
    )
    assert {key: getattr(shown, key) for key in NUMBERS} == dict.fromkeys(NUMBERS)
    assert {seat.state for seat in shown.seats} == {UNKNOWN}
    assert {(slot.answers, slot.cumulative) for slot in shown.slots} == {(None, None)}


def test_a_source_that_was_read_last_yesterday_tells_nothing_of_today() -> None:
    shown = view([], at("9:10"), source=part([], START - 3600, [(START - DAY_S, START - 3600)]))
    assert {key: getattr(shown, key) for key in NUMBERS} == dict.fromkeys(NUMBERS)


def test_at_midnight_the_wall_does_not_go_dark() -> None:
    """The last read was a second before it."""
    lines = [SeatSeen(START - 60, "s", "c"), Offered(START - 30, "1", "c")]
    for later_s in (0, 1, 3):
        shown = view(lines, START + later_s, source=part(lines, START - 1, [(START - DAY_S, START - 1)]))
        assert (shown.answers_today, shown.offered, shown.waiting_now) == (0, 0, 1)
        assert shown.seats[0].state == READY
    assert view([], START + 4, source=part([], START - 1, [(START - DAY_S, START - 1)])).offered is None


# Averages ---------------------------------------------------------------------------------------------------------


def day_of(day: int, *callids_at: int, coverage: Sequence[tuple[int, int]] | None = None) -> tuple[str, Part]:
    lines = [event for n, at_s in enumerate(callids_at) for event in answered(at_s, str(n), 0, 5)]
    start_s = START + day * DAY_S
    spans = [(start_s, start_s + DAY_S)] if coverage is None else coverage
    return SHANGHAI.day(start_s), part(lines, start_s + DAY_S, spans)


def mean(days: Sequence[tuple[str, Part]], clock: str, zone: Zone = SHANGHAI) -> float | None:
    minute = int(clock[:2]) * 60 + int(clock[3:])
    return averages(zone, days, widened=False, known=True).by_minute.get(minute)


def test_an_average_is_the_mean_over_the_days() -> None:
    days = [day_of(-1, at("9:01", -1), at("9:14", -1)), day_of(-2, at("9:05", -2)), day_of(-3)]
    made = averages(SHANGHAI, days, widened=True, known=False)
    assert (made.days, made.widened, made.known, len(made.by_minute)) == (3, True, False, 96)
    assert (mean(days, "09:00"), mean(days, "09:15")) == (1.0, 0.0)


def test_a_slot_with_a_gap_is_left_out_of_its_average() -> None:
    start_s = START - 2 * DAY_S
    for missing_s, expected in ((9, 1.5), (10, 2.0)):
        gap = [(start_s, at("9:02", -2)), (at("9:02", -2) + missing_s, start_s + DAY_S)]
        days = [day_of(-1, at("9:01", -1), at("9:14", -1)), day_of(-2, at("9:01", -2), coverage=gap)]
        assert mean(days, "09:00") == expected


def test_sources_of_a_day_add_and_a_gap_of_one_leaves_its_slot_out() -> None:
    day, one = day_of(-1, at("9:01", -1))
    _, two = day_of(-1, at("9:02", -1), at("9:03", -1))
    _, broken = day_of(
        -1, at("9:02", -1), coverage=[(START - DAY_S, at("9:05", -1)), (at("9:10", -1), START)]
    )
    assert mean([(day, one), (day, two)], "09:00") == 3.0
    assert mean([(day, one), (day, broken)], "09:00") is None
    assert mean([(day, one), (day, broken)], "09:15") == 0.0


def test_a_source_that_came_later_does_not_take_the_days_before_away() -> None:
    day, one = day_of(-1, at("9:01", -1))
    _, later = day_of(0)
    assert mean([(day, one), (day, later)], "09:00") == 1.0


def test_the_hour_that_a_day_repeats_is_two_slots_of_the_mean() -> None:
    berlin = Zone("Europe/Berlin")
    start_s, end_s = berlin.bounds("2026-10-25")
    first = start_s + 2 * H
    lines = [*answered(first, "1"), *answered(first + 60, "2"), *answered(first + H, "3")]
    source = part(lines, end_s, [(start_s, end_s)])
    assert mean([("2026-10-25", source)], "02:00", berlin) == 1.5


@pytest.mark.parametrize(
    ("clock", "comparable"), [("0:00", 0.0), ("0:15", 2.0), ("0:22:30", 3.0), ("9:00", 72.0)]
)
def test_by_this_time_the_running_slot_has_its_linear_share(clock: str, comparable: float) -> None:
    average = Averages(by_minute=dict.fromkeys(range(0, 1440, 15), 2.0), days=5, widened=False, known=True)
    assert view([], at(clock), average=average).answers_comparable == comparable


def test_without_comparable_days_there_is_no_average() -> None:
    shown = view([], at("9:10"))
    assert (shown.answers_comparable, shown.average_slot, shown.comparable_days) == (None, None, 0)
    assert {(slot.average, slot.average_cumulative) for slot in shown.slots} == {(None, None)}


def test_a_slot_that_no_comparable_day_has_is_unknown_and_so_is_every_sum_with_it() -> None:
    by_minute = {minute: 1.0 for minute in range(0, 1440, 15) if minute != 9 * 60 + 15}
    average = Averages(by_minute=by_minute, days=5, widened=False, known=True)
    shown = view([], at("9:10"), average=average)
    assert (shown.average_slot, shown.answers_comparable) == (None, 36 + 10 / 15)
    assert [at_clock(shown, c).average for c in ("08:30", "09:00", "09:30")] == [2.0, None, 2.0]
    assert [at_clock(shown, c).average_cumulative for c in ("08:30", "09:00", "09:30")] == [36.0, None, None]
    assert view([], at("9:20"), average=average).answers_comparable is None


# Seats ------------------------------------------------------------------------------------------------------------


def test_seats_come_in_the_order_of_the_configuration_and_strangers_after_them() -> None:
    lines = [
        SeatSeen(at("9:00"), "x", "c"),
        Answered(at("9:01"), "1", "a", "s", 0),
        Paused(at("9:02"), "s", "a", "会议"),
        SignedIn(at("9:00"), "a", "c"),
        SignedOut(at("9:03"), "a", "c"),
    ]
    cells = view(lines, at("9:05")).seats
    shared = {"site": "市局", "reason": "", "pause_mark": False, "overlong": False}
    assert cells == (
        SeatView(id="s", label="S", state=TALKING, since_s=at("9:01"), **shared | {"pause_mark": True}),
        SeatView(id="r", label="R", state=UNKNOWN, since_s=None, **shared),
        SeatView(id="a", label="A", state=SIGNED_OUT, since_s=at("9:03"), **shared),
        SeatView(id="x", label="X", state=READY, since_s=at("9:00"), **shared),
    )


def test_a_pause_is_too_long_after_its_limit() -> None:
    lines = [Paused(at("9:00"), "s", "a", "小休")]
    cells = [view(lines, at(clock)).seats[0] for clock in ("9:15", "9:15:01")]
    assert [(cell.state, cell.reason, cell.overlong) for cell in cells] == [
        (PAUSED, "小休", False),
        (PAUSED, "小休", True),
    ]


def test_of_two_sources_the_one_that_sees_the_seat_at_work_tells_its_state() -> None:
    here = folded([Answered(at("9:00"), "1", "a", "s", 0)]).state.seats
    gone = folded([SignedIn(at("9:00"), "s", "a"), SignedOut(at("9:01"), "s", "a")]).state.seats
    for order in ([here, gone], [gone, here]):
        assert view([], at("9:05"), seats=order).seats[0].state == TALKING


def test_wrap_up_ends_by_the_clock() -> None:
    lines = [Answered(at("9:00"), "1", "a", "s", 0), Ended(at("9:01"), "1", "a", "s", 60)]
    assert [view(lines, at(clock)).seats[0].state for clock in ("9:01:09", "9:01:10")] == [WRAP_UP, READY]
    assert RULES.wrapup_s["a"] == 10
    assert SLOT_S == 900
