"""The writer counts each record once, whatever breaks, and whenever."""

import errno
import os
import random
from pathlib import Path
from typing import Any

import pytest
import redis
from hotline import (
    AFTER_S,
    DAY,
    Stage,
    batches_of,
    copy_of,
    counted,
    faulty,
    items_of,
    put_back,
    recording,
    stage,
    until,
)

from collectors.base import Tools
from dashboard.errors import PositionConflict, StoreUnavailable
from dashboard.store.archive import Archive
from dashboard.store.items import COVERED, GAP, Item, loss
from dashboard.store.keys import HotlineKeys
from dashboard.store.reader import Reader
from dashboard.store.writer import Writer

AT = 1795445100
"""22:45 of the recordings' day."""
MIDNIGHT = 1795449600
DAY_S = 86_400
HOURS_S = 3600

TOML = """
[hotline]
id = "fuzhou"
name = "福州12366"
zone = "Asia/Shanghai"
[data]
dir = "var"
[[queues]]
name = "consult"
wrapup_s = 10
[[sources]]
name = "pbx1"
kind = "queue_log"
path = "queue_log"
"""


def call(at_s: int, number: int, *, queue: str = "consult", wait_s: int = 4, talk_s: int = 60) -> list[str]:
    """A call that is answered and ends."""
    callid = f"{at_s}.{number}"
    return [
        f"{at_s}|{callid}|{queue}|NONE|ENTERQUEUE||0591000{number:05d}|1",
        f"{at_s + wait_s}|{callid}|{queue}|Anna|CONNECT|{wait_s}|{at_s}.9{number}|2",
        f"{at_s + wait_s + talk_s}|{callid}|{queue}|Anna|COMPLETEAGENT|{wait_s}|{talk_s}|1",
    ]


def log_of(*lines: list[str]) -> bytes:
    return "".join(f"{line}\n" for some in lines for line in some).encode()


def play(here: Stage, data: bytes, size: int = 7) -> None:
    """Write a log in small batches, from beginning to end."""
    with here.tools() as tools:
        for batch in batches_of(items_of(tools, data), size):
            tools.writer.write(batch)


def undisturbed(tmp_path: Path, url: str, toml: str, data: bytes) -> dict[str, Any]:
    """The counts of a log that is written in one go, by a hotline named "alone" where that one is "fuzhou"."""
    alone = stage(tmp_path / "alone", url, toml.replace("fuzhou", "alone"))
    play(alone, data, size=10_000)
    return alone.counted()


@pytest.fixture
def here(tmp_path: Path, redis_url: str) -> Stage:
    return stage(tmp_path, redis_url, TOML)


# Cutting -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["busy-a", "chaos", "restart"])
def test_a_writer_that_begins_anew_after_each_batch_counts_the_same(
    name: str, shared_data: Path, tmp_path: Path, redis_url: str
) -> None:
    played = recording(shared_data, name)
    toml = played.toml(log=tmp_path / "queue_log")
    here = stage(tmp_path, redis_url, toml)
    with here.tools() as tools:
        items = items_of(tools, played.data)
    for batch in batches_of(items, 37):
        with here.tools() as tools:
            tools.writer.write(batch)
    assert here.counted() == undisturbed(tmp_path, redis_url, toml, played.data)


def test_what_is_written_is_what_a_rebuild_makes(here: Stage, tmp_path: Path, redis_url: str) -> None:
    data = log_of(*(call(AT - 3 * DAY_S + n * 5000, n) for n in range(70)))
    play(here, data)
    before = here.counted()
    stamps = here.reader.snapshot("pbx1", []).stamps
    assert {day: stamp.closed for day, stamp in stamps.items()} == {
        "2026-11-20": True,
        "2026-11-21": True,
        "2026-11-22": True,
        "2026-11-23": True,
        "2026-11-24": False,
    }
    writer = here.writer()
    writer.open(rebuild=True)
    writer.close()
    assert here.counted() == before


