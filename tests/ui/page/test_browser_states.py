"""The page's state in a real browser: undone, redone, linked, kept over a reload and a restart, saved and loaded."""

from __future__ import annotations

import random
from collections.abc import Callable

import numpy as np
import pytest
import soundfile

from tests.ui.open_page import NEEDS_CHROMIUM, OpenPage, drag

pytestmark = NEEDS_CHROMIUM

STATE = "window.synthExplorerState && JSON.stringify(window.synthExplorerState().said)"


def state(open_page: OpenPage) -> str:
    """What the page says is its state, as JSON."""
    return open_page.page.evaluate(STATE)


def turned(open_page: OpenPage, act: Callable[[], object]) -> str:
    """Do something, wait until the page's state is another one, and return that."""
    before = state(open_page)
    act()
    open_page.page.wait_for_function(f"before => ({STATE}) !== before", arg=before)
    return state(open_page)


def reached(open_page: OpenPage, wanted: str) -> np.ndarray:
    """Wait until the page is in a state, its knobs too, and return its sound."""
    open_page.page.wait_for_function(f"wanted => ({STATE}) === wanted", arg=wanted)
    asked = "JSON.stringify(window.synthExplorerThin(JSON.parse(window.synthExplorerRequest)))"
    open_page.page.wait_for_function(f"wanted => ({asked}) === wanted", arg=wanted)
    return open_page.fetch()


def reloaded(open_page: OpenPage) -> None:
    """Open the page anew; Gradio tells the console of what it was still waiting for."""
    open_page.page.reload()
    open_page.page.wait_for_selector("#screen-result .screen[data-state=ready]")
    ours = [trouble for trouble in open_page.troubles if "abort" not in trouble and "errored out" not in trouble]
    open_page.troubles[:] = ours


def test_undo_and_redo_by_buttons_and_by_keys(fresh):
    open_page = fresh()
    page, plain, first = open_page.page, open_page.fetch(), state(open_page)
    assert page.locator(".deck-back").is_disabled() and page.locator(".deck-forth").is_disabled()
    quiet = open_page.after(lambda: open_page.type_into("gain-db", "-12"))
    second = state(open_page)
    moved = open_page.after(lambda: drag(open_page, ".pad-field", 0.8, 0.3))
    page.click(".deck-back")
    assert np.array_equal(reached(open_page, second), quiet)
    assert page.locator("#x input[type=number]").input_value() == "0.5"
    page.locator("#gain-db input[type=number]").focus()
    page.keyboard.press("Control+z")
    assert np.array_equal(reached(open_page, first), plain)
    assert page.locator("#gain-db input[type=number]").input_value() == "0"
    page.keyboard.press("Control+Shift+Z")
    reached(open_page, second)
    page.keyboard.press("Control+y")
    page.wait_for_function("document.querySelector('.deck-forth').disabled")
    assert np.array_equal(open_page.fetch(), moved)
    page.click(".deck-back")
    open_page.after(lambda: open_page.type_into("brightness", "0.4"))
    assert page.locator(".deck-forth").is_disabled()


def test_what_was_typed_and_not_heard_goes_first(fresh):
    open_page = fresh()
    first, field = state(open_page), open_page.page.locator("#gain-db input[type=number]")
    second = turned(open_page, lambda: open_page.type_into("gain-db", "-6"))
    field.fill("-20")
    open_page.page.keyboard.press("Control+z")
    open_page.page.wait_for_function("document.querySelector('#gain-db input[type=number]').value === '-6'")
    assert state(open_page) == second
    open_page.page.keyboard.press("Control+z")
    reached(open_page, first)


def test_undo_brings_back_notes_and_their_number(fresh, studio):
    open_page, notes = fresh(), list(studio.notes)
    page, plain, first = open_page.page, open_page.fetch(), state(open_page)
    second = turned(open_page, lambda: page.select_option("#picker-b select", notes[6]))
    turned(open_page, lambda: open_page.choose("count", "2"))
    page.keyboard.press("Control+z")
    reached(open_page, second)
    assert page.locator("#slot-d").is_visible() and page.locator("#x").is_visible()
    page.keyboard.press("Control+z")
    assert np.array_equal(reached(open_page, first), plain)
    page.wait_for_function("document.querySelector('#screen-b img').alt.includes('Reed')")
    assert page.locator("#picker-b option:checked").inner_text() == "Reed 60"
    assert page.locator(".pad-corner[data-corner='1'] i").inner_text() == "Reed 60"


