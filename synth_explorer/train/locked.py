"""Targets for the WaveNet: a note's own spectrum on the phases of the fast decoder's sound.

The fast decoder's partials begin at phase zero, a recording's anywhere, so their difference says nothing of what is
missing. The ear hardly knows the phases: a signal with the note's magnitudes and the fast decoder's phases sounds like
the note, and what it differs by from the fast decoder's sound is what that left out. Found by alternating projections
(Griffin & Lim 1984) that begin with the fast decoder's phases.

Shapes: B notes, T samples, N frames, K bins.
"""

from __future__ import annotations

import numpy as np
from scipy.fft import irfft, rfft

WINDOW = 512
OVERLAP = 8
ITERATIONS = 10


def lock(target: np.ndarray, guide: np.ndarray, *, iterations: int = ITERATIONS) -> np.ndarray:
    """Magnitudes of `target` on phases near those of `guide`: [B, T] twice -> [B, T] float32."""
    wanted, out = np.abs(stft(target)), guide
    for _ in range(iterations):
        spectrum = stft(out)
        spectrum *= wanted / np.maximum(np.abs(spectrum), 1e-9)
        out = istft(spectrum, samples=target.shape[1])
    return out.astype(np.float32)


def stft(audio: np.ndarray) -> np.ndarray:
    """[B, T] -> [B, N, K] complex, periodic Hann window, a window of silence before and after."""
    hop = WINDOW // OVERLAP
    missing = -audio.shape[1] % hop
    padded = np.pad(np.asarray(audio, np.float32), ((0, 0), (WINDOW, WINDOW + missing)))
    frames = np.lib.stride_tricks.sliding_window_view(padded, WINDOW, axis=1)[:, ::hop]
    return rfft(frames * _window(), axis=-1)


def istft(spectrum: np.ndarray, *, samples: int) -> np.ndarray:
    """Least-squares inverse of `stft`: [B, N, K] -> [B, samples]."""
    hop = WINDOW // OVERLAP
    frames = irfft(spectrum, WINDOW, axis=-1) * _window()
    batch, count, _ = frames.shape
    parts = frames.reshape(batch, count, OVERLAP, hop)
    out = np.zeros((batch, count + OVERLAP - 1, hop), frames.dtype)
    for k in range(OVERLAP):
        out[:, k : k + count] += parts[:, :, k]
    weight = float(np.sum(_window() ** 2)) / hop
    return out.reshape(batch, -1)[:, WINDOW : WINDOW + samples] / weight


def _window() -> np.ndarray:
    return (0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(WINDOW) / WINDOW)).astype(np.float32)
