"""The simulated switch in real time: each line when its second comes, and exactly on after any stop.

Comes in: the lines of each day, a clock, what the log ends with. Goes out: calls of `append`.
Never: files (`file.py` owns them), a clock of its own, a decision by chance.

The days are deterministic, so the log itself is the position: its last line, found among its day's lines,
says what comes next. What was missed is written at once, with its own times: a switch goes on while nobody
looks. The whole log is the same sequence wherever it was stopped.
"""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Final

LinesOfDay = Callable[[date], Sequence[str]]  # of a local day: its lines in order of time, always the same

_NAP_S: Final = 0.5  # the clock may be moved and a stop asked for while a line is waited for


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """The next line to write: `index` counts from 0 in the lines of `day`, and may be past its last."""

    day: date
    index: int


def resume_after(tail: Sequence[str], lines_by_day: LinesOfDay, *, zone: tzinfo) -> Place | None:
    """Where a log goes on.

    Args:
        tail: The log's last complete lines, in order, at least all of its last second.
        lines_by_day: As in `follow`.
        zone: The hotline's time zone.

    Returns:
        The place after the last line. Lines without a time (a half line that was closed) are passed over;
        if the last one with a time is not of its day (another seed, another version), the first line of
        a later second. None if no line has a time.
    """
    for line in reversed(tail):
        at_s = _time_of(line)
        if at_s is None:
            continue
        day = datetime.fromtimestamp(at_s, zone).date()
        lines = lines_by_day(day)
        # Equal lines can only stand in one second: the n-th in the log is the n-th of the day.
        places = [index for index, one in enumerate(lines) if one == line]
        if places:
            return Place(day=day, index=places[min(tail.count(line), len(places)) - 1] + 1)
        return Place(day=day, index=bisect_right([_time_of(one) or 0 for one in lines], at_s))
    return None


def follow(
    lines_by_day: LinesOfDay,
    *,
    zone: tzinfo,
    start: Place,
    now: Callable[[], float],
    sleep: Callable[[float], object],
    append: Callable[[str], None],
    stop: Callable[[], bool],
) -> None:
    """Write each line when its time has come, from `start` on through the days, until stopped.

    Args:
        lines_by_day: Asked for a day once that day has begun, once a day.
        zone: The hotline's time zone; it says when a day begins.
        start: The first line to write; `index` 0 of today, or what `resume_after` says.
        now: The hotline's clock, epoch seconds; it may be offset, and may jump.
        sleep: Waits so many seconds, at most half a second; may return early (`Event.wait`).
        append: Writes one line, given without its newline.
        stop: True ends it before the next line.
    """
    day, index = start.day, start.index
    while _wait_until(datetime.combine(day, time(), zone).timestamp(), now, sleep, stop):
        lines = lines_by_day(day)
        while index < len(lines):
            if not _wait_until(_time_of(lines[index]) or 0, now, sleep, stop):
                return
            append(lines[index])
            index += 1
        day, index = day + timedelta(days=1), 0


def _wait_until(
    at_s: float, now: Callable[[], float], sleep: Callable[[float], object], stop: Callable[[], bool]
) -> bool:
    """False if it was stopped."""
    while not stop():
        left_s = at_s - now()
        if left_s <= 0:
            return True
        sleep(min(left_s, _NAP_S))
    return False


def _time_of(line: str) -> int | None:
    """Epoch seconds, or None where a line does not begin with ten digits or so and `|`."""
    digits, bar, _ = line.partition("|")
    return int(digits) if bar and digits.isascii() and digits.isdigit() and len(digits) <= 11 else None
