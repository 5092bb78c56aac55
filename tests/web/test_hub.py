"""The hub: the first change at once, the next ones together, a heartbeat each second, and never a queue."""

import json
import logging
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import pytest

from dashboard.core.views import HallView
from dashboard.web.feed import Beat
from dashboard.web.stream import Hub
from layouts.frame import Frame, empty


class Script:
    """A feed that changes at given times of a clock which only goes on while somebody waits."""

    def __init__(self, *changes_s: float) -> None:
        self.now_s = 100.0
        self._changes_s = sorted(100.0 + at_s for at_s in changes_s)
        self.built_at_s: list[float] = []
        self.value = 0
        self.broken = False

    def clock(self) -> float:
        return self.now_s

    def pause(self, seconds: float) -> None:
        self.now_s += seconds

    def number(self) -> int:
        return 1 + sum(at_s <= self.now_s for at_s in self._changes_s)

    def start(self) -> None: ...

    def wait(self, seen: int, timeout_s: float) -> int:
        if self.number() == seen:
            coming = [at_s for at_s in self._changes_s if at_s > self.now_s]
            self.now_s = min([self.now_s + timeout_s, *coming])
        return self.number()

    def build(self) -> Frame:
        if self.broken:
            raise RuntimeError("no view")
        self.built_at_s.append(round(self.now_s - 100, 3))
        frame = empty()
        frame["text"] = {"number": str(self.number()), "same": "same"}
        return frame

    def hall(self) -> HallView:
        raise NotImplementedError

    def beat(self) -> Beat:
        return Beat(now_s=self.now_s, offset_s=28800, ages={"pbx1": 0.2}, store_ok=True, standing="live")


def hub_of(script: Script) -> Hub:
    return Hub(script, {"hall": script.build}, "v1", clock=script.clock, pause=script.pause)


def run_until(hub: Hub, script: Script, at_s: float) -> None:
    while script.now_s < 100 + at_s:
        hub.step()


def events(chunk: bytes) -> list[tuple[str, Any]]:
    """Read server-sent events as a browser does."""
    found = []
    for block in chunk.decode().split("\n\n"):
        if block:
            fields = dict(line.split(": ", 1) for line in block.split("\n"))
            found.append((fields["event"], json.loads(fields["data"])))
    return found


def take(watcher: Iterator[bytes]) -> list[tuple[str, Any]]:
    return events(next(watcher))


def kinds(watcher: Iterator[bytes]) -> list[str]:
    return [kind for kind, _ in take(watcher)]


def test_the_first_change_is_built_at_once_and_a_burst_at_25_a_second() -> None:
    script = Script(*(0.5 + n / 1000 for n in range(200)))
    hub = hub_of(script)
    watcher = hub.watch("hall")
    next(watcher)
    run_until(hub, script, 0.95)
    burst = [at_s for at_s in script.built_at_s if at_s >= 0.5]
    assert burst[0] == 0.5
    gaps = [round(b - a, 3) for a, b in pairwise(burst)]
    assert min(gaps) >= 0.04
    assert len(burst) <= 7
    assert script.number() == 201, "the last one shows everything"


def test_there_is_a_heartbeat_each_second_and_a_frame_with_it() -> None:
    script = Script()
    hub = hub_of(script)
    watcher = hub.watch("hall")
    assert [kind for kind, _ in take(watcher)] == ["beat", "frame"]
    run_until(hub, script, 5)
    assert script.built_at_s == [0.0, 0.0, 1.0, 2.0, 3.0, 4.0, 5.0]


def test_a_heartbeat_that_is_nearly_due_goes_with_the_change() -> None:
    script = Script(*(0.6 + n for n in range(5)))
    hub = hub_of(script)
    watcher = hub.watch("hall")
    next(watcher)
    written = []
    while script.now_s < 104:
        hub.step()
        written.append(kinds(watcher))
    assert written == [["beat"], *[["beat", "change"]] * 5]


