"""Faults that have a name, one at a time."""

from pathlib import Path

import pytest
from conformance.faults import Replay, difference, undisturbed
from conformance.feed import feeds_of
from hotline import AFTER_S, DAY, copy_of, put_back, stage, until

from collectors.registry import kind_of

pytestmark = pytest.mark.slow

FEED = next(feed for feed in feeds_of("queue_log", None) if feed.name == "restart")


def test_redis_emptied_under_a_running_collector_shows_nothing_and_never_less(
    tmp_path: Path, redis_url: str
) -> None:
    expected, _ = undisturbed(FEED, tmp_path / "alone", redis_url)
    replay = Replay(FEED, tmp_path / "here", 1)
    with replay.running():
        replay.log.write_bytes(FEED.data)
        replay.written = len(FEED.data)
        until(replay.at_the_end, 90)
        reader = replay.here.reader
        whole = reader.snapshot("pbx1", [DAY]).days
        for _ in range(3):
            replay.here.client.flushall()
            standings = []
            while not standings or standings[-1] != "live":
                snapshot = reader.snapshot("pbx1", [DAY])
                standings.append(snapshot.standing)
                if snapshot.standing == "live":
                    assert snapshot.days == whole
                else:
                    assert not any(day.rows for day in snapshot.days.values())
            assert standings[0] in ("no_data", "rebuilding")
        assert difference(replay.finish(), expected) == ""


def test_a_failover_right_after_an_imports_commit(tmp_path: Path, redis_url: str) -> None:
    """Redis goes back to before it; the import is in the archive, and counted again from there."""
    expected, _ = undisturbed(FEED, tmp_path / "alone", redis_url)
    here = stage(tmp_path / "here", redis_url, FEED.toml(log=tmp_path / "none"))
    file = tmp_path / "file"
    file.write_bytes(FEED.data)
    with here.tools() as tools:
        copy = copy_of(here.client)
        kind_of("queue_log").import_file(tools, file, lambda _: None)
        assert difference(here.counted(), expected) == ""
        put_back(here.client, copy)
        assert here.reader.snapshot("pbx1", []).stamps == {}
        tools.writer.beat(AFTER_S, read=True)
        assert difference(here.counted(), expected) == ""
        again = kind_of("queue_log").import_file(tools, file, lambda _: None)
        assert again.repeated
    assert difference(here.counted(), expected) == ""


def test_an_older_copy_under_a_running_collector(tmp_path: Path, redis_url: str) -> None:
    """With the lease of the collector before this one, which is dead."""
    expected, _ = undisturbed(FEED, tmp_path / "alone", redis_url)
    replay = Replay(FEED, tmp_path / "here", 2)
    with replay.running():
        replay._write(len(FEED.data) // 3)
        until(replay.at_the_end, 90)
        older = replay.server.copy()
        assert older is not None
        replay.kill_collector()
        replay._write(len(FEED.data) // 2)
        until(replay.at_the_end, 90)
        replay.server.kill()
        replay.server.put_back(older)
        replay.server.start()
        replay._write(len(FEED.data))
        until(replay.at_the_end, 90, replay.collector.text())
        assert difference(replay.finish(), expected) == ""