# Faults ------------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_connection_that_breaks_at_any_command_changes_nothing(
    shared_data: Path, tmp_path: Path, redis_url: str
) -> None:
    """Requests lost and answers lost, while Redis is emptied and goes back as well."""
    played = recording(shared_data, "short-a")
    toml = played.toml(log=tmp_path / "queue_log")
    expected = undisturbed(tmp_path, redis_url, toml, played.data)
    expected_days = expected.pop("days").keys()
    seed = random.randrange(10**6)
    rng = random.Random(seed)
    print(f"seed {seed}")

    def run(number: int, fault: tuple[int, str] | None) -> int:
        client, connection = faulty(redis_url)
        here = stage(tmp_path / f"run{number}", redis_url, toml.replace("fuzhou", f"run{number}"))
        here.client = client
        connection.fault = fault
        copy: dict[bytes, bytes] = {}
        plain = redis.Redis.from_url(redis_url)
        writer = open_at_last(here)
        with here_tools(here, writer) as tools:
            items = items_of(tools, played.data)
        for step, batch in enumerate(batches_of(items, 20)):
            if step == 3:
                copy = copy_of(plain)
            if step == 6:
                put_back(plain, copy)
            if step == 8:
                plain.flushall()
            writer.write(batch)
        until(lambda: beaten(writer))
        writer.close()
        connection.fault = None
        found = counted(Reader(client, f"run{number}"), "pbx1")
        assert found.pop("days").keys() == expected_days
        assert found == expected, (seed, fault)
        plain.close()
        client.close()
        return connection.sent

    commands = run(0, None)
    tries = [(n, mode) for n in range(1, commands) for mode in ("request", "answer")]
    for number, fault in enumerate(rng.sample(tries, min(60, len(tries))), 1):
        run(number, fault)


def open_at_last(here: Stage) -> Writer:
    writer = here.writer()

    def opened() -> bool:
        try:
            writer.open()
        except StoreUnavailable:
            return False
        return True

    until(opened)
    return writer


def here_tools(here: Stage, writer: Writer) -> Any:
    from contextlib import contextmanager

    from dashboard.store.numbers import Numbers

    @contextmanager
    def made() -> Any:
        numbers = Numbers(here.config.data_dir)
        numbers.open()
        yield Tools(
            config=here.config,
            source="pbx1",
            writer=writer,
            numbers=numbers,
            clock=lambda: float(AFTER_S),
            log=here.said.append,
        )
        numbers.close()

    return made()


def beaten(writer: Writer) -> bool:
    try:
        writer.beat(AFTER_S, read=True)
    except StoreUnavailable:
        return False
    return True


def test_a_commit_whose_answer_was_lost_is_not_done_twice_and_nobody_misses_a_number(
    tmp_path: Path, redis_url: str
) -> None:
    client, connection = faulty(redis_url)
    here = stage(tmp_path, redis_url, TOML)
    here.client = client
    with here.tools() as tools:
        tools.writer.write(items_of(tools, log_of(call(AT, 1))))
        seq = here.reader.snapshot("pbx1", []).seq
        connection.fault = (connection.sent + 1, "answer")
        tools.writer.write(items_of(tools, log_of(call(AT + 100, 2))))
        assert here.reader.snapshot("pbx1", []).seq == seq + 1
        tools.writer.write(items_of(tools, log_of(call(AT + 200, 3))))
        assert here.reader.snapshot("pbx1", []).seq == seq + 2
    assert here.show("total")["total"]["answered"] == 3
    assert not [line for line in here.said if "went back" in line]


def test_a_call_that_ends_while_redis_is_away_is_no_ghost(tmp_path: Path, redis_url: str) -> None:
    client, connection = faulty(redis_url)
    here = stage(tmp_path, redis_url, TOML)
    here.client = client
    first, *rest = call(AT, 1)
    with here.tools() as tools:
        tools.writer.write(items_of(tools, log_of([first])))
        connection.fault = (connection.sent + 1, "request")
        tools.writer.write(items_of(tools, log_of(rest)))
        assert tools.writer.keeper.folded != tools.writer.position
        tools.writer.write(items_of(tools, log_of(call(AT + 100, 2))))
    snapshot = here.reader.snapshot("pbx1", [DAY])
    # Only the call whose wrap-up lasts is still in progress.
    assert list(snapshot.open_calls) == [f"{AT + 100}.2"]
    assert here.show("total")["total"]["waiting"] == 0


