"""`wallboard calls` lists the calls behind a number of `wallboard show`."""

import csv
import io
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hotline import AFTER_S, DAY, NAMES, Recording, Stage, items_of, recording, stage, to_after_s

from dashboard.cli import main
from dashboard.commands.process import CLOCK
from dashboard.commands.show import asked
from dashboard.core.table import BYS
from dashboard.store.reader import Reader, calls_of, part_of, rules_of
from tests.core.laws import differences

BESIDE = Path(__file__).parents[1] / "recordings" / "asterisk"
SMALL = ("names", "restart", "rotate", "short-a")
SITES = '[[sites]]\nid = "gulou"\nname = "鼓楼局"'

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(params=[*(f"{name} (ours)" for name in SMALL), *NAMES])
def played(request: pytest.FixtureRequest) -> Recording:
    """A recording; the small ones also as they lie beside the tests."""
    name, _, ours = request.param.partition(" ")
    return Recording(BESIDE / name) if ours else recording(request.getfixturevalue("shared_data"), name)


def law(here: Stage, now_s: float) -> list[Any]:
    """What the table says and its calls do not, by every grouping, as a reader sees it."""
    wrong = []
    rules = rules_of(here.config)
    days = ["2026-11-22", DAY, "2026-11-24"]
    snapshot = Reader(here.client, here.config.hotline.id).snapshot("pbx1", days, days)
    _, _, ask = asked(here.config, f"{days[0]}..{days[-1]}", now_s)
    queues = {leg.queue for call in snapshot.calls for leg in call.legs}
    odd = {queue: f"site{index % 3}" for index, queue in enumerate(sorted(queues))}
    ask = replace(ask, site_of_queue=lambda queue, _day: odd.get(queue, "unassigned"))
    for by in BYS:
        part, calls = part_of(snapshot, rules, now_s), calls_of(snapshot, rules, now_s)
        wrong += differences(replace(ask, by=by), [part], [calls])
    return wrong


@pytest.mark.slow
def test_every_figure_of_a_recording_is_the_sum_over_its_calls(
    played: Recording, tmp_path: Path, redis_url: str
) -> None:
    here = stage(tmp_path, redis_url, played.toml(log=tmp_path / "queue_log"))
    with here.tools() as tools:
        items = items_of(tools, played.data)
        for share in (3, 2, 1):  # in the middle callers wait, talk and wrap up
            upto = len(items) // share
            tools.writer.write(items[:upto])
            del items[:upto]
            last_s = tools.writer.keeper.ledger.reached_s
            assert law(here, last_s) == []
            tools.writer.beat(last_s + 5, read=True)
            assert law(here, last_s + 5) == []
        tools.writer.beat(AFTER_S + 86_400, read=True)
    assert law(here, AFTER_S) == []
    assert law(here, AFTER_S + 86_400) == [], "what time has decided since"


@pytest.fixture
def here(tmp_path: Path, redis_url: str, monkeypatch: pytest.MonkeyPatch) -> Stage:
    """A recording, collected; and a day before it, which is closed."""
    played = Recording(BESIDE / "restart")
    toml = played.toml(log=tmp_path / "queue_log", redis_url=redis_url, more=SITES)
    made = stage(tmp_path, redis_url, toml)
    at_s = AFTER_S - 3 * 86_400
    old = f"{at_s}|{at_s}.1|consult|NONE|ENTERQUEUE||0591|1\n{at_s + 4}|{at_s}.1|consult|NONE|ABANDON|1|1|4\n"
    with made.tools() as tools:
        tools.writer.write(items_of(tools, old.encode() + played.data))
        tools.writer.beat(int(made.now_s), read=True)
    monkeypatch.setenv(CLOCK, repr(to_after_s()))
    monkeypatch.setenv("WALLBOARD_CONFIG", str(tmp_path / "wallboard.toml"))
    return made


