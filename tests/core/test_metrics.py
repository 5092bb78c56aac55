"""The formulas, with the vectors of `reference/metrics.md`."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.core.counts import ABANDONED_WAIT, ANSWERED_WAIT, FATE_COLUMNS, F
from dashboard.core.metrics import BY_KEY, FORMULAS, METRICS, Waits, ratio, service_level, waits, wilson

A = Waits(answered=1000, abandoned=60, answered_within=860, abandoned_within=20, abandoned_short=10)
B = Waits(
    answered=1000, abandoned=60, overflowed=100, answered_within=860, abandoned_within=20, abandoned_short=10
)


@pytest.mark.parametrize(
    ("formula", "a", "b"),
    [
        ("of_offered", 81.13, 74.14),
        ("of_answered_abandoned", 81.13, 81.13),
        ("abandons_within_count", 83.02, 83.02),
        ("of_answered", 86.00, 86.00),
        ("abandons_within_ignored", 82.69, 82.69),
        ("short_abandons_count", 82.08, 82.08),
    ],
)
def test_a_service_level_is_that_of_the_published_vectors(formula: str, a: float, b: float) -> None:
    for vector, percent in ((A, a), (B, b)):
        within, of = service_level(formula, vector)
        assert round(100 * within / of, 2) == percent


def test_there_are_six_formulas_and_no_other() -> None:
    assert len(FORMULAS) == 6
    with pytest.raises(
        ValueError, match=r'"ours" is not a service level; allowed: of_offered, .*short_aband'
    ):
        service_level("ours", A)


def test_in_the_strictest_formula_a_call_that_waits_too_long_is_a_miss_at_once_and_so_is_one_lost() -> None:
    w = Waits(answered=8, abandoned=0, answered_within=8, abandoned_within=0, abandoned_short=0)
    late = Waits(
        answered=8,
        abandoned=0,
        answered_within=8,
        abandoned_within=0,
        abandoned_short=0,
        waiting_beyond=1,
        lost=1,
    )
    assert service_level("of_offered", w) == (8, 8)
    assert service_level("of_offered", late) == (8, 10)
    for formula in FORMULAS[1:]:
        assert service_level(formula, late) == service_level(formula, w)


counts = st.integers(0, 50)


@given(st.sampled_from(FORMULAS), counts, counts, counts, counts, counts, counts, counts)
def test_every_service_level_is_a_share(
    formula: str,
    within: int,
    beyond: int,
    short: int,
    gone_within: int,
    gone_beyond: int,
    over: int,
    lost: int,
) -> None:
    w = Waits(
        answered=within + beyond,
        abandoned=short + gone_within + gone_beyond,
        overflowed=over,
        lost=lost,
        answered_within=within,
        abandoned_within=short + gone_within,
        abandoned_short=short,
    )
    part, of = service_level(formula, w)
    assert 0 <= part <= of


def test_a_row_is_read_at_two_thresholds() -> None:
    row = [0] * len(FATE_COLUMNS)
    row[F["answered"]], row[F["abandoned"]], row[F["overflowed"]], row[F["lost"]] = 10, 5, 2, 1
    row[ANSWERED_WAIT : ANSWERED_WAIT + 7] = [1, 0, 0, 0, 0, 4, 5]
    row[ABANDONED_WAIT : ABANDONED_WAIT + 6] = [0, 0, 0, 2, 1, 2]
    assert waits(row, 15, 5, 3) == Waits(
        answered=10,
        abandoned=5,
        overflowed=2,
        lost=1,
        answered_within=5,
        abandoned_within=5,
        abandoned_short=2,
        waiting_beyond=3,
    )
    assert waits(row, 600, 0).abandoned_short == 0


@pytest.mark.parametrize(("threshold_s", "short_s"), [(14, 5), (15, 4), (0, 5)])
def test_both_thresholds_are_edges(threshold_s: int, short_s: int) -> None:
    with pytest.raises(ValueError, match=r"is not an edge of the wait histogram; allowed: 1, 2, 3, 5, 10"):
        waits([0] * len(FATE_COLUMNS), threshold_s, short_s)


def test_each_metric() -> None:
    counted = {
        "offered": 100,
        "answered": 80,
        "abandoned": 12,
        "abandoned_short": 4,
        "waiting": 6,
        "answer_wait_s": 800,
        "abandon_wait_s": 240,
        "talk_s": 6000,
        "wrap_s": 600,
        "hold_s": None,
        "finished": 60,
        "busy_signed_in_s": 900,
        "signed_in_s": 2000,
        "paused_signed_in_s": 500,
        "service_level_within": 60,
        "service_level_of": 90,
    }
    assert {metric.key: metric.value(counted) for metric in METRICS} == {
        "service_level": 60 / 90,
        "answer_rate": 80 / 90,
        "abandon_rate": 8 / 90,
        "asa": 10.0,
        "wait_abandoned": 20.0,
        "aht": 110.0,
        "occupancy": 0.6,
    }


@pytest.mark.parametrize("key", sorted(BY_KEY))
def test_without_a_denominator_or_a_column_a_metric_is_unknown(key: str) -> None:
    columns = [*FATE_COLUMNS, "waiting", "abandoned_short", "service_level_within", "service_level_of"]
    columns += ["busy_signed_in_s", "signed_in_s", "paused_signed_in_s"]
    value = BY_KEY[key].value
    assert value(dict.fromkeys(columns, 0)) is None
    assert value(dict.fromkeys(columns)) is None
    assert value({}) is None


def test_a_ratio_of_nothing_is_unknown() -> None:
    assert (ratio(0, 4), ratio(3, 0), ratio(None, 3), ratio(3, None)) == (0.0, None, None, None)


@pytest.mark.parametrize(
    ("part", "whole", "percent"), [(4, 5, (38, 96)), (80, 100, (71, 87)), (800, 1000, (77, 82))]
)
def test_wilsons_interval(part: int, whole: int, percent: tuple[int, int]) -> None:
    low, high = wilson(part, whole)
    assert (round(100 * low), round(100 * high)) == percent


@given(st.integers(0, 500), st.integers(0, 500))
def test_wilsons_interval_holds_the_share(part: int, more: int) -> None:
    whole = part + more
    if not whole:
        assert wilson(part, whole) is None
        return
    low, high = wilson(part, whole)
    assert 0 <= low <= part / whole + 1e-12
    assert part / whole - 1e-12 <= high <= 1
