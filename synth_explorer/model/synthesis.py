"""Fast decoder, second half: controls -> audio, by additive synthesis and noise with random phases. No weights.

This is the reference in keras.ops that trains on any backend; `decode.synthesis` renders the same signal with Numba.
Spectral modelling synthesis (Serra & Smith 1990) in the differentiable form of DDSP (arXiv 2001.04643).

Shapes: B notes, F frames, J subframes, S level points, T samples, K harmonics, M bands, N bins.
"""

from __future__ import annotations

import numpy as np
from keras import ops

from synth_explorer.model.fast_decoder import upsample

PHASE_UNITS = 1 << 24  # fixed-point cycle: int32 sums wrap without losing phase


def subframe_phase(pitch_hz, *, subframes: int, subframe: int, sample_rate_hz: int):
    """Phase in cycles (0..1) at each subframe's start, [B, J], of the pitch [B, F] interpolated linearly.

    Summed in fixed point, so that the phase is as exact after a minute as after a frame.
    """
    frequency = upsample(pitch_hz, subframes)
    following = ops.concatenate([frequency[:, 1:], frequency[:, -1:]], axis=1)
    cycles = (frequency + following) * (0.5 * subframe / sample_rate_hz)
    cycles = cycles - ops.floor(cycles)
    units = ops.cast(ops.round(cycles * PHASE_UNITS), "int32")
    total = ops.bitwise_and(ops.cumsum(units, axis=1) - units, PHASE_UNITS - 1)
    return ops.cast(total, "float32") / PHASE_UNITS


def harmonics(amplitude, pitch_hz, *, subframes: int, subframe: int, sample_rate_hz: int, bank=None):
    """Sum of partials: amplitudes [B, J, K], pitch [B, F] -> [B, J * subframe].

    sum_k a_k(t) sin(2 pi k phi(t)), amplitudes and pitch linear between subframes. `bank` does what `sum_of_sines`
    does, which is used where none is given.
    """
    start = subframe_phase(pitch_hz, subframes=subframes, subframe=subframe, sample_rate_hz=sample_rate_hz)
    frequency = upsample(pitch_hz, subframes)
    following = ops.concatenate([frequency[:, 1:], frequency[:, -1:]], axis=1)
    n = np.arange(subframe, dtype=np.float32)
    phase = start[..., None] + (
        frequency[..., None] * (n / sample_rate_hz)
        + (following - frequency)[..., None] * (n * n / (2.0 * subframe * sample_rate_hz))
    )
    cycles = ops.stop_gradient(phase - ops.floor(phase))
    signal = (bank or sum_of_sines)(amplitude, cycles, (n / subframe).astype(np.float32))
    shape = ops.shape(amplitude)
    return ops.reshape(signal, (shape[0], shape[1] * subframe))


def partials(
    amplitude, pitch_hz, *, harmonics_count: int, subframes: int, subframe: int, sample_rate_hz: int, bank=None
):
    """All partials of a decoder: amplitudes [B, J, K + H] at k and at k - 1/2 times the pitch -> [B, J * subframe].

    The H between the harmonics are the odd harmonics of half the pitch.
    """
    sizes = {"subframes": subframes, "subframe": subframe, "sample_rate_hz": sample_rate_hz, "bank": bank}
    tones = harmonics(amplitude[..., :harmonics_count], pitch_hz, **sizes)
    half = amplitude[..., harmonics_count:]
    if half.shape[-1] == 0:
        return tones
    odd = ops.stack([half, ops.zeros_like(half)], axis=-1)
    shape = ops.shape(half)
    odd = ops.reshape(odd, (shape[0], shape[1], 2 * half.shape[-1]))
    return tones + harmonics(odd, 0.5 * pitch_hz, **sizes)


