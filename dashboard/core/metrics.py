"""The metrics: one row each, with key, label, unit, which way is better, formula in words and as a function.

Pure. The tile, the docs page, the JSON and the tests read the same row. A metric takes `Counts` (columns by name,
None where nobody observes or covers a column) and gives None where it has no denominator: unknown, never 0.
Formulas: `reference/metrics.md` of the project's design; GB/T 33358-2016 for the 15-second threshold.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from dashboard.core.counts import ABANDONED_WAIT, ANSWERED_WAIT, F, bins_within

Unit = Literal["count", "seconds", "ratio", "per_seat"]
Better = Literal["higher", "lower", "neither"]
Counts = Mapping[str, int | None]

FORMULAS = (
    "of_offered",
    "of_answered_abandoned",
    "abandons_within_count",
    "of_answered",
    "abandons_within_ignored",
    "short_abandons_count",
)
"""The six service levels; the first is the default and the strictest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waits:
    """What a service level is made of: counts of calls (or legs) offered in a period.

    Attributes:
        answered, abandoned, overflowed, lost: Fates.
        answered_within: Answered at or under the threshold.
        abandoned_within: Abandoned at or under the threshold.
        abandoned_short: Abandoned at or under the short-abandon threshold.
        waiting_beyond: Still waiting, for longer than the threshold.
    """

    answered: int
    abandoned: int
    overflowed: int = 0
    lost: int = 0
    answered_within: int
    abandoned_within: int
    abandoned_short: int
    waiting_beyond: int = 0


def waits(row: Sequence[int], threshold_s: int, short_s: int, waiting_beyond: int = 0) -> Waits:
    """Read a fate row at two thresholds.

    Args:
        row: A queue or calls row, whole.
        threshold_s: T, an edge of the histogram.
        short_s: The short-abandon threshold, an edge or 0 for none.
        waiting_beyond: Calls of the row that wait longer than T now.

    Raises:
        ValueError: A threshold is no edge.
    """
    within = bins_within(threshold_s)
    short = bins_within(short_s) if short_s else 0
    return Waits(
        answered=row[F["answered"]],
        abandoned=row[F["abandoned"]],
        overflowed=row[F["overflowed"]],
        lost=row[F["lost"]],
        answered_within=sum(row[ANSWERED_WAIT : ANSWERED_WAIT + within]),
        abandoned_within=sum(row[ABANDONED_WAIT : ABANDONED_WAIT + within]),
        abandoned_short=sum(row[ABANDONED_WAIT : ABANDONED_WAIT + short]),
        waiting_beyond=waiting_beyond,
    )


def service_level(formula: str, w: Waits) -> tuple[int, int]:
    """A service level as its two numbers: how many within, of how many.

    Args:
        formula: One of `FORMULAS`.
        w: What is counted.

    Raises:
        ValueError: No such formula; the message lists them.

    Source: ICMI and Call Centre Helper for the vectors; Cisco, Amazon Connect, Genesys and Asterisk for who uses
    which.

    >>> a = Waits(answered=1000, abandoned=60, answered_within=860, abandoned_within=20, abandoned_short=10)
    >>> [round(100 * n / d, 2) for n, d in (service_level(f, a) for f in FORMULAS)]
    [81.13, 81.13, 83.02, 86.0, 82.69, 82.08]
    """
    both = w.answered + w.abandoned
    match formula:
        case "of_offered":
            return w.answered_within, both + w.overflowed + w.lost + w.waiting_beyond
        case "of_answered_abandoned":
            return w.answered_within, both
        case "abandons_within_count":
            return w.answered_within + w.abandoned_within, both
        case "of_answered":
            return w.answered_within, w.answered
        case "abandons_within_ignored":
            return w.answered_within, both - w.abandoned_within
        case "short_abandons_count":
            return w.answered_within + w.abandoned_short, both
    raise ValueError(f'"{formula}" is not a service level; allowed: {", ".join(FORMULAS)}')


def ratio(part: float | None, whole: float | None) -> float | None:
    """part ÷ whole; None where either is unknown or the whole is 0.

    >>> ratio(1, 4), ratio(0, 0), ratio(None, 3)
    (0.25, None, None)
    """
    if part is None or whole is None or whole == 0:
        return None
    return part / whole


