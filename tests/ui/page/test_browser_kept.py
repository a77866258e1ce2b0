"""What is compared, kept and found on the page in a real browser: snapshots, the shelf, variations and surprises."""

from __future__ import annotations

import json
from collections.abc import Callable

import numpy as np
import pytest

from synth_explorer import measure
from tests.ui import recorder
from tests.ui.open_page import NEEDS_CHROMIUM, STATE, WAIT_MS, OpenPage, rms_db

pytestmark = [*NEEDS_CHROMIUM, pytest.mark.slow]


def heard(open_page: OpenPage, act: Callable[[], object]) -> str:
    """Do something and wait until the page has shown another sound."""
    before = open_page.page.locator(".shelf-item").count()
    said = open_page.turned(act)
    open_page.page.wait_for_function("before => document.querySelectorAll('.shelf-item').length > before", arg=before)
    open_page.page.wait_for_timeout(2600)  # what is heard no longer is not kept
    return said


def entries(open_page: OpenPage) -> list[dict]:
    return json.loads(open_page.page.evaluate("localStorage.getItem('synth-explorer-sounds') || '[]'"))


def loudest_db(sound: np.ndarray, rate_hz: float) -> float:
    """Level of the loudest tenth of a second."""
    size = round(0.1 * rate_hz)
    return max(rms_db(sound[at : at + size]) for at in range(0, len(sound) - size, size // 2))


def test_snapshots_flip_at_one_loudness_without_a_click_are_stored_over_and_come_back(open_page):
    open_page.anew()
    page, first = open_page.page, open_page.state()
    page.click("#compare [data-place='0']")
    second = open_page.turned(lambda: open_page.type_into("gain-db", "-12"))
    open_page.reported("−12.0")
    page.click("#compare [data-place='1']")
    softer = open_page.fetch()
    page.click("#compare [data-place='0']")
    open_page.reached(first)
    page.wait_for_function("window.synthExplorerCompare")
    assert page.locator(".compare-words").inner_text().startswith("−12.0")
    page.evaluate("window.synthExplorerAudio = window.synthExplorerCompare")
    page.wait_for_timeout(1500)
    recorder.begin(page)
    for place in "10101":
        page.click(f"#compare [data-place='{place}']")
        page.wait_for_timeout(250)
    assert open_page.state() == second
    page.wait_for_timeout(1200)
    sound, rate_hz = recorder.end(page)
    assert np.abs(sound).max() > 0.01
    assert recorder.clicks(sound, rate_hz) < 6.0
    assert loudest_db(sound, rate_hz) < loudest_db(softer, 16_000) + 4.0  # none as loud as the louder of them

    page.click(".compare-equal")
    assert page.locator(".compare-words").inner_text() == ""
    page.wait_for_timeout(1500)
    recorder.begin(page)
    page.click("#compare [data-place='0']")
    page.wait_for_timeout(250)
    page.click(".compare-equal")  # while it plays
    page.wait_for_timeout(250)
    page.click(".compare-equal")
    page.wait_for_timeout(1200)
    plain, rate_hz = recorder.end(page)
    assert recorder.clicks(plain, rate_hz) < 6.0
    assert loudest_db(plain, rate_hz) > loudest_db(sound, rate_hz) + 6.0, "it is still as soft as the other"
    page.click("#compare [data-place='1']")
    open_page.reached(second)

    third = open_page.turned(lambda: open_page.type_into("brightness", "0.3"))
    page.click(".compare-store")
    page.click("#compare [data-place='2']")
    open_page.reloaded()
    assert page.locator("#compare .is-filled").count() == 3
    assert page.get_attribute(".compare-equal", "aria-pressed") == "false"
    page.click(".compare-equal")
    page.keyboard.press("1")
    open_page.reached(first)
    page.keyboard.press("Shift+Digit3")
    page.keyboard.press("Control+z")
    open_page.reached(third)
    page.keyboard.press("3")
    open_page.reached(first)


def test_a_snapshot_that_cannot_be_heard_yet_is_reached(open_page):
    """As of a slow checkpoint, whose sound is made when somebody presses Render."""
    open_page.anew()
    open_page.quiet = False
    page, first = open_page.page, open_page.state()

    def refuse(route) -> None:
        route.fulfill(status=422, body="Not yet.") if route.request.resource_type == "fetch" else route.continue_()

    page.route("**/sound/result.wav*", refuse)
    page.click("#compare [data-place='0']")
    open_page.turned(lambda: open_page.type_into("gain-db", "-12"))
    page.click("#compare [data-place='0']")
    open_page.reached(first)
    page.unroute("**/sound/result.wav*")


def test_two_tabs_have_each_their_own_sound_and_one_shelf(open_page):
    open_page.anew()
    two = open_page.page.context.new_page()
    two.set_default_timeout(WAIT_MS)
    two.goto(open_page.page.url)
    two.wait_for_selector("#screen-result .screen[data-state=ready]")
    heard(open_page, lambda: open_page.type_into("gain-db", "-6"))
    open_page.page.wait_for_function("location.hash.includes('gain_db=-6')")
    two.wait_for_function("document.querySelectorAll('.shelf-item').length === 1")
    assert two.evaluate(STATE) != open_page.state()
    two.reload()
    two.wait_for_selector("#screen-result .screen[data-state=ready]")
    assert two.locator("#gain-db input[type=number]").input_value() == "0"
    two.close()


def test_the_shelf_keeps_what_was_heard_and_final_renders(open_page):
    open_page.anew()
    page = open_page.page
    first = heard(open_page, lambda: open_page.type_into("gain-db", "-6"))
    sound = open_page.fetch()
    with page.expect_response("**/sound/picture.png?final=1*") as drawn:
        page.click(".final-render-play")
    assert drawn.value.status == 200
    page.wait_for_selector(".shelf-final")
    final = page.locator(".shelf-item", has=page.locator(".shelf-final"))
    assert [entry.get("final") for entry in entries(open_page)] == [True, None]
    assert page.locator(".final-render-save").get_attribute("download").endswith("-final.wav")
    heard(open_page, lambda: open_page.choose("count", "2"))
    newest = page.locator(".shelf-item").first
    assert newest.locator(".shelf-name").input_value() == "Bass 40, Reed 60"
    assert newest.locator(".shelf-facts").inner_text().startswith("A♯3") or "50/50" in newest.inner_text()
    with page.expect_response("**/sound/final.wav*") as answer:
        final.locator(".shelf-take").click()
    assert answer.value.ok
    page.wait_for_function("document.querySelector('#gain-db input[type=number]').value === '-6'")

    oldest = page.locator(".shelf-item").last
    oldest.locator(".shelf-name").fill("The quiet one")
    oldest.locator(".shelf-name").press("Enter")
    oldest.locator(".shelf-star").click()
    open_page.turned(lambda: open_page.type_into("gain-db", "3"))
    open_page.reloaded()
    page.click(".shelf-clear")
    kept = page.locator(".shelf-item")
    page.wait_for_function("document.querySelectorAll('.shelf-item').length === 1")
    assert kept.locator(".shelf-name").input_value() == "The quiet one"
    kept.locator(".shelf-take").click()
    assert np.array_equal(open_page.reached(first), sound)
    with page.expect_download() as download:
        kept.locator(".shelf-file").click()
    assert download.value.suggested_filename.endswith(".wav")
    kept.locator(".shelf-drop").click()
    page.wait_for_function("document.querySelectorAll('.shelf-item').length === 0")
    assert page.locator(".shelf-hint").is_visible()


def test_nine_variations_and_a_surprise_are_taken_and_undone(open_page):
    page, plain, first = open_page.page, open_page.fetch(), open_page.state()
    page.click(".explore-near")
    page.wait_for_selector(".explore-grid button:nth-child(9)")
    tile = page.locator(".explore-grid button").nth(2)
    varied = open_page.after(tile.click)
    page.wait_for_function("document.querySelectorAll('.explore-grid button[aria-pressed=true]').length === 1")
    x, y = (float(page.locator(f"#{name} input[type=number]").input_value()) for name in ("x", "y"))
    assert (x, y) == (pytest.approx(0.62), pytest.approx(0.62)) and not np.array_equal(varied, plain)
    surprised = open_page.turned(lambda: page.click(".explore-surprise"))
    assert json.loads(surprised)["sources"] != json.loads(first)["sources"]
    page.wait_for_selector(".explore-grid", state="hidden")
    for _ in range(2):
        page.keyboard.press("Control+z")
    open_page.reached(first)
    assert measure.rms_db(open_page.fetch()) == pytest.approx(measure.rms_db(plain), abs=0.5)
