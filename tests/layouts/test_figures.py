"""The chart of slots: inside its box, nothing twice, and gaps never filled in."""

import re
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.core.days import Zone
from dashboard.core.gaps import merged
from dashboard.core.views import SlotView
from layouts.figures import nice_top, slot_chart
from layouts.frame import Shape
from layouts.measure import em
from layouts.text import speaker
from tests.web.fake_feed import NOW_S, START_S, ZONE, slots

SAY = speaker("zh-CN")
BOX = (1052.0, 560.0)


def chart(
    views: tuple[SlotView, ...],
    now_s: float = NOW_S,
    box: tuple[float, float] = BOX,
    gaps: Sequence[tuple[int, int]] = (),
) -> dict[str, Shape]:
    shapes = slot_chart(views, now_s, *box, ZONE, SAY, gaps)["shapes"]
    by_key = {shape[0]: shape for shape in shapes}
    assert len(by_key) == len(shapes), "a key is there twice"
    return by_key


@st.composite
def days(draw: st.DrawFn) -> tuple[SlotView, ...]:
    """Any day: slots of any length, counts of any size, gaps anywhere."""
    count = draw(st.integers(0, 60))
    length_s = draw(st.sampled_from([900, 1800, 3600]))
    now = draw(st.integers(0, count))
    numbers = st.none() | st.integers(0, 5000)
    views = []
    for n in range(count):
        start_s = START_S + n * length_s
        answers = None if n > now else draw(numbers)
        views.append(
            SlotView(
                start_s=start_s,
                end_s=start_s + length_s,
                answers=answers,
                cumulative=None if answers is None else n * 5000 + answers,
                average=draw(st.none() | st.floats(0, 5000)),
                average_cumulative=draw(st.none() | st.floats(0, 300000)),
                gap=draw(st.booleans()),
                open=draw(st.booleans()),
                running=n == now,
                future=n > now,
                backfilled=draw(st.booleans()),
            )
        )
    return tuple(views)


@given(days(), st.sampled_from([BOX, (624.0, 232.0), (1012.0, 440.0)]), st.integers(0, 10**6))
def test_every_shape_is_inside_the_picture(
    views: tuple[SlotView, ...], box: tuple[float, float], after_s: int
) -> None:
    for shape in chart(views, START_S + after_s, box).values():
        attributes = shape[2]
        xs = [float(attributes[name]) for name in ("x", "x1", "x2", "cx") if name in attributes]
        ys = [float(attributes[name]) for name in ("y", "y1", "y2", "cy") if name in attributes]
        pairs = re.findall(r"[ML](-?[\d.]+) (-?[\d.]+)", attributes.get("d", ""))
        xs += [float(x) for x, _ in pairs]
        ys += [float(y) for _, y in pairs]
        assert all(0 <= x <= box[0] for x in xs), shape
        assert all(0 <= y <= box[1] for y in ys), shape
        assert float(attributes.get("height", 0)) >= 0


def test_a_bar_is_as_high_as_its_answers() -> None:
    drawn = chart(slots())
    high = [float(drawn[f"bar-{slot.start_s}"][2]["height"]) for slot in slots()[:5]]
    assert [round(h / high[0], 1) for h in high] == [round(n / 8, 1) for n in (8, 14, 29, 37, 46)]


def test_the_running_slot_is_drawn_open_and_the_future_not_at_all() -> None:
    views = slots()
    drawn = chart(views)
    assert drawn[f"bar-{views[5].start_s}"][2]["class"] == "bar running"
    assert f"bar-{views[6].start_s}" not in drawn
    assert drawn[f"average-{views[6].start_s}"][2]["class"] == "average to-come"


def test_a_slot_with_undecided_calls_has_an_open_lid() -> None:
    views = slots()
    assert f"lid-{views[4].start_s}" in chart(views)
    assert f"lid-{views[3].start_s}" not in chart(views)


def test_a_gap_is_hatched_and_the_cumulative_line_is_broken_there() -> None:
    views = list(slots())
    views[2] = replace(views[2], gap=True, answers=None, cumulative=None)
    drawn = chart(tuple(views))
    assert f"gap-{views[2].start_s}" in drawn
    assert f"bar-{views[2].start_s}" not in drawn
    assert drawn["total"][2]["d"].count("M") == 2
    assert chart(slots())["total"][2]["d"].count("M") == 1


