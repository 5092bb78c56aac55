"""The counting rule, case by case: a few lines of a log, and every row that they make."""

import pytest

from dashboard.core.calls import Call, Leg
from dashboard.core.days import Zone
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
    Skipped,
    SwitchStarted,
    Unknown,
)
from dashboard.core.fold import OTHER_VERBS, UNKNOWN_VERBS, Fold, Rules, State, fold
from tests.core.fold_streams import DAY_S, EIGHT, RULES, SHANGHAI, H, at, folded, row, told

T = EIGHT


# One call ---------------------------------------------------------------------------------------------------------


def test_nothing_makes_nothing() -> None:
    assert folded([]).rows == {}
    assert folded([Event(T), Skipped(T, "CONFIGRELOAD")]).rows == {}


def test_a_caller_enters() -> None:
    run = folded([Offered(T, "1", "c")])
    assert told(run.rows) == {"q c 08:00": row("offered"), "c 08:00": row("offered")}
    assert run.state.calls == {"1": Call("1", T, [Leg("c", T)])}


def test_a_call_is_answered_and_ends() -> None:
    run = folded(
        [Offered(T, "1", "c"), Answered(T + 15, "1", "c", "s", 15), Ended(T + 75, "1", "c", "s", 61)]
    )
    fate = row(
        "offered answered finished answer_wait_s:15 answered@15 talk_s:61 longest_wait_s:15 answers talk_done_s:60"
    )
    assert told(run.rows) == {
        "q c 08:00": fate,
        "c 08:00": fate,
        "s s 08:00": row("answers talk_done_s:60"),
    }


def test_fates_count_in_the_slot_of_the_offer_and_work_where_it_was_done() -> None:
    """Offered at 8:14, answered at 8:16, ended at 8:31:30; then 300 s of wrap-up."""
    run = folded(
        [
            Offered(at("8:14"), "1", "b"),
            Answered(at("8:16"), "1", "b", "s", 120),
            Ended(at("8:31:30"), "1", "b", "s", 930),
            Event(at("9:00")),
        ]
    )
    fate = row(
        "offered answered finished answer_wait_s:120 answered@120 talk_s:930 wrap_s:300 longest_wait_s:120"
    )
    half = row("answers talk_done_s:840")
    rest = row("talk_done_s:90 wrap_done_s:300")
    assert told(run.rows) == {
        "q b 08:00": fate,
        "q b 08:15": half,
        "q b 08:30": rest,
        "c 08:00": fate,
        "c 08:15": half,
        "c 08:30": rest,
        "s s 08:15": half,
        "s s 08:30": rest,
    }


def test_a_call_that_crosses_midnight_belongs_to_the_day_of_its_offer() -> None:
    run = folded(
        [
            Offered(at("23:58"), "1", "a"),
            Answered(at("23:59"), "1", "a", "s", 60),
            Ended(at("24:10"), "1", "a", "s", 660),
            Event(at("24:11")),
        ]
    )
    fate = row(
        "offered answered finished answer_wait_s:60 answered@60 talk_s:660 wrap_s:10 longest_wait_s:60"
        " answers talk_done_s:60"
    )
    assert told(run.rows) == {
        "q a 23:45": fate,
        "c 23:45": fate,
        "s s 23:45": row("answers talk_done_s:60"),
        **{key: row("talk_done_s:600 wrap_done_s:10") for key in ("q a 00:00", "c 00:00", "s s 00:00")},
    }


@pytest.mark.parametrize(
    ("wait_s", "bin_"),
    [(0, "1"), (1, "1"), (2, "2"), (15, "15"), (16, "20"), (600, "600"), (601, "more"), (90_000, "more")],
)
def test_a_wait_equal_to_an_edge_lies_below_it(wait_s: int, bin_: str) -> None:
    run = folded([Offered(T, "1", "c"), Abandoned(T + 1, "1", "c", wait_s)])
    expected = row(f"offered abandoned abandoned@{bin_}")
    if wait_s:
        expected |= {"abandon_wait_s": wait_s, "longest_wait_s": wait_s}
    assert told(run.rows) == {"q c 08:00": expected, "c 08:00": expected}


