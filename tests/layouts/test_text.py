"""The table of words: complete in every language, with the same blanks, and every word of it in use."""

import re
from pathlib import Path
from string import Formatter

import pytest

import layouts
from dashboard.core.metrics import FORMULAS
from dashboard.core.seats import STATES
from layouts.text import LANGUAGES, MESSAGES, speaker

FAMILIES = {
    "state": set(STATES),
    "formula": set(FORMULAS),
    "kind": {"workday", "rest_day", "holiday", "make_up_workday"},
    "phase": {"early", "late", "after"},
    "notice": {"rebuilding", "no_data"},
    "opening": {"before", "soon", "closed", "rest"},
    "fate": {"title", "offered", "answered", "abandoned", "overflowed", "lost"},
}
WORDLESS = {"unit.calls", "unit.people"}  # English counts without a measure word


@pytest.mark.parametrize("key", MESSAGES)
def test_every_word_is_there_in_both_languages(key: str) -> None:
    assert len(MESSAGES[key]) == len(LANGUAGES)
    assert all(MESSAGES[key]) or key in WORDLESS


@pytest.mark.parametrize("key", MESSAGES)
def test_both_languages_have_the_same_blanks(key: str) -> None:
    zh, en = ({name for _, name, _, _ in Formatter().parse(text) if name} for text in MESSAGES[key])
    assert zh == en


def test_families_hold_exactly_what_their_tables_hold() -> None:
    for family, members in FAMILIES.items():
        assert {key.partition(".")[2] for key in MESSAGES if key.startswith(f"{family}.")} == members


def test_no_word_is_left_over() -> None:
    root = Path(layouts.__file__).parent
    sources = [*root.glob("*.py"), *(root.parent / "dashboard" / "web").glob("*.py")]
    said = "".join(file.read_text() for file in sources if file.name != "text.py").replace("'", '"')
    # A key is said as a whole, or its last part comes from a table: f"chart.{key}", f"queue.{tone}".
    tables = set(re.findall(r'f"([a-z]+)\.\{', said))
    unused = {
        key
        for key in MESSAGES
        if f'"{key}"' not in said
        and not (key.partition(".")[0] in tables and f'"{key.partition(".")[2]}"' in said)
    }
    assert {key for key in unused if key.partition(".")[0] not in FAMILIES} == set()


def test_an_unknown_language_is_refused_with_those_that_are() -> None:
    with pytest.raises(ValueError, match="allowed: zh-CN, en"):
        speaker("fr")
