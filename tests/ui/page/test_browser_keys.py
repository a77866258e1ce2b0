"""The keyboard in a real browser, by what comes out of its AudioContext: chords, loops, releases, hands and MIDI."""

from __future__ import annotations

import json

import numpy as np
import pytest

from synth_explorer.pitch import NOTE_NAMES, midi_to_hz, pitch_given, pitch_words
from tests.ui import recorder
from tests.ui.open_page import NEEDS_CHROMIUM, OpenPage, still

pytestmark = NEEDS_CHROMIUM

SOUNDING = "Number(document.querySelector('.keys').dataset.voices)"
LOG = "window.synthExplorerAudio.log"
MIDI = """() => {
  window.inputs = [{ name: 'A keyboard of the test' }];
  window.access = { inputs: new Map(window.inputs.entries()) };
  navigator.requestMIDIAccess = async () => window.access;
  window.midi = (...data) => window.inputs[0].onmidimessage({ data, timeStamp: performance.now() });
}"""


@pytest.fixture
def player(open_page: OpenPage):
    """A page whose keyboard has been played once and is silent."""
    page = open_page.page
    page.evaluate("document.activeElement.blur()")  # in a number field letters write
    page.mouse.move(10, 10)
    if not page.evaluate("Boolean(window.synthExplorerAudio)"):
        page.keyboard.press("a")
        page.wait_for_function(f"window.synthExplorerAudio && {LOG}.length")
    page.wait_for_function("!window.synthExplorerSounding")
    page.wait_for_timeout(600)
    page.evaluate(f"{LOG}.length = 0")
    yield open_page
    if page.get_attribute(".keys-hold", "aria-pressed") == "true":
        page.click(".keys-hold")
    page.wait_for_function(f"{SOUNDING} === 0")


def sounding(open_page: OpenPage, count: int) -> None:
    open_page.page.wait_for_function(f"{SOUNDING} === {count}")


def play(open_page: OpenPage, letters: str, ms: int = 700) -> tuple[np.ndarray, int]:
    """Press letters together, and record from when all of them sound."""
    page = open_page.page
    for letter in letters:
        page.keyboard.down(letter)
    sounding(open_page, len(letters))
    recorder.begin(page)
    page.wait_for_timeout(ms)
    found = recorder.end(page)
    for letter in letters:
        page.keyboard.up(letter)
    return found


def test_a_chord_sounds_and_ends(player) -> None:
    audio, rate_hz = play(player, "adg")
    for midi in (60, 64, 67):
        assert recorder.strength_db(audio, rate_hz, midi_to_hz(midi)) > -20.0
    assert recorder.strength_db(audio, rate_hz, midi_to_hz(62.0)) < -25.0
    assert recorder.clicks(audio, rate_hz) < 6.0
    sounding(player, 0)
    player.page.wait_for_timeout(1500)
    recorder.begin(player.page)
    player.page.wait_for_timeout(300)
    audio, _ = recorder.end(player.page)
    assert audio.size and np.abs(audio).max() < 1e-4


def test_a_key_that_is_ready_waits_for_nothing(player) -> None:
    page = player.page
    page.wait_for_selector(".keys[data-ready=true]")
    asked: list[str] = []
    page.on("request", lambda one: asked.append(one.url) if "note.wav" in one.url and "ahead" not in one.url else None)
    for letter in "swed":
        page.keyboard.press(letter)
    page.wait_for_function(f"{LOG}.length >= 4")
    assert asked == []


