"""Real recordings of Asterisk 22.10.1, and what the calls' own driver says of them: per queue and per seat equal."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from collectors.queue_log.parse import parse_line
from dashboard.core import events as e
from dashboard.core.asof import as_of
from dashboard.core.counts import CALLS, QUEUE, SEAT, F, S, join
from dashboard.core.fold import Fold, Rules
from dashboard.core.metrics import waits
from dashboard.core.names import ALWAYS, Names, SeatNames
from dashboard.core.seats import UNKNOWN, shown
from tests.core.fold_streams import SHANGHAI, named

BESIDE = Path(__file__).parents[1] / "recordings" / "asterisk"
SMALL = ("names", "restart", "rotate", "short-a")
ALL = ("busy-a", "chaos", *SMALL)
WRAPUP_S = 10


@pytest.fixture(params=[*(f"{name} (ours)" for name in SMALL), *ALL])
def recording(request: pytest.FixtureRequest) -> Path:
    """A recording's folder: the small ones also as they lie beside the tests."""
    name, _, ours = request.param.partition(" ")
    folder = BESIDE / name if ours else request.getfixturevalue("shared_data") / "asterisk" / name
    if not folder.is_dir():
        pytest.skip(f"no recording at {folder}")
    return folder


@cache
def truth(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "truth.json").read_text())


@cache
def names(folder: Path) -> Names:
    """As a configuration would have them: queues of queues.conf, and both names of each seat."""
    queues = [
        line[1:-1]
        for line in (folder / "queues.conf").read_text().splitlines()
        if line.startswith("[") and line != "[general]"
    ]
    seats = [
        SeatNames(
            id=ident,
            interface=f"Local/{ident}@agents/n",
            names=((seat["name"], ALWAYS), (seat["name"] + "·动态", ALWAYS)),
        )
        for ident, seat in truth(folder)["per_seat"].items()
    ]
    return Names.of(queues, seats)


@cache
def told(folder: Path) -> tuple[e.Event, ...]:
    """Every line of the recording, the oldest file first."""
    files = [file for suffix in (".1", ".0", "") if (file := folder / f"queue_log{suffix}").is_file()]
    lines = b"".join(file.read_bytes() for file in files).decode("utf-8", "surrogateescape").splitlines()
    return tuple(parse_line(line, names(folder)) for line in lines)


@cache
def fold(folder: Path) -> Fold:
    run = Fold(Rules(zone=SHANGHAI, wrapup_s=dict.fromkeys(names(folder).queues, WRAPUP_S)))
    run.feed(told(folder))
    return run


def total(folder: Path, kind: str, ident: str = "") -> list[int]:
    return join(kind, [row for key, row in fold(folder).rows.items() if key[:2] == (kind, ident)])


def never_entered(counts: dict[str, int]) -> int:
    return sum(number for key, number in counts.items() if key.startswith(("refused_", "status_")))


def test_every_line_is_read(recording: Path) -> None:
    verbs = {verb for event in told(recording) if isinstance(event, e.Unknown) for verb in [event.verb]}
    assert verbs <= {"SHIFTNOTE"}
    assert all(type(event) is not e.Event for event in told(recording))


def test_every_queue_has_the_fates_that_the_driver_saw(recording: Path) -> None:
    found, expected = {}, {}
    for queue, counts in truth(recording)["per_queue"].items():
        row = named(QUEUE, total(recording, QUEUE, queue))
        entered = counts["offered"] - never_entered(counts)
        keys = sum(number for key, number in counts.items() if key.startswith("exit_key"))
        overflowed = keys + sum(counts.get(key, 0) for key in ("timeout", "left_empty", "withdrawn"))
        wanted = {
            "offered": entered,
            "answered": counts.get("answered", 0),
            "answers": counts.get("answered", 0),
            "abandoned": counts.get("abandoned", 0),
            "overflowed": overflowed,
            "overflowed_timeout": counts.get("timeout", 0),
            "overflowed_key": keys,
            "overflowed_empty": counts.get("left_empty", 0),
            "overflowed_withdrawn": counts.get("withdrawn", 0),
            "overflowed_moved": 0,
            "lost": counts.get("lost_in_crash", 0),
            "lost_switch_died": counts.get("lost_in_crash", 0),
            "cut": counts.get("answered_but_cut_by_crash", 0),
            "finished": counts.get("answered", 0) - counts.get("answered_but_cut_by_crash", 0),
        }
        expected[queue] = wanted
        found[queue] = {column: row.get(column, 0) for column in wanted}
    assert found == expected
    queues = {key[1] for key in fold(recording).rows if key[0] == QUEUE}
    assert queues == {queue for queue, wanted in expected.items() if wanted["offered"]}


