"""How the page looks and speaks: what is seen first, light and dark, names, keys, and files that come by hand."""

from __future__ import annotations

import base64
from pathlib import Path

import axe_playwright_python
import numpy as np
import pytest
import soundfile

from tests.ui.open_page import NEEDS_CHROMIUM, VIEWPORT, OpenPage

pytestmark = [*NEEDS_CHROMIUM, pytest.mark.slow]

AXE = Path(axe_playwright_python.__file__).with_name("axe.min.js").read_text(encoding="utf-8")
VIOLATIONS = """async () => (await axe.run()).violations.flatMap((rule) => rule.nodes.map((node) =>
  `${rule.id}: ${node.html.slice(0, 160)} ${node.any.map((one) => one.message).join(' ')}`))"""
BRIGHTNESS = """(part) => {
  const [red, green, blue] = getComputedStyle(document.querySelector(part)).backgroundColor.match(/\\d+/g).map(Number);
  return (0.2126 * red + 0.7152 * green + 0.0722 * blue) / 255;
}"""
NAMES = """() => [...document.querySelectorAll('button, a, select, input')]
  .filter((e) => e.checkVisibility() && !e.closest('.keys-strip, .shelf-list'))
  .map((e) => {
    const by = (e.getAttribute('aria-labelledby') || '').split(' ').filter(Boolean);
    const words = by.map((id) => document.getElementById(id)).map((e) => e.ariaLabel || e.textContent.trim()).join(' ');
    const name = words || e.ariaLabel || e.innerText || e.labels?.[0]?.innerText;
    return [e.closest('fieldset')?.ariaLabel, e.tagName === 'INPUT' && e.type, name].filter(Boolean).join(' ').trim();
  })"""
UNTOLD = """() => [...document.querySelectorAll('[type=range], [type=checkbox], [type=radio]')]
  .filter((e) => e.checkVisibility() && e.closest('.card') && !e.closest('[data-help]'))
  .concat([...document.querySelectorAll('main :is(button, select)')].filter((e) =>
    !e.closest('[title], [data-help], .label-wrap, .reset-button, .keys-strip, .explore-grid')))
  .map((e) => e.outerHTML)"""
DROP = """([where, name, sound]) => {
  const files = new DataTransfer();
  files.items.add(new File([Uint8Array.from(atob(sound), (letter) => letter.charCodeAt(0))], name));
  const event = (kind) => new DragEvent(kind, { dataTransfer: files, bubbles: true, cancelable: true });
  ['dragenter', 'dragover', 'drop'].forEach((kind) => document.querySelector(where).dispatchEvent(event(kind)));
}"""
MICROPHONE = """() => {
  const context = new AudioContext();
  const [tone, out] = [context.createOscillator(), context.createMediaStreamDestination()];
  tone.connect(out);
  tone.start();
  navigator.mediaDevices.getUserMedia = async () => out.stream;
}"""


def tone(path: Path, seconds: float) -> Path:
    soundfile.write(path, 0.2 * np.sin(2 * np.pi * 330 * np.arange(int(8000 * seconds)) / 8000), 8000)
    return path


def holds(open_page: OpenPage, slot: str, name: str) -> None:
    """Wait until a slot holds a sound of this name."""
    open_page.page.wait_for_function(
        "([slot, name]) => document.querySelector(`#picker-${slot} option:checked`).innerText.includes(name)",
        arg=[slot, name],
    )