def sum_of_sines(amplitude, cycles, ramp: np.ndarray, *, group: int = 16):
    """sum_k ((1 - ramp) a_k + ramp a'_k) sin(2 pi k cycles): [B, J, K], [B, J, L], [L] -> [B, J, L].

    a' is the next subframe's amplitude. With k = group * q + r the sine splits into products of sines and cosines of
    group * q and of r, which turns K sines a sample into two small matrix products.
    """
    batch, frames, count = ops.shape(amplitude)[0], ops.shape(amplitude)[1], amplitude.shape[-1]
    groups = -(-count // group)
    following = ops.concatenate([amplitude[:, 1:], amplitude[:, -1:]], axis=1)
    both = ops.stack([amplitude, following], axis=2)
    both = ops.pad(both, [[0, 0], [0, 0], [0, 0], [0, groups * group - count]])
    both = ops.reshape(both, (batch, frames, 2 * groups, group))
    small = _turns(cycles[..., None] * np.arange(1, group + 1, dtype=np.float32))
    large = _turns(cycles[..., None] * (group * np.arange(groups, dtype=np.float32)))
    by_cosine = ops.matmul(ops.cos(small), ops.swapaxes(both, -1, -2))  # [B, J, L, 2 * groups]
    by_sine = ops.matmul(ops.sin(small), ops.swapaxes(both, -1, -2))
    sine, cosine = ops.sin(large), ops.cos(large)
    now = ops.sum(by_cosine[..., :groups] * sine + by_sine[..., :groups] * cosine, axis=-1)
    then = ops.sum(by_cosine[..., groups:] * sine + by_sine[..., groups:] * cosine, axis=-1)
    return now + (then - now) * ramp


def _turns(cycles):
    """Cycles -> radians in -pi..pi."""
    return (2.0 * np.pi) * (cycles - ops.round(cycles))


def noise(magnitudes, phase_cycles, *, hop: int):
    """Noise with given magnitudes per bin, phases given: [B, F, N] twice -> [B, F * hop], N = hop + 1.

    Each frame is the inverse FFT of magnitude * exp(i phase), windowed by a sine window of two hops and overlap-added,
    so that a magnitude of m in every bin gives a mean square of m^2. Frame f is centred at sample f * hop.
    """
    scale = float(np.sqrt(2.0 * hop))
    angle = (2.0 * np.pi) * phase_cycles
    frames = ops.irfft((magnitudes * ops.cos(angle) * scale, magnitudes * ops.sin(angle) * scale))
    window = np.sin(np.pi * (np.arange(2 * hop) + 0.5) / (2 * hop)).astype(np.float32)
    frames = frames * window
    after, before = frames[..., hop:], frames[..., :hop]
    ahead = ops.concatenate([before[:, 1:], ops.zeros_like(before[:, :1])], axis=1)
    shape = ops.shape(magnitudes)
    return ops.reshape(after + ahead, (shape[0], shape[1] * hop))


def render(controls, pitch_hz, noise_phase, short_noise_phase, decoder, *, bank=None):
    """Controls of `decoder` -> audio [B, T]. Phases: uniform numbers 0..1, [B, F, hop + 1] and [B, J, subframe + 1].

    `bank`: see `harmonics`.
    """
    config = decoder.config
    tones = partials(
        controls["harmonic"],
        pitch_hz,
        harmonics_count=config.harmonics,
        subframes=config.subframes,
        subframe=config.subframe,
        sample_rate_hz=config.sample_rate_hz,
        bank=bank,
    )
    hiss = noise(ops.matmul(controls["noise"], decoder.noise_matrix), noise_phase, hop=config.hop)
    click = noise(ops.matmul(controls["short_noise"], decoder.short_matrix), short_noise_phase, hop=config.subframe)
    return (tones + hiss + click) * level_curve(controls["level"], config.subframe // config.fine_steps)


def level_curve(level, step: int):
    """[B, S] gains -> [B, S * step], linear between the points."""
    following = ops.concatenate([level[:, 1:], level[:, -1:]], axis=1)
    ramp = np.arange(step, dtype=np.float32) / step
    curve = level[..., None] + (following - level)[..., None] * ramp
    shape = ops.shape(level)
    return ops.reshape(curve, (shape[0], shape[1] * step))
