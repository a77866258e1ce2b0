"""Samples of a patch: in tune, at their level, looped where they are held, each rendered once."""

from __future__ import annotations

import numpy as np
import pytest

from synth_explorer import measure
from synth_explorer.edits import EditChain, Gain, Transpose
from synth_explorer.errors import SpecError
from synth_explorer.instruments import Plan, differences_db, make
from synth_explorer.instruments.maker import LOUDEST, Maker, crossfade, weights_at
from synth_explorer.instruments.sample import Slot
from synth_explorer.instruments.zones import layers
from synth_explorer.rendering import Patch, Renderer
from tests.fake_family import SlowFamily, fake_explorer
from tests.instruments.notes import RATE_HZ, held_note


def test_samples_are_in_tune_at_any_key(renderer: Renderer, held: Patch) -> None:
    maker = Maker(renderer, held.but(edits=EditChain((Transpose(semitones=3.4),))))
    for root in (36, 60, 84):
        sample = maker.sample(Slot(root, LOUDEST))
        key_hz = 440.0 * 2 ** ((root - 69) / 12)
        heard_hz = measure.pitch_hz(sample.played(2 * RATE_HZ), sample_rate_hz=RATE_HZ, around_hz=key_hz)
        assert abs(1200 * np.log2(heard_hz / key_hz)) < 1.0
        assert sample.is_pitched and abs(sample.cents) < 1.0 and sample.loop is not None and sample.loop.is_clean


def test_layers_follow_the_curve(renderer: Renderer, held: Patch) -> None:
    maker = Maker(renderer, held.but(edits=EditChain((Gain(db=-3.0),))))
    samples = [maker.sample(Slot(60, layer)) for layer in reversed(layers(3))]
    for sample in samples:
        asked_db = sample.slot.layer.level_db
        assert sample.level_db - samples[0].level_db == pytest.approx(asked_db, abs=0.5)
    heard = [measure.brightness_octaves(one.audio, sample_rate_hz=RATE_HZ) for one in samples]
    for sample, octaves in zip(samples, heard, strict=True):
        assert octaves - heard[0] == pytest.approx(sample.slot.layer.brightness_octaves, abs=0.1)


def test_layers_share_their_loop_and_every_sample_is_rendered_once(renderer: Renderer, held: Patch) -> None:
    maker = Maker(renderer, held)
    first, second = (maker.sample(Slot(60, layer)) for layer in reversed(layers(2)))
    assert (first.loop.start, first.loop.end) == (second.loop.start, second.loop.end)
    decoded = renderer.explorer.family.decoded
    assert maker.sample(Slot(60, layers(2)[0])) is second and renderer.explorer.family.decoded == decoded


def test_a_round_robin_is_of_seeds(renderer: Renderer, held: Patch) -> None:
    maker = Maker(renderer, held.but(seed=5))
    seeds = [maker.patch_of(Slot(60, LOUDEST, 0, robin)).seed for robin in range(3)]
    assert seeds == [5, 6, 7]
    a, b = (maker.sample(Slot(60, LOUDEST, 0, robin)).audio[:8000] for robin in range(2))
    assert not np.array_equal(a, b) and np.corrcoef(a, b)[0, 1] > 0.9


def test_what_decays_has_no_loop_and_its_own_release(renderer: Renderer, plucked: Patch) -> None:
    sample = Maker(renderer, plucked).sample(Slot(60, LOUDEST))
    assert sample.loop is None and sample.release_s == pytest.approx(1.0, rel=0.25)
    assert Maker(renderer, plucked, release_s=0.2).sample(Slot(60, LOUDEST)).release_s == 0.2
    assert not sample.played(10 * RATE_HZ)[sample.audio.size :].any()


def test_samples_begin_where_the_note_is_heard(renderer: Renderer, held: Patch) -> None:
    audio = Maker(renderer, held).sample(Slot(60, LOUDEST)).audio
    assert audio[0] == 0.0 and np.argmax(np.abs(audio) > 0.01 * np.abs(audio).max()) < 0.03 * RATE_HZ


