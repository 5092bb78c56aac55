"""The runner keeps a collector going: beats each second, Redis away and back, one line a change."""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hotline import AFTER_S, Recording, Stage, recording, stage, until

from collectors import runner
from collectors.runner import Runner
from dashboard.errors import PositionConflict
from dashboard.store.connect import connect
from dashboard.store.embedded import Embedded


@pytest.fixture
def played(shared_data: Path) -> Recording:
    return recording(shared_data, "short-a")


@contextmanager
def running(
    here: Stage, url: str, *, ensure: Callable[[], object] = lambda: None
) -> Iterator[tuple[Runner, list[BaseException]]]:
    """A runner in a thread of its own."""
    stop = threading.Event()
    failed: list[BaseException] = []
    one = Runner(
        here.config, connect(url), "pbx1", clock=lambda: AFTER_S, log=here.said.append, ensure=ensure
    )

    def run() -> None:
        try:
            one.run(stop)
        except BaseException as exc:  # noqa: BLE001
            failed.append(exc)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield one, failed
    finally:
        stop.set()
        thread.join(20)
        assert not thread.is_alive()


def legs(here: Stage) -> int | None:
    legs: int | None = here.show("total")["total"]["legs"]
    return legs


def all_legs(played: Recording) -> int:
    return sum(of["offered"] for of in played.queues().values())


def age_known(here: Stage) -> bool:
    return here.reader.snapshot("pbx1", []).read_ms is not None


def test_it_collects_and_beats_each_second(played: Recording, tmp_path: Path, redis_url: str) -> None:
    here = stage(tmp_path, redis_url, played.toml(log=tmp_path / "queue_log"))
    with running(here, redis_url):
        until(lambda: here.said == ["pbx1: collecting", *here.said[1:]])
        assert not age_known(here), "there is nothing to read yet"
        (tmp_path / "queue_log").write_bytes(played.data)
        until(lambda: here.reader.sources() and legs(here))
        first = until(lambda: here.reader.snapshot("pbx1", []).read_ms)
        until(lambda: (here.reader.snapshot("pbx1", []).read_ms or 0) > first, within_s=3)
    problems = [line for line in here.said if "does not exist yet" in line]
    assert len(problems) == 1, "one line a change of state"
    assert "pbx1: read again" in here.said
    assert not here.client.exists(here.reader.keys.lease("pbx1")), "given back at the end"


def test_a_second_runner_of_the_same_source_is_refused(
    played: Recording, tmp_path: Path, redis_url: str
) -> None:
    here = stage(tmp_path, redis_url, played.toml(log=tmp_path / "queue_log"))
    with running(here, redis_url):
        until(lambda: "pbx1: collecting" in here.said)
        again = Runner(here.config, connect(redis_url), "pbx1", clock=lambda: AFTER_S, log=here.said.append)
        with pytest.raises(PositionConflict) as refused:
            again.run(threading.Event())
        assert "\n" not in str(refused.value)


def test_redis_that_is_not_there_yet_is_waited_for(played: Recording, tmp_path: Path) -> None:
    (tmp_path / "queue_log").write_bytes(played.data)
    with Embedded(tmp_path / "e") as embedded:
        url = embedded.url
    here = stage(tmp_path, url, played.toml(log=tmp_path / "queue_log"))
    with running(here, url):
        until(lambda: any("the store is lost" in line for line in here.said))
        with Embedded(tmp_path / "e"):
            until(lambda: here.reader.sources() and legs(here) == all_legs(played))
            until(lambda: any("the store is back" in line for line in here.said))
            lost = [line for line in here.said if "the store is lost" in line]
            assert len(lost) == 1, "told once, not at each try"


def test_redis_that_is_killed_is_started_again_and_brought_up(played: Recording, tmp_path: Path) -> None:
    log = tmp_path / "queue_log"
    with Embedded(tmp_path / "e") as embedded:
        here = stage(tmp_path, embedded.url, played.toml(log=log))
        with running(here, embedded.url, ensure=embedded.ensure):
            half = played.data.index(b"\n", len(played.data) // 2) + 1
            log.write_bytes(played.data[:half])
            until(lambda: here.reader.sources() and legs(here))
            os.kill(embedded.pid() or 0, signal.SIGKILL)
            with log.open("ab") as file:
                file.write(played.data[half:])
            until(lambda: any("the store is back" in line for line in here.said))
            until(lambda: legs(here) == all_legs(played))
        rows = {row["key"]: row["answered"] for row in here.show("queue")["rows"]}
        assert {queue: n for queue, n in rows.items() if n} == {
            queue: of["answered"] for queue, of in played.queues().items() if of["answered"]
        }


def test_what_nobody_expected_ends_it_and_lets_go(
    played: Recording, tmp_path: Path, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = stage(tmp_path, redis_url, played.toml(log=tmp_path / "queue_log"))

    class Broken:
        def step(self) -> None:
            raise ZeroDivisionError

        def close(self) -> None:
            here.said.append("closed")

    kind = runner.kind_of("queue_log")
    monkeypatch.setattr(kind, "follow", lambda _tools: Broken())
    with running(here, redis_url) as (_, failed):
        until(lambda: failed)
    assert isinstance(failed[0], ZeroDivisionError)
    assert here.said[-1] == "closed"
    assert not here.client.exists(here.reader.keys.lease("pbx1"))
    again = here.writer()
    again.open()
    again.close()