def test_the_wait_is_the_logs_own_field() -> None:
    run = folded([Offered(T, "1", "c"), Answered(T + 9, "1", "c", "s", 8)])
    assert run.rows["q", "c", T][7] == 8


# Several legs -----------------------------------------------------------------------------------------------------


def test_an_overflow_answered_elsewhere_is_one_answered_call() -> None:
    run = folded(
        [
            Offered(T, "1", "c"),
            Overflowed(T + 30, "1", "c", 30, "timeout"),
            Offered(T + 30, "1", "d"),
            Answered(T + 40, "1", "d", "s", 10),
            Ended(T + 100, "1", "d", "s", 60),
        ]
    )
    work = row("answers talk_done_s:60")
    assert told(run.rows) == {
        "q c 08:00": row("offered overflowed overflowed_timeout overflow_wait_s:30 longest_wait_s:30"),
        "q d 08:00": work
        | row("offered answered finished answer_wait_s:10 answered@10 talk_s:60 longest_wait_s:10"),
        "c 08:00": work
        | row("offered answered finished answer_wait_s:40 answered@45 talk_s:60 longest_wait_s:40"),
        "s s 08:00": work,
    }


def test_a_call_returns_from_overflowed_to_waiting() -> None:
    lines = [Offered(T, "1", "c"), Overflowed(T + 30, "1", "c", 30, "key"), Offered(T + 31, "1", "d")]
    overflowed = row("offered overflowed overflowed_key overflow_wait_s:30 longest_wait_s:30")
    assert told(folded(lines[:2]).rows)["c 08:00"] == overflowed
    rows = told(folded(lines).rows)
    assert rows["c 08:00"] == row("offered longest_wait_s:30")
    assert rows["q c 08:00"] == overflowed
    assert rows["q d 08:00"] == row("offered")


def test_a_call_counts_in_the_slot_of_its_first_offer_and_its_legs_in_their_own() -> None:
    run = folded(
        [
            Offered(at("8:14"), "1", "c"),
            Overflowed(at("8:16"), "1", "c", 120, "timeout"),
            Offered(at("8:16"), "1", "d"),
            Abandoned(at("8:17"), "1", "d", 60),
        ]
    )
    rows = told(run.rows)
    abandoned = row("offered abandoned")
    assert rows["c 08:00"] == abandoned | row("abandon_wait_s:180 abandoned@180 longest_wait_s:180")
    assert rows["q d 08:15"] == abandoned | row("abandon_wait_s:60 abandoned@60 longest_wait_s:60")
    assert set(rows) == {"c 08:00", "q c 08:00", "q d 08:15"}


def test_a_blind_transfer_into_a_queue_is_two_legs_and_two_answers_of_one_answered_call() -> None:
    run = folded(
        [
            Offered(T, "1", "c"),
            Answered(T + 10, "1", "c", "s", 10),
            Ended(T + 40, "1", "c", "s", 30),
            Offered(T + 41, "1", "d"),
            Answered(T + 61, "1", "d", "r", 20),
            Ended(T + 161, "1", "d", "r", 100),
        ]
    )
    rows = told(run.rows)
    assert rows["c 08:00"] == row(
        "offered answered finished answer_wait_s:10 answered@10 talk_s:130 longest_wait_s:10 answers:2 talk_done_s:130"
    )
    assert rows["s s 08:00"] == row("answers talk_done_s:30")
    assert rows["s r 08:00"] == row("answers talk_done_s:100")
    assert rows["q d 08:00"]["answer_wait_s"] == 20


def test_while_the_second_conversation_goes_on_the_call_is_not_finished() -> None:
    lines = [
        Offered(T, "1", "c"),
        Answered(T, "1", "c", "s", 0),
        Ended(T + 40, "1", "c", "s", 40),
        Offered(T + 41, "1", "d"),
        Answered(T + 50, "1", "d", "r", 9),
    ]
    finished = [told(folded(lines[:n]).rows)["c 08:00"].get("finished", 0) for n in range(1, 6)]
    assert finished == [0, 0, 1, 1, 0]


