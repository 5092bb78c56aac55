"""A feed without a store: halls as they may be, by name, and a feed whose content a test sets.

`python -m tests.web.fake_feed PORT [FILE]` serves it; FILE holds a scenario as JSON and is read again when changed.
"""

import json
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from math import exp
from pathlib import Path
from typing import Any

from dashboard.core.days import Zone
from dashboard.core.seats import PAUSED, READY, RINGING, SIGNED_OUT, STATES, TALKING, UNKNOWN, WRAP_UP
from dashboard.core.views import HallView, SeatView, SlotView, SourceView
from dashboard.web.feed import Beat

ZONE = Zone("Asia/Shanghai")
DAY = "2026-11-23"
START_S, _ = ZONE.bounds(DAY)
NOW_S = START_S + 10 * 3600 + 48 * 60 + 6
HOSTILE = (
    "<script>alert(1)</script>",
    "阿依古丽·买买提",
    "欧阳建华",
    "名" * 26,
    "W" * 79,
    "a\"b'c&amp;<img src=x onerror=alert(1)>",
    "محمد عبد الله",
    "\u202eabc\u202c",
    "",
)
LONG = ("名" * 26, "Bartholomew Featherstonehaugh-Cholmondeley of the Western District Office", "W" * 79)

_NAMES = (
    *("陈静", "林晓燕", "黄志强", "王芳", "李娜", "郑国华", "吴秀英", "张伟", "刘洋", "欧阳建华"),
    *("许丽萍", "何敏", "薛文斌", "曹俊杰", "邱丽华", "蔡明辉", "方圆", "上官婉如", "蓝水生", "高洁"),
)
_SITES = (
    *("市局", "市局", "市局", "鼓楼局", "台江局", "仓山局", "晋安局", "马尾局", "闽侯局", "连江局"),
    *("罗源局", "闽清局", "永泰局", "平潭局", "福清局", "长乐局", "开发区局"),
)
_EN_NAMES = (
    "Chen Jing",
    "Lin Xiaoyan",
    "Huang Zhiqiang",
    "Wang Fang",
    "Li Na",
    "Zheng Guohua",
    "Ouyang Jianhua",
)
_EN_SITES = ("City", "Gulou", "Taijiang", "Cangshan", "Jin'an", "Mawei", "Minhou", "Fuqing", "Changle")
_PROFILE = (9, 16, 27, 38, 44, 46, 43, 37, 22, 12, 11, 18, 31, 40, 43, 41, 36, 30, 19, 9)
_TODAY = (8, 14, 29, 37, 46)
_STATES = (
    *(TALKING, TALKING, READY, TALKING, TALKING, WRAP_UP, TALKING, READY, TALKING),
    *(PAUSED, READY, TALKING, READY, TALKING, TALKING, SIGNED_OUT, READY),
)


def seats(
    count: int, now_s: float = NOW_S, *, busy: bool = False, language: str = "zh-CN"
) -> tuple[SeatView, ...]:
    """So many seats in a mixture of states; busy: nobody is ready, one pauses too long, one is unknown."""
    names, sites = (_NAMES, _SITES) if language == "zh-CN" else (_EN_NAMES, _EN_SITES)
    views = []
    for index in range(count):
        state = _STATES[index % len(_STATES)]
        if busy:
            state = {READY: TALKING}.get(state, state)
            if index % 17 == 7:
                state = RINGING
            if index % 17 == 12:
                state = UNKNOWN
        overlong = busy and state == PAUSED
        since_s = int(now_s) - (1575 if overlong else 9 + 53 * index % 730)
        views.append(
            SeatView(
                id=str(1001 + index if index < 3 else 1998 + index),
                label=names[index % len(names)],
                site=sites[index % len(sites)],
                state=state,
                since_s=since_s,
                reason=("培训" if language == "zh-CN" else "Training") if state == PAUSED else "",
                pause_mark=busy and index % 17 == 4,
                overlong=overlong,
            )
        )
    return tuple(views)


