"""The hall's frame and page: the same ids, the right words, and nothing that a switch wrote as markup."""

import json
from dataclasses import replace

import pytest
from dash.development.base_component import Component

from dashboard.config import UNASSIGNED
from dashboard.core.views import HallView, SourceView
from layouts import ids
from layouts.frame import Cell, Frame
from layouts.hall import hall_frame, hall_layout
from tests.web.fake_feed import NOW_S, SCENARIOS, START_S, ZONE, hall, unknown, with_gaps

ALL = [(name, language, count) for name in SCENARIOS for language in ("zh-CN", "en") for count in (3, 17, 60)]


def elements(component: Component) -> list[Component]:
    return [component, *component._traverse()] if isinstance(component, Component) else []


def page(view: HallView) -> dict[str, Component]:
    found = [part for part in elements(hall_layout(view, ZONE)) if isinstance(part, Component)]
    with_id = [part for part in found if getattr(part, "id", None)]
    by_id = {part.id: part for part in with_id}
    assert len(by_id) == len(with_id), "an id is there twice"
    return by_id


def members(frame: Frame) -> set[str]:
    """The ids that the script will make: each member's cell, and its parts with a name."""

    def parts(cell: Cell) -> set[str]:
        return {cell[2]}.union(*(parts(child) for child in cell[3]))

    return {
        ids.cell(group, key, part)
        for group, list_ in frame["lists"].items()
        for key in list_["keys"]
        for part in parts(list_["cell"])
    }


def frame_ids(frame: Frame) -> set[str]:
    sections = ("text", "attr", "since", "ages", "lists", "svg", "first")
    cells = {ids.cell(group, key) for group, list_ in frame["lists"].items() for key in list_["keys"]}
    return cells.union(*(frame[section] for section in sections))  # type: ignore[literal-required]


@pytest.mark.parametrize(("name", "language", "count"), ALL)
def test_the_ids_of_a_frame_are_the_ids_of_the_page(name: str, language: str, count: int) -> None:
    view = SCENARIOS[name](language, count)
    frame = hall_frame(view, ZONE)
    assert frame_ids(frame) == set(page(view)) | members(frame)


@pytest.mark.parametrize(("name", "language", "count"), ALL)
def test_the_page_says_what_the_frame_says(name: str, language: str, count: int) -> None:
    view = SCENARIOS[name](language, count)
    frame, drawn = hall_frame(view, ZONE), page(view)
    for id_, component in drawn.items():
        said = frame["first"].get(id_, frame["text"].get(id_))
        assert said is None or component.children == said
        for attribute, value in frame["attr"].get(id_, {}).items():
            assert getattr(component, attribute, None) == value


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_frame_is_json_without_numbers_that_json_lacks(name: str) -> None:
    frame = hall_frame(SCENARIOS[name]("zh-CN", 17), ZONE)
    assert json.loads(json.dumps(frame, allow_nan=False)) == frame


def text(view: HallView, id_: str) -> str:
    frame = hall_frame(view, ZONE)
    return frame["first"].get(id_) or frame["text"][id_]


def tone(view: HallView, name: str) -> str | None:
    return hall_frame(view, ZONE)["attr"][ids.tile(name)]["data-tone"]


def test_the_headline_figures_of_a_calm_hall() -> None:
    view = hall()
    said = {
        name: text(view, ids.tile(name, "figure"))
        for name in ("cumulative", "slot", "average", "queue", "service")
    }
    assert said == {"cumulative": "155", "slot": "21", "average": "46.4", "queue": "1", "service": "93.5"}
    assert text(view, ids.tile("slot", "note-1")) == "10:30–11:00"
    assert text(view, ids.tile("queue", "note-1")) == "0:07"
    assert text(view, ids.tile("service", "note-1-key")) == "15秒内接通 ÷ 全部呼入"
    assert hall_frame(view, ZONE)["attr"][ids.HALL]["data-tone"] == "calm"


@pytest.mark.parametrize(
    ("waited_s", "beyond", "expected"),
    [
        (0, 0, "calm"),
        (15, 0, "calm"),
        (16, 1, "attention"),
        (30, 1, "attention"),
        (31, 1, "action"),
        (16, 3, "action"),
    ],
)
def test_the_queue_calls_by_its_longest_wait_and_by_how_many_are_beyond(
    waited_s: int, beyond: int, expected: str
) -> None:
    view = hall(now_s=START_S + 40000.0, waiting_since_s=START_S + 40000 - waited_s, waiting_beyond=beyond)
    assert tone(view, "queue") == expected
    assert bool(text(view, ids.tile("queue", "flag"))) == (expected != "calm")


