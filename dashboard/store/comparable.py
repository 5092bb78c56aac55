"""Stored days -> the averages of the days that are comparable to one.

Reads through the reader; which days are comparable is the calendar's word, what their averages are `core.hall`'s.
"""

from datetime import date

from dashboard.config import Config
from dashboard.core.calendar import Calendar
from dashboard.core.hall import Averages, averages
from dashboard.core.table import covered_s
from dashboard.store.reader import Reader, Snapshot, part_of, rules_of

WHOLE_DAY_SHARE = 0.99
LOOK_BACK_DAYS = 400


def comparable_averages(
    reader: Reader, config: Config, calendar: Calendar, day: str, snapshots: list[Snapshot]
) -> Averages:
    """Mean answers per slot over the days that are comparable to a day.

    Args:
        reader: Where from.
        config: The hotline.
        calendar: Its calendar.
        day: Which day.
        snapshots: The sources, for what they cover.
    """
    zone, rules = config.zone, rules_of(config)
    earliest = zone.shift_days(day, -LOOK_BACK_DAYS)
    stored = sorted({d for snapshot in snapshots for d in snapshot.stamps if earliest <= d < day})
    followed = {source.name for source in config.sources}
    whole = [d for d in stored if all(_covers(s, *zone.bounds(d), s.source in followed) for s in snapshots)]
    chosen = calendar.comparable(date.fromisoformat(day), [date.fromisoformat(d) for d in whole])
    if not chosen.days:
        return Averages(by_minute={}, days=0, widened=chosen.widened, known=chosen.known)
    days = [found.isoformat() for found in chosen.days]
    parts = []
    for snapshot in snapshots:
        if snapshot.generation:
            read = reader.snapshot(snapshot.source, days)
            for one in days:
                end_s = zone.bounds(one)[1]
                parts.append((one, part_of(read, rules, end_s, [one])))
    return averages(zone, parts, widened=chosen.widened, known=chosen.known)


def _covers(snapshot: Snapshot, from_s: int, to_s: int, followed: bool) -> bool:
    """Whether a source has no gap in a day; one that did not exist yet, or was only imported and ended, has none."""
    spans = snapshot.coverage
    if not spans or spans[0][0] >= to_s or (not followed and spans[-1][1] <= from_s):
        return True
    return covered_s(spans, to_s, from_s, to_s) / (to_s - from_s) >= WHOLE_DAY_SHARE
