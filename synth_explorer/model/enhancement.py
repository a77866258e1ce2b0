"""The enhancement: by how much a note's spectrum differs from that of the fast decoder's sound of its latents.

The latents of a note are few, so that they can be edited, and its detail stands still; the fast decoder is to answer a
slider at once. What both leave out of the spectrum is kept beside them, as the enhancement layer of a scalable codec
is, and the final render begins by putting it back. It is the note's own: at another pitch the partials lie elsewhere
(measured: two to twelve semitones away it does harm), so it fades within a semitone, see `latents.note.closeness`.

Shapes: B notes, T = F * hop samples, F frames, E bands, J analysis frames, N bins (`WINDOW // 2 + 1`).
"""

from __future__ import annotations

from functools import cache

import numpy as np
from scipy.fft import irfft, rfft
from scipy.ndimage import uniform_filter1d

from synth_explorer.mel import interpolation_matrix, mel_centres_hz, mel_filters

BANDS = 80
WINDOW, HOP = 1024, 256
LOW_HZ = 30.0
FLOOR = 0.01  # of a band, a sine of -88 dB
NOISE_FRAMES = 5  # that the render's noise is averaged over: how one draw of it happened to fluctuate is not to be told
STEADY_FRAMES = 3  # that the difference is averaged over, for the same reason
LARGEST = 2.0  # nepers


def hear(audio: np.ndarray, tones: np.ndarray, noise: np.ndarray, *, hop: int, sample_rate_hz: int) -> np.ndarray:
    """A note against the two parts of its render: [B, T] each -> [B, F, E] float32, in nepers of amplitude.

    Mel bands of an STFT (Hann 1024, hop 256) with a floor of -88 dB; averaged over 48 ms and a frame, each moment by
    the render's amplitude there, so that the silence before an attack does not soften it; within -2..2.
    """
    filters = _filters(sample_rate_hz)
    heard, steady, rough = (np.abs(stft(part)).astype(np.float64) @ filters for part in (audio, tones, noise))
    rough = np.maximum(uniform_filter1d(rough**2, NOISE_FRAMES, axis=1, mode="nearest"), 0.0)
    render = np.sqrt(steady**2 + rough) + FLOOR
    weighted = np.log((heard + FLOOR) / render) * render
    difference = _averaged(weighted) / _averaged(render)
    in_frames = len(audio), audio.shape[1] // hop, hop // HOP, -1
    render = render.reshape(in_frames)
    frames = (difference.reshape(in_frames) * render).sum(axis=2) / render.sum(axis=2)
    return np.clip(frames, -LARGEST, LARGEST).astype(np.float32)


def apply(sound: np.ndarray, enhancement: np.ndarray, *, hop: int, sample_rate_hz: int) -> np.ndarray:
    """Sound with its bands raised by an enhancement: [B, T] and [B, F, E], or one for all [1, F, E] -> [B, T] float32.

    Each frame of an STFT is multiplied by gains that are linear over mel and time, in nepers. Gains that are too large
    for float32 make samples that are not finite, without a warning.
    """
    frames = -(-sound.shape[1] // HOP)
    at = np.clip((np.arange(frames) + 0.5) * HOP / hop - 0.5, 0, enhancement.shape[1] - 1)  # centres of both
    low = np.floor(at).astype(int)
    high = np.minimum(low + 1, enhancement.shape[1] - 1)
    part = (at - low)[None, :, None]
    gains = enhancement[:, low] * (1.0 - part) + enhancement[:, high] * part
    with np.errstate(over="ignore", invalid="ignore"):
        return istft(stft(sound) * np.exp(gains @ _spread(sample_rate_hz)), samples=sound.shape[1])


def stft(audio: np.ndarray) -> np.ndarray:
    """[B, T] -> [B, J, N] complex64, J = ceil(T / HOP): frame j is centred on the middle of its hop; periodic Hann."""
    before = (WINDOW - HOP) // 2
    after = WINDOW - HOP - before + -audio.shape[1] % HOP
    padded = np.pad(np.asarray(audio, np.float32), ((0, 0), (before, after)))
    return rfft(np.lib.stride_tricks.sliding_window_view(padded, WINDOW, axis=1)[:, ::HOP] * _window(), axis=-1)


def istft(spectrum: np.ndarray, *, samples: int) -> np.ndarray:
    """Least-squares inverse of `stft`, but for the first and last window: [B, J, N] -> [B, samples] float32."""
    batch, count, _ = spectrum.shape
    overlap = WINDOW // HOP
    parts = (irfft(spectrum, WINDOW, axis=-1) * _window()).reshape(batch, count, overlap, HOP)
    out = np.zeros((batch, count + overlap - 1, HOP), np.float32)
    weight = np.zeros((count + overlap - 1, HOP), np.float32)
    shape = (_window() ** 2).reshape(overlap, HOP)
    for k in range(overlap):
        out[:, k : k + count] += parts[:, :, k]
        weight[k : k + count] += shape[k]
    before = (WINDOW - HOP) // 2
    whole = (out / np.maximum(weight, 1e-3)).reshape(batch, -1)
    return np.ascontiguousarray(whole[:, before : before + samples], dtype=np.float32)


def _averaged(rows: np.ndarray) -> np.ndarray:
    return uniform_filter1d(rows, STEADY_FRAMES, axis=1, mode="nearest")


@cache
def _filters(sample_rate_hz: int) -> np.ndarray:
    return mel_filters(BANDS, n_fft=WINDOW, sample_rate_hz=sample_rate_hz, low_hz=LOW_HZ, high_hz=sample_rate_hz / 2)


@cache
def _spread(sample_rate_hz: int) -> np.ndarray:
    """[E, N]: bands to bins, linear over mel between the middles of the bands; nothing below all of them."""
    mel_hz = mel_centres_hz(BANDS + 2, low_hz=LOW_HZ, high_hz=sample_rate_hz / 2)[1:-1]
    centres_hz = np.concatenate([[LOW_HZ / 2], mel_hz])
    return interpolation_matrix(np.linspace(0.0, sample_rate_hz / 2, WINDOW // 2 + 1), centres_hz)[1:]


def _window() -> np.ndarray:
    return (0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(WINDOW) / WINDOW)).astype(np.float32)
