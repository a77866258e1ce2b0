"""The final render on the page: played while it is made, stopped, refused where there is none."""

from __future__ import annotations

import io
from urllib.error import HTTPError
from urllib.parse import quote
from urllib.request import urlopen

import numpy as np
import pytest
import soundfile

from synth_explorer.ui import finale
from tests.ui.desk import NEEDS_CHROMIUM

pytestmark = NEEDS_CHROMIUM


def _ask(desk) -> str:
    return desk.page.evaluate("window.synthExplorerAsk")


def _state(desk, state: str) -> None:
    desk.page.wait_for_selector(f"#finale .finale[data-state={state}]")


STATES = """() => {
  const finale = document.querySelector('#finale .finale');
  window.states = [];
  new MutationObserver(() => window.states.push(finale.dataset.state))
    .observe(finale, { attributeFilter: ['data-state'] });
}"""
"""Notes every state that the final render goes through, in `window.states`: some are over before one can look."""


def test_the_file_is_the_decoders_sound(desk, address) -> None:
    with urlopen(f"{address}sound/final.wav?ask={quote(_ask(desk))}") as answer:
        data = answer.read()
        assert int(answer.headers["Content-Length"]) == len(data)
    sound, rate_hz = soundfile.read(io.BytesIO(data), dtype="float32")
    assert rate_hz == 16000
    fast = desk.fetch()
    np.testing.assert_allclose(sound, 0.5 * fast, atol=1e-6)


def test_it_plays_before_it_is_made_and_a_stop_ends_it(desk, studio) -> None:
    explorer = studio.explorer
    explorer.go_on.clear()
    try:
        desk.page.click("#finale .finale-play")
        _state(desk, "playing")
        assert not explorer.ended.is_set()
        desk.page.click("#finale .finale-stop")
        _state(desk, "ready")
        assert explorer.ended.wait(10.0)
    finally:
        explorer.go_on.set()


def test_it_plays_to_its_end(desk) -> None:
    desk.page.evaluate(STATES)
    desk.page.click("#finale .finale-play")
    desk.page.wait_for_function("window.states.at(-1) === 'ready'")
    assert desk.page.evaluate("[...new Set(window.states)]") == ["waiting", "playing", "ready"]
    with desk.page.expect_download() as saved:
        desk.page.click("#finale .finale-save")
    sound = soundfile.read(saved.value.path(), dtype="float32")[0]
    np.testing.assert_allclose(sound, 0.5 * desk.fetch(), atol=1e-6)


def test_knobs_put_where_they_were_let_it_play_and_others_stop_it(desk, studio) -> None:
    explorer = studio.explorer
    explorer.go_on.clear()
    ask_again = "ask => window.dispatchEvent(new CustomEvent('sound-asked', { detail: ask }))"
    try:
        desk.page.click("#finale .finale-play")
        _state(desk, "playing")
        desk.page.evaluate(ask_again, _ask(desk))
        assert desk.page.get_attribute("#finale .finale", "data-state") == "playing"
        desk.page.evaluate(ask_again, _ask(desk) + " ")
        assert desk.page.get_attribute("#finale .finale", "data-state") == "ready"
        assert explorer.ended.wait(10.0)
    finally:
        explorer.go_on.set()
        desk.page.evaluate(ask_again, _ask(desk))


@pytest.mark.parametrize("ask", ["", "{}", "nonsense"])
def test_what_cannot_be_rendered_is_one_sentence(address, ask) -> None:
    with pytest.raises(HTTPError) as found:
        urlopen(f"{address}sound/final.wav?ask={quote(ask)}")
    assert found.value.code == 422
    assert len(found.value.read().decode().split(". ")) == 1


def test_a_checkpoint_with_only_a_slow_decoder_has_none(desk, address) -> None:
    with pytest.raises(HTTPError) as found:
        urlopen(f"{address}sound/final.wav?ask={quote(_ask(desk).replace('fake', 'slow'))}")
    assert "no final render" in found.value.read().decode()


def test_the_file_keeps_what_lies_beyond_full_scale() -> None:
    chunks = (np.array(part) for part in ([0.0, 0.5], [-2.0]))
    data = b"".join(finale.wav(chunks, samples=3, sample_rate_hz=22050))
    with soundfile.SoundFile(io.BytesIO(data)) as file:
        assert (file.samplerate, file.frames, file.subtype) == (22050, 3, "FLOAT")
        assert list(file.read()) == [0.0, 0.5, -2.0]
    assert len(finale.header(3, 22050)) + 3 * finale.BYTES == len(data)


def test_a_render_beyond_full_scale_says_so_and_is_kept(desk, monkeypatch) -> None:
    monkeypatch.setattr("tests_ui_fake.FINAL_GAIN", 20.0)
    desk.page.evaluate(STATES)
    desk.page.click("#finale .finale-play")
    desk.page.wait_for_function("window.states.at(-1) === 'ready'")
    with desk.page.expect_download() as saved:
        desk.page.click("#finale .finale-save")
    peak = np.abs(soundfile.read(saved.value.path(), dtype="float32")[0]).max()
    assert peak > 1.0
    words = desk.page.locator("#finale .finale-words").inner_text()
    assert f"Clips by {20 * np.log10(peak):.1f} dB" in words and "keeps it" in words
