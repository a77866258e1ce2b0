"""The fast decoder's synthesis on a CPU: the same signal as `model.synthesis.render`, for one note.

Shapes: T samples, F frames, J subframes, S level points, K harmonics, M bands, N bins.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
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
    half_partials: int,
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
    long, short = _turns(len(pitch_hz), hop, subframes, seed)
    hiss = _POOL.submit(lambda: _turned_noise(controls["noise"] @ noise_matrix, long, hop=hop))
    tones = partials(
        controls["harmonic"],
        pitch_hz,
        half_partials=half_partials,
        subframes=subframes,
        subframe=subframe,
        sample_rate_hz=sample_rate_hz,
    )
    click = _turned_noise(controls["short_noise"] @ short_matrix, short, hop=subframe)
    level = linear(controls["level"], len(tones) // len(controls["level"]))
    return tones * level, (click + hiss.result()) * level


def noise_phases(frames: int, *, hop: int, subframes: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Phases in cycles of both noises: [F, hop + 1] and [J, hop / subframes + 1], float32.

    Each has a generator of its own, so that a longer note begins like a shorter one.
    """
    long, short = (np.random.default_rng((seed, stream)) for stream in (0, 1))
    shape = (frames * subframes, hop // subframes + 1)
    return long.random((frames, hop + 1), dtype=np.float32), short.random(shape, dtype=np.float32)


@lru_cache(4)
def _turns(frames: int, hop: int, subframes: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """`turns` of `noise_phases`."""
    long, short = noise_phases(frames, hop=hop, subframes=subframes, seed=seed)
    return turns(long, hop=hop), turns(short, hop=hop // subframes)


def turns(phase_cycles: np.ndarray, *, hop: int) -> NDArray[np.complex64]:
    """Phases [F, hop + 1] as what magnitudes are turned by, complex64, scaled for the inverse transform of a noise."""
    angle = phase_cycles * np.float32(2.0 * np.pi)
    out = np.empty(angle.shape, np.complex64)
    out.real, out.imag = np.cos(angle), np.sin(angle)
    out *= np.float32(np.sqrt(2.0 * hop))
    return out


def noise(magnitudes: np.ndarray, phase_cycles: np.ndarray, *, hop: int) -> np.ndarray:
    """Noise of given magnitudes: [F, hop + 1] twice -> [F * hop] (see `model.synthesis.noise`)."""
    return _turned_noise(magnitudes, turns(phase_cycles, hop=hop), hop=hop)


def _turned_noise(magnitudes: np.ndarray, turned: np.ndarray, *, hop: int) -> np.ndarray:
    frames = irfft(turned * magnitudes, axis=-1)
    frames *= window(hop)
    out = frames[:, hop:]
    out[:-1] += frames[1:, :hop]
    return out.reshape(-1)


@lru_cache(8)
def window(hop: int) -> np.ndarray:
    """A sine window, [2 * hop] float32, whose squares add up to 1 at this hop."""
    return np.sin(np.pi * (np.arange(2 * hop) + 0.5) / (2 * hop)).astype(np.float32)


def partials(
    amplitude: np.ndarray,
    pitch_hz: np.ndarray,
    *,
    half_partials: int = 0,
    subframes: int,
    subframe: int,
    sample_rate_hz: int,
) -> np.ndarray:
    """Harmonics and the partials half-way below each: [J, K + H] -> [J * subframe] (see `model.synthesis.partials`)."""
    sizes = {"subframes": subframes, "subframe": subframe, "sample_rate_hz": sample_rate_hz}
    cycles, count = cycles_of(pitch_hz, **sizes), amplitude.shape[1] - half_partials
    out = sum_of_sines(amplitude[:, :count], cycles)
    if half_partials:
        half = cycles_of(0.5 * np.asarray(pitch_hz, np.float64), **sizes)
        out += sum_of_sines(amplitude[:, count:], cycles, start=half)
    return out.reshape(-1)
