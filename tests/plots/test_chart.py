"""Charts and heat maps: scales, units, gaps, names that do not lie over each other, extreme numbers."""

from __future__ import annotations

import io
import re
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from synth_explorer.plots import Line, Point, Scale, heat_map_png, image_chart, line_chart, map_chart, scale, seconds
from synth_explorer.plots.chart import MAP_HEIGHT, MAP_SIZES, WIDTH, ticks

TIME = seconds(4.0)


def parsed(html: str) -> ElementTree.Element:
    """The figure as XML: it must at least be well formed."""
    return ElementTree.fromstring(html.replace("&nbsp;", " "))


def texts(figure: ElementTree.Element, kind: str) -> list[str]:
    return [item.text or "" for item in figure.findall(f".//ol[@class='{kind}']/li")]


@pytest.mark.parametrize(
    ("low", "high", "wanted"),
    [(0, 4, ["0", "1", "2", "3", "4"]), (-0.31, 0.32, ["−0.2", "0.0", "0.2"]), (-60, 0, ["−60", "−40", "−20", "0"])],
)
def test_ticks_are_round(low: float, high: float, wanted: list[str]) -> None:
    assert [text for _, text in ticks(low, high, most=5)] == wanted


@pytest.mark.parametrize("span", [1e-4, 0.003, 1.0, 7.0, 123.0, 9e9])
@pytest.mark.parametrize("low", [-5.0, 0.0, 0.77])
def test_ticks_lie_within_and_are_not_too_many(low: float, span: float) -> None:
    values = [value for value, _ in ticks(low, low + span, most=5)]
    assert 1 <= len(values) <= 5
    assert all(low - 1e-5 * span <= value <= low + span * (1 + 1e-5) for value in values)


def test_scales_hold_what_they_are_given() -> None:
    made = scale(np.array([1.0, np.nan, 9.0]), np.array([-2.0]), label="dB")
    assert made.low < -2 and made.high > 9 and made.label == "dB"
    assert scale(np.array([3.0, -1.0]), label="", symmetric=True).at(0.0) == pytest.approx(0.5)
    for nothing in ([], [np.full(5, np.nan)], [np.zeros(0)]):
        empty = scale(*nothing, label="Hz", least=2.0)
        assert empty.high - empty.low >= 2.0 and empty.ticks
    constant = scale(np.full(9, 60.0), label="", least=0.5)
    assert constant.at(60.0) == pytest.approx(0.5) and constant.high - constant.low < 1


def test_line_chart_says_what_and_in_which_unit() -> None:
    y = scale(np.array([-60.0, 0.0]), label="dB")
    line = Line(np.linspace(0, 4, 9), np.linspace(-60, 0, 9), "before", "before")
    figure = parsed(line_chart("Loudness", [line], x=TIME, y=y))
    assert figure.find("figcaption").text == "Loudness " and figure.find("figcaption/span").text == "dB"
    assert figure.find("div[@class='unit']").text == "s"
    assert texts(figure, "across") == ["0", "1", "2", "3", "4"] and "−60" in texts(figure, "up")
    plot = figure.find("div[@class='plot']")
    assert (plot.get("data-from"), plot.get("data-to")) == ("0", "4")
    assert figure.find(".//path[@class='line before']").get("d").count("L") == 8


def test_other_axes_have_no_play_head() -> None:
    figure = parsed(line_chart("Spectrum", [], x=Scale("Hz", 0, 20), y=Scale("dB", 0, 1)))
    assert figure.find("div[@class='plot']").get("data-from") is None and figure.find(".//i") is None


def test_gaps_break_a_line_and_a_value_alone_is_a_dot() -> None:
    y = np.array([0.1, 0.2, np.nan, 0.3, np.nan, np.nan, 0.4, 0.5])
    chart = line_chart("", [Line(np.arange(8.0), y, "after")], x=Scale("", 0, 7), y=Scale("", 0, 1))
    path = re.search(r'class="line after" d="([^"]*)"', chart)[1]
    assert path.count("M") == 3 and path.count("h.1") == 1
    assert "nan" not in chart