def test_a_reload_keeps_the_sound_and_what_can_be_undone(fresh, tmp_path):
    open_page = fresh()
    page, first = open_page.page, state(open_page)
    path = tmp_path / "mine.wav"
    at = np.arange(22050) / 22050
    soundfile.write(path, 0.2 * np.sin(2 * np.pi * 330 * at) * np.exp(-at), 22050)
    turned(open_page, lambda: page.set_input_files("#slot-a input[type=file]", path))
    open_page.open("oscillation")
    turned(open_page, lambda: open_page.choose("osc-targets", "Pitch"))
    heard = open_page.after(lambda: open_page.type_into("osc-pitch-depth", "80"))
    last = state(open_page)
    page.wait_for_function("location.hash.includes('osc_pitch_depth=80')")
    reloaded(open_page)
    assert np.array_equal(reached(open_page, last), heard)
    assert page.locator("#picker-a option:checked").inner_text() == "mine.wav"
    open_page.open("oscillation")
    assert page.locator("#osc-pitch-depth input[type=number]").input_value() == "80"
    for _ in range(3):
        page.keyboard.press("Control+z")
    reached(open_page, first)


def test_a_link_makes_the_same_sound_in_another_browser(fresh, browser):
    open_page, other = fresh(), None
    turned(open_page, lambda: open_page.choose("toward", "B"))
    heard = open_page.after(lambda: drag(open_page, ".pad-field", 0.2, 0.9))
    open_page.page.wait_for_function("location.hash.includes('toward=B') && location.hash.includes('x=0.2')")
    address = open_page.page.url
    assert len(address) < 200
    other = OpenPage(browser, address)
    assert state(other) == state(open_page)
    assert np.array_equal(other.fetch(), heard)
    assert other.page.locator("#toward label.selected").inner_text() == "B"
    quiet = other.after(lambda: other.type_into("gain-db", "-6"))
    other.page.wait_for_function("location.hash.includes('gain_db=-6')")
    other.page.evaluate("address => { location.hash = new URL(address).hash }", address)
    assert np.array_equal(reached(other, state(open_page)), heard) and not np.array_equal(quiet, heard)
    other.page.keyboard.press("Control+z")
    other.page.wait_for_function("document.querySelector('#gain-db input[type=number]').value === '-6'")
    assert other.troubles == []
    other.page.close()


def test_two_tabs_have_each_their_own(fresh):
    one = fresh()
    two = one.page.context.new_page()  # in the same browser
    two.goto(one.page.url)
    two.wait_for_selector("#screen-result .screen[data-state=ready]")
    turned(one, lambda: one.type_into("gain-db", "-9"))
    one.page.wait_for_function("location.hash.includes('gain_db=-9')")
    assert two.evaluate(STATE) != state(one)
    two.reload()
    two.wait_for_selector("#screen-result .screen[data-state=ready]")
    assert two.locator("#gain-db input[type=number]").input_value() == "0"
    two.close()


def test_what_was_saved_is_loaded_whole(fresh, tmp_path):
    open_page = fresh()
    first = state(open_page)
    turned(open_page, lambda: open_page.choose("count", "3"))
    turned(open_page, lambda: open_page.type_into("x", "0.2"))
    heard = open_page.after(lambda: open_page.type_into("brightness", "0.5"))
    with open_page.page.expect_download() as download:
        open_page.page.click(".deck-save")
    assert download.value.suggested_filename.startswith("bass-40-reed-60-")
    path = tmp_path / download.value.suggested_filename
    download.value.save_as(path)
    for _ in range(3):
        open_page.page.click(".deck-back")
    reached(open_page, first)
    loaded = open_page.after(lambda: open_page.page.set_input_files(".deck-row input[type=file]", path))
    assert np.array_equal(loaded, heard)
    assert open_page.page.locator("#x input[type=number]").input_value() == "0.2"
    assert not open_page.page.locator("#slot-d").is_visible()


