"""`wallboard collect` for real: killed again and again, Redis killed and emptied under it, started twice."""

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import redis
from hotline import (
    AFTER_S,
    DAY,
    Recording,
    Stage,
    archived_lines,
    environ,
    recording,
    stage,
    start,
    to_after_s,
    until,
    wallboard,
)

from dashboard.store.archive import Archive
from dashboard.store.connect import connect
from dashboard.store.embedded import Embedded
from dashboard.store.reader import Reader

KILLS = 20


@pytest.fixture
def played(shared_data: Path) -> Recording:
    return recording(shared_data, "busy-a")


def undisturbed(
    played: Recording, tmp_path: Path, url: str
) -> tuple[dict[str, Any], list[tuple[str, bytes]]]:
    """Counts and archived lines of a run that nobody disturbed, by another hotline."""
    log = tmp_path / "alone" / "queue_log"
    here = stage(tmp_path / "alone", url, played.toml(log=log).replace("fuzhou", "alone"))
    log.write_bytes(played.data)
    with here.collecting() as drain:
        drain()
    return here.counted(), archived_lines(here.config)


@contextmanager
def growing(data: bytes, path: Path, seconds: float) -> Iterator[threading.Event]:
    """A log that grows in bursts, lines cut anywhere; the event is set when all is written."""
    done = threading.Event()

    def write() -> None:
        rng = random.Random(7)
        begun = time.monotonic()
        with path.open("ab", buffering=0) as file:
            at = 0
            while at < len(data):
                size = rng.randrange(1, 900)
                file.write(data[at : at + size])
                at += size
                while time.monotonic() - begun < seconds * at / len(data):
                    time.sleep(0.002)
        done.set()

    thread = threading.Thread(target=write)
    thread.start()
    try:
        yield done
    finally:
        thread.join()


