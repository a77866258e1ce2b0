"""The training loss against the measures that evaluation uses, and its invariances."""

from __future__ import annotations

import numpy as np
import pytest

from tests.model.small import small_config


def _pair() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    t = np.arange(16384) / 16000
    wave = (0.2 * np.sin(2 * np.pi * 330 * t))[None] + rng.normal(0, 0.01, (3, len(t)))
    return wave.astype(np.float32), (0.5 * wave + rng.normal(0, 0.002, wave.shape)).astype(np.float32)


def test_log_mel_is_the_distance_that_evaluation_reports() -> None:
    from synth_explorer.measure import log_mel_distance_db
    from synth_explorer.model.spectral import SpectralLoss

    target, output = _pair()
    got = np.asarray(SpectralLoss(small_config()).log_mel(target, output)) * 20 / np.log(10)
    expected = [log_mel_distance_db(a, b, sample_rate_hz=16000) for a, b in zip(target, output, strict=True)]
    np.testing.assert_allclose(got, expected, rtol=0.05)


def test_zero_for_equals_and_independent_of_the_batch() -> None:
    from synth_explorer.model.spectral import SpectralLoss

    loss = SpectralLoss(small_config())
    target, output = _pair()
    np.testing.assert_allclose(np.asarray(loss(target, target)), 0.0, atol=1e-5)
    np.testing.assert_allclose(
        np.asarray(loss(target, output))[1], np.asarray(loss(target[1:2], output[1:2]))[0], rtol=1e-4
    )


def test_a_larger_difference_costs_more() -> None:
    from synth_explorer.model.spectral import SpectralLoss

    loss = SpectralLoss(small_config())
    target, _ = _pair()
    costs = [float(np.asarray(loss(target, target * gain))[0]) for gain in (0.9, 0.7, 0.4)]
    assert costs == sorted(costs)
    assert costs[0] > 0.0
    assert costs == pytest.approx(sorted(costs))
