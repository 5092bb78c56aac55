"""The hall in a real browser: it shows what the feed says, and says so when it no longer can."""

import time
from collections.abc import Callable
from dataclasses import replace

import pytest

from dashboard.core.views import HallView
from layouts import format as shown
from layouts import ids
from layouts.hall import hall_frame
from tests.browser.conftest import Process, Served, Wall
from tests.web.fake_feed import HOSTILE, NOW_S, ZONE, all_states, hall, hostile, seats, unknown, with_gaps

# Functions, not expressions: the page's policy lets nobody evaluate text, Playwright included.
STALE = "() => document.documentElement.classList.contains('stale')"
FRESH = "() => !document.documentElement.classList.contains('stale')"
WRONG_CLOCK = """
const Real = Date;
window.Date = class extends Real {
  constructor(...said) { said.length ? super(...said) : super(Real.now() - 1800000); }
  static now() { return Real.now() - 1800000; }
};
"""


def test_the_page_is_drawn_without_plotly_and_shows_the_view(calm: Served, wall: Wall) -> None:
    wall.open(calm.url)
    assert wall.says("hall-name") == "福州12366纳税服务热线"
    assert wall.says("tile-cumulative-figure") == "155"
    assert wall.says("seats-1001-name") == "陈静"
    assert wall.page.locator("#seats > li").count() == 17
    assert wall.page.locator("#chart-wide svg rect").count() == 6
    assert not [url for url in wall.requested if "plotly" in url or "async-graph" in url]
    assert {url.split("/")[2] for url in wall.requested} == {calm.url.split("/")[2]}


def test_a_change_in_the_feed_changes_the_right_words(calm: Served, wall: Wall) -> None:
    page = wall.open(calm.url)
    page.evaluate("document.getElementById('seats-1002').mark = 'same element'")
    cells = list(calm.feed.view.seats)
    cells[1] = replace(cells[1], state="ready")
    calm.feed.change(answers_today=1234, seats=tuple(cells))
    wall.wait_for("tile-cumulative-figure", "1,234", 1)
    assert wall.says("seats-1002-word") == "空闲"
    assert page.get_attribute("#seats-1002", "data-state") == "ready"
    assert page.evaluate("document.getElementById('seats-1002').mark") == "same element"
    assert wall.says("tile-slot-figure") == "21"


def test_a_gap_is_hatched_while_there_is_one(calm: Served, wall: Wall) -> None:
    page = wall.open(calm.url)
    hatches = page.locator("#chart-wide path.gap")
    words = page.locator("#chart-wide text.gap-word")
    legend = page.locator(".key-gap"), page.locator(".key-backfilled")
    assert (hatches.count(), words.count()) == (0, 0)
    assert [key.is_visible() for key in legend] == [False, False]
    calm.feed.show(with_gaps())
    words.wait_for()
    assert words.text_content() == "缺 8:40–9:12"
    assert [key.is_visible() for key in legend] == [True, True]
    assert page.locator("#chart-wide path.late").count() == 2
    # Lines, and not a colour alone: each hatched column is crossed by light strokes on the panel's dark.
    for hatch in hatches.all():
        assert hatch.evaluate("(e) => getComputedStyle(e).stroke") == "rgb(159, 176, 194)"
        assert hatch.evaluate("(e) => (e.getAttribute('d').match(/M/g) || []).length") > 10
        box = hatch.bounding_box()
        assert box is not None and box["width"] > 40 and box["height"] > 300
    first, word = hatches.first.bounding_box(), words.bounding_box()
    assert first is not None and word is not None and word["y"] + word["height"] <= first["y"] + 8
    calm.feed.show(hall())
    words.wait_for(state="detached")
    assert hatches.count() == 0
    assert [key.is_visible() for key in legend] == [False, False]


def test_seats_and_states_come_and_go(calm: Served, wall: Wall) -> None:
    page = wall.open(calm.url)
    calm.feed.show(hall(count=5, answers_today=5))
    wall.wait_for("tile-cumulative-figure", "5")
    assert page.locator("#seats > li").count() == 5
    calm.feed.show(all_states(), answers_today=18)
    wall.wait_for("tile-cumulative-figure", "18")
    assert page.locator("#seats > li").count() == 18
    assert wall.says("legend-hold-count") == "2"
    order = page.eval_on_selector_all("#seats > li", "cells => cells.map(cell => cell.id)")
    assert order == [f"seats-{seat.id}" for seat in all_states().seats]
    assert (
        page.eval_on_selector_all("#legend > li", "cells => cells.map(cell => cell.id)")[1] == "legend-hold"
    )


def test_names_are_only_ever_text(serve: Callable[[HallView], Served], wall: Wall) -> None:
    served = serve(hall())
    page = wall.open(served.url)
    served.feed.show(hostile(), answers_today=66)
    wall.wait_for("tile-cumulative-figure", "66")
    names = page.eval_on_selector_all(".seat-name", "names => names.map(name => name.textContent)")
    assert HOSTILE[0] in names
    assert page.locator("#hall script, #hall img, #hall b, #hall i").count() == 0