def test_steps_of_a_morph_go_from_the_first_note_to_the_last(renderer: Renderer, pair: Patch) -> None:
    maker = Maker(renderer, pair, morph_steps=3)
    weights = [maker.patch_of(Slot(60, LOUDEST, step)).mix.standing(2) for step in range(3)]
    assert weights == [(1.0, 0.0), (0.5, 0.5), (0.0, 1.0)] and maker.places == (0.0, 0.5, 1.0)
    assert maker.coherence(Slot(60, LOUDEST)) > 0.5
    assert weights_at(0.5, 3) == (0.0, 1.0, 0.0) and weights_at(0.75, 3) == (0.0, 0.5, 0.5)


@pytest.mark.parametrize("steps", [1, 2, 5])
def test_the_fade_between_steps(steps: int) -> None:
    for place in np.linspace(0, 1, 21):
        linear, power = (crossfade(place, steps, is_coherent=one) for one in (True, False))
        assert linear.sum() == pytest.approx(1.0) and (power**2).sum() == pytest.approx(1.0)
        assert (linear > 1e-9).sum() <= 2


def test_what_cannot_be_is_refused(renderer: Renderer, held: Patch, pair: Patch) -> None:
    with pytest.raises(SpecError, match="two to four notes"):
        Maker(renderer, held, morph_steps=3)
    with pytest.raises(SpecError, match="1 to 32 steps"):
        Maker(renderer, pair, morph_steps=33)
    slow = Renderer(fake_explorer(SlowFamily))
    with pytest.raises(SpecError, match="plays no keys"):
        Maker(slow, held)
    silent = held.but(edits=EditChain((Gain(db=-96.0), Gain(db=-96.0), Gain(db=-96.0))), open_loop=True)
    with pytest.raises(SpecError, match="makes no sound"):
        Maker(renderer, silent).sample(Slot(60, LOUDEST))


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"round_robin": 0}, "round robin"),
        ({"release_s": 0.0}, "release"),
        ({"low": 60, "high": 50}, "rise"),
        ({"key_step": 1, "velocity_layers": 16, "round_robin": 16, "morph_steps": 20}, "samples"),
    ],
)
def test_plans_that_cannot_be_are_refused(wrong: dict[str, int], said: str) -> None:
    with pytest.raises(SpecError, match=said):
        Plan(**wrong)


@pytest.mark.slow
def test_an_instrument_is_turned_down_as_a_whole_where_it_would_clip(renderer: Renderer, held: Patch) -> None:
    loud = held.but(edits=EditChain((Gain(db=14.0),)))
    plan, done = Plan(60, 66, 3, 2), []
    made = make(renderer, loud, plan, name="loud", progress=lambda *at: done.append(at))
    assert made.gain_db < 0 and "none clips" in " ".join(made.notes)
    peak = max(np.abs(one.audio).max() for one in made.samples) * 10 ** (made.gain_db / 20)
    assert peak == pytest.approx(10 ** (-1.0 / 20), rel=1e-3)
    assert done == [(count, 6) for count in range(1, 7)]
    assert make(renderer, held, Plan(60, 60, 3, 1), name="soft").gain_db == 0.0


def test_neighbours_of_one_timbre_are_alike() -> None:
    """A sound that is only read faster differs in nothing; one with its own formants does, the more the further."""
    one = held_note(220.0)
    moved = held_note(220.0)[: one.size]
    assert differences_db([(57, one), (57, moved)], sample_rate_hz=RATE_HZ)[0] == pytest.approx(0.0, abs=1e-6)
    notes = [(57.0, held_note(220.0)), (60.0, held_note(261.63)), (63.0, held_note(311.13, harmonics=2))]
    near, far = differences_db(notes, sample_rate_hz=RATE_HZ)
    assert near < 1.0 < far