def slots(now_s: float = NOW_S, minutes: int = 30, scale: float = 1.0) -> tuple[SlotView, ...]:
    """The day from 8:00 to 18:00, with a running slot where now lies in it."""
    views = []
    cumulative, mean = 0, 0.0
    for index, average in enumerate(_PROFILE):
        start_s = START_S + 8 * 3600 + index * 1800
        end_s = start_s + 1800
        future, running = start_s > now_s, start_s <= now_s < end_s
        answers = round((_TODAY[index] if index < len(_TODAY) else average * 0.46) * scale)
        mean += average
        cumulative += 0 if future else answers
        views.append(
            SlotView(
                start_s=start_s,
                end_s=end_s,
                answers=None if future else answers,
                cumulative=None if future else cumulative,
                average=float(average),
                average_cumulative=mean,
                gap=False,
                open=not future and not running and end_s > now_s - 1900,
                running=running,
                future=future,
            )
        )
    return tuple(views)


def hall(
    *,
    count: int = 17,
    language: str = "zh-CN",
    busy: bool = False,
    now_s: float = NOW_S,
    **changes: Any,
) -> HallView:
    """A hall on 23 November 2026 at 10:48:06, calm or busy."""
    english = language == "en"
    view = HallView(
        name="Fuzhou 12366 Tax Hotline" if english else "福州12366纳税服务热线",
        language=language,
        now_s=now_s,
        moved_clock=False,
        day=DAY,
        day_kind="workday",
        phase="after",
        calendar_known=True,
        standing="live",
        opening="open",
        opens_s=None,
        answers_today=166 if busy else 155,
        answers_comparable=159.2,
        comparable_days=20,
        comparable_widened=False,
        talking_now=12 if busy else 9,
        slot_start_s=START_S + 10 * 3600 + 1800,
        slot_end_s=START_S + 11 * 3600,
        answers_slot=21,
        average_slot=46.4,
        answers_per_seat=11.3,
        waiting_now=6 if busy else 1,
        waiting_since_s=int(now_s) - (112 if busy else 7),
        waiting_beyond=4 if busy else 0,
        offered=198 if busy else 168,
        answered=166 if busy else 158,
        abandoned=21 if busy else 7,
        overflowed=4 if busy else 2,
        lost=1 if busy else 0,
        service_level=(148, 192) if busy else (157, 168),
        formula="of_offered",
        threshold_s=15,
        target_service_level=0.9,
        target_wait_s=15,
        minutes=30,
        slots=slots(now_s, scale=1.07 if busy else 1.0),
        seats=seats(count, now_s, busy=busy, language=language),
        sources=(SourceView(name="pbx1", age_s=0.3, last_event_s=int(now_s) - 4),),
    )
    return replace(view, **changes)


def before_opening(language: str = "zh-CN", count: int = 17) -> HallView:
    """The same day at 7:41: nothing has been counted yet, everybody is away."""
    now_s = START_S + 7 * 3600 + 41 * 60 + 30
    view = hall(language=language, count=count, now_s=now_s)
    away = tuple(
        replace(seat, state=SIGNED_OUT, reason="", since_s=int(now_s) - 50000) for seat in view.seats
    )
    zeros = dict.fromkeys(("offered", "answered", "abandoned", "overflowed", "lost", "waiting_beyond"), 0)
    return replace(
        view,
        opening="before",
        opens_s=START_S + 8 * 3600,
        answers_today=0,
        answers_comparable=0.0,
        talking_now=0,
        slot_start_s=START_S + 7 * 3600 + 1800,
        slot_end_s=START_S + 8 * 3600,
        answers_slot=0,
        average_slot=0.0,
        answers_per_seat=None,
        waiting_now=0,
        waiting_since_s=None,
        service_level=(0, 0),
        seats=away,
        **zeros,
    )


def rest_day(language: str = "zh-CN") -> HallView:
    """A Sunday: closed, with the averages of rest days."""
    view = before_opening(language)
    flat = tuple(
        replace(slot, average=0.4, average_cumulative=0.4 * (n + 1)) for n, slot in enumerate(view.slots)
    )
    return replace(
        view, day="2026-11-22", day_kind="rest_day", phase=None, opening="rest", opens_s=None, slots=flat
    )


