"""What a page is made of: nested nodes, drawn as Dash components with the words of a frame.

A node with an id takes text and attributes from the frame. A list's members are nodes too, sent in the frame, from
which the script in `assets/` makes them.
"""

from typing import Any, NamedTuple

from dash import html
from dash.development.base_component import Component

from layouts.frame import Cell, Frame

_TAGS: dict[str, type[Component]] = {
    "div": html.Div,
    "span": html.Span,
    "header": html.Header,
    "main": html.Main,
    "section": html.Section,
    "footer": html.Footer,
    "h2": html.H2,
    "ul": html.Ul,
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

    Members of lists are not drawn: Dash takes a second for those of sixty seats, the script in `assets/` a few
    milliseconds, and it has the frame before Dash has drawn the rest.

    Args:
        node: Its structure.
        frame: What it says.
    """
    props: dict[str, Any] = {"className": node.cls} if node.cls else {}
    if node.id:
        props["id"] = node.id
        attributes = frame["attr"].get(node.id, {})
        props.update({name: value for name, value in attributes.items() if value is not None})
    text = frame["first"].get(node.id, frame["text"].get(node.id))
    if text is not None:
        props["children"] = text
    elif node.children:
        props["children"] = [draw(child, frame) for child in node.children]
    return _TAGS[node.tag](**props)
