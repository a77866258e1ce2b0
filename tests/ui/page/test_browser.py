"""The page in a real browser: picked, dragged, typed into and listened to. Nothing may leave this machine."""

from __future__ import annotations

from urllib.error import HTTPError
from urllib.parse import quote
from urllib.request import urlopen

import numpy as np
import pytest
import soundfile

from tests.ui.open_page import NEEDS_CHROMIUM, VIEWPORT, drag, rms_db

pytestmark = NEEDS_CHROMIUM


def test_two_notes_a_mix_and_the_level_that_is_served(open_page, studio):
    notes = list(studio.notes)
    open_page.after(lambda: open_page.choose("count", "2"))
    open_page.after(lambda: open_page.page.select_option("#picker-a select", notes[1]))
    open_page.after(lambda: open_page.page.select_option("#picker-b select", notes[5]))
    heard = open_page.after(lambda: open_page.type_into("mix", "0.25"))
    explorer, latents = studio.explorer, [studio.latents(studio.open_example(notes[index])) for index in (1, 5)]
    expected = explorer.decode(explorer.morph(latents, (0.75, 0.25)))
    assert rms_db(heard) == pytest.approx(rms_db(expected), abs=0.05)
    open_page.page.wait_for_function("document.querySelector('#screen-result audio').currentTime > 0")
    dragged = open_page.after(lambda: drag(open_page, "#mix input[type=range]", 0.9, 0.5))
    assert not np.array_equal(dragged, heard)


def test_gain_moves_the_served_level_by_what_it_says(open_page):
    plain = open_page.fetch()
    edited = open_page.after(lambda: open_page.type_into("gain-db", "-12"))
    assert rms_db(edited) - rms_db(plain) == pytest.approx(-12.0, abs=0.05)
    open_page.page.wait_for_selector("#comparison .report")
    assert rms_db(open_page.fetch("screen-before")) == pytest.approx(rms_db(plain), abs=0.01)
    assert "−12.0" in open_page.page.locator("#report").inner_text()
    back = open_page.after(lambda: open_page.page.click("#reset"))
    assert np.array_equal(back, plain)


def test_the_pad_is_dragged_and_walked_with_keys(open_page):
    dragged = open_page.after(lambda: drag(open_page, ".pad-field", 0.8, 0.3))
    x, y = (float(open_page.page.locator(f"#{name} input[type=number]").input_value()) for name in ("x", "y"))
    assert (x, y) == (pytest.approx(0.8, abs=0.02), pytest.approx(0.7, abs=0.02))
    field = open_page.page.locator(".pad-field")
    field.focus()
    walked = open_page.after(lambda: open_page.page.keyboard.press("Shift+ArrowLeft"))
    assert not np.array_equal(walked, dragged)
    assert float(field.get_attribute("aria-valuenow")) == pytest.approx(100 * x - 10, abs=1)
    open_page.after(lambda: drag(open_page, ".pad-field", 3.0, -2.0))
    assert field.get_attribute("aria-valuetext").endswith("D 100 percent")
    puck, box = open_page.page.locator(".pad-puck").bounding_box(), field.bounding_box()  # whole in a corner
    assert puck["x"] + puck["width"] > box["x"] + box["width"] and puck["y"] < box["y"]
    assert field.evaluate("field => getComputedStyle(field).overflow") == "visible"


def test_sliders_move_the_pad_and_answer_to_keys(open_page):
    open_page.after(lambda: open_page.type_into("x", "0.1"))
    assert open_page.page.locator(".pad-field").get_attribute("aria-valuenow") == "10"
    open_page.page.locator("#transpose input[type=range]").focus()
    open_page.after(lambda: open_page.page.keyboard.press("ArrowRight"))


def test_a_file_of_ones_own_takes_a_slot(open_page, tmp_path):
    path = tmp_path / "mine.wav"
    at = np.arange(22050) / 22050
    soundfile.write(path, 0.2 * np.sin(2 * np.pi * 330 * at) * np.exp(-at), 22050)
    open_page.after(lambda: open_page.page.set_input_files("#slot-a input[type=file]", path))
    assert open_page.page.locator("#picker-a option:checked").inner_text() == "mine.wav"
    assert open_page.page.input_value("#pitch-a input").startswith("E4")
    open_page.after(
        lambda: (open_page.page.fill("#pitch-a input", "60"), open_page.page.press("#pitch-a input", "Enter"))
    )
    assert open_page.page.input_value("#pitch-a input") == "C4"


