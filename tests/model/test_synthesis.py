"""Synthesis against sums of sines written out, and its promises about level and phase."""

from __future__ import annotations

import numpy as np
import pytest

from synth_explorer.decode import synthesis as fast
from tests.model.small import small_model

RATE, SUBFRAMES, SUBFRAME = 16000, 4, 64


def _controls(frames: int = 12, partials: int = 30) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(1)
    pitch_hz = (120.0 * 2 ** np.cumsum(rng.normal(0, 0.02, frames))).astype(np.float32)
    return rng.random((frames * SUBFRAMES, partials)).astype(np.float32), pitch_hz


def _naive(amplitude: np.ndarray, pitch_hz: np.ndarray, multiples: np.ndarray | None = None) -> np.ndarray:
    """Phase summed sample by sample by the trapezoid rule, one sine a partial."""
    samples = len(amplitude) * SUBFRAME
    at = np.arange(samples)
    hz = np.interp(at, np.arange(len(pitch_hz)) * SUBFRAME * SUBFRAMES, pitch_hz.astype(np.float64))
    cycles = np.concatenate([[0.0], np.cumsum((hz[1:] + hz[:-1]) / 2 / RATE)])
    out = np.zeros(samples)
    multiples = np.arange(1, amplitude.shape[1] + 1) if multiples is None else multiples
    for k, multiple in enumerate(multiples):
        out += np.interp(at, np.arange(len(amplitude)) * SUBFRAME, amplitude[:, k]) * np.sin(
            2 * np.pi * multiple * cycles
        )
    return out


def test_harmonics_match_the_naive_sum_in_keras_and_in_numba() -> None:
    from synth_explorer.model import synthesis

    amplitude, pitch_hz = _controls()
    expected = _naive(amplitude, pitch_hz)
    sizes = {"subframes": SUBFRAMES, "subframe": SUBFRAME, "sample_rate_hz": RATE}
    keras_out = np.asarray(synthesis.harmonics(amplitude[None], pitch_hz[None], **sizes))[0]
    np.testing.assert_allclose(keras_out, expected, atol=2e-2)
    np.testing.assert_allclose(fast.partials(amplitude, pitch_hz, **sizes), expected, atol=1e-3)


def test_partials_between_the_harmonics_match_the_naive_sum() -> None:
    from synth_explorer.model import synthesis

    amplitude, pitch_hz = _controls(partials=15)
    multiples = np.concatenate([np.arange(1, 11), np.arange(1, 6) - 0.5])
    expected = _naive(amplitude, pitch_hz, multiples)
    sizes = {"subframes": SUBFRAMES, "subframe": SUBFRAME, "sample_rate_hz": RATE}
    keras_out = np.asarray(synthesis.partials(amplitude[None], pitch_hz[None], harmonics_count=10, **sizes))[0]
    np.testing.assert_allclose(keras_out, expected, atol=2e-2)
    np.testing.assert_allclose(fast.partials(amplitude, pitch_hz, half_partials=5, **sizes), expected, atol=1e-3)


def test_phase_does_not_drift_over_a_minute() -> None:
    from synth_explorer.model import synthesis

    frames = 3750
    pitch_hz = np.full((1, frames), 440.1, np.float32)
    got = np.asarray(synthesis.subframe_phase(pitch_hz, subframes=1, subframe=256, sample_rate_hz=RATE))[0]
    expected = (np.arange(frames) * 256 * float(np.float32(440.1)) / RATE) % 1.0
    distance = np.abs(got - expected)
    assert np.max(np.minimum(distance, 1.0 - distance)) < 2e-3


def test_noise_of_magnitude_m_has_mean_square_m_squared() -> None:
    phase = np.random.default_rng(0).random((400, 129), dtype=np.float32)
    out = fast.noise(np.full((400, 129), 0.3, np.float32), phase, hop=128)
    assert np.sqrt(np.mean(out[512:-512] ** 2)) == pytest.approx(0.3, rel=0.02)


def test_noise_in_keras_and_numpy_agree() -> None:
    from synth_explorer.model import synthesis

    rng = np.random.default_rng(0)
    magnitudes, phase = rng.random((9, 65), dtype=np.float32), rng.random((9, 65), dtype=np.float32)
    expected = np.asarray(synthesis.noise(magnitudes[None], phase[None], hop=64))[0]
    np.testing.assert_allclose(fast.noise(magnitudes, phase, hop=64), expected, atol=1e-5)


def test_whole_render_agrees_between_engines() -> None:
    from synth_explorer.model import synthesis

    model = small_model()
    config, decoder = model.config, model.decoder
    rng = np.random.default_rng(3)
    z = rng.normal(0, 0.5, (1, 10, config.channels)).astype(np.float32)
    pitch_hz = np.full((1, 10), 200.0, np.float32)
    controls = {name: np.asarray(value) for name, value in decoder(z, pitch_hz).items()}
    phases = fast.noise_phases(10, hop=config.hop, subframes=config.subframes, seed=5)
    expected = np.asarray(synthesis.render(controls, pitch_hz, *(p[None] for p in phases), decoder))[0]
    got = fast.render(
        {name: value[0] for name, value in controls.items()},
        pitch_hz[0],
        noise_matrix=decoder.noise_matrix,
        short_matrix=decoder.short_matrix,
        half_partials=config.half_partials,
        hop=config.hop,
        subframes=config.subframes,
        sample_rate_hz=RATE,
        seed=5,
    )
    np.testing.assert_allclose(got, expected, atol=2e-3 * np.max(np.abs(expected)))


def test_a_longer_note_begins_with_the_same_noise() -> None:
    short, long = (fast.noise_phases(n, hop=64, subframes=4, seed=9) for n in (5, 11))
    np.testing.assert_array_equal(short[0], long[0][:5])
    np.testing.assert_array_equal(short[1], long[1][:20])


def test_partials_above_nyquist_are_silent() -> None:
    amplitude = np.zeros((16, 40), np.float32)
    amplitude[:, 20:] = 1.0
    out = fast.partials(amplitude, np.full(4, 400.0, np.float32), subframes=4, subframe=64, sample_rate_hz=RATE)
    np.testing.assert_array_equal(out, 0.0)
