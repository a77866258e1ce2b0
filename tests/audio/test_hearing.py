"""What lies below hearing is taken out before anything is measured; what can be heard stays."""

from __future__ import annotations

import numpy as np
import pytest

from synth_explorer import audio
from synth_explorer.errors import AudioError

RATE_HZ = 16_000
TIME_S = np.arange(2 * RATE_HZ) / RATE_HZ
NOTE = (0.3 * np.sin(2 * np.pi * 220.0 * TIME_S)).astype(np.float32)


def level_db(sound: np.ndarray) -> float:
    return float(10 * np.log10(np.mean(np.square(sound, dtype=np.float64)) + 1e-20))


@pytest.mark.parametrize("rate_hz", [8_000, 16_000, 48_000])
@pytest.mark.parametrize("hz", [0.0, 1.0, 5.0, 12.0])
def test_rumble_goes_60_db_under_the_note(hz: float, rate_hz: int) -> None:
    at_s = np.arange(2 * rate_hz) / rate_hz
    note = (0.3 * np.sin(2 * np.pi * 220.0 * at_s)).astype(np.float32)
    rumble = (0.5 * np.cos(2 * np.pi * hz * at_s + 0.4)).astype(np.float32)
    left = audio.audible(note + rumble, sample_rate_hz=rate_hz) - note
    middle = slice(rate_hz // 4, -rate_hz // 4)
    assert level_db(left[middle]) < level_db(note) - 60.0


@pytest.mark.parametrize("hz", [20.0, 23.1, 27.5, 60.0, 4_000.0])
def test_what_can_be_heard_stays(hz: float) -> None:
    note = (0.3 * np.sin(2 * np.pi * hz * TIME_S)).astype(np.float32)
    kept = audio.audible(note + np.float32(0.2), sample_rate_hz=RATE_HZ)
    middle = slice(RATE_HZ // 4, -RATE_HZ // 4)
    assert abs(level_db(kept[middle]) - level_db(note[middle])) < 0.1
    assert np.abs(kept - note)[middle].max() < 0.01  # and in its place


def test_a_sound_with_nothing_to_take_out_is_the_same_array() -> None:
    assert audio.audible(NOTE, sample_rate_hz=RATE_HZ) is NOTE
    twice = audio.audible(audio.audible(NOTE + np.float32(0.5), sample_rate_hz=RATE_HZ), sample_rate_hz=RATE_HZ)
    assert np.abs(twice - NOTE)[1600:-1600].max() < 2e-3


@pytest.mark.parametrize("samples", [1, 2, 3, 17, 64_123])
def test_any_length(samples: int) -> None:
    assert audio.audible(np.full(samples, 0.5, np.float32), sample_rate_hz=RATE_HZ).shape == (samples,)


def test_a_note_that_is_cut_off_mid_wave_is_no_step() -> None:
    cut = NOTE[: RATE_HZ + 18]
    assert abs(cut[-1]) > 0.25
    assert np.abs(audio.audible(cut + np.float32(0.1), sample_rate_hz=RATE_HZ) - cut).max() < 0.02


def test_equals_a_plain_sum_of_cosines() -> None:
    sound = np.random.default_rng(0).normal(size=400).astype(np.float32)
    rate_hz = 2_000
    n, k = np.arange(400), np.arange(400)[:, None]
    basis = np.cos(np.pi * (n + 0.5) * k / 400)
    coefficients = (basis @ sound) * np.where(k[:, 0] == 0, 1.0, 2.0) / 400
    hz = k[:, 0] * rate_hz / 800
    taper = np.where(hz < 13.0, 1.0, np.where(hz > 20.0, 0.0, 0.5 + 0.5 * np.cos(np.pi * (hz - 13.0) / 7.0)))
    below = (coefficients * taper) @ basis
    np.testing.assert_allclose(audio.audible(sound, sample_rate_hz=rate_hz), sound - below, atol=1e-5)


@pytest.mark.parametrize("sound", [np.full(1600, 0.5), 0.5 * np.cos(np.arange(32_000) * 2 * np.pi * 4 / 16_000)])
def test_offset_and_rumble_alone_are_silent(sound: np.ndarray) -> None:
    with pytest.raises(AudioError, match="silent"):
        audio.refuse_silence(audio.audible(sound, sample_rate_hz=RATE_HZ))


def test_fifty_decibels_under_full_scale_are_not() -> None:
    soft = audio.audible(NOTE * np.float32(0.01), sample_rate_hz=RATE_HZ)
    audio.refuse_silence(soft)  # does not raise
    with pytest.raises(AudioError, match="silent"):
        audio.refuse_silence(soft * np.float32(1e-6))