def test_an_abandon_after_an_answer_is_an_abandoned_leg_of_an_answered_call() -> None:
    run = folded(
        [
            Offered(T, "1", "c"),
            Answered(T + 10, "1", "c", "s", 10),
            Ended(T + 40, "1", "c", "s", 30),
            Offered(T + 41, "1", "d"),
            Abandoned(T + 61, "1", "d", 20),
        ]
    )
    rows = told(run.rows)
    assert rows["c 08:00"] == row(
        "offered answered finished answer_wait_s:10 answered@10 talk_s:30 longest_wait_s:10"
        " answers talk_done_s:30 abandoned_after_answer"
    )
    assert rows["q d 08:00"] == row(
        "offered abandoned abandoned_after_answer abandon_wait_s:20 abandoned@20 longest_wait_s:20"
    )


def test_the_same_queue_again_in_the_same_second_is_another_leg() -> None:
    """Quirk 6."""
    run = folded(
        [
            Offered(T, "1", "c"),
            Overflowed(T + 20, "1", "c", 20, "timeout"),
            Offered(T + 20, "1", "c"),
            Overflowed(T + 20, "1", "c", 0, "timeout"),
            Offered(T + 20, "1", "c"),
            Abandoned(T + 25, "1", "c", 5),
        ]
    )
    both = row("longest_wait_s:20 abandoned")
    assert told(run.rows) == {
        "q c 08:00": both
        | row("offered:3 overflowed:2 overflowed_timeout:2 overflow_wait_s:20 abandon_wait_s:5 abandoned@5"),
        "c 08:00": both | row("offered abandon_wait_s:25 abandoned@25 longest_wait_s:25"),
    }


def test_of_two_ends_of_one_conversation_only_the_first_counts() -> None:
    """Quirk 24: an attended transfer, and COMPLETEAGENT right after it."""
    lines = [
        Offered(T, "1", "a"),
        Answered(T + 5, "1", "a", "s", 5),
        Ended(T + 33, "1", "a", "s", 28),
        Ended(T + 33, "1", "a", "s", 28),
    ]
    once, twice = told(folded(lines[:3]).rows), told(folded(lines).rows)
    for key in ("q a 08:00", "c 08:00"):
        assert twice[key].pop("orphan") == 1
    assert twice == once


def test_an_end_closes_the_leg_of_its_queue_and_seat() -> None:
    """Legs of one call overlap: the second seat hangs up first."""
    run = folded(
        [
            Offered(T, "1", "c"),
            Answered(T, "1", "c", "s", 0),
            Offered(T + 1, "1", "c"),
            Answered(T + 2, "1", "c", "r", 1),
            Ended(T + 10, "1", "c", "r", 8),
        ]
    )
    assert [(leg.seat, leg.talk_s, leg.talking) for leg in run.state.calls["1"].legs] == [
        ("s", None, True),
        ("r", 8, False),
    ]


# What was not seen ------------------------------------------------------------------------------------------------


def test_a_connection_without_an_offer_is_work_and_nobodys_fate() -> None:
    run = folded([Answered(T, "1", "a", "s", 3), Ended(T + 60, "1", "a", "s", 60), Event(T + 100)])
    work = row("answers talk_done_s:60 wrap_done_s:10")
    assert told(run.rows) == {"q a 08:00": work, "c 08:00": work, "s s 08:00": work}
    assert run.state.calls["1"].legs[0].wrap_s == 10