class Collector:
    """The real process, started again by whoever killed it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.said = folder / "said"
        self.begins = 0
        self.process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "Collector":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self.process is not None:
            # Told to stop before it can listen, a process just dies.
            until(lambda: b": collecting" in self.said.read_bytes()[self.begins :], within_s=20)
            self.process.terminate()
            assert self.process.wait(20) == 0, self.said.read_text("utf-8")

    def start(self) -> None:
        with self.said.open("ab") as said:
            self.begins = said.tell()
            self.process = start("collect", cwd=self.folder, ahead_s=to_after_s(), stdout=said, stderr=said)

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait()


def at_the_end(reader: Reader, here: Stage) -> Callable[[], bool]:
    """Whether the collector has read its log to the end, and counted it."""
    log = Path(here.config.source("pbx1").path)

    def check() -> bool:
        snapshot = reader.snapshot("pbx1", [])
        lines = [payload for kind, payload in archived_lines(here.config) if kind == "L"]
        if snapshot.standing != "live" or not lines:
            return False
        archive = Archive(here.config.data_dir, "pbx1")
        behind = snapshot.position.partition("#")[0] != archive.end().text
        return not behind and int(lines[-1].split(b"|", 1)[0]) == log.stat().st_size

    return check


@pytest.mark.slow
def test_killed_at_twenty_random_moments_it_counts_as_if_nothing_had_happened(
    played: Recording, tmp_path: Path, redis_url: str
) -> None:
    seed = random.randrange(10**6)
    print(f"seed {seed}")
    rng = random.Random(seed)
    log = tmp_path / "queue_log"
    here = stage(tmp_path, redis_url, played.toml(log=log, redis_url=redis_url))
    expected, lines = undisturbed(played, tmp_path, redis_url)
    with Collector(tmp_path) as collector, growing(played.data, log, seconds=16):
        for _ in range(KILLS):
            # From its first import to some seconds of work: at any moment of its life.
            time.sleep(rng.uniform(0.05, 1.3))
            collector.kill()
            collector.start()
        until(at_the_end(here.reader, here), within_s=30)
    assert archived_lines(here.config) == lines
    assert here.counted() == expected, f"seed {seed}"
    writer = here.writer()
    writer.open(rebuild=True)
    writer.close()
    assert here.counted() == expected


@pytest.mark.slow
def test_redis_killed_emptied_and_put_back_under_it(
    played: Recording, tmp_path: Path, redis_url: str
) -> None:
    log = tmp_path / "queue_log"
    here = stage(tmp_path, redis_url, played.toml(log=log))
    expected, lines = undisturbed(played, tmp_path, redis_url)
    with Embedded(tmp_path / "var") as embedded:
        here.client = connect(embedded.url)
        reader = here.reader
        copy: dict[bytes, bytes] = {}
        with Collector(tmp_path) as collector, growing(played.data, log, seconds=8) as written:
            until(lambda: sources(reader), within_s=20)
            for act in ("kill", "copy", "kill", "empty", "kill", "back", "kill collector"):
                time.sleep(0.8)
                if act == "kill":
                    os.kill(embedded.pid() or 0, signal.SIGKILL)
                    until(lambda: sources(reader), within_s=20)
                elif act == "copy":
                    copy = {key: here.client.dump(key) for key in here.client.scan_iter()}
                elif act == "empty":
                    here.client.flushall()
                elif act == "back":
                    put_back(here.client, copy)
                else:
                    collector.kill()
                    collector.start()
            until(written.is_set)
            until(quiet(at_the_end(reader, here)), within_s=30)
        assert here.counted() == expected
        assert archived_lines(here.config) == lines
    text = (tmp_path / "said").read_text("utf-8")
    # Which of the losses it tells of depends on whether it looked before the next one.
    assert "Traceback" not in text, text


def put_back(client: redis.Redis, copy: dict[bytes, bytes]) -> None:
    pipe = client.pipeline(transaction=True)
    pipe.flushall()
    for key, value in copy.items():
        if b":lease:" not in key:
            pipe.restore(key, 0, value)
    pipe.execute()


def quiet(check: Callable[[], Any]) -> Callable[[], Any]:
    """A question that Redis may be too busy to answer."""
    from dashboard.errors import StoreUnavailable

    def ask() -> Any:
        try:
            return check()
        except StoreUnavailable:
            return None

    return ask


def sources(reader: Reader) -> Any:
    return quiet(reader.sources)()


@pytest.mark.slow
def test_a_second_collector_is_refused_and_takes_over_when_told(
    played: Recording, tmp_path: Path, redis_url: str
) -> None:
    log = tmp_path / "queue_log"
    log.write_bytes(played.data)
    here = stage(tmp_path, redis_url, played.toml(log=log, redis_url=redis_url))
    there = tmp_path / "there"
    stage(there, redis_url, played.toml(log=log, redis_url=redis_url))
    with Collector(tmp_path) as first:
        until(at_the_end(here.reader, here))
        same = wallboard("collect", cwd=tmp_path)
        assert (same.returncode, same.stderr.count("\n")) == (1, 1)
        assert "already writes" in same.stderr and "pbx1" in same.stderr
        other = wallboard("collect", cwd=there)
        assert (other.returncode, other.stderr.count("\n")) == (1, 1)
        assert "--takeover" in other.stderr
        with there.joinpath("said").open("wb") as said:
            second = start("collect", "--takeover", cwd=there, stdout=said, stderr=said)
        try:
            assert first.process is not None
            assert first.process.wait(20) == 1, "the one that lost its lease stops"
            text = first.said.read_text("utf-8")
            assert text.splitlines()[-1].startswith("source pbx1 is written by process")
            first.process = None
            until(lambda: len(archived_lines(Stage(there_config(there), here.client).config)) > 100)
        finally:
            second.terminate()
            assert second.wait(20) == 0
    assert here.show("total")["total"]["answers"] == 263


def there_config(folder: Path) -> Any:
    from dashboard.config import load

    return load(folder / "wallboard.toml")


@pytest.mark.slow
def test_a_dead_collectors_lease_is_taken_at_once(played: Recording, tmp_path: Path, redis_url: str) -> None:
    log = tmp_path / "queue_log"
    log.write_bytes(played.data)
    here = stage(tmp_path, redis_url, played.toml(log=log, redis_url=redis_url))
    with Collector(tmp_path) as collector:
        until(at_the_end(here.reader, here))
        collector.kill()
        assert here.client.pttl(here.reader.keys.lease("pbx1")) > 5000
        begun = time.monotonic()
        collector.start()
        until(lambda: collector.said.read_text("utf-8").count("pbx1: collecting") == 2)
        assert time.monotonic() - begun < 5, "not when the old lease has run out"


def test_collected_counts_are_shown_by_the_command(played: Recording, tmp_path: Path, redis_url: str) -> None:
    log = tmp_path / "queue_log"
    log.write_bytes(played.data)
    here = stage(tmp_path, redis_url, played.toml(log=log, redis_url=redis_url))
    with Collector(tmp_path):
        until(at_the_end(here.reader, here))
        until(lambda: here.reader.snapshot("pbx1", []).read_ms)
    shown = wallboard("show", DAY, "--by", "queue", "--json", cwd=tmp_path, ahead_s=to_after_s())
    assert (shown.returncode, shown.stderr) == (0, "")
    rows = {row["key"]: row for row in json.loads(shown.stdout)["rows"]}
    for queue, of in played.queues().items():
        assert {name: rows[queue][name] for name in of} == of
    assert AFTER_S


def test_ctrl_c_ends_it_cleanly(played: Recording, tmp_path: Path) -> None:
    """With the embedded server, which nobody needs any more."""
    (tmp_path / "wallboard.toml").write_text(played.toml(log=tmp_path / "queue_log"), "utf-8")
    process = subprocess.Popen(
        [sys.executable, "-m", "dashboard.cli", "collect"],
        cwd=tmp_path,
        env=environ(),
        stderr=subprocess.PIPE,
    )
    embedded = Embedded(tmp_path / "var")
    until(lambda: embedded.pid() and list((tmp_path / "var").glob("archive/pbx1/lock")))
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=20)
    assert process.returncode == 0
    assert b"Traceback" not in said
    until(lambda: embedded.pid() is None)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A data directory of three megabytes, where one may mount."""
    folder = tmp_path / "var"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=3m,mode=700", "tmpfs", str(folder)]
    if os.geteuid() or subprocess.run(command, capture_output=True).returncode:
        pytest.skip("mounting a small disk needs root")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.slow