def unknown(standing: str, language: str = "zh-CN") -> HallView:
    """Nothing is known: no data yet, or rebuilding."""
    view = hall(language=language)
    nothing = dict.fromkeys(
        (
            *("answers_today", "answers_comparable", "talking_now", "answers_slot", "average_slot"),
            *("answers_per_seat", "waiting_now", "waiting_since_s", "waiting_beyond", "service_level"),
            *("offered", "answered", "abandoned", "overflowed", "lost"),
        )
    )
    blank = tuple(
        replace(slot, answers=None, cumulative=None, average=None, average_cumulative=None)
        for slot in view.slots
    )
    lost = tuple(replace(seat, state=UNKNOWN, since_s=None, reason="") for seat in view.seats)
    sources = (SourceView(name="pbx1", age_s=None, last_event_s=None),)
    return replace(
        view, standing=standing, comparable_days=0, slots=blank, seats=lost, sources=sources, **nothing
    )


def hostile(language: str = "zh-CN", count: int = 17) -> HallView:
    """Names and reasons that a switch may hold, and an operator would not choose."""
    view = hall(language=language, count=count, busy=True)
    odd = [
        replace(seat, label=HOSTILE[index % len(HOSTILE)], id=f"{seat.id}.<{index}>")
        if index % 4 == 0
        else replace(seat, label=HOSTILE[index % 4])
        for index, seat in enumerate(view.seats)
    ]
    odd[9 % count] = replace(odd[9 % count], state=PAUSED, reason="<b>系统维护与业务培训，下午两点回来</b>")
    return replace(
        view,
        name="国家税务总局福州市税务局12366纳税缴费服务热线<b>",
        seats=tuple(odd),
        sources=tuple(
            SourceView(name=name, age_s=0.4, last_event_s=None, problem="disk full" if name == "b" else "")
            for name in ("pbx<1>", "b", "c" * 79, "备用交换机", "d", "e")
        ),
        unassigned_queues=("<i>q</i>", "举报'q'", "Q" * 60),
    )


def all_states(language: str = "zh-CN") -> HallView:
    """Every state once and again, with marks; a gap and an undecided slot in the chart."""
    view = hall(language=language, count=18)
    mixed = tuple(
        replace(
            seat,
            state=STATES[index % len(STATES)],
            reason="午休" if STATES[index % len(STATES)] == PAUSED else "",
            pause_mark=STATES[index % len(STATES)] == TALKING,
            since_s=int(view.now_s) - 4000 * index,
        )
        for index, seat in enumerate(view.seats)
    )
    gaps = list(view.slots)
    gaps[2] = replace(gaps[2], gap=True, answers=None, cumulative=None)
    gaps[3] = replace(gaps[3], gap=True, answers=12)
    return replace(
        view,
        seats=mixed,
        slots=tuple(gaps),
        moved_clock=True,
        calendar_known=False,
        comparable_widened=True,
        comparable_days=3,
        service_level=(4, 5),
    )


def with_gaps(language: str = "zh-CN", count: int = 17) -> HallView:
    """Something is missing from 8:40 to 9:12, and what was written from 9:30 to 10:25 was read later."""
    view = hall(language=language, count=count)
    seen = list(view.slots)
    seen[1] = replace(seen[1], gap=True)
    seen[2] = replace(seen[2], gap=True, answers=None, cumulative=None)
    for index in (3, 4):
        seen[index] = replace(seen[index], backfilled=True)
    gap = (view.slots[1].start_s + 600, view.slots[2].start_s + 720)
    return replace(view, slots=tuple(seen), gaps=(gap,))


SCENARIOS: dict[str, Callable[..., HallView]] = {
    "calm": lambda language, count: hall(language=language, count=count),
    "busy": lambda language, count: hall(language=language, count=count, busy=True),
    "before": lambda language, count: before_opening(language, count),
    "rest": lambda language, count: rest_day(language),
    "rebuilding": lambda language, count: unknown("rebuilding", language),
    "no_data": lambda language, count: unknown("no_data", language),
    "hostile": lambda language, count: hostile(language, count),
    "states": lambda language, count: all_states(language),
    "gaps": lambda language, count: with_gaps(language, count),
}