def test_redis_going_back_to_an_older_copy_loses_nothing(here: Stage, tmp_path: Path, redis_url: str) -> None:
    data = log_of(*(call(AT + n * 70, n) for n in range(12)))
    with here.tools() as tools:
        batches = list(batches_of(items_of(tools, data), 5))
        for number, batch in enumerate(batches):
            if number == 3:
                copy = copy_of(here.client)
            if number == 5:
                put_back(here.client, copy)
            tools.writer.write(batch)
    assert here.counted() == undisturbed(tmp_path, redis_url, TOML, data)
    assert [line for line in here.said if "went back" in line]


def test_redis_emptied_is_filled_again_and_says_so(here: Stage, tmp_path: Path, redis_url: str) -> None:
    data = log_of(*(call(AT + n * 70, n) for n in range(12)))
    with here.tools() as tools:
        for number, batch in enumerate(batches_of(items_of(tools, data), 5)):
            if number == 4:
                here.client.flushall()
                here.client.script_flush()
                assert here.reader.snapshot("pbx1", [DAY]).standing == "no_data"
            tools.writer.write(batch)
        generation = here.reader.snapshot("pbx1", []).generation
    assert here.counted() == undisturbed(tmp_path, redis_url, TOML, data)
    assert generation == 2, "who reads must see that these are other counts"
    assert any("no counts any more" in line for line in here.said)
    assert any("made again from" in line for line in here.said)


def test_redis_away_when_a_closed_day_is_needed_does_not_count_from_zero(
    tmp_path: Path, redis_url: str
) -> None:
    client, connection = faulty(redis_url)
    here = stage(tmp_path, redis_url, TOML)
    here.client = client
    old = log_of(call(AT - 2 * DAY_S, 1), call(AT, 2))
    late = log_of(call(AT - 2 * DAY_S + 30, 3))
    with here.tools() as tools:
        tools.writer.write(items_of(tools, old))
        connection.fault = (connection.sent + 1, "request")  # the reading of the closed day
        tools.writer.write(items_of(tools, late))
        assert any("counting again" in line for line in here.said)
        tools.writer.write(items_of(tools, log_of(call(AT + 100, 4))))
    expected = undisturbed(tmp_path, redis_url, TOML, old + late + log_of(call(AT + 100, 4)))
    assert here.counted() == expected


def test_half_a_rebuild_is_made_again(tmp_path: Path, redis_url: str) -> None:
    """A process that dies while it makes counts again leaves nothing that anybody would show."""
    client, connection = faulty(redis_url)
    here = stage(tmp_path, redis_url, TOML)
    here.client = client
    data = log_of(*(call(AT - 40 * DAY_S + n * DAY_S, n) for n in range(40)))
    play(here, data, size=30)
    before = here.counted()
    for request in range(2, 40, 3):
        writer = here.writer()
        connection.fault = (connection.sent + request, "request")
        try:
            writer.open(rebuild=True)
        except StoreUnavailable:
            assert here.counted() == before, "screens keep the old counts"
        else:
            writer.close()
        connection.fault = None
        assert here.counted() == before
    play(here, b"")
    keys = {key for key in here.client.scan_iter() if b"pbx1:" in key}
    generation = here.reader.snapshot("pbx1", []).generation
    assert {key.split(b":")[3] for key in keys} == {b"%d" % generation}, "nothing is left of the others"


