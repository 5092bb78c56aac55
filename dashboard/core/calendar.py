"""Days -> their kind, their phase of the filing period, and the days they may be compared with.

A tax hotline is as busy as the calendar makes it: a workday with a workday, the last days of the
monthly filing period (征期) with other last days. Days come in and go out as `datetime.date`.

China's statutory holidays come from `chinesecalendar`, which knows whole years up to the last one
announced; later years take their kind from the weekday and are marked (日历未定), unless the operator's
overrides supply them. Never asks the clock, never guesses without saying so.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import Literal, get_args

Kind = Literal["workday", "rest", "holiday", "makeup"]
Phase = Literal["early", "late", "after"]
System = Literal["cn", "weekdays"]

KINDS: tuple[Kind, ...] = get_args(Kind)
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
WORKWEEK = ("mon", "tue", "wed", "thu", "fri")

COMPARED = 20  # days an average is made of
COMPARED_LEAST = 5  # fewer of the same phase are too few to be fair
COMPARED_DAYS_BACK = 400
LATE_WORKDAYS = 3
MEMO = 8192  # days kept: twenty-two years, and a bound on what a visitor can make it hold


@dataclass(frozen=True, slots=True, kw_only=True)
class DayKind:
    """What a day is.

    Attributes:
        kind: "workday"; "rest", a plain weekend; "holiday", a day of an official holiday run, the
            weekends and moved days in it included; "makeup", a weekend day worked for a holiday (调休).
        phase: Of the filing period, on workdays and make-up workdays: "late", its last three of them;
            "early", the others in it; "after". None on other days, for calendars without filing
            periods, and where the calendar does not know the month.
        known: False where kind or phase is a guess from the weekday, to be shown as 日历未定.
    """

    kind: Kind
    phase: Phase | None
    known: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparable:
    """The days that a day may be compared with.

    Attributes:
        days: At most 20, all earlier, the nearest first.
        widened: True where fewer than five had the same phase, so `days` are of any phase.
        known: False where the day itself or one of `days` is 日历未定.
    """

    days: tuple[date, ...]
    widened: bool
    known: bool


@dataclass(frozen=True, slots=True)
class _FilingPeriod:
    deadline: date
    late: frozenset[date]


class Calendar:
    """One hotline's calendar. What it has worked out it keeps, so asking again is cheap."""

    __slots__ = ("_day", "_filing_period", "_overrides", "_system", "_workdays", "_years")

    def __init__(
        self,
        kind: System = "cn",
        *,
        workweek: Collection[str] = WORKWEEK,
        overrides: Mapping[date, Kind] | None = None,
        years: Collection[int] = (),
    ) -> None:
        """Make a calendar.

        Args:
            kind: "cn", China's holidays and filing periods; "weekdays", a workweek and nothing else.
            workweek: The days worked, of "mon" to "sun", where nothing else tells.
            overrides: Days whose kind the operator knows better; they win.
            years: Years that `overrides` supply whole: their other days follow the workweek and are
                known. Without it only the days in `overrides` are.

        Raises:
            ValueError: An argument holds a word that is not in its list; the operator corrects it.
        """
        if kind not in get_args(System):
            raise ValueError(f'calendar "{kind}" is not known; write "cn" or "weekdays"')
        if not workweek or not set(workweek) <= set(WEEKDAYS):
            raise ValueError(f"workweek needs one or more of {', '.join(WEEKDAYS)}")
        self._overrides = dict(overrides or {})
        for day, named in self._overrides.items():
            if named not in KINDS:
                raise ValueError(f'{day} cannot be a "{named}"; write one of {", ".join(KINDS)}')
        self._system = kind
        self._workdays = frozenset(WEEKDAYS.index(name) for name in workweek)
        self._years = frozenset(years)
        self._day = lru_cache(MEMO)(self._find_day)
        self._filing_period = lru_cache(MEMO)(self._find_filing_period)

    def day(self, day: date) -> DayKind:
        """Return what a day is."""
        return self._day(day)

    def filing_deadline(self, year: int, month: int) -> date | None:
        """Return the last day of a month's filing period, or None where the calendar cannot tell.

        Look at the days 1 to 15 only; take the runs of three or more consecutive rest days among them
        (cut at both ends) that contain a statutory holiday; n is the sum of their days. With n, the
        last day is the n-th workday after the 15th; without, the 15th or the next workday.

        Args:
            year: Four digits.
            month: 1 to 12.

        Source: implementing rules of the tax administration law (税收征收管理法实施细则), article 109,
        as it reproduces the 48 official notices of 2023 to 2026.

        >>> Calendar().filing_deadline(2026, 10)
        datetime.date(2026, 10, 26)
        """
        period = self._filing_period(year, month)
        return period.deadline if period else None

    def comparable(self, day: date, candidates: Iterable[date]) -> Comparable:
        """Choose the days that a day may fairly be compared with.

        The same kind and phase, the nearest 20 within 400 days back; fewer than five: the same kind in
        any phase. A make-up workday counts as a workday. Where the day's phase is unknown, phases are
        left out.

        Args:
            day: The day to be compared; it is never among the days chosen.
            candidates: Days that have data without gaps, in any order.
        """
        oldest = day - timedelta(days=COMPARED_DAYS_BACK)
        asked = self.day(day)
        same_kind = [
            other
            for other in sorted({other for other in candidates if oldest <= other < day}, reverse=True)
            if _rank(self.day(other).kind) == _rank(asked.kind)
        ]
        days, widened = same_kind, False
        if asked.phase is not None:
            days = [other for other in same_kind if self.day(other).phase == asked.phase]
            if len(days) < COMPARED_LEAST:
                days, widened = same_kind, True
        del days[COMPARED:]
        known = asked.known and all(self.day(other).known for other in days)
        return Comparable(days=tuple(days), widened=widened, known=known)

    def _find_day(self, day: date) -> DayKind:
        kind, known = self._kind(day)
        if self._system != "cn" or not _works(kind):
            return DayKind(kind=kind, phase=None, known=known)
        period = self._filing_period(day.year, day.month) if known else None
        if period is None:
            # The operator named this day but not its month: its phase is as unknown as any.
            return DayKind(kind=kind, phase=None, known=False)
        if day > period.deadline:
            return DayKind(kind=kind, phase="after", known=True)
        return DayKind(kind=kind, phase="late" if day in period.late else "early", known=True)

    def _kind(self, day: date) -> tuple[Kind, bool]:
        if day in self._overrides:
            return self._overrides[day], True
        known = True
        if self._system == "cn":
            import chinese_calendar

            try:
                rests, occasion = chinese_calendar.get_holiday_detail(day)
            except NotImplementedError:  # a year that has not been announced
                known = day.year in self._years
            else:
                if rests:
                    return ("holiday" if occasion else "rest"), True
                return ("makeup" if occasion else "workday"), True
        return ("workday" if day.weekday() in self._workdays else "rest"), known

    def _find_filing_period(self, year: int, month: int) -> _FilingPeriod | None:
        if self._system != "cn":
            return None
        postponed = 0
        run: list[Kind] = []
        workdays: list[date] = []
        day = date(year, month, 1)
        while day.month == month:
            kind, known = self._kind(day)
            if not known:
                return None
            if not _works(kind):
                run.append(kind)
            if _works(kind) or day.day == 15:
                if day.day <= 15 and len(run) >= 3 and "holiday" in run:
                    postponed += len(run)
                run = []
            if _works(kind):
                workdays.append(day)
                # Without a postponement the 15th itself will do, else workdays after it are counted.
                if day.day > 15 and postponed > 0:
                    postponed -= 1
                if day.day >= 15 and postponed == 0:
                    return _FilingPeriod(deadline=day, late=frozenset(workdays[-LATE_WORKDAYS:]))
            day += timedelta(days=1)
        return None  # only overrides can leave a month too few workdays


def _works(kind: Kind) -> bool:
    return kind in ("workday", "makeup")


def _rank(kind: Kind) -> Kind:
    """A make-up workday is compared with workdays."""
    return "workday" if kind == "makeup" else kind