def wilson(part: int, whole: int, z: float = 1.959963984540054) -> tuple[float, float] | None:
    """The 95 % Wilson interval of a share; None of nothing.

    >>> [round(100 * x) for x in wilson(4, 5)], [round(100 * x) for x in wilson(80, 100)]
    ([38, 96], [71, 87])
    """
    if whole <= 0:
        return None
    p, z2 = part / whole, z * z
    middle = (p + z2 / (2 * whole)) / (1 + z2 / whole)
    half = z / (1 + z2 / whole) * math.sqrt(p * (1 - p) / whole + z2 / (4 * whole * whole))
    return max(0.0, middle - half), min(1.0, middle + half)


def _less(counts: Counts, *columns: str) -> int | None:
    """The first column less the others; None where any is unknown."""
    values = [counts.get(column) for column in columns]
    if any(value is None for value in values):
        return None
    known = [value for value in values if value is not None]
    return known[0] - sum(known[1:])


def _handled_s(counts: Counts) -> int | None:
    if counts.get("talk_s") is None:
        return None
    return sum(counts.get(column) or 0 for column in ("talk_s", "hold_s", "wrap_s"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One figure that is computed from counts.

    Attributes:
        key: Its name in code, JSON and docs.
        zh, en: Its label.
        unit: Of its value.
        better: Which way is better; red means worse, whichever way the figure moves.
        formula: In words, as the docs and the screens say it.
        value: From counts to the figure; None is unknown.
    """

    key: str
    zh: str
    en: str
    unit: Unit
    better: Better
    formula: str
    value: Callable[[Counts], float | None]


METRICS = (
    Metric(
        key="service_level",
        zh="接通率（T秒内）",
        en="Service level",
        unit="ratio",
        better="higher",
        formula="by the chosen one of six formulas at the chosen threshold T",
        value=lambda c: ratio(c.get("service_level_within"), c.get("service_level_of")),
    ),
    Metric(
        key="answer_rate",
        zh="接通率",
        en="Answer rate",
        unit="ratio",
        better="higher",
        formula="answered ÷ (offered − waiting − abandoned_short)",
        value=lambda c: ratio(c.get("answered"), _less(c, "offered", "waiting", "abandoned_short")),
    ),
    Metric(
        key="abandon_rate",
        zh="放弃率",
        en="Abandon rate",
        unit="ratio",
        better="lower",
        formula="(abandoned − abandoned_short) ÷ (offered − waiting − abandoned_short)",
        value=lambda c: ratio(
            _less(c, "abandoned", "abandoned_short"), _less(c, "offered", "waiting", "abandoned_short")
        ),
    ),
    Metric(
        key="asa",
        zh="平均应答时长",
        en="ASA",
        unit="seconds",
        better="lower",
        formula="answer_wait_s ÷ answered",
        value=lambda c: ratio(c.get("answer_wait_s"), c.get("answered")),
    ),
    Metric(
        key="wait_abandoned",
        zh="放弃前平均等候",
        en="Wait before abandoning",
        unit="seconds",
        better="neither",
        formula="abandon_wait_s ÷ abandoned",
        value=lambda c: ratio(c.get("abandon_wait_s"), c.get("abandoned")),
    ),
    Metric(
        key="aht",
        zh="平均处理时长",
        en="AHT",
        unit="seconds",
        better="neither",
        formula="(talk_s + hold_s + wrap_s of finished calls) ÷ finished; without hold and wrap it is 仅通话",
        value=lambda c: ratio(_handled_s(c), c.get("finished")),
    ),
    Metric(
        key="occupancy",
        zh="利用率",
        en="Occupancy",
        unit="ratio",
        better="neither",
        formula="work within observed sign-in ÷ (signed_in_s − pauses within it)",
        value=lambda c: ratio(c.get("busy_signed_in_s"), _less(c, "signed_in_s", "paused_signed_in_s")),
    ),
)
"""Every computed figure."""

BY_KEY = {metric.key: metric for metric in METRICS}
