"""A replay of one recording through the real processes, with faults between its pieces.

Everything random comes from one seed. At the end the stored counts are those of a run that nobody disturbed, and those
that a plain fold of the archive gives.
"""

import random
import shutil
import signal
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import redis
from conformance.feed import Feed
from hotline import Stage, stage, start, to_after_s, until

from collectors.registry import kind_of
from dashboard.core.counts import trimmed
from dashboard.core.fold import Fold
from dashboard.errors import StoreError, StoreUnavailable
from dashboard.store.archive import Archive
from dashboard.store.audit import audited, refolded
from dashboard.store.embedded import find_server
from dashboard.store.reader import rules_of

PATIENCE_S = 90.0
SOURCE = "pbx1"


class Server:
    """A Redis server with its append-only file, killed and started by the test."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="wb"))  # short: a socket's path has a limit
        self.url = f"unix://{self.folder}/s?db=0"
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def aof(self) -> Path:
        return self.folder / "appendonlydir"

    def start(self) -> None:
        options = ["--port", "0", "--unixsocket", str(self.folder / "s"), "--dir", str(self.folder)]
        options += ["--save", "", "--appendonly", "yes", "--appendfsync", "everysec"]
        options += ["--aof-load-truncated", "yes", "--aof-use-rdb-preamble", "no"]
        with (self.folder / "log").open("ab") as out:
            self.process = subprocess.Popen(
                [find_server(), *options], stdin=subprocess.DEVNULL, stdout=out, stderr=out
            )
        with redis.Redis(unix_socket_path=str(self.folder / "s")) as client:
            until(lambda: self._answers(client), PATIENCE_S, "Redis")

    def _answers(self, client: redis.Redis) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, (self.folder / "log").read_text("utf-8", "replace")
        try:
            return bool(client.ping())
        except (redis.ConnectionError, redis.TimeoutError):
            return False

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def copy(self) -> Path | None:
        """The append-only file as it is now; None while there is none."""
        if not self.aof.exists():
            return None
        to = self.folder / f"older{time.monotonic_ns()}"
        shutil.copytree(self.aof, to)
        return to

    def put_back(self, older: Path) -> None:
        """An older append-only file takes the place of today's; the server is dead."""
        shutil.rmtree(self.aof)
        shutil.copytree(older, self.aof)

    def cut(self, rng: random.Random) -> int:
        """Bytes lost from the end of the append-only file, as in a power cut; the server is dead."""
        files = sorted(self.aof.glob("*.incr.aof"))
        size = files[-1].stat().st_size
        lost = min(size, rng.choice((1, 40, 700, 5000, 50_000)) + rng.randrange(100))
        with files[-1].open("r+b") as file:
            file.truncate(size - lost)
        return lost


