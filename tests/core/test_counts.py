"""Columns, bins and rows."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.core.counts import (
    ABANDONED_WAIT,
    ANSWERED_WAIT,
    BINS,
    CALLS,
    COLUMNS,
    EDGES_S,
    FATE_COLUMNS,
    QUEUE,
    SEAT,
    SEAT_COLUMNS,
    F,
    Rows,
    S,
    bin_of,
    bins_within,
    join,
    trimmed,
    widened,
)

values = st.lists(st.integers(0, 9), max_size=len(SEAT_COLUMNS))


def test_columns_are_never_moved() -> None:
    """Stored rows hold no names: a column may only be added at the end of its group of columns' list."""
    assert FATE_COLUMNS[:6] == ("offered", "answered", "abandoned", "overflowed", "lost", "cut")
    assert (ANSWERED_WAIT, ABANDONED_WAIT, len(FATE_COLUMNS)) == (29, 47, 65)
    assert SEAT_COLUMNS[:2] == ("answers", "talk_done_s")
    assert len(SEAT_COLUMNS) == 9
    for columns in COLUMNS.values():
        assert len(set(columns)) == len(columns)


@given(st.integers(0, 10_000))
def test_a_wait_lies_in_the_bin_of_the_first_edge_not_below_it(wait_s: int) -> None:
    place = bin_of(wait_s)
    assert place == BINS - 1 or wait_s <= EDGES_S[place]
    assert place == 0 or wait_s > EDGES_S[place - 1]


@given(st.lists(st.integers(0, 700)), st.sampled_from(EDGES_S))
def test_a_threshold_counts_the_waits_at_and_under_it(waits: list[int], threshold_s: int) -> None:
    bins = [0] * BINS
    for wait_s in waits:
        bins[bin_of(wait_s)] += 1
    assert sum(bins[: bins_within(threshold_s)]) == sum(wait_s <= threshold_s for wait_s in waits)


@pytest.mark.parametrize("threshold_s", [0, -5, 4, 14, 601])
def test_a_threshold_that_is_no_edge_is_refused_with_the_list_of_edges(threshold_s: int) -> None:
    with pytest.raises(ValueError) as refused:
        bins_within(threshold_s)
    assert str(refused.value) == (
        f"a threshold of {threshold_s} s is not an edge of the wait histogram; "
        "allowed: 1, 2, 3, 5, 10, 15, 20, 25, 30, 45, 60, 90, 120, 180, 240, 300, 600"
    )


@given(st.lists(values))
def test_rows_join_by_sums(rows: list[list[int]]) -> None:
    whole = [widened(SEAT, row) for row in rows]
    assert join(SEAT, rows) == [sum(column) for column in zip([0] * len(SEAT_COLUMNS), *whole, strict=True)]


@pytest.mark.parametrize("kind", [QUEUE, CALLS])
def test_the_longest_wait_joins_by_the_larger(kind: str) -> None:
    rows = [[0] * len(FATE_COLUMNS) for _ in range(3)]
    for row, wait_s in zip(rows, (30, 50, 20), strict=True):
        row[F["longest_wait_s"]] = row[F["answer_wait_s"]] = wait_s
    joined = join(kind, rows)
    assert (joined[F["longest_wait_s"]], joined[F["answer_wait_s"]]) == (50, 100)


@given(values)
def test_a_row_without_its_tail_of_zeros_is_the_same_row(row: list[int]) -> None:
    short = trimmed(row)
    assert not short or short[-1]
    assert widened(SEAT, short) == widened(SEAT, row)


def test_a_row_stored_before_a_column_was_added_has_zeros_there() -> None:
    rows = Rows(lambda _: [3])
    assert rows[SEAT, "s", 0] == [3, *[0] * (len(S) - 1)]


def test_a_row_that_is_read_is_not_touched() -> None:
    rows = Rows()
    rows.put((SEAT, "s", 0), [1])
    assert rows[SEAT, "s", 0][0] == 1
    assert rows.touched == set()
    rows.touch((SEAT, "s", 900))[0] += 1
    assert rows.touched == {(SEAT, "s", 900)}
    assert rows[SEAT, "s", 900][0] == 1
