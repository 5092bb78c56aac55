"""`wallboard audit` finds every count that the archive does not bear out, beside a collector that goes on."""

import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hotline import (
    AFTER_S,
    DAY,
    NAMES,
    Recording,
    Stage,
    batches_of,
    gunzipped,
    items_of,
    recording,
    stage,
    to_after_s,
)

from dashboard.cli import main
from dashboard.commands.process import CLOCK
from dashboard.core.calls import Call
from dashboard.store import codec
from dashboard.store.keys import HotlineKeys, field

BESIDE = Path(__file__).parents[1] / "recordings" / "asterisk"
SMALL = ("names", "restart", "rotate", "short-a")
OLD_S = AFTER_S - 3 * 86_400
OLD = "2026-11-20"

Audit = Callable[..., tuple[int, str, str]]


def old_lines(at_s: int = OLD_S) -> bytes:
    """A call of a day that is closed."""
    lines = (
        f"{at_s}|{at_s}.1|consult|NONE|ENTERQUEUE||0591|1",
        f"{at_s + 4}|{at_s}.1|consult|NONE|ABANDON|1|1|4",
    )
    return "".join(line + "\n" for line in lines).encode()


@pytest.fixture
def audit(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Audit:
    """Audits: exit code, stdout, stderr."""
    monkeypatch.setenv(CLOCK, repr(to_after_s()))

    def run(*words: str) -> tuple[int, str, str]:
        capsys.readouterr()
        code = main(["audit", *words])
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


def staged(played: Recording, tmp_path: Path, redis_url: str, monkeypatch: pytest.MonkeyPatch) -> Stage:
    made = stage(tmp_path, redis_url, played.toml(log=tmp_path / "queue_log", redis_url=redis_url))
    monkeypatch.setenv("WALLBOARD_CONFIG", str(made.config.path))
    return made


@pytest.fixture
def here(tmp_path: Path, redis_url: str, monkeypatch: pytest.MonkeyPatch) -> Stage:
    """A recording, collected, with a closed day before it."""
    made = staged(Recording(BESIDE / "restart"), tmp_path, redis_url, monkeypatch)
    with made.tools() as tools:
        tools.writer.write(items_of(tools, old_lines() + Recording(BESIDE / "restart").data))
        tools.writer.beat(int(made.now_s), read=True)
    return made


def keys(here: Stage) -> Any:
    return HotlineKeys("fuzhou").source("pbx1", here.reader.snapshot("pbx1", []).generation)


@pytest.mark.slow
@pytest.mark.parametrize("name", [*(f"{name} (ours)" for name in SMALL), *NAMES])
def test_nothing_differs_wherever_the_stream_is(
    name: str,
    request: pytest.FixtureRequest,
    tmp_path: Path,
    redis_url: str,
    monkeypatch: pytest.MonkeyPatch,
    audit: Audit,
) -> None:
    short, _, ours = name.partition(" ")
    played = Recording(BESIDE / short) if ours else recording(request.getfixturevalue("shared_data"), short)
    made = staged(played, tmp_path, redis_url, monkeypatch)
    old = tmp_path / "old"
    old.write_bytes(old_lines(OLD_S - 86_400))
    with made.tools() as tools:
        items = items_of(tools, old_lines() + played.data)
        for batch in batches_of(items, len(items) // 3):
            tools.writer.write(batch)
            code, out, err = audit("2026-11-01..2026-11-30")
            assert (code, err) == (0, ""), out
            assert out.startswith("pbx1: no difference in ")
    assert main(["import", "queue_log", str(old), "--source", "pbx1"]) == 0
    code, out, err = audit("2026-11", "--json")
    assert (code, err) == (0, ""), out
    [told] = json.loads(out)["sources"]
    assert (told["days"], told["total"], told["position"][-7:]) == (3, 0, "#000001")
    assert told["records"] == len(archived(made))


def archived(here: Stage) -> list[Any]:
    from dashboard.store.archive import Archive

    archive = Archive(here.config.data_dir, "pbx1")
    found = [record for chunk in archive.read_live() for record in chunk.records]
    for info in archive.imports():
        found += [record for records in archive.read_import(info.number) for record in records]
    return found


def test_what_is_archived_and_not_counted_yet_is_no_difference(here: Stage, audit: Audit) -> None:
    """A collector writes the archive first."""
    at = AFTER_S + 5
    with here.tools() as tools:
        [item] = items_of(tools, f"{at}|{at}.1|consult|NONE|ENTERQUEUE||0591|1\n".encode())
        tools.writer.archive.append([(item.kind, item.payload)], DAY)
        tools.writer.archive.flush()
        assert audit("2026-11")[0] == 0
        tools.writer.keeper.sound = False
        tools.writer.keeper.commit()
        assert audit("2026-11")[0] == 0


@pytest.mark.slow
def test_it_runs_beside_a_collector(
    shared_data: Path, tmp_path: Path, redis_url: str, monkeypatch: pytest.MonkeyPatch, audit: Audit
) -> None:
    played = recording(shared_data, "busy-a")
    made = staged(played, tmp_path, redis_url, monkeypatch)
    with made.tools() as tools:
        batches = list(batches_of(items_of(tools, old_lines() + played.data), 7))
        tools.writer.write(batches.pop(0))

        def collect() -> None:
            for batch in batches:
                tools.writer.write(batch)

        writing = threading.Thread(target=collect)
        writing.start()
        while writing.is_alive():
            code, out, err = audit("2026-11")
            assert (code, err) == (0, ""), out
        writing.join()
        assert audit("2026-11")[0] == 0


def test_a_changed_count_is_found(here: Stage, audit: Audit) -> None:
    snapshot = here.reader.snapshot("pbx1", [DAY])
    key = max(key for key in snapshot.days[DAY].rows if key[:2] == ("q", "consult"))
    row = list(snapshot.days[DAY].rows[key])
    row[0] += 2
    here.client.hset(keys(here).rows(DAY), field(*key), codec.encode_row(row))
    code, out, _ = audit(DAY, "--json")
    assert code == 1
    [told] = json.loads(out)["sources"]
    assert told["total"] == 1
    assert told["differences"] == [
        {
            "day": DAY,
            "kind": "queue",
            "id": "consult",
            "slot": key[2],
            "column": "offered",
            "stored": row[0],
            "archive": row[0] - 2,
        }
    ]
    code, out, _ = audit(DAY)
    first, last = out.splitlines()
    assert "queue consult offered" in first and f"stored {row[0]}, archive {row[0] - 2}" in first
    assert "1 difference in" in last and "wallboard rebuild" in last
    assert audit(OLD)[0] == 0, "another day is as it was"


def test_a_row_or_a_call_that_is_gone_or_too_many_is_found(here: Stage, audit: Audit) -> None:
    made = keys(here)
    callid = here.client.hkeys(made.calls(DAY))[0]
    here.client.hdel(made.calls(DAY), callid)
    here.client.hset(made.calls(DAY), "1.1", codec.encode(Call("1.1", AFTER_S, [])))
    row = here.client.hkeys(made.rows(DAY))[0]
    here.client.hdel(made.rows(DAY), row)
    code, out, _ = audit(DAY, "--json")
    assert code == 1
    found = json.loads(out)["sources"][0]["differences"]
    calls = {
        one["id"]: (one["stored"] is None, one["archive"] is None) for one in found if one["kind"] == "call"
    }
    assert calls == {callid.decode(): (True, False), "1.1": (False, True)}
    assert {one["stored"] for one in found if one["kind"] != "call"} == {0}


def test_a_closed_day_and_what_is_of_no_day_are_compared_too(here: Stage, audit: Audit) -> None:
    made = keys(here)
    day = codec.unpack_day(here.client.get(made.day(OLD)))
    day.rows[0][3][0] += 1
    here.client.set(made.day(OLD), codec.pack_day((((k, i, s), row) for k, i, s, row in day.rows), day.multi))
    seat_id, seat = next(iter(here.reader.snapshot("pbx1", []).seats.items()))
    seat.reason = "never said"
    here.client.hset(made.seats, seat_id, codec.encode(seat))
    clock = here.reader.snapshot("pbx1", []).clock
    clock.steps_back += 1
    here.client.hset(made.meta, "clock", codec.encode(clock))
    code, out, _ = audit(OLD, "--json")
    assert code == 1
    found = json.loads(out)["sources"][0]["differences"]
    assert [(one["day"], one["kind"], one["column"]) for one in found] == [
        (OLD, "calls", "offered"),
        ("", "seat_state", "reason"),
        ("", "clock", "steps_back"),
    ]


def test_many_differences_are_told_by_their_number(here: Stage, audit: Audit) -> None:
    here.client.delete(keys(here).rows(DAY), keys(here).calls(DAY))
    code, out, _ = audit(DAY, "--json")
    [told] = json.loads(out)["sources"]
    assert code == 1
    assert len(told["differences"]) == 200 < told["total"]
    assert f"{told['total']:,} differences (200 of them shown)" in audit(DAY)[1]


def test_counts_that_are_being_made_again_are_not_compared(here: Stage, audit: Audit) -> None:
    here.client.hset(keys(here).meta, "position", codec.UNFINISHED)
    code, out, _ = audit(DAY)
    assert (code, "made again" in out) == (1, True)


def test_counts_that_are_gone_are_told(here: Stage, audit: Audit) -> None:
    here.client.flushall()
    code, out, _ = audit(DAY)
    assert (code, "wallboard rebuild" in out) == (1, True)


def test_an_archive_that_is_shorter_is_an_error(here: Stage, audit: Audit) -> None:
    segment = here.config.data_dir / "archive" / "pbx1" / "live" / f"{DAY}.seg"
    lines = segment.read_bytes().splitlines(keepends=True)
    segment.write_bytes(b"".join(lines[:-5]))
    code, out, err = audit(DAY)
    assert (code, out) == (1, "")
    assert "shorter than what is counted" in err and err.count("\n") == 1
    segment.write_bytes(b"".join(lines[:-2] + [lines[0]] * 30))
    code, out, err = audit(DAY)
    assert (code, out) == (1, "")
    assert "was cut or replaced" in err


def test_an_import_that_is_missing_is_an_error(here: Stage, tmp_path: Path, audit: Audit) -> None:
    old = tmp_path / "old"
    old.write_bytes(old_lines(OLD_S - 86_400))
    assert main(["import", "queue_log", str(old), "--source", "pbx1"]) == 0
    [segment] = (here.config.data_dir / "archive" / "pbx1" / "import").glob("*.gz")
    segment.unlink()
    code, out, err = audit(DAY)
    assert (code, out) == (1, "")
    assert "import 1 is missing" in err


def test_a_damaged_archive_is_an_error(here: Stage, audit: Audit) -> None:
    segment = next((here.config.data_dir / "archive" / "pbx1" / "live").glob(f"{DAY}.seg"))
    data = bytearray(gunzipped(segment))
    data[len(data) // 2] ^= 1
    segment.write_bytes(data)
    code, out, err = audit(DAY)
    assert (code, out) == (1, "")
    assert "is damaged" in err and err.count("\n") == 1


def test_other_rules_are_told_by_audit_show_and_check(
    here: Stage, audit: Audit, capsys: pytest.CaptureFixture[str]
) -> None:
    made = keys(here)
    for day, closed in ((DAY, False), (OLD, True)):
        here.client.hset(
            made.days, day, codec.encode(codec.Stamp(1, 0, here.config.fingerprint(), "", closed))
        )
    code, _, err = audit(DAY)
    assert (code, err) == (0, f"pbx1: {DAY}: counted with parser 0, this is 1: run `wallboard rebuild`\n")
    assert main(["show", "2026-11", "--json"]) == 0
    said = capsys.readouterr()
    assert said.err == f"pbx1: {OLD}, {DAY}: counted with parser 0, this is 1: run `wallboard rebuild`\n"
    assert json.loads(said.out)["total"]["offered"]
    main(["check", "--json"])
    notes = [one for one in json.loads(capsys.readouterr().out)["findings"] if one["level"] == "note"]
    assert [(one["where"], one["text"].partition(": ")[0]) for one in notes] == [("pbx1", f"{OLD}, {DAY}")]
    path = here.config.path
    path.write_text(path.read_text("utf-8").replace("wrapup_s = 10", "wrapup_s = 11"), "utf-8")
    assert "other names or settings" in audit(DAY)[2]


def test_wrong_use_is_one_line_and_exit_2(here: Stage, audit: Audit) -> None:
    for words in (["yesterday"], [DAY, "--source", "nowhere"]):
        code, out, err = audit(*words)
        assert (code, out, err.count("\n")) == (2, "", 1)


def test_nothing_is_written(here: Stage, audit: Audit) -> None:
    before = {key: here.client.dump(key) for key in here.client.scan_iter()}
    files = {path: path.read_bytes() for path in here.config.data_dir.rglob("*") if path.is_file()}
    assert audit("2026-11")[0] == 0
    assert {key: here.client.dump(key) for key in here.client.scan_iter()} == before
    assert {path: path.read_bytes() for path in here.config.data_dir.rglob("*") if path.is_file()} == files
