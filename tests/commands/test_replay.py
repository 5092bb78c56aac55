"""`wallboard replay` appends a recording's lines in their rhythm."""

import time
from pathlib import Path

import pytest

from dashboard.cli import main

LINES = (
    b"1795445100|NONE|NONE|NONE|QUEUESTART|\n"
    b"1795445101|1795445101.1|consult|NONE|ENTERQUEUE||19900000001|1\n"
    b"no time here\n"
    b"1795445103|1795445101.1|a\rb\xff|NONE|ABANDON|1|1|2"
)


@pytest.fixture
def recorded(tmp_path: Path) -> Path:
    path = tmp_path / "recorded"
    path.write_bytes(LINES)
    return path


def test_all_lines_come_at_once_as_they_are(
    recorded: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    to = tmp_path / "queue_log"
    to.write_bytes(b"before\n")
    assert main(["replay", str(recorded), "--to", str(to), "--speed", "0"]) == 0
    assert to.read_bytes() == b"before\n" + LINES + b"\n"
    assert capsys.readouterr().out == f"4 lines appended to {to}\n"


def test_the_rhythm_is_kept_faster(recorded: Path, tmp_path: Path) -> None:
    begun = time.monotonic()
    assert main(["replay", str(recorded), "--to", str(tmp_path / "q"), "--speed", "10"]) == 0
    assert 0.3 <= time.monotonic() - begun < 2


def test_now_shifts_all_times_alike(recorded: Path, tmp_path: Path) -> None:
    to = tmp_path / "q"
    before = int(time.time())
    assert main(["replay", str(recorded), "--to", str(to), "--speed", "0", "--now"]) == 0
    times = [int(line[:10]) for line in to.read_bytes().split(b"\n") if line[:10].isdigit()]
    assert before <= times[0] <= time.time()
    assert [at - times[0] for at in times] == [0, 1, 3]
    assert b"|1795445101.1|" in to.read_bytes(), "ids stay"


@pytest.mark.parametrize("what", ["no file", "no times", "no place"])
def test_wrong_use_is_one_line_and_exit_2(
    what: str, recorded: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    to = tmp_path / "q"
    if what == "no file":
        recorded.unlink()
    elif what == "no times":
        recorded.write_bytes(b"hello\n")
    else:
        to.mkdir()
    assert main(["replay", str(recorded), "--to", str(to)]) == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert str(to if what == "no place" else recorded) in err