@pytest.fixture
def run(here: Stage, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs a command: exit code, stdout, stderr."""

    def act(*words: str) -> tuple[int, str, str]:
        try:
            code = main([*words])
        except SystemExit as exc:
            code = int(exc.code or 0)
        said = capsys.readouterr()
        return code, said.out, said.err

    return act


def as_json(run: Run, *words: str) -> dict[str, Any]:
    code, out, err = run(*words, "--json")
    assert (code, err) == (0, "")
    answer: dict[str, Any] = json.loads(out)
    return answer


@pytest.mark.parametrize(
    "column", ["offered", "answered", "abandoned", "abandoned_short", "overflowed", "lost", "cut"]
)
def test_a_number_of_show_has_as_many_calls(run: Run, column: str) -> None:
    for by, option in (("queue", "--queue"), ("site", "--site")):
        for row in as_json(run, "show", DAY, "--by", by)["rows"]:
            answer = as_json(run, "calls", DAY, option, row["key"], "--outcome", column)
            assert answer["figures"][column] == row[column], (row["key"], column)
            if by == "site":
                assert len(answer["calls"]) == row[column], "a site's call counts once"
            else:
                assert sum(leg["meant"] for call in answer["calls"] for leg in call["legs"]) >= row[column]
    total = as_json(run, "show", DAY)["total"]
    assert len(as_json(run, "calls", DAY, "--outcome", column)["calls"]) == total[column]


def test_work_is_listed_by_the_time_of_the_answer(run: Run) -> None:
    for row in as_json(run, "show", DAY, "--by", "seat")["rows"]:
        answer = as_json(run, "calls", DAY, "--seat", row["key"])
        assert answer["figures"] == {"answers": row["answers"], "talk_done_s": row["talk_done_s"]}
        meant = [leg["seat"] for call in answer["calls"] for leg in call["legs"] if leg["meant"]]
        assert meant == [row["key"]] * row["answers"], "a call may be answered twice"
    total = as_json(run, "show", DAY)["total"]
    by_work = as_json(run, "calls", DAY, "--by-work")
    assert by_work["figures"]["answers"] == total["answers"]
    meant = [leg["fate"] for call in by_work["calls"] for leg in call["legs"] if leg["meant"]]
    assert meant == ["answered"] * total["answers"]


def test_a_slot_is_opened_by_its_key_or_its_clock(run: Run) -> None:
    rows = as_json(run, "show", DAY, "--by", "slot")["rows"]
    busy = max((row for row in rows if row["offered"]), key=lambda row: row["offered"])
    for slot in (busy["key"], busy["key"][11:16]):
        answer = as_json(run, "calls", DAY, "--slot", slot)
        assert len(answer["calls"]) == answer["figures"]["offered"] == busy["offered"]


def test_json_has_the_keys_that_are_promised(run: Run) -> None:
    answer = as_json(run, "calls", "2026-11-20")
    keys = ["period", "zone", "as_of", "standing", "outcome", "figures", "uncovered", "calls"]
    assert list(answer) == keys
    [call] = answer["calls"]
    assert list(call) == ["source", "callid", "at", "origin", "fate", "wait_s", "legs"]
    assert (call["fate"], call["wait_s"], call["origin"]) == ("abandoned", 4, None)
    [leg] = call["legs"]
    assert (leg["queue"], leg["fate"], leg["meant"]) == ("consult", "abandoned", True)


def test_no_number_is_in_it(run: Run) -> None:
    numbers = Recording(BESIDE / "restart").numbers()
    assert numbers
    for form in ("--json", "--csv"):
        _, out, _ = run("calls", "2026-11", form)
        assert out and not [number for number in numbers if number in out]


def test_people_and_spreadsheets_get_a_table(run: Run) -> None:
    code, out, err = run("calls", DAY, "--queue", "consult", "--outcome", "answered")
    assert (code, err) == (0, "")
    shown = {row["key"]: row for row in as_json(run, "show", DAY, "--by", "queue")["rows"]}
    lines = out.splitlines()
    assert lines[1].split()[:4] == ["at", "call", "origin", "queue"]
    assert lines[-1].endswith(f"answered {shown['consult']['answered']}")
    _, out, _ = run("calls", DAY, "--csv")
    rows = list(csv.DictReader(io.StringIO(out)))
    legs = sum(len(call["legs"]) for call in as_json(run, "calls", DAY)["calls"])
    assert len(rows) == legs and {"callid", "leg_queue", "leg_wait_s"} <= rows[0].keys()


def test_days_that_nobody_knows_are_told(run: Run) -> None:
    code, out, err = run("calls", "2026-11-17..2026-11-23", "--json")
    assert code == 0
    assert json.loads(out)["uncovered"] == ["2026-11-17", "2026-11-18", "2026-11-19"]
    assert err == "nothing is known of: 2026-11-17..2026-11-19\n"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--outcome", "best"], "abandoned_short"),
        (["--seat", "2001", "--outcome", "abandoned"], "fate"),
        (["--slot", "25:00"], "09:00"),
        (["--slot", "09:07"], "09:00"),
        (["--queue", "nowhere"], "consult"),
        (["--threshold", "7"], "1, 2, 3"),
        (["--formula", "best"], "of_offered"),
    ],
)
def test_wrong_use_is_one_line_and_exit_2(run: Run, words: list[str], said: str) -> None:
    code, out, err = run("calls", DAY, *words)
    assert (code, out) == (2, "")
    assert said in err and err.count("\n") == 1


def test_names_of_strangers_do_not_steer_the_terminal(here: Stage, run: Run) -> None:
    at = AFTER_S - 100
    with here.tools() as tools:
        text = f"{at}|{at}.1|\x1b[2J=1|NONE|ENTERQUEUE||0591|1\n"
        tools.writer.write(items_of(tools, text.encode()))
    _, out, _ = run("calls", DAY, "--outcome", "waiting")
    assert "\x1b" not in out and "[2J=1" in out
    [call] = as_json(run, "calls", DAY, "--outcome", "waiting")["calls"]
    assert (call["legs"][0]["queue"], call["fate"], call["wait_s"]) == ("\x1b[2J=1", "waiting", None)
