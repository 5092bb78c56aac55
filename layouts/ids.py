"""Names of the elements that a frame writes to; pages, frames, styles and tests use these.

A seat's or source's id may hold anything that a switch wrote, so it is spelt in safe letters first.
"""

from typing import Final

HALL: Final = "hall"
CHART_WIDE: Final = "chart-wide"
CHART_TALL: Final = "chart-tall"
SEATS: Final = "seats"
LEGEND: Final = "legend"
SOURCES: Final = "sources"

_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-")


def key(name: str) -> str:
    """Spell a name so that it is safe in an id; different names stay different.

    >>> key("2001"), key("a.b"), key("张")
    ('2001', 'a_2e_b', '_5f20_')
    """
    return "".join(c if c in _PLAIN else f"_{ord(c):x}_" for c in name)


def tile(name: str, part: str = "") -> str:
    """A headline figure, or a part of it: label, flag, figure, unit, note-1-key, note-1-value…"""
    return f"tile-{name}-{part}" if part else f"tile-{name}"


def cell(group: str, member: str, part: str = "") -> str:
    """A member of a keyed list, or a part of it; `member` as `key` spells it.

    >>> cell(SEATS, key("2001"), "time")
    'seats-2001-time'
    """
    return f"{group}-{member}-{part}" if part else f"{group}-{member}"
