"""The front end against definitions written out in numpy."""

from __future__ import annotations

import numpy as np
import pytest

from tests.model.small import small_config

RATE = 16000


def _sine(hz: float, level: float, samples: int = 8192) -> np.ndarray:
    return (level * np.sin(2 * np.pi * hz * np.arange(samples) / RATE)).astype(np.float32)[None]


def test_spectrum_matches_a_sum_over_samples() -> None:
    from synth_explorer.model.frontend import spectrum

    rng = np.random.default_rng(0)
    audio = rng.standard_normal((2, 256)).astype(np.float32)
    got = np.asarray(spectrum(audio, 64, 32))
    padded = np.pad(audio, ((0, 0), (32, 64)))
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(64) / 64)
    assert got.shape == (2, 8, 33)
    for frame in range(8):
        part = padded[:, frame * 32 : frame * 32 + 64] * window
        turns = np.exp(-2j * np.pi * np.outer(np.arange(64), np.arange(33)) / 64)
        np.testing.assert_allclose(got[:, frame], np.abs(part @ turns), atol=1e-4)


def test_loudness_and_brightness_of_a_sine() -> None:
    from synth_explorer.mel import k_weighting_power
    from synth_explorer.model.frontend import FrontEnd

    config = small_config()
    front_end = FrontEnd(config)
    for hz in (200.0, 1000.0, 3000.0):
        z = np.asarray(front_end.attributes(front_end.hop_spectrum(_sine(hz, 0.1))))[0, 8:-8]
        loudness_db = z[:, 0] / config.loudness_units_per_db + config.loudness_offset_db
        expected = 20 * np.log10(0.1 / np.sqrt(2)) + 10 * np.log10(k_weighting_power(np.array([hz]))[0])
        np.testing.assert_allclose(loudness_db, expected, atol=0.1)
        np.testing.assert_allclose(z[:, 1], np.log2(hz / config.brightness_reference_hz), atol=0.05)


def test_gain_moves_loudness_by_its_decibels_and_brightness_by_nothing() -> None:
    from synth_explorer.model.frontend import FrontEnd

    config = small_config()
    front_end = FrontEnd(config)
    audio = _sine(440.0, 0.2) + _sine(1320.0, 0.1)
    soft, loud = (np.asarray(front_end.attributes(front_end.hop_spectrum(a)))[0, 4:-4] for a in (audio / 4, audio))
    difference_db = (loud[:, 0] - soft[:, 0]) / config.loudness_units_per_db
    np.testing.assert_allclose(difference_db, 20 * np.log10(4), atol=0.01)
    np.testing.assert_allclose(loud[:, 1], soft[:, 1], atol=0.01)


def test_silence_has_a_floor_and_the_reference_brightness() -> None:
    from synth_explorer.model.frontend import FrontEnd

    config = small_config()
    front_end = FrontEnd(config)
    z = np.asarray(front_end.attributes(front_end.hop_spectrum(np.zeros((1, 2048), np.float32))))
    np.testing.assert_allclose(
        z[..., 0], (-100.0 - config.loudness_offset_db) * config.loudness_units_per_db, atol=0.01
    )
    np.testing.assert_allclose(z[..., 1], 0.0, atol=0.03)


def test_harmonic_levels_are_the_spectrum_at_multiples_of_the_pitch() -> None:
    from synth_explorer.model.frontend import FrontEnd, scale_log, spectrum

    config = small_config()
    audio = np.random.default_rng(0).standard_normal((1, 2048)).astype(np.float32)
    pitch_hz = np.linspace(200.0, 1500.0, 8, dtype=np.float32)[None]
    got = np.asarray(FrontEnd(config).harmonic_levels(audio, pitch_hz))[0]
    magnitudes = np.asarray(spectrum(audio, config.harmonic_n_fft, config.hop))[0]
    for frame in range(8):
        for k in range(1, config.harmonic_features + 1):
            at = k * pitch_hz[0, frame] * config.harmonic_n_fft / RATE
            inside = at < magnitudes.shape[1] - 2
            level = np.interp(at, np.arange(magnitudes.shape[1]), magnitudes[frame]) if inside else 0.0
            assert got[frame, k - 1] == pytest.approx(float(scale_log(np.float32(level))), abs=1e-3)