def test_a_call_whose_offer_was_not_seen_belongs_to_its_first_offer_that_was() -> None:
    before, after = at("23:59"), at("24:05")
    lines = [
        Answered(before, "1", "c", "s", 3),
        Ended(after - 10, "1", "c", "s", 350),
        Offered(after, "1", "d"),
        Abandoned(after + 5, "1", "d", 5),
    ]
    run = folded(lines)
    call = run.state.calls["1"]
    assert call.at_s == after
    assert run.touched_calls == {(before, "1"): None, (after, "1"): call}
    abandoned = row("offered abandoned abandon_wait_s:5 abandoned@5 longest_wait_s:5")
    rows = told(run.rows)
    assert rows["q d 00:00"] == abandoned
    assert rows["c 00:00"] == abandoned | row("talk_done_s:290")


def test_a_call_that_moves_within_its_second_is_there_once() -> None:
    run = folded([Answered(T, "1", "c", "s", 3), Offered(T, "1", "d")])
    assert run.touched_calls == {(T, "1"): run.state.calls["1"]}


@pytest.mark.parametrize(
    "line", [Ended(T, "1", "c", "s", 9), Abandoned(T, "1", "c", 9), Overflowed(T, "1", "c", 9, "empty")]
)
def test_an_end_of_nothing_is_counted_and_has_no_effect(line: Event) -> None:
    run = folded([line])
    assert told(run.rows) == {"q c 08:00": row("orphan"), "c 08:00": row("orphan")}
    assert run.state.calls == {}


def test_an_end_in_another_queue_is_an_end_of_nothing() -> None:
    run = folded([Offered(T, "1", "c"), Abandoned(T + 1, "1", "d", 1)])
    assert told(run.rows) == {
        "q c 08:00": row("offered"),
        "q d 08:00": row("orphan"),
        "c 08:00": row("offered orphan"),
    }


def test_the_origin_is_gone_as_soon_as_one_queue_does_not_tell_it() -> None:
    known, secret = Offered(T, "1", "c", "0591-8"), Offered(T + 9, "1", "d")
    overflow = Overflowed(T + 9, "1", "c", 9, "key")
    assert folded([known]).state.calls["1"].origin == "0591-8"
    assert folded([known, overflow, secret]).state.calls["1"].origin is None


# Refused ----------------------------------------------------------------------------------------------------------


def test_refused_is_beside_offered_and_tells_from_when_it_is_told() -> None:
    run = folded(
        [Offered(T, "1", "c"), Refused(T + 60, "2", "c", "FULL"), Refused(T + 90, "3", "d", "JOINEMPTY")]
    )
    assert told(run.rows) == {
        "q c 08:00": row("offered refused"),
        "q d 08:00": row("refused"),
        "c 08:00": row("offered refused:2"),
    }
    assert run.state.clock.refused_from_s == T + 60
    assert folded([Offered(T, "1", "c")]).state.clock.refused_from_s is None


# Limits -----------------------------------------------------------------------------------------------------------


def test_a_leg_that_waits_longer_than_two_hours_is_lost() -> None:
    """At the limit it is not older than the limit. The end that comes later has no effect."""
    lines = [Offered(T, "1", "c"), Event(T + 7200), Event(T + 7201), Abandoned(T + 7300, "1", "c", 7300)]
    assert told(folded(lines[:2]).rows)["c 08:00"] == row("offered")
    lost = row("offered lost lost_no_end")
    assert told(folded(lines[:3]).rows) == {"q c 08:00": lost, "c 08:00": lost}
    assert told(folded(lines).rows) == {
        "q c 08:00": lost,
        "c 08:00": lost,
        "q c 10:00": row("orphan"),
        "c 10:00": row("orphan"),
    }
    assert folded(lines).state.calls["1"].legs == [Leg("c", T, "lost", "no_end", None, T + 7200)]


def test_an_abandon_exactly_at_the_limit_is_an_abandon() -> None:
    run = folded([Offered(T, "1", "c"), Abandoned(T + 7200, "1", "c", 7200)])
    assert told(run.rows)["c 08:00"] == row(
        "offered abandoned abandon_wait_s:7200 abandoned@more longest_wait_s:7200"
    )


def test_over_the_limit_the_end_itself_comes_too_late() -> None:
    run = folded([Offered(T, "1", "c"), Abandoned(T + 7201, "1", "c", 7201)])
    rows = told(run.rows)
    assert rows["c 08:00"] == row("offered lost lost_no_end")
    assert rows["c 10:00"] == row("orphan")