def test_a_key_that_is_not_ready_begins_and_goes_on_without_a_click(player) -> None:
    page = player.page
    box = still(page, ".pad-field")
    page.mouse.click(box["x"] + box["width"] * 0.27, box["y"] + box["height"] * 0.36)
    recorder.begin(page)
    page.keyboard.down("j")  # further from the hand than what is made ahead
    page.wait_for_function(f"{LOG}.some((one) => one.wholeMs)")
    page.wait_for_timeout(400)
    audio, rate_hz = recorder.end(page)
    page.keyboard.up("j")
    began, went_on = page.evaluate(f"[{LOG}[0].waitedMs, {LOG}[1].wholeMs]")
    heard = audio[int(np.argmax(np.abs(audio) > 0.1 * np.abs(audio).max())) + rate_hz // 20 :]
    assert began < went_on and heard.size > 0.3 * rate_hz
    assert recorder.clicks(heard, rate_hz) < 4.0 and recorder.level_db(heard, rate_hz).min() > -60.0


def test_hold_goes_on_without_a_click_and_ends(player) -> None:
    page = player.page
    page.click(".keys-hold")
    sounding(player, 1)
    page.wait_for_timeout(500)
    recorder.begin(page)
    page.wait_for_timeout(3000)
    audio, rate_hz = recorder.end(page)
    level = recorder.level_db(audio, rate_hz)
    assert level.min() > -60.0 and np.ptp(level) < 3.0 and recorder.clicks(audio, rate_hz) < 4.0
    page.click(".keys-hold")
    sounding(player, 0)


@pytest.mark.slow
def test_held_notes_follow_pad_and_sliders_without_a_click(player) -> None:
    page = player.page
    page.click(".keys-hold")
    sounding(player, 1)
    box = still(player.page, ".pad-field")
    page.wait_for_timeout(500)
    recorder.begin(page)
    page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + box["height"] * 0.5)
    page.mouse.down()
    for step in range(20):
        page.mouse.move(box["x"] + box["width"] * (0.5 + 0.02 * step), box["y"] + box["height"] * 0.3)
        page.wait_for_timeout(50)
    moved = page.evaluate(f"{LOG}.filter((one) => one.followedMs).length")
    assert moved >= 3, "it sounded only when the pad was let go of"
    page.mouse.up()
    page.wait_for_timeout(1200)
    audio, rate_hz = recorder.end(page)
    assert recorder.clicks(audio, rate_hz) < 6.0
    assert recorder.level_db(audio, rate_hz).min() > -60.0
    plays, moved = page.evaluate("window.plays"), page.evaluate(f"{LOG}.length")
    slider = still(player.page, "#gain-db input[type=range]")
    page.mouse.move(slider["x"] + slider["width"] * 0.66, slider["y"] + slider["height"] / 2)
    page.mouse.down()
    page.mouse.move(slider["x"] + slider["width"] * 0.3, slider["y"] + slider["height"] / 2, steps=5)
    page.wait_for_function(f"{LOG}.length > {moved}")
    page.wait_for_timeout(1500)
    recorder.begin(page)
    page.wait_for_timeout(500)
    soft, _ = recorder.end(page)
    page.mouse.up()
    assert recorder.level_db(soft, rate_hz)[-3:].max() < recorder.level_db(audio, rate_hz)[-3:].min() - 3.0
    page.wait_for_timeout(800)
    assert page.evaluate("window.plays") == plays, "the result played over a note that is held"


@pytest.mark.slow
def test_a_result_that_loops_follows_a_slider_and_begins_anew(player) -> None:
    page = player.page
    player.anew()
    page.keyboard.press("a")
    page.wait_for_function("window.synthExplorerAudio && !window.synthExplorerSounding")
    page.wait_for_timeout(1500)
    page.click("#screen-result .screen-loop")
    page.click("#screen-result .screen-play")
    page.wait_for_selector("#screen-result .screen[data-state=playing]")
    paused = "document.querySelector('#screen-result audio').paused"
    slider = still(page, "#gain-db input[type=range]")
    across = page.locator("#gain-db input[type=range]")
    lowest, highest = (float(across.get_attribute(name) or 0) for name in ("min", "max"))
    middle = -lowest / (highest - lowest)
    page.evaluate(f"{LOG}.length = 0")
    recorder.begin(page)
    page.mouse.move(slider["x"] + slider["width"] * middle, slider["y"] + slider["height"] / 2)
    page.mouse.down()
    page.mouse.move(slider["x"] + slider["width"] * (middle - 0.05), slider["y"] + slider["height"] / 2)
    sounding(player, 1)
    page.wait_for_function(paused)
    page.wait_for_timeout(1000)
    page.mouse.move(slider["x"] + slider["width"] * (middle - 0.3), slider["y"] + slider["height"] / 2, steps=4)
    page.wait_for_function(f"{LOG}.filter((one) => one.followedMs).length >= 2")
    page.wait_for_timeout(1000)
    audio, rate_hz = recorder.end(page)
    level = recorder.level_db(audio, rate_hz)
    assert recorder.clicks(audio, rate_hz) < 6.0
    assert level[-3:].max() < level.max() - 6.0
    page.mouse.up()
    page.wait_for_selector("#screen-result .screen[data-state=playing]")
    sounding(player, 0)
    assert page.evaluate("document.querySelector('#screen-result audio').loop")
    page.click("#screen-result .screen-loop")
    page.click("#screen-result .screen-play")


def test_eight_voices_at_most(player) -> None:
    page = player.page
    page.click(".keys-hold")
    for count, letter in enumerate("asdfghjkl", 2):
        page.keyboard.press(letter)
        sounding(player, min(count, 8))
    page.click(".keys-hold")
    sounding(player, 0)


