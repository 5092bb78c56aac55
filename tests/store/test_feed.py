"""What a web process has in memory is what Redis has: in step with every commit, and after whatever went wrong."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from hotline import (
    AFTER_S,
    DAY,
    Recording,
    Stage,
    batches_of,
    copy_of,
    faulty,
    items_of,
    put_back,
    recording,
    stage,
    until,
)

from dashboard.store import codec, keeper
from dashboard.store.connect import Client, connect
from dashboard.store.embedded import Embedded
from dashboard.store.feed import Feed
from dashboard.store.items import COVERED, GAP, Item, away, loss
from dashboard.store.reader import Reader, Snapshot

AT = 1795445100
DAY_S = 86_400


class Watch:
    """A feed without its threads: what its listener and its clock would do, done when a test says so."""

    def __init__(self, here: Stage, client: Client) -> None:
        self.here, self.client = here, client
        self.feed = Feed(here.config, lambda: client, clock=lambda: here.now_s)
        self.reader = Reader(client, here.config.hotline.id)
        self.pubsub = client.pubsub(ignore_subscribe_messages=True)
        self.pubsub.subscribe(self.reader.keys.channel)
        self.pubsub.get_message(timeout=1)

    def tick(self) -> None:
        """The look at Redis that happens each second."""
        self.feed._ask(self.reader)

    def messages(self) -> list[bytes]:
        """What has been published."""
        found = []
        while (message := self.pubsub.get_message(timeout=0.05)) is not None:
            found.append(message["data"])
        return found

    def hear(self, expected: int | None = None) -> int:
        """Apply what has been published (so many messages, where it is known); how many there were."""
        if expected is None:
            messages = self.messages()
        else:
            messages = [until(lambda: self.pubsub.get_message(timeout=1))["data"] for _ in range(expected)]
        for message in messages:
            self.feed._apply(self.reader, message)
        return len(messages)

    def held(self, source: str = "pbx1") -> Snapshot:
        return self.feed._sources[source]

    def same_as_redis(self, source: str = "pbx1") -> bool:
        return plain(self.held(source)) == plain(self.reader.snapshot(source, [self.day]))

    @property
    def day(self) -> str:
        return self.here.config.zone.day(int(self.here.now_s))


def plain(snapshot: Snapshot) -> dict[str, Any]:
    """What matters of a snapshot; rows without zeros, calls with several legs of the day that is shown."""
    rows = {
        key: codec.trimmed(row) for day in snapshot.days.values() for key, row in day.rows.items() if any(row)
    }
    return {
        "rows": rows,
        "multi": {callid: call for day in snapshot.days.values() for callid, call in day.multi.items()},
        "open": snapshot.open_calls,
        "seats": snapshot.seats,
        "clock": snapshot.clock,
        "seq": (snapshot.generation, snapshot.seq),
        "coverage": (snapshot.coverage, snapshot.told, snapshot.late),
    }


@pytest.fixture
def played(shared_data: Path) -> Recording:
    return recording(shared_data, "busy-a")


@pytest.fixture
def here(played: Recording, tmp_path: Path, redis_url: str) -> Stage:
    return stage(tmp_path, redis_url, played.toml(log=tmp_path / "queue_log"))


@pytest.fixture
def watch(here: Stage, redis_url: str) -> Iterator[Watch]:
    client = connect(redis_url)
    made = Watch(here, client)
    made.tick()
    yield made
    made.pubsub.close()
    client.close()


# In step -----------------------------------------------------------------------------------------------------------


def test_after_each_message_it_is_what_a_fresh_reading_gives(
    here: Stage, played: Recording, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    with here.tools() as tools:
        watch.hear()
        watch.tick()
        monkeypatch.setattr(watch.feed, "_reload", lambda *_: pytest.fail("nothing had to be read again"))
        for batch in batches_of(items_of(tools, played.data), 9):
            tools.writer.write(batch)
            watch.hear(1)
            assert watch.same_as_redis()
        last_s = tools.writer.keeper.ledger.reached_s
        for more in (
            [loss("truncated", "cut")],
            [away(last_s, last_s + 400), Item(COVERED, b"%d" % (last_s + 500))],
        ):
            tools.writer.write(more)
            watch.hear(1)
            assert watch.same_as_redis()
        held = watch.held()
        assert [gap[:3] for gap in held.told] == [(last_s, last_s + 500, "truncated")]
        assert held.late == [(last_s, last_s + 400)]


def test_a_message_that_was_missed_makes_it_read_again(here: Stage, played: Recording, watch: Watch) -> None:
    with here.tools() as tools:
        watch.tick()
        for number, batch in enumerate(batches_of(items_of(tools, played.data), 50)):
            tools.writer.write(batch)
            if number % 3:
                watch.messages()  # lost
            else:
                watch.hear()
                assert watch.same_as_redis()


def test_messages_that_are_lost_at_the_end_are_noticed_within_two_looks(
    here: Stage, played: Recording, watch: Watch
) -> None:
    with here.tools() as tools:
        watch.tick()
        tools.writer.write(items_of(tools, played.data[:4000]))
        watch.messages()
        watch.tick()
        watch.tick()
        assert watch.same_as_redis()
        assert watch.feed._deaf.is_set(), "the listener is to begin anew"


def test_a_message_told_before_the_reading_changes_nothing(
    here: Stage, played: Recording, watch: Watch
) -> None:
    with here.tools() as tools:
        for batch in batches_of(items_of(tools, played.data[:20_000]), 20):
            tools.writer.write(batch)
        watch.tick()
        assert watch.hear() > 5, "told before, and applied after the reading"
        assert watch.same_as_redis()


def test_a_large_commit_is_read_again(
    here: Stage, played: Recording, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeper, "PUBLISHED_AT_MOST", 50)
    with here.tools() as tools:
        watch.hear()
        watch.tick()
        tools.writer.write(items_of(tools, played.data))
        [message] = watch.messages()
        assert codec.decode_change(message).reload
        assert len(message) < 200
        watch.feed._apply(watch.reader, message)
        assert watch.same_as_redis()


def test_a_message_of_another_version_is_no_end(here: Stage, played: Recording, watch: Watch) -> None:
    with here.tools() as tools:
        watch.tick()
        watch.feed._apply(watch.reader, b'{"source": 7}')
        watch.feed._apply(watch.reader, b"\xff")
        tools.writer.write(items_of(tools, played.data[:2000]))
        watch.hear()
        assert watch.same_as_redis()


def test_a_rebuild_is_followed_to_its_new_generation(here: Stage, played: Recording, watch: Watch) -> None:
    with here.tools() as tools:
        tools.writer.write(items_of(tools, played.data))
    watch.tick()
    before = watch.held()
    writer = here.writer()
    writer.open(rebuild=True)
    writer.close()
    watch.hear()
    after = watch.held()
    assert after.generation == before.generation + 1
    assert plain(after)["rows"] == plain(before)["rows"]
    assert watch.same_as_redis()


def test_redis_going_back_is_followed(
    here: Stage, played: Recording, watch: Watch, redis_client: redis.Redis
) -> None:
    with here.tools() as tools:
        batches = list(batches_of(items_of(tools, played.data), 40))
        for batch in batches[:10]:
            tools.writer.write(batch)
        copy = copy_of(redis_client)
        for batch in batches[10:20]:
            tools.writer.write(batch)
        watch.tick()
        watch.messages()
        put_back(redis_client, copy)
        watch.tick()
        assert watch.same_as_redis(), "what Redis has is what is shown"
        for batch in batches[20:]:
            tools.writer.write(batch)
            watch.hear()
            assert watch.same_as_redis()


def test_redis_emptied_shows_no_low_numbers(
    here: Stage, played: Recording, watch: Watch, redis_client: redis.Redis
) -> None:
    with here.tools() as tools:
        tools.writer.write(items_of(tools, played.data[:30_000]))
        watch.tick()
        assert watch.feed.hall().answers_today
        redis_client.flushall()
        watch.tick()
        assert (watch.feed.hall().answers_today, watch.feed.beat().standing) == (None, "no_data")
        redis_client.set(watch.reader.keys.rebuild("pbx1"), "1")
        watch.tick()
        assert watch.feed.beat().standing == "rebuilding"
        tools.writer.beat(AFTER_S, read=True)
        watch.hear()
        watch.tick()
        assert watch.feed.beat().standing == "live"
        assert watch.same_as_redis()


# What it shows -----------------------------------------------------------------------------------------------------


def test_ages_are_by_the_clock_of_redis(here: Stage, played: Recording, watch: Watch) -> None:
    assert watch.feed.beat().ages == {"pbx1": None}
    with here.tools() as tools:
        tools.writer.write(items_of(tools, played.data))
        tools.writer.beat(AFTER_S, read=True)
        watch.tick()
        assert 0 <= (watch.feed.beat().ages["pbx1"] or -1) < 2
        key = watch.reader.keys.beat("pbx1")
        watch.client.hincrby(key, "read_ms", -7000)
        watch.tick()
        assert 7 <= (watch.feed.beat().ages["pbx1"] or -1) < 9
        tools.writer.beat(AFTER_S, read=False, problem="the log is gone")
        watch.tick()
        assert (watch.feed.beat().ages["pbx1"] or -1) >= 7, "a beat without a reading is no reading"
        assert watch.feed.hall().sources[0].problem == "the log is gone"


def test_a_new_day_begins_at_midnight(here: Stage, played: Recording, watch: Watch) -> None:
    midnight = here.config.zone.bounds(DAY)[1]
    with here.tools() as tools:
        tools.writer.write(items_of(tools, played.data))
        here.now_s = midnight - 1
        watch.tick()
        assert watch.feed.hall().answers_today == 263
        here.now_s = midnight + 1
        line = f"{midnight}|{midnight}.1|consult|NONE|ENTERQUEUE||0591|1\n"
        tools.writer.write(items_of(tools, line.encode()))
        watch.hear()
        assert watch.feed.hall().day == "2026-11-24"
        tools.writer.beat(int(here.now_s), read=True)
        watch.tick()
        hall = watch.feed.hall()
        assert (hall.answers_today, hall.offered, hall.waiting_now) == (0, 1, 1)
        assert watch.same_as_redis()


def test_what_was_only_imported_counts_and_has_no_age(here: Stage, played: Recording, watch: Watch) -> None:
    other = Stage(here.config, connect(here.client_url), source="old")
    with here.tools() as tools:
        tools.writer.write(items_of(tools, played.data))
    with other.tools() as tools:
        items = items_of(tools, played.data)
        header = {"kind": "queue_log", "first_s": AT, "last_s": AFTER_S}
        tools.writer.write_import(header, items, progress=lambda _: None)
    watch.hear()
    watch.tick()
    hall = watch.feed.hall()
    assert hall.answers_today == 2 * 263
    assert watch.feed.beat().ages.keys() == {"pbx1"}
    assert [source.name for source in hall.sources] == ["pbx1"]
    # What ended last month is no gap of today.
    here.now_s = AFTER_S + 2 * DAY_S
    watch.tick()
    assert len([s for s in watch.feed._sources.values() if watch.feed._counts_on(s, watch.day)]) == 1


def test_the_view_is_what_a_feed_that_has_just_begun_shows(
    here: Stage, played: Recording, watch: Watch
) -> None:
    with here.tools() as tools:
        for batch in batches_of(items_of(tools, played.data), 30):
            tools.writer.write(batch)
    watch.tick()
    fresh = Feed(here.config, lambda: watch.client, clock=lambda: here.now_s)
    fresh._ask(watch.reader)
    assert watch.feed.hall() == fresh.hall()


# Averages ----------------------------------------------------------------------------------------------------------


def test_averages_leave_out_a_day_with_a_gap(tmp_path: Path, redis_url: str, played: Recording) -> None:
    """Five Mondays to Fridays of one call each; one of them without its morning."""
    here = stage(tmp_path, redis_url, played.toml(log=tmp_path / "queue_log"))
    zone = here.config.zone
    days = ["2026-11-16", "2026-11-17", "2026-11-18", "2026-11-19", "2026-11-20"]
    lines = []
    for number, day in enumerate(days):
        at_s = zone.bounds(day)[0] + 10 * 3600 + 60
        for answer in range(number + 1):
            callid = f"{at_s}.{answer}"
            lines.append(f"{at_s}|{callid}|consult|NONE|ENTERQUEUE||0591|1")
            lines.append(f"{at_s + 2}|{callid}|consult|林晓燕|CONNECT|2|1.2|1")
            lines.append(f"{at_s + 30}|{callid}|consult|林晓燕|COMPLETEAGENT|2|28|1")
    first = f"{zone.bounds('2026-11-16')[0]}|NONE|NONE|NONE|CONFIGRELOAD|"
    text = "\n".join([first, *lines, ""])
    here.now_s = zone.bounds("2026-11-23")[0] + 9 * 3600
    with here.tools() as tools:
        items = items_of(tools, text.encode())
        gap_at = next(i for i, item in enumerate(items) if (item.at_s or 0) > zone.bounds("2026-11-18")[0])
        tools.writer.write(items[:gap_at])
        tools.writer.write([Item(GAP, b"lost")])
        tools.writer.write(items[gap_at:])
        tools.writer.write([Item(COVERED, b"%d" % int(here.now_s))])
    client = connect(redis_url)
    feed = Feed(here.config, lambda: client, clock=lambda: here.now_s)
    feed._ask(Reader(client, "fuzhou"))
    hall = feed.hall()
    # The 17th's evening and the 18th's morning are not covered: three days are left, with 1, 4 and 5 answers.
    assert hall.comparable_days == 3
    ten = next(slot for slot in hall.slots if slot.start_s == zone.bounds("2026-11-23")[0] + 10 * 3600)
    assert ten.average == pytest.approx(10 / 3)
    client.close()


# Away --------------------------------------------------------------------------------------------------------------


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Embedded]:
    with Embedded(tmp_path / "e") as embedded:
        yield embedded


@pytest.fixture
def running(played: Recording, tmp_path: Path, server: Embedded) -> Iterator[tuple[Stage, Feed]]:
    """A feed with its threads, beside a source that beats."""
    here = stage(tmp_path, server.url, played.toml(log=tmp_path / "queue_log"))
    feed = Feed(here.config, lambda: connect(server.url), clock=lambda: here.now_s, ensure=server.ensure)
    with here.tools() as tools:
        tools.writer.write(items_of(tools, played.data))
        tools.writer.beat(AFTER_S, read=True)
        feed.start()
        until(lambda: feed.beat().store_ok and feed.hall().answers_today == 263)
        yield here, feed
        feed.stop()
        names = ("feed-_listen", "feed-_tick")
        until(lambda: not [t for t in threading.enumerate() if t.name in names], within_s=10)
        server.ensure()


def seconds(done: Callable[[], Any]) -> float:
    begun = time.monotonic()
    until(done, within_s=15)
    return time.monotonic() - begun


@pytest.mark.slow
def test_a_stopped_redis_is_told_within_three_seconds_and_comes_back(
    running: tuple[Stage, Feed], server: Embedded
) -> None:
    _, feed = running
    pid = server.pid()
    assert pid
    os.kill(pid, signal.SIGSTOP)
    try:
        assert seconds(lambda: not feed.beat().store_ok) < 3
        assert feed.hall().answers_today == 263, "the last figures stay, and look old"
    finally:
        os.kill(pid, signal.SIGCONT)
    assert seconds(lambda: feed.beat().store_ok) < 6


@pytest.mark.slow
def test_a_killed_redis_is_told_and_started_again(running: tuple[Stage, Feed], server: Embedded) -> None:
    here, feed = running
    pid = server.pid()
    assert pid
    seen = feed.wait(-1, 0)
    os.kill(pid, signal.SIGKILL)
    until(lambda: feed.wait(seen, 1) > seen)
    until(lambda: server.pid() not in (None, pid))
    assert seconds(lambda: feed.beat().store_ok) < 6
    client = connect(server.url)
    until(lambda: Reader(client, "fuzhou").sources() or True)
    client.close()
    assert here.show("total")["total"]["answers"] == feed.hall().answers_today


def test_a_change_is_on_its_way_at_once(running: tuple[Stage, Feed], played: Recording) -> None:
    here, feed = running
    seen = feed.wait(-1, 0)
    writer = Stage(here.config, here.client, source="pbx2").writer()
    writer.open()  # any commit is told
    writer.close()
    until(lambda: feed.wait(seen, 0.5) > seen, within_s=2)


def test_a_broken_connection_of_the_listener_is_made_again(
    here: Stage, played: Recording, redis_url: str
) -> None:
    client, connection = faulty(redis_url)
    feed = Feed(here.config, lambda: client, clock=lambda: here.now_s)
    client.close()
    connection.fault = (2, "request")
    with here.tools() as tools:
        feed.start()
        tools.writer.write(items_of(tools, played.data))
        until(lambda: feed.hall().answers_today == 263, within_s=8)
        feed.stop()
        until(lambda: not [t for t in threading.enumerate() if t.name.startswith("feed-")], within_s=10)
