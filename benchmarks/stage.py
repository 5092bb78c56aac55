"""The whole wallboard on a stage of its own: a log that only the benchmark writes, a Redis, a collector, a web process.

Everything is started as an operator would start it, listens on loopback only, and ends with the block. The hotline's
clock is moved to the middle of a working afternoon whose log up to then is there, so that screens show what a screen
shows; the lines of calls that follow are one conversation after another on one seat.
"""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from datetime import time as wall_time
from pathlib import Path
from zoneinfo import ZoneInfo

from benchmarks.redis_server import own_redis
from collectors.simulator.day import plain_load, plain_workday, simulate_day
from collectors.simulator.hotline import demo_toml, fuzhou
from dashboard.commands.process import CLOCK

ROOT = Path(__file__).parents[1]
DAY = date(2026, 11, 23)
AT = wall_time(15, 0)
DAYS_BEFORE = 6
READY_WITHIN_S = 60
SEAT, NAME, QUEUE = "2001", "林晓燕", "consult"


@dataclass(slots=True)
class Stage:
    """A wallboard that runs.

    Attributes:
        port: Of its pages, on loopback.
        redis_url: Of its Redis.
        web: The web process and its children.
        log: Its queue_log.
        ahead_s: What the hotline's clock is ahead of the time of day.
    """

    port: int
    redis_url: str
    web: int
    log: Path
    ahead_s: float
    _calls: int = 0
    _talking: bool = False
    _callid: str = ""
    _connected_s: int = 0

    def change(self) -> float:
        """Append the lines of one change of the seat's state: it begins or ends a conversation.

        Returns:
            The time of day just before.
        """
        at_s = int(time.time() + self.ahead_s)
        if self._talking:
            talk_s = at_s - self._connected_s
            lines = f"{at_s}|{self._callid}|{QUEUE}|{NAME}|COMPLETECALLER|0|{talk_s}|1\n"
            self._talking = False
        else:
            self._calls += 1
            self._callid, self._connected_s = f"{at_s}.9{self._calls:06d}", at_s
            lines = (
                f"{at_s}|{self._callid}|{QUEUE}|NONE|ENTERQUEUE||19900001234|1\n"
                f"{at_s}|{self._callid}|{QUEUE}|{NAME}|CONNECT|0|{at_s}.8|0\n"
            )
            self._talking = True
        data = lines.encode()
        descriptor = os.open(self.log, os.O_WRONLY | os.O_APPEND)
        try:
            begun_s = time.time()
            os.write(descriptor, data)
        finally:
            os.close(descriptor)
        return begun_s


@dataclass(slots=True)
class Children:
    """Processes of the benchmark's own."""

    running: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(self, words: list[str], folder: Path, environ: dict[str, str]) -> subprocess.Popen[bytes]:
        """Start one, its words in a file of the folder."""
        with (folder / f"{len(self.running)}-{words[0].rpartition('.')[2]}.log").open("wb") as out:
            process = subprocess.Popen(
                [sys.executable, "-m", *words],
                cwd=ROOT,
                env={**os.environ, **environ},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
            )
        self.running.append(process)
        return process

    def end(self) -> None:
        """End them all, the last one first."""
        for process in reversed(self.running):
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@contextlib.contextmanager
def children() -> Iterator[Children]:
    """Processes that end with the block."""
    found = Children()
    try:
        yield found
    finally:
        found.end()


@contextlib.contextmanager
def stage(folder: Path) -> Iterator[Stage]:
    """A wallboard that runs as long as the block."""
    hotline = fuzhou()
    zone = ZoneInfo(hotline.zone)
    ahead_s = datetime.combine(DAY, AT, zone).timestamp() - time.time()
    log = folder / "queue_log"
    log.write_text("".join(line + "\n" for line in _lines(zone, time.time() + ahead_s)), "utf-8")
    port = free_port()
    with own_redis(folder) as url, children() as processes:
        text = demo_toml(hotline, data_dir=str(folder / "data"), queue_log_path=str(log))
        config = folder / "wallboard.toml"
        config.write_text(f'{text}\n[redis]\nurl = "{url}"\n', "utf-8")
        environ = {CLOCK: repr(ahead_s), "REDIS_URL": url}
        processes.start(["dashboard.cli", "collect", "--config", str(config)], folder, environ)
        words = ["dashboard.cli", "serve", "--config", str(config), "--port", str(port)]
        web = processes.start(words, folder, environ)
        _wait_until_ready(port, processes, folder)
        yield Stage(port, url, web.pid, log, ahead_s)


def free_port() -> int:
    """A port of loopback that nobody uses."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def processor_s(pid: int) -> float:
    """Seconds of the processor that a process and its children have used so far."""
    total = 0.0
    for one in [pid, *_children_of(pid)]:
        values = Path(f"/proc/{one}/stat").read_text("utf-8").rpartition(")")[2].split()
        total += (int(values[11]) + int(values[12])) / os.sysconf("SC_CLK_TCK")
    return total


def _children_of(pid: int) -> list[int]:
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            if int(path.read_text("utf-8").rpartition(")")[2].split()[1]) == pid:
                found.append(int(path.parent.name))
    return found


def _lines(zone: ZoneInfo, until_s: float) -> Iterator[str]:
    for back in range(DAYS_BEFORE, -1, -1):
        day = DAY - timedelta(days=back)
        for line in simulate_day(
            fuzhou(), day, zone=zone, seed=1, workday=plain_workday(day), load=plain_load(day)
        ):
            # Nobody signs out, so that the seat that the benchmark uses is free of the simulated day's end.
            if int(line[:10]) < until_s and f"|{NAME}|" not in line:
                yield line


def _wait_until_ready(port: int, processes: Children, folder: Path) -> None:
    deadline_s = time.monotonic() + READY_WITHIN_S
    while time.monotonic() < deadline_s and all(process.poll() is None for process in processes.running):
        with (
            contextlib.suppress(urllib.error.URLError, OSError),
            urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=2) as answer,
        ):
            if answer.status == 200:
                return
        time.sleep(0.1)
    said = "\n".join(path.read_text("utf-8", "replace")[-2000:] for path in sorted(folder.glob("*.log")))
    raise RuntimeError(f"the wallboard is not ready after {READY_WITHIN_S} s: {said}")
