"""Linear prediction: against scipy, and back again."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.linalg import solve_toeplitz
from scipy.signal import lfilter

from synth_explorer.model.whitening import Colouring, levinson, predictors, whiten

RATE = {"hop": 128, "sample_rate_hz": 16000}


def test_levinson_solves_the_normal_equations(rng) -> None:
    noise = lfilter([1.0], [1.0, -0.9, 0.5], rng.standard_normal((3, 4000)))
    lags = np.stack([[x[: len(x) - k] @ x[k:] for k in range(7)] for x in noise])
    wanted = [-solve_toeplitz(row[:-1], row[1:]) for row in lags]
    np.testing.assert_allclose(levinson(lags), wanted, atol=1e-8)


def test_a_resonant_sound_becomes_flat(rng) -> None:
    sound = lfilter([1.0], [1.0, -1.6, 0.9], rng.standard_normal(16000))[None].astype(np.float32)
    coefficients = predictors(sound, order=8, **RATE)
    flat = whiten(sound, coefficients, hop=128)[0, 2000:]
    spectra = [np.abs(np.fft.rfft(x.reshape(-1, 500), axis=1)).mean(axis=0)[1:] for x in (sound[0, 2000:], flat)]
    spans = [20 * np.log10(s.max() / s.min()) for s in spectra]
    assert spans[0] > 25.0
    assert spans[1] < 8.0


@pytest.mark.parametrize("order", [0, 1, 24])
@pytest.mark.parametrize("chunk", [64, 1000, 5000])
def test_colouring_is_the_inverse_in_any_chunks(rng, order, chunk) -> None:
    sound = lfilter([1.0], [1.0, -1.6, 0.9], rng.standard_normal(5000))[None].astype(np.float32)
    coefficients = predictors(sound, order=order, **RATE)
    flat = whiten(sound, coefficients, hop=128)[0]
    colour = Colouring(coefficients[0], hop=128)
    back = np.concatenate([colour(flat[i : i + chunk]) for i in range(0, 5000, chunk)])
    np.testing.assert_allclose(back, sound[0], atol=1e-3)


def test_silence_and_pure_tones_stay_finite() -> None:
    t = np.arange(8000) / 16000
    for sound in (np.zeros(8000), 0.5 * np.sin(2 * np.pi * 440 * t), np.eye(1, 8000, 4000)[0]):
        coefficients = predictors(sound[None].astype(np.float32), order=24, **RATE)
        assert np.isfinite(coefficients).all()
        out = Colouring(coefficients[0], hop=128)(1e-3 * np.random.default_rng(0).standard_normal(8000))
        assert np.abs(out).max() < 10.0
