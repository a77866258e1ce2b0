"""The bank of partials while training on a CPU with JAX: compiled by Numba, five times as quick as in `keras.ops`.

The values and slopes are those of `model.synthesis.sum_of_sines`; partials above half the sample rate are left out.

Shapes: B notes, J subframes, N = B * J, L samples of a subframe, K partials.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numba import njit

_POOL = ThreadPoolExecutor(2, thread_name_prefix="bank")


def bank() -> Any:
    """A function like `model.synthesis.sum_of_sines` that JAX can take slopes through. Needs the backend JAX."""
    import jax

    def like(array: Any) -> Any:
        return jax.ShapeDtypeStruct(array.shape, np.float32)

    @jax.custom_vjp
    def sum_of_sines(amplitude: Any, cycles: Any, ramp: Any) -> Any:
        return jax.pure_callback(lambda *given: sums(*given), like(cycles), amplitude, cycles)

    def forward(amplitude: Any, cycles: Any, ramp: Any) -> Any:
        return sum_of_sines(amplitude, cycles, ramp), (amplitude, cycles)

    def backward(kept: Any, slope: Any) -> Any:
        amplitude, cycles = kept
        by_amplitude = jax.pure_callback(
            lambda slope, cycles: slopes(slope, cycles, count=amplitude.shape[-1]), like(amplitude), slope, cycles
        )
        return by_amplitude, None, None

    sum_of_sines.defvjp(forward, backward)
    return sum_of_sines


def sums(amplitude: Any, cycles: Any) -> np.ndarray:
    """sum_k a_k sin(2 pi k cycles), amplitudes linear to the next subframe: [B, J, K], [B, J, L] -> [B, J, L]."""
    amplitude, cycles = (np.ascontiguousarray(given, np.float32) for given in (amplitude, cycles))
    following = np.concatenate([amplitude[:, 1:], amplitude[:, -1:]], axis=1)
    rises = (following - amplitude).reshape(-1, amplitude.shape[-1])
    flat, turns = amplitude.reshape(rises.shape), cycles.reshape(-1, cycles.shape[-1])
    out = np.zeros(turns.shape, np.float32)
    _halves(_sums, len(turns), flat, rises, turns, out)
    return out.reshape(cycles.shape)


def slopes(slope: Any, cycles: Any, *, count: int) -> np.ndarray:
    """Slope of a loss by what `sums` gave, [B, J, L] -> slope by the amplitudes of `count` partials, [B, J, K]."""
    slope, cycles = (np.ascontiguousarray(given, np.float32) for given in (slope, cycles))
    notes, frames, samples = cycles.shape
    now, rising = (np.zeros((notes * frames, count), np.float32) for _ in range(2))
    turns = cycles.reshape(-1, samples)
    _halves(_slopes, len(turns), slope.reshape(turns.shape), turns, now, rising)
    now, rising = now.reshape(notes, frames, count), rising.reshape(notes, frames, count)
    out = now - rising
    out[:, 1:] += rising[:, :-1]
    out[:, -1] += rising[:, -1]
    return out


def _halves(work: Any, rows: int, *given: np.ndarray) -> None:
    """Run a kernel over all rows, on two threads."""
    middle = rows // 2
    second = _POOL.submit(work, *given, middle, rows)
    work(*given, 0, middle)
    second.result()


@njit(nogil=True, fastmath=True, cache=True)
def _start(cycles, cos1, sin1):
    """First harmonic of a row; returns how many partials lie below half the sample rate."""
    for n in range(cycles.size):
        angle = np.float32(2.0 * np.pi) * (cycles[n] - np.rint(cycles[n]))
        cos1[n] = np.cos(angle)
        sin1[n] = np.sin(angle)
    step = max(abs(cycles[1] - cycles[0] - np.rint(cycles[1] - cycles[0])), np.float32(1e-6))
    return int(np.float32(0.5) / step)


@njit(nogil=True, fastmath=True, cache=True)
def _sums(amplitude, rises, cycles, out, first, last):
    samples, count = cycles.shape[1], amplitude.shape[1]
    cos1, sin1 = np.empty(samples, np.float32), np.empty(samples, np.float32)
    cosk, sink = np.empty(samples, np.float32), np.empty(samples, np.float32)
    ramp = np.arange(samples).astype(np.float32) / np.float32(samples)
    for j in range(first, last):
        audible = min(count, _start(cycles[j], cos1, sin1))
        cosk[:], sink[:] = cos1, sin1
        row = out[j]
        for k in range(audible):
            low, rise = amplitude[j, k], rises[j, k]
            for n in range(samples):
                row[n] += (low + rise * ramp[n]) * sink[n]
                turned = cosk[n] * cos1[n] - sink[n] * sin1[n]
                sink[n] = sink[n] * cos1[n] + cosk[n] * sin1[n]
                cosk[n] = turned


@njit(nogil=True, fastmath=True, cache=True)
def _slopes(slope, cycles, now, rising, first, last):
    samples, count = cycles.shape[1], now.shape[1]
    cos1, sin1 = np.empty(samples, np.float32), np.empty(samples, np.float32)
    cosk, sink = np.empty(samples, np.float32), np.empty(samples, np.float32)
    later = np.empty(samples, np.float32)
    ramp = np.arange(samples).astype(np.float32) / np.float32(samples)
    for j in range(first, last):
        audible = min(count, _start(cycles[j], cos1, sin1))
        cosk[:], sink[:] = cos1, sin1
        row = slope[j]
        later[:] = row * ramp
        for k in range(audible):
            flat, steep = np.float32(0.0), np.float32(0.0)
            for n in range(samples):
                flat += row[n] * sink[n]
                steep += later[n] * sink[n]
                turned = cosk[n] * cos1[n] - sink[n] * sin1[n]
                sink[n] = sink[n] * cos1[n] + cosk[n] * sin1[n]
                cosk[n] = turned
            now[j, k], rising[j, k] = flat, steep
