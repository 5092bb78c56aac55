"""What a page is made of: nested nodes, drawn as Dash components with the words of a frame.

A node with an id takes text and attributes from the frame; a list's members are drawn from its cell, the same
structure that the script in `assets/` uses to add one later.
"""

from typing import Any, NamedTuple

from dash import html
from dash.development.base_component import Component

from layouts.frame import Cell, Frame
from layouts.ids import cell as cell_id

_TAGS: dict[str, type[Component]] = {
    "div": html.Div,
    "span": html.Span,
    "header": html.Header,
    "main": html.Main,
    "section": html.Section,
    "footer": html.Footer,
    "h2": html.H2,
    "ul": html.Ul,
    "li": html.Li,
    "bdi": html.Bdi,
}


class Node(NamedTuple):
    """An element.

    Attributes:
        tag: Its HTML tag.
        cls: Its classes.
        id: Its id on the page; in a cell, the name of the part ("" for the cell itself).
        children: What is in it.
    """

    tag: str
    cls: str = ""
    id: str = ""
    children: tuple["Node", ...] = ()


def as_cell(node: Node) -> Cell:
    """A cell's structure as a frame holds it."""
    return [node.tag, node.cls, node.id, [as_cell(child) for child in node.children]]


def draw(node: Node, frame: Frame) -> Component:
    """Draw a page.

    Args:
        node: Its structure.
        frame: What it says.
    """
    children = [draw(child, frame) for child in node.children]
    if node.id in frame["lists"]:
        members = frame["lists"][node.id]
        children = [_member(members["cell"], node.id, key, frame) for key in members["keys"]]
    return _element(node.tag, node.cls, node.id, children, frame)


def _member(cell: Cell, group: str, key: str, frame: Frame) -> Component:
    def inner(part: Cell, id_: str) -> Component:
        tag, cls, _, parts = part
        children = [inner(child, cell_id(group, key, child[2]) if child[2] else "") for child in parts]
        return _element(tag, cls, id_, children, frame)

    return inner(cell, cell_id(group, key))


def _element(tag: str, cls: str, id_: str, children: list[Component], frame: Frame) -> Component:
    props: dict[str, Any] = {"className": cls} if cls else {}
    if id_:
        props["id"] = id_
        props.update({name: value for name, value in frame["attr"].get(id_, {}).items() if value is not None})
    text = frame["first"].get(id_, frame["text"].get(id_))
    if text is not None:
        props["children"] = text
    elif children:
        props["children"] = children
    return _TAGS[tag](**props)