def test_a_bad_file_is_one_sentence(open_page, tmp_path):
    path = tmp_path / "list.wav"
    path.write_text("milk, bread, eggs")
    open_page.page.set_input_files("#slot-b input[type=file]", path)
    message = open_page.page.locator("#message-b .message")
    message.wait_for()
    assert "list.wav is not a sound file" in message.inner_text() and "Traceback" not in open_page.page.content()
    assert open_page.source()


def test_two_oscillations_at_once_each_with_its_knobs(open_page):
    open_page.open("oscillation")
    open_page.after(lambda: open_page.choose("osc-targets", "Pitch"))
    open_page.after(lambda: open_page.choose("osc-targets", "Brightness"))
    assert "cents" in open_page.page.locator("#osc-pitch-depth").inner_text()
    assert "octaves" in open_page.page.locator("#osc-brightness-depth").inner_text()
    assert not open_page.page.locator("#osc-loudness").is_visible()
    open_page.after(lambda: open_page.choose("osc-pitch-shape", "Triangle"))
    open_page.after(lambda: open_page.type_into("osc-brightness-phase-turns", "0.25"))
    open_page.reported("Oscillation of pitch, rate")


def test_nothing_is_cut_off_at_any_width(open_page):
    for group in ("oscillation", "time", "drawn", "raw"):
        open_page.open(group)
    found = {}
    for width in (390, 768, 1440):
        open_page.page.set_viewport_size({"width": width, "height": 900})
        wide = open_page.page.evaluate("document.documentElement.scrollWidth")
        nameless = open_page.page.evaluate(
            """() => [...document.querySelectorAll('button, input, select, [role=slider], [role=application]')]
            .filter((e) => e.offsetParent && !e.ariaLabel && !e.innerText && !(e.labels && e.labels.length))
            .map((e) => e.outerHTML.slice(0, 120))"""
        )
        found[width] = (wide <= width, nameless)
    open_page.page.set_viewport_size(VIEWPORT)
    assert found == dict.fromkeys(found, (True, []))


def test_the_sound_still_comes_when_its_route_does_not(open_page):
    open_page.quiet = False
    open_page.page.route("**/sound/result.wav*", lambda route: route.abort())
    plain = open_page.fetch()
    open_page.type_into("gain-db", "-12")
    open_page.page.wait_for_function("document.querySelector('#screen-result audio').src.includes('gradio_api/file=')")
    assert rms_db(open_page.fetch()) - rms_db(plain) == pytest.approx(-12.0, abs=0.05)
    open_page.page.wait_for_function("document.querySelector('#screen-result audio').currentTime > 0")
    open_page.page.unroute("**/sound/result.wav*")


@pytest.mark.parametrize(
    "nonsense",
    [
        "",
        "../../etc/passwd",
        '{"checkpoint": "fake", "sources": ["../x", "", "", ""], "knobs": {"count": 2}}',
        '{"checkpoint": "../../etc", "sources": ["", "", "", ""]}',
        "<script>",
        "[" * 3000,
    ],
)
def test_the_route_of_sounds_answers_nonsense_with_a_sentence(address, nonsense):
    with pytest.raises(HTTPError) as refused:
        urlopen(f"{address}sound/result.wav?request={quote(nonsense)}")
    said = refused.value.read().decode()
    assert refused.value.code == 422 and refused.value.headers["Content-Type"].startswith("text/plain")
    assert said.endswith(".") and len(said.split()) > 3 and "\n" not in said
    assert "Traceback" not in said and "passwd" not in said


def test_quick_turns_end_on_the_last_one(open_page):
    """Answers to earlier questions do not put their sound or picture over the newest."""
    plain = open_page.fetch()
    for gain_db in (-3, -6, -9, -18):
        open_page.type_into("gain-db", str(gain_db))
    open_page.reported("−18.0")
    assert rms_db(open_page.fetch()) - rms_db(plain) == pytest.approx(-18.0, abs=0.05)


