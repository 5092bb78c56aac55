"""On for months: neither memory nor nodes grow with updates, an update is cheap, and the page is small and quick."""

import gzip
import itertools
import json
import random
from collections.abc import Callable
from dataclasses import replace

import pytest
from playwright.sync_api import CDPSession

from dashboard.core.seats import STATES
from dashboard.core.views import HallView
from layouts.frame import difference
from layouts.hall import hall_frame
from tests.browser.conftest import Served, Wall
from tests.web.fake_feed import ZONE, all_states, hall, slots

UPDATES = 20_000
MEASURED = ("JSHeapUsedSize", "Nodes", "JSEventListeners")
APPLY = """
async ([frames, rounds]) => {
  const page = wallboard.page, took = [];
  for (let round = 0; round < rounds; round += 1) {
    for (const frame of frames) {
      const start = performance.now();
      page.screen.apply(frame, page.clock.now());
      took.push(performance.now() - start);
    }
    await new Promise((then) => setTimeout(then, 0));
  }
  took.sort((a, b) => a - b);
  return [took[took.length >> 1], took[Math.floor(took.length * 0.99)]];
}
"""


def day_of_changes(count: int) -> list[HallView]:
    """A walk through everything that changes: seats' states, slots, figures, members of lists, two languages."""
    dice = random.Random(1)
    view = hall(count=60, busy=True)
    views = [view]
    for step in range(count):
        cells = list(view.seats)
        at = dice.randrange(len(cells))
        state = dice.choice(STATES)
        cells[at] = replace(
            cells[at], state=state, since_s=int(view.now_s) - step, reason="午休" if state == "paused" else ""
        )
        now_s = view.now_s + step * 30
        view = replace(
            view,
            seats=tuple(cells),
            answers_today=step,
            waiting_now=step % 7,
            service_level=(step, step + 9),
            slots=slots(now_s),
        )
        views.append(view if step % 50 else all_states("en" if step % 100 else "zh-CN"))
    return views


def weigh(cdp: CDPSession) -> dict[str, float]:
    """Heap, nodes and listeners after a thorough collection."""
    for _ in range(3):
        cdp.send("HeapProfiler.collectGarbage")
    found = cdp.send("Performance.getMetrics")["metrics"]
    return {metric["name"]: metric["value"] for metric in found if metric["name"] in MEASURED}


@pytest.mark.slow
def test_twenty_thousand_updates_leave_nothing_behind(
    serve: Callable[[HallView], Served], wall: Wall
) -> None:
    page = wall.open(serve(hall(count=60)).url)
    frames = [hall_frame(view, ZONE) for view in day_of_changes(399)]
    frames.append(frames[0])  # each round ends where it began
    changes = [change for old, new in itertools.pairwise(frames) if (change := difference(old, new))]
    page.evaluate("(frame) => wallboard.page.screen.apply(frame, wallboard.page.clock.now())", frames[0])
    rounds = UPDATES // len(changes)
    cdp = page.context.new_cdp_session(page)
    cdp.send("Performance.enable")
    page.evaluate(APPLY, [changes, 5])
    before = weigh(cdp)
    median, slowest = page.evaluate(APPLY, [changes, rounds])
    after = weigh(cdp)
    growth = {name: after[name] - before[name] for name in MEASURED}
    sent = sum(len(json.dumps(change, ensure_ascii=False).encode()) for change in changes) / len(changes)
    print(
        f"{rounds * len(changes)} updates of {sent:.0f} bytes: median {median:.2f} ms, p99 {slowest:.2f} ms, {growth}"
    )
    assert growth["JSHeapUsedSize"] < 300_000
    assert growth["Nodes"] <= 50
    assert growth["JSEventListeners"] == 0
    assert median < 8


@pytest.mark.slow
def test_the_page_is_small_and_there_at_once(serve: Callable[[HallView], Served], wall: Wall) -> None:
    served = serve(hall(count=60))
    answers: dict[str, int] = {}

    def weigh_answer(url: str, body: bytes) -> None:
        answers[url] = len(gzip.compress(body, 6))

    wall.page.on(
        "response",
        lambda answer: weigh_answer(answer.url, answer.body()) if "/stream/" not in answer.url else None,
    )
    wall.open(served.url)
    painted = wall.page.evaluate(
        """() => new Promise((then) => new PerformanceObserver((list) => then(list.getEntries().at(-1).startTime))
            .observe({ type: "largest-contentful-paint", buffered: true }))"""
    )
    total = sum(answers.values())
    print(f"painted after {painted:.0f} ms, {total / 1000:.0f} kB in {len(answers)} answers")
    assert total < 500_000
    assert painted < 3000  # on a machine that runs other tests too; alone it is a third of a second