def test_who_comes_gets_everything_and_then_what_changes() -> None:
    script = Script(0.3, 0.45)
    hub = hub_of(script)
    watcher = hub.watch("hall")
    (beat, pulse), (frame, whole) = take(watcher)
    assert (beat, frame) == ("beat", "frame")
    assert pulse == {
        "now_ms": 100000,
        "offset_min": 480,
        "ages": {"pbx1": 0.2},
        "store_ok": True,
        "standing": "live",
        "frame_s": 0.0,
        "version": "v1",
    }
    assert whole["text"] == {"number": "1", "same": "same"}
    assert "first" not in whole
    run_until(hub, script, 0.3)
    assert kinds(watcher) == ["beat", "change"]
    run_until(hub, script, 0.45)
    assert [(kind, said["text"]) for kind, said in take(watcher)] == [("change", {"number": "3"})]


def test_a_slow_reader_gets_the_newest_frame_whole_and_no_queue() -> None:
    script = Script(*(0.1 * n for n in range(1, 40)))
    hub = hub_of(script)
    slow = hub.watch("hall")
    next(slow)
    run_until(hub, script, 3.9)
    (beat, _), (frame, whole) = take(slow)
    assert (beat, frame) == ("beat", "frame")
    assert whole["text"]["number"] == "40"


def test_nothing_is_built_while_nobody_watches() -> None:
    script = Script(*(0.1 * n for n in range(1, 40)))
    hub = hub_of(script)
    run_until(hub, script, 3)
    assert script.built_at_s == []
    watcher = hub.watch("hall")
    assert take(watcher)[1][1]["text"]["number"] == str(script.number())


def test_a_watcher_that_goes_is_forgotten() -> None:
    script = Script()
    hub = hub_of(script)
    watchers = [hub.watch("hall") for _ in range(3)]
    for watcher in watchers:
        next(watcher)
    assert hub.watchers() == 3
    watchers[0].close()  # type: ignore[attr-defined]
    assert hub.watchers() == 2


def test_a_stop_ends_every_watcher() -> None:
    script = Script(0.5)
    hub = hub_of(script)
    watcher = hub.watch("hall")
    next(watcher)
    hub.stop()
    assert list(watcher) == []
    assert hub.watchers() == 0


def test_a_view_that_cannot_be_built_is_logged_once_and_heartbeats_say_how_old_the_frame_is(
    caplog: pytest.LogCaptureFixture,
) -> None:
    script = Script()
    hub = hub_of(script)
    watcher = hub.watch("hall")
    next(watcher)
    script.broken = True
    with caplog.at_level(logging.WARNING):
        run_until(hub, script, 6)
        assert [record.levelname for record in caplog.records] == ["ERROR"]
        [(kind, pulse)] = take(watcher)
        assert (kind, pulse["frame_s"]) == ("beat", 6.0)
        script.broken = False
        run_until(hub, script, 7)
        assert [record.levelname for record in caplog.records] == ["ERROR", "WARNING"]
    assert events(next(watcher))[0][1]["frame_s"] == 0.0


def test_after_standing_still_heartbeats_do_not_hurry() -> None:
    script = Script()
    hub = hub_of(script)
    watcher = hub.watch("hall")
    next(watcher)
    run_until(hub, script, 1.5)
    script.now_s += 60
    built = len(script.built_at_s)
    run_until(hub, script, 64.5)
    assert len(script.built_at_s) - built <= 5


@pytest.mark.parametrize("seen", [0, 7])
def test_polling_builds_at_most_five_times_a_second(seen: int) -> None:
    script = Script(*(0.01 * n for n in range(100)))
    hub = hub_of(script)
    for _ in range(100):
        script.now_s += 0.01
        assert hub.now("hall") is not None
    assert len(script.built_at_s) <= 6


def broken_feed() -> Callable[..., Any]:
    def fail(*_: object) -> int:
        raise OSError("gone")

    return fail


def test_the_hub_goes_on_after_the_feed_failed(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    script = Script()
    hub = hub_of(script)
    fail = broken_feed()
    steps = iter([fail, fail, None])

    def step() -> None:
        act = next(steps)
        if act is None:
            hub.stop()
        else:
            act()

    monkeypatch.setattr(hub, "step", step)
    monkeypatch.setattr(hub, "_stopped", _Impatient(hub))
    hub._run()
    assert [record.message for record in caplog.records if record.levelname == "ERROR"] == ["hub: lost"]


class _Impatient:
    """An event that never makes anybody wait."""

    def __init__(self, hub: Hub) -> None:
        self._set = False

    def is_set(self) -> bool:
        return self._set

    def set(self) -> None:
        self._set = True

    def wait(self, timeout_s: float) -> bool:
        return self._set
