"""`wallboard rejects` lists the lines that could not be read, as they are archived: masked."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hotline import AFTER_S, DAY, Recording, Stage, stage, to_after_s

from dashboard.cli import main
from dashboard.commands.process import CLOCK

BESIDE = Path(__file__).parents[1] / "recordings" / "asterisk"
AT = AFTER_S - 600
NUMBER = "13800138000"
BAD = [
    f"{AT}|{AT}.1|consult",  # too few fields
    f"{AT + 1}|{AT + 1}.1|consult|NONE|ENTERQUEUE||{NUMBER}|1",
    f"no time|{AT}.1|consult|NONE|ENTERQUEUE||{NUMBER}|1",
    f"{AT + 2}|{AT + 1}.1|con\x1b[2Jsult|NONE|ABANDON|1|1|x{NUMBER}",
    f"{AT + 3}|{AT + 1}.1|a|b|Local/1|CONNECT|5|{AT}.2|3",
]

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def here(tmp_path: Path, redis_url: str, monkeypatch: pytest.MonkeyPatch) -> Stage:
    """A log with lines that cannot be read, followed; and one of a day before, imported."""
    log = tmp_path / "queue_log"
    toml = Recording(BESIDE / "restart").toml(log=log, redis_url=redis_url)
    made = stage(tmp_path, redis_url, toml)
    monkeypatch.setenv(CLOCK, repr(to_after_s()))
    monkeypatch.setenv("WALLBOARD_CONFIG", str(made.config.path))
    old = tmp_path / "old.log"
    old.write_text(f"{AT - 86_400}|x|y\n{AT - 86_399}|NONE|NONE|NONE|QUEUESTART|\n", "utf-8")
    assert main(["import", "queue_log", str(old)]) == 0
    log.write_bytes("".join(line + "\n" for line in BAD).encode() + b"\xff\xfe|x\n")
    with made.collecting() as drain:
        drain()
    return made


@pytest.fixture
def run(here: Stage, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs a command: exit code, stdout, stderr."""

    def act(*words: str) -> tuple[int, str, str]:
        capsys.readouterr()
        code = main(["rejects", *words])
        said = capsys.readouterr()
        return code, said.out, said.err

    return act


def as_json(run: Run, *words: str) -> list[dict[str, Any]]:
    code, out, err = run(*words, "--json")
    assert (code, err) == (0, "")
    answer = json.loads(out)
    assert answer["count"] == len(answer["rejects"])
    found: list[dict[str, Any]] = answer["rejects"]
    return found


def test_each_has_its_place_and_reason(run: Run, here: Stage) -> None:
    found = as_json(run)
    log = (here.config.path.parent / "queue_log").read_bytes()
    lines = log.split(b"\n")
    ends = [len(b"\n".join(lines[: index + 1])) + 1 for index in (0, 2, 3, 4, 5)]
    assert [(one["import"], one["offset"]) for one in found] == [(1, 15), *((None, end) for end in ends)]
    assert found[0] == {
        "source": "pbx1",
        "at": here.config.zone.iso(AT - 86_400),
        "import": 1,
        "file": "old.log",
        "offset": 15,
        "reason": "a line has at least five fields",
        "line": f"{AT - 86_400}|x|y",
        "readable": False,
    }
    assert found[1]["file"].endswith(f", begins {here.config.zone.iso(AT)}")
    assert [one["at"] for one in found[2:4]] == [here.config.zone.iso(AT + n) for n in (1, 2)], (
        "that before it"
    )
    assert "seconds since 1970" in found[2]["reason"]


def test_no_number_is_in_it(run: Run) -> None:
    for form in ([], ["--json"]):
        _, out, _ = run(*form)
        assert out and NUMBER not in out and "***" in out


def test_a_period_and_a_source_are_chosen(run: Run) -> None:
    assert len(as_json(run, DAY)) == 5
    assert len(as_json(run, "2026-11-22")) == 1
    assert as_json(run, "2026-10") == []
    assert len(as_json(run, "--source", "pbx1")) == 6
    code, out, err = run("--source", "nowhere")
    assert (code, out, err.count("\n")) == (2, "", 1)


def test_strangers_do_not_steer_the_terminal(run: Run) -> None:
    code, out, err = run()
    assert (code, err) == (0, "")
    assert "\x1b" not in out and "[2Jsult" in out
    assert out.splitlines()[-1] == "6 lines could not be read"
    assert len(out.splitlines()) == 6 * 3 + 1


def test_a_line_that_can_be_read_by_now_is_told(run: Run, here: Stage) -> None:
    path = here.config.path
    more = '\n[[queues]]\nname = "a|b"\nsecret = true\n'
    path.write_text(path.read_text("utf-8") + more, "utf-8")
    assert [one["readable"] for one in as_json(run, DAY)].count(True) == 1
    assert run(DAY)[1].splitlines()[-1] == "5 lines could not be read; 1 of them can be read now"
