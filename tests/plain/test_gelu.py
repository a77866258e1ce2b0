"""The compiled error linear unit against its definition."""

from __future__ import annotations

import math

import numpy as np

from synth_explorer.plain.gelu import gelu, gelu_and_slope


def test_it_and_its_slope_are_those_of_the_definition() -> None:
    x = np.linspace(-30.0, 30.0, 6006).reshape(6, -1)[:, ::2].astype(np.float32)  # rows apart
    below = np.vectorize(lambda v: 0.5 * (1.0 + math.erf(v / math.sqrt(2.0))))(x.astype(np.float64))
    bell = np.exp(-0.5 * np.square(x, dtype=np.float64)) / np.sqrt(2.0 * np.pi)
    value, slope = gelu_and_slope(x)
    np.testing.assert_allclose(value, x * below, rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(slope, below + x * bell, atol=1e-6)
    np.testing.assert_allclose(gelu(x), value, atol=1e-6)
