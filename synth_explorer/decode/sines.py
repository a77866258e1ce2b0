"""Sums of many sines of one moving pitch, and the slopes back to their amplitudes: one complex number a sample, turned
by the pitch from each partial to the next, compiled by Numba on two threads.

Shapes: J subframes, L samples of a subframe, K partials; further axes may stand before J.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from synth_explorer.runtime import Helpers

_POOL = Helpers(1, thread_name_prefix="sines")


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


def sum_of_sines(amplitude: np.ndarray, cycles: np.ndarray) -> np.ndarray:
    """sum_k a_k sin(2 pi k cycles), amplitudes linear to the next subframe: [.., J, K], [.., J, L] -> [.., J, L].

    float32; the last amplitudes are held, partials above half the sample rate left out.
    """
    cycles, amplitude = np.ascontiguousarray(cycles, np.float32), np.asarray(amplitude, np.float32)
    rises = np.zeros(amplitude.shape, np.float32)
    np.subtract(amplitude[..., 1:, :], amplitude[..., :-1, :], out=rises[..., :-1, :])
    out = np.zeros(cycles.shape, np.float32)
    _on_two_threads(_sums, *(_rows(given) for given in (amplitude, rises, cycles, out)))
    return out


def amplitude_slopes(slope: np.ndarray, cycles: np.ndarray, *, count: int) -> np.ndarray:
    """Slope by what `sum_of_sines` gave [.., J, L] -> slope by the amplitudes of `count` partials, [.., J, K]."""
    slope, cycles = (np.ascontiguousarray(given, np.float32) for given in (slope, cycles))
    now, rising = (np.zeros((*cycles.shape[:-1], count), np.float32) for _ in range(2))
    _on_two_threads(_slopes, *(_rows(given) for given in (slope, cycles, now, rising)))
    now -= rising
    now[..., 1:, :] += rising[..., :-1, :]
    now[..., -1, :] += rising[..., -1, :]
    return now


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
def _first(cycles, cos1, sin1):
    """The first partial of a row; returns how many lie below half the sample rate."""
    last = cycles.size - 1
    for n in range(last + 1):
        angle = np.float32(2.0 * np.pi) * (cycles[n] - np.rint(cycles[n]))
        cos1[n] = np.cos(angle)
        sin1[n] = np.sin(angle)
    begin, end = cycles[1] - cycles[0], cycles[last] - cycles[last - 1]
    step = min(abs(begin - np.rint(begin)), abs(end - np.rint(end)))
    return int(np.float32(0.5) / max(step, np.float32(1e-6)))


@njit(nogil=True, fastmath=True, cache=True)
def _sums(amplitude, rises, cycles, out, first, last):
    samples, count = cycles.shape[1], amplitude.shape[1]
    cos1, sin1, cosk, sink = np.empty((4, samples), np.float32)
    ramp = np.arange(samples).astype(np.float32) / np.float32(samples)
    for j in range(first, last):
        audible = min(count, _first(cycles[j], cos1, sin1))
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
    cos1, sin1, cosk, sink = np.empty((4, samples), np.float32)
    ramp, later = np.arange(samples).astype(np.float32) / np.float32(samples), np.empty(samples, np.float32)
    for j in range(first, last):
        audible = min(count, _first(cycles[j], cos1, sin1))
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
