"""All lines that a simulated switch writes on one day.

Comes in: a hotline, a local day, its kind and load, a seed. Goes out: queue_log lines without newlines.
Never: a clock, files. Equal arguments give equal lines, in any process and in any order of days.
"""

from datetime import date, datetime, time, tzinfo
from random import Random
from typing import Final

from collectors.simulator.hotline import Hotline
from collectors.simulator.plan import plan_arrivals, plan_shifts
from collectors.simulator.switch import Switch

RESTART_S: Final = 6 * 3600  # Mondays at six, when nobody is on a call
_MONDAY: Final = 0
_SATURDAY: Final = 5
_CHANNELS_A_CALL: Final = 4


def simulate_day(
    hotline: Hotline, day: date, *, zone: tzinfo, seed: int, workday: bool, load: float
) -> list[str]:
    """The queue_log of one day.

    Args:
        hotline: Its seats, queues and callers.
        day: A local date.
        zone: The hotline's time zone.
        seed: Another seed is another world; the same one gives the same day again.
        workday: On other days nobody signs in, and nobody is let in.
        load: Demand as a multiple of an ordinary day's; see `plain_load`.

    Returns:
        Lines in order of time, from 06:00 to 18:30 local time at the most, every call ended.
    """
    # Counted from the restart, not from midnight: no zone changes its clock in between.
    restart_at_s = int(datetime.combine(day, time(RESTART_S // 3600), zone).timestamp())
    midnight_s = restart_at_s - RESTART_S
    # A string is hashed in full by Random, and alike in every process.
    rng = Random(f"{seed} {day.isoformat()}")  # noqa: S311 - reproducible by design, nothing is secret
    switch = Switch(
        hotline,
        rng,
        close_at_s=midnight_s + hotline.close_s,
        first_channel=day.weekday() * round(hotline.calls_a_day * _CHANNELS_A_CALL),
    )
    if day.weekday() == _MONDAY:
        switch.start(restart_at_s)
    if workday:
        for seat, shift in enumerate(plan_shifts(hotline, rng)):
            if shift is not None:
                switch.sign_in(midnight_s + shift.come_s, seat)
                for pause in shift.pauses:
                    switch.pause(midnight_s + pause.at_s, seat, pause.reason, pause.for_s)
                switch.sign_out(midnight_s + shift.go_s, seat)
        for arrival in plan_arrivals(hotline, day, rng, load):
            switch.call(midnight_s + arrival.at_s, arrival.caller, arrival.queue)
    switch.run()
    return switch.lines


def plain_workday(day: date) -> bool:
    """Monday to Friday; for callers without a calendar.

    >>> plain_workday(date(2026, 11, 20)), plain_workday(date(2026, 11, 21))
    (True, False)
    """
    return day.weekday() < _SATURDAY


def plain_load(day: date) -> float:
    """The filing period's pull on demand: it grows until the 15th, and is over then.

    >>> plain_load(date(2026, 11, 2)), plain_load(date(2026, 11, 13)), plain_load(date(2026, 11, 23))
    (1.0, 1.21, 0.94)
    """
    if day.day > 15:
        return 0.94
    return round(1.0 + 0.035 * max(0, day.day - 7), 3)
