"""The fast decoder's synthesis on a CPU: the same signal as `model.synthesis.render`, in Numba, for one note.

Shapes: T samples, F frames, J subframes, S level points, K harmonics, M bands, N bins.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from scipy.fft import irfft

from synth_explorer.runtime import Helpers

_POOL = Helpers(2, thread_name_prefix="synthesis")


def render(controls: dict[str, np.ndarray], pitch_hz: np.ndarray, **options: Any) -> np.ndarray:
    """Controls of one note (no batch axis, see `FastDecoder`) -> audio [F * hop] float32. Options: see `parts`."""
    tones, hiss = parts(controls, pitch_hz, **options)
    return tones + hiss


def parts(
    controls: dict[str, np.ndarray],
    pitch_hz: np.ndarray,
    *,
    noise_matrix: Any,
    short_matrix: Any,
    harmonics_count: int,
    hop: int,
    subframes: int,
    sample_rate_hz: int,
    seed: int,
) -> tuple[np.ndarray, np.ndarray]:
    """Controls of one note -> its partials and its noise, [F * hop] float32 each; the sound is their sum.

    `pitch_hz` [F] is interpolated linearly; the matrices [M, N] (dense or sparse) take noise bands to bins. The same
    seed gives the same noise.
    """
    subframe = hop // subframes
    long_phase, short_phase = noise_phases(len(pitch_hz), hop=hop, subframes=subframes, seed=seed)
    hiss = _POOL.submit(noise, controls["noise"] @ noise_matrix, long_phase, hop=hop)
    tones = partials(
        controls["harmonic"],
        pitch_hz,
        harmonics_count=harmonics_count,
        subframes=subframes,
        subframe=subframe,
        sample_rate_hz=sample_rate_hz,
    )
    click = noise(controls["short_noise"] @ short_matrix, short_phase, hop=subframe)
    level = _linear(controls["level"], len(tones) // len(controls["level"]))
    return tones * level, (click + hiss.result()) * level


def noise_phases(frames: int, *, hop: int, subframes: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Phases in cycles of both noises: [F, hop + 1] and [J, hop / subframes + 1], float32.

    Each has a generator of its own, so that a longer note begins like a shorter one.
    """
    long, short = (np.random.default_rng((seed, stream)) for stream in (0, 1))
    shape = (frames * subframes, hop // subframes + 1)
    return long.random((frames, hop + 1), dtype=np.float32), short.random(shape, dtype=np.float32)


def noise(magnitudes: np.ndarray, phase_cycles: np.ndarray, *, hop: int) -> np.ndarray:
    """Noise of given magnitudes: [F, hop + 1] twice -> [F * hop] (see `model.synthesis.noise`)."""
    angle = phase_cycles * np.float32(2.0 * np.pi)
    spectrum = np.empty(magnitudes.shape, np.complex64)
    spectrum.real, spectrum.imag = magnitudes * np.cos(angle), magnitudes * np.sin(angle)
    spectrum *= np.float32(np.sqrt(2.0 * hop))
    window = np.sin(np.pi * (np.arange(2 * hop) + 0.5) / (2 * hop)).astype(np.float32)
    frames = irfft(spectrum, axis=-1) * window
    out = frames[:, hop:]
    out[:-1] += frames[1:, :hop]
    return out.reshape(-1)


def partials(
    amplitude: np.ndarray,
    pitch_hz: np.ndarray,
    *,
    harmonics_count: int,
    subframes: int,
    subframe: int,
    sample_rate_hz: int,
) -> np.ndarray:
    """Harmonics and the partials half-way below each: [J, K + H] -> [J * subframe] (see `model.synthesis.partials`)."""
    sizes = {"subframes": subframes, "subframe": subframe, "sample_rate_hz": sample_rate_hz}
    out = harmonics(amplitude[:, :harmonics_count], pitch_hz, **sizes)
    half = amplitude[:, harmonics_count:]
    if half.shape[1]:
        odd = np.zeros((len(half), 2 * half.shape[1]), np.float32)
        odd[:, ::2] = half
        out += harmonics(odd, 0.5 * np.asarray(pitch_hz, np.float64), **sizes)
    return out


def harmonics(
    amplitude: np.ndarray, pitch_hz: np.ndarray, *, subframes: int, subframe: int, sample_rate_hz: int
) -> np.ndarray:
    """Sum of partials: amplitudes [J, K], pitch [F] -> [J * subframe] float32 (see `model.synthesis.harmonics`)."""
    frequency = _linear(np.asarray(pitch_hz, np.float64), subframes)
    following = np.append(frequency[1:], frequency[-1])
    cycles = (frequency + following) * (0.5 * subframe / sample_rate_hz)
    start = (np.cumsum(cycles) - cycles) % 1.0
    amplitude = np.ascontiguousarray(amplitude, np.float32)
    out = np.zeros(len(frequency) * subframe, np.float32)
    half = len(frequency) // 2
    args = (amplitude, start, frequency, following, subframe, float(sample_rate_hz), out)
    second = _POOL.submit(_partials, *args, half, len(frequency))
    _partials(*args, 0, half)
    second.result()
    return out


def _linear(values: np.ndarray, factor: int) -> np.ndarray:
    """[F] -> [F * factor], linear between values, the last one held."""
    following = np.append(values[1:], values[-1])
    ramp = np.arange(factor, dtype=values.dtype) / factor
    return (values[:, None] + (following - values)[:, None] * ramp).reshape(-1)


@njit(nogil=True, fastmath=True, cache=True)
def _partials(amplitude, start, frequency, following, subframe, rate, out, first, last):
    """Adds the partials of subframes first..last to `out`, by rotating one complex number per sample."""
    cos1, sin1 = np.empty(subframe, np.float32), np.empty(subframe, np.float32)
    cosk, sink = np.empty(subframe, np.float32), np.empty(subframe, np.float32)
    ramp = np.arange(subframe).astype(np.float32) / np.float32(subframe)
    frames, count = amplitude.shape
    for j in range(first, last):
        after = min(j + 1, frames - 1)
        for n in range(subframe):
            phase = start[j] + (frequency[j] * n + (following[j] - frequency[j]) * n * n / (2.0 * subframe)) / rate
            angle = 2.0 * np.pi * (phase - np.floor(phase))
            cos1[n] = np.cos(angle)
            sin1[n] = np.sin(angle)
            cosk[n] = cos1[n]
            sink[n] = sin1[n]
        segment = out[j * subframe : (j + 1) * subframe]
        audible = int(min(count, rate / 2.0 / max(min(frequency[j], following[j]), 1.0)))
        for k in range(audible):
            low, step = amplitude[j, k], amplitude[after, k] - amplitude[j, k]
            for n in range(subframe):
                segment[n] += (low + step * ramp[n]) * sink[n]
                turned = cosk[n] * cos1[n] - sink[n] * sin1[n]
                sink[n] = sink[n] * cos1[n] + cosk[n] * sin1[n]
                cosk[n] = turned
