"""What a seat does, since when, and where its time counts."""

import pytest
from hypothesis import given
from hypothesis import strategies as hs

from dashboard.core.counts import Rows
from dashboard.core.events import (
    Answered,
    Ended,
    Event,
    Offered,
    Paused,
    RingMissed,
    SeatSeen,
    SignedIn,
    SignedOut,
    SwitchStarted,
    Unpaused,
)
from dashboard.core.seats import (
    PAUSED,
    READY,
    SIGNED_OUT,
    TALKING,
    UNKNOWN,
    WRAP_UP,
    Seat,
    Shown,
    Talk,
    Wrap,
    Wrapped,
    cut_talk,
    end_talk,
    settle,
    shown,
    untalked,
)
from tests.core.fold_streams import EIGHT, RULES, H, at, folded, row, told

T = EIGHT


def seen(lines: list[Event], at_s: int | None = None, seat: str = "s") -> Shown:
    """What the seat does after the lines, or later."""
    run = folded(lines)
    return shown(run.state.seats[seat], lines[-1].at_s if at_s is None else at_s)


def work(lines: list[Event], until_s: int) -> dict[str, dict[str, int]]:
    """The seats' rows, time counted up to an instant."""
    run = folded(lines)
    run.pass_to(until_s)
    return {key: values for key, values in told(run.rows).items() if key.startswith("s ")}


def talk(start_s: int, end_s: int, callid: str = "1", queue: str = "c") -> list[Event]:
    return [Answered(start_s, callid, queue, "s", 0), Ended(end_s, callid, queue, "s", end_s - start_s)]


# States -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "line",
    [SeatSeen(T, "s", "c"), RingMissed(T, "1", "s", "c", 8000), SignedIn(T, "s", "c"), Unpaused(T, "s", "c")],
)
def test_a_line_shows_that_a_seat_is_there(line: Event) -> None:
    assert seen([line]) == Shown(READY, T, "", False)


def test_an_orphan_end_shows_that_a_seat_is_there() -> None:
    assert seen([Ended(T, "1", "c", "s", 5)]) == Shown(READY, T, "", False)


def test_a_call_from_connection_to_the_end_of_its_wrap_up() -> None:
    lines = [SeatSeen(T, "s", "a"), *talk(T + 60, T + 100, queue="a")]
    assert seen(lines[:2]) == Shown(TALKING, T + 60, "", False)
    assert seen(lines, T + 100) == Shown(WRAP_UP, T + 100, "", False)
    assert seen(lines, T + 109) == Shown(WRAP_UP, T + 100, "", False)
    assert seen(lines, T + 110) == Shown(READY, T + 110, "", False)
    assert seen([*lines, Event(T + 500)]) == Shown(READY, T + 110, "", False)


def test_where_wrap_up_is_not_configured_a_seat_is_ready_at_once() -> None:
    assert seen(talk(T, T + 40)) == Shown(READY, T + 40, "", False)


def test_a_next_call_ends_the_wrap_up() -> None:
    lines = [*talk(T, T + 60, queue="b"), Answered(T + 90, "2", "c", "s", 0)]
    assert seen(lines) == Shown(TALKING, T + 90, "", False)
    assert seen([*lines, Ended(T + 99, "2", "c", "s", 9)]) == Shown(READY, T + 99, "", False)


def test_of_two_conversations_the_longer_one_is_shown() -> None:
    lines = [
        Answered(T, "1", "c", "s", 0),
        Answered(T + 9, "2", "c", "s", 0),
        Ended(T + 20, "1", "c", "s", 20),
    ]
    assert seen(lines[:2]) == Shown(TALKING, T, "", False)
    assert seen(lines) == Shown(TALKING, T + 9, "", False)


def test_of_two_legs_of_a_call_with_the_same_seat_the_one_that_ended_is_over() -> None:
    lines = [
        Answered(T, "1", "c", "s", 0),
        Answered(T + 9, "1", "d", "s", 0),
        Ended(T + 20, "1", "d", "s", 11),
    ]
    assert seen(lines) == Shown(TALKING, T, "", False)
    assert seen([*lines[:2], Ended(T + 20, "1", "c", "s", 20)]) == Shown(TALKING, T + 9, "", False)


