"""Laws of the counting rule, over streams that Hypothesis makes up: plausible ones, and such as no switch writes."""

import itertools
from collections.abc import Iterable

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from dashboard.core import events as e
from dashboard.core.asof import as_of
from dashboard.core.calls import Call, apply_counts, call_counts
from dashboard.core.counts import (
    ABANDONED_WAIT,
    ANSWERED_WAIT,
    BINS,
    CALLS,
    FATE_COLUMNS,
    QUEUE,
    SEAT,
    F,
    S,
    join,
)
from dashboard.core.days import SLOT_S
from dashboard.core.fold import Fold, Rules, State, fold
from tests.core.fold_streams import RowMap, added, folded, named, plain, streams, unbalanced
from tests.core.naive import Naive

Told = tuple[Rules, list[e.Event]]
Row = list[int]


def stored_calls(run: Fold, kept: dict[tuple[int, str], Call] | None = None) -> dict[tuple[int, str], Call]:
    """What a store has that takes every call touched, and drops those that moved."""
    kept = {} if kept is None else kept
    for key, call in run.touched_calls.items():
        kept.pop(key, None)
        if call is not None:
            kept[key] = call
    return kept


# Pure ------------------------------------------------------------------------------------------------------------


@given(streams(), st.integers(0, 40))
def test_where_a_stream_is_cut_changes_nothing(told: Told, cut: int) -> None:
    rules, events = told
    first_state, first_rows = fold(rules, State(), events[:cut])
    state, rows = fold(rules, first_state, events[cut:])
    whole_state, whole_rows = fold(rules, State(), events)
    assert state == whole_state
    assert added(first_rows, rows) == plain(whole_rows)


@given(streams(), st.booleans())
def test_a_stream_cut_everywhere_and_kept_in_any_order_is_the_same(told: Told, turned: bool) -> None:
    """A store gives calls and seats back in an order of its own."""
    rules, events = told
    whole = folded(events, rules)
    state = State()
    rows: RowMap = {}
    calls: dict[tuple[int, str], Call] = {}
    seats: set[str] = set()
    for event in events:
        state = msgspec.json.decode(msgspec.json.encode(state), type=State)
        if turned:
            state.calls = dict(reversed(state.calls.items()))
            state.seats = dict(reversed(state.seats.items()))
        run = Fold(rules, state)
        run.feed([event])
        rows = added(rows, run.rows)
        calls = stored_calls(run, calls)
        seats |= run.touched_seats
    assert state == whole.state
    assert rows == plain(whole.rows)
    assert calls == stored_calls(whole)
    assert seats == whole.touched_seats


@given(streams())
def test_the_fold_as_a_function_changes_nothing_that_it_is_given(told: Told) -> None:
    rules, events = told
    state, _ = fold(rules, State(), events[:10])
    before = msgspec.msgpack.encode(state)
    fold(rules, state, events[10:])
    assert msgspec.msgpack.encode(state) == before


@given(streams())
def test_events_one_by_one_are_the_same_as_all_at_once(told: Told) -> None:
    rules, events = told
    run = Fold(rules)
    for event in events:
        run.feed([event])
    whole = folded(events, rules)
    assert run.state == whole.state
    assert run.rows == whole.rows
    assert run.rows.touched == whole.rows.touched


# Counts ----------------------------------------------------------------------------------------------------------


@given(streams())
def test_every_call_offered_has_one_fate_or_waits_at_every_moment(told: Told) -> None:
    rules, events = told
    run = Fold(rules)
    for event in events:
        run.feed([event])
        assert unbalanced(run.rows, run.state) == []


@given(streams())
def test_no_count_is_ever_negative(told: Told) -> None:
    rules, events = told
    run = Fold(rules)
    for event in events:
        run.feed([event])
        assert [key for key, row in run.rows.items() if min(row) < 0] == []


@given(streams(wild=False))
def test_the_counts_are_those_of_the_rule_written_down_plainly(told: Told) -> None:
    rules, events = told
    run = folded(events, rules)
    if not events:
        return
    _, changed = as_of(rules, run.state, run.rows, events[-1].at_s)
    rows = {**run.rows, **changed}
    found = {key: shown for key, row in rows.items() if (shown := named(key[0], row))}
    assert found == Naive(rules, events).rows()


@given(streams())
def test_rows_of_calls_are_the_sum_of_what_each_call_counts_as(told: Told) -> None:
    rules, events = told
    run = folded(events, rules)
    expected: dict[int, Row] = {}
    for call in stored_calls(run).values():
        if call.offered:
            slot = call.at_s // SLOT_S * SLOT_S
            apply_counts(expected.setdefault(slot, [0] * len(FATE_COLUMNS)), {}, call_counts(call.legs))
    work = {F[name] for name in ("answers", "talk_done_s", "wrap_done_s", "refused", "orphan")}
    longest = F["longest_wait_s"]
    for (kind, _, slot), row in run.rows.items():
        if kind == CALLS:
            of_calls = expected.pop(slot, [0] * len(FATE_COLUMNS))
            for column, value in enumerate(row):
                if column == longest:
                    assert value >= of_calls[column]
                elif column not in work:
                    assert value == of_calls[column], FATE_COLUMNS[column]
    assert expected == {}


@given(streams())
def test_histograms_sum_to_what_they_are_of(told: Told) -> None:
    run = folded(told[1], told[0])
    for (kind, _, _), row in run.rows.items():
        if kind != SEAT:
            assert sum(row[ANSWERED_WAIT : ANSWERED_WAIT + BINS]) == row[F["answered"]]
            assert sum(row[ABANDONED_WAIT : ABANDONED_WAIT + BINS]) == row[F["abandoned"]]


