"""A frame: everything that can change on a page, by the id of its element, as values that JSON can hold.

The page is drawn from a frame and patched by frames, so the two cannot disagree. Between two frames only the
difference is sent. Pure.
"""

from typing import Any, NotRequired, TypedDict

from layouts.format import duration

Shape = list[Any]
"""[key, SVG tag, {attribute: value}, text]."""

Cell = list[Any]
"""A list member's structure: [tag, class, part, [cells]]."""


class Members(TypedDict):
    """A keyed list: who is in it, in which order, and what a member is made of."""

    keys: list[str]
    cell: Cell


class Drawing(TypedDict):
    """An SVG picture.

    Attributes:
        box: Its width and height in u.
        shapes: All its shapes, the lowest first.
        set: Instead of both, in a difference: the shapes that changed.
    """

    box: NotRequired[list[float]]
    shapes: NotRequired[list[Shape]]
    set: NotRequired[list[Shape]]


class Frame(TypedDict):
    """A page's state.

    Attributes:
        text: Id -> what it says.
        attr: Id -> attribute -> value; None takes the attribute away.
        since: Id -> epoch second from which the browser counts, by the server's clock; None shows "—".
        ages: Id -> name of the source whose age the browser shows.
        lists: Id of the container -> its members.
        svg: Id of the container -> its picture.
        first: Id -> what the browser will say there by itself (clock, ages, elapsed times), as of now: drawn with
            the page and never sent. Not for members of lists, which the browser draws itself.
    """

    text: dict[str, str]
    attr: dict[str, dict[str, str | None]]
    since: dict[str, int | None]
    ages: dict[str, str]
    lists: dict[str, Members]
    svg: dict[str, Drawing]
    first: dict[str, str]


def empty() -> Frame:
    """A frame that says nothing."""
    return {"text": {}, "attr": {}, "since": {}, "ages": {}, "lists": {}, "svg": {}, "first": {}}


def count_from(frame: Frame, id_: str, since_s: int | None, now_s: float) -> None:
    """Let the browser count an elapsed time."""
    frame["since"][id_] = since_s
    frame["first"][id_] = duration(None if since_s is None else now_s - since_s)


def difference(old: Frame, new: Frame) -> Frame | None:
    """What must be written on a page that shows `old` so that it shows `new`; None if nothing.

    Elements that only `old` knows are members that left a list; the list says so.

    >>> one, two = empty(), empty()
    >>> two["text"] = {"a": "1"}
    >>> difference(one, two)["text"], difference(two, two)
    ({'a': '1'}, None)
    """
    changed: Frame = {
        "text": {id_: text for id_, text in new["text"].items() if old["text"].get(id_) != text},
        "attr": {id_: attr for id_, attr in new["attr"].items() if old["attr"].get(id_) != attr},
        # None is a value here: "not known since when" must be told once, so ask for the key as well.
        "since": {
            id_: at_s
            for id_, at_s in new["since"].items()
            if id_ not in old["since"] or old["since"][id_] != at_s
        },
        "ages": {id_: name for id_, name in new["ages"].items() if old["ages"].get(id_) != name},
        "lists": {id_: members for id_, members in new["lists"].items() if old["lists"].get(id_) != members},
        "svg": {
            id_: redrawn
            for id_, drawing in new["svg"].items()
            if (redrawn := _redrawn(old["svg"].get(id_), drawing)) is not None
        },
        "first": {},
    }
    return changed if any(changed.values()) else None


def _redrawn(old: Drawing | None, new: Drawing) -> Drawing | None:
    if old == new:
        return None
    if old is None or old["box"] != new["box"]:
        return new
    # A shape's place in the order is its depth: where that changed, all of them are sent.
    if [(shape[0], shape[1]) for shape in old["shapes"]] != [(shape[0], shape[1]) for shape in new["shapes"]]:
        return new
    return {
        "set": [after for before, after in zip(old["shapes"], new["shapes"], strict=True) if before != after]
    }
