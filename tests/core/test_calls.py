"""What a call counts as, from its legs alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.core.calls import (
    Call,
    Leg,
    apply_counts,
    call_counts,
    call_fate,
    call_wait_s,
    waited_s,
)
from dashboard.core.counts import CALLS, FATE_COLUMNS
from tests.core.fold_streams import named, row


def waiting(queue: str, at_s: int) -> Leg:
    return Leg(queue, at_s)


def answered(queue: str, at_s: int, wait_s: int, talk_s: int | None = None, wrap_s: int | None = None) -> Leg:
    until_s = at_s + wait_s
    ended_s = None if talk_s is None else until_s + talk_s
    return Leg(queue, at_s, "answered", None, wait_s, until_s, "s", ended_s, talk_s, wrap_s)


def abandoned(queue: str, at_s: int, wait_s: int) -> Leg:
    return Leg(queue, at_s, "abandoned", None, wait_s, at_s + wait_s)


def overflowed(queue: str, at_s: int, wait_s: int) -> Leg:
    return Leg(queue, at_s, "overflowed", "timeout", wait_s, at_s + wait_s)


def lost(queue: str, at_s: int, until_s: int) -> Leg:
    return Leg(queue, at_s, "lost", "switch_died", None, until_s)


def unseen(queue: str, at_s: int) -> Leg:
    return Leg(queue, None, "answered", None, 3, at_s, "s")


def counted(*legs: Leg) -> dict[str, int]:
    values = [0] * len(FATE_COLUMNS)
    apply_counts(values, {}, call_counts(list(legs)))
    return named(CALLS, values)


def test_a_call_is_answered_if_any_leg_was() -> None:
    legs = [overflowed("a", 0, 30), answered("b", 30, 5), abandoned("c", 90, 9)]
    assert call_fate(legs) is legs[1]


def test_of_two_answers_the_first_decides() -> None:
    legs = [answered("a", 0, 50), answered("b", 10, 20)]
    assert call_fate(legs) is legs[1]


def test_else_it_waits_while_any_leg_waits() -> None:
    legs = [waiting("a", 0), abandoned("b", 10, 5)]
    assert call_fate(legs) is legs[0]


def test_else_it_has_the_fate_of_the_leg_that_ended_last() -> None:
    legs = [abandoned("a", 0, 60), overflowed("b", 10, 20)]
    assert call_fate(legs) is legs[0]
    assert call_fate([overflowed("a", 0, 20), lost("b", 20, 20)]).fate == "lost"


def test_of_two_that_ended_in_the_same_second_the_later_leg_decides() -> None:
    assert call_fate([overflowed("a", 0, 20), abandoned("a", 20, 0)]).fate == "abandoned"


def test_a_leg_whose_offer_was_not_seen_decides_nothing() -> None:
    assert call_fate([unseen("a", 0)]) is None
    assert counted(unseen("a", 0)) == {}
    assert counted(unseen("a", 0), waiting("b", 9)) == row("offered")
    assert call_fate([]) is None


def test_the_wait_is_the_sum_up_to_the_first_answer() -> None:
    legs = [overflowed("a", 0, 30), answered("b", 30, 5, 60), overflowed("c", 100, 7), answered("d", 107, 8)]
    assert call_wait_s(legs, legs[1]) == 35


def test_a_leg_that_ended_in_the_second_of_the_answer_was_waited_too() -> None:
    legs = [overflowed("a", 0, 30), answered("b", 30, 0)]
    assert call_wait_s(legs, legs[1]) == 30


def test_without_an_answer_it_is_the_sum_to_the_end() -> None:
    legs = [overflowed("a", 0, 30), abandoned("b", 30, 5)]
    assert call_wait_s(legs, legs[1]) == 35


def test_a_waiting_call_has_waited_in_all_its_queues() -> None:
    assert waited_s([overflowed("a", 0, 30), waiting("b", 40)], 100) == 90
    assert waited_s([unseen("a", 0), waiting("b", 40)], 100) == 60


def test_a_call_that_waits_again_after_an_answer_has_waited_since_then() -> None:
    at_once = Leg(
        "b", 50, "answered", None, 1, 50, "s", 110, 60
    )  # whole seconds: it waited 1 s, from 50 to 50
    assert waited_s([overflowed("a", 0, 50), at_once, waiting("c", 200)], 210) == 10
    assert waited_s([overflowed("a", 0, 50), at_once, overflowed("c", 200, 7), waiting("d", 208)], 210) == 9


@pytest.mark.parametrize(
    ("legs", "expected"),
    [
        ([waiting("a", 0)], "offered"),
        ([overflowed("a", 0, 30), waiting("b", 30)], "offered longest_wait_s:30"),
        ([lost("a", 0, 99)], "offered lost lost_switch_died"),
        (
            [abandoned("a", 0, 0)],
            "offered abandoned abandoned@1",
        ),
        (
            [overflowed("a", 0, 7)],
            "offered overflowed overflowed_timeout overflow_wait_s:7 longest_wait_s:7",
        ),
        ([answered("a", 0, 4)], "offered answered answer_wait_s:4 answered@5 longest_wait_s:4"),
        (
            [answered("a", 0, 4, 60, 10)],
            "offered answered answer_wait_s:4 answered@5 longest_wait_s:4 finished talk_s:60 wrap_s:10",
        ),
        (
            [answered("a", 0, 4, 60, 10), waiting("b", 80)],
            "offered answered answer_wait_s:4 answered@5 longest_wait_s:4 finished talk_s:60 wrap_s:10",
        ),
        (
            [answered("a", 0, 4, 60, 10), answered("b", 80, 9)],
            "offered answered answer_wait_s:4 answered@5 longest_wait_s:4",
        ),
        (
            [answered("a", 0, 4, 60, 10), abandoned("b", 80, 9), abandoned("c", 90, 9)],
            "offered answered answer_wait_s:4 answered@5 longest_wait_s:4 finished talk_s:60 wrap_s:10"
            " abandoned_after_answer:2",
        ),
        (
            [abandoned("a", 0, 3), answered("b", 10, 4)],
            "offered answered answer_wait_s:7 answered@10 longest_wait_s:7",
        ),
    ],
)
def test_a_call_counts_as(legs: list[Leg], expected: str) -> None:
    assert counted(*legs) == row(expected)


def test_a_call_with_one_conversation_cut_is_cut_and_its_talk_is_unknown() -> None:
    gone = answered("b", 80, 0)
    gone.cut = True
    assert counted(answered("a", 0, 4, 60, 10), gone) == row(
        "offered answered answer_wait_s:4 answered@5 longest_wait_s:4 cut"
    )


leg = st.one_of(
    st.builds(waiting, st.just("a"), st.integers(0, 99)),
    st.builds(answered, st.just("a"), st.integers(0, 99), st.integers(0, 99), st.none() | st.integers(0, 99)),
    st.builds(abandoned, st.just("a"), st.integers(0, 99), st.integers(0, 99)),
    st.builds(overflowed, st.just("a"), st.integers(0, 99), st.integers(0, 99)),
    st.builds(lost, st.just("a"), st.integers(0, 99), st.integers(100, 199)),
    st.builds(unseen, st.just("a"), st.integers(0, 99)),
)


@given(st.lists(leg), st.lists(leg))
def test_what_a_call_counts_as_can_be_taken_back_and_given_anew(before: list[Leg], after: list[Leg]) -> None:
    values = [0] * len(FATE_COLUMNS)
    apply_counts(values, {}, call_counts(before))
    apply_counts(values, call_counts(before), call_counts(after))
    longest = FATE_COLUMNS.index("longest_wait_s")
    values[longest] = call_counts(after).get(longest, 0)
    assert named(CALLS, values) == counted(*after)


@given(st.lists(leg))
def test_a_call_offered_has_one_fate_or_waits(legs: list[Leg]) -> None:
    counts = counted(*legs)
    fates = sum(counts.get(fate, 0) for fate in ("answered", "abandoned", "overflowed", "lost"))
    waits = bool(legs) and (decides := call_fate(legs)) is not None and decides.fate == "waiting"
    assert counts.get("offered", 0) == fates + waits
    assert Call("1", 0, legs).offered == bool(counts)


def test_a_call_is_open_while_a_leg_waits_or_talks() -> None:
    cut = answered("a", 0, 4)
    cut.cut = True
    assert Call("1", 0, [waiting("a", 0)]).open
    assert Call("1", 0, [abandoned("a", 0, 1), answered("a", 0, 4)]).open
    assert not Call("1", 0, [abandoned("a", 0, 1), answered("a", 0, 4, 5), cut, lost("a", 0, 1)]).open