def test_fingers_slide_over_the_keys(player) -> None:
    page = player.page
    key = page.locator(".keys-strip [data-midi='60']").bounding_box()
    page.mouse.move(key["x"] + 5, key["y"] + key["height"] * 0.9)
    page.mouse.down()
    sounding(player, 1)
    page.mouse.move(key["x"] + key["width"] + 5, key["y"] + key["height"] * 0.9)
    page.wait_for_selector(".keys-strip [data-midi='62'].is-down")
    assert not page.locator(".keys-strip [data-midi='60'].is-down").count()
    page.mouse.up()
    sounding(player, 0)


def test_octaves_and_keys_without_a_mouse(player) -> None:
    page = player.page
    page.keyboard.press("x")
    assert page.inner_text(".keys-range").startswith("C4")
    page.keyboard.down("a")
    page.wait_for_selector(".keys-strip [data-midi='72'].is-down")
    page.keyboard.up("a")
    page.keyboard.press("z")
    page.focus(".keys-strip [tabindex='0']")
    page.keyboard.press("ArrowRight")
    page.keyboard.down("Enter")
    sounding(player, 1)
    page.keyboard.up("Enter")
    sounding(player, 0)


def test_words_that_are_written_play_nothing(player) -> None:
    page = player.page
    page.focus("#gain-db input[type=number]")
    page.keyboard.press("a")
    page.keyboard.press("Control+a")
    page.wait_for_timeout(300)
    assert page.evaluate(f"{LOG}.length") == 0


def test_letters_strike_as_hard_as_is_asked(player) -> None:
    """C and V, as in other programs; by their level, as a MIDI keyboard's velocity."""
    loud, rate_hz = play(player, "g")
    sounding(player, 0)
    player.page.wait_for_timeout(1200)
    for _ in range(2):
        player.page.keyboard.press("c")
    assert "velocity of 60" in player.page.inner_text(".keys-words")
    soft, _ = play(player, "g")
    for _ in range(2):
        player.page.keyboard.press("v")
    fall = recorder.level_db(loud, rate_hz).max() - recorder.level_db(soft, rate_hz).max()
    assert fall == pytest.approx(-40 * np.log10(60 / 100), abs=1.5)


@pytest.mark.slow
def test_midi_velocity_pedal_bend_and_wheel(open_page) -> None:
    page = open_page.page
    page.evaluate(MIDI)
    page.click(".keys-midi")
    assert "A keyboard of the test" in page.inner_text(".keys-words")

    def sound(velocity: int, *before: list[int]) -> tuple[np.ndarray, int]:
        for message in before:
            page.evaluate("message => window.midi(...message)", message)
        recorder.begin(page)
        page.evaluate(f"window.midi(0x90, 57, {velocity})")
        sounding(open_page, 1)
        page.wait_for_timeout(500)
        page.evaluate("window.midi(0x80, 57, 0)")
        return recorder.end(page)

    loud, rate_hz = sound(127)
    sounding(open_page, 0)
    page.wait_for_timeout(1200)
    soft, _ = sound(64)
    sounding(open_page, 0)
    fall = recorder.level_db(loud, rate_hz).max() - recorder.level_db(soft, rate_hz).max()
    assert fall == pytest.approx(-40 * np.log10(64 / 127), abs=1.5)
    page.wait_for_timeout(1200)
    bent, _ = sound(100, [0xE0, 127, 127])
    assert recorder.strength_db(bent, rate_hz, midi_to_hz(59.0)) > -15.0
    assert recorder.strength_db(bent, rate_hz, midi_to_hz(57.0)) < -25.0
    page.evaluate("window.midi(0xe0, 0, 64)")
    sounding(open_page, 0)
    sound(100, [0xB0, 64, 127])
    sounding(open_page, 1)  # the pedal keeps it
    page.evaluate("window.midi(0xb0, 64, 0)")
    sounding(open_page, 0)
    page.evaluate("window.midi(0xb0, 64, 127)")
    page.evaluate("window.midi(0x90, 57, 100)")
    sounding(open_page, 1)
    page.evaluate("window.access.onstatechange({ port: { state: 'disconnected' } })")
    sounding(open_page, 0)  # it was unplugged
    page.evaluate("window.midi(0xb0, 1, 127)")
    page.wait_for_function("JSON.parse(window.synthExplorerRequest).knobs.x === 1")


def test_a_checkpoint_without_keys_says_so(open_page) -> None:
    open_page.quiet = False  # the browser notes what was refused
    page = open_page.page
    page.evaluate("""() => {
      const question = JSON.parse(window.synthExplorerRequest);
      window.synthExplorerRequest = JSON.stringify({ ...question, checkpoint: 'slow' });
    }""")
    with page.expect_response(lambda one: "ahead=true" in one.url and one.status == 422):  # not in the next test
        page.keyboard.press("a")
    page.wait_for_function("document.querySelector('.keys-words').textContent.endsWith('.')")
    assert json.loads(page.evaluate("JSON.stringify(window.synthExplorerSounding)")) is False
    page.evaluate("window.synthExplorerRequest = window.synthExplorerRequest.replace('slow', 'fake')")