def test_a_batch_of_more_than_a_thousand_keys_is_written_whole(
    here: Stage, tmp_path: Path, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A small hotline's log of a year, in one chunk."""
    monkeypatch.setattr(os, "fsync", lambda _: None)  # one a day takes its time, and proves nothing here
    data = log_of(*(call(AT - 300 * DAY_S + n * DAY_S, n) for n in range(300)))
    with here.tools() as tools:
        tools.writer.write(items_of(tools, data))
    found = here.counted()
    assert len(found["days"]) == 300
    assert found == undisturbed(tmp_path, redis_url, TOML, data)
    # And in one commit, after Redis was away all the time.
    client, connection = faulty(redis_url)
    late = stage(tmp_path / "late", redis_url, TOML.replace("fuzhou", "late"))
    late.client = client
    with late.tools() as tools:
        items = items_of(tools, data)
        with monkeypatch.context() as away:
            away.setattr(Writer, "commit", lambda _: None)
            tools.writer.write(items)
        commands = connection.sent
        tools.writer.commit()
        assert connection.sent - commands >= 2, "in several calls"
    assert late.counted() == found


def test_redis_out_of_memory_takes_nothing_and_later_everything(
    tmp_path: Path, redis_url: str, redis_client: redis.Redis
) -> None:
    here = stage(tmp_path, redis_url, TOML)
    data = log_of(*(call(AT + n * 70, n) for n in range(12)))
    try:
        with here.tools() as tools:
            batches = list(batches_of(items_of(tools, data), 6))
            tools.writer.write(batches[0])
            held = here.counted()
            redis_client.config_set("maxmemory-policy", "noeviction")
            redis_client.config_set("maxmemory", "1")
            for batch in batches[1:4]:
                tools.writer.write(batch)
            assert here.counted() == held, "all or nothing"
            with pytest.raises(StoreUnavailable, match="takes no writes"):
                tools.writer.beat(AFTER_S, read=True)
            redis_client.config_set("maxmemory", "0")
            for batch in batches[4:]:
                tools.writer.write(batch)
    finally:
        redis_client.config_set("maxmemory", "0")
    assert here.counted() == undisturbed(tmp_path, redis_url, TOML, data)


def test_a_full_disk_is_told_and_loses_nothing(
    here: Stage, tmp_path: Path, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = log_of(*(call(AT + n * 70, n) for n in range(12)))
    real = os.pwrite

    def half_full(fd: int, data: bytes, offset: int) -> int:
        if len(data) > 60:
            return real(fd, data[:60], offset)  # the last bytes that there was room for
        raise OSError(errno.ENOSPC, "No space left on device")

    with here.tools() as tools:
        items = items_of(tools, data)
        first, rest = items[:10], items[10:]
        tools.writer.write(first)
        held = here.counted()
        monkeypatch.setattr(os, "pwrite", half_full)
        waiting = list(rest)
        for _ in range(3):
            with pytest.raises(StoreUnavailable, match="disk is full"):
                tools.writer.write(waiting)
            assert waiting == rest
        assert here.counted() == held
        monkeypatch.undo()
        tools.writer.write(waiting)
        assert waiting == []
    assert here.counted() == undisturbed(tmp_path, redis_url, TOML, data)


@pytest.mark.parametrize("cut", [1, 20, 97])
def test_a_torn_archive_goes_on_where_it_is_whole(
    cut: int, here: Stage, tmp_path: Path, redis_url: str
) -> None:
    """The machine lost power: the last line is half there, and Redis may have more than the archive."""
    log = Path(here.config.source("pbx1").path)
    data = log_of(*(call(AT + n * 70, n) for n in range(12)))
    log.write_bytes(data[: len(data) // 2])
    with here.collecting() as drain:
        drain()
    segment = next(here.config.data_dir.glob("archive/pbx1/live/*.seg"))
    with segment.open("r+b") as file:
        file.truncate(segment.stat().st_size - cut)
    log.write_bytes(data)
    with here.collecting() as drain:
        drain()
    assert here.counted() == undisturbed(tmp_path, redis_url, TOML, data)
    assert any("torn" in line for line in here.said)


def test_an_older_copy_from_before_the_archive_was_cut_is_counted_again(
    here: Stage, tmp_path: Path, redis_url: str
) -> None:
    """Its position is no border of a line any more: what was archived since the cut is not what was there before."""
    data = log_of(*(call(AT + n * 70, n) for n in range(12)))
    with here.tools() as tools:
        items = items_of(tools, data)
        tools.writer.write(items[:20])
        copy = copy_of(here.client)
    (segment,) = tmp_path.rglob("*.seg")
    segment.write_bytes(b"".join(segment.read_bytes().splitlines(keepends=True)[:10]))
    with here.tools() as tools:
        tools.writer.write([Item(GAP, b"the disk lost some")])
        tools.writer.write(items_of(tools, data)[10:])
        put_back(here.client, copy)
        tools.writer.beat(AFTER_S, read=True)
    found = here.counted()
    writer = here.writer()
    writer.open(rebuild=True)
    writer.close()
    assert found == here.counted()
    assert found["rows"] == undisturbed(tmp_path, redis_url, TOML, data)["rows"]


def test_a_script_that_fails_halfway_is_repeated(
    here: Stage, tmp_path: Path, redis_url: str, redis_client: redis.Redis
) -> None:
    data = log_of(*(call(AT + n * 70, n) for n in range(12)))
    with here.tools() as tools:
        batches = list(batches_of(items_of(tools, data), 5))
        for batch in batches[:3]:
            tools.writer.write(batch)
        seats = here.reader.keys.source("pbx1", 1).seats
        kept = redis_client.dump(seats)
        redis_client.set(seats, "not a hash")  # rows are written before it, the position is not
        for batch in batches[3:]:
            tools.writer.write(batch)
        with pytest.raises(StoreUnavailable, match="WRONGTYPE"):
            tools.writer.beat(AFTER_S, read=True)
        redis_client.restore(seats, 0, kept, replace=True)
        tools.writer.beat(AFTER_S, read=True)
    assert here.counted() == undisturbed(tmp_path, redis_url, TOML, data)


# Days --------------------------------------------------------------------------------------------------------------


def test_a_late_line_opens_a_closed_day_and_it_closes_again(
    here: Stage, tmp_path: Path, redis_url: str
) -> None:
    day = "2026-11-21"
    old, late = log_of(call(AT - 2 * DAY_S, 1), call(AT, 2)), log_of(call(AT - 2 * DAY_S + 30, 3))
    more = log_of(call(AT + 100, 4))
    with here.tools() as tools:
        tools.writer.write(items_of(tools, old))
        keys = here.reader.keys.source("pbx1", 1)
        assert here.client.exists(keys.day(day)) and not here.client.exists(keys.rows(day))
        tools.writer.write(items_of(tools, late))
        assert here.client.exists(keys.day(day)) and here.client.exists(keys.rows(day)), "a wrap-up lasts"
        tools.writer.write(items_of(tools, more))
    assert here.client.exists(keys.day(day)) and not here.client.exists(keys.rows(day))
    snapshot = here.reader.snapshot("pbx1", [day])
    assert sum(row[0] for key, row in snapshot.days[day].rows.items() if key[0] == "c") == 2
    assert len(here.reader.calls("pbx1", 1, day)) == 2
    assert here.counted() == undisturbed(tmp_path, redis_url, TOML, old + late + more)


@pytest.mark.parametrize("size", [1, 4, 1000])
def test_a_line_from_a_far_future_closes_today_and_today_goes_on(
    size: int, here: Stage, tmp_path: Path, redis_url: str
) -> None:
    far = 2_051_222_400  # 2035
    data = log_of(
        call(AT, 1),
        [f"{AT + 80}|{AT + 80}.2|consult|NONE|ENTERQUEUE||059100000002|1"],
        [f"{far}|{far}.9|consult|NONE|ENTERQUEUE||059100000009|1"],
        call(AT + 200, 3),
        [f"{AT + 300}|{AT + 80}.2|consult|NONE|ABANDON|1|1|220"],
        call(AT + 400, 4),
    )
    play(here, data, size=size)
    found = here.counted()
    assert found == undisturbed(tmp_path, redis_url, TOML, data)
    here.now_s = AT + 1000
    total = here.show("total")["total"]
    # The one that waited was given up when the log's time passed its limit; its end came too late.
    assert (total["offered"], total["answered"], total["lost"], total["orphan"]) == (4, 3, 1, 1)
    writer = here.writer()
    writer.open(rebuild=True)
    writer.close()
    assert here.counted() == found


def test_calls_in_progress_cross_midnight(here: Stage, tmp_path: Path, redis_url: str) -> None:
    data = log_of(
        [f"{MIDNIGHT - 50}|{MIDNIGHT}.1|consult|NONE|ENTERQUEUE||059100000001|1"],
        [f"{MIDNIGHT - 40}|{MIDNIGHT}.2|consult|NONE|ENTERQUEUE||059100000002|1"],
        [f"{MIDNIGHT - 30}|{MIDNIGHT}.2|consult|Anna|CONNECT|10|{MIDNIGHT}.22|2"],
        [f"{MIDNIGHT + 20}|{MIDNIGHT}.1|consult|Ben|CONNECT|70|{MIDNIGHT}.12|2"],
        [f"{MIDNIGHT + 60}|{MIDNIGHT}.2|consult|Anna|COMPLETECALLER|10|90|1"],
        [f"{MIDNIGHT + 90}|{MIDNIGHT}.1|consult|Ben|COMPLETECALLER|70|70|1"],
    )
    with here.tools() as tools:
        for batch in batches_of(items_of(tools, data), 1):
            tools.writer.write(batch)
    assert here.counted() == undisturbed(tmp_path, redis_url, TOML, data)
    here.now_s = MIDNIGHT + 1000
    total = here.show("total")["total"]
    # Fates belong to the day of the offer, work to the day in which it was done.
    assert (total["offered"], total["answered"], total["answers"], total["talk_s"]) == (2, 2, 1, 160)
    assert total["talk_done_s"] == 30
    segments = [info.day for info in Archive(here.config.data_dir, "pbx1").segments()]
    assert segments == ["2026-11-23", "2026-11-24"]


def test_a_day_that_is_over_is_compressed_while_the_collector_runs(here: Stage) -> None:
    with here.tools() as tools:
        tools.writer.write(items_of(tools, log_of(call(AT, 1))))
        tools.writer.write(items_of(tools, log_of(call(AT + DAY_S, 2))))
        names = sorted(path.name for path in here.config.data_dir.glob("archive/pbx1/live/*"))
    assert names == ["2026-11-23.seg.gz", "2026-11-24.seg"]


def test_names_of_strangers_are_kept_as_they_are(tmp_path: Path, redis_url: str) -> None:
    hostile = ["a|b", 'say "x"', "{curly}:1", "q" * 200, "*", "坐席\x01", "\\", "'; DROP", "$1", " "]
    queues = "".join(f"[[queues]]\nname = {quoted(name)}\n" for name in hostile if name.strip())
    here = stage(tmp_path, redis_url, TOML.replace('[[queues]]\nname = "consult"\nwrapup_s = 10\n', queues))
    data = b""
    for number, name in enumerate(hostile):
        data += log_of(call(AT + number * 100, number, queue=name))
    cut = f"{AT + 2000}|{AT + 2000}.1|consult|".encode() + "林".encode() * 26 + b"\xe6|CONNECT|3|1.2|1\n"
    play(here, data + cut, size=3)
    rows = {row["key"]: row["answered"] for row in here.show("queue")["rows"]}
    assert {name: rows[name] for name in hostile} == dict.fromkeys(hostile, 1)
    assert "林" * 26 + "�" in {row["key"] for row in here.show("seat")["rows"]}
    again = stage(tmp_path, redis_url, (tmp_path / "wallboard.toml").read_text("utf-8"))
    before = again.counted()
    with again.tools():
        pass
    assert again.counted() == before


def quoted(name: str) -> str:
    import json

    return json.dumps(name, ensure_ascii=False)


# Coverage ----------------------------------------------------------------------------------------------------------


def test_a_gap_is_a_gap_after_a_rebuild_as_well(here: Stage) -> None:
    with here.tools() as tools:
        tools.writer.write(items_of(tools, log_of(call(AT, 1))))
        tools.writer.write([Item(COVERED, b"%d" % (AT + 100))])
        tools.writer.write([Item(GAP, b"the log was truncated"), Item(COVERED, b"%d" % (AT + 400))])
        tools.writer.write(items_of(tools, log_of(call(AT + 500, 2))))
    covered = here.reader.snapshot("pbx1", []).coverage
    assert covered == [(AT, AT + 100), (AT + 400, AT + 564)]
    writer = here.writer()
    writer.open(rebuild=True)
    writer.close()
    assert here.reader.snapshot("pbx1", []).coverage == covered


def test_counts_of_a_version_that_knew_no_gaps_are_made_again(here: Stage) -> None:
    with here.tools() as tools:
        tools.writer.write(items_of(tools, log_of(call(AT, 1))))
        tools.writer.write([loss("truncated", "cut"), Item(COVERED, b"%d" % (AT + 400))])
    before, told = here.counted(), here.reader.snapshot("pbx1", []).told
    generation = here.reader.snapshot("pbx1", []).generation
    here.client.hdel(HotlineKeys("fuzhou").source("pbx1", generation).meta, "known")
    with here.tools():
        pass
    snapshot = here.reader.snapshot("pbx1", [])
    assert (snapshot.generation, snapshot.told) == (generation + 1, told)
    assert told and here.counted() == before


def test_a_time_from_a_far_future_covers_nothing_of_it(here: Stage) -> None:
    """Else no gap would be seen until then."""
    far = 2_051_222_400
    with here.tools() as tools:
        tools.writer.write(items_of(tools, log_of(call(AT, 1))))
        tools.writer.write(items_of(tools, log_of([f"{far}|NONE|NONE|NONE|CONFIGRELOAD|"])))
        tools.writer.write(items_of(tools, log_of(call(AT + 200, 2))))
        tools.writer.write([Item(GAP, b"lost"), Item(COVERED, b"%d" % (AT + 900))])
    covered = [(AT, AT + 264), (AT + 900, AT + 900)]
    assert here.reader.snapshot("pbx1", []).coverage == covered
    writer = here.writer()
    writer.open(rebuild=True)
    writer.close()
    assert here.reader.snapshot("pbx1", []).coverage == covered


# Who writes --------------------------------------------------------------------------------------------------------


def test_a_second_writer_of_the_same_directory_is_refused(here: Stage) -> None:
    with here.tools(), pytest.raises(PositionConflict, match=f"process {os.getpid()} already writes"):
        here.writer().open()


def test_a_second_writer_elsewhere_is_refused_until_it_takes_over(
    tmp_path: Path, redis_url: str, here: Stage
) -> None:
    there = stage(tmp_path / "there", redis_url, TOML)
    with here.tools() as tools:
        tools.writer.write(items_of(tools, log_of(call(AT, 1))))
        with pytest.raises(PositionConflict, match=rf"process {os.getpid()} on .*--takeover"):
            there.writer().open()
        other = there.writer()
        other.open(takeover=True)
        with pytest.raises(PositionConflict):
            tools.writer.beat(AFTER_S, read=True)
        with pytest.raises(PositionConflict):
            tools.writer.write(items_of(tools, log_of(call(AT + 100, 2))))
        other.close()


def test_the_lease_of_a_dead_writer_of_the_same_directory_is_taken_at_once(here: Stage) -> None:
    writer = here.writer()
    writer.open()
    writer.archive.close()  # what the kernel does for a process that is killed
    again = here.writer()
    again.open()
    again.close()
    assert not here.client.exists(here.reader.keys.lease("pbx1"))


@pytest.mark.parametrize("act", ["write", "beat"])
def test_an_older_copy_with_the_lease_of_a_dead_writer_of_the_same_directory_stops_nobody(
    act: str, here: Stage, tmp_path: Path, redis_url: str
) -> None:
    data = log_of(*(call(AT + n * 70, n) for n in range(12)))
    lease = here.reader.keys.lease("pbx1")
    with here.tools() as tools:
        items = items_of(tools, data)
        tools.writer.write(items[:9])
        copy = copy_of(here.client)
        dead = here.client.get(lease).rpartition(b"#")[0] + b"#1:dead"
    with here.tools() as tools:
        tools.writer.write(items[9:20])
        put_back(here.client, copy)
        here.client.set(lease, dead, px=10_000)
        if act == "write":
            tools.writer.write(items[20:])
        else:
            tools.writer.beat(AFTER_S, read=True)
            assert b"#%d:" % os.getpid() in here.client.get(lease)
            tools.writer.write(items[20:])
    assert here.counted() == undisturbed(tmp_path, redis_url, TOML, data)


# Clocks gone wild --------------------------------------------------------------------------------------------------


def wild_log(rng: random.Random) -> bytes:
    """A log whose clock jumps by days, to and fro, with calls, transfers, pauses and restarts in between."""
    at = AT
    lines: list[str] = []
    waiting: list[tuple[str, str]] = []
    talking: list[tuple[str, str, str]] = []
    gone: list[str] = []
    for number in range(rng.randrange(20, 120)):
        jump = rng.random()
        if jump < 0.06:
            at += rng.choice([-3, -2, -1, 1, 2, 3]) * DAY_S + rng.randrange(-HOURS_S, HOURS_S)
        elif jump < 0.12:
            at += rng.randrange(-4 * HOURS_S, 12 * HOURS_S)
        at += rng.randrange(0, 40)
        act = rng.random()
        seat = rng.choice(["Anna", "Ben"])
        queue = rng.choice(["consult", "city"])
        if act < 0.4:
            # Some come back from another queue.
            callid = gone.pop() if gone and rng.random() < 0.5 else f"{AT}.{number}"
            waiting.append((callid, queue))
            lines.append(f"{at}|{callid}|{queue}|NONE|ENTERQUEUE||0591000{number:05d}|1")
        elif act < 0.6 and waiting:
            callid, queue = waiting.pop(rng.randrange(len(waiting)))
            talking.append((callid, queue, seat))
            lines.append(f"{at}|{callid}|{queue}|{seat}|CONNECT|{rng.randrange(90)}|{at}.99|2")
        elif act < 0.7 and waiting:
            callid, queue = waiting.pop()
            verb = rng.choice(["ABANDON|1|1", "EXITWITHTIMEOUT|1|1"])
            gone.append(callid)
            lines.append(f"{at}|{callid}|{queue}|NONE|{verb}|{rng.randrange(90)}")
        elif act < 0.88 and talking:
            callid, queue, seat = talking.pop(rng.randrange(len(talking)))
            lines.append(f"{at}|{callid}|{queue}|{seat}|COMPLETEAGENT|3|{rng.randrange(300)}|1")
        elif act < 0.97:
            lines.append(f"{at}|NONE|{queue}|{seat}|{rng.choice(['PAUSE', 'UNPAUSE'])}|tea")
        else:
            lines.append(f"{at}|NONE|NONE|NONE|QUEUESTART|")
            waiting, talking = [], []
    return log_of(lines)


@pytest.mark.slow
def test_a_clock_gone_wild_counts_the_same_however_it_is_cut(tmp_path: Path, redis_url: str) -> None:
    seed = random.randrange(10**6)
    print(f"seed {seed}")
    for number in range(15):
        rng = random.Random(seed + number)
        data = wild_log(rng)
        toml = TOML.replace("fuzhou", f"wild{number}")
        folder = tmp_path / f"{number}"
        here = stage(folder, redis_url, toml)
        items = iter_items(here, data)
        while items:
            with here.tools() as tools:
                for _ in range(rng.randrange(1, 6)):
                    size = rng.randrange(1, 12)
                    batch, items = items[:size], items[size:]
                    tools.writer.write(batch)
        found = here.counted()
        expected = undisturbed(folder, redis_url, toml.replace(f"wild{number}", f"fuzhou{number}"), data)
        # An id that comes again after the fold has forgotten it is two calls, and one entry in the list of its day.
        assert without(found, "calls") == without(expected, "calls"), f"seed {seed + number}"
        writer = here.writer()
        writer.open(rebuild=True)
        writer.close()
        assert without(here.counted(), "calls") == without(found, "calls"), f"seed {seed + number}"


def without(found: dict[str, Any], part: str) -> dict[str, Any]:
    return {name: value for name, value in found.items() if name != part}


def iter_items(here: Stage, data: bytes) -> list[Item]:
    with here.tools() as tools:
        return items_of(tools, data)
