"""What is in a recording that somebody brings: asked for by the route, heard and opened as sources in the page."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import pytest

from synth_explorer.audio import save
from synth_explorer.recordings.onsets import SAMPLE_RATE_HZ
from synth_explorer.ui.session import recorded
from tests.recordings.test_structure import A, B, played
from tests.ui.open_page import NEEDS_CHROMIUM


def asked(address: str, body: bytes, **given: str) -> dict:
    with urlopen(Request(f"{address}recording?{urlencode(given)}", data=body, method="POST")) as answer:
        return json.load(answer)


def refusal(address: str, body: bytes, **given: str) -> str:
    with pytest.raises(HTTPError) as refused:
        asked(address, body, **given)
    assert refused.value.code == 422
    return refused.value.read().decode()


@pytest.fixture(scope="module")
def song(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Longer than a note may be."""
    path = tmp_path_factory.mktemp("song") / "my song.wav"
    return save(path, played([A, A, B, A] * 3), sample_rate_hz=SAMPLE_RATE_HZ)


def test_the_route_says_what_recurs_and_which_are_highlights(address, song, monkeypatch) -> None:
    told = asked(address, song.read_bytes(), name="my song.wav", checkpoint="fake")
    assert len(told["notes"]) == 48 and len(told["highlights"]) == 4
    assert {one["count"] for one in told["recurring"]} >= {3, 9}
    assert told["tree"]["first"] == 1 and told["tree"]["last"] == 48
    assert refusal(address, b"no sound", name="x.wav", checkpoint="fake").startswith("x.wav")
    assert "checkpoint" in refusal(address, song.read_bytes(), name="x.wav", checkpoint="none")
    with recorded._turn:
        assert "Another recording" in refusal(address, song.read_bytes(), name="x.wav", checkpoint="fake")
    monkeypatch.setattr("synth_explorer.ui.routes.recorded.LARGEST_BYTES", 2**20)
    assert "cut it shorter" in refusal(address, bytes(2**20 + 1), name="x.wav", checkpoint="fake")


@pytest.mark.browser
class TestPage:
    pytestmark = NEEDS_CHROMIUM

    @pytest.mark.long
    def test_highlights_of_a_long_recording_become_the_sources(self, open_page, song) -> None:
        page = open_page.page
        page.set_input_files("#slot-b input[type=file]", song)
        page.click(".files-part [data-does=find]")
        page.wait_for_selector(".files-part [data-does=highlights]:not([hidden])")
        assert page.inner_text(".files-said").startswith("48 notes, 8 kinds; recurring: A")
        assert page.locator(".files-tree button", has_text="★").count() == 4
        page.click(".files-tree .is-notes button >> nth=1")
        begin, end = page.inner_text(".files-from").split(" to ")
        assert float(end.removesuffix(" s")) - float(begin) < 0.7 and 0.5 < float(begin) < 1.0
        page.click(".files-part [data-does=highlights]")
        for slot in "abcd":
            page.wait_for_function(
                """slot => {
                  const menu = document.querySelector(`#picker-${slot} select`);
                  return /my song .+ at [\\d.]+ s/.test(menu.selectedOptions[0].textContent);
                }""",
                arg=slot,
            )
