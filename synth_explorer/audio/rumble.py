"""What lies below hearing in a sound, told from the tones of its bass: offsets, drifts and rumble.

Shapes: T samples, K frequencies, N amplitudes: of K cosines, then of K - 1 sines.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from synth_explorer.mel import LOWEST_HEARD_HZ

TAKEN_HZ = LOWEST_HEARD_HZ - 0.3
HIGHEST_HZ = 60.0  # what a bass has up to here stands beside what is taken, so that neither is taken for the other
FINER, LEAST_S = 2, 3.0  # frequencies a whole wave in a block, and in how long a block at the least
BLOCK_S, MARGIN_S = 4.0, 0.5
ROUNDS = 12
TRUSTING = 3  # rounds before the noise is measured
NOISE = 1e-8, 10.0  # least and most, of that of a white sound as loud
SPREAD, NEAR = 0.3, 3  # of a frequency's power that the next one may have, and so on, so many
LITTLE = 10.0**-6.3  # of the sound's power: with less below hearing, nothing is looked for
GIVEN_UP = 1e-8  # of the strongest frequency's power
ROUNDING = 1e-11
LEVEL_S, ONSET_S, RAMP_S = 0.05, 0.08, 0.05
QUIETER = 30.0  # by so much, at most, the power of a quiet moment counts more than that of the loudest


def rumble(audio: np.ndarray, rest: np.ndarray, *, onset: int, sample_rate_hz: int) -> np.ndarray:
    """What lies below hearing in a sound [T], float64 [T], from block to block.

    `rest` [T]: roughly, what does not. `onset`: where a note begins in it.
    """
    count = max(1, round(audio.size / (BLOCK_S * sample_rate_hz)))
    margin = round(MARGIN_S * sample_rate_hz)
    edges = np.linspace(0, audio.size, count + 1).astype(int).tolist()
    below, total = np.zeros((2, audio.size))
    for start, stop in pairwise(edges):
        part = slice(max(start - margin, 0), stop + margin)
        weight = weights(rest[part], onset - part.start, sample_rate_hz)
        at = np.arange(audio.size)[part]
        share = np.clip(np.minimum(at - start, stop - 1 - at) / (2.0 * margin) + 0.5, 1e-6, 1.0)
        below[part] += share * fit(audio[part], weight, sample_rate_hz=sample_rate_hz)
        total[part] += share
    return below / total


def weights(rest: np.ndarray, onset: int, sample_rate_hz: int) -> np.ndarray:
    """How much each moment of a sound [T] tells of what lies beneath it: the more the softer; at the ends, and at the
    onset of a note, nothing, since whatever begins at once is nothing that lasts."""
    reach = round(LEVEL_S * sample_rate_hz) // 2
    onset = int(np.clip(onset, 0, rest.size))
    power, weight = np.empty(rest.size), np.ones(rest.size)
    for part in (slice(0, onset), slice(onset, rest.size)):
        if rest[part].size:
            power[part] = _mean(_mean(np.square(rest[part], dtype=np.float64), reach), reach)
    weight = 1.0 / (power + power.max() / QUIETER + 1e-30)
    weight[onset:] *= _rising(rest.size - onset, round(ONSET_S * sample_rate_hz))
    ramp = min(round(RAMP_S * sample_rate_hz), rest.size // 4)
    return weight * _rising(rest.size, ramp) * _rising(rest.size, ramp)[::-1]


def _rising(size: int, ramp: int) -> np.ndarray:
    """From 0 to 1 in `ramp` samples, and 1 from there: [size]."""
    return 0.5 - 0.5 * np.cos(np.pi * np.clip((np.arange(size) + 0.5) / max(ramp, 1), 0.0, 1.0))


def _mean(values: np.ndarray, reach: int) -> np.ndarray:
    """Mean [T] of each value with `reach` to either side; beyond the ends they stay."""
    sums = np.cumsum(np.pad(values, (reach + 1, reach), mode="edge"))
    return np.maximum(sums[2 * reach + 1 :] - sums[: -2 * reach - 1], 0.0) / (2 * reach + 1)


def fit(audio: np.ndarray, weight: np.ndarray, *, sample_rate_hz: int) -> np.ndarray:
    """The few sines below hearing that, with those of a bass above it, come nearest to a sound [T] by weighted squares.

    Their frequencies lie closer than whole waves, so that a wave may be cut off anywhere. Every frequency is as likely
    to be strong as it, or one beside it, was found to be, round after round, which leaves the few that are needed
    (sparse Bayesian learning; Tipping, 2001; here by the reweighting of Gorodnitsky and Rao, 1997, "Sparse signal
    reconstruction using FOCUSS"). The noise is that of the sound in these frequencies.
    """
    from scipy.fft import irfft, next_fast_len, rfft
    from scipy.linalg import cho_factor, cho_solve

    size = next_fast_len(max(FINER * audio.size, round(LEAST_S * sample_rate_hz)), real=True)
    count = min(int(HIGHEST_HZ * size / sample_rate_hz) + 1, size // 4)
    taken = int(TAKEN_HZ * size / sample_rate_hz) + 1
    weighted = rfft(weight * audio, size)
    power = 2.0 * audio.size / size * float(np.sum(np.abs(weighted[:taken]) ** 2)) / float(weight.sum()) ** 2
    if power < LITTLE * float(np.mean(np.square(audio))):
        return np.zeros(audio.size)
    products, target = _normal(rfft(weight, size)[: 2 * count], weighted[:count])
    likely = np.full(count, 100.0 * float(np.mean(np.square(audio))) + 1e-30)
    of = np.concatenate([np.arange(count), np.arange(1, count)])  # frequency of each amplitude
    own, noise = np.diag(products).copy(), 1.0
    amplitudes = np.zeros(of.size)
    for done in range(ROUNDS):
        used = np.flatnonzero(likely[of] > GIVEN_UP * likely.max())
        scale = np.sqrt(likely[of[used]])
        matrix = scale[:, None] * products[np.ix_(used, used)] * scale
        matrix[np.diag_indices_from(matrix)] += noise + ROUNDING * np.trace(matrix)
        amplitudes[:] = 0.0
        amplitudes[used] = scale * cho_solve(cho_factor(matrix, overwrite_a=True), scale * target[used])
        found = np.bincount(of, amplitudes**2)
        found[1:] /= 2.0
        padded = np.pad(found, NEAR)
        near = [SPREAD ** abs(away) * padded[NEAR + away : NEAR + away + count] for away in range(-NEAR, NEAR + 1)]
        likely = np.maximum(np.max(near, axis=0), 1e-30)
        if done >= TRUSTING:
            noise = float(np.clip(np.mean((target - products @ amplitudes) ** 2 / own), *NOISE))
    spectrum = np.zeros(size // 2 + 1, complex)
    spectrum[:taken] = amplitudes[:taken] * (size / 2.0)
    spectrum[0] *= 2.0
    spectrum[1:taken] -= 1j * amplitudes[count : count + taken - 1] * (size / 2.0)
    return irfft(spectrum, size)[: audio.size]


def _normal(weight: NDArray[np.complex128], weighted: NDArray[np.complex128]) -> tuple[np.ndarray, np.ndarray]:
    """Products of all cosines and sines under a weight [N, N], and with the weighted sound [N], from their transforms:
    [2 K] of the weight, [K] of the sound."""
    from scipy.linalg import hankel, toeplitz

    count = weighted.size
    real, imaginary = weight.real, -weight.imag
    apart = toeplitz(real[:count]), toeplitz(-imaginary[:count], imaginary[:count])
    joined = [hankel(each[:count], each[count - 1 : 2 * count - 1]) for each in (real, imaginary)]
    cosines, sines = (apart[0] + joined[0]) / 2.0, (apart[0] - joined[0]) / 2.0
    mixed = (apart[1] + joined[1]) / 2.0
    products = np.block([[cosines, mixed[:, 1:]], [mixed[:, 1:].T, sines[1:, 1:]]])
    return products, np.concatenate([weighted.real, -weighted.imag[1:]])
