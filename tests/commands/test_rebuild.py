"""`wallboard rebuild` makes the counts again from the archive, of every source that has one."""

from pathlib import Path

import pytest
import redis
from hotline import Stage, items_of, recording, stage

from dashboard.cli import main


@pytest.fixture
def here(shared_data: Path, tmp_path: Path, redis_url: str, monkeypatch: pytest.MonkeyPatch) -> Stage:
    played = recording(shared_data, "short-a")
    made = stage(tmp_path, redis_url, played.toml(log=tmp_path / "queue_log", redis_url=redis_url))
    monkeypatch.setenv("WALLBOARD_CONFIG", str(made.config.path))
    with made.tools() as tools:
        tools.writer.write(items_of(tools, played.data))
    main(["import", "queue_log", str(played.files[0]), "--source", "old"])
    return made


def test_every_source_is_made_again(
    here: Stage, redis_client: redis.Redis, capsys: pytest.CaptureFixture[str]
) -> None:
    before = here.counted()
    old = Stage(here.config, here.client, source="old").counted()
    assert old == before
    redis_client.flushall()
    capsys.readouterr()
    assert main(["rebuild"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(":")[0] for line in lines] == ["old", "pbx1"]
    assert here.counted() == before
    assert Stage(here.config, here.client, source="old").counted() == before


def test_one_source_is_made_again(here: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    generation = here.reader.snapshot("old", []).generation
    capsys.readouterr()
    assert main(["rebuild", "--source", "pbx1"]) == 0
    assert capsys.readouterr().out.startswith("pbx1: made again")
    assert here.reader.snapshot("old", []).generation == generation


def test_an_unknown_source_is_refused(here: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert main(["rebuild", "--source", "pbx9"]) == 2
    err = capsys.readouterr().err
    assert "pbx9" in err and "old, pbx1" in err
    assert err.count("\n") == 1


def test_a_source_that_is_being_collected_is_refused(here: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    with here.tools():
        capsys.readouterr()
        assert main(["rebuild", "--source", "pbx1"]) == 1
    err = capsys.readouterr().err
    assert "already writes" in err
    assert err.count("\n") == 1


def test_a_period_that_is_none_is_an_error(here: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    before = here.counted()
    capsys.readouterr()
    assert main(["rebuild", "yesterday"]) == 2
    assert "2026-11-23" in capsys.readouterr().err
    assert main(["rebuild", "2020"]) == 0
    assert here.counted() == before


def test_the_days_of_a_period_are_made_again_and_what_was_wrong_is_right(
    here: Stage, capsys: pytest.CaptureFixture[str]
) -> None:
    before = here.counted()
    generation = here.reader.snapshot("pbx1", []).generation
    keys = here.reader.keys.source("pbx1", generation)
    for name in here.client.hkeys(keys.rows("2026-11-23")):
        if not name.startswith(b"m"):
            here.client.hset(keys.rows("2026-11-23"), name, "[7]")
    here.client.delete(keys.calls("2026-11-23"))
    assert here.counted() != before
    capsys.readouterr()
    assert main(["rebuild", "2026-11-23", "--source", "pbx1"]) == 0
    assert "counted again: 2026-11-23" in capsys.readouterr().err
    assert here.counted() == before
    assert here.reader.snapshot("pbx1", []).generation == generation, "in place"
    assert main(["audit", "2026-11"]) == 0
