"""Counts as rows of a table: what `wallboard show` prints."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.core.calls import WAITING, call_fate
from dashboard.core.counts import CALLS, EDGES_S, QUEUE, F
from dashboard.core.days import SLOT_S, Zone
from dashboard.core.events import (
    Abandoned,
    Answered,
    Ended,
    Event,
    Offered,
    Overflowed,
    Refused,
    RingMissed,
    SignedIn,
    SwitchStarted,
)
from dashboard.core.fold import Rules
from dashboard.core.table import (
    BYS,
    COUNT_COLUMNS,
    SEAT_ONLY,
    Ask,
    Observes,
    Part,
    covered_s,
    days_between,
    table,
)
from tests.core.fold_streams import DAY_S, EIGHT, SHANGHAI, H, at, part, streams

T = EIGHT
DAY = SHANGHAI.bounds("2026-11-23")
WHOLE = Ask(zone=SHANGHAI, from_s=DAY[0], to_s=DAY[1])
SITES = {"a": "gulou", "b": "gulou", "c": "minhou", "s": "gulou", "r": "minhou"}


def told(ask: Ask, *parts: Part) -> dict[str, dict[str, Any]]:
    """Rows by key, without what is 0, None or False; the total under ""."""
    made = table(ask, parts)
    rows = {row["key"]: row for row in made["rows"]} | {"": made["total"]}
    return {key: {k: v for k, v in row.items() if k != "key" and v} for key, row in rows.items()}


def only(row: Mapping[str, Any], *columns: str) -> dict[str, Any]:
    return {column: row[column] for column in columns}


LINES = [
    SignedIn(T, "s", "a"),
    Offered(T, "1", "a"),
    Answered(T + 10, "1", "a", "s", 10),
    Ended(T + 70, "1", "a", "s", 60),
    Offered(T + 100, "2", "a"),
    Overflowed(T + 130, "2", "a", 30, "timeout"),
    Offered(T + 130, "2", "c"),
    Answered(T + 140, "2", "c", "r", 10),
    Ended(T + 240, "2", "c", "r", 100),
    Offered(T + 300, "3", "a"),
    Abandoned(T + 304, "3", "a", 4),
    RingMissed(T + 303, "3", "s", "a", 3000),
    Offered(T + 400, "4", "c"),
    SwitchStarted(T + 500),
]


# Whole ------------------------------------------------------------------------------------------------------------


def test_a_total_counts_calls() -> None:
    fates = {
        "offered": 4,
        "answered": 2,
        "finished": 2,
        "abandoned": 1,
        "abandoned_short": 1,
        "lost": 1,
        "lost_switch_died": 1,
        "answer_wait_s": 50,
        "abandon_wait_s": 4,
        "longest_wait_s": 40,
        "talk_s": 160,
        "wrap_s": 10,
        "answers": 2,
        "talk_done_s": 160,
        "wrap_done_s": 10,
    }
    seats = {"signed_in_s": 400, "busy_signed_in_s": 70, "ring_no_answer": 1}
    metrics = {
        "service_level_within": 1,
        "service_level_of": 4,
        "service_level": 0.25,
        "answer_rate": 2 / 3,
        "asa": 25.0,
        "wait_abandoned": 4.0,
        "aht": 85.0,
        "occupancy": 70 / 400,
        "abandon_rate": 0,
    }
    expected = {key: value for key, value in {**fates, **seats, **metrics}.items() if value}
    made = told(WHOLE, part(LINES))
    assert made == {"total": expected, "": {**expected, "legs": 5}}


def test_queues_count_legs_and_say_nothing_of_seats() -> None:
    made = told(replace(WHOLE, by="queue", queues=("a", "b", "c")), part(LINES))
    assert list(made) == ["a", "b", "c", ""]
    assert made["b"] == {}
    assert only(made["a"], "offered", "answered", "abandoned", "overflowed", "overflowed_timeout") == {
        "offered": 3,
        "answered": 1,
        "abandoned": 1,
        "overflowed": 1,
        "overflowed_timeout": 1,
    }
    assert only(made["c"], "offered", "answered", "lost") == {"offered": 2, "answered": 1, "lost": 1}
    rows = table(replace(WHOLE, by="queue"), [part(LINES)])["rows"]
    assert all(row[column] is None for row in rows for column in SEAT_ONLY)
    assert all(row["occupancy"] is None for row in rows)


def test_seats_have_only_work() -> None:
    made = told(replace(WHOLE, by="seat", seats=("s", "x")), part(LINES))
    assert made["s"] == {
        "answers": 1,
        "talk_done_s": 60,
        "wrap_done_s": 10,
        "signed_in_s": 400,
        "busy_signed_in_s": 70,
        "ring_no_answer": 1,
        "occupancy": 70 / 400,
    }
    assert made["r"] == {"answers": 1, "talk_done_s": 100}
    assert made["x"] == {}
    for row in table(replace(WHOLE, by="seat", seats=("s",)), [part(LINES)])["rows"]:
        fates = {*COUNT_COLUMNS, "waiting", "abandoned_short", "service_level", "answer_rate", "asa", "aht"}
        fates -= {"answers", "talk_done_s", "hold_done_s", "wrap_done_s"}
        assert {column for column in fates if row[column] is not None} == set()


def test_days_and_slots_have_calls_and_seats() -> None:
    ask = replace(WHOLE, by="day", to_s=DAY[1] + DAY_S)
    late = [*LINES, Offered(at("8:10", 1), "9", "a")]
    made = told(ask, part(late, DAY[1] + DAY_S))
    assert list(made) == ["2026-11-23", "2026-11-24", ""]
    assert only(made["2026-11-23"], "offered", "signed_in_s") == {"offered": 4, "signed_in_s": 400}
    assert made["2026-11-24"]["offered"] == 1
    slots = told(replace(WHOLE, by="slot", minutes=30), part(LINES))
    assert len(slots) == 48 + 1
    assert only(slots["2026-11-23T08:00:00+08:00"], "offered", "answers") == {"offered": 4, "answers": 2}


def test_what_is_not_configured_comes_after_what_is_in_the_order_of_names() -> None:
    lines = [Offered(T, str(n), queue) for n, queue in enumerate("zca")]
    assert list(told(replace(WHOLE, by="queue", queues=("z",)), part(lines))) == ["z", "a", "c", ""]


@pytest.mark.parametrize("minutes", [15, 30, 60])
def test_rows_of_slots_are_those_of_the_local_clock_on_a_day_of_25_hours(minutes: int) -> None:
    berlin = Zone("Europe/Berlin")
    from_s, to_s = berlin.bounds("2026-10-25")
    lines = [Offered(slot, str(slot), "c") for slot in range(from_s, to_s, SLOT_S)]
    rules = Rules(zone=berlin)
    ask = Ask(zone=berlin, from_s=from_s, to_s=to_s, by="slot", minutes=minutes)
    made = told(ask, part(lines, to_s, rules=rules))
    assert len(made) == 25 * 60 // minutes + 1
    assert {row["offered"] for key, row in made.items() if key} == {minutes // 15}
    keys = [key for key in made if "T02:00:00" in key]
    assert keys == ["2026-10-25T02:00:00+02:00", "2026-10-25T02:00:00+01:00"]


# Sites ------------------------------------------------------------------------------------------------------------

SITE_ASK = replace(
    WHOLE,
    by="site",
    sites=("gulou", "minhou", "shared"),
    site_of_queue=lambda queue, _: SITES[queue],
    site_of_seat=lambda seat, _: SITES[seat],
)


def test_a_call_with_legs_at_two_sites_counts_once_in_each_and_once_in_the_total() -> None:
    made = told(SITE_ASK, part(LINES))
    assert only(made["gulou"], "offered", "answered", "overflowed", "abandoned", "seat_answers") == {
        "offered": 3,
        "answered": 1,
        "overflowed": 1,
        "abandoned": 1,
        "seat_answers": 1,
    }
    assert only(made["minhou"], "offered", "answered", "lost", "seat_answers") == {
        "offered": 2,
        "answered": 1,
        "lost": 1,
        "seat_answers": 1,
    }
    assert only(made[""], "offered", "legs", "multi_site") == {"offered": 4, "legs": 5, "multi_site": 1}


def test_a_call_with_two_legs_at_one_site_counts_once_there() -> None:
    lines = [
        Offered(T, "1", "a"),
        Overflowed(T + 30, "1", "a", 30, "key"),
        Offered(T + 30, "1", "b"),
        Answered(T + 40, "1", "b", "s", 10),
        Ended(T + 100, "1", "b", "s", 60),
        Offered(T + 101, "1", "c"),
        Abandoned(T + 111, "1", "c", 10),
    ]
    made = told(SITE_ASK, part(lines))
    assert only(
        made["gulou"], "offered", "answered", "finished", "answer_wait_s", "longest_wait_s", "talk_s"
    ) == {"offered": 1, "answered": 1, "finished": 1, "answer_wait_s": 40, "longest_wait_s": 40, "talk_s": 60}
    assert "overflowed" not in made["gulou"]
    assert only(made["minhou"], "offered", "abandoned", "abandoned_after_answer") == {
        "offered": 1,
        "abandoned": 1,
        "abandoned_after_answer": 1,
    }
    assert only(made[""], "offered", "answered", "abandoned_after_answer", "legs", "multi_site") == {
        "offered": 1,
        "answered": 1,
        "abandoned_after_answer": 1,
        "legs": 3,
        "multi_site": 1,
    }


def test_a_call_that_waits_in_a_second_queue_of_a_site_waits_once_there() -> None:
    lines = [Offered(T, "1", "a"), Overflowed(T + 30, "1", "a", 30, "key"), Offered(T + 30, "1", "b")]
    made = told(SITE_ASK, part(lines, T + 35))
    assert only(made["gulou"], "offered", "waiting", "service_level_of", "open") == {
        "offered": 1,
        "waiting": 1,
        "service_level_of": 1,
        "open": True,
    }
    assert "overflowed" not in made["gulou"]


def test_an_abandon_after_an_answer_at_the_same_site_is_told_once() -> None:
    lines = [
        Offered(T, "1", "a"),
        Answered(T + 5, "1", "a", "s", 5),
        Ended(T + 10, "1", "a", "s", 5),
        Offered(T + 10, "1", "b"),
        Abandoned(T + 20, "1", "b", 10),
    ]
    made = told(SITE_ASK, part(lines))
    for key in ("gulou", ""):
        assert only(made[key], "offered", "answered", "abandoned_after_answer") == {
            "offered": 1,
            "answered": 1,
            "abandoned_after_answer": 1,
        }
        assert "abandoned" not in made[key]


def test_a_queue_belongs_to_its_site_of_the_day() -> None:
    ask = replace(
        SITE_ASK,
        to_s=DAY[1] + DAY_S,
        site_of_queue=lambda _, day: "gulou" if day <= "2026-11-23" else "minhou",
    )
    made = told(ask, part([Offered(T, "1", "a"), Offered(T + DAY_S, "2", "a")], DAY[1] + DAY_S))
    assert (made["gulou"]["offered"], made["minhou"]["offered"]) == (1, 1)


@given(streams(wild=False), st.integers(0, 20_000))
def test_at_every_site_each_call_offered_has_one_fate_or_waits(
    told_: tuple[Rules, list[Event]], later_s: int
) -> None:
    rules, lines = told_
    if not lines:
        return
    zone, until_s = rules.zone, lines[-1].at_s + later_s
    first, last = zone.bounds(zone.day(lines[0].at_s))[0], zone.bounds(zone.day(until_s))[1]
    ask = replace(SITE_ASK, zone=zone, from_s=first, to_s=last, site_of_seat=lambda *_: "gulou")
    source = part(lines, until_s, [(first, until_s)], rules)
    made = table(ask, [source])
    for row in [*made["rows"], made["total"]]:
        decided = row["answered"] + row["abandoned"] + row["overflowed"] + row["lost"]
        assert row["offered"] == decided + row["waiting"]
        assert row["service_level_within"] <= row["service_level_of"] <= row["offered"]
        negative = {k: v for k, v in row.items() if isinstance(v, int) and v < 0}
        assert negative == {}
    by_site = {row["key"]: row["offered"] for row in made["rows"]}
    at_sites = [
        len({SITES[leg.queue] for leg in call.legs if leg.offered_s is not None}) for call in source.multi
    ]
    twice = sum(n - 1 for n in at_sites if n > 1)
    assert sum(by_site.values()) == made["total"]["offered"] + twice
    assert made["total"]["multi_site"] == sum(n > 1 for n in at_sites)
    assert made["total"]["abandoned_after_answer"] == sum(
        row["abandoned_after_answer"] for row in made["rows"]
    )


@given(streams(wild=False), st.sampled_from(("total", "slot", "day")))
def test_rows_sum_to_the_total(told_: tuple[Rules, list[Event]], by: Any) -> None:
    rules, lines = told_
    if not lines:
        return
    zone, until_s = rules.zone, lines[-1].at_s
    first, last = zone.bounds(zone.day(lines[0].at_s))[0], zone.bounds(zone.day(until_s))[1]
    if last - first > 40 * DAY_S:
        return
    source = part(lines, until_s, [(first, until_s + 1)], rules)
    made = table(Ask(zone=zone, from_s=first, to_s=last, by=by), [source])
    for column in (
        "offered",
        "answered",
        "lost",
        "waiting",
        "answers",
        "talk_done_s",
        "signed_in_s",
        "paused_s",
    ):
        assert sum(row[column] or 0 for row in made["rows"]) == made["total"][column]


# Waiting ----------------------------------------------------------------------------------------------------------


def test_a_call_that_waits_longer_than_the_threshold_is_a_miss_at_once() -> None:
    lines = [Offered(T, "1", "c"), Offered(T, "2", "c"), Answered(T + 5, "2", "c", "s", 5)]
    for by, key in (("total", "total"), ("queue", "c"), ("site", "minhou"), ("day", "2026-11-23")):
        for seconds, of in ((15, 1), (16, 2)):
            row = told(replace(SITE_ASK, by=by), part(lines, T + seconds))[key]
            assert only(row, "waiting", "service_level_within", "service_level_of", "open") == {
                "waiting": 1,
                "service_level_within": 1,
                "service_level_of": of,
                "open": True,
            }


def test_a_period_ends_before_its_end() -> None:
    lines = [Offered(DAY[0] - 1, "1", "c"), Offered(DAY[0], "2", "c"), Offered(DAY[1] - 1, "3", "c")]
    source = part([*lines, Offered(DAY[1], "4", "c")], DAY[1] + 60)
    for by in ("total", "day", "slot", "queue", "site"):
        made = table(replace(SITE_ASK, by=by), [source])
        assert sum(row["offered"] for row in made["rows"]) == made["total"]["offered"] == 2
        assert sum(row["waiting"] for row in made["rows"]) == made["total"]["waiting"] == 1


def test_a_slot_is_open_while_a_call_of_it_is_undecided_and_its_rates_leave_it_out() -> None:
    lines = [Offered(T + 1, "1", "c"), Offered(T + 1, "2", "c"), Answered(T + 5, "2", "c", "s", 4)]
    made = told(replace(WHOLE, by="slot", minutes=15), part(lines, T + H))
    slot = made["2026-11-23T08:00:00+08:00"]
    assert only(slot, "offered", "waiting", "answer_rate", "open") == {
        "offered": 2,
        "waiting": 1,
        "answer_rate": 1.0,
        "open": True,
    }
    assert "open" not in made["2026-11-23T08:15:00+08:00"]


def test_a_call_answered_before_is_decided_though_it_waits_again() -> None:
    lines = [
        Offered(T, "1", "a"),
        Answered(T + 5, "1", "a", "s", 5),
        Ended(T + 10, "1", "a", "s", 5),
        Offered(T + 10, "1", "c"),
    ]
    made = told(replace(WHOLE, by="queue"), part(lines, T + 60))
    assert only(made["c"], "offered", "waiting", "open") == {"offered": 1, "waiting": 1, "open": True}
    assert "waiting" not in made["a"]
    assert "waiting" not in made[""]


def test_yesterdays_call_that_still_waits_is_yesterdays() -> None:
    lines = [Offered(DAY[0] - 60, "1", "c")]
    assert told(WHOLE, part(lines, DAY[0] + 60))["total"] == {}


# Unknown ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("by", BYS)
def test_where_nothing_covers_everything_is_null(by: Any) -> None:
    ask = replace(WHOLE, by=by, queues=("a",), seats=("s",), sites=("gulou",))
    covered_later = part([], DAY[1] + DAY_S, [(DAY[1], DAY[1] + DAY_S)])
    for parts in ([], [covered_later]):
        made = table(ask, parts)
        assert made["rows"]
        for row in [*made["rows"], made["total"]]:
            known = {k: v for k, v in row.items() if v is not None and k not in ("key", "open")}
            assert known == {}
            assert row["open"] is False
        assert {"legs", "multi_site"} <= made["total"].keys()


def test_where_something_covers_counts_are_0_and_averages_null() -> None:
    row = table(WHOLE, [part([])])["total"]
    nulls = {key for key, value in row.items() if value is None}
    assert nulls == {
        *("hold_s", "hold_done_s", "refused"),
        *("service_level", "answer_rate", "abandon_rate", "asa", "wait_abandoned", "aht", "occupancy"),
    }
    assert {row[key] for key in row.keys() - nulls - {"open"}} == {0}


def test_the_rest_of_today_is_null_and_no_gap() -> None:
    made = table(replace(WHOLE, by="slot"), [part([Offered(T, "1", "c")], T + H)])
    rows = {row["key"][11:16]: row for row in made["rows"]}
    assert [rows[clock]["offered"] for clock in ("07:30", "08:00", "08:30", "09:00", "23:30")] == [
        0,
        1,
        0,
        None,
        None,
    ]
    assert [rows[clock]["gap_s"] for clock in ("07:30", "08:00", "08:30", "09:00", "23:30")] == [
        0,
        0,
        0,
        None,
        None,
    ]
    assert made["total"]["gap_s"] == 0


def test_a_gap_is_told_in_seconds() -> None:
    coverage = [(DAY[0], T + 600), (T + 660, T + 3000), (T + 6000, DAY[1])]
    made = table(replace(WHOLE, by="slot"), [part([], DAY[1], coverage)])
    rows = {row["key"][11:16]: row for row in made["rows"]}
    assert {clock: row["gap_s"] for clock, row in rows.items() if row["gap_s"]} == {
        "08:00": 60,
        "08:30": 600,
        "09:00": 1800,
        "09:30": 600,
    }
    assert rows["09:00"]["offered"] is None
    assert rows["08:30"]["offered"] == 0
    assert made["total"]["gap_s"] == 3060


def test_a_gap_of_two_sources_is_one_gap() -> None:
    first = part([], DAY[1], [(DAY[0], T), (T + 100, DAY[1])])
    second = part([], DAY[1], [(DAY[0], T + 50), (T + 200, DAY[1])])
    assert table(WHOLE, [first, second])["total"]["gap_s"] == 200


def test_a_source_that_was_not_there_yet_is_no_gap() -> None:
    later = part([], DAY[1] + DAY_S, [(DAY[1], DAY[1] + DAY_S)])
    assert table(WHOLE, [part([]), later])["total"]["gap_s"] == 0


def test_counts_of_an_import_stand_though_its_coverage_is_none() -> None:
    row = table(WHOLE, [part([Offered(T, "1", "c")], T + 60, [])])["total"]
    assert (row["offered"], row["gap_s"]) == (1, None)


def test_refused_is_null_until_a_source_has_told_one_and_0_from_then_on() -> None:
    lines = [Offered(T, "1", "c"), Refused(T + H, "2", "c", "FULL")]
    made = table(replace(WHOLE, by="slot", minutes=60), [part(lines)])
    rows = {row["key"][11:16]: row["refused"] for row in made["rows"]}
    assert [rows[clock] for clock in ("08:00", "09:00", "10:00")] == [None, 1, 0]
    assert made["total"]["refused"] == 1
    assert table(WHOLE, [part(lines[:1])])["total"]["refused"] is None


def test_holds_and_wrap_up_are_null_where_nobody_observes_them() -> None:
    source = part(LINES)
    seeing = replace(source, observes=Observes(hold=True, wrap=False))
    row = table(WHOLE, [seeing])["total"]
    assert (row["hold_s"], row["hold_done_s"], row["wrap_s"], row["wrap_done_s"]) == (0, 0, None, None)
    assert row["aht"] == 80.0  # talk alone


# Settings ---------------------------------------------------------------------------------------------------------


def test_a_threshold_that_is_no_edge_is_refused_with_the_list() -> None:
    with pytest.raises(
        ValueError, match=r"a threshold of 14 s is not an edge .* allowed: 1, 2, 3, 5, 10, 15, 20"
    ):
        table(replace(WHOLE, threshold_s=14), [part(LINES)])
    with pytest.raises(ValueError, match="a threshold of 4 s"):
        table(replace(WHOLE, short_s=4), [part(LINES)])
    with pytest.raises(ValueError, match="is not a service level"):
        table(replace(WHOLE, formula="best"), [part(LINES)])


def test_short_abandons_are_counted_when_looking() -> None:
    shorts = {
        short_s: told(replace(WHOLE, short_s=short_s), part(LINES))["total"].get("abandoned_short", 0)
        for short_s in (0, 3, 5)
    }
    assert shorts == {0: 0, 3: 0, 5: 1}


@given(st.sampled_from(EDGES_S))
def test_the_service_level_is_that_of_the_threshold(threshold_s: int) -> None:
    row = told(replace(WHOLE, threshold_s=threshold_s, formula="of_answered"), part(LINES))["total"]
    assert row.get("service_level", 0) == sum(wait_s <= threshold_s for wait_s in (10, 40)) / 2


def test_two_sources_add() -> None:
    one, two = part(LINES), part([Offered(T, "1", "c"), Offered(T + 5, "9", "a")], T + 60)
    made = told(WHOLE, one, two)["total"]
    assert only(made, "offered", "answered", "waiting") == {"offered": 6, "answered": 2, "waiting": 2}


# By themselves ----------------------------------------------------------------------------------------------------


def test_covered_seconds_end_at_as_of() -> None:
    coverage = [(0, 100), (200, 300)]
    assert covered_s(coverage, 250, 50, 1000) == 100
    assert covered_s(coverage, None, 0, 1000) == 0
    assert covered_s([], 100, 0, 100) == 0


def test_days_of_a_period_have_their_own_bounds() -> None:
    berlin = Zone("Europe/Berlin")
    from_s, to_s = berlin.bounds("2026-10-24")[0], berlin.bounds("2026-10-26")[1]
    days = list(days_between(berlin, from_s, to_s))
    assert [(day, (end - start) // H) for day, (start, end) in days] == [
        ("2026-10-24", 24),
        ("2026-10-25", 25),
        ("2026-10-26", 24),
    ]


def test_the_parts_here_are_what_a_reader_makes() -> None:
    source = part(LINES)
    assert [call.callid for call in source.multi] == ["2"]
    assert source.open_calls == []
    assert (CALLS, "", T) in source.rows
    assert source.rows[QUEUE, "c", T][F["lost"]] == 1
    waiting = part([Offered(T, "1", "c")], T + 5).open_calls
    assert call_fate(waiting[0].legs).fate == WAITING
