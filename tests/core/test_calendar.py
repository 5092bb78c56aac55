"""Kinds of day, the filing period and its 48 official deadlines, and fair comparison."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.core.calendar import COMPARED, Calendar, Comparable, DayKind, Kind

CN = Calendar()
UNKNOWN_YEAR = 2099  # not announced for a long time, whichever version of the library is installed

# Last days of the filing period, January to December, from the State Taxation Administration's notices.
DEADLINES = {
    2023: (16, 15, 15, 17, 18, 15, 17, 15, 15, 23, 15, 15),
    2024: (15, 23, 15, 18, 22, 19, 15, 15, 18, 24, 15, 16),
    2025: (15, 20, 17, 18, 22, 16, 15, 15, 15, 27, 17, 15),
    2026: (20, 24, 16, 20, 22, 15, 15, 17, 15, 26, 16, 15),
}


def days(first: date, last: date) -> list[date]:
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


HISTORY = days(date(2023, 1, 1), date(2026, 12, 31))


@pytest.mark.parametrize(
    ("year", "month", "day"),
    [(year, month, day) for year, row in DEADLINES.items() for month, day in enumerate(row, 1)],
)
def test_the_filing_period_ends_as_the_official_notice_says(year: int, month: int, day: int) -> None:
    assert CN.filing_deadline(year, month) == date(year, month, day)


@pytest.mark.parametrize(
    ("day", "kind"),
    [
        (date(2026, 1, 1), "holiday"),
        (date(2026, 1, 3), "holiday"),  # a Saturday of the official run
        (date(2026, 1, 4), "makeup"),  # a Sunday worked for it
        (date(2026, 2, 14), "makeup"),
        (date(2026, 2, 23), "holiday"),
        (date(2026, 2, 28), "makeup"),
        (date(2026, 10, 10), "makeup"),
        (date(2026, 11, 20), "workday"),
        (date(2026, 11, 21), "rest"),
        (date(2026, 11, 23), "workday"),
        (date(2024, 6, 9), "rest"),  # a plain Sunday before 端午: not in the official run
        (date(2024, 6, 10), "holiday"),
    ],
)
def test_a_day_has_the_kind_that_the_state_council_announced(day: date, kind: Kind) -> None:
    assert CN.day(day).kind == kind
    assert CN.day(day).known


def test_a_month_s_workdays_are_early_late_and_after() -> None:
    shown = {day.day: CN.day(day).phase for day in days(date(2026, 10, 1), date(2026, 10, 31))}
    # Holidays to the 7th, 10 October worked, the last day the 26th.
    assert {day: phase for day, phase in shown.items() if phase is not None} == {
        **dict.fromkeys((8, 9, 10, 12, 13, 14, 15, 16, 19, 20, 21), "early"),
        **dict.fromkeys((22, 23, 26), "late"),
        **dict.fromkeys((27, 28, 29, 30), "after"),
    }


@pytest.mark.parametrize("year", DEADLINES)
def test_every_filing_period_ends_in_three_late_workdays_and_phases_come_in_order(year: int) -> None:
    for month in range(1, 13):
        of_month = [day for day in HISTORY if (day.year, day.month) == (year, month)]
        phases = [CN.day(day).phase for day in of_month]
        worked = [phase for phase in phases if phase is not None]
        assert worked == sorted(worked, key=("early", "late", "after").index)
        assert worked.count("late") == 3
        late = [day for day, phase in zip(of_month, phases, strict=True) if phase == "late"]
        assert late[-1] == CN.filing_deadline(year, month)


@given(st.sampled_from(HISTORY))
def test_days_off_have_no_phase_and_workdays_have_one(day: date) -> None:
    of_day = CN.day(day)
    assert (of_day.phase is not None) == (of_day.kind in ("workday", "makeup"))


def test_an_unknown_year_takes_kinds_from_the_week_and_says_so() -> None:
    monday = date(UNKNOWN_YEAR, 11, 23)
    assert CN.day(monday) == DayKind(kind="workday", phase=None, known=False)
    assert CN.day(monday + timedelta(days=6)) == DayKind(kind="rest", phase=None, known=False)
    assert CN.filing_deadline(UNKNOWN_YEAR, 11) is None


def test_comparisons_of_an_unknown_year_go_on_without_phases() -> None:
    monday = date(UNKNOWN_YEAR, 11, 23)
    last_week = days(monday - timedelta(days=7), monday - timedelta(days=1))
    assert CN.comparable(monday, last_week) == Comparable(
        days=tuple(reversed(last_week[:5])), widened=False, known=False
    )


def test_an_override_wins_over_the_library() -> None:
    closed = Calendar(overrides={date(2026, 11, 23): "holiday", date(2026, 11, 22): "makeup"})
    assert closed.day(date(2026, 11, 23)) == DayKind(kind="holiday", phase=None, known=True)
    assert closed.day(date(2026, 11, 22)) == DayKind(kind="makeup", phase="after", known=True)
    assert closed.day(date(2026, 11, 24)) == CN.day(date(2026, 11, 24))


def test_overrides_move_the_deadline_by_the_same_rule() -> None:
    # 2026-11-15 is a Sunday. Three days off with a holiday among them put the end off by three workdays.
    overrides: dict[date, Kind] = {date(2026, 11, 9): "holiday"}
    assert Calendar(overrides=overrides).filing_deadline(2026, 11) == date(2026, 11, 18)
    # Without a holiday among them, three days of rest put off nothing.
    overrides = {date(2026, 11, 9): "rest"}
    assert Calendar(overrides=overrides).filing_deadline(2026, 11) == date(2026, 11, 16)
    # A run is cut at the 15th: of these four days two are left.
    overrides = {date(2026, 11, 16): "holiday", date(2026, 11, 17): "holiday"}
    assert Calendar(overrides=overrides).filing_deadline(2026, 11) == date(2026, 11, 18)


def test_an_overridden_day_of_an_unknown_year_is_known_but_its_phase_is_not() -> None:
    overrides: dict[date, Kind] = {
        date(UNKNOWN_YEAR, 1, 1): "holiday",
        date(UNKNOWN_YEAR, 1, 4): "makeup",
    }
    supplied = Calendar(overrides=overrides)
    assert supplied.day(date(UNKNOWN_YEAR, 1, 1)) == DayKind(kind="holiday", phase=None, known=True)
    assert supplied.day(date(UNKNOWN_YEAR, 1, 4)) == DayKind(kind="makeup", phase=None, known=False)
    assert not supplied.day(date(UNKNOWN_YEAR, 1, 5)).known


def test_a_month_supplied_in_part_has_a_deadline_but_its_other_days_stay_unknown() -> None:
    # The first twenty days are those of January 2026, whose period ended on the 20th.
    part = days(date(2026, 1, 1), date(2026, 1, 20))
    supplied = Calendar(overrides={day.replace(year=UNKNOWN_YEAR): CN.day(day).kind for day in part})
    assert supplied.filing_deadline(UNKNOWN_YEAR, 1) == date(UNKNOWN_YEAR, 1, 20)
    thursday = date(UNKNOWN_YEAR, 1, 22)
    assert supplied.day(thursday) == DayKind(kind="workday", phase=None, known=False)


def test_a_known_day_compared_with_unknown_ones_is_marked() -> None:
    supplied = Calendar(years=[UNKNOWN_YEAR])
    saturday = date(UNKNOWN_YEAR, 1, 3)
    before = saturday - timedelta(days=7)
    assert supplied.day(saturday) == DayKind(kind="rest", phase=None, known=True)
    assert supplied.comparable(saturday, [before]) == Comparable(days=(before,), widened=False, known=False)


def test_overrides_can_supply_a_whole_year() -> None:
    # The official days of 2026, given to a calendar that has never heard of that year.
    year = days(date(2026, 1, 1), date(2026, 12, 31))
    shifted = {day: day.replace(year=UNKNOWN_YEAR) for day in year}
    by_day = Calendar(overrides={shifted[day]: CN.day(day).kind for day in year})
    assert {day: by_day.day(shifted[day]) for day in year} == {day: CN.day(day) for day in year}
    assert [by_day.filing_deadline(UNKNOWN_YEAR, month).day for month in range(1, 13)] == list(  # type: ignore[union-attr]
        DEADLINES[2026]
    )


def test_a_year_can_be_supplied_by_its_exceptions_alone() -> None:
    spring: dict[date, Kind] = dict.fromkeys(days(date(2099, 1, 21), date(2099, 1, 27)), "holiday")
    supplied = Calendar(overrides={date(2099, 1, 1): "holiday", **spring}, years=[2099])
    assert supplied.day(date(2099, 1, 5)) == DayKind(kind="workday", phase="early", known=True)
    assert supplied.day(date(2099, 1, 10)) == DayKind(kind="rest", phase=None, known=True)
    # 1 January 2099 is a Thursday: a run of one day; the 15th is a Thursday.
    assert supplied.filing_deadline(2099, 1) == date(2099, 1, 15)
    assert not supplied.day(date(2098, 12, 31)).known


def test_a_month_without_workdays_has_no_deadline() -> None:
    closed: dict[date, Kind] = dict.fromkeys(days(date(2026, 11, 1), date(2026, 11, 30)), "holiday")
    closed[date(2026, 11, 30)] = "workday"
    calendar = Calendar(overrides=closed)
    assert calendar.filing_deadline(2026, 11) is None
    assert calendar.day(date(2026, 11, 30)) == DayKind(kind="workday", phase=None, known=False)


def test_a_late_day_is_compared_with_late_days_only_the_nearest_first() -> None:
    found = CN.comparable(date(2026, 10, 26), HISTORY)
    assert found.days[:7] == (
        date(2026, 10, 23),
        date(2026, 10, 22),
        date(2026, 9, 15),
        date(2026, 9, 14),
        date(2026, 9, 11),
        date(2026, 8, 17),
        date(2026, 8, 14),
    )
    assert (len(found.days), found.widened, found.known) == (20, False, True)


def test_a_make_up_workday_is_compared_with_workdays_and_the_other_way() -> None:
    makeup, next_early = date(2026, 10, 10), date(2026, 10, 12)
    assert CN.comparable(makeup, HISTORY).days[:3] == (
        date(2026, 10, 9),
        date(2026, 10, 8),
        date(2026, 9, 10),
    )
    assert CN.comparable(next_early, HISTORY).days[0] == makeup


def test_a_holiday_is_compared_with_holidays_and_a_rest_day_with_rest_days() -> None:
    assert CN.comparable(date(2026, 10, 1), HISTORY).days[:4] == (
        date(2026, 9, 27),
        date(2026, 9, 26),
        date(2026, 9, 25),
        date(2026, 6, 21),
    )
    assert CN.comparable(date(2026, 11, 22), HISTORY).days[:3] == (
        date(2026, 11, 21),
        date(2026, 11, 15),
        date(2026, 11, 14),
    )


def test_fewer_than_five_of_the_phase_widen_to_all_of_the_kind_and_say_so() -> None:
    day = date(2026, 11, 16)  # the last day of the period
    late = [
        date(2026, 11, 13),
        date(2026, 11, 12),
        date(2026, 10, 26),
        date(2026, 10, 23),
        date(2026, 10, 22),
    ]
    other = [date(2026, 11, 11), date(2026, 10, 30)]
    weekend = [date(2026, 11, 14), date(2026, 11, 15)]
    five = CN.comparable(day, late + other + weekend)
    assert five == Comparable(days=tuple(late), widened=False, known=True)
    four = CN.comparable(day, late[:4] + other + weekend)
    assert four == Comparable(days=(*late[:2], *other, *late[2:4]), widened=True, known=True)


def test_a_gap_is_left_out_and_the_next_nearest_day_taken() -> None:
    day = date(2026, 11, 23)
    found = CN.comparable(day, HISTORY).days
    without = CN.comparable(day, [other for other in HISTORY if other != found[0]]).days
    assert without[: COMPARED - 1] == found[1:]
    assert len(without) == COMPARED


def test_days_are_looked_for_400_days_back_and_no_further() -> None:
    day = date(2026, 11, 21)  # a rest day
    edge = day - timedelta(days=400)
    assert (CN.day(day).kind, CN.day(edge).kind) == ("rest", "workday")
    weekdays = Calendar("weekdays", workweek=["fri", "sat"])  # 400 days back from a Saturday is a Friday
    candidates = [edge, edge - timedelta(days=6)]
    assert weekdays.comparable(day, candidates).days == (edge,)


def test_without_history_there_is_nothing_to_compare_with() -> None:
    assert CN.comparable(date(2026, 11, 23), []) == Comparable(days=(), widened=True, known=True)
    assert CN.comparable(date(2026, 11, 22), []) == Comparable(days=(), widened=False, known=True)


@given(st.sampled_from(HISTORY), st.lists(st.sampled_from(HISTORY), max_size=60))
def test_comparable_days_are_earlier_of_the_kind_and_among_the_candidates(
    day: date, candidates: list[date]
) -> None:
    found = CN.comparable(day, candidates)
    worked = ("workday", "makeup")
    asked = CN.day(day)
    assert list(found.days) == sorted(set(found.days), reverse=True)
    assert set(found.days) <= set(candidates)
    assert len(found.days) <= COMPARED
    for other in found.days:
        assert timedelta(0) < day - other <= timedelta(days=400)
        assert CN.day(other).kind == asked.kind or (CN.day(other).kind in worked and asked.kind in worked)
        assert found.widened or CN.day(other).phase == asked.phase
    if found.days:  # nobody nearer was passed over
        left = {other for other in candidates if found.days[-1] < other < day} - set(found.days)
        assert all(
            (CN.day(other).kind in worked) != (asked.kind in worked)
            or (asked.kind not in worked and CN.day(other).kind != asked.kind)
            or (not found.widened and CN.day(other).phase != asked.phase)
            for other in left
        )


def test_other_countries_have_a_workweek_and_no_filing_period() -> None:
    gulf = Calendar("weekdays", workweek=["sun", "mon", "tue", "wed", "thu"])
    sunday = date(2026, 11, 22)
    shown = [gulf.day(sunday + timedelta(days=n)) for n in range(7)]
    assert [day.kind for day in shown] == ["workday"] * 5 + ["rest"] * 2
    assert {(day.phase, day.known) for day in shown} == {(None, True)}
    assert gulf.filing_deadline(2026, 11) is None
    assert gulf.comparable(sunday, days(date(2026, 11, 16), date(2026, 11, 21))) == Comparable(
        days=(date(2026, 11, 19), date(2026, 11, 18), date(2026, 11, 17), date(2026, 11, 16)),
        widened=False,
        known=True,
    )


def test_other_countries_name_their_holidays_as_overrides() -> None:
    german = Calendar("weekdays", overrides={date(2026, 12, 25): "holiday"})
    assert german.day(date(2026, 12, 25)) == DayKind(kind="holiday", phase=None, known=True)
    assert german.day(date(2026, 10, 1)).kind == "workday"  # China's holiday


def test_words_that_a_calendar_does_not_know_are_refused() -> None:
    with pytest.raises(ValueError, match='write "cn" or "weekdays"'):
        Calendar("jp")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="mon, tue, wed"):
        Calendar("weekdays", workweek=["monday"])
    with pytest.raises(ValueError, match="mon, tue, wed"):
        Calendar("weekdays", workweek=[])
    with pytest.raises(ValueError, match="workday, rest, holiday, makeup"):
        Calendar(overrides={date(2026, 11, 23): "feast"})  # type: ignore[dict-item]