def test_every_queue_has_the_seconds_that_the_driver_measured(recording: Path) -> None:
    """Within a second a call: the log has whole seconds."""
    for queue, counts in truth(recording)["per_queue"].items():
        row = total(recording, QUEUE, queue)
        answered = row[F["answered"]]
        assert row[F["talk_s"]] == pytest.approx(counts.get("talk_seconds", 0), abs=max(1, answered))
        assert row[F["answer_wait_s"]] == pytest.approx(
            counts.get("wait_seconds_of_answered", 0), abs=max(1, answered)
        )
        within = counts.get("answered_within_15s", 0)
        assert waits(row, 15, 5).answered_within == pytest.approx(within, abs=1)
        assert abs(row[F["talk_done_s"]] - row[F["talk_s"]]) <= row[F["finished"]]


def test_every_seat_has_the_answers_and_the_talk_that_the_driver_saw(recording: Path) -> None:
    silenced = 0
    for seat, counts in truth(recording)["per_seat"].items():
        row = total(recording, SEAT, seat)
        answers = counts.get("answered", 0)
        assert row[S["answers"]] == answers
        assert row[S["talk_done_s"]] == pytest.approx(counts.get("talk_seconds", 0), abs=max(1, answers))
        cancelled = sum(isinstance(event, e.SeatSeen) and event.seat == seat for event in told(recording))
        silenced += counts.get("not_answered", 0) - row[S["ring_no_answer"]] - cancelled
    assert silenced == (2 if recording.name == "restart" else 0)  # two rang when the switch was killed
    assert {key[1] for key in fold(recording).rows if key[0] == SEAT} <= set(truth(recording)["per_seat"])


def test_totals_count_calls_and_the_difference_to_legs_can_be_told(recording: Path) -> None:
    calls: dict[str, list[str]] = {}
    for call in truth(recording)["calls"]:
        outcomes = [offer["outcome"] for offer in call["offers"] if "outcome" in offer]
        entered = [o for o in outcomes if not o.startswith(("refused_", "status_"))]
        if entered:
            calls[call["uniqueid"]] = entered
    row = named(CALLS, total(recording, CALLS))
    legs = sum(row[F["offered"]] for key, row in fold(recording).rows.items() if key[0] == QUEUE)
    assert row["offered"] == len(calls)
    assert legs == sum(len(entered) for entered in calls.values())
    answered = sum("answered" in entered for entered in calls.values())
    assert row["answered"] == answered
    assert row["answers"] == sum(entered.count("answered") for entered in calls.values())
    last = [entered[-1] for entered in calls.values() if "answered" not in entered]
    assert row.get("abandoned", 0) == last.count("abandoned")


def test_everything_has_ended_and_every_seat_is_known(recording: Path) -> None:
    """After a restart a seat is unknown until a line names it."""
    run = fold(recording)
    assert run.open == {}
    state, _ = as_of(run.rules, run.state, run.rows, run.state.clock.last_s + WRAPUP_S)
    states = {shown(seat, run.state.clock.last_s + WRAPUP_S).state for seat in state.seats.values()}
    assert states <= {"ready", "paused", "signed_out", UNKNOWN}
    if run.state.clock.started_s == run.state.clock.first_s:
        assert UNKNOWN not in states


def test_two_ends_of_one_conversation_are_one(shared_data: Path) -> None:
    """Quirk 24: COMPLETEAGENT right after ATTENDEDTRANSFER, for the same call and seat."""
    folder = shared_data / "asterisk" / "restart"
    call = fold(folder).state.calls["1795445240.73"]
    assert [(leg.seat, leg.talk_s) for leg in call.legs] == [("2012", 28)]
    row = total(folder, QUEUE, "fuqing")
    assert row[F["orphan"]] == 1
    assert total(folder, SEAT, "2012")[S["answers"]] == truth(folder)["per_seat"]["2012"]["answered"]


def test_a_killed_switch_loses_who_waited_and_cuts_who_talked(shared_data: Path) -> None:
    """Quirk 8: 17 entries stay open for ever, 11 in conversation and 6 waiting."""
    folder = shared_data / "asterisk" / "restart"
    row = total(folder, CALLS)
    assert (row[F["lost_switch_died"]], row[F["lost_no_end"]], row[F["cut"]]) == (6, 0, 11)


def test_where_a_recording_is_cut_changes_nothing(recording: Path) -> None:
    whole = fold(recording)
    events = told(recording)
    for cut in range(1, len(events), max(1, len(events) // 15)):
        first = Fold(whole.rules)
        first.feed(events[:cut])
        second = Fold(whole.rules, first.state, first.rows)
        second.feed(events[cut:])
        assert second.state == whole.state
        assert second.rows == whole.rows
