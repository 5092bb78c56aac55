"""The simulator: a day that a switch could have written, and a log that no stop can harm.

It proves load, never correctness: nothing here says what Asterisk writes.
"""

import re
import subprocess
import sys
import tomllib
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.simulator.day import plain_load, plain_workday, simulate_day
from collectors.simulator.file import LogFile, keep_writing
from collectors.simulator.hotline import Hotline, demo_toml, fuzhou, scaled
from collectors.simulator.live import Place, follow, resume_after
from collectors.simulator.load import simulate_lines
from dashboard.errors import SourceUnavailable

HOTLINE = fuzhou()
ZONE = ZoneInfo(HOTLINE.zone)
MONDAY = date(2026, 11, 23)
ENDS = {
    "COMPLETECALLER": 3,
    "COMPLETEAGENT": 3,
    "BLINDTRANSFER": 5,
    "ATTENDEDTRANSFER": 5,
    "ABANDON": 3,
    "EXITWITHTIMEOUT": 3,
    "EXITWITHKEY": 4,
}
GONE = {"ABANDON", "EXITWITHTIMEOUT", "EXITWITHKEY"}
INVENTED = re.compile(r"(1990000|1660000|1770000|05910000)\d{4}")


def a_day(
    day: date = MONDAY, seed: int = 1, hotline: Hotline = HOTLINE, workday: bool = True, load: float = 1.0
) -> list[str]:
    return simulate_day(hotline, day, zone=ZONE, seed=seed, workday=workday, load=load)


def a_plain_day(day: date) -> list[str]:
    return a_day(day, workday=plain_workday(day), load=plain_load(day))


@dataclass(frozen=True, slots=True, kw_only=True)
class Which:
    """A day by what makes it: a failing example prints three numbers, not two thousand lines."""

    day: date
    seed: int
    load: float

    def lines(self) -> list[str]:
        return a_day(self.day, self.seed, load=self.load)


days = st.builds(
    Which,
    day=st.dates(date(2026, 1, 1), date(2027, 12, 31)),
    seed=st.integers(0, 2**32),
    load=st.floats(0.1, 3.0),
)
some_days = settings(max_examples=15, deadline=None)


# What one line, and a day of them, looks like.


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    at_s: int
    callid: str
    queue: str
    agent: str
    verb: str
    data: tuple[str, ...]


def read(lines: Sequence[str]) -> list[Line]:
    return [
        Line(at_s=int(at), callid=callid, queue=queue, agent=agent, verb=verb, data=tuple(data))
        for at, callid, queue, agent, verb, *data in (line.split("|") for line in lines)
    ]


@dataclass(slots=True, kw_only=True)
class Leg:
    """A call's stay in one queue, as the lines tell it."""

    queue: str
    entered_s: int
    position: int
    connected: Line | None = None
    end: Line | None = None


def legs_of(lines: Sequence[Line]) -> dict[str, list[Leg]]:
    """The legs of every call; says so where a line cannot stand where it stands."""
    calls: dict[str, list[Leg]] = defaultdict(list)
    for line in lines:
        if "." not in line.callid:
            continue
        legs = calls[line.callid]
        if line.verb == "ENTERQUEUE":
            assert not legs or legs[-1].end is not None, line
            url, caller, position = line.data
            assert (url, line.agent) == ("", "NONE")
            assert INVENTED.fullmatch(caller), "a number that somebody may own"
            legs.append(Leg(queue=line.queue, entered_s=line.at_s, position=int(position)))
            continue
        leg = legs[-1]
        assert (leg.queue, leg.end) == (line.queue, None), line
        if line.verb == "CONNECT":
            assert leg.connected is None, line
            leg.connected = line
        elif line.verb in ENDS:
            assert len(line.data) == ENDS[line.verb], line
            assert (line.verb in GONE) == (leg.connected is None), line
            leg.end = line
        else:
            assert line.verb in {"RINGNOANSWER", "RINGCANCELED"}, line
            assert leg.connected is None, line
    return dict(calls)


# The lines of a day.