class FakeFeed:
    """A feed that says what it was told.

    Its clock stands at a view's time and runs on from there, so that elapsed times tick.
    """

    def __init__(self, view: HallView) -> None:
        self._changed = threading.Condition()
        self._number = 1
        self._view = view
        self._set_at = time.monotonic()
        self.offset_s = 8 * 3600
        self.store_ok = True
        self.silent_since: float | None = None
        self.hung = threading.Event()
        self.hung.set()
        self.broken: Exception | None = None
        self.started = False
        self.built = 0

    def start(self) -> None:
        self.started = True

    def show(self, view: HallView, **changes: Any) -> None:
        """Show another view, by its own clock."""
        with self._changed:
            self._view = replace(view, **changes)
            self._set_at = time.monotonic()
            self._number += 1
            self._changed.notify_all()

    def change(self, **changes: Any) -> None:
        """Change some fields; the clock goes on."""
        with self._changed:
            self._view = replace(self._view, **changes)
            self._number += 1
            self._changed.notify_all()

    @property
    def view(self) -> HallView:
        return self._view

    def now_s(self) -> float:
        return self._view.now_s + time.monotonic() - self._set_at

    def _ages(self) -> dict[str, float | None]:
        silent = 0.0 if self.silent_since is None else time.monotonic() - self.silent_since
        return {s.name: None if s.age_s is None else s.age_s + silent for s in self._view.sources}

    def silence(self) -> None:
        """The sources deliver nothing from now on."""
        self.silent_since = time.monotonic()

    def speak(self) -> None:
        """They do again."""
        self.silent_since = None

    def wait(self, seen: int, timeout_s: float) -> int:
        with self._changed:
            self._changed.wait_for(lambda: self._number != seen, timeout_s)
            return self._number

    def hall(self) -> HallView:
        self.hung.wait()
        if self.broken is not None:
            raise self.broken
        self.built += 1
        ages = self._ages()
        sources = tuple(replace(source, age_s=ages[source.name]) for source in self._view.sources)
        return replace(self._view, now_s=self.now_s(), sources=sources)

    def beat(self) -> Beat:
        self.hung.wait()
        return Beat(
            now_s=self.now_s(),
            offset_s=self.offset_s,
            ages=self._ages(),
            store_ok=self.store_ok,
            standing=self._view.standing,
        )


def follow(feed: FakeFeed, file: Path) -> None:
    """Show what a file says whenever it changes: {"scenario", "language", "count", "changes", "silent"}."""
    last = ""
    while True:
        text = file.read_text() if file.exists() else ""
        if text != last and text:
            last = text
            said = json.loads(text)
            make = SCENARIOS[said.get("scenario", "calm")]
            feed.show(make(said.get("language", "zh-CN"), said.get("count", 17)), **said.get("changes", {}))
            feed.store_ok = said.get("store_ok", True)
            if said.get("silent"):
                feed.silence()
            else:
                feed.speak()
        time.sleep(0.01)


def lively(feed: FakeFeed, changes_a_second: float) -> None:
    """Answer calls for ever, for benchmarks and for looking at it."""
    step = 0
    while True:
        time.sleep(1 / changes_a_second)
        step += 1
        view = feed.view
        index = step % max(1, len(view.seats))
        cells = list(view.seats)
        if cells:
            state = READY if cells[index].state == TALKING else TALKING
            cells[index] = replace(cells[index], state=state, reason="", since_s=int(feed.now_s()))
        level = view.service_level or (0, 0)
        within = level[0] + (exp(-(step % 7)) < 0.5)
        feed.change(
            seats=tuple(cells),
            answers_today=(view.answers_today or 0) + 1,
            answers_slot=(view.answers_slot or 0) + 1,
            service_level=(within, level[1] + 1),
            waiting_now=step % 3,
        )


def main() -> None:
    """Serve a fake feed with the real server."""
    from dashboard.web.server import serve
    from dashboard.web.settings import WebSettings

    port = int(sys.argv[1])
    file = Path(sys.argv[2]) if len(sys.argv) > 2 else None

    def make_feed() -> FakeFeed:
        feed = FakeFeed(hall())
        if file is None:
            threading.Thread(target=lively, args=(feed, 2.0), daemon=True).start()
        else:
            threading.Thread(target=follow, args=(feed, file), daemon=True).start()
        return feed

    said = json.loads(file.read_text()) if file is not None and file.exists() else {}
    settings = WebSettings(name="test", zone="Asia/Shanghai", language=said.get("language", "zh-CN"))
    sys.exit(serve(make_feed, settings, "127.0.0.1", port))


if __name__ == "__main__":
    main()
