"""What a day brings before anybody answers: who calls when, who comes, who pauses.

Comes in: the hotline, the day, a seeded generator. Goes out: plain lists in seconds after local midnight.
Never: a clock, the state of a call.
"""

from dataclasses import dataclass
from datetime import date
from itertools import accumulate
from random import Random
from typing import Final

from collectors.simulator.hotline import Hotline

# Calls by half hour from 8:00 to 18:00, as drawn in the picture of the hall.
_PROFILE: Final = (9, 16, 27, 38, 44, 46, 43, 37, 22, 12, 11, 18, 31, 40, 43, 41, 36, 30, 19, 9)
_BY_WEEKDAY: Final = (1.08, 1.03, 1.0, 0.97, 0.92, 0.5, 0.5)  # a make-up workday at the weekend is quiet
_MOBILE_PREFIXES: Final = ("1990000", "1660000", "1770000")  # ranges that nobody owns
_LANDLINE_PREFIX: Final = "05910000"
_REGULARS: Final = 24  # callers who ring day after day
_REGULAR_RATIO: Final = 0.04
_ABSENT_RATIO: Final = 0.04


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """A call that reaches the switch: when, from whom, and the number of the queue that it asks for."""

    at_s: int
    caller: str
    queue: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """A pause of a seat as it is meant; a call in progress delays it."""

    at_s: int
    for_s: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """A seat's working day; times in seconds after local midnight, pauses in order and apart."""

    come_s: int
    go_s: int
    pauses: tuple[Pause, ...]


def plan_arrivals(hotline: Hotline, day: date, rng: Random, load: float) -> list[Arrival]:
    """All first calls of a workday, in order of time.

    Args:
        hotline: Whose calls.
        day: Mondays are busier than Fridays.
        rng: The day's generator.
        load: Demand as a multiple of an ordinary day's.
    """
    mean = hotline.calls_a_day * load * _BY_WEEKDAY[day.weekday()]
    # More spread than a Poisson count's: days differ in ways that the callers share.
    count = max(0, round(mean * (1 + rng.gauss(0.0, 0.04)) + rng.gauss(0.0, mean**0.5)))
    slot_s = (hotline.close_s - hotline.open_s) / len(_PROFILE)
    slots = rng.choices(range(len(_PROFILE)), cum_weights=list(accumulate(_PROFILE)), k=count)
    kinds = [
        (number, landline)
        for number, queue in enumerate(hotline.queues)
        for landline, ratio in ((False, queue.mobile_ratio), (True, queue.landline_ratio))
        if ratio > 0
    ]
    ratios = [q for queue in hotline.queues for q in (queue.mobile_ratio, queue.landline_ratio) if q > 0]
    chosen = rng.choices(kinds, cum_weights=list(accumulate(ratios)), k=count)
    times = sorted(hotline.open_s + int((slot + rng.random()) * slot_s) for slot in slots)
    return [
        Arrival(at_s=at_s, caller=_caller(rng, landline), queue=queue)
        for at_s, (queue, landline) in zip(times, chosen, strict=True)
    ]


def plan_shifts(hotline: Hotline, rng: Random) -> list[Shift | None]:
    """The working day of every seat, in the order of `hotline.seats`; None is a day off."""
    return [_shift(hotline, number, rng) for number in range(len(hotline.seats))]


def _shift(hotline: Hotline, number: int, rng: Random) -> Shift | None:
    # A queue that only the first site's seats answer must not be left alone by chance.
    spared = hotline.seats[number].site == hotline.sites[0].id and number % 3 != 0
    if rng.random() < _ABSENT_RATIO and not spared:
        return None
    return Shift(
        come_s=hotline.open_s - 600 + int(rng.random() * 640),
        go_s=hotline.close_s + 5 + int(rng.random() * 240),
        pauses=_pauses(hotline, number, rng),
    )


def _pauses(hotline: Hotline, number: int, rng: Random) -> tuple[Pause, ...]:
    def pause(reason: str, from_hour: float, to_hour: float, least_min: int, most_min: int) -> Pause:
        at_s = int((from_hour + rng.random() * (to_hour - from_hour)) * 3600)
        return Pause(at_s=at_s, for_s=int(rng.uniform(least_min, most_min) * 60), reason=reason)

    lunch_hour = 11.5 + 0.75 * (number % 3)  # in three waves, so that a county's neighbour is there
    wanted = [pause("午餐", lunch_hour, lunch_hour + 0.12, 35, 45)]
    if rng.random() < 0.06:
        wanted.append(pause("会议", 14.0, 16.0, 25, 45))
    if rng.random() < 0.04:
        wanted.append(pause("培训", 15.0, 16.0, 40, 60))
    wanted.append(pause("小休", 9.5, 11.2, 4, 10))
    wanted.append(pause("小休", 14.6, 16.5, 4, 10))
    if rng.random() < 0.5:
        wanted.append(pause("整理资料", 16.5, 17.2, 4, 12))
    taken: list[Pause] = []
    for one in wanted:  # the first named has the right of way; half an hour's room for a call before it
        if all(one.at_s > p.at_s + p.for_s + 1800 or p.at_s > one.at_s + one.for_s + 1800 for p in taken):
            taken.append(one)
    return tuple(sorted(taken, key=lambda p: p.at_s))


def _caller(rng: Random, landline: bool) -> str:
    prefix = _LANDLINE_PREFIX if landline else _MOBILE_PREFIXES[int(rng.random() * len(_MOBILE_PREFIXES))]
    if rng.random() < _REGULAR_RATIO:
        # The square makes a few of them ring far more often than the rest.
        regular = int(rng.random() ** 2 * _REGULARS)
        return f"{prefix if landline else _MOBILE_PREFIXES[regular % 3]}{(1009 + regular * 397) % 10_000:04d}"
    return f"{prefix}{int(rng.random() * 10_000):04d}"