def test_a_day_begins_with_the_restart_and_the_sign_ins() -> None:
    lines = a_day()
    assert lines[0] == "1795384800|NONE|NONE|NONE|QUEUESTART|"
    first = read(lines)[1]
    seat = next(s for s in HOTLINE.seats if s.interface == first.agent)
    assert lines[1 : 1 + len(seat.members)] == [
        f"{first.at_s}|MANAGER|{member.queue}|{seat.interface}|ADDMEMBER|" for member in seat.members
    ]


@given(
    day=st.dates(date(2026, 1, 1), date(2027, 12, 31)),
    seed=st.integers(),
    others=st.lists(st.dates(), max_size=1),
)
@some_days
def test_a_day_is_the_same_whatever_was_simulated_before(day: date, seed: int, others: list[date]) -> None:
    first = a_day(day, seed)
    for other in others:
        a_day(date(2026, 1, other.day), seed)
    assert a_day(day, seed) == first


def test_a_day_is_the_same_in_another_process() -> None:
    program = (
        "import sys; from datetime import date; from zoneinfo import ZoneInfo;"
        "from collectors.simulator.day import simulate_day; from collectors.simulator.hotline import fuzhou;"
        "hotline = fuzhou(); zone = ZoneInfo(hotline.zone); day = date(2026, 11, 23);"
        "d = simulate_day(hotline, day, zone=zone, seed=1, workday=True, load=1.0);"
        "sys.stdout.buffer.write('\\n'.join(d).encode())"
    )
    output = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, check=True, env={"PYTHONHASHSEED": "4711"}
    ).stdout
    assert output.decode().split("\n") == a_day()


def test_another_seed_and_another_day_are_another_world() -> None:
    assert a_day(seed=1) != a_day(seed=2)
    callers = {line.data[1] for line in read(a_day()) if line.verb == "ENTERQUEUE"}
    tuesday = {line.data[1] for line in read(a_day(MONDAY + timedelta(days=1))) if line.verb == "ENTERQUEUE"}
    assert len(callers & tuesday) < 0.2 * len(callers)


@given(days)
@some_days
def test_lines_are_in_order_of_time_and_within_working_hours(which: Which) -> None:
    lines = which.lines()
    times = [line.at_s for line in read(lines)]
    assert times == sorted(times)
    clock = [datetime.fromtimestamp(at_s, ZONE) for at_s in times]
    assert len({at.date() for at in clock}) == 1
    assert all("06:00:00" <= f"{at:%H:%M:%S}" <= "18:30:00" for at in clock)


@given(days)
@some_days
def test_every_call_goes_from_queue_to_queue_until_one_end(which: Which) -> None:
    lines = which.lines()
    for legs in legs_of(read(lines)).values():
        for leg, after in pairwise(legs):
            assert leg.end is not None
            moved = {"EXITWITHTIMEOUT": 0, "EXITWITHKEY": 0, "BLINDTRANSFER": 1}
            assert after.entered_s - leg.end.at_s == moved[leg.end.verb]
        assert legs[-1].end is not None, "open at the end of the day"


@given(days)
@some_days
def test_hold_talk_and_wait_are_the_differences_of_the_lines_times(which: Which) -> None:
    lines = which.lines()
    for legs in legs_of(read(lines)).values():
        for leg in legs:
            end, connect = leg.end, leg.connected
            assert end is not None
            if connect is None:
                position, entered_at, wait_s = (int(part) for part in end.data[-3:])
                assert (entered_at, wait_s) == (leg.position, end.at_s - leg.entered_s)
                assert 1 <= position <= entered_at
            else:
                hold_s, talk_s, entered_at = (int(part) for part in end.data[-3:])
                assert int(connect.data[0]) == hold_s == connect.at_s - leg.entered_s
                assert talk_s == end.at_s - connect.at_s
                assert entered_at == leg.position
                rang_at_s = int(connect.data[1].split(".")[0])
                assert rang_at_s == connect.at_s - int(connect.data[2]) >= leg.entered_s
                assert connect.agent == end.agent