def test_paused_while_any_queues_pause_is_open() -> None:
    lines = [
        SeatSeen(T, "s", "a"),
        Paused(T + 1, "s", "a", "培训"),
        Paused(T + 5, "s", "b", "培训"),
        Unpaused(T + 9, "s", "a"),
        Unpaused(T + 12, "s", "b"),
    ]
    shows = [seen(lines[:n]) for n in range(1, 6)]
    paused = Shown(PAUSED, T + 1, "培训", False)
    assert shows == [Shown(READY, T, "", False), paused, paused, paused, Shown(READY, T + 12, "", False)]


def test_a_pause_in_one_of_two_queues_is_a_pause() -> None:
    lines = [SeatSeen(T, "s", "a"), SeatSeen(T, "s", "b"), Paused(T + 1, "s", "b", "")]
    assert seen(lines) == Shown(PAUSED, T + 1, "", False)


def test_a_repeated_pause_goes_on_and_tells_its_new_reason() -> None:
    """Quirk 16: PAUSE again, without UNPAUSE between."""
    assert seen([Paused(T, "s", "a", "会议"), Paused(T + 60, "s", "a", "小休")]) == Shown(
        PAUSED, T, "小休", False
    )


def test_a_pause_under_a_call_waits_until_the_call_is_over() -> None:
    """Quirk 16: a member can be paused while talking."""
    lines = [
        Answered(T, "1", "a", "s", 0),
        Paused(T + 10, "s", "a", "会议"),
        Ended(T + 60, "1", "a", "s", 60),
    ]
    assert seen(lines[:2]) == Shown(TALKING, T, "", True)
    assert seen(lines) == Shown(WRAP_UP, T + 60, "", True)
    assert seen(lines, T + 70) == Shown(PAUSED, T + 70, "会议", False)


def test_a_seat_that_is_added_paused_is_paused() -> None:
    assert seen([SignedIn(T, "s", "a", True)]) == Shown(PAUSED, T, "", False)
    assert seen([SignedIn(T, "s", "a", True), Unpaused(T + 9, "s", "a")]) == Shown(READY, T + 9, "", False)


def test_a_pause_in_the_queue_that_is_left_goes_on() -> None:
    lines = [Paused(T, "s", "a", "会议"), Paused(T, "s", "b", "会议"), SignedOut(T + 9, "s", "b")]
    assert seen(lines) == Shown(PAUSED, T, "会议", False)


def test_no_pause_outlasts_the_last_removal() -> None:
    """Not even one that is of no queue."""
    run = folded([SignedIn(T, "s", "a"), Paused(T + 1, "s", "NONE", ""), SignedOut(T + 9, "s", "a")])
    assert (run.state.seats["s"].base, run.state.seats["s"].pauses) == (SIGNED_OUT, {})


def test_signed_out_after_the_last_removal() -> None:
    lines = [
        SignedIn(T, "s", "a"),
        SignedIn(T, "s", "b"),
        SignedOut(T + 60, "s", "a"),
        SignedOut(T + 90, "s", "b"),
        SignedIn(T + 99, "s", "a"),
    ]
    shows = [seen(lines[:n]) for n in range(2, 6)]
    ready = Shown(READY, T, "", False)
    assert shows == [ready, ready, Shown(SIGNED_OUT, T + 90, "", False), Shown(READY, T + 99, "", False)]


def test_a_seat_removed_under_a_call_stays_signed_out_after_it() -> None:
    """Quirk 15: COMPLETE still comes, after REMOVEMEMBER."""
    lines = [
        SignedIn(T, "s", "a"),
        Answered(T + 10, "1", "a", "s", 0),
        SignedOut(T + 30, "s", "a"),
        Ended(T + 60, "1", "a", "s", 50),
        SeatSeen(T + 65, "s", "a"),
    ]
    assert seen(lines[:3]) == Shown(TALKING, T + 10, "", False)
    assert seen(lines) == Shown(WRAP_UP, T + 60, "", False)
    assert seen(lines, T + 70) == Shown(SIGNED_OUT, T + 70, "", False)


