"""Charts as HTML and SVG, from numbers alone: lines, pictures with axes, a map. They fit any width without a script.

The lines lie in an SVG that is stretched to its box, their width is not; what is read is HTML beside it, placed in
percent, so that it has one size on a phone and on a screen. Colours and sizes are `chart.css`'s: a line has the class
of its role (`before`, `after`, ...).

Shapes: N points.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

import numpy as np

STYLE_SHEET = Path(__file__).with_name("chart.css")
WIDTH, HEIGHT = 1000.0, 100.0
"""Of the drawing, before it is stretched."""

MAP_HEIGHT = 640.0
MAP_SIZES = {"wide": (900.0, 12.0), "narrow": (330.0, 11.0)}
"""Screens that labels of a map are laid out for: width of the map and height of the text in pixels."""


@dataclass(frozen=True)
class Scale:
    """An axis."""

    label: str  # what it is, with its unit
    low: float  # value at its beginning
    high: float  # value at its end, above `low`
    ticks: tuple[tuple[float, str], ...] = ()  # (value, text) within it

    def at(self, values: np.ndarray | float) -> np.ndarray:
        """Values -> 0 at the beginning .. 1 at the end, NaN where they are."""
        return (np.asarray(values, dtype=np.float64) - self.low) / (self.high - self.low)


@dataclass(frozen=True, eq=False)
class Line:
    """A line of a chart: x and y [N], NaN where it breaks, its role (a class of the style sheet), and its name."""

    x: np.ndarray
    y: np.ndarray
    role: str
    name: str = ""


@dataclass(frozen=True)
class Point:
    """A point of a map: where it lies, its text, its role, a colour of its own (CSS) if it has one, and whether its
    text is shown even over other points."""

    x: float
    y: float
    text: str
    role: str = ""
    colour: str = ""
    always: bool = False


def scale(
    *values: np.ndarray,
    label: str,
    least: float = 1.0,
    symmetric: bool = False,
    low: float | None = None,
    high: float | None = None,
    most_ticks: int = 5,
) -> Scale:
    """An axis that holds all values, with round ticks.

    Args:
        values: arrays of any shape; what is not finite does not count, and nothing at all gives 0..least.
        label: of the axis, with its unit.
        least: smallest span, so that noise of a constant is not blown up.
        symmetric: 0 in the middle.
    """
    known = np.concatenate([np.ravel(np.asarray(part, dtype=np.float64)) for part in values] or [np.zeros(0)])
    known = known[np.isfinite(known)]
    bottom, top = (float(known.min()), float(known.max())) if known.size else (0.0, 0.0)
    if symmetric:
        top = max(abs(bottom), abs(top), least / 2)
        bottom = -top
    missing = max(0.0, least - (top - bottom)) / 2
    margin = 0.06 * (top - bottom + 2 * missing)
    bottom = bottom - missing - margin if low is None else low
    top = top + missing + margin if high is None else high
    if not top > bottom:
        top = bottom + least
    return Scale(label, bottom, top, ticks(bottom, top, most=most_ticks))


def seconds(duration_s: float) -> Scale:
    """The axis of time, from 0 s."""
    end = max(duration_s, 1e-3)
    return Scale("s", 0.0, end, ticks(0.0, end, most=6))


def ticks(low: float, high: float, *, most: int) -> tuple[tuple[float, str], ...]:
    """At most `most` round values within low..high, with their texts: multiples of 1, 2 or 5 of a power of ten."""
    finest = 10.0 ** math.floor(math.log10((high - low) / most) - 1)
    steps = [finest * part for part in (1, 2, 5, 10, 20, 50, 100, 200, 500)]

    def within(step: float) -> range:
        """Which multiples of a step lie within."""
        return range(math.ceil(low / step - 1e-6), math.floor(high / step + 1e-6) + 1)

    step = next((step for step in steps if len(within(step)) <= most), steps[-1])
    digits = max(0, -math.floor(math.log10(step) + 1e-9))
    return tuple((index * step, _number(index * step, digits)) for index in within(step))


def _number(value: float, digits: int) -> str:
    text = f"{value:.{digits}f}"
    return text.lstrip("-") if float(text) == 0 else text.replace("-", "−")


def line_chart(title: str, lines: Sequence[Line], *, x: Scale, y: Scale, size: str = "") -> str:
    """Lines over one pair of axes.

    Args:
        title: what is drawn; the unit is y's label.
        lines: drawn in this order.
        x: a scale labelled "s" is time: the play head moves over it.
        size: another class of the figure, such as "low".

    Returns HTML of a <figure>.
    """
    paths = [f'<path class="grid" d="{_grid(x, y)}"/>']
    for line in lines:
        tip = f"<title>{escape(line.name)}</title>" if line.name else ""
        paths.append(f'<path class="line {escape(line.role)}" d="{_path(x.at(line.x), y.at(line.y))}">{tip}</path>')
    return _figure(title, _svg(title, "".join(paths)), x=x, y=y, size=size)


def _path(x: np.ndarray, y: np.ndarray) -> str:
    """An SVG path through points in 0..1, broken at NaN; a point alone is a dot."""
    known = np.isfinite(x) & np.isfinite(y)
    following = np.append(known, False)[1:]
    parts, pen_down = [], False
    for across, up, is_known, next_known in zip(x, y, known, following, strict=True):
        if is_known:
            up = min(max(up, -1.0), 2.0)
            parts.append(f"{'L' if pen_down else 'M'}{across * WIDTH:.1f} {(1 - up) * HEIGHT:.1f}")
            if not pen_down and not next_known:
                parts.append("h.1")
        pen_down = bool(is_known)
    return "".join(parts)


def _grid(x: Scale, y: Scale) -> str:
    across = [f"M{float(x.at(value)) * WIDTH:.1f} 0V{HEIGHT:g}" for value, _ in x.ticks]
    return "".join(across + [f"M0 {(1 - float(y.at(value))) * HEIGHT:.1f}H{WIDTH:g}" for value, _ in y.ticks])


def _svg(title: str, inner: str) -> str:
    box = f"0 0 {WIDTH:g} {HEIGHT:g}"
    return f'<svg viewBox="{box}" preserveAspectRatio="none" role="img" aria-label="{escape(title)}">{inner}</svg>'


def image_chart(
    title: str, png: bytes, *, x: Scale, y: Scale, size: str = "", role: str = "", end: float | None = None
) -> str:
    """A picture within axes, as high as they are.

    Args:
        title: what is drawn; the unit is y's label.
        x: see `line_chart`; the picture begins where the axis does.
        role: a class of the picture.
        end: where on x the picture ends; None: where the axis does.
    """
    data = base64.b64encode(png).decode("ascii")
    width = 100.0 if end is None else 100.0 * min(float(x.at(end)), 1.0)
    image = (
        f'<img class="{escape(role)}" style="width:{width:.2f}%" alt="{escape(title)}" '
        f'src="data:image/png;base64,{data}"/>'
    )
    return _figure(title, image, x=x, y=y, size=size)


def _figure(title: str, inner: str, *, x: Scale, y: Scale, size: str) -> str:
    time = f' data-from="{x.low:.6g}" data-to="{x.high:.6g}"' if x.label == "s" else ""
    head = '<i class="head"></i>' if time else ""
    up = "".join(f'<li style="bottom:{100 * float(y.at(v)):.2f}%">{escape(text)}</li>' for v, text in y.ticks)
    across = "".join(f'<li style="left:{100 * float(x.at(v)):.2f}%">{escape(text)}</li>' for v, text in x.ticks)
    caption = f"{escape(title)} <span>{escape(y.label)}</span>" if y.label else escape(title)
    return (
        f'<figure class="chart {escape(size)}"><figcaption>{caption}</figcaption>'
        f'<div class="plot"{time}>{inner}<ol class="up">{up}</ol><ol class="across">{across}</ol>{head}</div>'
        f'<div class="unit">{escape(x.label)}</div></figure>'
    )


def map_chart(
    title: str, points: Sequence[Point], *, x_label: str, y_label: str, arrow: tuple[int, int] | None = None
) -> str:
    """Points on a plane whose two axes have one unit, with as many names as fit without lying over each other.

    `points`: the later ones lie on top, and their names are placed first. Every point tells its name when touched.
    `arrow`: from which point to which. Returns HTML of a <figure>.
    """
    places = _places(points)
    dots = "".join(
        (f'<path class="halo" d="M{x:.1f} {y:.1f}h.1"/>' if point.always else "")
        + f'<path class="dot {escape(point.role)}" d="M{x:.1f} {y:.1f}h.1"'
        + (f' style="stroke:{escape(point.colour)}"' if point.colour else "")
        + f"><title>{escape(point.text)}</title></path>"
        for point, (x, y) in zip(points, places, strict=True)
    )
    shaft = "" if arrow is None else _arrow(places[arrow[0]], places[arrow[1]])
    names = "".join(
        f'<li class="{screen} {escape(points[index].role)}" style="left:{x:.2f}%;top:{y:.2f}%">'
        f"{escape(points[index].text)}</li>"
        for screen in MAP_SIZES
        for index, x, y in _names(points, places, screen)
    )
    box = f"0 0 {WIDTH:g} {MAP_HEIGHT:g}"
    return (
        f'<figure class="chart map"><figcaption>{escape(title)}</figcaption><div class="plot">'
        f'<svg viewBox="{box}" role="img" aria-label="{escape(title)}">{dots}{shaft}</svg><ol>{names}</ol></div>'
        f'<div class="unit">→ {escape(x_label)} &nbsp; ↑ {escape(y_label)}</div></figure>'
    )


def _places(points: Sequence[Point]) -> list[tuple[float, float]]:
    """Where points lie in the drawing: one scale for both axes, centred, with a margin."""
    at = np.array([(point.x, -point.y) for point in points], dtype=np.float64).reshape(-1, 2)
    low, high = (at.min(axis=0), at.max(axis=0)) if len(at) else (np.zeros(2), np.zeros(2))
    room = np.array([WIDTH, MAP_HEIGHT]) - [200.0, 80.0]
    unit = float(np.min(room / np.maximum(high - low, 1e-6)))
    placed = (at - (low + high) / 2) * min(unit, 1e6) + np.array([WIDTH, MAP_HEIGHT]) / 2
    return [(float(x), float(y)) for x, y in placed]


def _arrow(start: tuple[float, float], end: tuple[float, float]) -> str:
    """A line with a head; nothing where the two are one point."""
    (x0, y0), (x1, y1) = start, end
    length = math.hypot(x1 - x0, y1 - y0)
    if length < 2.0:
        return ""
    along, size = ((x1 - x0) / length, (y1 - y0) / length), min(16.0, 0.6 * length)
    base = (x1 - size * along[0], y1 - size * along[1])
    side = (-along[1] * size * 0.45, along[0] * size * 0.45)
    head = f"M{base[0] + side[0]:.1f} {base[1] + side[1]:.1f}L{x1:.1f} {y1:.1f}"
    head += f"L{base[0] - side[0]:.1f} {base[1] - side[1]:.1f}"
    return f'<path class="arrow" d="M{x0:.1f} {y0:.1f}L{x1:.1f} {y1:.1f}{head}"/>'


def _names(
    points: Sequence[Point], places: Sequence[tuple[float, float]], screen: str
) -> list[tuple[int, float, float]]:
    """Names that fit on a screen: (index, left %, top %) of each one's left middle, beside its point."""
    width, text_height = MAP_SIZES[screen]
    pixel = width / WIDTH
    dots = [(x * pixel - 5, y * pixel - 5, x * pixel + 5, y * pixel + 5) for x, y in places]
    taken, found = [], []
    for index in reversed(range(len(points))):
        x, y = (value * pixel for value in places[index])
        long, high = 0.56 * text_height * len(points[index].text) + 4, text_height + 3
        for left, top in ((x + 7, y), (x - 7 - long, y), (x - long / 2, y - high), (x - long / 2, y + high)):
            box = (left, top - high / 2, left + long, top + high / 2)
            inside = box[0] >= 0 and box[2] <= width and box[1] >= 0 and box[3] <= MAP_HEIGHT * pixel
            others = taken if points[index].always else taken + dots[:index] + dots[index + 1 :]
            if inside and not any(_over(box, other) for other in others):
                taken.append(box)
                found.append((index, 100 * left / width, 100 * top / (MAP_HEIGHT * pixel)))
                break
    return found


def _over(a: tuple[float, float, float, float], b: tuple[float, float, float, float]) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]
