"""Counts as they stand at an instant: what is stored, and what is still going on."""

import copy

from hypothesis import given
from hypothesis import strategies as st

from dashboard.core.asof import as_of
from dashboard.core.counts import CALLS, SEAT, F, S
from dashboard.core.events import (
    Answered,
    Ended,
    Event,
    Offered,
    Overflowed,
    Paused,
    SeatSeen,
    SignedIn,
)
from dashboard.core.fold import Fold, Rules, State
from dashboard.core.seats import READY, TALKING, shown
from tests.core.fold_streams import (
    DAY_S,
    EIGHT,
    RULES,
    H,
    at,
    folded,
    named,
    plain,
    row,
    streams,
    told,
    unbalanced,
)

T = EIGHT
Told = tuple[Rules, list[Event]]


def stand(lines: list[Event], at_s: int) -> dict[str, dict[str, int]]:
    """All rows as they stand."""
    run = folded(lines)
    _, changed = as_of(RULES, run.state, run.rows, at_s)
    return told({**run.rows, **changed})


def test_nothing_stands_as_nothing() -> None:
    state, changed = as_of(RULES, State(), {}, T)
    assert (state.calls, state.seats, changed) == ({}, {}, {})


def test_open_intervals_are_counted_up_to_the_instant() -> None:
    lines = [
        SignedIn(at("8:10"), "talks", "c"),
        SignedIn(at("8:10"), "ready", "c"),
        SeatSeen(at("8:10"), "not seen to sign in", "c"),
        Paused(at("8:10"), "paused", "c", ""),
        Offered(at("8:10"), "1", "c"),
        Answered(at("8:11"), "1", "c", "talks", 60),
    ]
    fate = row("offered answered answer_wait_s:60 answered@60 longest_wait_s:60 answers talk_done_s:240")
    assert stand(lines, at("8:20")) == {
        "q c 08:00": fate,
        "q c 08:15": row("talk_done_s:300"),
        "c 08:00": fate,
        "c 08:15": row("talk_done_s:300"),
        "s talks 08:00": row("answers talk_done_s:240 signed_in_s:300 busy_signed_in_s:240"),
        "s talks 08:15": row("talk_done_s:300 signed_in_s:300 busy_signed_in_s:300"),
        "s ready 08:00": row("signed_in_s:300"),
        "s ready 08:15": row("signed_in_s:300"),
        "s paused 08:00": row("paused_s:300"),
        "s paused 08:15": row("paused_s:300"),
    }


def test_a_wrap_up_in_progress_is_work_and_not_yet_the_calls() -> None:
    lines = [Offered(T, "1", "b"), Answered(T, "1", "b", "s", 0), Ended(T + 60, "1", "b", "s", 60)]
    assert stand(lines, T + 90)["s s 08:00"] == row("answers talk_done_s:60 wrap_done_s:30")
    assert "wrap_s" not in stand(lines, T + 90)["c 08:00"]
    assert stand(lines, T + 360)["c 08:00"]["wrap_s"] == 300
    state, _ = as_of(RULES, folded(lines).state, {}, T + 360)
    assert shown(state.seats["s"], T + 360)[:2] == (READY, T + 360)


def test_legs_over_the_limit_are_closed_for_whoever_looks() -> None:
    lines = [Offered(T, "1", "c"), Offered(T, "2", "c"), Answered(T, "2", "c", "s", 0)]
    at_limit = stand(lines, T + 2 * H)["c 08:00"]
    assert "lost" not in at_limit
    assert stand(lines, T + 2 * H + 1)["c 08:00"] == at_limit | row("lost lost_no_end")
    late = stand(lines, T + 8 * H + 1)
    assert late["c 08:00"] == row("offered:2 lost lost_no_end answered answered@1 answers cut")
    assert {key for key in late if key.startswith("s ")} == {"s s 08:00"}


def test_a_conversation_counts_until_it_is_given_up() -> None:
    lines = [Answered(T, "1", "c", "s", 0)]
    assert sum(v.get("talk_done_s", 0) for k, v in stand(lines, T + 8 * H).items() if k[0] == "s") == 8 * H


def test_beside_a_conversation_that_goes_on_the_others_are_counted_once() -> None:
    lines = [
        Answered(T, "1", "c", "s", 0),
        Answered(T + 20, "2", "c", "s", 0),
        Ended(T + 50, "2", "c", "s", 30),
    ]
    assert stand(lines, T + 100)["s s 08:00"] == row("answers:2 talk_done_s:100")
    assert stand(lines, T + 100)["q c 08:00"] == row("answers:2 talk_done_s:130")


def test_an_instant_before_the_last_line_is_the_last_line() -> None:
    lines = [SignedIn(T, "s", "c"), Event(T + 60)]
    assert stand(lines, T - 999) == stand(lines, T + 60) == {"s s 08:00": row("signed_in_s:60")}


def test_what_is_stored_is_added_to_and_not_changed() -> None:
    run = folded([SignedIn(T, "s", "c")])
    base = {(SEAT, "s", T): [0, 0, 0, 0, 0, 100], (SEAT, "other", T): [1]}
    before = copy.deepcopy(base)
    _, changed = as_of(RULES, run.state, base, T + 60)
    assert changed == {(SEAT, "s", T): [0, 0, 0, 0, 0, 160, 0, 0, 0]}
    assert base == before


