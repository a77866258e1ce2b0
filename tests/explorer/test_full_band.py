"""The default model hears and makes the whole band: notes come back, and edits do what they say of all of it."""

from __future__ import annotations

import numpy as np
import pytest
import soxr

from synth_explorer import measure
from synth_explorer.assets import find_note
from synth_explorer.closed_loop import ClosedLoop
from synth_explorer.edits import Attack, Brightness, EditChain, Gain, Oscillate, Transpose
from synth_explorer.errors import LatentsError
from synth_explorer.explorer import FIT_STEPS

pytestmark = pytest.mark.slow

RATE = {"sample_rate_hz": 48_000}
NAMES = ("trumpet", "harpsichord", "cello")


@pytest.fixture(scope="module")
def notes(full_band) -> dict:
    """By name: the sound as it is encoded, its fitted latents."""
    found = {}
    for name in NAMES:
        example = find_note(name)
        assert example is not None
        latents = full_band.encode(example.path, fit_steps=FIT_STEPS)
        found[name] = (full_band.read(example.path), latents)
    return found


def above_db(audio: np.ndarray, edge_hz: float) -> float:
    """Power above a frequency against all of it."""
    power = np.abs(np.fft.rfft(audio.astype(np.float64))) ** 2
    return float(10.0 * np.log10(power[round(edge_hz * len(audio) / 48_000) :].sum() / power.sum()))


@pytest.mark.parametrize("name", NAMES)
def test_a_note_comes_back_with_its_whole_band(full_band, notes, name: str) -> None:
    sound, latents = notes[name]
    example = find_note(name)
    assert example is not None and latents.pitch_midi == pytest.approx(example.pitch, abs=0.5)
    fast, final = (full_band.decode(latents, decoder=decoder) for decoder in ("fast", "final"))
    far = {key: measure.band_distances_db(sound, made, **RATE) for key, made in (("fast", fast), ("final", final))}
    assert far["fast"].whole < 2.4 and far["fast"].high < 2.6
    assert far["final"].whole < 0.9 * far["fast"].whole
    assert above_db(fast, 8000.0) == pytest.approx(above_db(sound, 8000.0), abs=8.0)
    assert abs(measure.level_error_db(sound, final)) < 0.3


@pytest.mark.long
def test_a_recording_that_ends_early_is_heard_to_end_there(full_band, notes) -> None:
    sound, whole = notes["trumpet"]
    cut = soxr.resample(soxr.resample(sound, 48_000, 16_000), 16_000, 48_000)
    latents = full_band.encode(cut, pitch=whole.pitch_midi)
    assert whole.meta.bandwidth_hz == 0.0 and 7_400.0 < latents.meta.bandwidth_hz < 8_200.0
    made = full_band.decode(latents)
    assert above_db(made, 8_500.0) < -60.0 < above_db(full_band.decode(whole), 8_500.0)
    reference = full_band.decode(latents, engine="keras")
    assert np.abs(made - reference).max() < 5e-3 * np.abs(reference).max()
    mixed = full_band.morph([latents, whole], [0.5, 0.5]).meta.bandwidth_hz
    assert mixed == pytest.approx(np.sqrt(latents.meta.bandwidth_hz * 24_000.0))


@pytest.mark.parametrize("name", NAMES)
def test_edits_are_heard_as_asked_over_the_whole_band(full_band, notes, name: str) -> None:
    _, latents = notes[name]
    before = full_band.decode(latents)
    chain = EditChain((Brightness(0.3), Gain(-6.0)))
    solution = ClosedLoop(full_band).solve(latents, chain)
    assert solution.reached
    after = solution.audio
    bright = [measure.brightness_octaves(sound, **RATE) for sound in (before, after)]
    assert bright[1] - bright[0] == pytest.approx(0.3, abs=0.03)
    assert measure.pitch_cents_difference(before, after, **RATE) == pytest.approx(0.0, abs=1.0)
    higher = ClosedLoop(full_band).solve(latents, EditChain((Transpose(2.0),))).audio
    assert measure.pitch_cents_difference(before, higher, **RATE) == pytest.approx(200.0, abs=2.0)


def test_gain_is_exact(full_band, notes) -> None:
    _, latents = notes["cello"]
    sounds = [full_band.decode(one) for one in (latents, full_band.edit(latents, EditChain((Gain(-6.0),))))]
    assert measure.rms_db(sounds[1]) - measure.rms_db(sounds[0]) == pytest.approx(-6.0, abs=0.002)


def test_an_oscillation_and_an_attack_are_reached(full_band, notes) -> None:
    _, latents = notes["cello"]
    for edit in (Oscillate("brightness", 5.0, 0.3), Oscillate("loudness", 4.0, 4.0), Attack(0.2)):
        assert ClosedLoop(full_band).solve(latents, EditChain((edit,))).reached, edit


def test_latents_of_the_other_rate_are_refused_in_words(full_band, explorer, notes) -> None:
    _, latents = notes["cello"]
    with pytest.raises(LatentsError, match="default-16k"):
        explorer.decode(latents)
    with pytest.raises(LatentsError, match="default-16k"):
        full_band.decode(explorer.encode(np.sin(np.arange(16000) * 0.1).astype(np.float32)))