def test_a_conversation_longer_than_eight_hours_is_cut_and_stays_answered() -> None:
    lines = [Offered(T, "1", "c"), Answered(T, "1", "c", "s", 0), Event(T + 8 * H), Event(T + 8 * H + 1)]
    answered = row("offered answered answered@1 answers")
    assert told(folded(lines[:3]).rows)["c 08:00"] == answered
    run = folded([*lines, Ended(T + 9 * H, "1", "c", "s", 9 * H)])
    assert told(run.rows) == {
        **{key: answered | row("cut") for key in ("q c 08:00", "c 08:00")},
        **{key: row("orphan") for key in ("q c 17:00", "c 17:00")},
        "s s 08:00": row("answers"),
    }


def test_an_end_exactly_at_eight_hours_is_an_end() -> None:
    run = folded(
        [Offered(T, "1", "c"), Answered(T, "1", "c", "s", 0), Ended(T + 8 * H, "1", "c", "s", 8 * H)]
    )
    assert run.state.calls["1"].legs[0].talk_s == 8 * H
    assert told(run.rows)["q c 08:00"]["talk_s"] == 8 * H


def test_limits_are_settings() -> None:
    rules = Rules(zone=SHANGHAI, waiting_limit_s=60, talking_limit_s=100)
    lines = [Offered(T, "1", "c"), Offered(T, "2", "c"), Answered(T, "2", "c", "s", 0), Event(T + 101)]
    rows = told(folded(lines, rules).rows)
    assert rows["c 08:00"] == row("offered:2 lost lost_no_end answered answered@1 cut answers")


def test_legs_over_the_limit_are_closed_in_the_order_of_their_limits() -> None:
    """The seat is free from the later limit on, in whatever order the calls are kept."""
    lines = [Answered(T, "2", "c", "s", 0), Answered(T + H, "1", "c", "s", 0)]
    for order in (1, -1):
        state = folded(lines).state
        state.calls = dict(list(state.calls.items())[::order])
        run = Fold(RULES, state)
        run.feed([Event(T + 10 * H)])
        assert run.state.seats["s"].free_s == run.state.seats["s"].counted_s == T + 9 * H


def test_a_call_lost_in_its_second_queue_keeps_its_known_wait() -> None:
    run = folded(
        [
            Offered(T, "1", "c"),
            Overflowed(T + 30, "1", "c", 30, "key"),
            Offered(T + 30, "1", "d"),
            Event(T + 9999),
        ]
    )
    assert told(run.rows)["c 08:00"] == row("offered lost lost_no_end longest_wait_s:30")


# The switch restarts ----------------------------------------------------------------------------------------------


def test_a_restart_loses_who_waits_and_cuts_who_talks() -> None:
    run = folded(
        [
            Offered(T, "1", "c"),
            Offered(T, "2", "c"),
            Answered(T + 5, "2", "c", "s", 5),
            SwitchStarted(T + 60),
            Abandoned(T + 61, "1", "c", 61),
            Ended(T + 62, "2", "c", "s", 57),
        ]
    )
    fates = row(
        "offered:2 lost lost_switch_died answered cut answer_wait_s:5 answered@5 longest_wait_s:5 answers orphan:2"
    )
    assert told(run.rows) == {"q c 08:00": fates, "c 08:00": fates, "s s 08:00": row("answers")}
    assert run.state.clock.started_s == T + 60


def test_the_first_start_of_a_switch_ends_nothing() -> None:
    run = folded([SwitchStarted(T), Offered(T + 1, "1", "c")])
    assert told(run.rows) == {"q c 08:00": row("offered"), "c 08:00": row("offered")}


