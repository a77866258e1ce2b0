"""The vector instructions: integer products are exact, gates and exponentials within bounds."""

from __future__ import annotations

import numpy as np
import pytest
from numba import njit

from synth_explorer.decode.wavenet.packing import DTYPES, LIMITS, STAGED, aligned, pack, quantised
from synth_explorer.decode.wavenet.tiles import PER_STEP, tile
from synth_explorer.decode.wavenet.vectors import MOST, gate, stage, weigh
from tests.decode.wavenet.stacks import random_stack


@njit
def product(kind, w, stride, steps, x, x_stride, y, y_stride, bias, scale, init, x_scale):
    tile(kind, w, stride, steps, x, x_stride, y, y_stride, bias, scale, init, x_scale, 0, w, 0, 2, 4)


@njit
def gates(y, condition, g, count):
    for i in range(count):
        gate(y + 128 * i, condition + 128 * i, g + 64 * i)


@njit
def exponentials(x, top, slope, blocks, out):
    weigh(x, top, slope, blocks, out)


@njit
def staged(kind, x, blocks, out):
    return stage(kind, x, blocks, out)


@pytest.mark.parametrize("precision", ["int16", "int8"])
def test_integer_products_are_exact(precision: str) -> None:
    rng = np.random.default_rng(0)
    whole, scale = quantised(rng.standard_normal((48, 32)).astype(np.float32), precision)
    most, staged_type, per_step = MOST[precision], STAGED[precision], PER_STEP[precision]
    x = rng.integers(-most, most + 1, (4, 48))
    x[0], whole[:, 0] = most, LIMITS[precision] if precision == "int8" else 0  # the largest sums there are
    offset = 128 if staged_type is np.uint8 else 0
    weights = aligned(whole.reshape(48 // per_step, per_step, 2, 16).transpose(2, 0, 3, 1))
    inputs = aligned((x + offset).astype(staged_type))
    bias, factors, starts, ones = (
        aligned(np.zeros(32, np.float32)),
        aligned(scale),
        aligned(-offset * whole.sum(axis=0, dtype=np.int32)),
        np.ones(4, np.float32),
    )
    y = aligned(np.zeros((4, 32), np.float32))
    product(
        DTYPES[precision](0), weights.ctypes.data, weights.strides[0], 48 // per_step, inputs.ctypes.data,
        inputs.strides[0], y.ctypes.data, 128, bias.ctypes.data, factors.ctypes.data, starts.ctypes.data,
        ones.ctypes.data,
    )  # fmt: skip
    np.testing.assert_array_equal(y, (x @ whole.astype(np.int64)).astype(np.float32) * scale)


def test_int16_sums_cannot_overflow() -> None:
    rng = np.random.default_rng(0)
    for weights in (np.ones((512, 4)), rng.standard_normal((512, 4)), rng.standard_normal((16, 4)) ** 9):
        whole, _ = quantised(weights.astype(np.float32), "int16")
        assert np.abs(whole.astype(np.int64)).sum(axis=0).max() * MOST["int16"] < 2**31


def test_gates_keep_their_bound() -> None:
    p, q = np.meshgrid(np.linspace(-60.0, 60.0, 128), np.linspace(-30.0, 30.0, 127))
    p, q = p.astype(np.float32).reshape(-1, 16), q.astype(np.float32).reshape(-1, 16)
    y, g = aligned(np.concatenate([p, q], axis=1)), aligned(np.empty_like(p))
    condition = aligned(np.zeros_like(y))
    gates(y.ctypes.data, condition.ctypes.data, g.ctypes.data, len(p))
    exact = np.tanh(q.astype(np.float64)) / (1.0 + np.exp(-p.astype(np.float64)))
    assert np.abs(g - exact).max() < 3e-7


def test_exponentials_keep_their_bound() -> None:
    x = aligned(np.linspace(-80.0, 0.0, 1600).astype(np.float32))
    out = aligned(np.empty_like(x))
    exponentials(x.ctypes.data, np.float32(0.0), np.float32(1.0), 100, out.ctypes.data)
    np.testing.assert_allclose(out, np.exp(x.astype(np.float64)), rtol=2e-7)


@pytest.mark.parametrize(("precision", "most"), [("int16", 4095), ("int8", 127)])
def test_activations_are_rounded_to_steps_of_their_largest(precision: str, most: int) -> None:
    x = aligned(np.random.default_rng(0).standard_normal(64).astype(np.float32))
    out = aligned(np.zeros(64, STAGED[precision]))
    scale = staged(DTYPES[precision](0), x.ctypes.data, 4, out.ctypes.data)
    assert scale == pytest.approx(np.abs(x).max() / most)
    whole = out.astype(np.int32) - (128 if STAGED[precision] is np.uint8 else 0)
    assert np.abs(whole).max() == most
    assert np.abs(whole * scale - x).max() <= 0.5001 * scale


def test_packed_products_hold_every_weight() -> None:
    stack = random_stack(width=20, skip=24, taps=3)
    packed = pack(stack, "float32")
    layer, kept = packed.layers[0], stack.layers[0]
    sums = layer.sums.weights[..., 0].transpose(1, 0, 2).reshape(32, -1)
    np.testing.assert_array_equal(sums[:20, :20], kept.residual)
    np.testing.assert_array_equal(sums[:20, 32:56], kept.skip)
    gates = layer.gates.weights[..., 0].transpose(1, 0, 2).reshape(32, 2, 2, 16)
    np.testing.assert_array_equal(gates[:20, :, 0].reshape(20, 32)[:, :20], kept.dilated[-1, :, :20])
    np.testing.assert_array_equal(gates[:20, :, 1].reshape(20, 32)[:, :20], kept.dilated[-1, :, 20:])
    assert not sums[20:].any() and not gates[20:].any()
