"""The colours: the same in Python and CSS, and each readable on what it stands on, fresh and stale."""

import re

import pytest

from dashboard.web.version import assets_folder
from layouts.theme import DARK, FLOORS, PAIRS, STALE, Pair, contrast


def _tokens(selector: str) -> dict[str, str]:
    css = (assets_folder() / "10-tokens.css").read_text()
    block = re.search(re.escape(selector) + r" \{(.*?)\n\}", css, re.DOTALL)
    assert block is not None
    return dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", block[1]))


def test_the_styles_have_the_same_tokens() -> None:
    assert _tokens("\n:root") == DARK
    assert _tokens(":root.stale") == STALE


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: f"{pair.fore} on {pair.ground}")
def test_every_pair_of_colours_can_be_told_apart(pair: Pair) -> None:
    for look in (DARK, STALE):
        assert contrast(look[pair.fore], look[pair.ground]) >= pair.least


def test_a_stale_screen_has_no_colour_but_the_band() -> None:
    for name, colour in STALE.items():
        red, green, blue = colour[1:3], colour[3:5], colour[5:7]
        assert red == green == blue or name.startswith("band")


def test_no_style_names_a_colour_that_is_not_a_token() -> None:
    for file in assets_folder().glob("*.css"):
        if file.name != "10-tokens.css":
            assert (
                re.findall(
                    r"#[0-9a-fA-F]{3,8}\b(?![-\w])", re.sub(r"#[a-z-]+ \{|#[a-z-]+,", "", file.read_text())
                )
                == []
            )


def test_no_style_writes_smaller_than_the_floor() -> None:
    sizes = []
    for file in assets_folder().glob("*.css"):
        text = file.read_text()
        sizes += [float(size) for size in re.findall(r"font-size: calc\((\d+) \* var\(--u\)\)", text)]
        sizes += [float(size) for size in re.findall(r"font-size: (\d+)px", text)]
    assert min(sizes) >= FLOORS["anything"]