def test_a_wrap_up_lasts_no_longer_than_the_switch() -> None:
    lines = [
        Offered(T, "1", "b"),
        Answered(T, "1", "b", "s", 0),
        Ended(T + 60, "1", "b", "s", 60),
        Event(T + 100),
    ]
    run = folded([*lines, SwitchStarted(T + 1000)])
    assert run.state.calls["1"].legs[0].wrap_s == 40
    assert told(run.rows)["s s 08:00"] == row("answers talk_done_s:60 wrap_done_s:40")
    assert set(told(run.rows)) == {"q b 08:00", "c 08:00", "s s 08:00"}


def test_a_wrap_up_lasts_no_longer_than_the_log() -> None:
    """A log that is silent for weeks was not written."""
    lines = [Offered(T, "1", "b"), Answered(T, "1", "b", "s", 0), Ended(T + 60, "1", "b", "s", 60)]
    run = folded([*lines, Event(T + 100), Event(T + 15 * DAY_S)])
    assert run.touched_calls[T, "1"].legs[0].wrap_s == 40
    assert told(run.rows)["s s 08:00"] == row("answers talk_done_s:60 wrap_done_s:40")


# Wrap-up ----------------------------------------------------------------------------------------------------------


def test_a_wrap_up_is_cut_short_by_the_next_call() -> None:
    run = folded(
        [
            Offered(T, "1", "b"),
            Answered(T, "1", "b", "s", 0),
            Ended(T + 60, "1", "b", "s", 60),
            Offered(T + 60, "2", "c"),
            Answered(T + 90, "2", "c", "s", 30),
            Ended(T + 100, "2", "c", "s", 10),
            Event(T + 800),
        ]
    )
    assert run.state.calls["1"].legs[0].wrap_s == 30
    assert run.state.calls["2"].legs[0].wrap_s is None
    rows = told(run.rows)
    assert rows["s s 08:00"] == row("answers:2 talk_done_s:70 wrap_done_s:30")
    assert (rows["q b 08:00"]["wrap_s"], rows["q b 08:00"]["wrap_done_s"]) == (30, 30)
    assert (rows["c 08:00"]["wrap_s"], rows["c 08:00"]["wrap_done_s"]) == (30, 30)
    assert "wrap_s" not in rows["q c 08:00"]


def test_a_wrap_up_belongs_to_its_leg_though_the_call_has_gone_on() -> None:
    run = folded(
        [
            Offered(T, "1", "b"),
            Answered(T, "1", "b", "s", 0),
            Ended(T + 60, "1", "b", "s", 60),
            Offered(T + 61, "1", "c"),
            Event(T + 360),
        ]
    )
    assert [leg.wrap_s for leg in run.state.calls["1"].legs] == [300, None]
    rows = told(run.rows)
    assert (rows["q b 08:00"]["wrap_s"], rows["c 08:00"]["wrap_s"]) == (300, 300)
    assert rows["q c 08:00"] == row("offered")


def test_a_wrap_up_belongs_to_its_call_only_when_it_is_over() -> None:
    lines = [Offered(T, "1", "a"), Answered(T, "1", "a", "s", 0), Ended(T + 60, "1", "a", "s", 60)]
    assert folded([*lines, Event(T + 69)]).state.calls["1"].legs[0].wrap_s is None
    assert folded([*lines, Event(T + 70)]).state.calls["1"].legs[0].wrap_s == 10


def test_a_seat_that_is_on_the_line_elsewhere_does_not_wrap_up() -> None:
    run = folded(
        [
            Answered(T, "1", "a", "s", 0),
            Answered(T + 10, "2", "a", "s", 0),
            Ended(T + 60, "1", "a", "s", 60),
            Ended(T + 90, "2", "a", "s", 80),
            Event(T + 100),
        ]
    )
    assert [call.legs[0].wrap_s for call in run.state.calls.values()] == [0, 10]
    assert told(run.rows)["s s 08:00"] == row("answers:2 talk_done_s:90 wrap_done_s:10")


