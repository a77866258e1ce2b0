"""The whole page as one request: from patches and presets, from what a browser kept, and under another checkpoint."""

from __future__ import annotations

import html
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from synth_explorer.edits import Brightness, EditChain, Gain
from synth_explorer.explorer import FIT_STEPS
from synth_explorer.rendering import Mix, Patch, Source, pack
from synth_explorer.ui.answers import states, switching
from synth_explorer.ui.answers.states import request_of
from synth_explorer.ui.request.settings import Settings
from synth_explorer.ui.request.sound_request import SoundRequest
from synth_explorer.ui.session.studios import Studios


@pytest.fixture
def first(studios) -> SoundRequest:
    return states.first(studios)


def asking(request: SoundRequest) -> dict[str, str]:
    return {"request": request.to_json()}


def patch_of(studio, names, **further) -> Patch:
    return studio.renderer.patch(*(Source.of(studio.notes[name].path) for name in names), **further)


MIXES = {
    "one": (1, Mix.at(0.5, 0.5)),
    "two": (2, Mix.at(-0.2)),
    "two weights": (2, Mix(weights=(1.0, 3.0))),
    "three": (3, Mix(weights=(0.3, 0.3, 0.4))),
    "three on top": (3, Mix(weights=(0.0, 0.0, 1.0))),
    "four": (4, Mix.at(0.3, 0.9)),
    "four weights": (4, Mix(weights=(0.14, 0.06, 0.56, 0.24))),
    "a way": (4, Mix.along([(0.0, 0.0, 1.0), (0.5, 1.0, 0.25)])),
    "a way of two": (2, Mix.along([(0.0, 0.0, 0.0), (0.5, 1.3, 0.0)])),
}


def test_how_a_patch_is_decoded_is_shown_and_stays_where_edits_rest(studio, first):
    chain = EditChain((Brightness(0.3),))
    decoding = {"seed": 2**31 - 1, "temperature": 0.5, "open_loop": True}
    patch = patch_of(studio, list(studio.notes)[:2], edits=chain, fit_steps=0, **decoding)
    request = request_of(studio, patch, first)
    assert studio.asked(SoundRequest.from_json(request.to_json())) == patch
    assert states.at_rest(request).settings == replace(request.settings, brightness=0.0)


@pytest.mark.parametrize("name", MIXES)
def test_a_patch_is_shown_as_it_is(studio, first, name):
    count, mix = MIXES[name]
    chain = EditChain((Brightness(0.3), Gain(-6.0)))
    patch = patch_of(studio, list(studio.notes)[:count], mix=mix, edits=chain, pitch_midi=62.0, fit_steps=0)
    request = request_of(studio, patch, first)
    assert studio.asked(request) == patch and request.settings.count == max(2, count)
    assert studio.asked(SoundRequest.from_json(request.to_json())) == patch
    np.testing.assert_array_equal(studio.rendered(studio.asked(request)).audio, studio.renderer.render(patch).audio)
    assert request.tokens[max(2, count) :] == first.tokens[max(2, count) :]


@pytest.mark.parametrize(
    ("further", "words"),
    [
        ({"seed": 2**31}, "has seed 2147483648, which the page cannot show"),
        ({"seed": 2**40, "temperature": 2.5}, "seed 1099511627776 and temperature 2.5"),
        ({"mix": Mix(weights=(0.5, 0.0, 0.0, 0.5))}, "a mix or values that lie beyond the page's knobs"),
        ({"edits": EditChain((Gain(40.0),))}, "goes from -24 to 12"),
        ({"mix": Mix.along([(0.1 * step, 0.5 + 0.01 * step, 0.5) for step in range(40)])}, "beyond the page's knobs"),
    ],
)
def test_what_the_page_has_no_knob_for_is_refused(studios, studio, first, tmp_path, further, words):
    path = patch_of(studio, list(studio.notes)[:4], **further).save(tmp_path / "patch.json")
    found, message = states.loaded(studios, asking(first), str(path))
    assert found is None and words in html.unescape(message) and str(tmp_path) not in message


def test_a_packed_patch_brings_its_notes_along(studios, first, fake, tmp_path):
    mine = tmp_path / "mine.wav"
    at = np.arange(16000) / 16000
    soundfile.write(mine, 0.3 * np.sin(2 * np.pi * 330 * at), 16000, subtype="FLOAT")
    studio = studios.studio("fake")
    patch = studio.renderer.patch(Source.of(mine, pitch_midi=64.0), Source.of(studio.notes["Reed 60"].path))
    packed = pack(patch, tmp_path / "patch.zip")
    mine.unlink()
    found, message = states.loaded(studios, asking(first), str(packed))
    assert not message and found is not None
    assert found.tokens[0].endswith("@64.0/mine.wav") and found.tokens[1] == "Reed 60"
    later = Studios(lambda name: fake.fake_explorer(), ["fake"], notes=list(studios.notes.values()))
    assert later.studio("fake").asked(found) == patch
    later.sound_folder.close()


