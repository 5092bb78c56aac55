"""`wallboard demo`: alive whenever it is started, all of it stopped by Ctrl-C, and going on where it was."""

import json
import os
import re
import signal
import socket
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hotline import start, until, wallboard
from hypothesis import example, given
from hypothesis import strategies as st

from dashboard.commands.demo import CLOSES_MIN, OPENS_MIN, START_MIN, WORKING, demo_clock
from dashboard.core.calendar import Calendar
from dashboard.core.days import Zone
from dashboard.store.embedded import Embedded

ZONE = Zone("Asia/Shanghai")
CALENDAR = Calendar("cn")
DAY_S = 86_400
FIRST, LAST = ZONE.bounds("2026-01-01")[0], ZONE.bounds("2028-03-01")[0]


def at(day: str, minute: int) -> int:
    return ZONE.bounds(day)[0] + minute * 60


def alive(at_s: float) -> bool:
    """Whether there is something to see then."""
    works = CALENDAR.day(ZONE.local(int(at_s)).date()).kind in WORKING
    return works and OPENS_MIN <= ZONE.minute_of_day(int(at_s)) < CLOSES_MIN


times = st.integers(FIRST, LAST)


@given(times, st.none() | st.integers(-40 * DAY_S, 40 * DAY_S), st.integers(-30 * DAY_S, 30 * DAY_S))
@example(at("2026-10-01", 600), None, 0)  # National Day
@example(at("2027-01-01", 600), None, 0)  # a year that nobody has announced
@example(at("2026-11-23", 3), 0, 0)
def test_the_clock_is_always_in_a_working_day_and_never_before_the_last_event(
    now_s: int, last_ago_s: int | None, kept_s: int
) -> None:
    last_s = None if last_ago_s is None else now_s - last_ago_s
    shown_s = now_s + demo_clock(ZONE, now_s, last_s, kept_s)
    assert alive(shown_s)
    assert last_s is None or shown_s >= last_s


@given(times, times)
def test_in_working_hours_it_is_the_time_of_day(now_s: int, last_s: int) -> None:
    if alive(now_s) and last_s <= now_s:
        assert demo_clock(ZONE, now_s, last_s, 777.0) == 0


@given(times)
def test_outside_them_it_is_half_past_ten(now_s: int) -> None:
    if not alive(now_s):
        shown_s = now_s + demo_clock(ZONE, now_s, None, 0.0)
        assert ZONE.minute_of_day(round(shown_s)) == START_MIN
        assert abs(shown_s - now_s) < 15 * DAY_S


@given(times, st.integers(0, 6 * 3600))
def test_started_again_soon_it_goes_on_by_the_same_clock(now_s: int, later_s: int) -> None:
    kept_s = demo_clock(ZONE, now_s, None, 0.0)
    last_s = int(now_s + kept_s)
    again_s = now_s + later_s
    if kept_s and alive(again_s + kept_s) and not (alive(again_s) and again_s >= last_s):
        assert demo_clock(ZONE, again_s, last_s, kept_s) == kept_s


@pytest.mark.parametrize(
    ("now", "last", "shown"),
    [
        (("2026-11-23", 23 * 60), None, ("2026-11-23", START_MIN)),  # a night: that day
        (("2026-11-22", 12 * 60), None, ("2026-11-20", START_MIN)),  # a Sunday: the Friday
        (("2026-10-03", 12 * 60), None, ("2026-09-30", START_MIN)),  # a holiday
        (("2026-11-23", 23 * 60), ("2026-11-23", 16 * 60), ("2026-11-24", START_MIN)),  # that day was seen
        (("2026-11-20", 23 * 60), ("2026-11-20", 16 * 60), ("2026-11-23", START_MIN)),  # over the weekend
    ],
)
def test_examples(now: tuple[str, int], last: tuple[str, int] | None, shown: tuple[str, int]) -> None:
    now_s = at(*now)
    assert now_s + demo_clock(ZONE, now_s, at(*last) if last else None, 0.0) == at(*shown)


# For real ----------------------------------------------------------------------------------------------------------


def processes_of(folder: Path) -> list[str]:
    """Processes that have a directory on their command line, or were started for it."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            words = (path / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if str(folder) in words:
            found.append(words)
    return found


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def demo(folder: Path, cwd: Path) -> Iterator[tuple[subprocess.Popen[bytes], str, Path]]:
    """The demonstration, ready: its process, its address, what it says."""
    port = free_port()
    said = cwd / f"said{port}"
    with said.open("wb") as out:
        words = ("demo", "--dir", str(folder), "--port", str(port))
        process = start(*words, cwd=cwd, strict=False, stdout=out, stderr=out)
    try:
        until(lambda: b"Ctrl-C" in said.read_bytes() or process.poll() is not None, within_s=40)
        assert process.poll() is None, said.read_text("utf-8")
        yield process, f"http://127.0.0.1:{port}", said
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            process.wait(30)


def status(address: str) -> int:
    with urllib.request.urlopen(address, timeout=10) as answer:
        return int(answer.status)


@pytest.mark.slow
def test_it_is_ready_with_a_month_and_stops_whole_and_goes_on(tmp_path: Path) -> None:
    folder = tmp_path / "d"
    with demo(folder, tmp_path) as (process, address, said):
        assert f"{address}/hall" in said.read_text("utf-8")
        assert [status(f"{address}/{page}") for page in ("hall", "healthz", "readyz")] == [200, 200, 200]
        first = json.loads((folder / "demo.json").read_text())
        shown = wallboard(
            "show",
            "today",
            "--json",
            "--config",
            str(folder / "wallboard.toml"),
            cwd=tmp_path,
            ahead_s=first["offset_s"],
        )
        answer = json.loads(shown.stdout)
        assert answer["total"]["answers"] > 0
        month = wallboard(
            "show",
            f"{first['first_day']}..{answer['period']}",
            *("--by", "day", "--json", "--config", str(folder / "wallboard.toml")),
            cwd=tmp_path,
            ahead_s=first["offset_s"],
        )
        busy = [row["key"] for row in json.loads(month.stdout)["rows"] if row["answers"]]
        assert len(busy) >= 18, "the working days of the thirty before"
        assert len(processes_of(folder)) >= 3
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0
    until(lambda: not processes_of(folder))
    assert Embedded(folder / "data").pid() is None
    assert b"Traceback" not in said.read_bytes()
    log = (folder / "queue_log").read_bytes()

    with demo(folder, tmp_path) as (process, address, said):
        again = json.loads((folder / "demo.json").read_text())
        assert again == first, "the same clock goes on"
        assert (folder / "queue_log").read_bytes().startswith(log), "and the same log"
        assert status(f"{address}/hall") == 200
        os.kill(process.pid, signal.SIGKILL)  # not even that leaves anybody behind
        process.wait()
        until(lambda: not processes_of(folder), within_s=20)
    times = [int(found) for found in re.findall(rb"^(\d{10})\|", (folder / "queue_log").read_bytes(), re.M)]
    assert times == sorted(times)


def test_a_store_that_somebody_configured_is_not_used(
    tmp_path: Path, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Invented calls must not come among real ones."""
    from dashboard.commands import demo as module

    monkeypatch.setenv("REDIS_URL", redis_url)
    monkeypatch.setattr(module, "supervise", lambda *_, **__: 0)
    assert module.run_demo(str(tmp_path / "d"), port=free_port()) == 0
    assert "REDIS_URL" not in os.environ