def test_stale_data_raises_no_alarm_by_the_passing_of_time() -> None:
    view = hall(waiting_since_s=int(NOW_S) - 40, waiting_beyond=1)
    assert tone(view, "queue") == "action"
    stale = replace(view, sources=(SourceView(name="pbx1", age_s=30.0, last_event_s=None),))
    assert tone(stale, "queue") == "calm"


def test_nobody_waits_whatever_an_old_time_says() -> None:
    view = hall(waiting_now=0, waiting_since_s=START_S)
    assert tone(view, "queue") == "calm"
    assert text(view, ids.tile("queue", "note-1")) == "—"


@pytest.mark.parametrize(
    ("level", "figure", "unit", "expected"),
    [
        ((90, 100), "90.0", "%", "calm"),
        ((89, 100), "89.0", "%", "attention"),
        ((4, 5), "4 / 5", "", "calm"),
        ((0, 19), "0 / 19", "", "calm"),
        ((0, 0), "—", "", "calm"),
        (None, "—", "", "calm"),
        ((1999, 2000), "99.9", "%", "calm"),
        ((2000, 2000), "100", "%", "calm"),
    ],
)
def test_the_service_level_is_a_percentage_of_twenty_calls_and_more(
    level: tuple[int, int] | None, figure: str, unit: str, expected: str
) -> None:
    view = hall(service_level=level)
    assert text(view, ids.tile("service", "figure")) == figure
    assert hall_frame(view, ZONE)["text"][ids.tile("service", "unit")] == unit
    assert tone(view, "service") == expected


def test_few_calls_have_their_interval_in_the_title() -> None:
    title = hall_frame(hall(service_level=(4, 5)), ZONE)["attr"][ids.tile("service")]["title"]
    assert title == "样本少于 20 通；95% 区间 38–96%"


@pytest.mark.parametrize("standing", ["rebuilding", "no_data"])
def test_what_is_not_known_is_a_dash_and_never_nought(standing: str) -> None:
    frame = hall_frame(unknown(standing), ZONE)
    for name in ("cumulative", "slot", "average", "queue", "service"):
        assert frame["text"][ids.tile(name, "figure")] == "—"
    for fate in ("offered", "answered", "abandoned", "overflowed", "lost"):
        assert frame["text"][f"fate-{fate}"] == "—"
    assert frame["text"]["notice"]
    assert not any(shape[0].startswith(("bar-", "value-")) for shape in frame["svg"]["chart-wide"]["shapes"])


def test_the_header_says_what_day_it_is_and_when_it_opens() -> None:
    view = SCENARIOS["before"]("zh-CN", 3)
    assert (text(view, "day"), text(view, "phase")) == ("11月23日 周一 · 工作日", "征期已过 · 8:00 开始服务")
    assert text(replace(view, language="en"), "day") == "Mon 23 November · workday"
    assert text(SCENARIOS["rest"]("zh-CN", 3), "phase") == "今日不服务"
    assert "日历未定" in text(replace(view, calendar_known=False), "day")
    assert text(replace(view, moved_clock=True), "moved") == "演示时钟"


def test_averages_say_what_they_are_of() -> None:
    note = ids.tile("average", "note-1-key")
    assert text(hall(), note) == "近 20 个可比日"
    assert text(hall(comparable_widened=True, comparable_days=4), note) == "近 4 日 · 不分征期"
    assert text(hall(calendar_known=False), note) == "近 20 日 · 日历未定"
    assert text(hall(comparable_days=0, average_slot=None), note) == "还没有可比日"


def test_a_pause_says_its_reason_and_a_long_one_calls() -> None:
    frame = hall_frame(hall(busy=True), ZONE)
    cell = ids.cell(ids.SEATS, "2007")
    assert frame["attr"][cell]["data-tone"] == "action"
    assert frame["text"][f"{cell}-reason"] == "培训"
    assert frame["attr"][ids.cell(ids.SEATS, "2002", "mark")]["data-on"] == "yes"


def test_a_seat_without_a_name_is_called_by_its_id() -> None:
    view = hall(count=3)
    nameless = replace(view.seats[0], label=" ")
    assert text(replace(view, seats=(nameless,)), ids.cell(ids.SEATS, "1001", "name")) == "1001"


