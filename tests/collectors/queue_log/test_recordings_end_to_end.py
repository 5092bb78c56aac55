"""Every recording of a real switch through collector, archive, fold and Redis equals what its driver saw."""

from pathlib import Path

import pytest
from hotline import DAY, NAMES, Stage, recording, stage

from collectors.queue_log.collect import import_file, order

COUNTS = ("offered", "answered", "abandoned", "overflowed", "lost", "cut")


def counts_by_queue(played: Stage) -> dict[str, dict[str, int]]:
    rows = played.show("queue")["rows"]
    return {row["key"]: {name: row[name] for name in COUNTS} for row in rows}


def answers_by_seat(played: Stage) -> dict[str, int]:
    return {row["key"]: row["answers"] for row in played.show("seat")["rows"] if row["answers"]}


@pytest.mark.parametrize("name", NAMES)
def test_collecting_a_recording_counts_what_its_driver_saw(
    name: str, shared_data: Path, tmp_path: Path, redis_url: str
) -> None:
    played = recording(shared_data, name)
    log = tmp_path / "queue_log"
    here = stage(tmp_path, redis_url, played.toml(log=log))
    with here.collecting() as drain:
        data = played.data
        with log.open("ab", buffering=0) as file:
            for start in range(0, len(data), 3001):  # lines are cut anywhere
                file.write(data[start : start + 3001])
                drain()
    assert counts_by_queue(here) == played.queues()
    assert answers_by_seat(here) == played.seats()
    total = here.show("total")["total"]
    assert total["waiting"] == 0
    assert total["legs"] == sum(of["offered"] for of in played.queues().values())
    assert total["offered"] == sum(
        total[fate] for fate in ("answered", "abandoned", "overflowed", "lost", "waiting")
    )


def test_rotation_while_collecting_loses_nothing(shared_data: Path, tmp_path: Path, redis_url: str) -> None:
    played = recording(shared_data, "rotate")
    log = tmp_path / "queue_log"
    here = stage(tmp_path, redis_url, played.toml(log=log))
    with here.collecting() as drain:
        for number, path in enumerate(played.files):
            if number:
                # As Asterisk does it: older ones move up, the live one becomes .0, a new one begins.
                for older in range(number - 1, 0, -1):
                    (tmp_path / f"queue_log.{older - 1}").rename(tmp_path / f"queue_log.{older}")
                log.rename(tmp_path / "queue_log.0")
            data = path.read_bytes()
            with log.open("ab", buffering=0) as file:
                half = len(data) // 2
                file.write(data[:half])
                if number % 2:
                    drain()
                file.write(data[half:])
            if number < 2:
                drain()
        drain()
    assert counts_by_queue(here) == played.queues()
    assert answers_by_seat(here) == played.seats()


@pytest.mark.parametrize("name", NAMES)
def test_importing_and_rebuilding_give_what_collecting_gave(
    name: str, shared_data: Path, tmp_path: Path, redis_url: str
) -> None:
    played = recording(shared_data, name)
    log = tmp_path / "queue_log"
    log.write_bytes(played.data)
    live = stage(tmp_path / "live", redis_url, played.toml(log=log))
    with live.collecting() as drain:
        drain()
    collected = live.counted()

    writer = live.writer()
    writer.open(rebuild=True)
    writer.close()
    rebuilt = live.counted()

    imported = stage(
        tmp_path / "imported", redis_url, played.toml(log=tmp_path / "none").replace("fuzhou", "xiamen")
    )
    with imported.tools() as tools:
        for path in order(reversed(played.files)):
            done = import_file(tools, path, lambda _: None)
            assert (done.rejected, done.repeated) == (0, False)
            tools.writer.commit()
    assert rebuilt == collected
    assert imported.counted() == collected


def test_what_collecting_gave_is_what_show_prints(shared_data: Path, tmp_path: Path, redis_url: str) -> None:
    played = recording(shared_data, "restart")
    log = tmp_path / "queue_log"
    log.write_bytes(played.data)
    here = stage(tmp_path, redis_url, played.toml(log=log))
    with here.collecting() as drain:
        drain()
    by_slot = here.show("slot", minutes=15)
    by_day = here.show("day")
    for column in COUNTS:
        assert sum(row[column] for row in by_slot["rows"] if row[column]) == by_slot["total"][column]
        assert [row[column] for row in by_day["rows"]] == [by_slot["total"][column]]
    assert [row["key"] for row in by_day["rows"]] == [DAY]
    assert by_slot["total"]["lost"] == by_slot["total"]["lost_switch_died"] == 6
    assert by_slot["total"]["cut"] == 11
