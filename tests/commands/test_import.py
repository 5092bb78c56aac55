"""`wallboard import` as an operator meets it: what it prints, what it refuses, its exit codes."""

import gzip
import shutil
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from hotline import AFTER_S, Recording, Stage, recording, stage, until

from collectors.runner import Runner
from dashboard.cli import main

Import = Callable[..., tuple[int, str, str]]


@pytest.fixture
def played(shared_data: Path) -> Recording:
    return recording(shared_data, "rotate")


@pytest.fixture
def here(played: Recording, tmp_path: Path, redis_url: str) -> Stage:
    return stage(tmp_path, redis_url, played.toml(log=tmp_path / "queue_log", redis_url=redis_url))


@pytest.fixture
def imports(here: Stage, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Import:
    """Imports files: exit code, stdout, stderr."""
    monkeypatch.setenv("WALLBOARD_CONFIG", str(here.config.path))

    def run(*words: object) -> tuple[int, str, str]:
        code = main(["import", "queue_log", *map(str, words)])
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


def test_it_prints_what_became_of_each_file(
    imports: Import, here: Stage, played: Recording, tmp_path: Path
) -> None:
    code, out, err = imports(*played.files[::-1])
    assert (code, err) == (0, "")
    lines = [
        f"{path}: accepted {n}, repeated 0, rejected 0"
        for path, n in zip(played.files, (134, 136, 30), strict=True)
    ]
    offered = sum(of["offered"] for of in played.queues().values())
    assert out.splitlines()[:3] == lines, "oldest first"
    [told] = out.splitlines()[3:]
    assert told.startswith("new: 2026-11-23, offered ")
    assert int(told.rpartition(" ")[2]) <= offered, "calls, not legs"
    rows = {row["key"]: row["offered"] for row in here.show("queue")["rows"] if row["offered"]}
    assert rows == {queue: of["offered"] for queue, of in played.queues().items()}

    packed = tmp_path / "again.gz"
    packed.write_bytes(gzip.compress(played.files[0].read_bytes()))
    code, out, err = imports(packed, played.files[1])
    assert (code, err) == (0, "")
    assert out.splitlines() == [
        f"{packed}: repeated, nothing added",
        f"{played.files[1]}: repeated, nothing added",
    ]


def test_strict_makes_a_reject_an_error(imports: Import, played: Recording, tmp_path: Path) -> None:
    bad = tmp_path / "bad"
    bad.write_bytes(played.files[0].read_bytes() + b"1795445258|x\n")
    code, out, _ = imports(bad, "--strict")
    assert code == 1
    assert out.startswith(f"{bad}: accepted 134, repeated 0, rejected 1\n")


def test_a_reject_is_no_error_without_strict(imports: Import, played: Recording, tmp_path: Path) -> None:
    bad = tmp_path / "bad"
    bad.write_bytes(b"no line at all\n" + played.files[0].read_bytes())
    assert imports(bad)[0] == 0


def test_an_overlap_counts_once_and_the_days_that_changed_are_told(
    imports: Import, here: Stage, played: Recording, tmp_path: Path
) -> None:
    mixed = tmp_path / "mixed"
    mixed.write_bytes(played.files[0].read_bytes()[2000:] + played.files[1].read_bytes())
    assert imports(played.files[0])[0] == 0
    before = here.show("total")["total"]
    code, out, err = imports(mixed)
    after = here.show("total")["total"]
    assert code == 0
    assert "counted again: 2026-11-23" in err and err.count("\n") == 1
    [told] = out.splitlines()[1:]
    assert told.startswith("changed: 2026-11-23, offered ")
    assert f"offered {before['offered']} → {after['offered']}" in told
    assert imports(played.files[1])[1].splitlines()[1:] == ["nothing changed"]
    assert imports(played.files[2])[0] == 0
    rows = {row["key"]: row["offered"] for row in here.show("queue")["rows"] if row["offered"]}
    assert rows == {queue: of["offered"] for queue, of in played.queues().items()}


@pytest.mark.parametrize("what", ["none", "folder", "empty", "damaged"])
def test_files_that_are_none(what: str, imports: Import, tmp_path: Path, played: Recording) -> None:
    path = tmp_path / "f.gz"
    if what == "folder":
        path.mkdir()
    elif what == "empty":
        path.write_bytes(b"")
    elif what == "damaged":
        path.write_bytes(gzip.compress(played.data)[:-30])
    code, out, err = imports(path)
    expected = {"none": 2, "folder": 2, "empty": 0, "damaged": 1}
    assert code == expected[what]
    if code:
        assert str(path) in err and err.count("\n") == 1 and "Traceback" not in err
    else:
        assert out == f"{path}: accepted 0, repeated 0, rejected 0\nnothing changed\n"


def test_the_source_is_the_only_one_of_the_kind_or_named(
    played: Recording,
    tmp_path: Path,
    redis_url: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    more = '[[sources]]\nname = "pbx2"\nkind = "queue_log"\npath = "other"'
    here = stage(tmp_path, redis_url, played.toml(log=tmp_path / "queue_log", redis_url=redis_url, more=more))
    monkeypatch.setenv("WALLBOARD_CONFIG", str(here.config.path))
    assert main(["import", "queue_log", str(played.files[0])]) == 2
    assert "--source pbx1 | pbx2" in capsys.readouterr().err
    assert main(["import", "queue_log", str(played.files[0]), "--source", "pbx2"]) == 0
    assert here.reader.sources() == ["pbx2"]
    assert main(["import", "queue_log", str(played.files[1]), "--source", "a/b"]) == 2
    assert "a/b" in capsys.readouterr().err
    # Without any, it goes by the name of its kind.
    text = here.config.path.read_text("utf-8")
    here.config.path.write_text(text[: text.index("[[sources]]")], "utf-8")
    assert main(["import", "queue_log", str(played.files[1])]) == 0
    assert here.reader.sources() == ["pbx2", "queue_log"]


def test_the_collector_counts_what_is_imported_meanwhile(
    imports: Import, here: Stage, played: Recording, tmp_path: Path
) -> None:
    log = tmp_path / "queue_log"
    log.write_bytes(played.files[1].read_bytes() + played.files[2].read_bytes())
    stop = threading.Event()
    runner = Runner(here.config, here.client, "pbx1", clock=lambda: AFTER_S, log=here.said.append)
    collecting = threading.Thread(target=runner.run, args=(stop,))
    collecting.start()
    try:
        until(lambda: any("collecting" in line for line in here.said))
        until(lambda: here.reader.snapshot("pbx1", []).read_ms is not None)
        code, out, err = imports(played.files[0], played.files[1])
    finally:
        stop.set()
        collecting.join()
    assert code == 0
    assert "is being collected" in err and err.count("\n") == 1
    assert out.splitlines()[2].startswith("changed: 2026-11-23, offered ")
    rows = {row["key"]: row["offered"] for row in here.show("queue")["rows"] if row["offered"]}
    assert rows == {queue: of["offered"] for queue, of in played.queues().items()}


def test_what_another_machine_collects_is_not_imported_into(
    imports: Import, here: Stage, played: Recording
) -> None:
    here.client.set(here.reader.keys.lease("pbx1"), "elsewhere:/data#1:x")
    code, out, err = imports(played.files[0])
    assert (code, out) == (1, "")
    assert "is written by process" in err and err.count("\n") == 1


def test_many_days_are_counted_in_flat_memory_and_nothing_of_them_is_left_open(
    here: Stage, imports: Import, tmp_path: Path
) -> None:
    first = 1761868800 + 8 * 3600  # 2025-11
    lines = []
    for day in range(40):
        at = first + day * 86_400
        lines += [
            f"{at}|{at}.1|consult|NONE|ENTERQUEUE||19900000001|1",
            f"{at + 9}|{at}.1|consult|林晓燕|CONNECT|9|{at}.2|2",
            f"{at + 60}|{at}.1|consult|林晓燕|COMPLETECALLER|9|51|1",
        ]
    path = tmp_path / "old"
    path.write_text("\n".join([*lines, ""]))
    assert imports(path)[0] == 0
    found = here.counted()
    assert len(found["days"]) == 40
    # The last one's wrap-up lasts for all that the log says.
    assert len(found["calls"]) + len(here.reader.snapshot("pbx1", []).open_calls) == 40
    assert sum(row[0] for key, row in found["rows"].items() if key[0] == "c") == 40
    # Another, older file is counted before it.
    shutil.copy(path, tmp_path / "older")
    text = path.read_text().replace("|19900000001|", "|19900000002|")
    older = "\n".join(
        f"{int(line[:10]) - 200 * 86_400}{line[10:].replace(f'|{line[:10]}.', f'|{int(line[:10]) - 17_280_000}.')}"
        for line in text.splitlines()
    )
    (tmp_path / "older").write_text(older + "\n")
    assert imports(tmp_path / "older")[0] == 0
    again = here.counted()
    assert len(again["days"]) == 80
    assert {key: row for key, row in again["rows"].items() if key in found["rows"]} == found["rows"]
    until(lambda: not here.client.exists(here.reader.keys.rebuild("pbx1")))