def test_elapsed_times_and_the_clock_go_by_the_server_whatever_the_browser_thinks(
    calm: Served, wall: Wall
) -> None:
    wall.page.context.add_init_script(WRONG_CLOCK)
    wall.open(calm.url)
    time.sleep(2.2)
    before = calm.feed.now_s()
    seconds = [int(part) for part in wall.says("clock").split(":")]
    clock_s = seconds[0] * 3600 + seconds[1] * 60 + seconds[2]
    assert abs(clock_s - (before + 8 * 3600) % 86400) < 2
    minutes, rest = wall.says("seats-1001-time").split(":")
    since_s = calm.feed.view.seats[0].since_s
    assert since_s is not None
    assert abs(int(minutes) * 60 + int(rest) - (before - since_s)) < 2


def test_a_clock_change_of_the_zone_is_followed(calm: Served, wall: Wall) -> None:
    wall.open(calm.url)
    calm.feed.offset_s = 9 * 3600
    hour = int(NOW_S // 3600 % 24 + 9) % 24
    wall.page.wait_for_function(
        "(hour) => document.getElementById('clock').textContent.startsWith(hour)",
        arg=f"{hour:02d}:",
        timeout=4000,
    )


@pytest.mark.parametrize(
    ("cause", "words"),
    [
        ("silence", "数据源无响应"),
        ("hung", "正在重新连接"),
        ("store", "存储无响应"),
        ("broken", "存储无响应"),
    ],
)
def test_data_that_stops_looks_stale_within_five_seconds_and_comes_back(
    calm: Served, wall: Wall, cause: str, words: str
) -> None:
    page = wall.open(calm.url)
    feed = calm.feed
    time.sleep(1.2)
    assert not page.evaluate(STALE)
    start = time.monotonic()
    if cause == "silence":
        feed.silence()
    elif cause == "hung":
        feed.hung.clear()
    elif cause == "store":
        feed.store_ok = False
    else:
        feed.broken = RuntimeError("no view")
    page.wait_for_function(STALE, timeout=6000)
    assert time.monotonic() - start < 5
    band = wall.says("band")
    assert band.startswith("数据停在 10:48:")
    assert wall.says("band-why") == words
    assert page.evaluate("getComputedStyle(document.querySelector('.figure')).color") == "rgb(185, 185, 185)"
    feed.speak()
    feed.hung.set()
    feed.store_ok = True
    feed.broken = None
    page.wait_for_function(FRESH, timeout=4000)
    assert wall.says("band") == ""


def test_elapsed_times_stand_while_the_data_does(calm: Served, wall: Wall) -> None:
    page = wall.open(calm.url)
    calm.feed.silence()
    page.wait_for_function(STALE, timeout=6000)
    stood = wall.says("seats-1001-time")
    time.sleep(2.1)
    assert wall.says("seats-1001-time") == stood


def test_the_band_says_since_when_and_for_how_long(calm: Served, wall: Wall) -> None:
    page = wall.open(calm.url)
    calm.feed.change(sources=(replace(calm.feed.view.sources[0], age_s=125.0),))
    page.wait_for_function(STALE, timeout=3000)
    assert "已 2 分 " in wall.says("band")
    assert wall.says("band").startswith("数据停在 10:46:")


@pytest.mark.parametrize("standing", ["rebuilding", "no_data"])
def test_a_rebuild_is_no_failure_and_shows_no_numbers(
    serve: Callable[[HallView], Served], wall: Wall, standing: str
) -> None:
    page = wall.open(serve(unknown(standing)).url)
    time.sleep(5)
    assert not page.evaluate(STALE)
    assert page.locator("#notice").is_visible()
    assert set(page.eval_on_selector_all(".figure", "all => all.map(one => one.textContent)")) == {"—"}


def test_where_a_proxy_eats_the_stream_the_page_polls(calm: Served, wall: Wall) -> None:
    wall.loses_the_server = True
    wall.page.route("**/stream/hall", lambda route: route.fulfill(status=502, body="eaten"))
    wall.page.goto(f"{calm.url}/hall")
    wall.page.wait_for_selector('#link[data-link="poll"]', state="attached", timeout=8000)
    calm.feed.change(answers_today=4321)
    wall.wait_for("tile-cumulative-figure", "4,321", 3)
    time.sleep(5)
    assert not wall.page.evaluate(STALE)


@pytest.mark.slow
def test_a_stream_that_stays_silent_is_given_up(calm: Served, wall: Wall) -> None:
    wall.page.route("**/stream/hall", lambda route: None)
    wall.page.goto(f"{calm.url}/hall")
    wall.page.wait_for_selector('#link[data-link="poll"]', state="attached", timeout=15000)
    wall.wait_for("tile-cumulative-figure", "155")
    wall.page.unroute("**/stream/hall")


def test_a_killed_server_is_survived_without_loading_the_page_again(process: Process, wall: Wall) -> None:
    wall.loses_the_server = True
    process.start()
    page = wall.open(process.url)
    page.evaluate("window.same = true")
    process.kill()
    start = time.monotonic()
    page.wait_for_function(STALE, timeout=6000)
    assert time.monotonic() - start < 5
    process.file.write_text('{"changes": {"answers_today": 888}}')
    process.start()
    page.wait_for_function(FRESH, timeout=10000)
    wall.wait_for("tile-cumulative-figure", "888")
    assert page.evaluate("window.same") is True


@pytest.mark.slow
def test_a_new_version_is_loaded_once(process: Process, wall: Wall) -> None:
    wall.loses_the_server = True
    process.start()
    page = wall.open(process.url)
    page.evaluate("window.same = true")
    process.kill()
    process.file.write_text('{"language": "en"}')
    process.start()
    page.wait_for_function("() => window.same !== true", timeout=25000)
    page.wait_for_selector('#link[data-link="live"]', state="attached")
    assert wall.says("link-state") == "live"
    page.evaluate("window.same = true")
    time.sleep(12)
    assert page.evaluate("window.same") is True


@pytest.mark.slow
def test_where_dash_cannot_draw_the_page_is_asked_for_again(calm: Served, wall: Wall) -> None:
    wall.loses_the_server = True
    failing = [True]
    wall.page.route(
        "**/_dash-layout",
        lambda route: route.fulfill(status=500, body="") if failing[0] else route.continue_(),
    )
    wall.page.goto(f"{calm.url}/hall")
    time.sleep(1)
    failing[0] = False
    wall.page.wait_for_selector("#hall", timeout=25000)
    wall.page.wait_for_selector('#link[data-link="live"]', state="attached")


def test_once_drawn_dash_is_not_needed(calm: Served, wall: Wall) -> None:
    wall.open(calm.url)
    wall.page.route("**/_dash*", lambda route: route.abort())
    calm.feed.show(hall(busy=True, answers_today=7))
    wall.wait_for("tile-cumulative-figure", "7")
    assert wall.page.get_attribute("#tile-queue", "data-tone") == "action"


def test_the_cursor_hides_until_it_is_moved(calm: Served, wall: Wall) -> None:
    page = wall.open(calm.url)
    is_cursor = "(cursor) => getComputedStyle(document.documentElement).cursor === cursor"
    assert page.evaluate(is_cursor, "none")
    page.mouse.move(50, 60)
    page.wait_for_function(is_cursor, arg="auto")
    page.wait_for_function(is_cursor, arg="none", timeout=5000)


def test_the_browser_writes_durations_as_the_server_does(calm: Served, wall: Wall) -> None:
    page = wall.open(calm.url)
    values = [0, 0.9, 7, 59, 60, 61, 599, 600, 3599, 3600, 4324, 86399, 360000, -5]
    said = page.evaluate("(values) => values.map((value) => wallboard.duration(value))", values)
    assert said == [shown.duration(value) for value in values]


def test_what_dash_draws_is_what_the_first_frame_says(calm: Served, wall: Wall) -> None:
    wall.page.route("**/stream/hall", lambda route: None)
    wall.page.goto(f"{calm.url}/hall")
    wall.page.wait_for_selector("#hall")
    everything = """() => Object.fromEntries([...document.querySelectorAll('#hall [id]')].map((e) => [e.id,
        [e.className, e.title, e.children.length ? '' : e.textContent, e.dataset.tone, e.dataset.size]]))"""
    drawn = wall.page.evaluate(everything)
    # What the browser says by itself, and what the frame draws: members of lists and pictures.
    own = {"clock", "age", "link", "link-state", "tile-queue-note-1"}
    calm.feed.show(hall())
    wall.page.unroute_all()
    wall.open(calm.url)
    framed = wall.page.evaluate(everything)
    assert {id_: said for id_, said in drawn.items() if id_ not in own} == {
        id_: framed[id_] for id_ in drawn if id_ not in own
    }


def test_every_id_of_a_frame_is_on_the_page(calm: Served, wall: Wall) -> None:
    page = wall.open(calm.url)
    frame = hall_frame(calm.feed.hall(), ZONE)
    wanted = (
        set(frame["text"]) | set(frame["attr"]) | set(frame["since"]) | set(frame["ages"]) | set(frame["svg"])
    )
    there = page.evaluate("() => [...document.querySelectorAll('#react-entry-point [id]')].map((e) => e.id)")
    assert len(there) == len(set(there))
    assert wanted <= set(there)


def test_a_seat_is_found_by_its_id(serve: Callable[[HallView], Served], wall: Wall) -> None:
    odd = replace(seats(1)[0], id="PJSIP/张.1")
    wall.open(serve(hall(seats=(odd,))).url)
    assert wall.says(ids.cell(ids.SEATS, ids.key("PJSIP/张.1"), "name")) == "陈静"