def test_a_wrap_up_that_ends_when_its_call_may_be_forgotten_is_not_lost() -> None:
    """A call of yesterday enters once more and ends just when calls of yesterday are let go."""
    end = at("24:00") + 10 * H  # 2 h and 8 h after midnight
    lines = [
        Offered(at("23:00"), "1", "b"),
        Abandoned(at("23:01"), "1", "b", 60),
        Offered(end - 100, "1", "b"),
        Answered(end - 90, "1", "b", "s", 10),
        Ended(end + 10, "1", "b", "s", 100),
        Event(end + 20),
        Event(end + 309),
    ]
    run = folded(lines)
    assert "1" in run.state.calls
    run.feed([Event(end + 310)])
    assert run.touched_calls[at("23:00"), "1"].legs[1].wrap_s == 300
    assert "1" not in run.state.calls
    assert told(run.rows)["c 23:00"]["wrap_s"] == 300


# Call ids and memory ----------------------------------------------------------------------------------------------


def test_a_call_is_forgotten_when_nothing_of_its_day_can_be_open() -> None:
    run = folded([Offered(T, "1", "c"), Abandoned(T + 5, "1", "c", 5)])
    end = at("24:00") + 10 * H
    run.feed([Event(end - 1)])
    assert "1" in run.state.calls
    run.feed([Event(end)])
    assert run.state.calls == {}


def test_a_call_id_that_comes_back_later_is_another_call() -> None:
    end = at("24:00") + 10 * H
    run = folded([Offered(T, "1", "c"), Abandoned(T + 5, "1", "c", 5), Offered(end, "1", "c")])
    assert [call.at_s for call in run.touched_calls.values()] == [T, end]
    assert told(run.rows)["c 10:00"] == row("offered")


def test_a_call_still_open_is_not_forgotten_but_as_soon_as_it_ends() -> None:
    end = at("24:00") + 10 * H
    lines = [
        Offered(at("23:00"), "1", "c"),
        Overflowed(at("23:01"), "1", "c", 60, "key"),
        Offered(end - 60, "1", "c"),
        Event(end + 1),
    ]
    run = folded(lines)
    assert run.state.calls["1"].open
    run.feed([Abandoned(end + 60, "1", "c", 120)])
    assert "1" in run.state.calls
    run.feed([Event(end + 60)])
    assert run.state.calls == {}
    assert told(run.rows)["c 23:00"]["abandoned"] == 1


# Time -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("back_s", "steps"), [(1, 0), (60, 0), (61, 1), (4000, 1)])
def test_a_step_back_of_more_than_a_minute_is_reported(back_s: int, steps: int) -> None:
    run = folded([Event(T), Event(T - back_s), Event(T - back_s + 1)])
    assert run.state.clock.steps_back == steps
    assert (run.state.clock.latest_s, run.state.clock.last_s) == (T, T - back_s + 1)


def test_slots_are_those_of_the_lines_own_times() -> None:
    run = folded(
        [Offered(at("9:00"), "1", "c"), Offered(at("8:00"), "2", "c"), Offered(at("9:00"), "3", "c")]
    )
    rows = told(run.rows)
    assert (rows["c 09:00"], rows["c 08:00"]) == (row("offered:2"), row("offered"))


def test_a_clock_that_was_decades_ahead_stops_nothing() -> None:
    """One line of the year 2096: seats and calls are counted on as if it had not been."""
    wrong = 3_999_999_999
    lines = [SignedIn(T, "s", "c"), Event(T + 10), Event(wrong), Event(T + 20)]
    day = [Offered(T + 30, "1", "c"), Answered(T + 40, "1", "c", "s", 10), Ended(T + 100, "1", "c", "s", 60)]
    run = folded([*lines, *day])
    assert run.state.clock.latest_s == T + 100
    assert told(run.rows) == {
        "s s 08:00": row("answers talk_done_s:60 signed_in_s:90 busy_signed_in_s:60"),
        **dict.fromkeys(
            ("q c 08:00", "c 08:00"),
            row(
                "offered answered finished answer_wait_s:10 answered@10 talk_s:60 longest_wait_s:10"
                " answers talk_done_s:60"
            ),
        ),
    }


