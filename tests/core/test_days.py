"""Days, slots and groups: on plain days, where the clock changes, and where midnight is missing."""

from collections import Counter
from datetime import date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dashboard.core.days import GROUP_MINUTES, SLOT_S, Zone, period, regroup, split

SHANGHAI = Zone("Asia/Shanghai")

# Zones whose clocks do unusual things: change at midnight, by half an hour, by two hours, a minute past
# midnight, in Ramadan; stand at :30 or :45; skip a whole day.
ODD_ZONES = (
    "Asia/Shanghai",
    "America/New_York",
    "America/Sao_Paulo",
    "Asia/Beirut",
    "America/Havana",
    "Australia/Lord_Howe",
    "Antarctica/Troll",
    "America/St_Johns",
    "Africa/Casablanca",
    "Asia/Kolkata",
    "Asia/Kathmandu",
    "Pacific/Chatham",
    "Pacific/Apia",
    "Asia/Pyongyang",
    "America/Caracas",
)
zones = st.one_of(st.sampled_from(ODD_ZONES), st.sampled_from(sorted(available_timezones()))).map(Zone)
dates = st.dates(date(1980, 1, 2), date(2037, 12, 30))
days = dates.map(date.isoformat)
instants = st.integers(315_619_200, 2_145_830_400)  # 1980-01-02 to 2037-12-31


@st.composite
def changes(draw: st.DrawFn) -> tuple[Zone, str]:
    """A zone and a day on which, or beside which, its clock changes, where the year has one."""
    zone, year = draw(zones), draw(st.integers(1981, 2037))
    noons = [datetime(year, 1, 1, 12) + timedelta(days=n) for n in range(-1, 366)]
    offsets = [noon.replace(tzinfo=ZoneInfo(zone.name)).utcoffset() for noon in noons]
    changed = [noons[n + 1] for n, (a, b) in enumerate(pairwise(offsets)) if a != b]
    day = draw(st.sampled_from(changed or noons)) + timedelta(days=draw(st.integers(-1, 1)))
    return zone, day.date().isoformat()


any_day = st.one_of(changes(), st.tuples(zones, days))


def clock(zone: Zone, slots: range) -> list[str]:
    return [f"{zone.local(slot):%H:%M}" for slot in slots]


def groups(zone: Zone, day: str, minutes: int) -> dict[str, int]:
    """Each group's start on the wall clock, and how many slots it has."""
    return {
        zone.iso(start)[11:16] + zone.iso(start)[-6:]: size
        for start, size in Counter(regroup(slot, minutes, zone) for slot in zone.slots(day)).items()
    }


def test_a_day_in_fuzhou_has_96_slots_from_midnight_to_midnight() -> None:
    assert SHANGHAI.bounds("2026-11-23") == (1795363200, 1795363200 + 86_400)
    assert list(SHANGHAI.slots("2026-11-23")) == [1795363200 + n * 900 for n in range(96)]


def test_an_instant_has_one_day_one_slot_and_one_wall_clock_time() -> None:
    at_s = 1795395605
    assert SHANGHAI.day(at_s) == "2026-11-23"
    assert SHANGHAI.slot(at_s) == 1795395600
    assert SHANGHAI.iso(at_s) == "2026-11-23T09:00:05+08:00"
    assert SHANGHAI.minute_of_day(at_s) == 540
    assert SHANGHAI.local(at_s) == datetime(2026, 11, 23, 9, 0, 5, tzinfo=ZoneInfo("Asia/Shanghai"))


def test_the_last_second_of_a_day_is_its_own_and_the_next_is_not() -> None:
    start_s, end_s = SHANGHAI.bounds("2026-11-23")
    assert [SHANGHAI.day(at_s) for at_s in (start_s - 1, start_s, end_s - 1, end_s)] == [
        "2026-11-22",
        "2026-11-23",
        "2026-11-23",
        "2026-11-24",
    ]


