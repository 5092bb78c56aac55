"""The hall's geometry at every size: nothing overlaps, sticks out, is cut, scrolls or is smaller than its floor."""

import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from dashboard.core.metrics import FORMULAS
from dashboard.core.views import HallView
from layouts.measure import em
from layouts.theme import FLOORS
from tests.browser.conftest import Served, Wall
from tests.web.fake_feed import SCENARIOS, hall

SIZES = ((1920, 1080), (1366, 768), (3840, 2160), (1080, 1920), (2560, 1080), (1920, 1200))
NAMED = ("calm", "busy", "before", "rest", "rebuilding", "hostile", "states", "gaps")

FAULTS = """
(floors) => {
  const faults = [];
  const wide = innerWidth, high = innerHeight;
  const upright = wide / high <= 0.9;
  const u = upright ? Math.min(wide / 1080, high / 1920) : Math.min(wide / 1920, high / 1080);
  const said = (e) => e.textContent.slice(0, 30);
  const name = (e) => e.id || e.getAttribute("class") || e.tagName;
  const paper = document.scrollingElement;
  if (paper.scrollWidth > wide || paper.scrollHeight > high) faults.push("scrolls");
  const floor = (e) => {
    if (e.classList.contains("figure")) return floors.figure;
    if (e.classList.contains("tile-label")) return floors.label;
    if (e.closest(".seat") || e.closest(".legend")) return floors.name;
    return floors.anything;
  };
  const texts = [];
  const walker = document.createTreeWalker(document.getElementById("hall"), NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode, element = node.parentElement, style = getComputedStyle(element);
    if (!node.nodeValue.trim() || style.visibility !== "visible") continue;
    const svg = element.ownerSVGElement;
    const scale = svg ? svg.getScreenCTM().a : 1;
    const font = parseFloat(style.fontSize) * scale;
    const range = document.createRange();
    range.selectNodeContents(node);
    const rects = [...range.getClientRects()].filter((r) => r.width > 0.5);
    if (!rects.length) continue;
    if (font < floor(element) * u - 0.05) faults.push(`${name(element)} is written in ${(font / u).toFixed(1)}`);
    if (/…|\\.\\.\\.$/.test(node.nodeValue)) faults.push(`${name(element)} ends in an ellipsis`);
    for (const r of rects) {
      const middle = (r.top + r.bottom) / 2;
      const [top, bottom] = [middle - 0.42 * font, middle + 0.42 * font];
      texts.push({ element, left: r.left, right: r.right, top, bottom, font });
    }
  }
  for (const text of texts) {
    const boxes = [document.getElementById("hall")];
    for (const box of [".seat", ".tile", ".panel", ".footer", ".chart"]) {
      const found = text.element.closest(box);
      if (found) boxes.push(found);
    }
    for (const box of boxes) {
      const r = box.getBoundingClientRect();
      if (text.left < r.left - 1 || text.right > r.right + 1 || text.top < r.top - 1 || text.bottom > r.bottom + 1)
        faults.push(`${name(text.element)} sticks out of ${name(box)}: ${said(text.element)}`);
    }
  }
  texts.sort((a, b) => a.top - b.top);
  for (let i = 0; i < texts.length; i += 1) {
    for (let j = i + 1; j < texts.length && texts[j].top < texts[i].bottom; j += 1) {
      const a = texts[i], b = texts[j];
      if (a.element === b.element) continue;
      const across = Math.min(a.right, b.right) - Math.max(a.left, b.left);
      const down = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
      if (across > 1 && down > 0.12 * Math.min(a.font, b.font))
        faults.push(`${name(a.element)} lies on ${name(b.element)}: ${said(a.element)} / ${said(b.element)}`);
    }
  }
  for (const e of document.querySelectorAll("#hall, #hall *:not(svg *)")) {
    const style = getComputedStyle(e);
    if (style.overflow !== "visible" && (e.scrollWidth > e.clientWidth + 1 || e.scrollHeight > e.clientHeight + 1))
      faults.push(`${name(e)} is cut`);
    if (style.textOverflow === "ellipsis") faults.push(`${name(e)} may end in an ellipsis`);
  }
  const parts = [...document.querySelectorAll(".header, .tile, .panel, .footer")];
  const tiles = parts.map((e) => [e, e.getBoundingClientRect()]);
  for (const [a, ra] of tiles) for (const [b, rb] of tiles) {
    if (a === b) continue;
    if (ra.left < rb.right - 1 && rb.left < ra.right - 1 && ra.top < rb.bottom - 1 && rb.top < ra.bottom - 1)
      faults.push(`${name(a)} lies on ${name(b)}`);
  }
  if (texts.length < 50) faults.push("hardly anything is written");
  return [...new Set(faults)];
}
"""


