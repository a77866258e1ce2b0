"""Sums of many sines of one moving pitch, and the slopes back to their amplitudes: one complex number a sample, turned
by the pitch from each partial to the next, compiled by Numba on two threads.

Shapes: J subframes, L samples of a subframe, K partials; further axes may stand before J.
"""

from __future__ import annotations

from math import factorial
from typing import Any

import numpy as np
from numba import njit

from synth_explorer.runtime import Helpers

_POOL = Helpers(1, thread_name_prefix="sines")
_ONE, _TWO, _PI = np.float32(1.0), np.float32(2.0), np.float32(np.pi)
_S1, _S3, _S5, _S7, _S9, _S11 = (np.float32((-1) ** (n // 2) / factorial(n)) for n in range(1, 12, 2))
_C2, _C4, _C6, _C8, _C10, _C12 = (np.float32((-1) ** (n // 2) / factorial(n)) for n in range(2, 13, 2))


def cycles_of(pitch_hz: np.ndarray, *, subframes: int, subframe: int, sample_rate_hz: int) -> np.ndarray:
    """Cycles 0..1 at every sample, [J, L] float32, of a pitch [F] in Hz that is linear between its values."""
    frequency = linear(np.asarray(pitch_hz, np.float64), subframes)
    following = np.append(frequency[1:], frequency[-1])
    whole = (frequency + following) * (0.5 * subframe / sample_rate_hz)
    start = (np.cumsum(whole) - whole) % 1.0
    out = np.empty((len(frequency), subframe), np.float32)
    _cycles(start, frequency / sample_rate_hz, (following - frequency) / (2.0 * subframe * sample_rate_hz), out)
    return out


def linear(values: np.ndarray, factor: int) -> np.ndarray:
    """[F] -> [F * factor], linear between values, the last one held."""
    following = np.append(values[1:], values[-1])
    ramp = np.arange(factor, dtype=values.dtype) / factor
    return (values[:, None] + (following - values)[:, None] * ramp).reshape(-1)


def sum_of_sines(amplitude: np.ndarray, cycles: np.ndarray, *, start: np.ndarray | None = None) -> np.ndarray:
    """sum_k a_k sin(2 pi k cycles), amplitudes linear to the next subframe: [.., J, K], [.., J, L] -> [.., J, L].

    float32; the last amplitudes are held, partials above half the sample rate left out. `start`: cycles [.., J, L] of
    the first partial, where that is not the first harmonic; each further one has `cycles` more.
    """
    cycles, amplitude = np.ascontiguousarray(cycles, np.float32), np.asarray(amplitude, np.float32)
    rises = np.zeros(amplitude.shape, np.float32)
    np.subtract(amplitude[..., 1:, :], amplitude[..., :-1, :], out=rises[..., :-1, :])
    out = np.zeros(cycles.shape, np.float32)
    _on_two_threads(_sums, *(_rows(given) for given in (amplitude, rises, cycles, _started(start, cycles), out)))
    return out


def amplitude_slopes(
    slope: np.ndarray, cycles: np.ndarray, *, count: int, start: np.ndarray | None = None
) -> np.ndarray:
    """Slope by what `sum_of_sines` gave [.., J, L] -> slope by the amplitudes of `count` partials, [.., J, K]."""
    slope, cycles = (np.ascontiguousarray(given, np.float32) for given in (slope, cycles))
    now, rising = (np.zeros((*cycles.shape[:-1], count), np.float32) for _ in range(2))
    _on_two_threads(_slopes, *(_rows(given) for given in (slope, cycles, _started(start, cycles), now, rising)))
    now -= rising
    now[..., 1:, :] += rising[..., :-1, :]
    now[..., -1, :] += rising[..., -1, :]
    return now


def _started(start: np.ndarray | None, cycles: np.ndarray) -> np.ndarray:
    return cycles if start is None else np.ascontiguousarray(start, np.float32)


def _rows(array: np.ndarray) -> np.ndarray:
    """[.., N] -> [M, N], the same memory."""
    return np.ascontiguousarray(array).reshape(-1, array.shape[-1])


def _on_two_threads(kernel: Any, *given: np.ndarray) -> None:
    """Run a kernel over all rows, the halves of them at once."""
    rows = len(given[0])
    second = _POOL.submit(kernel, *given, rows // 2, rows)
    kernel(*given, 0, rows // 2)
    second.result()


@njit(nogil=True, cache=True)
def _cycles(start, step, rise, out):
    """Cycles of every sample, of what each row starts with, steps by, and by how much its steps rise."""
    for j in range(len(start)):
        for n in range(out.shape[1]):
            cycles = start[j] + (step[j] + rise[j] * n) * n
            out[j, n] = cycles - np.floor(cycles)


@njit(nogil=True, fastmath=True, cache=True)
def _turns(cycles, cos, sin):
    """Cosines and sines of a row: series of half the angle, which lies within a quarter turn, to 1e-7."""
    for n in range(cycles.size):
        half = _PI * (cycles[n] - np.rint(cycles[n]))
        square = half * half
        sine = half * (_S1 + square * (_S3 + square * (_S5 + square * (_S7 + square * (_S9 + square * _S11)))))
        cosine = square * (_C2 + square * (_C4 + square * (_C6 + square * (_C8 + square * (_C10 + square * _C12)))))
        cosine += _ONE
        cos[n] = _ONE - _TWO * sine * sine
        sin[n] = _TWO * sine * cosine


@njit(nogil=True, fastmath=True, cache=True)
def _step(cycles):
    """The least cycles a sample of a row, at its ends."""
    last = cycles.size - 1
    begin, end = cycles[1] - cycles[0], cycles[last] - cycles[last - 1]
    return max(min(abs(begin - np.rint(begin)), abs(end - np.rint(end))), np.float32(1e-6))


@njit(nogil=True, fastmath=True, cache=True)
def _begin(cycles, start, cos1, sin1, cosk, sink):
    """The turn from partial to partial and the first partial of a row; returns how many lie below half the rate."""
    _turns(cycles, cos1, sin1)
    _turns(start, cosk, sink)
    step = _step(cycles)
    return int((np.float32(0.5) - _step(start)) / step + np.float32(1.0 + 1e-6))


@njit(nogil=True, cache=True)
def _empty(samples):
    """[samples] float32. Rows of one array would be taken for strided ones, which no vectors are made of."""
    return np.empty(samples, np.float32)


@njit(nogil=True, fastmath=True, cache=True)
def _of(row, k, count):
    """A partial's number, 0 for one that is not there."""
    return row[k] if k < count else np.float32(0.0)


@njit(nogil=True, fastmath=True, cache=True)
def _sums(amplitude, rises, cycles, start, out, first, last):
    """Four partials at a time, so that what lies in memory is fetched and put back once for them."""
    samples, count = cycles.shape[1], amplitude.shape[1]
    cos1, sin1, cosk, sink = _empty(samples), _empty(samples), _empty(samples), _empty(samples)
    ramp = np.arange(samples).astype(np.float32) / np.float32(samples)
    for j in range(first, last):
        audible = min(count, _begin(cycles[j], start[j], cos1, sin1, cosk, sink))
        row, low, rise = out[j], amplitude[j], rises[j]
        for k in range(0, audible, 4):
            a, b, c, d = low[k], _of(low, k + 1, audible), _of(low, k + 2, audible), _of(low, k + 3, audible)
            e, f, g, h = rise[k], _of(rise, k + 1, audible), _of(rise, k + 2, audible), _of(rise, k + 3, audible)
            for n in range(samples):
                turn, over, x, y = cos1[n], sin1[n], cosk[n], sink[n]
                flat, steep = a * y, e * y
                x, y = x * turn - y * over, y * turn + x * over
                flat, steep = flat + b * y, steep + f * y
                x, y = x * turn - y * over, y * turn + x * over
                flat, steep = flat + c * y, steep + g * y
                x, y = x * turn - y * over, y * turn + x * over
                flat, steep = flat + d * y, steep + h * y
                cosk[n], sink[n] = x * turn - y * over, y * turn + x * over
                row[n] += flat + ramp[n] * steep


@njit(nogil=True, fastmath=True, cache=True)
def _slopes(slope, cycles, start, now, rising, first, last):
    """Two partials at a time, as in `_sums`."""
    samples, count = cycles.shape[1], now.shape[1]
    cos1, sin1, cosk, sink = _empty(samples), _empty(samples), _empty(samples), _empty(samples)
    ramp, later = np.arange(samples).astype(np.float32) / np.float32(samples), _empty(samples)
    for j in range(first, last):
        audible = min(count, _begin(cycles[j], start[j], cos1, sin1, cosk, sink))
        row = slope[j]
        later[:] = row * ramp
        for k in range(0, audible, 2):
            a, b, e, f = np.float32(0.0), np.float32(0.0), np.float32(0.0), np.float32(0.0)
            for n in range(samples):
                turn, over, x, y = cos1[n], sin1[n], cosk[n], sink[n]
                a += row[n] * y
                e += later[n] * y
                x, y = x * turn - y * over, y * turn + x * over
                b += row[n] * y
                f += later[n] * y
                cosk[n], sink[n] = x * turn - y * over, y * turn + x * over
            now[j, k], rising[j, k] = a, e
            if k + 1 < audible:
                now[j, k + 1], rising[j, k + 1] = b, f