def test_a_seat_removed_while_its_telephone_rings_may_still_answer() -> None:
    lines = [SignedIn(T, "s", "c"), SignedOut(T + 5, "s", "c"), *talk(T + 6, T + 60)]
    assert seen(lines[:3]) == Shown(TALKING, T + 6, "", False)
    assert seen(lines) == Shown(SIGNED_OUT, T + 60, "", False)


def test_a_line_of_a_queue_that_it_was_not_taken_out_of_brings_a_seat_back() -> None:
    lines = [SignedIn(T, "s", "a"), SignedOut(T + 5, "s", "a"), RingMissed(T + 9, "1", "s", "b", 8000)]
    assert seen(lines) == Shown(READY, T + 9, "", False)


@pytest.mark.parametrize(
    ("line", "state"), [(Paused(T + 9, "s", "a", "会议"), PAUSED), (Unpaused(T + 9, "s", "a"), READY)]
)
def test_only_a_member_is_paused_so_it_is_one_again(line: Event, state: str) -> None:
    run = folded([SignedIn(T, "s", "a"), SignedOut(T + 5, "s", "a"), line])
    seat = run.state.seats["s"]
    assert (seat.base, seat.queues, seat.left, seat.observed) == (state, ["a"], [], False)


def test_a_pause_ends_with_the_queue_that_it_is_of() -> None:
    lines = [SeatSeen(T, "s", "b"), Paused(T + 1, "s", "a", "会议"), SignedOut(T + 9, "s", "a")]
    assert seen(lines) == Shown(READY, T + 9, "", False)


def test_a_restart_makes_every_seat_unknown_until_a_line_names_it() -> None:
    """Quirk 8: pauses are lost without a line, members come back without a line."""
    lines = [
        SignedIn(T, "ready", "a"),
        SignedIn(T, "paused", "a"),
        Paused(T + 5, "paused", "a", "会议"),
        SignedIn(T, "gone", "a"),
        SignedOut(T + 5, "gone", "a"),
        Answered(T + 6, "1", "a", "talks", 0),
        Answered(T + 6, "2", "b", "wraps", 0),
        Ended(T + 9, "2", "b", "wraps", 3),
        SwitchStarted(T + 100),
    ]
    run = folded(lines)
    assert {shown(seat, T + 100) for seat in run.state.seats.values()} == {Shown(UNKNOWN, T + 100, "", False)}
    fresh = Seat(base=UNKNOWN, base_since_s=T + 100, counted_s=T + 100)
    for seat in run.state.seats.values():
        seat.free_s, seat.busy_observed = 0, False
        assert seat == fresh
    run.feed([RingMissed(T + 110, "3", "gone", "a", 8000), SeatSeen(T + 120, "paused", "a")])
    assert shown(run.state.seats["gone"], T + 120) == Shown(READY, T + 110, "", False)
    assert shown(run.state.seats["paused"], T + 120) == Shown(READY, T + 120, "", False)
    assert shown(run.state.seats["ready"], T + 120) == Shown(UNKNOWN, T + 100, "", False)


# Time -------------------------------------------------------------------------------------------------------------


def test_time_is_split_at_slot_borders() -> None:
    lines = [SignedIn(at("8:10"), "s", "a"), *talk(at("8:29"), at("8:46"), queue="b")]
    assert work(lines, at("8:55")) == {
        "s s 08:00": row("signed_in_s:300"),
        "s s 08:15": row("answers talk_done_s:60 signed_in_s:900 busy_signed_in_s:60"),
        "s s 08:30": row("talk_done_s:900 signed_in_s:900 busy_signed_in_s:900"),
        "s s 08:45": row("talk_done_s:60 wrap_done_s:300 signed_in_s:600 busy_signed_in_s:360"),
    }