def test_a_seat_of_no_bureau_says_so_in_the_language_of_the_screen() -> None:
    view = hall(count=1)
    homeless = replace(view, seats=(replace(view.seats[0], site=UNASSIGNED),))
    assert text(homeless, ids.cell(ids.SEATS, "1001", "site")) == "未归属"
    assert text(replace(homeless, language="en"), ids.cell(ids.SEATS, "1001", "site")) == "unassigned"


def test_the_legend_counts_all_seats_and_hides_only_rare_states_that_nobody_is_in() -> None:
    frame = hall_frame(hall(), ZONE)
    keys = frame["lists"][ids.LEGEND]["keys"]
    assert keys == ["talking", "ringing", "ready", "wrap_up", "paused", "signed_out", "unknown"]
    assert sum(int(frame["text"][ids.cell(ids.LEGEND, key, "count")]) for key in keys) == 17
    assert "hold" in hall_frame(SCENARIOS["states"]("zh-CN", 18), ZONE)["lists"][ids.LEGEND]["keys"]


def test_more_seats_than_fit_turn_in_pages_with_the_unusual_ones_first() -> None:
    view = hall(count=150, busy=True)
    pages = {}
    for second in range(0, 60, 12):
        frame = hall_frame(replace(view, now_s=float(second)), ZONE)
        pages[frame["text"]["seats-page"]] = frame["lists"][ids.SEATS]["keys"]
    assert list(pages) == ["第 1 / 3 页", "第 2 / 3 页", "第 3 / 3 页"]
    shown = [key for keys in pages.values() for key in keys]
    assert sorted(shown) == sorted(ids.key(seat.id) for seat in view.seats)
    usual = [
        next(s for s in view.seats if ids.key(s.id) == key).state in ("ready", "talking") for key in shown
    ]
    assert usual == sorted(usual)


def test_sixty_seats_are_on_one_page() -> None:
    frame = hall_frame(SCENARIOS["busy"]("zh-CN", 60), ZONE)
    assert len(frame["lists"][ids.SEATS]["keys"]) == 60
    assert frame["text"]["seats-page"] == ""


def test_the_footer_shows_as_many_sources_as_fit_and_counts_the_others() -> None:
    sources = tuple(SourceView(name=f"switch-{n}", age_s=1.0, last_event_s=None) for n in range(12))
    frame = hall_frame(hall(sources=sources), ZONE)
    keys = frame["lists"][ids.SOURCES]["keys"]
    assert 2 <= len(keys) < 12
    assert frame["text"]["sources-more"] == f"另 {12 - len(keys)} 个"
    ill = (*sources[:11], replace(sources[11], problem="disk full"))
    frame = hall_frame(hall(sources=ill), ZONE)
    assert frame["text"][ids.cell(ids.SOURCES, "switch-11", "name")] == "switch-11 有问题，见 /readyz"


def test_queues_without_a_home_are_named_or_counted() -> None:
    assert text(hall(unassigned_queues=("q1", "q2")), "unassigned-names") == "q1 · q2"
    assert text(hall(unassigned_queues=tuple("q" * 30 + str(n) for n in range(9))), "unassigned-names") == "9"


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("zh-CN", ("缺数据", "32 分", "缺数据", "补录", "缺 8:40–9:12")),
        ("en", ("Data missing", "32 min", "gap", "read later", "gap 8:40–9:12")),
    ],
)
def test_gaps_are_told_in_words_and_only_where_there_are_some(language: str, words: tuple[str, ...]) -> None:
    frame = hall_frame(with_gaps(language), ZONE)
    text = frame["text"]
    labels = [shape[3] for shape in frame["svg"]["chart-wide"]["shapes"] if shape[0].startswith("gap-time-")]
    note = (text["tile-cumulative-note-1-key"], text["tile-cumulative-note-1"])
    assert (*note, text["key-gap"], text["key-backfilled"], *labels) == words
    assert (frame["attr"]["hall"]["data-gap"], frame["attr"]["hall"]["data-late"]) == ("yes", "yes")
    calm = hall_frame(hall(language=language), ZONE)
    assert (calm["attr"]["hall"]["data-gap"], calm["attr"]["hall"]["data-late"]) == (None, None)
    assert calm["text"]["tile-cumulative-note-1-key"] != words[0]