def test_after_weeks_of_silence_nobody_is_taken_to_be_at_work() -> None:
    lines = [SignedIn(T, "s", "c")]
    assert "s s 08:00" in stand(lines, T + 14 * DAY_S)
    assert stand(lines, T + 14 * DAY_S + 1) == {}


def test_a_call_decided_by_looking_is_there_to_be_seen() -> None:
    """Even where it is forgotten at once."""
    run = folded([Offered(T, "1", "c")])
    state, _ = as_of(RULES, run.state, run.rows, T + 3 * DAY_S)
    assert state.calls["1"].legs[0].fate == "lost"


@given(streams(), st.integers(0, 100_000))
def test_looking_changes_nothing(told_: Told, later_s: int) -> None:
    rules, events = told_
    run = folded(events, rules)
    state, rows = copy.deepcopy(run.state), copy.deepcopy(dict(run.rows))
    as_of(rules, run.state, run.rows, (run.state.clock.last_s or 0) + later_s)
    assert (run.state, dict(run.rows)) == (state, rows)


@given(streams(), st.integers(0, 40), st.integers(0, 100_000))
def test_looking_between_two_lines_does_not_change_what_follows(told_: Told, cut: int, later_s: int) -> None:
    rules, events = told_
    run = folded(events[:cut], rules)
    as_of(rules, run.state, run.rows, (run.state.clock.last_s or 0) + later_s)
    run.feed(events[cut:])
    whole = folded(events, rules)
    assert (run.state, plain(run.rows)) == (whole.state, plain(whole.rows))


@given(streams(wild=False), st.sampled_from((0, 1, 10, 299, 900, 7200, 7201, 28_801, 90_000)))
def test_looking_is_what_a_line_without_effect_at_that_instant_would_show(told_: Told, later_s: int) -> None:
    """And so also: what is open counts up to the instant and not further."""
    rules, events = told_
    if not events:
        return
    at_s = events[-1].at_s + later_s
    run = folded(events, rules)
    state, changed = as_of(rules, run.state, run.rows, at_s)
    with_line = folded([*events, Event(at_s)], rules)
    state_2, changed_2 = as_of(rules, with_line.state, with_line.rows, at_s)
    assert plain({**run.rows, **changed}) == plain({**with_line.rows, **changed_2})
    assert state.seats == state_2.seats
    assert {callid: state.calls[callid] for callid in state_2.calls} == state_2.calls
    assert {call.callid for call in state.calls.values() if call.open} <= state_2.calls.keys()


@given(streams(wild=False))
def test_at_the_last_line_only_open_intervals_are_added(told_: Told) -> None:
    rules, events = told_
    if not events:
        return
    run = folded(events, rules)
    _, changed = as_of(rules, run.state, run.rows, events[-1].at_s)
    seconds = {*(i for name, i in S.items() if name.endswith("_s"))}
    for key, values in changed.items():
        stored = run.rows.get(key) or [0] * len(values)
        grown = {i for i, (old, new) in enumerate(zip(stored, values, strict=True)) if old != new}
        assert all(new >= old for old, new in zip(stored, values, strict=True))
        assert grown <= (seconds if key[0] == SEAT else {F["talk_done_s"], F["wrap_done_s"]})


@given(streams(wild=False), st.lists(st.integers(0, 7000), min_size=2, max_size=2))
def test_as_time_goes_on_work_only_grows(told_: Told, later_s: list[int]) -> None:
    """Until a limit: what has lasted too long is given up."""
    rules, events = told_
    lasting = Rules(zone=rules.zone, wrapup_s=rules.wrapup_s, waiting_limit_s=10**9, talking_limit_s=10**9)
    run = folded(events, lasting)
    start_s = run.state.clock.last_s or 0
    early, late = (
        {**run.rows, **as_of(lasting, run.state, run.rows, start_s + s)[1]} for s in sorted(later_s)
    )
    for key, values in early.items():
        assert all(a <= b for a, b in zip(values, late[key], strict=True)), named(key[0], values)


@given(streams(), st.integers(0, 100_000))
def test_the_balance_holds_at_every_instant(told_: Told, later_s: int) -> None:
    rules, events = told_
    run = folded(events, rules)
    state, changed = as_of(rules, run.state, run.rows, (run.state.clock.last_s or 0) + later_s)
    assert unbalanced({**run.rows, **changed}, state) == []


def test_a_reader_needs_only_what_is_going_on() -> None:
    """Open calls, those that wrap up, and seats: not the calls that are over."""
    lines = [
        Offered(T, "1", "c"),
        Overflowed(T + 5, "1", "c", 5, "key"),
        Offered(T + 6, "2", "b"),
        Answered(T + 7, "2", "b", "s", 1),
        Ended(T + 60, "2", "b", "s", 53),
        Offered(T + 70, "3", "c"),
        Answered(T + 80, "3", "c", "r", 10),
    ]
    run = folded(lines)
    small = State(run.state.clock, {i: run.state.calls[i] for i in ("2", "3")}, run.state.seats)
    for at_s in (T + 80, T + 400, T + 9 * H):
        assert as_of(RULES, small, run.rows, at_s)[1] == as_of(RULES, run.state, run.rows, at_s)[1]
    state, _ = as_of(RULES, small, run.rows, T + 100)
    assert shown(state.seats["r"], T + 100).state == TALKING
    assert (CALLS, "", T) in run.rows
    assert isinstance(Fold(RULES, state), Fold)
