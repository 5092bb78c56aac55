"""How long a line in the log takes to be seen: from the append to the changed DOM in Chromium.

The whole wallboard runs (`stage.py`): collector, archive with its fsync, fold, Redis, web process, the hall's page. In
the same browser a second page shows the bare way (`bare.py`): tail, Redis, server-sent events, textContent. One change
goes the one way, the next the other, at random moments of the second; both are timed by the page's own clock when a
MutationObserver sees the element change, set against the clock of the machine beforehand.
"""

import random
import time
from pathlib import Path
from statistics import median

from benchmarks.bare import POLL_S
from benchmarks.figures import Aim, Figure, Options, percentile
from benchmarks.stage import SEAT, Stage, children, free_port, stage

CHANGES = 400
LIMIT_MS = 100
RATIO = 2
GIVE_UP_MS = 5000
CHROMIUM = Path("/usr/bin/chromium")

_WATCH = """(selector) => {
  window.changes = [];
  const note = () => window.changes.push(performance.timeOrigin + performance.now());
  const element = document.querySelector(selector);
  new MutationObserver(note).observe(
    element, {childList: true, characterData: true, subtree: false, attributes: true, attributeFilter: ["data-state"]}
  );
}"""


def run(options: Options) -> list[Figure]:
    """Measure; see the module. Without a Chromium there is nothing to measure."""
    if not CHROMIUM.exists():
        options.say(f"left out: there is no {CHROMIUM}")
        return []
    from playwright.sync_api import sync_playwright

    changes = 6 if options.quick else CHANGES
    bare_log = options.folder / "bare_log"
    bare_log.touch()
    port = free_port()
    with stage(options.folder) as ours, children() as processes, sync_playwright() as playwright:
        processes.start(["benchmarks.bare", "tail", str(bare_log), ours.redis_url], options.folder, {})
        processes.start(["benchmarks.bare", "serve", str(port), ours.redis_url], options.folder, {})
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        try:
            hall = browser.new_context(viewport={"width": 1920, "height": 1080}).new_page()
            hall.goto(f"http://127.0.0.1:{ours.port}/hall")
            selector = f"#seats-{SEAT}"
            hall.wait_for_selector(selector)
            bare = browser.new_context().new_page()
            _goto(bare, f"http://127.0.0.1:{port}/")
            hall.evaluate(_WATCH, selector)
            bare.evaluate(_WATCH, "#said")
            time.sleep(2)  # both streams are open by then
            taken = _alternate(ours, hall, bare, bare_log, changes, options)
        finally:
            browser.close()
    return _figures(*taken)


def _goto(page, address: str) -> None:
    deadline_s = time.monotonic() + 20
    while True:
        try:
            page.goto(address)
            return
        except Exception as exc:
            if time.monotonic() > deadline_s:
                raise RuntimeError(f"{address} does not answer") from exc
            time.sleep(0.1)


def _alternate(
    ours: Stage, hall, bare, bare_log: Path, changes: int, options: Options
) -> tuple[list[float], list[float]]:
    """Milliseconds of each change, ours and the bare way's."""
    rng = random.Random(1)
    ours_ms: list[float] = []
    bare_ms: list[float] = []
    for number in range(changes):
        for page, append, taken in ((hall, ours.change, ours_ms), (bare, lambda: _append(bare_log), bare_ms)):
            time.sleep(rng.uniform(0.05, 0.2))
            seen = page.evaluate("window.changes.length")
            behind_ms = _clock_ms(page)
            begun_s = append()
            page.wait_for_function(
                "seen => window.changes.length > seen", arg=seen, timeout=GIVE_UP_MS, polling=5
            )
            taken.append(page.evaluate(f"window.changes[{seen}]") + behind_ms - begun_s * 1000)
        if (number + 1) % 100 == 0:
            options.say(
                f"{number + 1} of {changes} changes: median {median(ours_ms):.1f} and {median(bare_ms):.1f} ms"
            )
    return ours_ms, bare_ms


def _append(log: Path) -> float:
    with log.open("ab", buffering=0) as file:
        begun_s = time.time()
        file.write(f"{begun_s}\n".encode())
    return begun_s


def _clock_ms(page) -> float:
    """What the machine's clock is ahead of the page's, milliseconds; the quickest of a few questions."""
    found = []
    for _ in range(3):
        before_s = time.time()
        page_ms = page.evaluate("performance.timeOrigin + performance.now()")
        after_s = time.time()
        found.append((after_s - before_s, (before_s + after_s) / 2 * 1000 - page_ms))
    return min(found)[1]


def _figures(ours_ms: list[float], bare_ms: list[float]) -> list[Figure]:
    peer = "bare way"
    return [
        Figure(
            name=f"a line appended → DOM changed, median of {len(ours_ms)}",
            value=median(ours_ms),
            unit="ms",
            peer=peer,
            peer_value=median(bare_ms),
        ),
        Figure(
            name="the same, p99",
            value=percentile(ours_ms, 99),
            unit="ms",
            peer=f"{peer} (polls each {POLL_S * 1000:.0f} ms)",
            peer_value=percentile(bare_ms, 99),
            aim=Aim(value=LIMIT_MS, ratio=RATIO),
        ),
    ]
