"""How wide a text will be, guessed without a browser: in em, rather too wide than too narrow.

The widths are those of the Latin letters in Noto Sans CJK, a little rounded up; everything that is not narrow is
taken as a whole em. A name's size is chosen by this, so that it fits before it is drawn.
"""

import unicodedata
from functools import lru_cache
from math import ceil
from typing import Final

_GROUPS: Final = (
    (0.28, " "),
    (0.3, "|ij',.:;lI"),
    (0.36, "!f()[]{}-"),
    (0.4, "tr/\\"),
    (0.48, '*s"?z'),
    (0.53, "xcvyYJ"),
    (0.57, "0123456789LFkeagXV#$+<=>^~_–"),
    (0.62, "ESTZohuAnbdpq`"),
    (0.66, "PRCKB"),
    (0.7, "&DG"),
    (0.75, "UNHOQ"),
    (0.82, "wM"),
    (0.9, "W—"),
    (0.96, "%m@"),
)
_WIDTHS: Final = {letter: width for width, letters in _GROUPS for letter in letters}
_NO_WIDTH: Final = ("Mn", "Me", "Cf", "Cc")


@lru_cache(4096)
def em(text: str) -> float:
    """The width of a line of text in em.

    >>> em("欧阳建华"), round(em("12:04"), 2)
    (4.0, 2.58)
    """
    return sum(_of(c) for c in text)


def _of(c: str) -> float:
    width = _WIDTHS.get(c)
    if width is not None:
        return width
    if unicodedata.category(c) in _NO_WIDTH:
        return 0.0
    return 0.7 if "\u00c0" <= c <= "\u024f" and c.isalpha() else 1.0 if c < "\U0001f000" else 1.4


def lines(text: str, font_u: float, width_u: float) -> int:
    """How many lines a text takes that may be broken anywhere; the last letter of a line may not fit it.

    >>> lines("欧阳建华", 22, 100), lines("欧阳建华", 22, 66)
    (1, 2)
    """
    wide_u = em(text) * font_u
    if wide_u <= width_u:
        return 1
    return ceil(wide_u / max(1.0, width_u - font_u))
