"""Sums of many sines of one moving pitch, and the slopes back to their amplitudes, in small matrix products.

Shapes: J subframes, L samples of a subframe, K partials, R partials of a group, Q groups.

With z = exp(2 pi i cycles) and k = R q + r the sum of a_k z^k is that of z^(R q) (sum over r of a_(R q + r) z^r): the
inner sums are one product of matrices a subframe, since all its samples share the amplitudes at its two ends.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np

GROUP = 8
BLOCK = 32  # subframes that are worked on at a time, so that they stay in the cache
_POOL = ThreadPoolExecutor(2, thread_name_prefix="sines")


def sum_of_sines(amplitude: np.ndarray, cycles: np.ndarray) -> np.ndarray:
    """sum_k a_k sin(2 pi k cycles), amplitudes linear from each subframe to the next: [J, K], [J, L] -> [J, L].

    float32; the last amplitudes are held.
    """
    frames, samples = cycles.shape
    grouped = _grouped(amplitude)
    out = np.empty((frames, samples), np.float32)

    def work(rows: slice) -> None:
        small, large = _powers(cycles[rows], grouped.shape[1])
        sums = np.matmul(grouped[rows], small)
        sums *= large
        both = sums.sum(axis=1)
        np.add(both[:, ::2], both[:, 1::2], out=out[rows])

    list(_POOL.map(work, _blocks(frames)))
    return out


def amplitude_slopes(slope: np.ndarray, cycles: np.ndarray, *, count: int) -> np.ndarray:
    """Slope of a loss by what `sum_of_sines` gave [J, L] -> slope by the amplitudes [J, K] of `count` partials."""
    frames, groups = len(cycles), -(-count // GROUP)
    out = np.empty((frames, groups, 2 * GROUP), np.float32)
    twice = np.repeat(np.asarray(slope, np.float32), 2, axis=1)[:, None]

    def work(rows: slice) -> None:
        small, large = _powers(cycles[rows], groups)
        large *= twice[rows]
        np.matmul(large, small.swapaxes(1, 2), out=out[rows])

    list(_POOL.map(work, _blocks(frames)))
    now, rising = (out[:, :, half].reshape(frames, -1)[:, :count] for half in (slice(GROUP), slice(GROUP, None)))
    total = now - rising
    total[1:] += rising[:-1]
    total[-1] += rising[-1]
    return total


def _blocks(frames: int) -> Iterator[slice]:
    return (slice(first, min(first + BLOCK, frames)) for first in range(0, frames, BLOCK))


def _grouped(amplitude: np.ndarray) -> np.ndarray:
    """Amplitudes [J, K] -> [J, Q, 2 R]: in groups, and by how much each rises until the next subframe."""
    frames, count = amplitude.shape
    groups = -(-count // GROUP)
    out = np.zeros((2, frames, groups * GROUP), np.float32)
    out[0, :, :count] = amplitude
    np.subtract(amplitude[1:], amplitude[:-1], out=out[1, :-1, :count])
    return out.reshape(2, frames, groups, GROUP).transpose(1, 2, 0, 3).reshape(frames, groups, 2 * GROUP)


def _powers(cycles: np.ndarray, groups: int) -> tuple[np.ndarray, np.ndarray]:
    """Powers of z, real and imaginary parts side by side, float32: z^r, and z^r times a ramp from 0 to 1,
    [J, 2 R, 2 L]; and i times the conjugate of z^(R q) [J, Q, 2 L], so that real products sum up to imaginary parts."""
    frames, samples = cycles.shape
    angle = (cycles - np.rint(cycles)).astype(np.float32)
    angle *= np.float32(2.0 * np.pi)
    small = np.empty((frames, 2 * GROUP, samples), np.complex64)
    small[:, 0].real, small[:, 0].imag = np.cos(angle), np.sin(angle)
    _fill(small[:, :GROUP])
    ramp = np.repeat(np.arange(samples, dtype=np.float32) / np.float32(samples), 2)
    both = small.view(np.float32)
    np.multiply(both[:, :GROUP], ramp, out=both[:, GROUP:])
    large = np.empty((frames, groups, samples), np.complex64)
    large[:, 0] = 1j
    if groups > 1:
        large[:, 1] = 1j * np.conj(small[:, GROUP - 1])
        _turn(large, np.conj(small[:, GROUP - 1]))
    return both, large.view(np.float32)


def _fill(powers: np.ndarray) -> None:
    """z in the first row -> z, z^2, z^3 .. in all rows of [J, N, L], each in few roundings."""
    known, count = 1, powers.shape[1]
    while known < count:
        more = min(known, count - known)
        np.multiply(powers[:, :more], powers[:, known - 1 : known], out=powers[:, known : known + more])
        known += more


def _turn(large: np.ndarray, step: np.ndarray) -> None:
    """i, i w in the first rows of [J, Q, L] -> i w^q in all, w = `step` [J, L]."""
    known, count, power = 2, large.shape[1], step * step
    while known < count:
        more = min(known, count - known)
        np.multiply(large[:, :more], power[:, None], out=large[:, known : known + more])
        known, power = known + more, power * power
