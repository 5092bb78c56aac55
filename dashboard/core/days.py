"""Epoch seconds -> local days, 15-minute slots and the groups that a screen shows.

Instants come in as epoch seconds (UTC), days as "YYYY-MM-DD" text; both go out the same way. A day
belongs to the hotline's zone; a slot is named by the epoch second of its start, so that a 23- or
25-hour day has 92 or 100 slots and none is counted twice. Never asks the clock.

Days are right from 1980 on. Every local midnight of every zone has since then begun on a quarter of
an hour of UTC (checked for the whole tz database, 1980 to 2037), so no slot straddles two days.
"""

import re
from calendar import monthrange
from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

SLOT_S = 900
GROUP_MINUTES = (15, 30, 60)
DAYS_KEPT = 4096  # memoised days of a zone: eleven years, and a bound on what a visitor can make it hold

_PERIOD_FORMS = (
    "write today, a day (2026-11-23), a month (2026-11), a year (2026) or a range A..B of days or months"
)
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MONTH = re.compile(r"[0-9]{4}-[0-9]{2}")
_YEAR = re.compile(r"[0-9]{4}")


class Zone:
    """The hotline's time zone: which day, slot and wall-clock time an instant belongs to.

    A day begins at the first instant whose local date is that day or later, and ends where the next
    begins. So a day whose midnight the clock skipped begins after the skip, a day that the zone
    skipped whole (Apia, 2011-12-30) is empty, and every instant is in exactly one day.
    """

    __slots__ = ("_bounds", "_last", "_tz", "name")

    def __init__(self, name: str) -> None:
        """Load a zone.

        Args:
            name: A name of the tz database, such as "Asia/Shanghai".

        Raises:
            ValueError: The tz database has no such zone; the operator corrects the name.
        """
        try:
            self._tz = ZoneInfo(name)
        except (KeyError, ValueError, OSError) as exc:  # OSError: "Asia" is a directory
            raise ValueError(
                f'time zone "{name[:60]}" is not known; write one such as "Asia/Shanghai"'
            ) from exc
        self.name = name
        self._bounds = lru_cache(DAYS_KEPT)(self._find_bounds)
        # One tuple, replaced whole, so that threads never see one day's name with another's bounds.
        self._last: tuple[int, int, str] = (0, 0, "")

    def __repr__(self) -> str:
        return f"Zone({self.name!r})"

    def __eq__(self, other: object) -> bool:
        return self.name == other.name if isinstance(other, Zone) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.name)

    def day(self, at_s: int) -> str:
        """Return the local day of an instant.

        Cheapest when the last instant asked for was of the same day, as in a log read in order.

        >>> Zone("Asia/Shanghai").day(1795363199), Zone("Asia/Shanghai").day(1795363200)
        ('2026-11-22', '2026-11-23')
        """
        start_s, end_s, day = self._last
        if start_s <= at_s < end_s:
            return day
        # Where a clock goes back across midnight (St John's, 2010), the local date goes back with it;
        # the day does not: it goes on from where it began.
        day = self.local(at_s).date().isoformat()
        start_s, end_s = self._bounds(day)
        while at_s >= end_s:
            day = self.shift_days(day, 1)
            start_s, end_s = self._bounds(day)
        self._last = (start_s, end_s, day)
        return day

    def bounds(self, day: str) -> tuple[int, int]:
        """Return the epoch seconds at which a local day begins and ends (the end is not in it).

        Raises:
            ValueError: `day` is not a date written YYYY-MM-DD.
        """
        return self._bounds(day)

    def slots(self, day: str) -> range:
        """Return the starts of all slots of a local day: 96 of them, 92 or 100 where the clock changes.

        Raises:
            ValueError: `day` is not a date written YYYY-MM-DD.
        """
        start_s, end_s = self._bounds(day)
        return range(-(-start_s // SLOT_S) * SLOT_S, end_s, SLOT_S)

    @staticmethod
    def slot(at_s: int) -> int:
        """Return the start of the slot that holds an instant, in epoch seconds."""
        return at_s // SLOT_S * SLOT_S

    def local(self, at_s: int) -> datetime:
        """Return an instant as an aware datetime of this zone.

        Raises:
            ValueError: The instant is outside the years that a datetime can hold.
        """
        try:
            return datetime.fromtimestamp(at_s, self._tz)
        except (OverflowError, OSError) as exc:
            raise ValueError(f"{at_s} is not a moment that a calendar can hold") from exc

    def iso(self, at_s: int) -> str:
        """Return an instant as ISO 8601 local time with its offset, to the second.

        >>> Zone("Asia/Shanghai").iso(1795395605)
        '2026-11-23T09:00:05+08:00'
        """
        return self.local(at_s).isoformat(timespec="seconds")

    def minute_of_day(self, at_s: int) -> int:
        """Return the minutes that the wall clock shows (0 to 1439), by which slots of two days are matched.

        On a 25-hour day two slots share a minute; on a 23-hour day some minutes have no slot.
        """
        local = self.local(at_s)
        return local.hour * 60 + local.minute

    @staticmethod
    def shift_days(day: str, n: int) -> str:
        """Return the day `n` days later (earlier where `n` is negative).

        Raises:
            ValueError: `day` is not a date written YYYY-MM-DD, or the result is outside years 1 to 9999.

        >>> Zone.shift_days("2026-03-01", -1)
        '2026-02-28'
        """
        try:
            return (_date(day) + timedelta(days=n)).isoformat()
        except OverflowError as exc:
            raise ValueError(f"{n} days from {day} is outside the calendar") from exc

    def _find_bounds(self, day: str) -> tuple[int, int]:
        return self._start(day), self._start(self.shift_days(day, 1))

    def _start(self, day: str) -> int:
        # fold=0 is the first of two midnights, and for a midnight that was skipped the instant of the
        # skip: the clock never skipped from before midnight past it (checked as the docstring says).
        midnight = _date(day)
        return int(datetime(midnight.year, midnight.month, midnight.day, tzinfo=self._tz).timestamp())


def split(start_s: int, end_s: int) -> Iterable[tuple[int, int]]:
    """Split an interval at slot borders.

    Args:
        start_s: Epoch second of its start.
        end_s: Epoch second of its end, not in it.

    Returns:
        Pairs (slot start in epoch seconds, seconds of the interval in that slot), in order, each of at
        least one second; nothing where the end is not after the start.

    >>> list(split(1700, 2000))
    [(900, 100), (1800, 200)]
    """
    slot = start_s // SLOT_S * SLOT_S
    if start_s < end_s <= slot + SLOT_S:  # nearly every call: no generator
        return ((slot, end_s - start_s),)
    return _split(slot, start_s, end_s)


def _split(slot: int, start_s: int, end_s: int) -> Iterator[tuple[int, int]]:
    while start_s < end_s:
        until_s = min(slot + SLOT_S, end_s)
        yield slot, until_s - start_s
        start_s = slot = slot + SLOT_S


def regroup(slot_start: int, minutes: int, zone: Zone) -> int:
    """Return the start of the 15-, 30- or 60-minute group, by the local wall clock, that holds a slot.

    Groups partition the day. A group ends where the clock changes: the hour that a 25-hour day repeats
    makes two groups, and where the clock changes by half an hour (Lord Howe) it makes a short one.

    Args:
        slot_start: Epoch second of the slot's start.
        minutes: 15, 30 or 60.
        zone: The hotline's zone.

    Returns:
        The epoch second of the start of the group's first slot.

    Raises:
        ValueError: `minutes` is none of the three.
    """
    if minutes not in GROUP_MINUTES:
        raise ValueError(f"slots are shown in groups of 15, 30 or 60 minutes, not {minutes}")
    local = zone.local(slot_start)
    group = slot_start - local.minute % minutes // 15 * SLOT_S
    offset = local.utcoffset()
    while zone.local(group).utcoffset() != offset:  # the clock changed inside: begin after the change
        group += SLOT_S
    return group


def period(text: str, today: str) -> tuple[str, str]:
    """Read a period as an operator writes it.

    Args:
        text: "today", a day "2026-11-23", a month "2026-11", a year "2026", or a range "A..B" with both
            ends in it, each a day or a month.
        today: The local day that "today" means, "YYYY-MM-DD".

    Returns:
        The first and the last local day, both in the period.

    Raises:
        ValueError: The text is none of these, names a day that does not exist, or ends before it begins.

    >>> period("2026-11..2026-12-03", "2026-11-23")
    ('2026-11-01', '2026-12-03')
    """
    if text == "today":
        return _date(today).isoformat(), today
    if _YEAR.fullmatch(text) and text != "0000":
        return f"{text}-01-01", f"{text}-12-31"
    first, dots, last = text.partition("..")
    ends = [_day_or_month(part, text) for part in ([first, last] if dots else [first])]
    if ends[0][0] > ends[-1][1]:
        raise ValueError(f'period "{text}" ends before it begins; put the earlier end first')
    return ends[0][0], ends[-1][1]


def _day_or_month(part: str, text: str) -> tuple[str, str]:
    try:
        if _DAY.fullmatch(part):
            return _date(part).isoformat(), part
        if _MONTH.fullmatch(part):
            first = _date(f"{part}-01")
            return first.isoformat(), f"{part}-{monthrange(first.year, first.month)[1]}"
    except ValueError as exc:
        raise ValueError(f'period "{text[:60]}": {part} is not in the calendar; {_PERIOD_FORMS}') from exc
    raise ValueError(f'period "{text[:60]}" cannot be read; {_PERIOD_FORMS}')


def _date(day: str) -> date:
    # date.fromisoformat alone would also take 20261123 and 2026-W48-1: two names for one day.
    if not _DAY.fullmatch(day):
        raise ValueError(f'"{day[:60]}" is not a day; write one as 2026-11-23')
    try:
        return date.fromisoformat(day)
    except ValueError as exc:
        raise ValueError(f"{day} is not in the calendar") from exc
