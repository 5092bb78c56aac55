"""The chart of the day's slots, as the geometry of its shapes.

Comes in: slots and a box. Goes out: a `Drawing` of lines, bars and labels in u, each with a key that stays the
same while the day goes on, so that the page updates them in place. Pure.

A bar is today's answers, the short white line across it the mean of comparable days, the orange line the cumulative
answers (right axis), dots its mean. The running slot is dashed and hollow; a slot with undecided calls is hollow
on top; a slot of which something is missing is hatched, with the times of the gap above; a small triangle under a slot
tells that it was read later.
"""

from collections.abc import Sequence
from itertools import pairwise
from math import ceil, floor, log10
from typing import Final, NamedTuple

from dashboard.core.days import Zone
from dashboard.core.views import SlotView
from layouts import format as shown
from layouts.frame import Drawing, Shape
from layouts.measure import em
from layouts.text import Say

_TEXT_U: Final = 22.0
_VALUE_U: Final = 24.0
_SIDE_U: Final = 64.0
_TOP_U: Final = 36.0
_AXIS_U: Final = 34.0
_ROW_U: Final = 30.0
_ROWS_FROM_U: Final = 360.0  # a lower picture has no room for rows of figures
_STEPS_MOST: Final = 4
_HATCH_U: Final = 13.0
_GAP_ROW_U: Final = 30.0
_MARK_U: Final = 7.0


class _Plot(NamedTuple):
    """Where the bars are, and what a unit of either axis is."""

    left: float
    top: float
    right: float
    bottom: float
    column: float
    answers_top: int
    answers_step: int
    cumulative_top: int
    cumulative_step: int
    hatch_top: float

    def y(self, answers: float) -> float:
        return self.bottom - (self.bottom - self.top) * answers / self.answers_top

    def y_cumulative(self, answers: float) -> float:
        return self.bottom - (self.bottom - self.top) * answers / self.cumulative_top

    def x(self, index: int, share: float) -> float:
        return self.left + self.column * (index + share)


def slot_chart(
    slots: Sequence[SlotView],
    now_s: float,
    width_u: float,
    height_u: float,
    zone: Zone,
    say: Say,
    gaps: Sequence[tuple[int, int]] = (),
) -> Drawing:
    """Draw the day's slots.

    Args:
        slots: In the order of time.
        now_s: The hotline's clock, where the cumulative line ends.
        width_u, height_u: The picture's size; one unit of it is one u.
        zone: For the times below.
        say: The words.
        gaps: (from, to) of what is missing; told where a slot is hatched for it.
    """
    told = [span for span in gaps if any(slot.gap and _touches(slot, span) for slot in slots)]
    plot = _plot(slots, width_u, height_u, _GAP_ROW_U if told else 0.0)
    shapes = [*_axes(plot, known=_known(slots)), *_hours(slots, plot, zone)]
    shapes += [shape for index, slot in enumerate(slots) for shape in _column(slot, index, plot)]
    shapes += _gap_times(told, slots, plot, zone, say)
    shapes += _cumulative(slots, now_s, plot)
    shapes += _values(slots, plot)
    if height_u >= _ROWS_FROM_U:
        shapes += _rows(slots, plot, say)
    return {"box": [width_u, height_u], "shapes": shapes}


def nice_top(value: float) -> tuple[int, int]:
    """The end of an axis that holds a value, and the distance of its lines: at most four whole, round steps.

    >>> nice_top(46), nice_top(572), nice_top(0)
    ((60, 20), (600, 200), (4, 1))
    """
    value = max(value, _STEPS_MOST)
    rough = value / _STEPS_MOST
    magnitude = 10 ** floor(log10(rough))
    step = next(m * magnitude for m in (1, 2, 5, 10) if m * magnitude >= rough)
    step = max(1, int(step))
    return step * ceil(value / step), step


def _plot(slots: Sequence[SlotView], width_u: float, height_u: float, above_u: float) -> _Plot:
    answers_top, answers_step = nice_top(
        max((max(slot.answers or 0, slot.average or 0) for slot in slots), default=0)
    )
    cumulative_top, cumulative_step = nice_top(
        max((max(slot.cumulative or 0, slot.average_cumulative or 0) for slot in slots), default=0)
    )
    rows_u = 2 * _ROW_U if height_u >= _ROWS_FROM_U else 0
    return _Plot(
        left=_SIDE_U,
        top=_TOP_U + above_u,
        right=width_u - _SIDE_U,
        bottom=height_u - _AXIS_U - rows_u,
        column=(width_u - 2 * _SIDE_U) / max(1, len(slots)),
        answers_top=answers_top,
        answers_step=answers_step,
        cumulative_top=cumulative_top,
        cumulative_step=cumulative_step,
        hatch_top=_GAP_ROW_U + 4 if above_u else _TOP_U,
    )


def _known(slots: Sequence[SlotView]) -> bool:
    return any(slot.answers is not None or slot.average is not None for slot in slots)


