"""Gaps and coverage share out the time between the first and the last known second."""

from hypothesis import given
from hypothesis import strategies as st

from dashboard.core.gaps import REASONS, Gap, gaps, length_s, merged, overlap

times = st.integers(0, 60)
spans = st.lists(st.tuples(times, times).map(lambda pair: (min(pair), max(pair))), max_size=8)
losses = st.lists(
    st.tuples(times, times, st.sampled_from(sorted(REASONS))).map(
        lambda of: Gap(min(of[:2]), max(of[:2]), of[2])
    ),
    max_size=5,
)


def seconds(of: list[tuple[int, int]]) -> set[int]:
    return {second for from_s, to_s in of for second in range(from_s, to_s)}


@given(spans, losses)
def test_each_second_is_covered_or_in_one_gap(some: list[tuple[int, int]], told: list[Gap]) -> None:
    covered = merged(some)
    found = gaps(covered, told)
    inside = [(gap.from_s, gap.to_s) for gap in found]
    assert all(gap.from_s < gap.to_s for gap in found)
    assert not seconds(inside) & seconds(covered)
    assert sum(to_s - from_s for from_s, to_s in inside) == len(seconds(inside))
    if covered:
        assert seconds(inside) | seconds(covered) == set(range(covered[0][0], covered[-1][1]))


@given(spans, losses, st.tuples(times, times))
def test_the_gaps_of_a_stretch_are_those_of_all_that_touch_it(
    some: list[tuple[int, int]], told: list[Gap], pair: tuple[int, int]
) -> None:
    within = min(pair), max(pair) + 1
    everywhere = gaps(merged(some), told)
    touching = [gap for gap in everywhere if gap.from_s < within[1] and gap.to_s > within[0]]
    assert gaps(merged(some), told, within) == touching


@given(spans, spans)
def test_an_overlap_is_what_both_have(some: list[tuple[int, int]], others: list[tuple[int, int]]) -> None:
    assert seconds(overlap(merged(some), merged(others))) == seconds(some) & seconds(others)


@given(spans, st.tuples(times, times))
def test_a_length_counts_each_second_once(some: list[tuple[int, int]], pair: tuple[int, int]) -> None:
    within = min(pair), max(pair)
    assert length_s(some, within) == len(seconds(some) & seconds([within]))


def test_a_loss_gives_its_gap_the_reason_and_what_was_imported_shortens_it() -> None:
    told = [Gap(100, 400, "truncated", "the log was truncated")]
    assert gaps([(0, 100), (400, 500)], told) == told
    assert gaps([(0, 100), (200, 300), (400, 500)], told) == [
        Gap(100, 200, "truncated", "the log was truncated"),
        Gap(300, 400, "truncated", "the log was truncated"),
    ]
    assert gaps([(0, 500)], told) == []
