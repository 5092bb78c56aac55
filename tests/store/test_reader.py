"""Whoever reads sees counts of one instant, whole, or is told that there are none; never low ones."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import redis
from hotline import DAY, Stage, batches_of, items_of, recording, stage

from dashboard.errors import StoreUnavailable
from dashboard.store import codec
from dashboard.store.connect import connect
from dashboard.store.reader import Reader, part_of, rules_of

AT = 1795445100
DAY_S = 86_400


@pytest.fixture
def here(shared_data: Path, tmp_path: Path, redis_url: str) -> Stage:
    """A recording, collected; with a closed day before it."""
    played = recording(shared_data, "short-a")
    made = stage(tmp_path, redis_url, played.toml(log=tmp_path / "queue_log"))
    old = f"{AT - 2 * DAY_S}|{AT}.1|consult|NONE|ENTERQUEUE||0591|1\n"
    old += f"{AT - 2 * DAY_S + 5}|{AT}.1|consult|NONE|ABANDON|1|1|5\n"
    with made.tools() as tools:
        tools.writer.write(items_of(tools, old.encode() + played.data))
        tools.writer.beat(int(made.now_s), read=True, problem="nothing much")
    return made


def once(act: Callable[[], Any]) -> Callable[..., Any]:
    """Does something the first time only."""
    done: list[bool] = []

    def run() -> None:
        if not done:
            done.append(True)
            act()

    return run


def test_a_snapshot_has_all_of_a_source(here: Stage) -> None:
    snapshot = here.reader.snapshot("pbx1", [DAY, "2026-11-21", "2026-11-22"])
    assert snapshot.standing == "live"
    assert snapshot.stamps.keys() == {DAY, "2026-11-21"}
    assert snapshot.stamps["2026-11-21"].closed
    assert snapshot.days["2026-11-22"].rows == {}
    assert sum(row[0] for key, row in snapshot.days["2026-11-21"].rows.items() if key[0] == "c") == 1
    assert snapshot.problem == "nothing much"
    assert snapshot.coverage[-1][1] == here.now_s, "the last successful read covers"


def test_a_source_without_counts_says_so(redis_url: str) -> None:
    reader = Reader(connect(redis_url), "fuzhou")
    assert reader.snapshot("pbx1", [DAY]).standing == "no_data"
    assert reader.sources() == []
    reader.client.set(reader.keys.rebuild("pbx1"), "1")
    assert reader.snapshot("pbx1", [DAY]).standing == "rebuilding"


def test_unfinished_counts_are_not_shown(here: Stage) -> None:
    reader = here.reader
    reader.client.hset(reader.keys.source("pbx1", 1).meta, "position", codec.UNFINISHED)
    snapshot = reader.snapshot("pbx1", [DAY])
    assert (snapshot.standing, snapshot.days, snapshot.open_calls) == ("rebuilding", {}, {})
    part = part_of(snapshot, rules_of(here.config), here.now_s)
    assert (part.rows, part.as_of_s) == ({}, None)


def test_a_generation_that_goes_while_it_is_read_is_read_anew(
    here: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = here.reader.snapshot("pbx1", [DAY, "2026-11-21"])

    def rebuild() -> None:
        writer = here.writer()
        writer.open(rebuild=True)
        writer.close()

    for name in ("_stamps", "_days", "at_once"):
        before = here.reader.snapshot("pbx1", []).generation
        rebuilt = once(rebuild)
        real = getattr(Reader, name)

        def late(self: Reader, *args: Any, real: Any = real, rebuilt: Any = rebuilt) -> Any:
            rebuilt()
            return real(self, *args)

        monkeypatch.setattr(Reader, name, late)
        snapshot = here.reader.snapshot("pbx1", [DAY, "2026-11-21"])
        monkeypatch.undo()
        assert snapshot.generation == before + 1
        assert (snapshot.days, snapshot.standing) == (expected.days, "live")


def test_a_closed_day_that_changes_while_it_is_read_is_read_anew(
    here: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write() -> None:
        with here.tools() as tools:
            line = f"{AT - 2 * DAY_S + 60}|{AT}.2|consult|NONE|ENTERQUEUE||0591|1\n"
            line += f"{AT + 3000}|NONE|NONE|NONE|CONFIGRELOAD|\n"
            tools.writer.write(items_of(tools, line.encode()))

    written = once(write)
    real = Reader.at_once

    def late(self: Reader, asked: Any) -> Any:
        written()
        return real(self, asked)

    monkeypatch.setattr(Reader, "at_once", late)
    snapshot = here.reader.snapshot("pbx1", [DAY, "2026-11-21"])
    assert sum(row[0] for key, row in snapshot.days["2026-11-21"].rows.items() if key[0] == "c") == 2


def test_every_snapshot_balances_while_a_writer_writes(
    shared_data: Path, tmp_path: Path, redis_url: str
) -> None:
    played = recording(shared_data, "busy-a")
    here = stage(tmp_path, redis_url, played.toml(log=tmp_path / "queue_log"))
    done = threading.Event()

    def write() -> None:
        with here.tools() as tools:
            for batch in batches_of(items_of(tools, played.data), 5):
                tools.writer.write(batch)
        done.set()

    thread = threading.Thread(target=write)
    watching = Stage(here.config, connect(redis_url))
    thread.start()
    looked = 0
    while not done.is_set():
        total = watching.show("total")["total"]
        if total["offered"] is not None:
            fates = ("answered", "abandoned", "overflowed", "lost", "waiting")
            assert total["offered"] == sum(total[fate] for fate in fates)
            looked += 1
    thread.join()
    assert looked > 5


def test_a_store_that_is_away_is_told_in_one_line(tmp_path: Path) -> None:
    reader = Reader(connect(f"unix://{tmp_path}/none"), "fuzhou")
    with pytest.raises(StoreUnavailable, match="Redis does not answer"):
        reader.snapshot("pbx1", [DAY])
    with pytest.raises(StoreUnavailable, match="Redis does not answer"):
        reader.sources()
    with pytest.raises(StoreUnavailable, match="Redis does not answer"):
        reader.calls("pbx1", 1, DAY)


def test_redis_out_of_memory_is_read_all_the_same(here: Stage, redis_client: redis.Redis) -> None:
    expected = here.reader.snapshot("pbx1", [DAY, "2026-11-21"])
    redis_client.config_set("maxmemory-policy", "noeviction")
    redis_client.config_set("maxmemory", "1")
    try:
        assert here.reader.snapshot("pbx1", [DAY, "2026-11-21"]) == expected
    finally:
        redis_client.config_set("maxmemory", "0")


def test_the_calls_of_a_day_are_there_open_or_closed(here: Stage) -> None:
    assert [call.callid for call in here.reader.calls("pbx1", 1, "2026-11-21")] == [f"{AT}.1"]
    calls = here.reader.calls("pbx1", 1, DAY)
    offered = here.show("total")["total"]["offered"]
    assert sum(1 for call in calls if call.offered) == offered