class Process:
    """The real collector."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.said = folder / "said"
        self.begins = 0
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.said.open("ab") as said:
            self.begins = said.tell()
            self.process = start("collect", cwd=self.folder, ahead_s=to_after_s(), stdout=said, stderr=said)

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def stop(self) -> int:
        assert self.process is not None
        # Told to stop before it can listen, a process just dies.
        until(lambda: b": collecting" in self.said.read_bytes()[self.begins :], PATIENCE_S, self.text())
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(PATIENCE_S)
        finally:
            self.process = None

    def text(self) -> str:
        return self.said.read_text("utf-8", "replace") if self.said.exists() else ""


class Replay:
    """One recording, its processes, and what was done to them.

    Attributes:
        told: The faults so far, in words.
    """

    def __init__(self, feed: Feed, folder: Path, seed: int) -> None:
        self.feed, self.rng = feed, random.Random(seed)
        self.told: list[str] = []
        self.server = Server()
        self.log = folder / "log" / "queue_log"
        self.log.parent.mkdir(parents=True)
        self.here = stage(folder, self.server.url, feed.toml(log=self.log, redis_url=self.server.url))
        self.collector = Process(folder)
        self.older: list[Path] = []
        self.written = 0

    @contextmanager
    def running(self) -> Iterator[None]:
        try:
            self.server.start()
            self.collector.start()
            yield
        finally:
            self.collector.kill()
            self.here.client.close()
            self.server.kill()
            shutil.rmtree(self.server.folder)

    def run(self, faults: int) -> None:
        """Feed it in pieces, with a fault after each; the last piece comes when all is well again."""
        size = len(self.feed.data)
        cuts = sorted(self.rng.randrange(size) for _ in range(faults))
        kinds = [FAULTS[n % len(FAULTS)] for n in range(faults)]
        self.rng.shuffle(kinds)
        for at, fault in zip(cuts, kinds, strict=True):
            self._write(at)
            self._some_time()
            getattr(self, fault)()
        self._write(size)

    def _write(self, upto: int) -> None:
        data = self.feed.data
        while self.written < upto:
            end = min(upto, self.written + self.rng.randrange(1, 3000))
            with self.log.open("ab", buffering=0) as file:
                file.write(data[self.written : end])
            self.written = end
            if self.rng.random() < 0.2 and (copy := self.server.copy()) is not None:
                self.older.append(copy)

    def _some_time(self) -> None:
        """None, a moment, or until all that was written is counted: faults come at all of them."""
        how = self.rng.random()
        if how < 0.5:
            time.sleep(self.rng.uniform(0, 0.9))
        elif how < 0.8:
            until(self.at_the_end, PATIENCE_S, f"{self.told} {self.collector.text()}")

    # The faults -------------------------------------------------------------------------------------------------

    def kill_collector(self) -> None:
        self.told.append("kill collector")
        self.collector.kill()
        self.collector.start()

    def kill_redis(self) -> None:
        self.told.append("kill Redis")
        self.server.kill()
        self._perhaps_write()
        self.server.start()

    def cut_aof(self) -> None:
        self.server.kill()
        self.told.append(f"cut {self.server.cut(self.rng)} bytes of the AOF")
        self.server.start()

    def older_aof(self) -> None:
        if not self.older:
            self.told.append("an older AOF: there was none")
            return
        chosen = self.rng.randrange(len(self.older))
        self.told.append(f"older AOF {chosen + 1} of {len(self.older)}")
        self.server.kill()
        self.server.put_back(self.older[chosen])
        self.server.start()
        del self.older[chosen + 1 :]  # what came after it did not happen

    def rotate(self) -> None:
        """In the middle of anything but a line, as a switch does it."""
        data = self.feed.data
        self._write(data.index(b"\n", self.written) + 1 if b"\n" in data[self.written :] else len(data))
        # What was rotated away before its first start, a collector does not read: that is to be imported.
        until(self._archived, PATIENCE_S, "the first line is archived")
        self.told.append(f"rotate at {self.written}")
        self.feed.rotate(self.log)

    def torn_archive(self) -> None:
        self.collector.kill()
        segments = sorted((self.here.config.data_dir / "archive" / SOURCE / "live").glob("*"))
        plain = [path for path in segments if path.suffix not in (".gz", ".tmp") and path.stat().st_size]
        if not plain:
            self.told.append("torn archive: there was none")
        elif self.rng.random() < 0.5:
            size = plain[-1].stat().st_size
            # Its first line stays: without any, what was rotated away is before the collector's first start.
            first = sum(len(line) + 1 for line in plain[-1].read_bytes().split(b"\n")[:4])
            lost = min(max(0, size - first), self.rng.choice((1, 30, 400, 4000)) + self.rng.randrange(20))
            self.told.append(f"archive cut by {lost} of {size}")
            with plain[-1].open("r+b") as file:
                file.truncate(size - lost)
        else:
            garbage = self.rng.choice((b"\0" * 300, b"0123abcd 90 L 12|", self.rng.randbytes(200)))
            self.told.append(f"{len(garbage)} bytes behind the archive")
            with plain[-1].open("ab") as file:
                file.write(garbage)
        self.collector.start()

    def _perhaps_write(self) -> None:
        if self.rng.random() < 0.5:
            self._write(min(len(self.feed.data), self.written + self.rng.randrange(4000)))

    # The end ----------------------------------------------------------------------------------------------------

    def at_the_end(self) -> bool:
        """All whole lines that were written are archived, and what is archived is in Redis."""
        assert self.collector.process is not None
        assert self.collector.process.poll() is None, self.collector.text()
        whole = self.feed.data[: self.written].count(b"\n")
        if self._archived() < whole:
            return False
        try:
            snapshot = self.here.reader.snapshot(SOURCE, [])
        except StoreUnavailable:
            return False
        end = Archive(self.here.config.data_dir, SOURCE).end().text
        return snapshot.standing == "live" and snapshot.position.partition("#")[0] == end

    def _archived(self) -> int:
        """How many lines; none while what a fault left behind the archive is not cut off yet."""
        try:
            return len(archived(self.here))
        except StoreError:
            return 0

    def finish(self) -> dict[str, Any]:
        """Wait until all is counted, and stop; what is stored then."""
        until(self.at_the_end, PATIENCE_S, "all lines counted")
        assert self.collector.stop() == 0, self.collector.text()
        assert "Traceback" not in self.collector.text()
        audit(self.here)
        return self.here.counted()


FAULTS = ("kill_collector", "kill_redis", "cut_aof", "older_aof", "rotate", "torn_archive")


def archived(here: Stage) -> list[bytes]:
    """The archived lines of the live stream, without where they stood."""
    records = (r for chunk in Archive(here.config.data_dir, SOURCE).read_live() for r in chunk.records)
    return [payload.partition(b"|")[2] for kind, payload in records if kind in "LR"]


def audit(here: Stage) -> None:
    """What Redis has is what `wallboard audit` counts, and what a plain fold of the archive gives."""
    rules = rules_of(here.config)
    days = sorted(here.reader.snapshot(SOURCE, []).stamps)
    snapshot = here.reader.snapshot(SOURCE, days, days)
    zone = here.config.zone
    span = zone.bounds(days[0])[0], zone.bounds(days[-1])[1]
    archive = Archive(here.config.data_dir, SOURCE)
    names = kind_of(here.config.source(SOURCE).kind).replayer(here.config.names())
    found = audited(snapshot, refolded(archive, rules, names, snapshot.position, span, lambda _: None), zone)
    assert found.total == 0, found.differences[:3]
    replay = kind_of(here.config.source(SOURCE).kind).replayer(here.config.names())
    records = (r for chunk in Archive(here.config.data_dir, SOURCE).read_live() for r in chunk.records)
    folded = Fold(rules)
    folded.feed([event for kind, payload in records if (event := replay(kind, payload)) is not None])
    stored = here.counted()
    assert {key: row for key, value in folded.rows.items() if any(row := trimmed(value))} == stored["rows"]
    assert folded.state.seats == stored["seats"]
    calls = {call.callid: call for call in stored["calls"].values()} | stored["open"]
    assert {callid: call for callid, call in folded.state.calls.items() if callid in calls} == calls


def undisturbed(feed: Feed, folder: Path, url: str) -> tuple[dict[str, Any], list[bytes]]:
    """Stored counts and archived lines of a run in this process that nobody disturbs."""
    log = folder / "queue_log"
    here = stage(folder, url, feed.toml(log=log).replace('"fuzhou"', '"alone"'))
    log.write_bytes(feed.data)
    with here.collecting() as drain:
        drain()
    found = here.counted(), archived(here)
    here.client.close()
    return found


def difference(found: dict[str, Any], expected: dict[str, Any]) -> str:
    """Which parts differ, in a few lines."""
    lines = []
    for part, value in expected.items():
        if found[part] == value:
            continue
        if isinstance(value, dict):
            keys = [k for k in value.keys() | found[part].keys() if value.get(k) != found[part].get(k)]
            lines += [f"{part} {k}: {found[part].get(k)} is not {value.get(k)}" for k in keys[:5]]
        else:
            lines.append(f"{part}: {found[part]} is not {value}")
    return "\n".join(lines)


def lines_differ(found: list[bytes], expected: list[bytes]) -> str:
    """Which lines are there too often, and which are missing."""
    more, less = Counter(found) - Counter(expected), Counter(expected) - Counter(found)
    if not more and not less and found != expected:
        return "the same lines in another order"
    return f"too many: {list(more.items())[:5]}; missing: {list(less.items())[:5]}" if more or less else ""