def test_after_a_clock_was_decades_ahead_midnights_and_silences_are_those_of_the_right_time() -> None:
    run = folded([SignedIn(T, "s", "c"), Event(3_999_999_999), Event(at("23:45")), Event(at("24:00"))])
    assert told(run.rows) == {"s s 23:45": row("signed_in_s:900")}
    run.feed([SignedIn(at("0:00", 20), "s", "c")])
    assert told(run.rows) == {"s s 23:45": row("signed_in_s:900")}


def test_a_clock_that_was_decades_behind_makes_no_rows_for_the_decades() -> None:
    wrong = 1_262_304_000  # 2010, as an empty battery has it
    run = folded([SwitchStarted(wrong), SignedIn(wrong + 5, "s", "c"), SignedIn(T, "s", "d"), Event(T + 60)])
    run.pass_to(T + 60)
    assert told(run.rows) == {"s s 08:00": row("signed_in_s:60")}


def test_unknown_verbs_are_counted_by_name_as_far_as_there_is_room() -> None:
    run = folded(
        [Unknown(T, "SHIFTNOTE"), Unknown(T, "SHIFTNOTE"), *(Unknown(T, f"N{i}") for i in range(200))]
    )
    assert run.state.clock.unknown["SHIFTNOTE"] == 2
    assert run.state.clock.unknown[OTHER_VERBS] == 200 - (UNKNOWN_VERBS - 1)
    assert len(run.state.clock.unknown) == UNKNOWN_VERBS + 1
    assert run.rows == {}


# Zones ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Europe/Berlin", "2026-10-25", 25),
        ("Europe/Berlin", "2026-03-29", 23),
        ("America/Sao_Paulo", "2018-11-04", 23),
    ],
)
def test_a_call_each_slot_makes_a_day_of_so_many_slots(zone: str, day: str, hours: int) -> None:
    berlin = Zone(zone)
    start, end = berlin.bounds(day)
    lines = [Offered(t, str(t), "c") for t in range(start - DAY_S, end + DAY_S, 900)]
    run = folded(lines, Rules(zone=berlin))
    slots = [key[2] for key in run.rows if key[0] == "c" and berlin.day(key[2]) == day]
    assert slots == list(berlin.slots(day))
    assert len(slots) == hours * 4


# As values --------------------------------------------------------------------------------------------------------


def test_rows_that_are_stored_elsewhere_are_asked_for_once() -> None:
    from dashboard.core.counts import Rows

    stored = {("q", "c", T): [5], ("c", "", T): [7]}
    asked = []

    def load(key: tuple[str, str, int]) -> list[int] | None:
        asked.append(key)
        return stored.get(key)

    rows = Rows(load)
    run = Fold(RULES, State(), rows)
    run.feed([Offered(T, "1", "c"), Offered(T, "2", "c")])
    assert (rows["q", "c", T][0], rows["c", "", T][0]) == (7, 9)
    assert asked == [("q", "c", T), ("c", "", T)]
    assert stored == {("q", "c", T): [5], ("c", "", T): [7]}


def test_what_was_stored_and_let_go_between_two_batches_is_asked_for_again() -> None:
    run = folded([Offered(T, "1", "c")])
    run.rows.clear()
    run.rows.touched.clear()
    run.feed([Offered(T + 1, "2", "c")])
    assert told(run.rows) == {"q c 08:00": row("offered"), "c 08:00": row("offered")}
    assert run.rows.touched == {("q", "c", T), ("c", "", T)}


def test_fold_gives_the_growth_of_the_rows() -> None:
    state, _ = fold(RULES, State(), [Offered(T, "1", "c")])
    _, rows = fold(RULES, state, [Abandoned(T + 5, "1", "c", 5)])
    grown = row("abandoned abandon_wait_s:5 abandoned@5 longest_wait_s:5")
    assert told(rows) == {"q c 08:00": grown, "c 08:00": grown}


def test_a_seat_that_did_not_answer_is_told() -> None:
    assert told(folded([RingMissed(T, "1", "s", "c", 8000)]).rows) == {"s s 08:00": row("ring_no_answer")}
