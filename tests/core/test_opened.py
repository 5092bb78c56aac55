"""Every figure of the table is the sum over the calls behind it."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.core.asof import as_of
from dashboard.core.days import Zone
from dashboard.core.events import Abandoned, Answered, Ended, Event, Offered, Overflowed
from dashboard.core.fold import Rules
from dashboard.core.metrics import FORMULAS
from dashboard.core.opened import EXEMPT, FATES, OUTCOMES, WORK, Calls, Where, figures, opened
from dashboard.core.table import BYS, COUNT_COLUMNS, SEAT_ONLY, WORK_COLUMNS, Ask, table
from tests.core.fold_streams import DAY_S, EIGHT, RULES, SHANGHAI, H, folded, part, streams
from tests.core.laws import differences

T = EIGHT
DAY = SHANGHAI.bounds("2026-11-23")
WHOLE = Ask(zone=SHANGHAI, from_s=DAY[0], to_s=DAY[1])
SITES = {"a": "gulou", "b": "gulou", "c": "minhou", "s1": "gulou", "s2": "minhou"}


def calls(lines: Sequence[Event], until_s: int, rules: Rules = RULES) -> Calls:
    """The calls of a stream as they stand at an instant, as a reader has them."""
    run = folded(lines, rules)
    state, _ = as_of(rules, run.state, {}, until_s)
    found = {key: call for key, call in run.touched_calls.items() if call is not None}
    found.update(((call.at_s, call.callid), call) for call in state.calls.values())
    return Calls(
        source="pbx1",
        calls=list(found.values()),
        as_of_s=until_s,
        worked_s=max(until_s, run.state.clock.last_s or 0),
    )


def site(name: str, _day: str) -> str:
    return SITES.get(name, "unassigned")


def moving_site(name: str, day: str) -> str:
    """A queue that belongs to another site every other day."""
    return "gulou" if int(day[-2:]) % 2 else SITES.get(name, "unassigned")


@given(
    streams(wild=False),
    st.integers(0, 3 * DAY_S),
    st.sampled_from(BYS),
    st.sampled_from((1, 15, 60)),
    st.sampled_from((0, 5, 15)),
    st.sampled_from(FORMULAS),
    st.booleans(),
)
def test_a_figure_is_the_sum_over_its_calls(
    stream: tuple[Rules, list[Event]],
    later_s: int,
    by: Any,
    threshold_s: int,
    short_s: int,
    formula: str,
    moving: bool,
) -> None:
    rules, lines = stream
    last_s = max((line.at_s for line in lines), default=T)
    until_s = last_s + later_s
    zone: Zone = rules.zone
    first, last = zone.day(min((line.at_s for line in lines), default=T)), zone.day(last_s)
    last = min(last, zone.shift_days(first, 4))
    ask = Ask(
        zone=zone,
        from_s=zone.bounds(first)[0],
        to_s=zone.bounds(last)[1],
        by=by,
        threshold_s=threshold_s,
        short_s=short_s,
        formula=formula,
        site_of_queue=moving_site if moving else site,
        site_of_seat=site,
        queues=["a"],
        sites=["gulou"],
    )
    one = part(lines, until_s, [(0, until_s)], rules)
    assert differences(ask, [one], [calls(lines, until_s, rules)]) == []


@given(streams(wild=True), st.sampled_from(("total", "queue", "seat", "slot", "day")))
def test_and_of_a_log_that_makes_no_sense(stream: tuple[Rules, list[Event]], by: Any) -> None:
    """Lines twice, ids that come back, clocks that step back.

    Then a greatest wait that was seen once is not lowered, which of two lines came first is not in their times, and a
    seat's seconds are not counted again.
    """
    rules, lines = stream
    first_s, last_s = min((x.at_s for x in lines), default=T), max((x.at_s for x in lines), default=T)
    zone = rules.zone
    if last_s - first_s > 10 * DAY_S:
        last_s = first_s + 10 * DAY_S
    until_s = max((x.at_s for x in lines), default=T)
    ask = Ask(
        zone=zone,
        from_s=zone.bounds(zone.day(first_s))[0],
        to_s=zone.bounds(zone.day(last_s))[1],
        by=by,
        site_of_queue=site,
    )
    found = differences(ask, [part(lines, until_s, [(0, until_s)], rules)], [calls(lines, until_s, rules)])
    unsure = {"longest_wait_s", "abandoned_after_answer"} | ({"talk_done_s"} if by == "seat" else set())
    assert [one for one in found if one[1] not in unsure] == []


def test_every_column_comes_from_calls_or_says_why_not() -> None:
    columns = {*COUNT_COLUMNS, *WORK_COLUMNS, *SEAT_ONLY, "gap_s", "waiting", "abandoned_short"}
    columns |= {"service_level_within", "service_level_of"}
    assert {*FATES, *WORK} | EXEMPT.keys() == columns
    assert not {*FATES, *WORK} & EXEMPT.keys()
    assert set(OUTCOMES) <= {*FATES, *WORK}


LINES = [
    Offered(T, "1", "a"),
    Answered(T + 10, "1", "a", "s1", 10),
    Ended(T + 70, "1", "a", "s1", 60),
    Offered(T + 100, "2", "a"),
    Overflowed(T + 130, "2", "a", 30, "timeout"),
    Offered(T + 130, "2", "c"),
    Answered(T + 140, "2", "c", "s2", 10),
    Ended(T + 240, "2", "c", "s2", 100),
    Answered(T + 250, "0", "a", "s1", 5),
    Offered(T + 300, "3", "a"),
    Abandoned(T + 304, "3", "a", 4),
    Offered(T + 400, "4", "c"),
]


def ids(where: Where, column: str) -> dict[str, int]:
    found = opened(where, [calls(LINES, T + H)])
    return {one.call.callid: one.adds[column] for one in found if column in one.adds}


def test_whose_calls_a_row_means() -> None:
    ask = replace(WHOLE, site_of_queue=site, site_of_seat=site)
    assert ids(Where(ask=ask), "offered") == {"1": 1, "2": 1, "3": 1, "4": 1}
    assert ids(Where(ask=ask, queue="a"), "overflowed") == {"2": 1}
    assert ids(Where(ask=ask, queue="c"), "answered") == {"2": 1}
    assert ids(Where(ask=ask, site="gulou"), "overflowed") == {"2": 1}
    assert ids(Where(ask=ask), "waiting") == {"4": 1}
    assert ids(Where(ask=ask), "abandoned_short") == {"3": 1}
    assert ids(Where(ask=ask), "multi_site") == {"2": 1}


def test_an_unseen_offer_is_work_and_nobodys_fate() -> None:
    assert ids(Where(ask=WHOLE, seat="s1"), "answers") == {"1": 1, "0": 1}
    assert "0" not in ids(Where(ask=WHOLE), "offered")
    assert figures(opened(Where(ask=WHOLE, seat="s2"), [calls(LINES, T + H)]), seat=True) == {
        "answers": 1,
        "talk_done_s": 100,
    }


@pytest.mark.parametrize(("queue", "meant"), [("a", {0}), ("c", {1})])
def test_the_legs_that_are_meant_are_told(queue: str, meant: set[int]) -> None:
    found = {one.call.callid: one for one in opened(Where(ask=WHOLE, queue=queue), [calls(LINES, T + H)])}
    assert found["2"].meant == meant


def test_a_second_of_a_seat_counts_once() -> None:
    lines = [
        Offered(T, "1", "a"),
        Answered(T, "1", "a", "s1", 0),
        Offered(T + 10, "2", "c"),
        Answered(T + 10, "2", "c", "s1", 0),
        Ended(T + 30, "2", "c", "s1", 20),
        Ended(T + 100, "1", "a", "s1", 100),
    ]
    of_seat = figures(opened(Where(ask=WHOLE, seat="s1"), [calls(lines, T + H)]), seat=True)
    of_all = figures(opened(Where(ask=WHOLE), [calls(lines, T + H)]))
    assert (of_seat["talk_done_s"], of_all["talk_done_s"]) == (100, 120)
    shown = table(replace(WHOLE, by="seat"), [part(lines)])
    assert [row["talk_done_s"] for row in shown["rows"]] == [100]