@pytest.mark.parametrize(
    ("name", "day", "hours", "first"),
    [
        ("America/New_York", "2026-03-08", 23, "2026-03-08T00:00:00-05:00"),
        ("America/New_York", "2026-11-01", 25, "2026-11-01T00:00:00-04:00"),
        ("America/Sao_Paulo", "2018-11-04", 23, "2018-11-04T01:00:00-02:00"),  # no midnight
        ("America/Sao_Paulo", "2018-02-17", 25, "2018-02-17T00:00:00-02:00"),  # back at its last midnight
        ("Asia/Beirut", "2022-03-27", 23, "2022-03-27T01:00:00+03:00"),  # no midnight
        ("America/Havana", "2026-11-01", 25, "2026-11-01T00:00:00-04:00"),  # two midnights
        ("Australia/Lord_Howe", "2026-10-04", 23.5, "2026-10-04T00:00:00+10:30"),
        ("Australia/Lord_Howe", "2026-04-05", 24.5, "2026-04-05T00:00:00+11:00"),
        ("Asia/Kathmandu", "2026-11-23", 24, "2026-11-23T00:00:00+05:45"),
        ("Asia/Kolkata", "2026-11-23", 24, "2026-11-23T00:00:00+05:30"),
        ("America/St_Johns", "2010-11-07", 25, "2010-11-07T00:00:00-02:30"),  # 00:01 went back to 23:01
    ],
)
def test_a_day_is_as_long_as_its_clock_says(name: str, day: str, hours: float, first: str) -> None:
    zone = Zone(name)
    start_s, end_s = zone.bounds(day)
    assert ((end_s - start_s) / 3600, zone.iso(start_s)) == (hours, first)
    assert len(zone.slots(day)) == hours * 4


def test_a_day_that_the_zone_skipped_is_empty() -> None:
    apia = Zone("Pacific/Apia")
    start_s, end_s = apia.bounds("2011-12-30")
    assert start_s == end_s == apia.bounds("2011-12-29")[1] == apia.bounds("2011-12-31")[0]
    assert list(apia.slots("2011-12-30")) == []
    assert [apia.day(start_s - 1), apia.day(start_s)] == ["2011-12-29", "2011-12-31"]


@given(any_day)
@example((Zone("America/St_Johns"), "2010-11-07"))
@example((Zone("Pacific/Apia"), "2011-12-30"))
def test_slots_of_neighbouring_days_meet_and_each_is_in_its_day(case: tuple[Zone, str]) -> None:
    zone, day = case
    start_s, end_s = zone.bounds(day)
    slots = zone.slots(day)
    assert start_s % SLOT_S == end_s % SLOT_S == 0
    assert len(slots) * SLOT_S == end_s - start_s
    assert zone.bounds(zone.shift_days(day, 1))[0] == end_s
    assert {zone.day(slot) for slot in slots} <= {day}
    assert {zone.day(slot + SLOT_S - 1) for slot in slots} <= {day}


@given(zones, instants)
@example(Zone("America/St_Johns"), 1289098800)  # 00:01 went back to 23:01, and it is 23:30 again
def test_a_day_is_the_date_on_the_wall_but_where_midnight_is_undone(zone: Zone, at_s: int) -> None:
    day, local = zone.day(at_s), zone.local(at_s)
    start_s, end_s = zone.bounds(day)
    assert start_s <= at_s < end_s
    if day != local.date().isoformat():
        assert (local.fold, zone.shift_days(day, -1)) == (1, local.date().isoformat())


@given(any_day, st.lists(st.integers(-200_000, 200_000), max_size=20))
def test_what_was_asked_before_does_not_change_a_day(case: tuple[Zone, str], steps: list[int]) -> None:
    zone, day = case
    noon_s = zone.bounds(day)[0] + 43_200
    asked = [noon_s + step for step in steps]
    assert [zone.day(at_s) for at_s in asked] == [Zone(zone.name).day(at_s) for at_s in asked]


