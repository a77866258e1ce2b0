"""The page's state in a real browser: undone, redone, linked, kept over a reload and a restart, saved and loaded."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.ui.open_page import NEEDS_CHROMIUM, OpenPage, drag, rms_db
from tests.ui.page.test_browser_presets import load, saved

pytestmark = [*NEEDS_CHROMIUM, pytest.mark.slow]


def test_undo_and_redo_by_buttons_and_by_keys(open_page):
    open_page.anew()
    page, plain, first = open_page.page, open_page.fetch(), open_page.state()
    assert page.locator(".deck-back").is_disabled() and page.locator(".deck-forth").is_disabled()
    quiet = open_page.after(lambda: open_page.type_into("gain-db", "-12"))
    second = open_page.state()
    moved = open_page.after(lambda: drag(open_page, ".pad-field", 0.8, 0.3))
    page.click(".deck-back")
    assert np.array_equal(open_page.reached(second), quiet)
    assert page.locator("#x input[type=number]").input_value() == "0.5"
    page.locator("#gain-db input[type=number]").focus()
    page.keyboard.press("Control+z")
    assert np.array_equal(open_page.reached(first), plain)
    assert page.locator("#gain-db input[type=number]").input_value() == "0"
    page.keyboard.press("Control+Shift+Z")
    open_page.reached(second)
    page.keyboard.press("Control+y")
    page.wait_for_function("document.querySelector('.deck-forth').disabled")
    assert np.array_equal(open_page.fetch(), moved)
    page.click(".deck-back")
    open_page.after(lambda: open_page.type_into("brightness", "0.4"))
    assert page.locator(".deck-forth").is_disabled()


def test_what_was_typed_and_not_heard_goes_first(open_page):
    first, field = open_page.state(), open_page.page.locator("#gain-db input[type=number]")
    second = open_page.turned(lambda: open_page.type_into("gain-db", "-6"))
    field.fill("-20")
    open_page.page.keyboard.press("Control+z")
    open_page.page.wait_for_function("document.querySelector('#gain-db input[type=number]').value === '-6'")
    assert open_page.state() == second
    open_page.page.keyboard.press("Control+z")
    open_page.reached(first)


@pytest.mark.parametrize("field", ["#pitch-a input", "#pitch-midi input"])
def test_pitches_are_undone_as_numbers_are(open_page, field):
    pitch = open_page.page.locator(field)
    if not pitch.is_visible():
        open_page.turned(lambda: open_page.page.click("#set-pitch label"))
    first, before = open_page.state(), pitch.input_value()
    pitch.fill("Eb3")
    open_page.turned(lambda: pitch.press("Enter"))
    pitch.fill("C")
    for left in ("D♯3", before):
        pitch.press("Control+z")
        open_page.page.wait_for_function(
            "([field, left]) => document.querySelector(field).value === left", arg=[field, left]
        )
    open_page.reached(first)
    pitch.blur()
    open_page.page.wait_for_timeout(500)
    assert open_page.state() == first


def test_undo_brings_back_notes_and_their_number(open_page, studio):
    notes = list(studio.notes)
    page, plain, first = open_page.page, open_page.fetch(), open_page.state()
    second = open_page.turned(lambda: page.select_option("#picker-b select", notes[6]))
    open_page.turned(lambda: open_page.choose("count", "2"))
    page.keyboard.press("Control+z")
    open_page.reached(second)
    assert page.locator("#slot-d").is_visible() and page.locator("#x").is_visible()
    page.keyboard.press("Control+z")
    assert np.array_equal(open_page.reached(first), plain)
    page.wait_for_function("document.querySelector('#screen-b img').alt.includes('Reed')")
    assert page.locator("#picker-b option:checked").inner_text() == "Reed 60"
    assert page.locator(".pad-corner[data-corner='1'] i").inner_text() == "Reed 60"


def test_a_note_that_a_pointer_chose_leaves_the_keys_to_the_page_and_one_that_keys_chose_does_not(open_page, studio):
    notes, menu, first = list(studio.notes), open_page.page.locator("#picker-b select"), open_page.state()
    for act, stays in ((lambda: menu.dispatch_event("pointerdown"), False), (lambda: menu.press("Shift"), True)):
        menu.focus()
        act()
        open_page.turned(lambda: menu.select_option(notes[6]))
        assert menu.evaluate("menu => menu === document.activeElement") is stays
        if stays:
            menu.blur()
        open_page.page.keyboard.press("Control+z")
        open_page.reached(first)


def test_a_reload_keeps_the_sound_and_what_can_be_undone(open_page, tmp_path):
    page, first = open_page.page, open_page.state()
    path = tmp_path / "mine.wav"
    at = np.arange(22050) / 22050
    soundfile.write(path, 0.2 * np.sin(2 * np.pi * 330 * at) * np.exp(-at), 22050)
    open_page.turned(lambda: page.set_input_files("#slot-a input[type=file]", path))
    open_page.open("oscillation")
    open_page.turned(lambda: open_page.choose("osc-targets", "Pitch"))
    heard = open_page.after(lambda: open_page.type_into("osc-pitch-depth", "80"))
    last = open_page.state()
    page.wait_for_function("location.hash.includes('osc_pitch_depth=80')")
    open_page.reloaded()
    assert np.array_equal(open_page.reached(last), heard)
    assert page.locator("#picker-a option:checked").inner_text() == "mine.wav"
    open_page.open("oscillation")
    assert page.locator("#osc-pitch-depth input[type=number]").input_value() == "80"
    for _ in range(3):
        page.keyboard.press("Control+z")
    open_page.reached(first)


def test_a_link_makes_the_same_sound_in_another_browser_which_then_has_its_own(open_page, fresh):
    open_page.turned(lambda: open_page.choose("toward", "B"))
    heard = open_page.after(lambda: drag(open_page, ".pad-field", 0.2, 0.9))
    open_page.page.wait_for_function("location.hash.includes('toward=B') && location.hash.includes('x=0.2')")
    _, _, link = open_page.page.url.partition("#")
    assert len(open_page.page.url) < 200
    other = fresh("#" + link)
    assert other.state() == open_page.state()
    assert np.array_equal(other.fetch(), heard)
    assert other.page.locator("#toward label.selected").inner_text() == "B"
    quiet = other.after(lambda: other.type_into("gain-db", "-6"))
    assert rms_db(quiet) - rms_db(heard) == pytest.approx(-6.0, abs=0.05)
    assert np.array_equal(open_page.fetch(), heard)
    other.page.wait_for_function("location.hash.includes('gain_db=-6')")
    other.page.evaluate("link => { location.hash = link }", link)
    assert np.array_equal(other.reached(open_page.state()), heard)
    other.page.keyboard.press("Control+z")
    other.page.wait_for_function("document.querySelector('#gain-db input[type=number]').value === '-6'")


def test_what_was_saved_is_loaded_whole(open_page, tmp_path):
    first = open_page.state()
    open_page.turned(lambda: open_page.choose("count", "3"))
    open_page.turned(lambda: open_page.type_into("x", "0.2"))
    heard = open_page.after(lambda: open_page.type_into("brightness", "0.5"))
    with open_page.page.expect_download() as download:
        open_page.page.click(".deck-save")
    assert download.value.suggested_filename.startswith("bass-40-reed-60-")
    path = tmp_path / download.value.suggested_filename
    download.value.save_as(path)
    for _ in range(3):
        open_page.page.click(".deck-back")
    open_page.reached(first)
    loaded = open_page.after(lambda: open_page.page.set_input_files(".deck-row input[type=file]", path))
    assert np.array_equal(loaded, heard)
    assert open_page.page.locator("#x input[type=number]").input_value() == "0.2"
    assert not open_page.page.locator("#slot-d").is_visible()


def test_what_is_neither_patch_nor_preset_changes_nothing(open_page, tmp_path):
    before, path = open_page.turned(lambda: open_page.type_into("gain-db", "-6")), tmp_path / "list.zip"
    path.write_text("milk, bread, eggs")
    open_page.page.set_input_files(".deck-row input[type=file]", path)
    message = open_page.page.locator("#message-deck .message")
    message.wait_for()
    assert "list.zip" in message.inner_text() and open_page.state() == before


def test_a_bad_link_opens_the_first_page_and_says_so(open_page):
    open_page.anew("#non=sense")
    assert "says no sound" in open_page.page.locator("#message-deck .message").inner_text()
    assert open_page.fetch().size


def test_what_skips_moves_the_focus_and_a_place_in_the_address_is_no_link(open_page):
    open_page.anew()
    page = open_page.page
    state = open_page.turned(lambda: open_page.type_into("gain-db", "-6"))
    page.wait_for_function("location.hash.includes('gain_db=-6')")
    for place, name in (("pad", "pad"), ("screen-result", "result"), ("keyboard", "keyboard")):
        page.get_by_text(f"Skip to the {name}").focus()
        page.keyboard.press("Enter")
        assert page.evaluate("place => document.activeElement.closest('#' + place) !== null", place), place
        assert "gain_db=-6" in page.url
    page.evaluate("location.hash = 'pad'")
    page.wait_for_timeout(300)
    assert not page.locator("#message-deck .message").count() and open_page.state() == state
    open_page.reloaded()
    open_page.reached(state)
    assert not page.locator(".deck-back").is_disabled()


def test_what_another_version_left_opens_the_first_page(open_page):
    first = open_page.state()
    for left in ("{", '{"list": [{}], "at": 0}'):
        open_page.anew(kept=left)
        open_page.page.wait_for_function("location.hash.includes('a=Bass+40')")
        assert open_page.state() == first


@pytest.mark.long
@pytest.mark.parametrize("left", ["5", '{"list": 3}', '{"list": [], "at": 7}'])
def test_whatever_another_version_left_opens_the_first_page(open_page, left):
    first = open_page.state()
    open_page.anew(kept=left)
    open_page.page.wait_for_function("location.hash.includes('a=Bass+40')")
    assert open_page.state() == first


def move(open_page: OpenPage, x: float, y: float) -> None:
    """Click somewhere on the pad, which lies still."""
    field = open_page.page.locator(".pad-field")
    box = field.bounding_box()
    field.click(position={"x": x * box["width"], "y": y * box["height"]})


def draw(open_page: OpenPage, points: str) -> None:
    """Type the points of the curve whose tab is open."""
    open_page.page.fill(".curves-text", points)
    open_page.page.press(".curves-text", "Enter")


def actions(
    open_page: OpenPage, notes: list[str], files: list[Path], preset: Path, chance: random.Random
) -> list[Callable[[], object]]:
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
        lambda: page.click("#by-pitch input"),
        lambda: page.click(f"#compare [data-place='{chance.randrange(4)}']"),
        lambda: page.set_input_files(f"#slot-{chance.choice('ab')} input[type=file]", chance.choice(files)),
        lambda: draw(open_page, chance.choice(["", f"0={chance.randrange(-9, 0)}, 0.5={chance.randrange(-9, 0)}"])),
        lambda: load(open_page, preset),
        lambda: open_page.type_into("seed", str(chance.randrange(9))),
    ]


@pytest.mark.long
def test_two_hundred_actions_are_undone_to_the_start_and_redone_to_the_end(open_page, studio, note_file, tmp_path):
    files = [note_file(f"mine {midi}.wav", midi=midi, seconds=0.8) for midi in (50, 62)]
    open_page.after(lambda: open_page.type_into("noisiness-db", "3"))
    preset = saved(open_page, tmp_path / "preset.json")
    open_page.anew()
    chance = random.Random(5)
    page = open_page.page
    for group in ("oscillation", "drawn", "decoding"):
        open_page.open(group)
    plain, first = open_page.fetch(), open_page.state()
    for _ in range(200):
        chance.choice(actions(open_page, list(studio.notes), files, preset, chance))()
        page.wait_for_timeout(50)
    page.wait_for_timeout(1000)
    steps = page.evaluate("JSON.parse(sessionStorage.getItem('synth-explorer-undo')).at")
    last, heard = open_page.state(), open_page.fetch()
    assert steps > 120
    for _ in range(steps):
        page.keyboard.press("Control+z")
    assert np.array_equal(open_page.reached(first), plain)
    assert page.locator(".deck-back").is_disabled()
    for _ in range(steps):
        page.keyboard.press("Control+Shift+z")
    assert np.array_equal(open_page.reached(last), heard)
