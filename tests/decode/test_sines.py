"""The bank of partials against its definition, and in JAX against the one in `keras.ops`."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from synth_explorer.decode import sines

NOTES, FRAMES, SAMPLES, COUNT = 2, 5, 12, 7


def given(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Amplitudes and cycles whose partials up to the fifth lie below half the sample rate."""
    step = rng.uniform(0.05, 0.09, (NOTES, FRAMES, 1))
    cycles = (rng.random((NOTES, FRAMES, 1)) + step * np.arange(SAMPLES)) % 1.0
    amplitude = rng.standard_normal((NOTES, FRAMES, COUNT))
    amplitude[..., 5:] = 0.0
    return amplitude.astype(np.float32), cycles.astype(np.float32)


def naive(amplitude: np.ndarray, cycles: np.ndarray) -> np.ndarray:
    """Sample by sample, partial by partial."""
    out = np.zeros(cycles.shape)
    for b, j, n in np.ndindex(*cycles.shape):
        after = min(j + 1, FRAMES - 1)
        for k in range(COUNT):
            now = amplitude[b, j, k] + (amplitude[b, after, k] - amplitude[b, j, k]) * n / SAMPLES
            out[b, j, n] += now * np.sin(2.0 * np.pi * (k + 1) * float(cycles[b, j, n]))
    return out


def test_sums_are_those_of_the_definition():
    amplitude, cycles = given(np.random.default_rng(0))
    np.testing.assert_allclose(sines.sum_of_sines(amplitude, cycles), naive(amplitude, cycles), atol=1e-5)


def test_slopes_are_the_transposed_sums():
    rng = np.random.default_rng(1)
    amplitude, cycles = given(rng)
    slope = rng.standard_normal(cycles.shape).astype(np.float32)
    by_amplitude = sines.amplitude_slopes(slope, cycles, count=COUNT)
    assert np.sum(by_amplitude * amplitude) == pytest.approx(np.sum(slope * naive(amplitude, cycles)), rel=1e-4)
    moved = amplitude.copy()
    moved[1, 2, 3] += 1.0
    rise = np.sum(slope * (naive(moved, cycles) - naive(amplitude, cycles)))
    assert by_amplitude[1, 2, 3] == pytest.approx(rise, rel=1e-4)


def test_partials_above_half_the_rate_are_left_out():
    amplitude, cycles = given(np.random.default_rng(2))
    cycles = (cycles * 0.0 + 0.3 * np.arange(SAMPLES)).astype(np.float32) % 1.0
    alone = amplitude.copy()
    alone[..., 1:] = 0.0
    np.testing.assert_array_equal(sines.sum_of_sines(amplitude, cycles), sines.sum_of_sines(alone, cycles))


SLOPES_BY_JAX = """
import os
os.environ["KERAS_BACKEND"] = "jax"
import jax, numpy as np
from synth_explorer.model.synthesis import harmonics
from synth_explorer.train.trainer import quick_bank
rng = np.random.default_rng(0)
amplitude = rng.standard_normal((2, 8, 9)).astype(np.float32)
pitch_hz = rng.uniform(100, 700, (2, 2)).astype(np.float32)
weight = rng.standard_normal((2, 8 * 24)).astype(np.float32)
found = []
for bank in (None, quick_bank()):
    def loss(a):
        sound = harmonics(a, pitch_hz, subframes=4, subframe=24, sample_rate_hz=16000, bank=bank)
        return (sound * weight).sum()
    found.append(jax.jit(jax.value_and_grad(loss))(amplitude))
assert quick_bank() is not None
np.testing.assert_allclose(found[1][0], found[0][0], rtol=1e-4)
np.testing.assert_allclose(found[1][1], found[0][1], atol=2e-4)
"""


@pytest.mark.long
def test_jax_takes_slopes_through_it():
    pytest.importorskip("jax")
    subprocess.run([sys.executable, "-c", SLOPES_BY_JAX], check=True, timeout=600)