def test_paused_time_leaves_out_talk_and_wrap_up() -> None:
    lines = [SignedIn(T, "s", "a"), Paused(T + 10, "s", "a", ""), *talk(T + 100, T + 160, queue="a")]
    assert work(lines, T + 300) == {
        "s s 08:00": row(
            "answers talk_done_s:60 wrap_done_s:10 paused_s:220 signed_in_s:300 busy_signed_in_s:70"
            " paused_signed_in_s:220"
        )
    }


def test_signed_in_time_lasts_at_least_to_the_end_of_a_calls_wrap_up() -> None:
    lines = [
        SignedIn(T, "s", "a"),
        Answered(T + 10, "1", "a", "s", 0),
        SignedOut(T + 30, "s", "a"),
        Ended(T + 60, "1", "a", "s", 50),
    ]
    assert work(lines, T + 300) == {
        "s s 08:00": row("answers talk_done_s:50 wrap_done_s:10 signed_in_s:70 busy_signed_in_s:60")
    }


def test_a_seat_whose_sign_in_was_not_seen_has_no_signed_in_time() -> None:
    lines = [SeatSeen(T, "s", "a"), *talk(T + 10, T + 60, queue="a"), Paused(T + 100, "s", "a", "")]
    assert work(lines, T + 300) == {"s s 08:00": row("answers talk_done_s:50 wrap_done_s:10 paused_s:200")}


def test_a_conversation_that_began_before_the_sign_in_is_outside_of_it() -> None:
    lines = [Answered(T, "1", "a", "s", 0), SignedIn(T + 30, "s", "a"), Ended(T + 60, "1", "a", "s", 60)]
    assert work(lines, T + 100) == {"s s 08:00": row("answers talk_done_s:60 wrap_done_s:10 signed_in_s:30")}


def test_two_conversations_at_once_are_not_twice_the_time() -> None:
    lines = [
        Answered(T, "1", "c", "s", 0),
        Answered(T + 20, "2", "c", "s", 0),
        Ended(T + 60, "1", "c", "s", 60),
        Ended(T + 100, "2", "c", "s", 80),
    ]
    run = folded(lines)
    assert told(run.rows)["s s 08:00"] == row("answers:2 talk_done_s:100")
    assert told(run.rows)["q c 08:00"] == row("answers:2 talk_done_s:140")


def test_a_conversation_without_an_end_does_not_swallow_the_others() -> None:
    """One line is missing in the log: the eight hours are nobody's, but for the calls that did end."""
    lines = [
        Answered(T, "stuck", "c", "s", 0),
        *talk(T + 100, T + 160, "2"),
        *talk(T + 130, T + 190, "3"),
        *talk(T + 300, T + 310, "4"),
        Event(T + 9 * H),
    ]
    run = folded(lines)
    assert told(run.rows)["s s 08:00"] == row("answers:4 talk_done_s:100")
    assert run.state.seats["s"] == Seat(
        base=READY, base_since_s=T, counted_s=T + 8 * H, free_s=T + 8 * H, queues=["c"]
    )


def test_a_conversation_given_up_leaves_the_one_that_goes_on() -> None:
    lines = [Answered(T, "1", "c", "s", 0), Answered(T + H, "2", "c", "s", 0)]
    run = folded([*lines, *talk(T + 2 * H, T + 3 * H, "3"), Event(T + 8 * H + 1)])
    assert shown(run.state.seats["s"], T + 8 * H + 1) == Shown(TALKING, T + H, "", False)
    run.feed([Ended(T + 8 * H + 60, "2", "c", "s", 7 * H + 60)])
    assert (
        sum(values.get("talk_done_s", 0) for key, values in told(run.rows).items() if key[0] == "s")
        == 7 * H + 60
    )


