"""The fast decoder's synthesis on a CPU: the same signal as `model.synthesis.render`, for one note.

Shapes: T samples, F frames, J subframes, S level points, K harmonics, M bands, N bins.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.fft import irfft

from synth_explorer.decode.sines import cycles_of, linear, sum_of_sines
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
    level = linear(controls["level"], len(tones) // len(controls["level"]))
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
    cycles = cycles_of(pitch_hz, subframes=subframes, subframe=subframe, sample_rate_hz=sample_rate_hz)
    return sum_of_sines(amplitude, cycles).reshape(-1)
