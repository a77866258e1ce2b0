"""Variations nearby and surprises: small, different, near real notes, and the same for the same seed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from synth_explorer.errors import SynthExplorerError
from synth_explorer.latents import pad_weights
from synth_explorer.pitch import note_name
from synth_explorer.ui.answers import ideas, states
from synth_explorer.ui.answers.differences import heard_words, mix_words, moved_words
from synth_explorer.ui.request.settings import Settings
from synth_explorer.ui.request.sound_request import SoundRequest


@pytest.fixture
def first(studios) -> SoundRequest:
    return replace(states.first(studios), fit_steps=0)


def settings_of(tiles: list[dict]) -> list[Settings]:
    return [SoundRequest.from_json(tile["request"]).settings for tile in tiles]


@pytest.mark.parametrize("count", [2, 3, 4])
def test_nine_variations_lie_around_the_sound_and_differ(studios, studio, first, count):
    here = replace(first, settings=Settings(count=count, gain_db=-6.0))
    tiles = ideas.nearby(studios, here, seed=3)
    turned = settings_of(tiles)
    assert len(tiles) == len({tile["request"] for tile in tiles}) == 9
    assert all(tile["picture"].startswith("data:image/png;base64,") and all(tile["words"][:1]) for tile in tiles)
    x, y = here.settings.point()
    for settings in turned:
        assert settings.gain_db == -6.0 and settings.count == count
        assert abs(settings.point()[0] - x) < 0.16 and abs(settings.point()[1] - y) < 0.13
        assert abs(settings.brightness) <= 0.3 and abs(settings.noisiness_db) <= 5.0
    assert turned[4].point() == (x, y)
    sounds = [studio.rendered(studio.asked(SoundRequest.from_json(tile["request"]))).audio for tile in tiles]
    assert len({sound.tobytes() for sound in sounds}) == 9


def test_words_say_what_is_heard_and_which_notes_there_are_more_of(studios, studio, first):
    here = replace(first, settings=Settings(count=4, x=0.5, y=0.5, quantise="off"))
    names = [studio.find(token).title for token in here.tokens]
    tiles = ideas.nearby(studios, here, seed=3)
    assert [tile["words"][1].split(" · ")[0] for tile in tiles] == [
        f"more {names[2]}",
        f"more {names[2]} and {names[3]}",
        f"more {names[3]}",
        f"more {names[0]} and {names[2]}",
        "",
        f"more {names[1]} and {names[3]}",
        f"more {names[0]}",
        f"more {names[0]} and {names[1]}",
        f"more {names[1]}",
    ]
    plain = studio.rendered(studio.asked(here))
    for gain_db, words in ((6.0, "louder"), (-6.0, "softer"), (0.2, "")):
        asked = replace(here, settings=replace(here.settings, gain_db=gain_db))
        assert ", ".join(heard_words(studio.rendered(studio.asked(asked)), plain)) == words
    higher = replace(here, settings=replace(here.settings, transpose=2.0))
    assert mix_words(studio.rendered(studio.asked(higher)), plain) == [note_name(plain.after.pitch_midi + 2.0)]
    assert moved_words("direction 1: hollowness -3.4 dB, spread -0.20 octaves per step") == ["fuller", "narrower"]
    assert moved_words("direction 2: noisiness +2 dB, spread -0.2 octaves", up=False, but=["noisiness"]) == ["wider"]


def test_the_same_seed_gives_the_same_and_another_gives_others(studios, first):
    one, again, other = (ideas.nearby(studios, first, seed=seed) for seed in (1, 1, 2))
    assert one == again != other
    assert ideas.surprise(studios, first, seed=1) == ideas.surprise(studios, first, seed=1)


def test_variations_at_an_end_stay_within_it(studios, first):
    corner = replace(first, settings=Settings(x=1.0, y=0.0, brightness=1.0, noisiness_db=-24.0))
    for settings in settings_of(ideas.nearby(studios, corner, seed=0)):
        assert settings == Settings.from_mapping(vars(settings) | {"curves": settings.curves_value()})


@pytest.mark.slow
@pytest.mark.parametrize("count", [2, 4])
def test_surprises_stay_near_real_notes(studios, studio, first, count):
    nearest, chosen = [], set()
    for seed in range(40):
        found = ideas.surprise(studios, replace(first, settings=Settings(count=count, gain_db=6.0)), seed=seed)
        weights = pad_weights(count, *found.settings.point())
        nearest.append(max(weights))
        chosen.add(found.tokens[:count])
        pitches = [studio.notes[token].pitch for token in found.tokens[:count]]
        assert len(set(found.tokens[:count])) == count and min(weights) >= 0.0
        assert count == 4 or max(pitches) - min(pitches) <= 7 or pitches[0] == 79
        assert found.settings.gain_db == 0.0 and studio.rendered(studio.asked(found)).audio.size
    assert len(chosen) >= 8 and np.median(nearest) > 0.6


def test_a_slow_checkpoint_has_no_variations(studios, first):
    with pytest.raises(SynthExplorerError, match="takes too long"):
        ideas.nearby(studios, replace(first, checkpoint="slow"), seed=0)