def test_an_hour_that_comes_twice_makes_two_groups() -> None:
    shown = groups(Zone("America/New_York"), "2026-11-01", 60)
    assert list(shown)[:4] == ["00:00-04:00", "01:00-04:00", "01:00-05:00", "02:00-05:00"]
    assert (len(shown), set(shown.values())) == (25, {4})


def test_an_hour_that_is_skipped_makes_no_group() -> None:
    shown = groups(Zone("America/New_York"), "2026-03-08", 60)
    assert list(shown)[:3] == ["00:00-05:00", "01:00-05:00", "03:00-04:00"]
    assert (len(shown), set(shown.values())) == (23, {4})


def test_where_the_clock_changes_by_half_an_hour_the_group_is_cut_there() -> None:
    lord_howe = Zone("Australia/Lord_Howe")
    forth, back = groups(lord_howe, "2026-10-04", 60), groups(lord_howe, "2026-04-05", 60)
    assert list(forth.items())[:4] == [
        ("00:00+10:30", 4),
        ("01:00+10:30", 4),
        ("02:30+11:00", 2),
        ("03:00+11:00", 4),
    ]
    assert list(back.items())[:4] == [
        ("00:00+11:00", 4),
        ("01:00+11:00", 4),
        ("01:30+10:30", 2),
        ("02:00+10:30", 4),
    ]


def test_hours_are_the_wall_clock_s_where_a_zone_stands_at_45_minutes() -> None:
    kathmandu = Zone("Asia/Kathmandu")
    half_past_nine = kathmandu.bounds("2026-11-23")[0] + 9 * 3600 + 1800
    assert kathmandu.iso(regroup(half_past_nine, 60, kathmandu)) == "2026-11-23T09:00:00+05:45"
    assert set(groups(kathmandu, "2026-11-23", 60).values()) == {4}


@given(any_day, st.sampled_from(GROUP_MINUTES))
@example((Zone("Australia/Lord_Howe"), "2026-04-05"), 60)
@example((Zone("America/St_Johns"), "2010-11-07"), 60)
def test_groups_partition_the_slots_of_a_day(case: tuple[Zone, str], minutes: int) -> None:
    zone, day = case
    slots = list(zone.slots(day))
    grouped = [regroup(slot, minutes, zone) for slot in slots]
    assert set(grouped) <= set(slots)
    assert [regroup(group, minutes, zone) for group in grouped] == grouped
    assert grouped == sorted(grouped)

    def on_the_wall(slot: int) -> tuple[timedelta | None, date, int]:
        local = zone.local(slot)
        return local.utcoffset(), local.date(), zone.minute_of_day(slot) // minutes

    # Two neighbours share a group just when the clock shows both in the same one, without a change.
    for (slot, group), (after, group_after) in pairwise(zip(slots, grouped, strict=True)):
        assert (group == group_after) == (on_the_wall(slot) == on_the_wall(after))
    assert max(Counter(grouped).values(), default=0) <= minutes // 15


@pytest.mark.parametrize("minutes", [0, 7, 45, 120])
def test_other_groups_than_15_30_and_60_minutes_are_refused(minutes: int) -> None:
    with pytest.raises(ValueError, match="15, 30 or 60"):
        regroup(0, minutes, SHANGHAI)


def test_an_interval_is_split_where_slots_meet() -> None:
    assert list(split(1000, 1060)) == [(900, 60)]
    assert list(split(900, 1800)) == [(900, 900)]
    assert list(split(1799, 3601)) == [(900, 1), (1800, 900), (2700, 900), (3600, 1)]


@pytest.mark.parametrize("end_s", [1000, 999, 0])
def test_an_interval_that_does_not_go_forward_has_no_parts(end_s: int) -> None:
    assert list(split(1000, end_s)) == []


@given(instants, st.integers(0, 100_000))
def test_the_parts_of_an_interval_add_up_and_none_leaves_its_slot(start_s: int, length_s: int) -> None:
    at_s = start_s
    for slot, seconds in split(start_s, start_s + length_s):
        assert (slot, slot % SLOT_S) == (Zone.slot(at_s), 0)
        assert 0 < seconds <= slot + SLOT_S - at_s
        at_s += seconds
    assert at_s == start_s + length_s


