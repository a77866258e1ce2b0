"""Where a recording's band ends: at cliffs, and not where a sound fades or is pure."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import firwin, lfilter

from synth_explorer.audio.bandwidth import bandwidth_hz, common_bandwidths_hz, is_empty_above, top_hz

RATE = 48_000
T = np.arange(RATE) / RATE


def _noise(slope: float = 0.0) -> np.ndarray:
    spectrum = np.fft.rfft(np.random.default_rng(0).standard_normal(RATE))
    noise = np.fft.irfft(spectrum / np.maximum(np.arange(len(spectrum)), 1.0) ** slope)
    return 0.05 * noise / np.std(noise)


def _tone(hz: float, partials: int, slope: float) -> np.ndarray:
    return sum(0.2 * k**-slope * np.sin(2 * np.pi * k * hz * T + k) for k in range(1, partials + 1))


@pytest.mark.parametrize("end_hz", [5_000, 8_000, 11_000, 16_000])
def test_the_end_of_noise_is_found(end_hz: int) -> None:
    limited = lfilter(firwin(511, end_hz, fs=RATE), 1.0, _noise())
    assert bandwidth_hz(limited, f0_hz=200.0, sample_rate_hz=RATE) == pytest.approx(end_hz, abs=300)


@pytest.mark.parametrize(("left_db", "empty"), [(-20, False), (-34, False), (-46, True), (-80, True)])
def test_what_is_left_above_an_end_is_told(left_db: float, empty: bool) -> None:
    taps = firwin(2001, 8_000, fs=RATE)
    low = lfilter(taps, 1.0, _noise())
    sound = low + np.sqrt(4_000 / 16_000) * 10 ** (left_db / 20) * (np.roll(_noise(), 1000) - low)
    assert is_empty_above(sound, 8_000.0, sample_rate_hz=RATE) == empty


@pytest.mark.parametrize("slope", [0.0, 0.5, 1.0, 1.5])
def test_noise_that_fades_has_no_end(slope: float) -> None:
    assert bandwidth_hz(_noise(slope), f0_hz=200.0, sample_rate_hz=RATE) == top_hz(RATE)


@pytest.mark.parametrize("hz", [110.0, 440.0, 1500.0])
def test_partials_that_stop_are_an_end_and_all_of_them_none(hz: float) -> None:
    cut = bandwidth_hz(_tone(hz, int(10_000 / hz), 1.5), f0_hz=hz, sample_rate_hz=RATE)
    assert 10_000 - 1.1 * hz - 300 < cut < 10_300
    whole = bandwidth_hz(_tone(hz, int(22_000 / hz), 1.5), f0_hz=hz, sample_rate_hz=RATE)
    assert whole > 20_000 - 1.1 * hz


def test_a_pure_tone_is_not_cut_off_and_a_short_one_says_nothing() -> None:
    assert bandwidth_hz(_tone(1000.0, 3, 1.0), f0_hz=1000.0, sample_rate_hz=RATE) == top_hz(RATE)
    assert bandwidth_hz(_noise()[:100], f0_hz=1000.0, sample_rate_hz=RATE) == top_hz(RATE)
    assert top_hz(16_000) == 7_200.0


def test_soft_notes_end_where_the_others_of_their_instrument_do() -> None:
    np.testing.assert_array_equal(common_bandwidths_hz([9e3, 10e3, 11e3, 20e3]), [9e3, 10e3, 11e3, 10e3])
    np.testing.assert_array_equal(common_bandwidths_hz([9e3, 20e3, 20e3]), [9e3, 20e3, 20e3])
    assert common_bandwidths_hz([]).shape == (0,)