@given(streams())
def test_reasons_sum_to_what_they_are_of(told: Told) -> None:
    run = folded(told[1], told[0])
    for (kind, _, _), row in run.rows.items():
        if kind != SEAT:
            for fate in ("overflowed", "lost"):
                reasons = [F[name] for name in FATE_COLUMNS if name.startswith(fate + "_")]
                assert sum(row[column] for column in reasons) == row[F[fate]]
            assert row[F["cut"]] + row[F["finished"]] <= row[F["answered"]]


@given(streams())
def test_work_is_the_same_in_rows_of_queues_and_of_calls(told: Told) -> None:
    run = folded(told[1], told[0])
    for column in ("answers", "talk_done_s", "wrap_done_s", "refused", "orphan", "abandoned_after_answer"):
        sums = [
            sum(row[F[column]] for key, row in run.rows.items() if key[0] == kind) for kind in (QUEUE, CALLS)
        ]
        if column != "abandoned_after_answer":
            assert sums[0] == sums[1], column
    answers = sum(row[S["answers"]] for key, row in run.rows.items() if key[0] == SEAT)
    assert answers == sum(row[F["answers"]] for key, row in run.rows.items() if key[0] == CALLS)


@given(streams(wild=False))
def test_answers_and_answered_agree_over_spans_that_no_waiting_call_crosses(told: Told) -> None:
    """Of legs; a call that is transferred and answered again has as many answers and is answered once."""
    rules, events = told
    run = folded(events, rules)
    legs = [leg for call in stored_calls(run).values() for leg in call.legs]
    borders = sorted({key[2] + SLOT_S for key in run.rows} | {key[2] for key in run.rows})
    quiet = [
        border
        for border in borders
        if not any(
            leg.offered_s is not None
            and leg.offered_s < border <= (border if leg.until_s is None else leg.until_s)
            for leg in legs
        )
    ]
    for from_s, to_s in itertools.pairwise(quiet):
        rows = [row for key, row in run.rows.items() if key[0] == QUEUE and from_s <= key[2] < to_s]
        unseen = sum(leg.offered_s is None and from_s <= leg.until_s < to_s for leg in legs)
        assert sum(row[F["answers"]] for row in rows) == sum(row[F["answered"]] for row in rows) + unseen


@given(streams(wild=False))
def test_slots_sum_to_days(told: Told) -> None:
    """On days of 23 and of 25 hours, too: every row is of a slot of just one day."""
    rules, events = told
    run = folded(events, rules)
    by_day: dict[str, list[Row]] = {}
    for key, row in run.rows.items():
        if key[0] == CALLS:
            by_day.setdefault(rules.zone.day(key[2]), []).append(row)
    sums = {day: join(CALLS, rows) for day, rows in by_day.items()}
    offered: dict[str, int] = {}
    for call in stored_calls(run).values():
        if call.offered:
            day = rules.zone.day(call.at_s)
            offered[day] = offered.get(day, 0) + 1
    assert {day: row[F["offered"]] for day, row in sums.items() if row[F["offered"]]} == offered
    for day, rows in by_day.items():
        slots = rules.zone.slots(day)
        of_slots = join(CALLS, [run.rows[CALLS, "", slot] for slot in slots if (CALLS, "", slot) in run.rows])
        assert of_slots == join(CALLS, rows)


@given(streams(wild=False))
def test_the_longest_wait_is_the_longest(told: Told) -> None:
    run = folded(told[1], told[0])
    waits: dict[tuple[str, int], int] = {}
    for call in stored_calls(run).values():
        for leg in call.legs:
            if leg.offered_s is not None:
                key = (leg.queue, leg.offered_s // SLOT_S * SLOT_S)
                waits[key] = max(waits.get(key, 0), leg.wait_s or 0)
    rows = {key[1:]: row[F["longest_wait_s"]] for key, row in run.rows.items() if key[0] == QUEUE}
    assert {key: wait for key, wait in rows.items() if wait} == {
        key: wait for key, wait in waits.items() if wait
    }


# Seats -----------------------------------------------------------------------------------------------------------


def seat_rows(rows: Iterable[tuple[tuple[str, str, int], Row]]) -> list[dict[str, int]]:
    return [{name: row[i] for name, i in S.items()} for key, row in rows if key[0] == SEAT]


@given(streams(wild=False))
def test_a_seat_does_not_work_longer_than_time_passes(told: Told) -> None:
    rules, events = told
    run = folded(events, rules)
    changed = as_of(rules, run.state, run.rows, events[-1].at_s)[1] if events else {}
    for row in seat_rows({**run.rows, **changed}.items()):
        assert row["talk_done_s"] + row["wrap_done_s"] + row["paused_s"] <= SLOT_S
        assert row["signed_in_s"] <= SLOT_S


@given(streams())
def test_occupancy_is_a_share(told: Told) -> None:
    run = folded(told[1], told[0])
    for row in seat_rows(run.rows.items()):
        assert 0 <= row["busy_signed_in_s"] <= row["signed_in_s"] - row["paused_signed_in_s"]
        assert row["paused_signed_in_s"] <= row["paused_s"]
        assert row["busy_signed_in_s"] <= row["talk_done_s"] + row["wrap_done_s"]


@given(streams())
def test_a_clock_that_jumps_makes_no_rows_for_the_time_that_it_skipped(told: Told) -> None:
    run = folded(told[1], told[0])
    days = sum(1 for event in told[1] if event.at_s) + 1
    assert len(run.rows) <= days * 15 * 96 * 3 + 3 * len(told[1])
