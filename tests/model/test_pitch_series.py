"""Cues to a second series of partials: none in a note, be its string stiff, and the right interval in two notes."""

from __future__ import annotations

import numpy as np
import pytest

from synth_explorer.model.pitch_head import PitchHeadConfig, note_frames
from synth_explorer.model.pitch_series import _SECOND, series_cues
from synth_explorer.pitch import midi_to_hz

RATE_HZ = 16000
LEFT, SECOND_AT = 0, 9 + 16  # columns: the share that is left; where the second series begins


def tone(midi: float, *, stiffness: float = 0.0) -> np.ndarray:
    t, base = np.arange(2 * RATE_HZ) / RATE_HZ, float(midi_to_hz(midi))
    partials = [(k, k * base * np.sqrt(1.0 + stiffness * k * k)) for k in range(1, 13)]
    waves = [np.sin(2 * np.pi * hz * t + k) / k for k, hz in partials if hz < 7800]
    return (0.2 * np.sum(waves, axis=0) * np.exp(-t)).astype(np.float32)


def heard(audio: np.ndarray, midi: float) -> np.ndarray:
    return series_cues(note_frames(audio, PitchHeadConfig())[0], midi=midi, sample_rate_hz=RATE_HZ)


@pytest.mark.parametrize("midi", [28.0, 45.3, 60.0, 84.2])
@pytest.mark.parametrize("stiffness", [0.0, 5e-4])
def test_nothing_is_left_of_one_note(midi: float, stiffness: float) -> None:
    assert heard(tone(midi, stiffness=stiffness), midi)[LEFT] < 0.08


@pytest.mark.parametrize("interval", [1, 3, 4, 6, 8, 11])
def test_second_note_is_found_at_its_interval(interval: int) -> None:
    cues = heard(tone(55) + 0.5 * tone(55 + interval), 55.0)
    second = cues[SECOND_AT : SECOND_AT + _SECOND[1] - _SECOND[0]]
    assert cues[LEFT] > 0.2
    assert abs(int(np.argmax(second)) + _SECOND[0] - interval) <= 1


def test_level_changes_nothing_and_silence_is_harmless() -> None:
    audio = tone(55) + tone(62)
    np.testing.assert_allclose(heard(audio, 55.0), heard(0.01 * audio, 55.0), atol=1e-3)
    silent = series_cues(np.zeros((10, 8192), np.float32), midi=60.0, sample_rate_hz=RATE_HZ)
    assert np.isfinite(silent).all()
    lasting = series_cues(np.ones((10, 8192), np.float32), midi=60.0, sample_rate_hz=RATE_HZ)
    assert np.isfinite(lasting).all()