@pytest.mark.slow
def test_a_slow_checkpoint_is_rendered_by_a_button(open_page, fake, monkeypatch):
    monkeypatch.setattr(fake.SlowFamily, "CHUNK_S", 0.03)
    page, plain = open_page.page, open_page.source()
    assert not page.locator("#making").is_visible()
    page.locator("#checkpoint input").click()
    page.get_by_role("option", name="slow").click()
    page.wait_for_selector("#missing .note")
    assert "no calibrated loudness" in page.locator("#missing").inner_text()
    for knob in ("gain-db", "brightness", "transpose"):
        assert page.locator(f"#{knob} input[type=range]").is_disabled()
    page.wait_for_function("document.querySelector('#message-result').innerText.includes('press Render')")
    assert open_page.source() == plain
    first = open_page.after(lambda: page.click("#render"))
    page.wait_for_function("document.querySelector('#screen-result audio').currentTime > 0")
    open_page.open("raw")
    open_page.page.locator("#raw-channels label").first.click()
    open_page.type_into("raw-add", "0.5")
    page.wait_for_function("document.querySelector('#message-result').innerText.includes('press Render')")
    page.wait_for_function("location.hash.includes('checkpoint=slow') && location.hash.includes('raw_add=0.5')")
    waits_s = [
        60.0,
        0.5,
        0.5,
    ]  # before the first chunks; it is not made before it is stopped, however busy the machine is
    monkeypatch.setattr(fake.SlowFamily, "CHUNK_S", property(lambda _: waits_s.pop() if waits_s[1:] else waits_s[0]))
    page.click("#render")
    page.wait_for_function("document.querySelector('#progress').innerText.includes('left')")
    open_page.after(lambda: page.click("#stop"))
    monkeypatch.setattr(fake.SlowFamily, "CHUNK_S", 0.03)
    assert "Stopped at" in page.locator("#message-result").inner_text()
    louder = open_page.after(lambda: page.click("#render"))
    assert louder.size == first.size and rms_db(louder) - rms_db(first) == pytest.approx(10.0, abs=0.1)
    page.locator("#checkpoint input").click()
    page.get_by_role("option", name="fake").click()
    page.wait_for_function("!document.querySelector('#gain-db input[type=range]').disabled")
    open_page.after(lambda: open_page.type_into("gain-db", "-6"))
    assert not page.locator("#making").is_visible()


def test_an_emptied_result_shows_nothing_of_what_it_was(open_page):
    open_page.quiet = False
    open_page.open("time")
    plain = open_page.fetch()
    open_page.type_into("trim-start", "0.9")
    open_page.type_into("trim-end", "0.2")
    open_page.page.wait_for_selector("#message-result .message")
    open_page.page.wait_for_selector("#screen-result .screen[data-state=empty]", state="attached")
    picture = open_page.page.locator("#screen-result .screen-picture")
    assert picture.inner_text().strip() == "" and picture.locator("li").count() == 0
    open_page.page.click("#reset")
    open_page.page.wait_for_selector("#screen-result .screen[data-state=playing]")
    open_page.page.wait_for_selector("#screen-result .screen-hz li")
    assert np.array_equal(open_page.fetch(), plain)


def test_signs_names_and_narrow_parts(open_page):
    """Minus signs are alike, no two buttons have one name, and letters that have no room are not cut."""
    page = open_page.page
    open_page.open("time")
    lowest = page.evaluate("[...document.querySelectorAll('.min_value')].map((end) => end.textContent.trim())")
    assert "−24" in lowest and "−48" in lowest and not [text for text in lowest if "-" in text]
    downloads = page.locator("#screen-result .screen-save, #final-render .final-render-save").all_text_contents()
    assert downloads == ["Download", "Download final render"]
    open_page.after(lambda: drag(open_page, ".pad-field", 0.95, 0.04))
    letters = page.evaluate("""() => [...document.querySelectorAll('.pad-weights span')].filter((part) => {
        const [word, room] = [part.firstChild.getBoundingClientRect(), part.getBoundingClientRect()];
        return word.top < room.bottom && word.width > 0;
    }).map((part) => part.textContent[0])""")
    assert letters == ["D"]
    open_page.after(lambda: drag(open_page, ".pad-field", 0.5, 0.5))
    assert page.locator(".pad-weights").inner_text().split() == ["A", "25", "B", "25", "C", "25", "D", "25"]


def test_latent_channels_move_with_a_quick_checkpoint_too(open_page):
    plain = open_page.fetch()
    open_page.open("raw")
    open_page.page.locator("#raw-channels label").first.click()
    moved = open_page.after(lambda: open_page.type_into("raw-add", "0.3"))
    assert rms_db(moved) - rms_db(plain) == pytest.approx(6.0, abs=0.1)
    back = open_page.after(lambda: open_page.page.click("#reset"))
    assert np.array_equal(back, plain)
