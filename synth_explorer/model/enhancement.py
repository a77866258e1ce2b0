"""The enhancement: by how much a note's spectrum differs from that of the fast decoder's sound of its latents.

The latents of a note are few, so that they can be edited, and its detail moves slowly; the fast decoder is to answer a
slider at once. What both leave out of the spectrum is kept beside them, as the enhancement layer of a scalable codec
is, and the final render puts it back. It is the note's own: at another pitch the partials lie elsewhere
(measured: two to twelve semitones away it does harm), so it fades within a semitone, see `latents.note.closeness`.

Shapes: B notes, T = F * hop samples, F frames, E bands, J analysis frames, N bins (half a window and one).
W, H: window and hop in samples.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from scipy.fft import irfft, rfft

from synth_explorer.mel import interpolation_matrix, mel_centres_hz, mel_filters
from synth_explorer.model.config import REFERENCE_RATE_HZ

BANDS = 80  # to 8 kHz
MORE_BANDS = 160  # to 24 kHz; chosen on validation notes: 80, 112, 160 and 224 leave 0.78, 0.73, 0.70 and 0.69 dB
WINDOW, HOP = 1024, 256  # at `config.REFERENCE_RATE_HZ`; as long in seconds at other rates
LOW_HZ = 30.0
FLOOR = 0.01  # of a band, a sine of -88 dB
NOISE_FRAMES = 5  # that the render's noise is averaged over: how one draw of it happened to fluctuate is not to be told
STEADY_FRAMES = 3  # that the difference is averaged over, for the same reason
LARGEST = 2.0  # nepers


def bands(sample_rate_hz: int) -> int:
    """E at a sample rate."""
    return BANDS if sample_rate_hz <= REFERENCE_RATE_HZ else MORE_BANDS


def hear(audio: np.ndarray, tones: np.ndarray, noise: np.ndarray, *, hop: int, sample_rate_hz: int) -> np.ndarray:
    """A note against the two parts of its render: [B, T] each -> [B, F, E] float32, in nepers of amplitude.

    Mel bands of an STFT (Hann of 64 ms, a quarter as hop) with a floor of -88 dB; averaged over 48 ms and a frame, each
    moment by the render's amplitude there, so that the silence before an attack does not soften it; within -2..2.
    """
    filters, step = _filters(sample_rate_hz), HOP * _widening(sample_rate_hz)
    parts = (np.abs(stft(part, sample_rate_hz=sample_rate_hz)) for part in (audio, tones, noise))
    heard, steady, rough = (part.astype(np.float64) @ filters for part in parts)
    rough = np.maximum(_averaged(rough**2, NOISE_FRAMES), 0.0)
    render = np.sqrt(steady**2 + rough) + FLOOR
    weighted = np.log((heard + FLOOR) / render) * render
    difference = _averaged(weighted) / _averaged(render)
    in_frames = len(audio), audio.shape[1] // hop, hop // step, -1
    render = render.reshape(in_frames)
    frames = (difference.reshape(in_frames) * render).sum(axis=2) / render.sum(axis=2)
    return np.clip(frames, -LARGEST, LARGEST).astype(np.float32)


def apply(sound: np.ndarray, enhancement: np.ndarray, *, hop: int, sample_rate_hz: int) -> np.ndarray:
    """Sound with its bands raised by an enhancement: [B, T] and [B, F, E], or one for all [1, F, E] -> [B, T] float32.

    Each frame of an STFT is multiplied by gains that are linear over mel and time, in nepers. Gains that are too large
    for float32 make samples that are not finite, without a warning.
    """
    step = HOP * _widening(sample_rate_hz)
    frames = -(-sound.shape[1] // step)
    at = np.clip((np.arange(frames) + 0.5) * step / hop - 0.5, 0, enhancement.shape[1] - 1)  # centres of both
    low = np.floor(at).astype(int)
    high = np.minimum(low + 1, enhancement.shape[1] - 1)
    part = (at - low)[None, :, None]
    gains = enhancement[:, low] * (1.0 - part) + enhancement[:, high] * part
    with np.errstate(over="ignore", invalid="ignore"):
        spectrum = stft(sound, sample_rate_hz=sample_rate_hz) * np.exp(gains @ _spread(sample_rate_hz))
        return istft(spectrum, samples=sound.shape[1])


def stft(audio: np.ndarray, *, sample_rate_hz: int) -> np.ndarray:
    """[B, T] -> [B, J, N] complex64, J = ceil(T / H): frame j is centred on the middle of its hop; periodic Hann."""
    size, step = (length * _widening(sample_rate_hz) for length in (WINDOW, HOP))
    before = (size - step) // 2
    after = size - step - before + -audio.shape[1] % step
    padded = np.pad(np.asarray(audio, np.float32), ((0, 0), (before, after)))
    return rfft(np.lib.stride_tricks.sliding_window_view(padded, size, axis=1)[:, ::step] * _window(size), axis=-1)


def istft(spectrum: np.ndarray, *, samples: int) -> np.ndarray:
    """Least-squares inverse of `stft`, but for the first and last window: [B, J, N] -> [B, samples] float32."""
    batch, count, bins = spectrum.shape
    overlap, size = WINDOW // HOP, 2 * (bins - 1)
    step = size // overlap
    parts = (irfft(spectrum, size, axis=-1) * _window(size)).reshape(batch, count, overlap, step)
    out = np.zeros((batch, count + overlap - 1, step), np.float32)
    weight = np.zeros((count + overlap - 1, step), np.float32)
    shape = (_window(size) ** 2).reshape(overlap, step)
    for k in range(overlap):
        out[:, k : k + count] += parts[:, :, k]
        weight[k : k + count] += shape[k]
    before = (size - step) // 2
    whole = (out / np.maximum(weight, 1e-3)).reshape(batch, -1)
    return np.ascontiguousarray(whole[:, before : before + samples], dtype=np.float32)


def _averaged(rows: np.ndarray, frames: int = STEADY_FRAMES) -> np.ndarray:
    """Mean of so many frames around each: [B, J, E] twice."""
    from scipy.ndimage import uniform_filter1d  # its import takes longer than it does

    return uniform_filter1d(rows, frames, axis=1, mode="nearest")


@cache
def _filters(sample_rate_hz: int) -> np.ndarray:
    n_fft = WINDOW * _widening(sample_rate_hz)
    rates = {"sample_rate_hz": sample_rate_hz, "low_hz": LOW_HZ, "high_hz": sample_rate_hz / 2}
    return mel_filters(bands(sample_rate_hz), n_fft=n_fft, **rates)


@cache
def _spread(sample_rate_hz: int) -> np.ndarray:
    """[E, N]: bands to bins, linear over mel between the middles of the bands; nothing below all of them."""
    mel_hz = mel_centres_hz(bands(sample_rate_hz) + 2, low_hz=LOW_HZ, high_hz=sample_rate_hz / 2)[1:-1]
    centres_hz = np.concatenate([[LOW_HZ / 2], mel_hz])
    bins_hz = np.linspace(0.0, sample_rate_hz / 2, WINDOW * _widening(sample_rate_hz) // 2 + 1)
    return interpolation_matrix(bins_hz, centres_hz)[1:]


def _window(size: int) -> np.ndarray:
    return (0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(size) / size)).astype(np.float32)


def _widening(sample_rate_hz: int) -> int:
    """By how much window and hop grow, so as to last as long as at the reference rate."""
    return max(1, round(sample_rate_hz / REFERENCE_RATE_HZ))
