"""What lies below hearing, as a few sines, against plain linear algebra."""

from __future__ import annotations

import numpy as np
import pytest

from synth_explorer.audio import rumble

RATE_HZ = 1_000


def dense(size: int, grid: int, count: int) -> np.ndarray:
    """[T, N]: cosines, then sines, of the frequencies below `HIGHEST_HZ`."""
    phase = 2 * np.pi * np.outer(np.arange(size), np.arange(count)) / grid
    return np.concatenate([np.cos(phase), np.sin(phase[:, 1:])], axis=1)


def test_equals_plain_reweighted_least_squares(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rumble, "NOISE", (0.5, 0.5))
    monkeypatch.setattr(rumble, "LEAST_S", 0.0)
    size = 500
    rng = np.random.default_rng(0)
    sound = rng.normal(size=size) + 3.0 * np.cos(2 * np.pi * 7.3 * np.arange(size) / RATE_HZ + 1.0)
    weight = rng.uniform(0.2, 1.0, size)
    grid = rumble.FINER * size
    count = int(rumble.HIGHEST_HZ * grid / RATE_HZ) + 1
    basis = dense(size, grid, count)
    of = np.concatenate([np.arange(count), np.arange(1, count)])
    likely, noise, found = np.full(count, 100.0 * np.mean(sound**2)), 1.0, np.zeros(of.size)
    for done in range(rumble.ROUNDS):
        left = basis.T @ (weight[:, None] * basis) + np.diag(noise / likely[of])
        found = np.linalg.solve(left, basis.T @ (weight * sound))
        power = np.array([np.mean(np.square(found[of == k])) for k in range(count)])
        likely = np.array(
            [max(power[j] * 0.3 ** abs(j - k) for j in range(max(0, k - 3), min(count, k + 4))) for k in range(count)]
        )
        noise = 0.5 if done >= rumble.TRUSTING else noise
    taken = of * RATE_HZ / grid <= rumble.TAKEN_HZ
    np.testing.assert_allclose(rumble.fit(sound, weight, sample_rate_hz=RATE_HZ), (basis * taken) @ found, atol=1e-5)


@pytest.mark.parametrize("seconds", [0.3, 4.0, 11.0])
def test_blocks_join(seconds: float) -> None:
    at_s = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    sound = 0.5 + 0.2 * np.sin(2 * np.pi * 3.3 * at_s) + 0.01 * np.sin(2 * np.pi * 200.0 * at_s)
    rest = 0.01 * np.sin(2 * np.pi * 200.0 * at_s)
    below = rumble.rumble(sound, rest, onset=0, sample_rate_hz=RATE_HZ)
    assert np.abs(sound - rest - below).max() < 1e-3


@pytest.mark.parametrize("onset", [-50, 0, 700, 5_000])
def test_an_onset_tells_nothing_and_silence_tells_most(onset: int) -> None:
    rest = np.where(np.arange(2_000) < onset, 1e-3, 1.0) * np.random.default_rng(1).normal(size=2_000)
    weight = rumble.weights(rest, onset, RATE_HZ)
    assert weight.shape == rest.shape and (weight > 0.0).all()
    if 0 <= onset < rest.size:
        assert weight[onset] < 0.01 * weight[onset + 200]
    if onset == 700:
        assert weight[600] > 20.0 * weight[1_000]