@given(days)
@some_days
def test_positions_count_those_who_wait(which: Which) -> None:
    lines = which.lines()
    waiting: dict[str, list[str]] = defaultdict(list)
    for line in read(lines):
        if line.verb == "ENTERQUEUE":
            waiting[line.queue].append(line.callid)
            assert int(line.data[2]) == len(waiting[line.queue])
        elif line.verb == "CONNECT":
            waiting[line.queue].remove(line.callid)
        elif line.verb in GONE:
            assert int(line.data[-3]) == waiting[line.queue].index(line.callid) + 1
            waiting[line.queue].remove(line.callid)
    assert not any(waiting.values())


@given(days)
@some_days
def test_a_seat_does_one_thing_at_a_time(which: Which) -> None:
    lines = which.lines()
    wrapup_s = {queue.name: queue.wrapup_s for queue in HOTLINE.queues}
    interfaces = {seat.interface: seat.name for seat in HOTLINE.seats}
    queues = {seat.name: {member.queue for member in seat.members} for seat in HOTLINE.seats}
    came_s: dict[str, int] = {}
    went_s: dict[str, int] = {}
    pauses: dict[str, int] = {}
    talks: dict[str, int] = {}
    held: dict[str, list[tuple[int, int, str]]] = defaultdict(list)  # (from, until, by what)
    for line in read(lines):
        who = line.agent
        if line.verb == "ADDMEMBER":
            came_s[interfaces[who]] = line.at_s
        elif line.verb == "REMOVEMEMBER":
            went_s[interfaces[who]] = line.at_s
        elif line.verb == "PAUSEALL":
            pauses[who] = line.at_s
        elif line.verb == "UNPAUSEALL":
            held[who].append((pauses.pop(who), line.at_s, "pause"))
        elif line.verb in {"RINGNOANSWER", "RINGCANCELED"}:
            # Cancelled ones are in real milliseconds, less than half a second short of whole ones.
            held[who].append((line.at_s - (int(line.data[0]) + 500) // 1000, line.at_s, "ring"))
        elif line.verb == "CONNECT":
            assert who not in talks
            assert line.queue in queues[who]
            talks[who] = line.at_s - int(line.data[2])
        elif line.verb in ENDS and who != "NONE":
            held[who].append((talks.pop(who), line.at_s + wrapup_s[line.queue], "call"))
    assert not pauses
    assert not talks
    for who, spans in held.items():
        here = [(came_s[who], came_s[who], "came"), *sorted(spans), (went_s[who], went_s[who], "went")]
        for before, after in pairwise(here):
            assert before[1] <= after[0], (who, before, after)


@given(days)
@some_days
def test_a_pause_is_written_for_all_queues_and_then_for_each(which: Which) -> None:
    lines = which.lines()
    names = {seat.name: seat for seat in HOTLINE.seats}
    all_lines = read(lines)
    for number, line in enumerate(all_lines):
        if line.verb in {"PAUSEALL", "UNPAUSEALL"}:
            each = line.verb.removesuffix("ALL")
            queues = [member.queue for member in names[line.agent].members]
            assert (line.callid, line.queue) == ("NONE", "NONE")
            assert line.data[0] in ({"午餐", "会议", "培训", "小休", "整理资料"} if each == "PAUSE" else {""})
            assert [
                (one.at_s, one.queue, one.agent, one.verb, one.data)
                for one in all_lines[number + 1 : number + 1 + len(queues)]
            ] == [(line.at_s, queue, line.agent, each, line.data) for queue in queues]


@given(days)
@some_days
def test_everybody_who_came_goes(which: Which) -> None:
    lines = which.lines()
    came = [(x.queue, x.agent) for x in read(lines) if x.verb == "ADDMEMBER"]
    gone = [(x.queue, x.agent) for x in read(lines) if x.verb == "REMOVEMEMBER"]
    assert sorted(came) == sorted(gone)
    assert all(count == 1 for count in Counter(came).values())


def test_nobody_is_let_in_on_a_rest_day_and_the_switch_restarts_on_any_monday() -> None:
    assert a_day(date(2026, 11, 22), workday=False) == []
    assert a_day(MONDAY, workday=False) == ["1795384800|NONE|NONE|NONE|QUEUESTART|"]
    assert not any("QUEUESTART" in line for line in a_day(MONDAY + timedelta(days=1)))


def test_a_day_on_which_the_clock_changes_keeps_its_local_hours() -> None:
    new_york = ZoneInfo("America/New_York")
    lines = simulate_day(HOTLINE, date(2026, 3, 8), zone=new_york, seed=1, workday=True, load=1.0)
    first_calls = [x for x in read(lines) if x.verb == "ENTERQUEUE"]
    assert datetime.fromtimestamp(first_calls[0].at_s, new_york).hour == 8
    assert datetime.fromtimestamp(first_calls[-1].at_s, new_york).hour in (17, 18)


def test_a_month_looks_like_the_hotline() -> None:
    month = [MONDAY - timedelta(days=back) for back in range(28)]
    offered: list[int] = []
    answered = within = 0
    keys: Counter[int] = Counter()
    verbs: Counter[str] = Counter()
    hours: Counter[int] = Counter()
    key = {queue.name: queue.key for queue in HOTLINE.queues}
    for day in filter(plain_workday, month):
        lines = read(a_plain_day(day))
        verbs.update(line.verb for line in lines)
        calls = legs_of(lines)
        offered.append(len(calls))
        for legs in calls.values():
            keys[key[legs[0].queue]] += 1
            hours[datetime.fromtimestamp(legs[0].entered_s, ZONE).hour] += 1
            connected_s = [leg.connected.at_s for leg in legs if leg.connected is not None]
            answered += bool(connected_s)
            within += bool(connected_s) and connected_s[0] - legs[0].entered_s <= 15
    total = sum(offered)
    assert all(400 <= count <= 750 for count in offered)
    assert 0.90 <= answered / total <= 0.97
    assert 0.80 <= within / total <= 0.92
    assert [round(keys[number] / total, 2) for number in (1, 2, 3)] == pytest.approx(
        [0.8, 0.12, 0.08], abs=0.03
    )
    assert hours[10] > 2 * hours[12] < hours[15]
    assert verbs.keys() >= {*ENDS, "RINGNOANSWER", "RINGCANCELED"}


def test_the_filing_period_and_the_load_bring_more_calls() -> None:
    assert len(a_day(load=1.5)) > 1.3 * len(a_day(load=1.0))
    assert plain_load(date(2026, 11, 13)) > plain_load(date(2026, 11, 3)) > plain_load(date(2026, 11, 23))
    assert a_day(load=0.0)[-1].split("|")[4] == "REMOVEMEMBER"


# A hotline as data.


def test_the_seats_are_three_in_the_city_and_one_in_each_bureau() -> None:
    assert [(seat.id, seat.interface) for seat in HOTLINE.seats] == [
        (str(number), f"PJSIP/{number}") for number in (*range(1001, 1004), *range(2001, 2015))
    ]
    assert Counter(seat.site for seat in HOTLINE.seats) == {
        site.id: 3 if site.id == "city" else 1 for site in HOTLINE.sites
    }
    names = [seat.name for seat in HOTLINE.seats]
    assert {2, 3, 4} <= {len(name) for name in names}
    assert len(set(names)) == len(names)
    assert all(len(name.encode()) <= 79 and "|" not in name for name in names), "the switch would cut it"


def test_the_configuration_says_what_the_hotline_is() -> None:
    path = 'C:\\asterisk "neu"\\\tqueue_log'
    read_back = tomllib.loads(demo_toml(HOTLINE, data_dir="/tmp/数据", queue_log_path=path))
    assert read_back == {
        "hotline": {
            "id": "fuzhou",
            "name": "福州12366纳税服务热线",
            "zone": "Asia/Shanghai",
            "calendar": "cn",
            "opened": date(2009, 4, 20),
        },
        "hours": dict.fromkeys(("mon", "tue", "wed", "thu", "fri"), "8:00-18:00"),
        "data": {"dir": "/tmp/数据"},
        "sites": [{"id": site.id, "name": site.name} for site in HOTLINE.sites],
        "queues": [
            {
                "name": queue.name,
                "label": queue.label,
                "key": queue.key,
                "site": queue.site,
                "secret": queue.secret,
                "wrapup_s": queue.wrapup_s,
            }
            for queue in HOTLINE.queues
        ],
        "seats": [
            {"id": seat.id, "site": seat.site, "interface": seat.interface, "names": [seat.name]}
            for seat in HOTLINE.seats
        ],
        "sources": [{"name": "pbx1", "kind": "queue_log", "path": path}],
    }
    assert [queue["name"] for queue in read_back["queues"] if queue["secret"]] == [
        "fraud_report",
        "integrity",
    ]


def test_a_scaled_hotline_has_as_many_times_the_seats_and_the_calls() -> None:
    big = scaled(HOTLINE, 5)
    calls = legs_of(read(a_day(hotline=big)))
    assert len({seat.interface for seat in big.seats}) == 5 * 17
    assert 4 < len(calls) / len(legs_of(read(a_day()))) < 6
    assert scaled(HOTLINE, 1) == HOTLINE


def test_a_benchmark_gets_as_many_lines_as_it_asks_for() -> None:
    lines = list(simulate_lines(10_000, seed=3))
    assert len(lines) == 10_000
    times = [int(line.split("|")[0]) for line in lines]
    assert times == sorted(times)
    assert times[-1] - times[0] > 2 * 86_400
    assert lines == list(simulate_lines(10_000, seed=3))
    assert max(int(x.split("|")[0]) for x in simulate_lines(10_000, seed=3, times=10)) - times[0] < 86_400


def test_the_simulator_never_loads_the_screens() -> None:
    program = (
        "import sys, collectors.simulator.file, collectors.simulator.load;"
        "print([m for m in ('dash', 'plotly', 'flask', 'pandas', 'layouts', 'redis') if m in sys.modules])"
    )
    output = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True).stdout
    assert output == b"[]\n"


# In real time, and after a stop.


class World:
    """A clock that only sleeping moves, and that stops the simulator at its end."""

    def __init__(self, now_s: float, end_s: float) -> None:
        self.now_s = now_s
        self.end_s = end_s

    def now(self) -> float:
        return self.now_s

    def sleep(self, seconds: float) -> None:
        assert 0 < seconds <= 0.5
        self.now_s += seconds

    def stop(self) -> bool:
        return self.now_s >= self.end_s


def at(day: date, clock: str) -> float:
    return datetime.fromisoformat(f"{day.isoformat()}T{clock}").replace(tzinfo=ZONE).timestamp()


def written(lines: Sequence[str]) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode()


def test_a_start_in_the_middle_of_the_day_first_writes_what_has_been() -> None:
    lines = a_plain_day(MONDAY)
    world = World(at(MONDAY, "10:48:06"), at(MONDAY, "10:58:06"))
    seen: list[tuple[float, str]] = []
    follow(
        a_plain_day,
        zone=ZONE,
        start=Place(day=MONDAY, index=0),
        now=world.now,
        sleep=world.sleep,
        append=lambda line: seen.append((world.now_s, line)),
        stop=world.stop,
    )
    times = [int(line.split("|")[0]) for line in lines]
    assert [line for _, line in seen] == [line for line in lines if int(line.split("|")[0]) < world.end_s]
    assert [now_s for now_s, _ in seen] == [max(x, at(MONDAY, "10:48:06")) for x in times if x < world.end_s]
    assert len({now_s for now_s, _ in seen}) > 20


def test_it_goes_on_to_the_next_days_and_asks_for_none_before_it_has_begun(tmp_path: Path) -> None:
    friday = MONDAY - timedelta(days=3)
    world = World(at(friday, "18:29:00"), at(MONDAY, "08:10:00"))
    asked: list[tuple[date, date]] = []

    def lines_by_day(day: date) -> list[str]:
        asked.append((day, datetime.fromtimestamp(world.now_s, ZONE).date()))
        return a_plain_day(day)

    def sleep(seconds: float) -> None:
        world.now_s += 30 if world.now_s < at(MONDAY, "07:40:00") else seconds

    keep_writing(
        tmp_path / "queue_log",
        lines_by_day,
        zone=ZONE,
        first_day=friday,
        now=world.now,
        sleep=sleep,
        stop=world.stop,
    )
    weekend = [friday + timedelta(days=ahead) for ahead in range(4)]
    assert asked == [(day, day) for day in weekend]
    monday = [line for line in a_plain_day(MONDAY) if int(line.split("|")[0]) < world.end_s]
    assert (tmp_path / "queue_log").read_bytes() == written([*a_plain_day(friday), *monday])


def write_until(path: Path, now_s: float, lines_by_day: Callable[[date], Sequence[str]], first: date) -> None:
    """One run of the simulator with a standing clock: all that is due, then stopped."""
    slept: list[float] = []
    keep_writing(
        path,
        lines_by_day,
        zone=ZONE,
        first_day=first,
        now=lambda: now_s,
        sleep=slept.append,
        stop=lambda: bool(slept),
    )


TWO_DAYS = [*a_plain_day(MONDAY), *a_plain_day(MONDAY + timedelta(days=1))]
TWO_DAYS_BYTES = written(TWO_DAYS)
TWO_DAYS_BY_DAY = {MONDAY: TWO_DAYS[: len(a_plain_day(MONDAY))]}
TWO_DAYS_BY_DAY[MONDAY + timedelta(days=1)] = TWO_DAYS[len(TWO_DAYS_BY_DAY[MONDAY]) :]


def of_two_days(day: date) -> list[str]:
    return TWO_DAYS_BY_DAY.get(day, [])


@given(cut=st.integers(0, len(TWO_DAYS_BYTES)))
@settings(max_examples=200, deadline=None)
def test_killed_after_any_byte_it_goes_on_as_if_nothing_had_happened(
    tmp_path_factory: pytest.TempPathFactory, cut: int
) -> None:
    path = tmp_path_factory.mktemp("log") / "queue_log"
    path.write_bytes(TWO_DAYS_BYTES[:cut])
    write_until(path, at(MONDAY, "20:00:00") + 86_400, of_two_days, MONDAY)
    assert path.read_bytes() == TWO_DAYS_BYTES


@given(
    runs=st.lists(st.tuples(st.floats(0, 48 * 3600), st.integers(0, 200)), max_size=6),
)
@settings(max_examples=60, deadline=None)
def test_stopped_torn_and_its_clock_moved_any_number_of_times_it_writes_the_same(
    tmp_path_factory: pytest.TempPathFactory, runs: list[tuple[float, int]]
) -> None:
    path = tmp_path_factory.mktemp("log") / "queue_log"
    for after_s, torn in runs:
        write_until(path, at(MONDAY, "00:00:00") + after_s, of_two_days, MONDAY)
        written_so_far = path.read_bytes()
        assert TWO_DAYS_BYTES.startswith(written_so_far)
        path.write_bytes(written_so_far[: max(0, len(written_so_far) - torn)])
    write_until(path, at(MONDAY, "00:00:00") + 48 * 3600, of_two_days, MONDAY)
    assert path.read_bytes() == TWO_DAYS_BYTES


@given(
    lines=st.lists(
        st.tuples(st.integers(0, 4), st.sampled_from(["a", "b", "王"])).map(
            lambda x: f"{int(at(MONDAY, '09:00:00')) + x[0]}|{x[1]}"
        ),
        max_size=12,
    ).map(lambda lines: sorted(lines, key=lambda line: line.split("|")[0])),
    data=st.data(),
)
@settings(max_examples=300, deadline=None)
def test_equal_lines_of_one_second_are_neither_lost_nor_doubled(
    tmp_path_factory: pytest.TempPathFactory, lines: list[str], data: st.DataObject
) -> None:
    path = tmp_path_factory.mktemp("log") / "queue_log"
    path.write_bytes(written(lines)[: data.draw(st.integers(0, len(written(lines))))])
    write_until(path, at(MONDAY, "20:00:00"), lambda day: lines if day == MONDAY else [], MONDAY)
    assert path.read_bytes() == written(lines)


def test_a_stop_between_two_lines_leaves_whole_lines(tmp_path: Path) -> None:
    path = tmp_path / "queue_log"
    steps = iter([False] * 1001)
    keep_writing(
        path,
        of_two_days,
        zone=ZONE,
        first_day=MONDAY,
        now=lambda: at(MONDAY, "20:00:00"),
        sleep=lambda _: None,
        stop=lambda: next(steps, True),
    )
    assert path.read_bytes() == written(TWO_DAYS[:1000])


def test_a_clock_that_was_moved_back_writes_nothing_until_it_has_caught_up(tmp_path: Path) -> None:
    path = tmp_path / "queue_log"
    write_until(path, at(MONDAY, "15:00:00"), of_two_days, MONDAY)
    before = path.read_bytes()
    write_until(path, at(MONDAY, "09:00:00"), of_two_days, MONDAY)
    assert path.read_bytes() == before
    write_until(path, at(MONDAY, "20:00:00"), of_two_days, MONDAY)
    assert path.read_bytes() == written(TWO_DAYS_BY_DAY[MONDAY])


def test_a_log_of_another_seed_is_followed_by_the_first_line_of_a_later_second(tmp_path: Path) -> None:
    path = tmp_path / "queue_log"
    foreign = "1795399200|NONE|NONE|NONE|CONFIGRELOAD|"  # 10:00:00
    path.write_bytes(written([TWO_DAYS[0], foreign]) + b"17953992")
    write_until(path, at(MONDAY, "20:00:00"), of_two_days, MONDAY)
    later = [line for line in TWO_DAYS_BY_DAY[MONDAY] if int(line.split("|")[0]) > 1795399200]
    assert path.read_bytes() == written([TWO_DAYS[0], foreign, *later])


def test_a_log_without_a_single_time_begins_with_the_first_day() -> None:
    assert resume_after([], of_two_days, zone=ZONE) is None
    assert resume_after(["", "hello", "１７|x", "12"], of_two_days, zone=ZONE) is None


def test_the_file_is_never_made_shorter(tmp_path: Path) -> None:
    path = tmp_path / "queue_log"
    path.write_bytes(TWO_DAYS_BYTES[:5000])
    with LogFile(path) as log:
        assert path.stat().st_size == 5000
        log.append("x")
        assert path.read_bytes() == TWO_DAYS_BYTES[:5000] + b"\nx\n"


def test_a_long_log_is_read_from_its_end(tmp_path: Path) -> None:
    path = tmp_path / "queue_log"
    path.write_bytes(TWO_DAYS_BYTES * 20)
    with LogFile(path) as log:
        assert 1000 < len(log.tail()) < 20 * len(TWO_DAYS)
        assert log.tail()[-1] == TWO_DAYS[-1]
        assert set(log.tail()) <= set(TWO_DAYS)


def test_two_simulators_do_not_write_one_file(tmp_path: Path) -> None:
    with LogFile(tmp_path / "queue_log"), pytest.raises(SourceUnavailable, match="another simulator"):
        LogFile(tmp_path / "queue_log")
    with LogFile(tmp_path / "queue_log") as log:
        assert log.tail() == []


def test_lines_are_bytes_as_the_switch_writes_them(tmp_path: Path) -> None:
    with LogFile(tmp_path / "queue_log") as log:
        log.append("1795384800|NONE|NONE|阿依古丽·买买提|PAUSEALL|午餐")
    expected = "1795384800|NONE|NONE|阿依古丽·买买提|PAUSEALL|午餐\n".encode()
    assert (tmp_path / "queue_log").read_bytes() == expected
    assert datetime.fromtimestamp(1795384800, UTC).astimezone(ZONE).hour == 6