def test_after_the_last_sign_of_life_of_a_switch_nobody_is_at_work() -> None:
    """Also where midnight, or the end of a wrap-up, lies between."""
    for start in (at("8:00"), at("23:59:30")):
        lines = [
            SignedIn(start, "ready", "c"),
            SignedIn(start, "s", "a"),
            *talk(start, start + 5, queue="a"),
            Event(start + 8),
            SwitchStarted(start + 3600),
        ]
        run = folded(lines)
        run.pass_to(start + 7200)
        seats = {key[2:]: values for key, values in told(run.rows).items() if key.startswith("s ")}
        slot = "08:00" if start == at("8:00") else "23:45"
        assert seats == {
            f"ready {slot}": row("signed_in_s:8"),
            f"s {slot}": row("answers talk_done_s:5 wrap_done_s:3 signed_in_s:8 busy_signed_in_s:8"),
        }


def test_a_clock_that_goes_back_a_little_counts_no_second_twice() -> None:
    lines = [SignedIn(T, "s", "c"), SeatSeen(T + 600, "s", "c"), SeatSeen(T + 590, "s", "c")]
    assert work(lines, T + 600) == {"s s 08:00": row("signed_in_s:600")}
    assert work(lines, T + 700) == {"s s 08:00": row("signed_in_s:700")}


def test_midnight_counts_a_days_time_into_it() -> None:
    """So that yesterday is whole as soon as a line of today comes."""
    run = folded([SignedIn(at("23:30"), "s", "c"), Event(at("24:00"))])
    assert told(run.rows) == {f"s s 23:{slot}": row("signed_in_s:900") for slot in (30, 45)}


# By themselves ----------------------------------------------------------------------------------------------------


def test_settling_gives_the_wrap_up_that_is_over() -> None:
    rows = Rows()
    seat = Seat(counted_s=T, wrap=Wrap("1", 2, "a", T, T + 10))
    assert settle(seat, "s", T + 9, rows) is None
    assert settle(seat, "s", T + 10, rows) == Wrapped("1", 2, 10)
    assert told(rows) == {key: row("wrap_done_s:10") for key in ("s s 08:00", "q a 08:00", "c 08:00")}


def test_settling_counts_nothing_while_a_conversation_lasts() -> None:
    rows = Rows()
    seat = Seat(base=PAUSED, counted_s=T, talks=[Talk("1", 0, "a", T)])
    assert settle(seat, "s", T + 10, rows) is None
    assert (dict(rows), seat.counted_s) == ({}, T)


@given(
    hs.lists(hs.tuples(hs.integers(0, 40), hs.integers(0, 40)).map(sorted), max_size=5), hs.integers(0, 20)
)
def test_talk_is_every_second_in_which_some_known_conversation_went_on(
    spans: list[list[int]], stuck_s: int
) -> None:
    """Beside one that never ends."""
    seat = Seat(counted_s=0)
    stuck = Talk("stuck", 0, "c", 0)
    seat.talks = [stuck, *(Talk(str(i), 0, "c", start) for i, (start, _) in enumerate(spans))]
    rows = Rows()
    for given_talk, (_, end) in sorted(zip(seat.talks[1:], spans, strict=True), key=lambda pair: pair[1][1]):
        end_talk(seat, "s", given_talk, end, rows)
    seconds = {second for start, end in spans for second in range(start, end)}
    assert sum(values[1] for values in rows.values()) == len(seconds)
    left = {second for start, end in untalked(seat, stuck_s, 60) for second in range(start, end)}
    assert left == set(range(stuck_s, 60)) - seconds
    cut_talk(seat, stuck, 50)
    assert (seat.talks, seat.talked, seat.counted_s, seat.free_s) == ([], [], 50, 50)


def test_rules_say_which_queues_wrap_up() -> None:
    assert set(RULES.wrapup_s) == {"a", "b"}
    lines = [Offered(T, "1", "c"), Answered(T, "1", "c", "s", 0), Ended(T + 9, "1", "c", "s", 9)]
    assert folded(lines).state.calls["1"].legs[0].wrap_s is None
