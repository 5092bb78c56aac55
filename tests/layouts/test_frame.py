"""Frames and their differences."""

import json
from dataclasses import replace
from itertools import pairwise
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from layouts.frame import Frame, difference, empty
from layouts.hall import hall_frame
from tests.web.fake_feed import SCENARIOS, ZONE

names = st.sampled_from(["a", "b", "c", "d"])
shapes = st.lists(
    st.tuples(names, st.sampled_from(["line", "rect"]), st.integers(0, 3)), unique_by=lambda s: s[0]
)


@st.composite
def frames(draw: st.DrawFn) -> Frame:
    frame = empty()
    frame["text"] = draw(st.dictionaries(names, st.text(max_size=3)))
    frame["attr"] = draw(st.dictionaries(names, st.dictionaries(names, st.none() | st.text(max_size=2))))
    frame["since"] = draw(st.dictionaries(names, st.none() | st.integers(0, 3)))
    frame["ages"] = draw(st.dictionaries(names, names))
    frame["lists"] = {"list": {"keys": draw(st.lists(names, unique=True)), "cell": ["li", "", "", []]}}
    drawn = [[key, tag, {"x": str(x)}, ""] for key, tag, x in draw(shapes)]
    frame["svg"] = {"chart": {"box": [draw(st.integers(1, 2)), 1], "shapes": drawn}}
    return frame


def applied(state: dict[str, Any], change: Frame | None) -> dict[str, Any]:
    """What the script does with a frame, on values instead of elements."""
    if change is None:
        return state
    new: dict[str, Any] = {
        part: {**state[part], **change[part]} for part in ("text", "attr", "since", "ages", "lists")
    }
    pictures = dict(state["svg"])
    for id_, drawing in change["svg"].items():
        if "set" in drawing:
            changed = {shape[0]: shape for shape in drawing["set"]}
            old = pictures[id_]
            pictures[id_] = {
                "box": old["box"],
                "shapes": [changed.get(shape[0], shape) for shape in old["shapes"]],
            }
        else:
            pictures[id_] = drawing
    return {**new, "svg": pictures}


def shows(state: dict[str, Any], frame: Frame) -> bool:
    """Every value of a frame is in a state; a state may still hold what a list has lost."""
    return all(
        state[part].get(id_) == value
        for part in ("text", "attr", "since", "ages", "lists", "svg")
        for id_, value in frame[part].items()  # type: ignore[literal-required]
    )


@given(st.lists(frames(), min_size=1, max_size=4))
def test_differences_one_after_another_show_the_last_frame(row: list[Frame]) -> None:
    state: dict[str, Any] = applied({**empty()}, row[0])
    for old, new in pairwise(row):
        state = applied(state, difference(old, new))
    assert shows(state, row[-1])


@given(frames())
def test_nothing_changed_is_nothing_to_send(frame: Frame) -> None:
    assert difference(frame, json.loads(json.dumps(frame))) is None


@given(frames(), frames())
def test_a_difference_applied_twice_or_upon_a_later_frame_harms_nothing(old: Frame, new: Frame) -> None:
    change = difference(old, new)
    state = applied(applied(applied({**empty()}, old), change), change)
    assert shows(state, new)


def test_a_second_that_passes_changes_little() -> None:
    view = SCENARIOS["busy"]("zh-CN", 60)
    change = difference(hall_frame(view, ZONE), hall_frame(replace(view, now_s=view.now_s + 1), ZONE))
    assert change is None or len(json.dumps(change)) < 1500
