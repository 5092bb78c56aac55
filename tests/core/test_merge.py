"""Pieces of one log are the log, whatever overlaps, in any order, any number of times."""

import functools
import operator
from collections import Counter

from hypothesis import assume, given
from hypothesis import strategies as st

from dashboard.core.merge import Line, merge


def log_of(*seconds_and_texts: tuple[int, str]) -> list[Line]:
    return [Line(at_s, text.encode(), "L", text.encode()) for at_s, text in seconds_and_texts]


@st.composite
def logs(draw: st.DrawFn, *, steps: bool = False) -> list[Line]:
    """A log: several lines a second, some of them twice; with `steps` its clock goes back now and then."""
    gaps = [0, 0, 0, 1, 1, 2, 60] + ([-1, -90, -4000] if steps else [])
    at_s, lines = 1_000_000, []
    for number in range(draw(st.integers(1, 40))):
        at_s += draw(st.sampled_from(gaps))
        text = draw(st.sampled_from(["PAUSE", f"line {number}", f"line {number}", f"line {number}"]))
        lines.append((at_s, text))
    return log_of(*lines)


@st.composite
def cuts(draw: st.DrawFn, log: list[Line]) -> list[list[Line]]:
    """Pieces that together are the whole log; each overlaps those beside it by a line that is like no other."""
    pieces = []
    begin = end = 0
    unique = {line for line, count in Counter(log).items() if count == 1}
    while end < len(log):
        end = draw(st.integers(end + 1, len(log)))
        pieces.append(log[begin:end])
        shared = [index for index in range(begin, end) if log[index] in unique]
        if not shared:
            end, begin = begin, begin
            pieces.pop()
            end = len(log)
            pieces.append(log[begin:])
            break
        begin = draw(st.sampled_from(shared))
    return draw(st.permutations(pieces + draw(st.lists(st.sampled_from(pieces), max_size=3))))


@given(st.data(), logs(steps=True))
def test_overlapping_pieces_in_any_order_any_number_of_times_are_the_log(
    data: st.DataObject, log: list[Line]
) -> None:
    pieces = data.draw(cuts(log))
    # A line that is twice in one second counts as often as the piece with most has it; a cut between the two loses one.
    assume(functools.reduce(operator.or_, map(Counter, pieces)) == Counter(log))
    assert merge(pieces) == log


@given(logs(), st.integers(0, 40))
def test_halves_in_either_order_are_the_log(log: list[Line], cut: int) -> None:
    first, rest = log[:cut], log[cut:]
    # What is the same line on both sides of a cut cannot be told from one line that both have.
    if not set(first) & set(rest):
        in_a_row = bool(first and rest) and first[0].at_s < rest[-1].at_s
        if in_a_row or not first or not rest:
            assert merge([first, rest]) == log
            assert merge([rest, first]) == log


@given(st.data(), logs(steps=True), logs(steps=True))
def test_of_identical_lines_there_are_as_many_as_in_the_piece_with_most(
    data: st.DataObject, one: list[Line], other: list[Line]
) -> None:
    merged = merge([one, other])
    assert Counter(merged) == Counter(one) | Counter(other)
    assert merged == merge([other, one])


@given(logs(steps=True), logs(steps=True))
def test_with_no_line_in_common_each_piece_keeps_its_own_order(one: list[Line], other: list[Line]) -> None:
    other = [line._replace(text=line.text + b"'") for line in other]
    merged = merge([one, other])
    assert [line for line in merged if not line.text.endswith(b"'")] == one
    assert [line for line in merged if line.text.endswith(b"'")] == other


def test_a_missing_middle_is_put_where_it_was() -> None:
    log = log_of((1, "a"), (2, "b"), (2, "c"), (3, "d"), (9, "e"))
    assert merge([[log[0], log[4]], log[1:4]]) == log


def test_lines_of_one_second_are_aligned_by_those_that_both_have() -> None:
    log = log_of((5, "a"), (5, "b"), (5, "c"), (5, "d"))
    assert merge([log[1:], log[:2]]) == merge([log[:3], log[2:], log[1:3]]) == log


def test_without_one_the_piece_that_ends_in_a_second_goes_before_the_one_that_begins_in_it() -> None:
    log = log_of((4, "z"), (5, "b"), (5, "a"), (6, "c"))
    assert merge([log[2:], log[:2]]) == log