def test_what_is_seen_first_and_hints_that_go_once_they_were_followed(open_page):
    """Pad, result, its player and the keyboard together, on a phone too; light where the system is light."""
    open_page.anew()
    page = open_page.page
    for width, height in ((390, 844), (390, 796), (390, 740), (390, 664), (1280, 800), (1366, 657)):
        page.set_viewport_size({"width": width, "height": height})
        page.evaluate("scrollTo(0, 0)")
        keys = page.locator(".keys").bounding_box()
        assert keys["y"] + keys["height"] == pytest.approx(height, abs=1)
        for part in (".pad-field", "#screen-result .screen-picture", "#screen-result .screen-play"):
            box = page.locator(part).bounding_box()
            assert box["y"] >= 0 and box["height"] > 30 and box["y"] + box["height"] <= keys["y"], (width, part)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.set_viewport_size(VIEWPORT)
    for scheme, low, high in (("light", 0.8, 1.0), ("dark", 0.0, 0.15)):
        page.emulate_media(color_scheme=scheme)
        page.wait_for_function("(dark) => document.body.classList.contains('dark') === dark", arg=scheme == "dark")
        assert all(low <= page.evaluate(BRIGHTNESS, part) <= high for part in (".gradio-container", ".result", ".keys"))
    page.emulate_media(color_scheme="null")
    assert page.locator(".hint").count() == 2
    page.focus(".pad-field")
    page.keyboard.press("ArrowLeft")
    page.wait_for_function("document.querySelectorAll('.hint').length === 1")
    open_page.reloaded()
    page.wait_for_selector(".keys-bar .hint")
    assert page.locator(".pad-field .hint").count() == 0


def test_a_reload_keeps_how_the_page_was_left(open_page):
    """The octave and the strength of the letters, whether changes play, and which groups are open."""
    open_page.anew()
    page = open_page.page
    for key in "xc":
        page.keyboard.press(key)
    page.click("#autoplay input")
    for group in ("time", "raw"):
        open_page.open(group)
    page.wait_for_selector("#raw > button[aria-expanded=true]")
    open_page.reloaded()
    page.wait_for_selector("#raw > button.open")
    page.wait_for_selector("#time > button.open")
    assert page.inner_text(".keys-range").startswith("C4")
    assert page.locator(".keys-strip [data-midi='72'] i").inner_text() == "A"
    assert not page.is_checked("#autoplay input")
    assert page.locator("#oscillation > button.open").count() == 0
    page.keyboard.press("v")
    assert "velocity of 100" in page.inner_text(".keys-words")
    page.click("#raw > button")
    page.wait_for_selector("#raw > button[aria-expanded=false]")
    open_page.reloaded()
    page.wait_for_selector("#time > button.open")
    assert page.locator("#raw > button.open").count() == 0
    open_page.anew()
    assert page.is_checked("#autoplay input") and page.locator(".group > button.open").count() == 0


def test_columns_end_together_whatever_is_open(open_page):
    for group in ("oscillation", "time", "drawn", "raw"):
        open_page.open(group)
    ends = [open_page.page.locator(part).bounding_box() for part in (".bench > .pitch", ".bench > .edits")]
    foot = [box["y"] + box["height"] for box in ends]
    assert foot[0] == pytest.approx(foot[1], abs=1)


@pytest.mark.long
def test_no_state_has_a_violation(fresh, tmp_path):
    """By axe-core, dark and light: at rest; with groups open, edits, an error, ideas, a final render and an export."""
    page = (open_page := fresh()).page
    page.emulate_media(reduced_motion="reduce", color_scheme="dark")
    page.evaluate(AXE)

    def look() -> None:
        for scheme in ("dark", "light"):
            page.emulate_media(color_scheme=scheme)
            page.wait_for_function("(dark) => document.body.classList.contains('dark') === dark", arg=scheme == "dark")
            assert page.evaluate(VIOLATIONS) == [], scheme

    look()
    (bad := tmp_path / "list.wav").write_text("milk, bread, eggs")
    page.set_input_files("#slot-b input[type=file]", bad)
    page.locator("#message-b .message").wait_for()
    for group in ("oscillation", "time", "drawn", "directions", "raw", "export"):
        open_page.open(group)
    open_page.after(lambda: open_page.choose("osc-targets", "Pitch"))
    open_page.after(lambda: open_page.type_into("gain-db", "-6"))
    open_page.reported("Gain")
    page.click(".explore-near")
    page.locator(".explore-grid button").first.wait_for()
    page.click(".final-render-play")
    page.locator(".final-render-save").wait_for()
    page.locator(".shelf-final").wait_for()
    page.select_option(".exports-kind", "grid")
    page.click(".exports-begin")
    page.wait_for_selector(".exports-list progress")
    look()
    page.set_viewport_size({"width": 390, "height": 844})
    look()


