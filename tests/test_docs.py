"""The docs name everything that there is: columns, metrics, commands, settings, kinds of sources."""

import re
from pathlib import Path

from collectors.registry import KINDS
from dashboard.cli import EXAMPLES, parser
from dashboard.core.counts import EDGES_S
from dashboard.core.gaps import REASONS
from dashboard.core.metrics import FORMULAS, METRICS
from dashboard.core.table import COUNT_COLUMNS, SEAT_ONLY, WORK_COLUMNS

ROOT = Path(__file__).parents[1]


def text(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


def test_every_metric_formula_and_column_has_its_line_in_the_docs() -> None:
    page = text("docs/metrics.md")
    names = {metric.key for metric in METRICS} | {*FORMULAS, *COUNT_COLUMNS, *SEAT_ONLY, *WORK_COLUMNS}
    missing = sorted(name for name in names if f"`{name}`" not in page)
    assert missing == []


def test_the_docs_give_each_metric_the_formula_of_the_table() -> None:
    page = text("docs/metrics.md")
    wrong = [metric.key for metric in METRICS if f"| {metric.formula} |" not in page]
    assert wrong == []


def test_the_docs_list_the_edges_of_the_histogram() -> None:
    assert ", ".join(map(str, EDGES_S)) in text("docs/metrics.md")


def test_every_command_is_in_the_operators_page_and_has_an_example() -> None:
    commands = next(action for action in parser()._actions if action.dest == "command")
    names = set(commands.choices or ()) - {"simulate"}
    page = text("docs/operate.md")
    assert names == set(EXAMPLES)
    assert [name for name in sorted(names) if f"`wallboard {name}" not in page] == []


def test_every_kind_of_source_is_in_the_collectors_page() -> None:
    page = text("docs/collectors.md")
    assert [kind for kind in KINDS if f"`{kind}`" not in page] == []


def test_links_between_the_docs_lead_somewhere() -> None:
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "collectors").rglob("*.md")]
    broken = []
    for page in pages:
        for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text("utf-8")):
            if "://" not in target and not (page.parent / target).exists():
                broken.append((page.name, target))
    assert broken == []


def test_every_reason_of_a_gap_is_in_the_docs() -> None:
    page = text("docs/operate.md")
    assert [reason for reason in REASONS if f"| `{reason}` |" not in page] == []
