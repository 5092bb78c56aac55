"""`RESULTS.md`: the last figures of every benchmark, with the day on which each was measured.

The page is written whole each time; a benchmark that was not run keeps the rows that the page has.
"""

import os
import platform
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path

from benchmarks.figures import Figure

PAGE = Path(__file__).with_name("RESULTS.md")

_PACKAGES = ("dash", "gevent", "gunicorn", "msgspec", "pandas", "redis")
_HEAD = """# Measured figures

Written by `make bench`; `python -m benchmarks fold layout` runs some of them. Each figure stands beside what it is
compared with, measured in the same run and in turn; values are medians, ratios the medians of the rounds' ratios.
Believe the ratios, not the absolutes. What a benchmark does is said at the top of its module.

{machine}

| benchmark | figure | measured | beside it, in the same run | ratio | aim | | on |
| --- | --- | --- | --- | --- | --- | --- | --- |
"""

Row = list[str]


def rows_of(figures: Mapping[str, Sequence[Figure]], day: str) -> dict[str, list[Row]]:
    """Benchmark -> its rows of the table."""
    return {name: [[name, *figure.cells(), day] for figure in found] for name, found in figures.items()}


def read_rows(page: str) -> dict[str, list[Row]]:
    """Benchmark -> the rows that a page has of it."""
    rows: dict[str, list[Row]] = {}
    for line in page.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("| ") and len(cells) == 8 and cells[0] not in ("benchmark", "---"):
            rows.setdefault(cells[0], []).append(cells)
    return rows


def write(
    path: Path, names: Sequence[str], figures: Mapping[str, Sequence[Figure]], machine: str, day: str
) -> None:
    """Write the page.

    Args:
        path: The page.
        names: Every benchmark, in the order of the table.
        figures: What was measured now, by benchmark.
        machine: A paragraph on what it was measured with.
        day: Today, YYYY-MM-DD.
    """
    rows = read_rows(path.read_text("utf-8")) if path.exists() else {}
    rows.update(rows_of(figures, day))
    table = "".join(f"| {' | '.join(row)} |\n" for name in names for row in rows.get(name, ()))
    path.write_text(_HEAD.format(machine=machine) + table, "utf-8")


def machine_line(day: str, server: str) -> str:
    """What the last run was measured with.

    Args:
        day: Of the run.
        server: The Redis server's name and version.
    """
    packages = ", ".join(f"{name} {version(name)}" for name in _PACKAGES)
    cores = os.cpu_count()
    load = os.getloadavg()[1]
    return (
        f"Last run on {day}: {cores} cores ({_processor()}), {platform.system()} {platform.machine()}, load {load:.1f} "
        f"before it began; Python {platform.python_version()}, {server}, {packages}."
    )


def _processor() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text("utf-8")
    except OSError:
        return platform.processor() or "unknown"
    names = [line.partition(":")[2].strip() for line in text.splitlines() if line.startswith("model name")]
    return names[0] if names else "unknown"