def test_days_are_shifted_over_the_ends_of_months_and_years() -> None:
    assert Zone.shift_days("2024-02-28", 1) == "2024-02-29"
    assert Zone.shift_days("2026-01-01", -1) == "2025-12-31"
    assert Zone.shift_days("2026-11-23", 0) == "2026-11-23"
    with pytest.raises(ValueError, match="outside the calendar"):
        Zone.shift_days("9999-12-31", 1)


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("today", "2026-11-23", "2026-11-23"),
        ("2026-11-22", "2026-11-22", "2026-11-22"),
        ("2026-11", "2026-11-01", "2026-11-30"),
        ("2024-02", "2024-02-01", "2024-02-29"),
        ("9999-12", "9999-12-01", "9999-12-31"),
        ("2026", "2026-01-01", "2026-12-31"),
        ("2026-11-01..2026-11-23", "2026-11-01", "2026-11-23"),
        ("2026-01..2026-02", "2026-01-01", "2026-02-28"),
        ("2025-12-24..2026-02", "2025-12-24", "2026-02-28"),
        ("2026-02..2026-02-03", "2026-02-01", "2026-02-03"),
        ("2026-02-03..2026-02", "2026-02-03", "2026-02-28"),
    ],
)
def test_a_period_has_both_its_ends(text: str, first: str, last: str) -> None:
    assert period(text, "2026-11-23") == (first, last)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday",
        "Today",
        " 2026-11-23",
        "2026-11-23\n",
        "20261123",
        "2026-W48-1",
        "2026-1",
        "26-11-23",
        "٢٠٢٦-11-23",
        "0000",
        "2025..2026",
        "today..2026-11-30",
        "2026-11..",
        "..2026-11",
        "2026-10...2026-11",
        "2026-09..2026-10..2026-11",
    ],
)
def test_what_is_no_period_is_refused_with_what_may_be_written(text: str) -> None:
    with pytest.raises(ValueError, match=r"cannot be read; write today, a day \(2026-11-23\), a month"):
        period(text, "2026-11-23")


@pytest.mark.parametrize("text", ["2026-02-29", "2026-13", "2026-00", "2026-11-01..2026-11-31", "0000-01"])
def test_a_day_that_does_not_exist_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not in the calendar"):
        period(text, "2026-11-23")


def test_a_period_that_ends_before_it_begins_is_refused() -> None:
    with pytest.raises(ValueError, match="ends before it begins"):
        period("2026-11-23..2026-11-22", "2026-11-23")


@pytest.mark.parametrize("day", ["", "2026-11", "20261123", "2026-W48-1", "2026-02-30", "2026-11-23T00:00"])
def test_a_zone_takes_days_in_one_way_of_writing_only(day: str) -> None:
    with pytest.raises(ValueError, match=r"is not a day|is not in the calendar"):
        SHANGHAI.bounds(day)


@pytest.mark.parametrize("name", ["", "Asia", "Asia/Fuzhou", "../../etc/passwd", "/etc/localtime", "a\0b"])
def test_an_unknown_zone_is_refused_with_an_example(name: str) -> None:
    with pytest.raises(ValueError, match="Asia/Shanghai"):
        Zone(name)


def test_a_moment_beyond_the_calendar_is_refused() -> None:
    for at_s in (10**12, 10**30):
        with pytest.raises(ValueError, match=r"calendar|year"):
            SHANGHAI.day(at_s)


def test_zones_of_one_name_are_equal() -> None:
    assert Zone("Asia/Shanghai") == SHANGHAI != Zone("Asia/Tokyo")
    assert {Zone("Asia/Shanghai"), SHANGHAI} == {SHANGHAI}
    assert repr(SHANGHAI) == "Zone('Asia/Shanghai')"
