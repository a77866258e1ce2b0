"""The page on a phone, by fingers: keys, two at once, and the pad."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.ui.open_page import NEEDS_CHROMIUM, OpenPage, still
from tests.ui.page.test_browser_keys import sounding

pytestmark = [*NEEDS_CHROMIUM, pytest.mark.slow]

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}


class Fingers:
    """Fingers on a page: where each is that touches it."""

    def __init__(self, page) -> None:
        self._tools = page.context.new_cdp_session(page)

    def touch(self, kind: str, *places: tuple[float, float]) -> None:
        """`kind`: Start, Move or End. `places`: of all fingers that touch the page then."""
        points = [{"x": x, "y": y, "id": number} for number, (x, y) in enumerate(places)]
        self._tools.send("Input.dispatchTouchEvent", {"type": f"touch{kind}", "touchPoints": points})


@pytest.fixture
def phone(browser, address) -> Iterator[OpenPage]:
    opened = OpenPage(browser, address, **PHONE)
    yield opened
    opened.page.context.close()
    assert opened.troubles == []


def middle(page, target: str, at: float = 0.5) -> tuple[float, float]:
    box = page.locator(target).bounding_box()
    return box["x"] + at * box["width"], box["y"] + 0.8 * box["height"]


def test_fingers_play_keys_and_drag_the_pad_and_the_page_rests(phone) -> None:
    page, fingers = phone.page, Fingers(phone.page)
    page.evaluate("scrollTo(0, 0)")
    low, high = (middle(page, f".keys-strip [data-midi='{midi}']") for midi in (60, 64))
    fingers.touch("Start", low)
    sounding(phone, 1)
    fingers.touch("End")
    sounding(phone, 0)
    fingers.touch("Start", low)
    fingers.touch("Start", low, high)
    sounding(phone, 2)
    down = page.locator(".keys-strip .is-down").evaluate_all("(keys) => keys.map((key) => key.dataset.midi)")
    assert down == ["60", "64"]
    fingers.touch("End", low)
    sounding(phone, 1)
    fingers.touch("End")
    sounding(phone, 0)

    box = still(page, ".pad-field")
    scrolled = page.evaluate("scrollY")
    places = [(box["x"] + box["width"] * part, box["y"] + box["height"] * (1 - part)) for part in (0.5, 0.6, 0.7, 0.8)]
    fingers.touch("Start", places[0])
    for place in places[1:]:
        fingers.touch("Move", place)
        page.wait_for_timeout(50)
    phone.turned(lambda: fingers.touch("End"))
    x, y = (float(page.input_value(f"#{name} input[type=number]")) for name in ("x", "y"))
    assert (x, y) == (pytest.approx(0.8, abs=0.02), pytest.approx(0.8, abs=0.02))
    assert page.evaluate("scrollY") == scrolled
