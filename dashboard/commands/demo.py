"""`wallboard demo`: a simulated hotline with everything, alive whenever it is started.

A simulated switch writes a queue_log; the same collector and the same pages as on a real one do the rest. Outside
opening hours the hotline's clock is moved to 10:30 of a working day, and the screen says so.
"""

import json
import os
import signal
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from collectors.simulator.day import plain_load, simulate_day
from collectors.simulator.file import LogFile, keep_writing
from collectors.simulator.hotline import demo_toml, fuzhou
from dashboard.commands.context import open_store
from dashboard.commands.process import CLOCK, end_with_parent, hotline_clock, say
from dashboard.commands.run import serve_children
from dashboard.commands.supervise import Child, supervise
from dashboard.config import Config, load
from dashboard.core.calendar import Calendar
from dashboard.core.days import Zone
from dashboard.errors import ConfigError

SEED = 12366
HISTORY_DAYS = 30
OPENS_MIN, CLOSES_MIN = 8 * 60 + 15, 17 * 60 + 45
"""Between these minutes of a working day there is enough to see; outside them the clock is moved."""
START_MIN = 10 * 60 + 30
WORKING = ("workday", "makeup")
READY_WITHIN_S = 60


def demo_clock(zone: Zone, now_s: float, last_event_s: int | None, kept_s: float) -> float:
    """How far the demonstration's clock is moved.

    The time of day, if there is something to see; else the clock that it had, if that goes on behind the last
    event; else 10:30 of the nearest working day that does.

    Args:
        zone: The hotline's.
        now_s: The time of day, epoch seconds.
        last_event_s: The last event that was ever simulated; None before the first.
        kept_s: How far the clock was moved last time.

    Returns:
        Seconds to add to the time of day.
    """
    calendar = Calendar("cn")
    after_s = last_event_s or 0
    for offset_s in (0.0, kept_s):
        at_s = int(now_s + offset_s)
        open_now = OPENS_MIN <= zone.minute_of_day(at_s) < CLOSES_MIN
        if at_s >= after_s and open_now and _works(calendar, zone, at_s):
            return offset_s
    day = zone.local(int(now_s)).date()
    while calendar.day(day).kind not in WORKING:
        day -= timedelta(days=1)
    while True:
        if calendar.day(day).kind in WORKING:
            start_s = zone.bounds(day.isoformat())[0] + START_MIN * 60
            if start_s >= after_s:
                return start_s - now_s
        day += timedelta(days=1)


def _works(calendar: Calendar, zone: Zone, at_s: int) -> bool:
    return calendar.day(zone.local(at_s).date()).kind in WORKING


def run_demo(folder: str, *, port: int) -> int:
    """Run the demonstration until Ctrl-C.

    Args:
        folder: Where its state is: configuration, log and data; made if it is not there.
        port: Of the pages, on this machine only.
    """
    home = Path(folder).resolve()
    home.mkdir(parents=True, exist_ok=True)
    os.environ.pop("REDIS_URL", None)  # its invented calls must not come into somebody's real store
    config = _configuration(home, port)
    with LogFile(home / "queue_log") as log:
        tail = log.tail()
    last_s = max((int(line.split("|", 1)[0]) for line in tail if line[:10].isdigit()), default=None)
    state = _kept_state(home)
    offset_s = demo_clock(config.zone, time.time(), last_s, state.get("offset_s", 0.0))
    if "first_day" not in state:
        first = config.zone.local(int(time.time() + offset_s)).date() - timedelta(days=HISTORY_DAYS)
        state["first_day"] = first.isoformat()
    state["offset_s"] = offset_s
    _keep_state(home, state)
    _write_history(home, state, offset_s)
    children = [Child("simulator", ["simulate", "--dir", str(home)]), *serve_children(config, None, port)]
    address = f"http://127.0.0.1:{port}"
    threading.Thread(target=_announce, args=(address, offset_s, config), daemon=True).start()
    with open_store(config):
        return supervise(children, environ={CLOCK: repr(offset_s)})


def _kept_state(home: Path) -> dict[str, Any]:
    """What the last run left; nothing at the first start. Without it the log itself says where to go on."""
    try:
        found = json.loads((home / "demo.json").read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _keep_state(home: Path, state: dict[str, Any]) -> None:
    temp = home / "demo.json.tmp"
    temp.write_text(json.dumps(state), "utf-8")
    temp.replace(home / "demo.json")


def _configuration(home: Path, port: int) -> Config:
    path = home / "wallboard.toml"
    text = demo_toml(fuzhou(), data_dir="data", queue_log_path=str(home / "queue_log"))
    path.write_text(text, "utf-8")
    config = load(path)
    _refuse_busy(port)
    return config


def _refuse_busy(port: int) -> None:
    import socket

    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as exc:
            raise ConfigError(
                f"port {port} is in use: stop what uses it, or choose another: wallboard demo --port {port + 1}"
            ) from exc


def _announce(address: str, offset_s: float, config: Config) -> None:
    """Print the hall's address once everything is there."""
    begun_s = time.monotonic()
    while time.monotonic() - begun_s < READY_WITHIN_S:
        try:
            with urllib.request.urlopen(f"{address}/readyz", timeout=2) as answer:  # noqa: S310
                if answer.status == 200:
                    break
        except (urllib.error.URLError, OSError):
            pass
        time.sleep(0.1)
    else:
        say(f"the pages are not ready after {READY_WITHIN_S} s; see {address}/readyz")
        return
    print(f"\n  {config.hotline.name}")
    print(f"  hall (大屏):  {address}/hall")
    if offset_s:
        at = config.zone.local(int(time.time() + offset_s))
        print(f"  outside opening hours: the demo's clock is moved to {at:%Y-%m-%d %H:%M} (演示时钟)")
    print("  Ctrl-C stops everything; started again it goes on where it was\n", flush=True)


def _write_history(home: Path, state: dict[str, Any], offset_s: float) -> None:
    """Write the log up to now before anything reads it, so that the first picture is whole."""
    upto_s = time.time() + offset_s
    passed: list[float] = []
    # The first time that there is nothing more to write, it is done.
    _keep_writing(home, state, now=lambda: upto_s, sleep=passed.append, stop=lambda: bool(passed))


def run_simulate(folder: str) -> int:
    """Write the simulated switch's log as time goes on, from where it ends."""
    home = Path(folder)
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda _number, _frame: stop.set())
    end_with_parent(stop.set)
    state = json.loads((home / "demo.json").read_text("utf-8"))
    _keep_writing(home, state, now=hotline_clock(), sleep=stop.wait, stop=stop.is_set)
    return 0


def _keep_writing(
    home: Path,
    state: dict[str, Any],
    *,
    now: Callable[[], float],
    sleep: Callable[[float], object],
    stop: Callable[[], bool],
) -> None:
    hotline, zone, calendar = fuzhou(), ZoneInfo("Asia/Shanghai"), Calendar("cn")

    def lines_of(day: date) -> list[str]:
        works = calendar.day(day).kind in WORKING
        return simulate_day(hotline, day, zone=zone, seed=SEED, workday=works, load=plain_load(day))

    keep_writing(
        home / "queue_log",
        lines_of,
        zone=zone,
        first_day=date.fromisoformat(state["first_day"]),
        now=now,
        sleep=sleep,
        stop=stop,
    )
