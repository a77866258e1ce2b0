"""A newcomer's walk over the page in a real browser, from the first sound to a link that another browser opens."""

from __future__ import annotations

from urllib.request import urlopen

import numpy as np
import pytest
import soundfile

from synth_explorer.pitch import midi_to_hz
from tests.ui import recorder
from tests.ui.open_page import NEEDS_CHROMIUM, OpenPage, rms_db, still
from tests.ui.page.test_browser_keys import MIDI, sounding

pytestmark = [*NEEDS_CHROMIUM, pytest.mark.slow]

CHORD = {"a": 60, "d": 64, "g": 67}
BENT = 2  # semitones, of a bend as far as it goes


def recorded(open_page: OpenPage, ms: int = 700) -> tuple[np.ndarray, int]:
    recorder.begin(open_page.page)
    open_page.page.wait_for_timeout(ms)
    return recorder.end(open_page.page)


def plays_chord(audio: np.ndarray, rate_hz: int, above: int = 0) -> bool:
    """Whether the chord is heard so many semitones higher, and what lies a semitone above each key is not."""
    there = [recorder.strength_db(audio, rate_hz, midi_to_hz(midi + above)) for midi in CHORD.values()]
    beside = [recorder.strength_db(audio, rate_hz, midi_to_hz(midi + above + 1)) for midi in CHORD.values()]
    return min(there) > -20.0 and max(beside) < -25.0


def test_a_newcomer_plays_keeps_exports_and_shares_a_morph(fresh, address, tmp_path):
    page = (open_page := fresh()).page
    first, plain = open_page.state(), open_page.fetch()
    page.click("#screen-result .screen-play")
    page.wait_for_function("document.querySelector('#screen-result audio').currentTime > 0.2")
    page.wait_for_selector("#screen-result .screen[data-state=ready]")

    # A chord is played on the morph and held, bent, and moved over the pad while it sounds.
    page.evaluate(MIDI)
    page.click(".keys-midi")
    box = still(page, ".pad-field")
    page.wait_for_selector(".keys[data-ready=true]")
    page.focus(".keys-hold")
    for letter in CHORD:
        page.keyboard.down(letter)
    page.keyboard.press("Enter")
    sounding(open_page, len(CHORD))
    for letter in CHORD:
        page.keyboard.up(letter)
    page.wait_for_timeout(1500)  # longer than the notes
    assert plays_chord(*recorded(open_page))
    page.evaluate("window.midi(0xe0, 127, 127)")
    page.wait_for_timeout(200)
    assert plays_chord(*recorded(open_page), BENT)
    page.evaluate("window.midi(0xe0, 0, 64)")
    page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + box["height"] * 0.5)
    page.mouse.down()
    recorder.begin(page)
    for step in range(20):
        page.mouse.move(box["x"] + box["width"] * (0.5 + 0.02 * step), box["y"] + box["height"] * 0.4)
        page.wait_for_timeout(50)
    followed = page.evaluate("window.synthExplorerAudio.log.filter((one) => one.followedMs).length")
    assert followed >= len(CHORD), "it sounded only when the pad was let go of"
    second = open_page.turned(page.mouse.up)
    page.wait_for_timeout(1200)
    audio, rate_hz = recorder.end(page)
    assert recorder.clicks(audio, rate_hz) < 6.0 and recorder.level_db(audio, rate_hz).min() > -60.0
    assert plays_chord(*recorded(open_page))
    recorder.begin(page)
    page.click(".keys-hold")
    sounding(open_page, 0)
    page.wait_for_timeout(1500)
    audio, rate_hz = recorder.end(page)
    level = recorder.level_db(audio, rate_hz)
    assert level[-1] < level.max() - 15.0 and recorder.clicks(audio, rate_hz) < 6.0

    # It is named on the shelf, undone and done again, and kept as a snapshot.
    moved = open_page.reached(second)
    assert not np.array_equal(moved, plain)
    name = page.locator(".shelf-item .shelf-name")
    name.fill("My first morph")
    name.press("Enter")
    page.keyboard.press("Control+z")
    assert np.array_equal(open_page.reached(first), plain)
    page.keyboard.press("Control+Shift+Z")
    assert np.array_equal(open_page.reached(second), moved)
    page.click("#compare [data-place='0']")
    page.wait_for_selector("#compare .is-filled[data-place='0'][aria-pressed=true]")

    # It is rendered finally and exported.
    page.click(".final-render-play")
    page.wait_for_selector(".shelf-final")
    with page.expect_download() as download:
        page.click(".final-render-save")
    download.value.save_as(tmp_path / "final.wav")
    final, _ = soundfile.read(tmp_path / "final.wav", dtype="float32")
    assert rms_db(final) - rms_db(moved) == pytest.approx(20 * np.log10(0.5), abs=0.2)
    open_page.open("export")
    page.select_option(".exports-kind", "flac")
    page.click(".exports-begin")
    page.wait_for_selector(".exports-list li[data-state=done]")
    with page.expect_download() as download:
        page.click(".exports-list a")
    assert download.value.suggested_filename.endswith(".flac")
    download.value.save_as(tmp_path / "exported.flac")
    assert np.abs(soundfile.read(tmp_path / "exported.flac")[0] - moved).max() < 2**-22

    # It is found again after a reload, among others.
    page.keyboard.press("Control+z")
    open_page.reached(first)
    open_page.reloaded()
    assert np.array_equal(open_page.reached(first), plain)
    assert page.locator("#compare .is-filled").count() == 1
    items = page.locator(".shelf-item")
    names = items.locator(".shelf-name").evaluate_all("(fields) => fields.map((field) => field.value)")
    items.nth(names.index("My first morph")).locator(".shelf-take").click()
    assert np.array_equal(open_page.reached(second), moved)

    # Whoever gets the link hears the same, in a browser of theirs or without one.
    page.wait_for_function("location.hash.includes('x=0.8')")
    _, _, link = page.url.partition("#")
    other = fresh("#" + link)
    assert other.state() == second and np.array_equal(other.fetch(), moved)
    assert other.page.locator(".shelf-item").count() == 0
    with urlopen(f"{address}sound/result.wav?{link}") as answer:
        (tmp_path / "linked.wav").write_bytes(answer.read())
    assert np.array_equal(soundfile.read(tmp_path / "linked.wav", dtype="float32")[0], moved)
