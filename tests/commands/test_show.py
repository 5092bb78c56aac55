"""`wallboard show` prints the counts of a period, for people and for programs."""

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hotline import DAY, Recording, items_of, recording, stage, to_after_s

from dashboard.cli import main
from dashboard.commands.process import CLOCK
from dashboard.store.items import COVERED, Item, away, loss

TOP = ["period", "zone", "by", "as_of", "rows", "total", "quality"]
ROW = [
    *("key", "offered", "answered", "abandoned", "abandoned_short", "overflowed", "lost", "cut", "refused"),
    *("waiting", "answers", "answer_wait_s", "abandon_wait_s", "talk_s", "talk_done_s", "service_level"),
    *("answer_rate", "asa", "aht", "gap_s", "open"),
]

Show = Callable[..., tuple[int, str, str]]


@pytest.fixture
def played(shared_data: Path) -> Recording:
    return recording(shared_data, "restart")


@pytest.fixture
def show(
    played: Recording,
    tmp_path: Path,
    redis_url: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Show:
    """Shows a recording that was collected: exit code, stdout, stderr."""
    here = stage(tmp_path, redis_url, played.toml(log=tmp_path / "queue_log", redis_url=redis_url))
    with here.tools() as tools:
        tools.writer.write(items_of(tools, played.data))
        tools.writer.beat(int(here.now_s), read=True)
    monkeypatch.setenv(CLOCK, repr(to_after_s()))
    monkeypatch.setenv("WALLBOARD_CONFIG", str(tmp_path / "wallboard.toml"))

    def run(*words: str) -> tuple[int, str, str]:
        try:
            code = main(["show", *words])
        except SystemExit as exc:
            code = int(exc.code or 0)
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


def as_json(show: Show, *words: str) -> dict[str, Any]:
    code, out, err = show(*words, "--json")
    assert (code, err) == (0, "")
    answer: dict[str, Any] = json.loads(out)
    return answer


def test_json_has_the_keys_that_are_promised(show: Show) -> None:
    for by in ("total", "queue", "seat", "site", "slot", "day"):
        answer = as_json(show, DAY, "--by", by)
        assert list(answer) == TOP
        assert answer["by"] == by
        for row in answer["rows"]:
            assert row.keys() >= set(ROW)
        assert answer["total"].keys() >= {*ROW, "legs", "multi_site"} - {"key"}
    assert answer["zone"] == "Asia/Shanghai"
    assert answer["as_of"] == "2026-11-23T23:00:00+08:00"


def test_counts_are_the_drivers_and_unknown_is_null(show: Show, played: Recording) -> None:
    rows = {row["key"]: row for row in as_json(show, DAY, "--by", "queue")["rows"]}
    assert {key: rows[key]["offered"] for key in played.queues()} == {
        key: of["offered"] for key, of in played.queues().items()
    }
    seats = {row["key"]: row for row in as_json(show, DAY, "--by", "seat")["rows"]}
    assert {seat: seats[seat]["answers"] for seat in played.seats()} == played.seats()
    assert seats["2001"]["offered"] is None, "offered by seat has no meaning"
    total = as_json(show, DAY)["total"]
    assert (total["refused"], total["hold_s"]) == (None, None), "nobody can see them"
    before = as_json(show, "2026-11-22")["total"]
    assert (before["offered"], before["service_level"]) == (None, None), "nothing covers it"


def test_keys_of_rows(show: Show) -> None:
    slots = [row["key"] for row in as_json(show, DAY, "--by", "slot", "--minutes", "60")["rows"]]
    assert len(slots) == 24
    assert slots[22] == "2026-11-23T22:00:00+08:00"
    assert [row["key"] for row in as_json(show, "2026-11", "--by", "day")["rows"]][22:24] == [
        DAY,
        "2026-11-24",
    ]
    assert [row["key"] for row in as_json(show, DAY, "--by", "total")["rows"]] == ["total"]


@pytest.mark.parametrize(
    ("asked", "period"),
    [
        ("today", DAY),
        (DAY, DAY),
        ("2026-11", "2026-11-01..2026-11-30"),
        ("2026-11-22..2026-11-23", "2026-11-22..2026-11-23"),
        ("2026-11..2026-12-03", "2026-11-01..2026-12-03"),
    ],
)
def test_periods(show: Show, asked: str, period: str) -> None:
    answer = as_json(show, asked)
    assert answer["period"] == period
    assert answer["total"]["offered"] == as_json(show, DAY)["total"]["offered"]


def test_thresholds_and_formulas_are_chosen_when_looking(show: Show) -> None:
    levels = [as_json(show, DAY, "--threshold", t)["total"]["service_level"] for t in ("1", "15", "60")]
    assert levels == sorted(levels)
    assert levels[0] < levels[2]
    by_answered = as_json(show, DAY, "--formula", "of_answered")["total"]["service_level"]
    assert by_answered > levels[1]
    none = as_json(show, DAY, "--short", "0")["total"]
    some = as_json(show, DAY, "--short", "60")["total"]
    assert (none["abandoned_short"], some["abandoned_short"]) == (0, some["abandoned"])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["yesterday"], "2026-11-23"),
        (["2026-02-30"], "not in the calendar"),
        (["2026-11-24..2026-11-23"], "ends before it begins"),
        ([DAY, "--threshold", "7"], "1, 2, 3, 5, 10, 15, 20, 25, 30, 45, 60"),
        ([DAY, "--formula", "best"], "of_offered"),
        ([DAY, "--config", "nowhere.toml"], "nowhere.toml"),
    ],
)
def test_wrong_use_is_one_line_and_exit_2(show: Show, words: list[str], said: str) -> None:
    code, out, err = show(*words)
    assert (code, out) == (2, "")
    assert said in err
    assert err.count("\n") == 1 and "Traceback" not in err