def _axes(plot: _Plot, *, known: bool) -> list[Shape]:
    """Both axes; where no number is known, the base line only."""
    shapes: list[Shape] = []
    if not known:
        return [_line("grid-0", "base", plot.left, plot.bottom, plot.right, plot.bottom)]
    for value in range(0, plot.answers_top + 1, plot.answers_step):
        y = plot.y(value)
        style = "base" if value == 0 else "grid"
        shapes.append(_line(f"grid-{value}", style, plot.left, y, plot.right, y))
        shapes.append(_label(f"axis-{value}", "axis", plot.left - 12, y + _below(value), f"{value:,}", "end"))
    for value in range(0, plot.cumulative_top + 1, plot.cumulative_step):
        y = plot.y_cumulative(value) + _below(value)
        shapes.append(_label(f"axis-right-{value}", "axis total", plot.right + 12, y, f"{value:,}", "start"))
    return shapes


def _below(value: int) -> float:
    """From a line of the grid to the foot of its number; the lowest keeps clear of the times below."""
    return 8.0 if value else 2.0


def _hours(slots: Sequence[SlotView], plot: _Plot, zone: Zone) -> list[Shape]:
    """Times under the borders of slots, as many as there is room for; whole hours where that is possible."""
    if not slots:
        return []
    borders = [*(slot.start_s for slot in slots), slots[-1].end_s]
    texts = [shown.time_of_day(border_s, zone) for border_s in borders]
    room = (max(em(text) for text in texts) + 0.8) * _TEXT_U
    hours = [index for index, border_s in enumerate(borders) if zone.local(border_s).minute == 0]
    chosen = hours if len(hours) > 1 else list(range(len(borders)))
    spacing = min((b - a for a, b in pairwise(chosen)), default=1) * plot.column
    every = max(1, ceil(room / max(1.0, spacing)))
    return [
        _label(f"time-{borders[index]}", "axis", plot.x(index, 0), plot.bottom + 30, texts[index], "middle")
        for index in chosen[::every]
    ]


def _column(slot: SlotView, index: int, plot: _Plot) -> list[Shape]:
    shapes: list[Shape] = []
    key = slot.start_s
    inset = min(8.0, plot.column * 0.14)
    x, width = plot.x(index, 0) + inset, plot.column - 2 * inset
    if slot.gap:
        shapes.append([f"gap-{key}", "path", {"class": "gap", "d": _hatch(plot, index)}, ""])
    if slot.backfilled:
        middle, foot = plot.x(index, 0.5), plot.bottom + 2
        mark = _path([(middle - _MARK_U, foot + 8), (middle, foot), (middle + _MARK_U, foot + 8)])
        shapes.append([f"late-{key}", "path", {"class": "late", "d": mark + "Z"}, ""])
    if slot.answers is not None:
        y = plot.y(slot.answers)
        style = "bar running" if slot.running else "bar open" if slot.open else "bar"
        box = {"x": _n(x), "y": _n(y), "width": _n(width), "height": _n(max(0.0, plot.bottom - y))}
        shapes.append([f"bar-{key}", "rect", {"class": style, **box}, ""])
        if slot.open and not slot.running:
            shapes.append(_line(f"lid-{key}", "lid", x, y, x + width, y))
    if slot.average is not None:
        y = plot.y(slot.average)
        style = "average to-come" if slot.future or slot.running else "average"
        shapes.append(_line(f"average-{key}", style, x - inset / 2, y, x + width + inset / 2, y))
    return shapes


def _touches(slot: SlotView, span: tuple[int, int]) -> bool:
    return span[0] < slot.end_s and slot.start_s < span[1]


def _gap_times(
    gaps: Sequence[tuple[int, int]], slots: Sequence[SlotView], plot: _Plot, zone: Zone, say: Say
) -> list[Shape]:
    """When something is missing, above its slots; of times that would lie on each other the newest stays."""
    shapes: list[Shape] = []
    free_u = plot.right + _SIDE_U
    for from_s, to_s in reversed(gaps):
        # Whole minutes around the gap: one of some seconds has a time as well.
        until_s = to_s + -to_s % 60
        times = f"{shown.time_of_day(from_s, zone)}–{shown.time_of_day(until_s, zone)}"
        text = say("chart.gap_from", times=times)
        half = em(text) * _TEXT_U / 2
        touched = [index for index, slot in enumerate(slots) if _touches(slot, (from_s, to_s))]
        middle = (plot.x(touched[0], 0) + plot.x(touched[-1], 1)) / 2
        middle = min(max(middle, half), plot.right + _SIDE_U - half)
        if middle + half <= free_u:
            free_u = middle - half - _TEXT_U
            label = _label(f"gap-time-{from_s}", "gap-word", middle, _TEXT_U + 2, text, "middle")
            shapes.insert(0, label)
    return shapes


def _hatch(plot: _Plot, index: int) -> str:
    """Slanting lines that fill a column of the plot, cut off at its edges."""
    left, right, top = plot.x(index, 0), plot.x(index, 1), plot.hatch_top
    wide, high = right - left, plot.bottom - top
    parts = []
    offset = _HATCH_U
    while offset < wide + high:
        # From the left or the bottom edge to the top or the right edge of the column, rising to the right.
        x1, y1 = left + max(0.0, offset - high), top + min(offset, high)
        x2, y2 = left + min(offset, wide), top + max(0.0, offset - wide)
        parts.append(f"M{_n(x1)} {_n(y1)}L{_n(x2)} {_n(y2)}")
        offset += _HATCH_U
    return "".join(parts)