def faults(served: Served, wall: Wall, view: HallView, mark: int) -> list[str]:
    """What is wrong with the page once it shows a view."""
    served.feed.show(replace(view, unassigned_queues=(*view.unassigned_queues, f"q{mark}")))
    wall.page.wait_for_function(
        "(mark) => document.getElementById('unassigned').title.endsWith(mark)", arg=f"q{mark}"
    )
    found: list[str] = wall.page.evaluate(FAULTS, FLOORS)
    return found


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_everything_has_its_place(
    serve: Callable[[HallView], Served], wall: Wall, size: tuple[int, int]
) -> None:
    served = serve(hall())
    wall.page.set_viewport_size({"width": size[0], "height": size[1]})
    wall.open(served.url)
    found = {}
    mark = 0
    for language in ("zh-CN", "en"):
        for name in NAMED:
            for count in (3, 17, 60):
                mark += 1
                wrong = faults(served, wall, SCENARIOS[name](language, count), mark)
                if wrong:
                    found[f"{name} {language} {count}"] = wrong[:6]
    assert found == {}, json.dumps(found, ensure_ascii=False, indent=1)


@pytest.mark.parametrize("size", [(1920, 1080), (1080, 1920)], ids=["lying", "upright"])
def test_every_number_of_seats_has_its_place(
    serve: Callable[[HallView], Served], wall: Wall, size: tuple[int, int]
) -> None:
    served = serve(hall())
    wall.page.set_viewport_size({"width": size[0], "height": size[1]})
    wall.open(served.url)
    found = {}
    for count in (0, 1, 2, 4, 6, 8, 10, 13, 20, 24, 25, 31, 40, 50, 61, 120, 300):
        wrong = faults(served, wall, hall(count=count, busy=True), count)
        if wrong:
            found[count] = wrong[:6]
    assert found == {}, json.dumps(found, ensure_ascii=False, indent=1)


@pytest.mark.parametrize("size", [(1920, 1080), (1080, 1920)], ids=["lying", "upright"])
def test_large_figures_and_every_formula_have_their_place(
    serve: Callable[[HallView], Served], wall: Wall, size: tuple[int, int]
) -> None:
    served = serve(hall())
    wall.page.set_viewport_size({"width": size[0], "height": size[1]})
    wall.open(served.url)
    found = {}
    mark = 0
    for language in ("zh-CN", "en"):
        for count in (17, 60):
            for formula in FORMULAS:
                mark += 1
                view = hall(language=language, count=count, busy=True, formula=formula, threshold_s=120)
                view = replace(
                    view,
                    answers_today=138_901 if mark % 4 == 0 else 12345,
                    answers_comparable=23456.7,
                    talking_now=123,
                    answers_slot=1234,
                    average_slot=1234.5,
                    answers_per_seat=123.4,
                    waiting_now=123,
                    waiting_beyond=119,
                    offered=23456,
                    answered=12345,
                    abandoned=9999,
                    overflowed=1111,
                    lost=999,
                    service_level=(11111, 23456) if mark % 2 else (12, 19),
                    comparable_widened=mark % 3 == 0,
                    calendar_known=mark % 3 != 1,
                    moved_clock=True,
                    waiting_since_s=int(view.now_s) - 4000,
                )
                wrong = faults(served, wall, view, mark)
                if wrong:
                    found[f"{language} {count} {formula}"] = wrong[:6]
    assert found == {}, json.dumps(found, ensure_ascii=False, indent=1)


def test_a_stale_screen_covers_nothing(serve: Callable[[HallView], Served], wall: Wall) -> None:
    for language in ("zh-CN", "en"):
        for size in ((1920, 1080), (1080, 1920)):
            served = serve(hall(language=language))
            wall.page.set_viewport_size({"width": size[0], "height": size[1]})
            page = wall.open(served.url)
            served.feed.store_ok = False
            page.wait_for_function("() => document.documentElement.classList.contains('stale')")
            assert page.evaluate(FAULTS, FLOORS) == []
            boxes = page.evaluate(
                "() => ['band', 'clock'].map((id) => document.getElementById(id).getBoundingClientRect().bottom)"
            )
            tiles = page.evaluate("() => document.querySelector('.tiles').getBoundingClientRect().top")
            assert max(boxes) <= tiles


def test_guessed_widths_are_not_too_narrow(serve: Callable[[HallView], Served], wall: Wall) -> None:
    page = wall.open(serve(hall()).url)
    fonts = page.evaluate("() => document.fonts.check('22px \"Noto Sans CJK SC\"')")
    if not fonts:
        pytest.skip("Noto Sans CJK is not installed; the widths are those of its letters")
    letters = [chr(code) for code in range(0x21, 0x7F)] + list("·—–÷…“”；，。（）王欧")
    widths = page.evaluate(
        """(letters) => {
          const pen = document.createElement("canvas").getContext("2d");
          pen.font = '100px "Noto Sans CJK SC"';
          return letters.map((letter) => pen.measureText(letter).width / 100);
        }""",
        letters,
    )
    too_narrow = {c: (em(c), w) for c, w in zip(letters, widths, strict=True) if em(c) < w - 0.02}
    assert too_narrow == {}
