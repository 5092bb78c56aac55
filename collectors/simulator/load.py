"""Lines by the number, for benchmarks.

Comes in: how many, and how big the hotline. Goes out: an iterator; one day is held in memory at a time.
Never: a clock, files.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from itertools import islice
from typing import Final
from zoneinfo import ZoneInfo

from collectors.simulator.day import plain_load, plain_workday, simulate_day
from collectors.simulator.hotline import Hotline, fuzhou, scaled

_FIRST_DAY: Final = date(2024, 1, 1)  # a Monday, so that the log begins with the switch's start


def simulate_lines(n_lines: int, seed: int, *, times: int = 1, first_day: date = _FIRST_DAY) -> Iterator[str]:
    """Exactly so many queue_log lines, over as many days as they take.

    Args:
        n_lines: The last day is cut short by it, so calls may be open at the end.
        seed: As in `simulate_day`.
        times: So many times Fuzhou's seats and calls; 100 puts a hundred days' lines into one.
        first_day: The local day to begin with; plain weekdays follow.

    Returns:
        Lines without newlines, in order of time.

    >>> next(simulate_lines(1, seed=1))
    '1704060000|NONE|NONE|NONE|QUEUESTART|'
    """
    return islice(_days(scaled(fuzhou(), times), seed, first_day), n_lines)


def _days(hotline: Hotline, seed: int, day: date) -> Iterator[str]:
    zone = ZoneInfo(hotline.zone)
    while True:
        yield from simulate_day(
            hotline, day, zone=zone, seed=seed, workday=plain_workday(day), load=plain_load(day)
        )
        day += timedelta(days=1)