def _cumulative(slots: Sequence[SlotView], now_s: float, plot: _Plot) -> list[Shape]:
    """Both cumulative lines; today's is broken where a slot has a gap, and ends with a dot at this moment."""
    average = [
        (plot.x(index, 1), plot.y_cumulative(slot.average_cumulative))
        for index, slot in enumerate(slots)
        if slot.average_cumulative is not None
    ]
    today: list[list[tuple[float, float]]] = [[]]
    for index, slot in enumerate(slots):
        if slot.cumulative is None:
            if today[-1]:
                today.append([])
            continue
        share = 1.0
        if slot.running:
            share = min(1.0, max(0.0, (now_s - slot.start_s) / (slot.end_s - slot.start_s)))
        if index == 0 and slot.answers is not None:
            today[-1].append((plot.x(0, 0), plot.y_cumulative(slot.cumulative - slot.answers)))
        if slot.gap and today[-1]:
            today.append([])
        today[-1].append((plot.x(index, share), plot.y_cumulative(slot.cumulative)))
    shapes: list[Shape] = [["average-total", "path", {"class": "average-total", "d": _path(average)}, ""]]
    line = "".join(_path(part) for part in today)
    shapes.append(["total", "path", {"class": "total-line", "d": line}, ""])
    last = [part for part in today if part]
    if last:
        x, y = last[-1][-1]
        shapes.append(["total-now", "circle", {"class": "total-now", "cx": _n(x), "cy": _n(y), "r": "7"}, ""])
    return shapes


def _values(slots: Sequence[SlotView], plot: _Plot) -> list[Shape]:
    """Today's answers above their bars, thinned where there are more than fit; the running slot's always stays."""
    texts = {
        index: shown.number(slot.answers)
        for index, slot in enumerate(slots)
        if slot.answers is not None or (slot.gap and not slot.future)
    }
    shapes: list[Shape] = []
    for index in _thinned(list(texts), max(map(em, texts.values()), default=0) * _VALUE_U + 6, plot):
        slot = slots[index]
        y = (
            min(plot.y(slot.answers or 0), plot.y(slot.average or 0) if _near(slot, plot) else plot.bottom)
            - 9
        )
        style = "value running" if slot.running else "value"
        shapes.append(_label(f"value-{slot.start_s}", style, plot.x(index, 0.5), y, texts[index], "middle"))
    return shapes


def _near(slot: SlotView, plot: _Plot) -> bool:
    """The mark of the average would run through the number."""
    over = plot.y(slot.answers or 0) - plot.y(slot.average or 0)
    return slot.average is not None and 0 <= over <= _VALUE_U + 8


def _rows(slots: Sequence[SlotView], plot: _Plot, say: Say) -> list[Shape]:
    """Average and cumulative answers as figures, each under its slot."""
    rows = (
        ("average", say("chart.row_average"), [shown.rounded(slot.average) for slot in slots], "row"),
        (
            "total",
            say("chart.row_cumulative"),
            [shown.number(slot.cumulative) for slot in slots],
            "row total",
        ),
    )
    shapes: list[Shape] = []
    for line, (name, head, texts, style) in enumerate(rows):
        y = plot.bottom + _AXIS_U + _ROW_U * (line + 0.78)
        there = [
            index
            for index, text in enumerate(texts)
            if text != shown.UNKNOWN or (name == "total" and slots[index].gap and not slots[index].future)
        ]
        if not there:
            continue
        shapes.append(_label(f"row-{name}", style, plot.left - 12, y, head, "end"))
        width = max((em(texts[index]) for index in there), default=0) * _TEXT_U + 5
        for index in _thinned(there, width, plot):
            key = f"row-{name}-{slots[index].start_s}"
            shapes.append(_label(key, style, plot.x(index, 0.5), y, texts[index], "middle"))
    return shapes


def _thinned(indices: list[int], width_u: float, plot: _Plot) -> list[int]:
    """Every n-th of the slots, so that labels of that width stay apart; counted back from the last one."""
    every = max(1, ceil(width_u / plot.column))
    last = indices[-1] if indices else 0
    return [index for index in indices if (last - index) % every == 0]


def _path(points: Sequence[tuple[float, float]]) -> str:
    return "".join(f"{'L' if at else 'M'}{_n(x)} {_n(y)}" for at, (x, y) in enumerate(points))


def _line(key: str, style: str, x1: float, y1: float, x2: float, y2: float) -> Shape:
    return [key, "line", {"class": style, "x1": _n(x1), "y1": _n(y1), "x2": _n(x2), "y2": _n(y2)}, ""]


def _label(key: str, style: str, x: float, y: float, text: str, anchor: str) -> Shape:
    return [key, "text", {"class": style, "x": _n(x), "y": _n(y), "text-anchor": anchor}, text]


def _n(value: float) -> str:
    """A coordinate: tenths are finer than a pixel on any screen."""
    return f"{value:.1f}".removesuffix(".0")