def test_a_final_render_is_shown_as_what_it_is_made_of(studios, studio, first, tmp_path):
    path = patch_of(studio, list(studio.notes)[:2], decoder="final").save(tmp_path / "patch.json")
    found, message = states.loaded(studios, asking(first), str(path))
    assert found is not None and "press “Final render”" in message


def test_a_preset_turns_the_edits_and_leaves_the_morph(studios, first, tmp_path):
    path = EditChain((Gain(-6.0),)).save(tmp_path / "preset.json")
    here = replace(first, settings=Settings(count=3, x=0.2, brightness=0.5), fit_steps=FIT_STEPS)
    found, message = states.loaded(studios, asking(here), str(path))
    assert found == replace(here, settings=Settings(count=3, x=0.2, gain_db=-6.0), fit_steps=None) and not message


@pytest.mark.parametrize("content", ["milk, bread", "[]", '{"sources": []}', "[" * 3000, '{"edits": 5}'])
@pytest.mark.parametrize("name", ["list.zip", "list.json"])
def test_a_file_that_is_neither_is_one_sentence(studios, first, tmp_path, content, name):
    path = tmp_path / name
    path.write_text(content)
    found, message = states.loaded(studios, asking(first), str(path))
    assert found is None and message.count("<p") == 1 and str(tmp_path) not in message


def test_edits_go_to_rest_and_the_morph_stays(first):
    turned = Settings(count=2, mix=0.3, gain_db=-6.0, transpose=3.0, curves=(("across", ((0.0, 0.0),)),))
    rest = states.at_rest(replace(first, settings=turned, fit_steps=FIT_STEPS))
    assert rest.settings == Settings(count=2, mix=0.3) and rest.fit_steps is None


@pytest.mark.parametrize(
    "saved", [{"request": "no json"}, {"link": "nonsense"}, 5, "x", {"link": "a=Reed+60&checkpoint=../x"}]
)
def test_what_cannot_be_read_opens_the_first_page_and_says_so(studios, first, saved):
    asked, message = states.opened(studios, saved)
    assert asked == first and message.count("<p") == 1
    assert states.opened(studios, None) == (first, "")


def test_a_note_that_is_gone_leaves_its_slot_empty_and_says_so(studios, first):
    asked = replace(first, tokens=("0" * 24 + "/<b>mine.wav", *first.tokens[1:]))
    shown, looks = switching.values(studios, asked)
    assert shown.tokens == ("", *first.tokens[1:])
    assert "&lt;b&gt;mine.wav" in looks[5] and "not kept here any more" in looks[5]


def test_another_checkpoint_puts_to_rest_what_it_does_not_obey(studios, first):
    turned = Settings(gain_db=-6.0, osc_targets=("pitch",), raw_channels=(3,), toward="Preset", transpose=2.0, x=0.2)
    under = states.under(studios, asking(replace(first, settings=turned)), "slow")
    shown, _ = switching.values(studios, under)
    assert shown.checkpoint == "slow" and shown.settings == Settings(x=0.2)
    assert states.under(studios, None, "slow") == replace(first, checkpoint="slow")


def test_a_request_says_how_often_its_notes_were_listened_to(studios, first):
    pinned = states.pinned(studios, first)
    assert pinned.fit_steps in (0, FIT_STEPS) and states.pinned(studios, pinned) is pinned
    assert json.loads(pinned.to_json())["fit"] == pinned.fit_steps


def test_files_are_named_after_what_they_are(studio, first, tmp_path):
    asked = replace(first, tokens=("Bass 40", "Reed 60", "", ""), settings=Settings(count=2, mix=0.4))
    assert studio.rendered(studio.asked(asked)).file_stem == "bass-40-reed-60-60-40-C3"
    alone = replace(asked, settings=Settings(count=2, mix=1.0, transpose=6.0))
    assert studio.rendered(studio.asked(alone)).file_stem == "reed-60-Fs4"
    odd = tmp_path / "Böse (Flöte) ♪.wav"
    odd.write_bytes(Path(studio.notes["Reed 60"].path).read_bytes() + b"\0\0")
    own = replace(alone, tokens=("Bass 40", studio.open_own(odd).token, "", ""))
    assert studio.rendered(studio.asked(own)).file_stem == "bose-flote-Fs4"