def test_what_is_neither_patch_nor_preset_changes_nothing(fresh, tmp_path):
    open_page = fresh()
    before, path = turned(open_page, lambda: open_page.type_into("gain-db", "-6")), tmp_path / "list.zip"
    path.write_text("milk, bread, eggs")
    open_page.page.set_input_files(".deck-row input[type=file]", path)
    message = open_page.page.locator("#message-deck .message")
    message.wait_for()
    assert "list.zip" in message.inner_text() and state(open_page) == before


def test_a_bad_link_opens_the_first_page_and_says_so(browser, address):
    open_page = OpenPage(browser, address + "#nonsense")
    assert "says no sound" in open_page.page.locator("#message-deck .message").inner_text()
    assert open_page.fetch().size and open_page.troubles == []
    open_page.page.close()


@pytest.mark.parametrize("left", ["{", "5", '{"list": 3}', '{"list": [], "at": 7}', '{"list": [{}], "at": 0}'])
def test_what_another_version_left_opens_the_first_page(browser, address, left):
    page = browser.new_context().new_page()
    names = ["synth-explorer-undo", "synth-explorer-last", "synth-explorer-compare", "synth-explorer-sounds"]
    page.add_init_script(
        f"if (!window.name) {names}.forEach((name) => [sessionStorage, localStorage].forEach((kept) => "
        f"kept.setItem(name, {left!r}))); window.name = 'opened';"
    )
    troubles: list[str] = []
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.goto(address)
    page.wait_for_selector("#screen-result .screen[data-state=ready]")
    page.wait_for_function("location.hash.includes('a=Bass+40')")
    assert troubles == []
    page.context.close()


def move(open_page: OpenPage, x: float, y: float) -> None:
    """Click somewhere on the pad, which lies still."""
    field = open_page.page.locator(".pad-field")
    box = field.bounding_box()
    field.click(position={"x": x * box["width"], "y": y * box["height"]})


def actions(open_page: OpenPage, notes: list[str], chance: random.Random) -> list[Callable[[], object]]:
    """Things to do with a page, each with numbers of its own."""
    page = open_page.page
    return [
        lambda: move(open_page, chance.random(), chance.random()),
        lambda: open_page.type_into("gain-db", str(-0.5 * chance.randrange(1, 40))),
        lambda: open_page.type_into("brightness", str(chance.randrange(-90, 90) / 100)),
        lambda: open_page.type_into("transpose", str(chance.randrange(-12, 12))),
        lambda: open_page.choose("toward", chance.choice(["Off", "A", "B"])),
        lambda: open_page.choose("count", chance.choice(["2", "3", "4"])),
        lambda: open_page.choose("osc-targets", chance.choice(["Loudness", "Brightness", "Pitch"])),
        lambda: page.select_option(f"#picker-{chance.choice('ab')} select", chance.choice(notes)),
        lambda: page.click("#reset"),
    ]


@pytest.mark.slow
def test_two_hundred_actions_are_undone_to_the_start_and_redone_to_the_end(fresh, studio):
    open_page, chance = fresh(), random.Random(5)
    page = open_page.page
    open_page.open("oscillation")
    plain, first = open_page.fetch(), state(open_page)
    for _ in range(200):
        chance.choice(actions(open_page, list(studio.notes), chance))()
        page.wait_for_timeout(50)
    page.wait_for_timeout(1000)
    steps = page.evaluate("JSON.parse(sessionStorage.getItem('synth-explorer-undo')).at")
    last, heard = state(open_page), open_page.fetch()
    assert steps > 120
    for _ in range(steps):
        page.keyboard.press("Control+z")
    assert np.array_equal(reached(open_page, first), plain)
    assert page.locator(".deck-back").is_disabled()
    for _ in range(steps):
        page.keyboard.press("Control+Shift+z")
    assert np.array_equal(reached(open_page, last), heard)