def test_the_times_of_a_gap_stand_above_its_hatch_and_the_unknown_is_a_dash() -> None:
    views = list(slots())
    views[2] = replace(views[2], gap=True, answers=None, cumulative=None)
    gap = (views[2].start_s + 61, views[2].end_s - 59)
    drawn = chart(tuple(views), gaps=[gap])
    label, hatch = drawn[f"gap-time-{gap[0]}"], drawn[f"gap-{views[2].start_s}"]
    assert label[3] == "缺 9:01–9:30"
    highest = min(float(y) for _, y in re.findall(r"[ML](-?[\d.]+) (-?[\d.]+)", hatch[2]["d"]))
    assert float(label[2]["y"]) < highest
    assert drawn[f"value-{views[2].start_s}"][3] == "—"
    assert drawn[f"row-total-{views[2].start_s}"][3] == "—"


def test_a_gap_too_short_to_be_hatched_has_no_times() -> None:
    views = slots()
    drawn = chart(views, gaps=[(views[1].start_s, views[1].start_s + 5)])
    assert not [key for key in drawn if key.startswith("gap")]


@given(
    days(),
    st.sampled_from([BOX, (624.0, 232.0), (1012.0, 440.0)]),
    st.lists(st.tuples(st.integers(0, 50_000), st.integers(1, 9_000)), max_size=8),
)
def test_times_of_gaps_lie_apart_and_inside_the_picture(
    views: tuple[SlotView, ...], box: tuple[float, float], some: list[tuple[int, int]]
) -> None:
    gaps = merged((START_S + at_s, START_S + at_s + long_s) for at_s, long_s in some)
    drawn = chart(views, box=box, gaps=gaps)
    middles = [
        (float(shape[2]["x"]), em(shape[3]) * 11)
        for key, shape in drawn.items()
        if key.startswith("gap-time-")
    ]
    edges = [edge for x, half in middles for edge in (x - half, x + half)]
    assert edges == sorted(edges)
    assert all(-0.1 <= edge <= box[0] + 0.1 for edge in edges)


def test_what_was_read_later_has_a_mark_under_its_slot() -> None:
    views = list(slots())
    views[3] = replace(views[3], backfilled=True)
    assert [key for key in chart(tuple(views)) if key.startswith("late-")] == [f"late-{views[3].start_s}"]


def test_keys_stay_while_the_day_goes_on() -> None:
    before, after = chart(slots(NOW_S)), chart(slots(NOW_S + 600), NOW_S + 600)
    assert list(before) == list(after)


def test_labels_are_thinned_but_the_newest_stays() -> None:
    drawn = chart(slots(), box=(624.0, 232.0))
    values = [key for key in drawn if key.startswith("value-")]
    assert values[-1] == f"value-{slots()[5].start_s}"
    assert len(values) < 6
    assert len([key for key in chart(slots()) if key.startswith("value-")]) == 6


def test_a_day_of_25_hours_is_labelled_by_the_wall_clock() -> None:
    berlin = Zone("Europe/Berlin")
    start_s, end_s = berlin.bounds("2026-10-25")
    blank = replace(slots()[0], answers=None, cumulative=None, average=None, average_cumulative=None)
    views = tuple(
        replace(blank, start_s=at, end_s=at + 3600, running=False, future=True)
        for at in range(start_s, end_s, 3600)
    )
    shapes = slot_chart(views, start_s - 1, *BOX, berlin, SAY)["shapes"]
    times = [shape[3] for shape in shapes if shape[0].startswith("time-")]
    assert len(views) == 25
    assert times[0] == "0:00"
    assert times[-1] == "0:00" or len(times) < 26


@pytest.mark.parametrize("value", [0, 1, 3, 4, 5, 46, 99, 100, 572, 99999])
def test_an_axis_has_at_most_four_whole_steps_and_holds_its_value(value: float) -> None:
    top, step = nice_top(value)
    assert top >= value
    assert top % step == 0
    assert top // step <= 4