def test_names_differ_errors_are_announced_and_every_control_says_what_it_does(open_page):
    page = open_page.page
    for group in ("oscillation", "time", "drawn", "directions", "raw", "export"):
        open_page.open(group)
    open_page.after(lambda: open_page.choose("toward", "B"))
    for target in ("Pitch", "Loudness"):
        open_page.after(lambda target=target: open_page.choose("osc-targets", target))
    names = page.evaluate(NAMES)
    assert {"Upload A", "Record D", "Reset Gain (dB)", "Skip to the pad"} <= set(names)
    assert sorted(names) == sorted(set(names)) and all(names)
    assert page.locator("#message-b").get_attribute("aria-live") == "polite"
    assert page.evaluate(UNTOLD) == []
    assert "1.3" not in (page.locator("#amount").get_attribute("data-help") or "1.3")
    page.hover("#gain-db label")
    page.wait_for_selector(".tip:not([hidden])")
    assert "Louder or softer" in page.locator(".tip").inner_text()


def test_space_plays_wherever_one_does_not_write(open_page):
    page, store = open_page.page, open_page.page.locator(".compare-store")

    def plays() -> int:
        page.wait_for_selector("#screen-result .screen[data-state=ready]")
        before = page.evaluate("window.plays")
        page.keyboard.press(" ")
        return page.evaluate("window.plays") - before

    store.click()
    assert plays() == 1 and store.get_attribute("aria-pressed") == "true"
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Tab")
    assert plays() == 0 and store.get_attribute("aria-pressed") == "false"  # who came by keys presses the button
    page.focus("#gain-db input[type=range]")
    assert plays() == 1
    page.focus("#gain-db input[type=number]")
    assert plays() == 0


def test_keys_go_to_a_place_in_the_result(open_page):
    page, head = open_page.page, open_page.page.locator("#screen-result .screen-head")
    page.evaluate("""() => {
      window.sought = [];
      const audio = document.querySelector('#screen-result audio');
      audio.addEventListener('seeking', () => window.sought.push(audio.currentTime));
    }""")
    length = page.evaluate("document.querySelector('#screen-result audio').duration")
    for key, least, most in (("End", length - 0.11, length), ("Home", 0.0, 0.01), ("ArrowRight", 0.1, length)):
        page.evaluate("window.sought.length = 0")
        head.press(key)
        page.wait_for_function("window.sought.length > 0")
        assert least - 1e-3 <= page.evaluate("window.sought[0]") <= most, key
    assert float(head.get_attribute("aria-valuemax")) == pytest.approx(length, abs=0.05)
    page.wait_for_function("Number(document.querySelector('#screen-result .screen-head').ariaValueNow) > 0")
    page.wait_for_selector("#screen-result .screen[data-state=ready]")


def test_groups_say_while_closed_what_is_set_in_them(open_page):
    open_page.open("time")
    open_page.after(lambda: open_page.type_into("stretch", "1.5"))
    title = open_page.page.locator("#time > .label-wrap > span").first
    assert title.get_attribute("data-set") == "Stretch"
    assert open_page.page.locator("#time > .label-wrap").get_attribute("aria-expanded") == "true"
    open_page.after(lambda: open_page.page.click("#reset"))
    assert title.get_attribute("data-set") == ""


def test_sounds_are_dropped_recorded_and_cut(open_page, tmp_path):
    page, sound = open_page.page, tone(tmp_path / "short.wav", 0.7)
    text = base64.b64encode(sound.read_bytes()).decode()
    page.evaluate(DROP, ["#slot-c", "dropped.wav", text])
    holds(open_page, "c", "dropped.wav")
    page.evaluate(DROP, [".masthead", "anywhere.wav", text])
    holds(open_page, "a", "anywhere.wav")
    page.evaluate(MICROPHONE)
    page.click("#record-b")
    page.wait_for_function("(document.querySelector('#record-b').dataset.time || '') > 'Stop 0.3'")
    page.click("#record-b")
    holds(open_page, "b", "recording.wav")
    page.set_input_files("#slot-d input[type=file]", tone(tmp_path / "take.wav", 20.0))
    page.locator(".files-part input").fill("2.5")
    assert page.locator(".files-from").inner_text() == "2.5 to 18.5 s"
    page.click(".files-part [data-does=use]")
    holds(open_page, "d", "take from 2.5 s.wav")
