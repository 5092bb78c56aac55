"""A measured figure, what stands beside it, and whether it is what was aimed at.

Values come in, lines of text and of a table go out. Measures nothing.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from statistics import median

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How to measure.

    Attributes:
        quick: Tiny data, once: shows that the benchmark works, and nothing about speed.
        folder: An empty folder of the run's own; its path is short enough for a socket.
        say: Takes a line about what is going on.
    """

    quick: bool
    folder: Path
    say: Say


@dataclass(frozen=True, slots=True, kw_only=True)
class Aim:
    """What a figure should be.

    Attributes:
        value: The value is at most this.
        ratio: Value ÷ peer is at most this.
    """

    value: float | None = None
    ratio: float | None = None

    def __str__(self) -> str:
        parts = []
        if self.value is not None:
            parts.append(f"≤ {number(self.value)}")
        if self.ratio is not None:
            parts.append(f"ratio ≤ {number(self.ratio)}")
        return ", ".join(parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One measured figure.

    Attributes:
        name: What was measured.
        value: How much.
        unit: Of the value and of its peer.
        peer: What stands beside it, measured in the same run; "" for nothing.
        peer_value: How much that is.
        ratio: value ÷ peer_value, where it is not just that: the median of the ratios round by round.
        aim: What it should be; None where it is only told.
    """

    name: str
    value: float
    unit: str
    peer: str = ""
    peer_value: float | None = None
    ratio: float | None = None
    aim: Aim | None = None

    @property
    def times(self) -> float | None:
        """Value ÷ peer."""
        if self.ratio is not None or not self.peer_value:
            return self.ratio
        return self.value / self.peer_value

    @property
    def reached(self) -> bool | None:
        """Whether it is what was aimed at; None without an aim."""
        if self.aim is None:
            return None
        value_is_right = self.aim.value is None or self.value <= self.aim.value
        return value_is_right and (self.aim.ratio is None or (self.times or 0) <= self.aim.ratio)

    def cells(self) -> list[str]:
        """Name, value, what stands beside it, ratio, aim, whether it was reached."""
        beside = "" if self.peer_value is None else f"{self.peer}: {number(self.peer_value)} {self.unit}"
        return [
            self.name,
            f"{number(self.value)} {self.unit}",
            beside,
            "" if self.times is None else number(self.times),
            "" if self.aim is None else str(self.aim),
            {None: "", True: "reached", False: "missed"}[self.reached],
        ]


def number(value: float) -> str:
    """Three digits that count, and no more.

    >>> number(12345.6), number(12.345), number(0.012345), number(0)
    ('12,346', '12.3', '0.0123', '0')
    """
    if value == 0 or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def paired(
    name: str, values: Sequence[float], unit: str, peer: str, peers: Sequence[float], aim: Aim | None = None
) -> Figure:
    """A figure of rounds in which both sides were measured in turn: medians, and the median of their ratios.

    >>> paired("a", [2, 4, 6], "s", "b", [1, 2, 2]).times
    2.0
    """
    ratio = median(value / other for value, other in zip(values, peers, strict=True))
    return Figure(
        name=name,
        value=median(values),
        unit=unit,
        peer=peer,
        peer_value=median(peers),
        ratio=ratio,
        aim=aim,
    )


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest of the values that at least so many percent of them do not exceed.

    >>> percentile([1, 2, 3, 4], 50), percentile([1, 2, 3, 4], 99)
    (2, 4)
    """
    ordered = sorted(values)
    return ordered[max(1, ceil(len(ordered) * percent / 100)) - 1]
