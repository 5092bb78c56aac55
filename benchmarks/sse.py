"""What a thousand screens cost one web process, and how long the last of them waits.

The whole wallboard runs (`stage.py`) with 1,000 viewers of the hall's stream, all of them sockets of one other process.
The log tells of one change a second; heartbeats, one a second as well, go on beside it. Counted are the seconds of the
processor that the web process uses over the time, and for each change and viewer the time from the append to the
arrival. Beside it the bare way (`bare.py`, asyncio) with as many viewers, one message a second of the same size, and
no heartbeats: what the sockets alone cost. The two are measured in turn.
"""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from statistics import median

from benchmarks.figures import Aim, Figure, Options, percentile
from benchmarks.stage import SEAT, children, free_port, processor_s, stage

VIEWERS = 1000
SECONDS = 20
ROUNDS = 3
LIMIT_PERCENT = 5
_CONNECT_WITHIN_S = 60

Arrivals = list[list[float]]
"""For each viewer, the times of day at which a change came."""


def run(options: Options) -> list[Figure]:
    """Measure; see the module."""
    viewers, seconds, rounds = (20, 3, 1) if options.quick else (VIEWERS, SECONDS, ROUNDS)
    bare_log = options.folder / "bare_log"
    bare_log.touch()
    port = free_port()
    mark = f'"seats-{SEAT}":{{"data-state"'.encode()
    size = 1200  # of an ordinary change
    with stage(options.folder) as ours, children() as processes:
        processes.start(["benchmarks.bare", "tail", str(bare_log), ours.redis_url], options.folder, {})
        bare = processes.start(["benchmarks.bare", "serve", str(port), ours.redis_url], options.folder, {})
        time.sleep(1)
        percent: list[float] = []
        bare_percent: list[float] = []
        waits: list[float] = []
        bare_waits: list[float] = []
        for round_ in range(rounds):
            share, taken = _watched(ours.port, "/stream/hall", mark, ours.web, viewers, seconds, ours.change)
            percent.append(share)
            waits += taken
            share, taken = _watched(
                port, "/stream", b"data: ", bare.pid, viewers, seconds, lambda: _append(bare_log, size)
            )
            bare_percent.append(share)
            bare_waits += taken
            options.say(
                f"round {round_ + 1} of {rounds}: {percent[-1]:.1f} % and {bare_percent[-1]:.1f} % of a core"
            )
    return [
        Figure(
            name=f"web process with {viewers:,} viewers at one change a second",
            value=median(percent),
            unit="% of a core",
            peer="bare way, no heartbeats",
            peer_value=median(bare_percent),
            aim=Aim(value=LIMIT_PERCENT),
        ),
        Figure(
            name="a line appended → each viewer has it, median",
            value=median(waits),
            unit="ms",
            peer="bare way",
            peer_value=median(bare_waits),
        ),
        Figure(
            name="the same, p99",
            value=percentile(waits, 99),
            unit="ms",
            peer="bare way",
            peer_value=percentile(bare_waits, 99),
        ),
    ]


def _append(log: Path, size: int) -> float:
    with log.open("ab", buffering=0) as file:
        begun_s = time.time()
        file.write(b"%b\n" % (b"x" * size))
    return begun_s


def _watched(
    port: int, path: str, mark: bytes, web: int, viewers: int, seconds: int, change: Callable[[], float]
) -> tuple[float, list[float]]:
    """Watch with so many viewers while there is a change a second.

    Returns:
        Percent of a core that the web process used, and the milliseconds of each change to each viewer.
    """
    with ProcessPoolExecutor(max_workers=1, mp_context=get_context("spawn")) as pool:
        lasts_s = seconds + 4.0
        ready = Path(f"/proc/{web}")  # only to say who is watched where it dies
        arrived = pool.submit(view, port, path, mark, viewers, lasts_s)
        deadline_s = time.monotonic() + _CONNECT_WITHIN_S
        while connections(port) < viewers and not arrived.done():
            if time.monotonic() > deadline_s or not ready.exists():
                raise RuntimeError(f"only {connections(port)} of {viewers} viewers came")
            time.sleep(0.1)
        time.sleep(1.5)  # their first frames are through
        used_s, begun_s = processor_s(web), time.monotonic()
        appended = []
        for number in range(seconds):
            time.sleep(max(0.0, begun_s + number + 0.37 - time.monotonic()))
            appended.append(change())
        time.sleep(max(0.0, begun_s + seconds - time.monotonic()))
        share = (processor_s(web) - used_s) / (time.monotonic() - begun_s) * 100
        arrivals = arrived.result()
    waits = []
    for times in arrivals:
        for at_s in appended:
            first = next((time_s for time_s in times if time_s >= at_s), None)
            if first is not None:
                waits.append((first - at_s) * 1000)
    expected = viewers * len(appended)
    if len(waits) < expected * 0.99:
        raise RuntimeError(f"only {len(waits)} of {expected} changes arrived")
    return share, waits


def connections(port: int) -> int:
    """How many connections to a port of loopback are open."""
    wanted = f"0100007F:{port:04X}"
    lines = Path("/proc/net/tcp").read_text("ascii").splitlines()[1:]
    return sum(1 for line in lines if (words := line.split())[1] == wanted and words[3] == "01")


def view(port: int, path: str, mark: bytes, viewers: int, lasts_s: float) -> Arrivals:
    """Be so many viewers, for a while after the last has come."""
    return asyncio.run(_view(port, path, mark, viewers, lasts_s))


async def _view(port: int, path: str, mark: bytes, viewers: int, lasts_s: float) -> Arrivals:
    loop = asyncio.get_running_loop()
    request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/event-stream\r\n\r\n".encode()
    watching = []
    transports = []
    for _ in range(viewers):
        transport, viewer = await loop.create_connection(lambda: _Viewer(request, mark), "127.0.0.1", port)
        watching.append(viewer)
        transports.append(transport)
    await asyncio.sleep(lasts_s)
    for transport in transports:
        transport.abort()
    return [viewer.arrived for viewer in watching]


class _Viewer(asyncio.Protocol):
    def __init__(self, request: bytes, mark: bytes) -> None:
        self.request, self.mark = request, mark
        self.arrived: list[float] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        transport.write(self.request)

    def data_received(self, data: bytes) -> None:
        if self.mark in data:
            self.arrived.append(time.time())