def test_a_full_disk_stops_nothing_for_good(
    played: Recording, tmp_path: Path, small_disk: Path, redis_url: str
) -> None:
    """Archive, number table and the embedded server's file are all on it."""
    log = tmp_path / "queue_log"
    here = stage(tmp_path, redis_url, played.toml(log=log))
    expected, lines = undisturbed(played, tmp_path, redis_url)
    data = played.data
    with Collector(tmp_path) as collector, Embedded(small_disk) as embedded:
        here.client = connect(embedded.url)
        log.write_bytes(data[:20_000])
        until(quiet(at_the_end_of(here, 19_000)), within_s=20)
        with (small_disk / "ballast").open("wb", buffering=0) as ballast, contextlib.suppress(OSError):
            while True:
                ballast.write(b"x" * 4096)
        with log.open("ab") as file:
            file.write(data[20_000:])
        until(lambda: "full" in collector.said.read_text("utf-8"), within_s=20)
        (small_disk / "ballast").unlink()
        until(quiet(at_the_end(here.reader, here)), within_s=30)
        assert here.counted() == expected
        here.client.close()
    assert archived_lines(here.config) == lines
    assert "Traceback" not in collector.said.read_text("utf-8")


def at_the_end_of(here: Stage, offset: int) -> Callable[[], bool]:
    def check() -> bool:
        lines = [payload for kind, payload in archived_lines(here.config) if kind == "L"]
        return bool(lines) and int(lines[-1].split(b"|", 1)[0]) > offset

    return check