@pytest.mark.parametrize("y", [np.zeros(0), np.full(4, np.nan), np.array([0, 1e12, -1e12, 0]), np.zeros(4)])
def test_extreme_lines_are_drawn_or_left_out(y: np.ndarray) -> None:
    chart = line_chart("<&>", [Line(np.arange(float(y.size)), y, "before")], x=TIME, y=Scale("", 0, 1))
    numbers = [float(value) for value in re.findall(r"-?\d+\.\d", re.search(r'before" d="([^"]*)"', chart)[1])]
    assert all(-200 <= value <= WIDTH for value in numbers)
    assert parsed(chart).find("figcaption").text == "<&>"


def test_image_chart_carries_the_picture() -> None:
    png = heat_map_png(np.zeros((3, 2)), limit=1.0)
    figure = parsed(image_chart("Map", png, x=TIME, y=Scale("channel", 0, 2)))
    assert figure.find(".//img").get("src").startswith("data:image/png;base64,iVBOR")
    assert figure.find(".//img").get("alt") == "Map"


def test_heat_map_is_transparent_at_nothing_and_full_at_its_limit() -> None:
    values = np.array([[0.0, 2.0], [-1.0, np.nan], [1.0, -9.0]])
    image = Image.open(io.BytesIO(heat_map_png(values, limit=1.0))).convert("RGBA")
    assert image.size == (3, 2)
    alpha = np.asarray(image)[:, :, 3]
    assert alpha.tolist() == [[0, 255, 255], [255, 0, 255]]
    above, below = image.getpixel((2, 0))[:3], image.getpixel((1, 0))[:3]
    assert above == image.getpixel((0, 1))[:3] and below == image.getpixel((2, 1))[:3] and above != below
    with pytest.raises(ValueError, match="limit=0"):
        heat_map_png(values, limit=0)


def crowd(count: int, rng: np.random.Generator) -> list[Point]:
    return [Point(*rng.normal(size=2), f"Instrument {index}") for index in range(count)]


@pytest.mark.parametrize("screen", list(MAP_SIZES))
def test_names_of_a_map_do_not_lie_over_each_other(rng: np.random.Generator, screen: str) -> None:
    points = [*crowd(46, rng), Point(0.1, 0.0, "before", "before"), Point(0.5, 0.4, "after", "after")]
    figure = parsed(map_chart("Map", points, x_label="one", y_label="two", arrow=(46, 47)))
    width, text = MAP_SIZES[screen]
    height = width * MAP_HEIGHT / WIDTH
    boxes = []
    for item in figure.findall(".//li"):
        if item.get("class").split()[0] == screen:
            left, top = (float(part) for part in re.findall(r"(?:left|top):([\d.]+)%", item.get("style")))
            long = 0.5 * text * len(item.text)
            boxes.append((left / 100 * width, top / 100 * height - text / 2, long, text))
    assert len(boxes) > 3
    for index, (x, y, long, high) in enumerate(boxes):
        assert x >= 0 and x + long <= width + 1
        for x2, y2, long2, high2 in boxes[:index]:
            assert x + long <= x2 or x2 + long2 <= x or y + high <= y2 or y2 + high2 <= y
    assert any(item.text == "before" for item in figure.findall(".//li"))
    assert len(figure.findall(".//path[@class='arrow']")) == 1
    assert len([path for path in figure.findall(".//path") if "dot" in path.get("class")]) == 48


def test_a_map_has_one_scale_for_both_axes() -> None:
    points = [Point(0, 0, "a"), Point(1, 0, "b"), Point(0, 1, "c")]
    figure = parsed(map_chart("", points, x_label="", y_label=""))
    a, b, c = (np.array(re.findall(r"[\d.]+", path.get("d"))[:2], float) for path in figure.findall(".//path"))
    assert abs(b[0] - a[0]) == pytest.approx(abs(c[1] - a[1]), abs=0.2) and c[1] < a[1]


@pytest.mark.parametrize("points", [[], [Point(1, 1, "only")], [Point(1, 1, "a"), Point(1, 1, "b")]])
def test_maps_of_next_to_nothing(points: list[Point]) -> None:
    arrow = (0, 1) if len(points) == 2 else None
    figure = parsed(map_chart("", points, x_label="", y_label="", arrow=arrow))
    assert figure.find(".//path[@class='arrow']") is None
