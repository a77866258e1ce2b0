"""Links: short, whole, and what is none is refused."""

from __future__ import annotations

import dataclasses
import random

import pytest

from synth_explorer.edits import MeanSound
from synth_explorer.errors import EditError
from synth_explorer.explorer import FIT_STEPS
from synth_explorer.ui.request import knobs, link
from synth_explorer.ui.request.settings import Settings
from synth_explorer.ui.request.sound_request import SoundRequest

NOTES = ("Cello", "Choir Aahs", "9f86d081884c7d659a2feaa0@60.5/mine & yours #1.wav", "Cello@heard")


def asked(tokens: tuple[str, ...] = NOTES, fit_steps: int = 16, **changes: object) -> SoundRequest:
    return SoundRequest(tokens, Settings(**changes), "default", None, fit_steps)


def test_a_link_is_short_and_can_be_read():
    assert link.encoded(asked(("Cello", "Flute", "", ""), count=2, mix=0.3, gain_db=-6.0)) == (
        "a=Cello&b=Flute&gain_db=-6&mix=0.3&fit=16"
    )
    assert link.encoded(asked(("Cello", "Flute", "Viola", ""), count=2)) == "a=Cello&b=Flute&c=Viola&count=2&fit=16"


@pytest.mark.parametrize(
    "request_",
    [
        asked(),
        asked(fit_steps=0, count=3, x=0.1 + 0.2, y=1.0, set_pitch=True, pitch_midi=61.5),
        asked(("Cello", "", "", "Flute")),
        asked(("Cello", "", "", ""), count=2),
        asked(toward="B", amount=0.7, reverse=True, osc_targets=("loudness", "pitch"), osc_pitch_shape="square"),
        asked(raw_channels=(0, 5), raw_add=-0.5, raw_scale=0.0),
        asked(curves=(("across", ((0.0, -0.3), (1.25, 1.3))), ("loudness", ((0.5, -12.5),)))),
        SoundRequest(NOTES, Settings(toward="Preset"), "other", MeanSound((0.1, -2e-7), (), 60.0), 7),
    ],
)
def test_what_is_read_is_what_was_written(request_: SoundRequest):
    text = link.encoded(request_)
    assert link.decoded(text) == request_
    assert SoundRequest.from_json(request_.to_json()) == request_
    assert text.isascii() and not set(text) & set(' "<>#')


def test_any_knobs_come_back():
    chance = random.Random(1)
    ranges = knobs.RANGES | knobs.MORPH_RANGES | {"temperature": knobs.DECODING_RANGES["temperature"]}
    for _ in range(50):
        turned = {name: chance.uniform(*ends) for name, ends in ranges.items() if chance.random() < 0.4}
        decoding = {"seed": chance.randint(*knobs.DECODING_RANGES["seed"]), "open_loop": chance.random() < 0.5}
        request = asked(**turned, **decoding, count=chance.choice((2, 3, 4)))
        assert link.decoded(link.encoded(request)) == request


def test_a_link_that_says_no_fit_is_of_notes_that_were_listened_to():
    assert link.decoded("a=Cello&b=Flute").fit_steps == FIT_STEPS
    assert link.decoded("a=Cello&b=Flute").settings.count == 2
    assert link.decoded("a=Cello&b=Flute&d=Oboe").settings.count == 4


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nonsense",
        "gain_db=-6",
        "a=",
        "a=Cello&fit=-1",
        "a=Cello&fit=x",
        "a=Cello&count=many",
        "a=Cello&gain_db=loud",
        "a=Cello&mean=[1]",
        "a=Cello&mean=" + "[" * 5000,
        "a=" + "x" * 20000,
        "a=%FF",
        None,
        5,
    ],
)
def test_what_is_no_link_is_one_sentence(text: object):
    with pytest.raises(EditError, match=r"^The link says no sound; write notes and knobs, as in a=Cello.*\.$"):
        link.decoded(text)


def test_knobs_beyond_their_ends_are_brought_there():
    settings = link.decoded("a=Cello&b=Flute&gain_db=900&x=nan&osc_targets=loudness,moon&toward=Z&nobody=3").settings
    assert settings == dataclasses.replace(Settings(count=2), gain_db=12.0, osc_targets=("loudness",))