def test_numbers_and_picture_follow_while_the_pad_is_dragged(open_page) -> None:
    page = open_page.page
    box = still(open_page.page, ".pad-field")
    before = page.get_attribute("#screen-result img", "src")
    question = page.evaluate("window.synthExplorerRequest")
    page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + box["height"] * 0.5)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.8, box["y"] + box["height"] * 0.25, steps=8)
    page.wait_for_function(
        "before => document.querySelector('#screen-result img').getAttribute('src') !== before", arg=before
    )
    assert page.get_attribute("#screen-result img", "src").startswith("blob:")
    page.wait_for_function("Number(document.querySelector('#x input[type=number]').value) > 0.75")
    assert float(page.input_value("#y input[type=number]")) == pytest.approx(0.75, abs=0.03)
    assert page.evaluate("window.synthExplorerRequest") == question, "it was asked for before the pad was let go of"
    page.mouse.up()
    page.wait_for_function("document.querySelector('#screen-result img').src.startsWith('data:')")


def test_the_pitch_of_the_mix_snaps_as_it_is_chosen(open_page) -> None:
    page = open_page.page

    def pitch() -> str:
        return page.inner_text("#message-result b")

    assert pitch() in {f"{name}{octave}" for name in NOTE_NAMES for octave in range(9)}
    open_page.after(lambda: open_page.choose("quantise", "Off"))
    page.wait_for_function("document.querySelector('#message-result b').textContent.includes('cents')")
    open_page.after(lambda: open_page.choose("quantise", "Key"))
    page.wait_for_function("!document.querySelector('#message-result b').textContent.includes('cents')")
    assert "♯" not in pitch() and page.locator("#key").is_visible()  # C major
    open_page.after(lambda: open_page.choose("quantise", "Semitone"))
    assert not page.locator("#key").is_visible()


@pytest.mark.slow
def test_the_pitch_chooses_between_notes_of_one_instrument(open_page) -> None:
    page, said = open_page.page, open_page.page.locator(".pad-led")
    mixed = open_page.fetch()
    chosen = open_page.after(lambda: page.click("#by-pitch input"))
    said.wait_for()
    assert "The pitch chooses between the notes" in said.inner_text()
    assert not np.array_equal(chosen, mixed)
    field = page.locator("#pitch-a input")
    field.fill("C2")
    open_page.after(lambda: field.press("Enter"))
    open_page.after(lambda: page.click("#set-pitch input"))
    page.fill("#pitch-midi input", "C2")
    open_page.after(lambda: page.press("#pitch-midi input", "Enter"))
    page.wait_for_function("document.querySelector('.pad-weights').textContent.startsWith('A 100B 0')")
    open_page.after(lambda: page.click("#set-pitch input"))
    field.fill("")
    open_page.after(lambda: field.press("Enter"))
    back = open_page.after(lambda: page.click("#by-pitch input"))
    assert np.array_equal(back, mixed) and not said.is_visible()


def test_a_pitch_is_set_by_its_name(open_page) -> None:
    open_page.quiet = False  # the browser notes what was refused
    page = open_page.page
    open_page.after(lambda: page.click("#set-pitch input"))
    page.fill("#pitch-midi input", "Eb3")
    open_page.after(lambda: page.press("#pitch-midi input", "Enter"))
    page.wait_for_function("document.querySelector('#message-result b').textContent === 'D♯3'")
    page.fill("#pitch-midi input", "H3")
    page.press("#pitch-midi input", "Enter")
    page.wait_for_function("document.querySelector('#message-result').textContent.includes(\"'H3' is no pitch\")")
    page.fill("#pitch-midi input", "C4")
    page.press("#pitch-midi input", "Enter")
    page.wait_for_function("document.querySelector('#message-result b')?.textContent === 'C4'")


def test_the_page_reads_and_writes_pitches_as_the_shell_does(open_page) -> None:
    for written in ("C4", "Eb3", "f#2", "C♯4 −12 cents", "B3 +7", "c-1", "60", "60.25", "A4-3ct"):
        read = open_page.page.evaluate("(written) => window.synthExplorerMidi(written)", written)
        assert read == pytest.approx(pitch_given(written) if written != "c-1" else 0.0, abs=1e-9)
    for wrong in ("H4", "", "C", "milk"):
        assert open_page.page.evaluate("(written) => window.synthExplorerMidi(written)", wrong) == wrong
    for midi in (60.0, 66.0, 59.97, 60.12, 21.5):
        assert open_page.page.evaluate("(midi) => window.synthExplorerPitch(midi)", midi) == pitch_words(midi)
