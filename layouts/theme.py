"""Tokens of the look: colours, floors, and which colour is written on which. `assets/10-tokens.css` says the same.

One unit `u` is one pixel of a 1920×1080 screen (1080×1920 upright); everything is measured in it and scales.
Colours that call are Okabe–Ito's, lightened until they can be read on what they stand on.
"""

from typing import Final, NamedTuple

STALE_AFTER_S: Final = 4.0
"""Data older than this is stale; checked four times a second, so that it shows within 5 s of the cause."""

DARK: Final[dict[str, str]] = {
    "ground": "#0e141b",
    "panel": "#151d27",
    "tile": "#1a2430",
    "line": "#2a3848",
    "ink": "#e9eef4",
    "muted": "#9fb0c2",
    "dim": "#8798ab",
    "activity": "#56b4e9",
    "bar": "#3579a6",
    "attention": "#f2b632",
    "attention-ground": "#28230f",
    "action": "#ff8a63",
    "action-ground": "#3a1509",
    "edge": "#ff6a3d",
    "cumulative": "#e69f00",
    "unknown": "#d98fb8",
    "band": "#ff6a3d",
    "band-ink": "#140500",
    "notice": "#2a3848",
}
"""When data is fresh."""

STALE: Final[dict[str, str]] = {
    "ground": "#0d0d0d",
    "panel": "#141414",
    "tile": "#191919",
    "line": "#333333",
    "ink": "#b9b9b9",
    "muted": "#949494",
    "dim": "#8a8a8a",
    "activity": "#a6a6a6",
    "bar": "#5f5f5f",
    "attention": "#b4b4b4",
    "attention-ground": "#262626",
    "action": "#b4b4b4",
    "action-ground": "#262626",
    "edge": "#8a8a8a",
    "cumulative": "#9a9a9a",
    "unknown": "#a6a6a6",
    "band": "#ff6a3d",
    "band-ink": "#140500",
    "notice": "#333333",
}
"""When it is not: no colour but the band's."""


class Pair(NamedTuple):
    """A colour on another, and the contrast that it must have at least: 4.5 for text, 3 for a shape."""

    fore: str
    ground: str
    least: float


TEXT: Final = 4.5
SHAPE: Final = 3.0

PAIRS: Final[tuple[Pair, ...]] = (
    *(Pair(fore, ground, TEXT) for fore in ("ink", "muted", "dim") for ground in ("ground", "panel", "tile")),
    *(Pair(fore, "attention-ground", TEXT) for fore in ("ink", "muted", "attention")),
    *(Pair(fore, "action-ground", TEXT) for fore in ("ink", "muted", "action")),
    *(Pair(fore, "tile", TEXT) for fore in ("activity", "unknown", "attention", "action")),
    *(Pair(fore, "panel", TEXT) for fore in ("activity", "cumulative", "attention", "action", "unknown")),
    Pair("attention", "ground", TEXT),
    Pair("ink", "notice", TEXT),
    Pair("band-ink", "band", TEXT),
    *(Pair(fore, "panel", SHAPE) for fore in ("activity", "ink", "cumulative")),
    Pair("edge", "action-ground", SHAPE),
)
"""Every pair that the styles use; a test computes them in both looks."""

FLOORS: Final = {"figure": 96, "label": 32, "name": 22, "anything": 20}
"""The smallest fonts in u (`reference/screens.md`)."""


def contrast(one: str, other: str) -> float:
    """The contrast of two colours, 1 to 21 (WCAG 2).

    >>> round(contrast("#000000", "#ffffff"), 1)
    21.0
    """
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    parts = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