def test_a_redis_that_is_away_is_a_sentence_and_exit_1(show: Show, tmp_path: Path, redis_url: str) -> None:
    path = tmp_path / "wallboard.toml"
    path.write_text(path.read_text("utf-8").replace(redis_url, "redis://127.0.0.1:1/0"), "utf-8")
    code, out, err = show(DAY)
    assert (code, out) == (1, "")
    assert "Redis does not answer" in err
    assert err.count("\n") == 1


def test_csv_is_a_table_that_no_spreadsheet_computes(show: Show, played: Recording) -> None:
    code, out, err = show(DAY, "--by", "queue", "--csv")
    assert (code, err) == (0, "")
    rows = list(csv.DictReader(io.StringIO(out)))
    assert {row["key"]: row["offered"] for row in rows if row["key"] in played.queues()} == {
        queue: str(of["offered"]) for queue, of in played.queues().items()
    }
    assert rows[-1]["key"] == "total"


def test_names_of_strangers_steer_neither_terminal_nor_spreadsheet(
    tmp_path: Path,
    redis_url: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    show: Show,
) -> None:
    at = 1795445900
    text = f"{at}|{at}.1|=1+1\x1b[2J|NONE|ENTERQUEUE||0591|1\n"
    here = stage(tmp_path / "b", redis_url, (tmp_path / "wallboard.toml").read_text("utf-8"))
    with here.tools() as tools:
        tools.writer.write(items_of(tools, text.encode()))
    _, table, _ = show(DAY, "--by", "queue")
    assert "\x1b" not in table and "=1+1" in table
    _, sheet, _ = show(DAY, "--by", "queue", "--csv")
    assert "'=1+1" in sheet
    assert "=1+1\x1b[2J" in {row["key"] for row in as_json(show, DAY, "--by", "queue")["rows"]}


def test_the_table_for_people_says_how_it_was_counted(show: Show) -> None:
    code, out, err = show(DAY, "--by", "queue", "--threshold", "20")
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[0].startswith("福州12366  2026-11-23 (Asia/Shanghai)  as of 2026-11-23T23:00:00")
    assert "of_offered within 20 s" in lines[1]
    assert lines[2].split()[:3] == ["queue", "offered", "answered"]
    assert "calls had" in lines[-1] and "legs" in lines[-1]


def test_gaps_and_what_was_read_later_are_told_with_their_source(
    show: Show, tmp_path: Path, redis_url: str
) -> None:
    here = stage(tmp_path / "b", redis_url, (tmp_path / "wallboard.toml").read_text("utf-8"))
    at = 1795446600  # 23:10
    with here.tools() as tools:
        tools.writer.write([Item(COVERED, b"%d" % at), loss("truncated", "cut\x1b")])
        tools.writer.write([Item(COVERED, b"%d" % (at + 90)), away(at + 90, at + 300)])
        tools.writer.write([Item(COVERED, b"%d" % (at + 400))])
    quality = as_json(show, DAY, "--by", "queue")["quality"]
    clock = "2026-11-23T23:{}+08:00".format
    assert quality == {
        "gaps": [
            {
                "source": "pbx1",
                "from": clock("10:00"),
                "to": clock("11:30"),
                "reason": "truncated",
                "detail": "cut\x1b",
            }
        ],
        "backfilled": [{"source": "pbx1", "from": clock("11:30"), "to": clock("15:00")}],
        "unknown": quality["unknown"],
        "steps_back": {},
        "orphans": as_json(show, DAY)["total"]["orphan"],
        "calendar_unknown": [],
    }
    assert as_json(show, "2026-11-22")["quality"]["gaps"] == []
    assert as_json(show, "2039-11-22")["quality"]["calendar_unknown"] == ["2039-11-22"]
    _, out, _ = show(DAY)
    gap, later = out.splitlines()[-2:]
    assert gap == "gap 2026-11-23 23:10:00–23:11:30  pbx1: log truncated (cut\N{REPLACEMENT CHARACTER})"
    assert later == "read later 2026-11-23 23:11:30–23:15:00  pbx1"


def test_only_some_gaps_are_told_on_a_terminal(show: Show, tmp_path: Path, redis_url: str) -> None:
    here = stage(tmp_path / "b", redis_url, (tmp_path / "wallboard.toml").read_text("utf-8"))
    at = 1795446600
    with here.tools() as tools:
        for n in range(8):
            tools.writer.write([Item(COVERED, b"%d" % (at + 60 * n)), loss("truncated", "again")])
    _, out, _ = show(DAY)
    assert sum(line.startswith("gap 2026") for line in out.splitlines()) == 5
    assert out.splitlines()[-1] == "and 2 more"
    assert len(as_json(show, DAY)["quality"]["gaps"]) == 7


def test_counts_that_are_not_there_are_told(show: Show, redis_url: str, redis_client: Any) -> None:
    redis_client.flushall()
    code, out, err = show(DAY, "--json")
    assert code == 0
    assert json.loads(out)["total"]["offered"] is None
    assert "wallboard rebuild" in err
    redis_client.set("wb:{fuzhou}:rebuild:pbx1", "1")
    code, out, err = show(DAY, "--json")
    assert json.loads(out)["total"]["offered"] is None
    assert "being made again" in err
