"""Kinds of value in wallboard.toml: what is taken, and the plain words for what is not.

Nothing is converted quietly: a value is as the schema says, or it is a problem.
"""

import re
from collections.abc import Callable, Iterable
from difflib import get_close_matches
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from pydantic import AfterValidator, BeforeValidator, ValidationInfo
from pydantic_core import PydanticCustomError

from dashboard.config.toml import toml_string
from dashboard.core.calendar import WEEKDAYS, WORKWEEK
from dashboard.core.counts import EDGES_S
from dashboard.core.days import Zone
from dashboard.core.metrics import FORMULAS
from dashboard.core.places import is_area_code

REDIS_SCHEMES = ("redis", "rediss", "unix")

Ranges = tuple[tuple[int, int], ...]
"""Opening hours of a day: pairs (first minute, minute after the last), ascending."""

_SLUG = re.compile(r"[a-z0-9-]{1,64}")
_SEAT_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_RANGE = re.compile(r"([0-9]{1,2}):([0-9]{2})-([0-9]{1,2}):([0-9]{2})")
_DAY_M = 24 * 60


def problem(text: str) -> PydanticCustomError:
    """An error whose text is the whole message."""
    return PydanticCustomError("plain", "{text}", {"text": text})


def near(value: str, allowed: Iterable[str]) -> str:
    """`; perhaps … is meant` where one of the allowed texts looks much like the value, else nothing.

    >>> near("gulo", ["shared", "gulou"]), near("x", ["shared"])
    ('; perhaps "gulou" is meant', '')
    """
    by_lower = {text.lower(): text for text in sorted(allowed)}
    found = get_close_matches(value.lower(), by_lower, n=1)
    return f"; perhaps {toml_string(by_lower[found[0]])} is meant" if found else ""


def _slug(value: str) -> str:
    if not _SLUG.fullmatch(value):
        raise problem("is not an id; allowed: 1 to 64 of a-z, 0-9 and -")
    return value


def _seat_id(value: str) -> str:
    if not _SEAT_ID.fullmatch(value):
        raise problem("is not a seat's id; allowed: 1 to 64 of A-Z, a-z, 0-9, dot, _ and -")
    return value


def _text(value: str) -> str:
    if not value.strip():
        raise problem("is blank; write a text")
    return value


def _filled(value: str) -> str:
    if not value:
        raise problem("is empty; write the switch's own name")
    return value


def _area(value: str) -> str:
    if not is_area_code(value):
        raise problem('is not an area code; write one with its 0, such as "0591"')
    return value


def _zone(value: str) -> str:
    try:
        Zone(value)
    except ValueError:
        hint = near(value, available_timezones()) or '; write one such as "Asia/Shanghai"'
        raise problem(f"is not a time zone of the IANA list{hint}") from None
    return value


def _url(value: str) -> str:
    # The value may hold a password: no message repeats it.
    if urlsplit(value).scheme not in REDIS_SCHEMES:
        raise problem("is not a Redis address; it begins with redis://, rediss:// or unix://")
    return value


def _edge(value: int) -> int:
    if value not in EDGES_S:
        raise problem(f"is not an edge of the wait histogram; allowed: {', '.join(map(str, EDGES_S))}")
    return value


def _edge_or_0(value: int) -> int:
    return _edge(value) if value else value


def _formula(value: str) -> str:
    if value not in FORMULAS:
        raise problem(f"is not a formula; allowed: {', '.join(FORMULAS)}")
    return value


def between(low: float, high: float, hint: str = "") -> Callable[[Any], Any]:
    def check(value: float) -> float:
        if not low <= value <= high:
            raise problem(f"is out of range; allowed: {low:g} to {high:g}{hint}")
        return value

    return check


def _weekdays(value: object) -> object:
    if not isinstance(value, list):
        raise problem(f"must be a list of days, such as {_week_text(WORKWEEK)}")
    if not value or any(day not in WEEKDAYS for day in value) or len(set(value)) < len(value):
        raise problem(f"needs one or more of {', '.join(WEEKDAYS)}, each once")
    return tuple(value)


def _week_text(days: tuple[str, ...]) -> str:
    return f"[{', '.join(f'{day!r}' for day in days)}]".replace("'", '"')


def parse_hours(value: object) -> object:
    """Read a day's opening hours.

    Args:
        value: Such as "8:30-12:00,14:00-17:30"; "" is a closed day; 24:00 may end one.

    Returns:
        `Ranges`.

    Raises:
        PydanticCustomError: It cannot be read, goes backwards or overlaps.

    >>> parse_hours("14:00-17:30, 8:30-12:00")
    ((510, 720), (840, 1050))
    """
    if not isinstance(value, str):
        raise problem('must be a text in quotes, such as "8:30-12:00,14:00-17:30"')
    ranges = []
    for part in value.replace(" ", "").split(",") if value.strip() else []:
        if (found := _RANGE.fullmatch(part)) is None:
            raise problem('cannot be read; write hours such as "8:30-12:00,14:00-17:30", "" for a closed day')
        hour, minute, end_hour, end_minute = map(int, found.groups())
        start, end = hour * 60 + minute, end_hour * 60 + end_minute
        if minute > 59 or end_minute > 59 or end > _DAY_M:
            raise problem(f"has a time that no clock shows in {part}; allowed: 0:00 to 24:00")
        if start >= end:
            raise problem(
                f"goes backwards in {part}; for a night write to 24:00, and from 0:00 on the next day"
            )
        ranges.append((start, end))
    ranges.sort()
    if any(earlier[1] > later[0] for earlier, later in pairwise(ranges)):
        raise problem("has hours that overlap")
    return tuple(ranges)


def _place(value: object, info: ValidationInfo) -> object:
    """A path as it is written -> absolute, taken from the configuration file's directory."""
    if not isinstance(value, str) or not value.strip() or "\0" in value:
        raise problem("must be a path in quotes")
    try:
        return Path(info.context["base"]) / Path(value).expanduser()  # type: ignore[index]
    except RuntimeError:
        raise problem("begins with the home directory of somebody unknown") from None


def as_names(value: object) -> object:
    if not isinstance(value, list):
        raise problem('must be a list, such as ["林晓燕"] or [{ name = "林晓燕", from = 2026-11-01 }]')
    return tuple({"name": item} if isinstance(item, str) else item for item in value)


def same_as(key: str, otherwise: object) -> Callable[[dict[str, Any]], Any]:
    """A default that follows another key of the table; `otherwise` where that key is itself wrong."""
    return lambda values: values.get(key, otherwise)


Slug = Annotated[str, AfterValidator(_slug)]
Text = Annotated[str, AfterValidator(_text)]
Name = Annotated[str, AfterValidator(_filled)]
SeatId = Annotated[str, AfterValidator(_seat_id)]
ZoneName = Annotated[str, AfterValidator(_zone)]
Area = Annotated[str, AfterValidator(_area)]
RedisUrl = Annotated[str, AfterValidator(_url)]
Formula = Annotated[str, AfterValidator(_formula)]
Edge = Annotated[int, AfterValidator(_edge)]
EdgeOrNone = Annotated[int, AfterValidator(_edge_or_0)]
Week = Annotated[tuple[str, ...], BeforeValidator(_weekdays)]
Day = Annotated[Ranges, BeforeValidator(parse_hours)]
Place = Annotated[Path, BeforeValidator(_place)]
