"""The final render on the page: played while it is made, stopped, refused where there is none."""

from __future__ import annotations

import io
import json
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.error import HTTPError
from urllib.parse import quote
from urllib.request import urlopen

import numpy as np
import pytest
import soundfile

from synth_explorer.ui.routes import final
from tests.ui.open_page import NEEDS_CHROMIUM

pytestmark = NEEDS_CHROMIUM


def _request(open_page) -> str:
    return open_page.page.evaluate("window.synthExplorerRequest")


def _state(open_page, state: str) -> None:
    open_page.page.wait_for_selector(f"#final-render .final-render[data-state={state}]")


STATES = """() => {
  const finalRender = document.querySelector('#final-render .final-render');
  window.states = [];
  new MutationObserver(() => window.states.push(finalRender.dataset.state))
    .observe(finalRender, { attributeFilter: ['data-state'] });
}"""
"""Notes every state that the final render goes through, in `window.states`: some are over before one can look."""


def test_the_file_is_the_decoders_sound(open_page, address) -> None:
    with urlopen(f"{address}sound/final.wav?request={quote(_request(open_page))}") as answer:
        data = answer.read()
        assert int(answer.headers["Content-Length"]) == len(data)
    sound, rate_hz = soundfile.read(io.BytesIO(data), dtype="float32")
    assert rate_hz == 16000
    fast = open_page.fetch()
    np.testing.assert_allclose(sound, 0.5 * fast, atol=1e-6)


def test_its_picture_is_its_own_once_it_is_made(open_page, address) -> None:
    fast = open_page.after(lambda: open_page.type_into("brightness", "0.35"))  # of which no test makes a final render
    asked = f"request={quote(_request(open_page))}"
    assert urlopen(f"{address}sound/picture.png?final=1&{asked}").status == 204
    urlopen(f"{address}sound/final.wav?{asked}").read()
    with urlopen(f"{address}sound/picture.png?final=1&{asked}") as own:
        assert float(own.headers["X-Peak"]) == pytest.approx(0.5 * np.abs(fast).max(), abs=1e-5)
        assert own.read().startswith(b"\x89PNG")


def test_it_plays_before_it_is_made_and_a_stop_ends_it(open_page, studio) -> None:
    explorer = studio.explorer
    explorer.family.go_on.clear()
    try:
        open_page.page.click("#final-render .final-render-play")
        _state(open_page, "playing")
        assert not explorer.family.ended.is_set()
        open_page.page.click("#final-render .final-render-stop")
        _state(open_page, "ready")
        assert explorer.family.ended.wait(10.0)
    finally:
        explorer.family.go_on.set()


def test_it_plays_to_its_end(open_page) -> None:
    open_page.page.evaluate(STATES)
    open_page.page.click("#final-render .final-render-play")
    open_page.page.wait_for_function("window.states.at(-1) === 'ready'")
    assert open_page.page.evaluate("[...new Set(window.states)]") == ["waiting", "playing", "ready"]
    with open_page.page.expect_download() as saved:
        open_page.page.click("#final-render .final-render-save")
    sound = soundfile.read(saved.value.path(), dtype="float32")[0]
    np.testing.assert_allclose(sound, 0.5 * open_page.fetch(), atol=1e-6)


def test_knobs_put_where_they_were_let_it_play_and_others_stop_it(open_page, studio) -> None:
    explorer = studio.explorer
    explorer.family.go_on.clear()
    request_again = "request => window.dispatchEvent(new CustomEvent('sound-asked', { detail: request }))"
    try:
        open_page.page.click("#final-render .final-render-play")
        _state(open_page, "playing")
        open_page.page.evaluate(request_again, _request(open_page))
        assert open_page.page.get_attribute("#final-render .final-render", "data-state") == "playing"
        open_page.page.evaluate(request_again, _request(open_page) + " ")
        assert open_page.page.get_attribute("#final-render .final-render", "data-state") == "ready"
        assert explorer.family.ended.wait(10.0)
    finally:
        explorer.family.go_on.set()
        open_page.page.evaluate(request_again, _request(open_page))


@pytest.mark.parametrize("nonsense", ["", "{}", "nonsense"])
def test_what_cannot_be_rendered_is_one_sentence(address, nonsense) -> None:
    with pytest.raises(HTTPError) as found:
        urlopen(f"{address}sound/final.wav?request={quote(nonsense)}")
    assert found.value.code == 422
    assert len(found.value.read().decode().split(". ")) == 1


def test_a_checkpoint_with_only_a_slow_decoder_has_none(open_page, address) -> None:
    with pytest.raises(HTTPError) as found:
        urlopen(f"{address}sound/final.wav?request={quote(_request(open_page).replace('fake', 'slow'))}")
    assert "no final render" in found.value.read().decode()


def test_the_header_tells_what_it_is() -> None:
    data = final.header(3, 22050) + np.array([0.0, 0.5, -2.0], "<f4").tobytes()
    with soundfile.SoundFile(io.BytesIO(data)) as file:
        assert (file.samplerate, file.frames, file.subtype) == (22050, 3, "FLOAT")
        assert list(file.read()) == [0.0, 0.5, -2.0]


def test_who_waits_is_told_their_place(open_page, address, studio) -> None:
    """Two scripts ask, then the page: it says that they come first, and has its turn when they were made."""
    page, words = open_page.page, "() => document.querySelector('.final-render-words').innerText"
    studio.explorer.family.go_on.clear()
    with ThreadPoolExecutor(2) as others:
        try:
            asked = f"{address}sound/final.wav?request={quote(_request(open_page))}&page="
            waiting = [others.submit(lambda name=name: urlopen(asked + name).read()) for name in ("one", "two")]
            while len(told := [_place(address, name) for name in ("one", "two")]) != 2 or None in told:
                time.sleep(0.02)
            assert sorted(one["ahead"] for one in told) == [0, 1]
            page.click("#final-render .final-render-play")
            page.wait_for_function(f"({words})().startsWith('2 before yours')")
        finally:
            studio.explorer.family.go_on.set()
        assert waiting[0].result() == waiting[1].result()
    page.locator("#final-render .final-render-save").wait_for()
    assert _place(address, "one") is None


def _place(address: str, page: str) -> dict | None:
    try:
        return json.loads(urlopen(f"{address}sound/final/place?page={page}").read())
    except HTTPError as error:
        assert error.code == 404
        return None


def test_a_render_beyond_full_scale_says_so_and_is_kept(open_page, monkeypatch) -> None:
    monkeypatch.setattr("tests.fake_family.FINAL_GAIN", 20.0)
    open_page.page.evaluate(STATES)
    open_page.page.click("#final-render .final-render-play")
    open_page.page.wait_for_function("window.states.at(-1) === 'ready'")
    with open_page.page.expect_download() as saved:
        open_page.page.click("#final-render .final-render-save")
    peak = np.abs(soundfile.read(saved.value.path(), dtype="float32")[0]).max()
    assert peak > 1.0
    words = open_page.page.locator("#final-render .final-render-words").inner_text()
    assert f"Clips by {20 * np.log10(peak):.1f} dB" in words and "keeps it" in words
