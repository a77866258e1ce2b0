"""Log-mel spectrograms for the eye: levels, and a quick picture of them.

Shapes: T samples, F frames, B mel bands.
"""

from __future__ import annotations

import io
import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from synth_explorer.mel import hz_to_mel, mel_filters
from synth_explorer.plots.colours import palette

LOW_HZ = 30.0
TOP_DB, FLOOR_DB = -12.0, -84.0
"""Levels of the brightest and of the darkest colour, in dB of a full-scale sine. They are fixed: gain can be seen."""

WINDOW_S, HOP_S = 0.128, 0.016
ROWS = 16  # frames at a time, which stay in the cache


def spectrogram_db(audio: np.ndarray, *, sample_rate_hz: int, bands: int = 128) -> np.ndarray:
    """Log-mel spectrogram of a sound, for the eye.

    `audio`: [T], full scale 1.0. `bands`: mel bands from 30 Hz to half the sample rate. Returns float32 [B, F] in dB of
    a full-scale sine, low bands first, one frame each 16 ms.
    """
    from scipy.fft import rfft

    window = 2 ** round(math.log2(WINDOW_S * sample_rate_hz))
    hop = round(HOP_S * sample_rate_hz)
    taper, filters = _analysis(window, sample_rate_hz, bands)
    padded = np.pad(np.asarray(audio, dtype=np.float32), (window // 2, window // 2))
    frames = np.lib.stride_tricks.sliding_window_view(padded, window)[::hop]
    power = np.empty((len(frames), window // 2 + 1), np.float32)
    for first in range(0, len(frames), ROWS):
        bins: NDArray[np.complexfloating] = rfft(frames[first : first + ROWS] * taper)
        np.add(bins.real**2, bins.imag**2, out=power[first : first + ROWS])
    return (10.0 * np.log10(power @ filters + 1e-12)).T


@lru_cache(maxsize=4)
def _analysis(window: int, sample_rate_hz: int, bands: int) -> tuple[np.ndarray, np.ndarray]:
    """Window [N] scaled so that a full-scale sine has magnitude 1, and mel filters [N / 2 + 1, B]."""
    taper = np.hanning(window + 1)[:-1]
    filters = mel_filters(bands, n_fft=window, sample_rate_hz=sample_rate_hz, low_hz=LOW_HZ, high_hz=sample_rate_hz / 2)
    return (taper * (2.0 / taper.sum())).astype(np.float32), filters


def spectrogram_png(
    audio: np.ndarray, *, sample_rate_hz: int, colour: str = "#e8a33d", bands: int = 128, compress_level: int = 1
) -> bytes:
    """Spectrogram as a PNG with a palette, one pixel a band and frame: a few milliseconds for a note of four seconds.

    `colour`: "#rrggbb" in the middle of the palette, which runs from near black to near white. `compress_level`: of the
    PNG, 0..9: 1 for speed, 9 for size. Returns the bytes of a PNG of F x `bands` pixels, high frequencies on top.
    """
    level_db = spectrogram_db(audio, sample_rate_hz=sample_rate_hz, bands=bands)
    index = np.clip((level_db - FLOOR_DB) * (255.0 / (TOP_DB - FLOOR_DB)), 0, 255).astype(np.uint8)[::-1]
    return indexed_png(index, palette(colour), compress_level=compress_level)


def indexed_png(
    index: np.ndarray, colours: np.ndarray, *, alpha: np.ndarray | None = None, compress_level: int = 1
) -> bytes:
    """A PNG with a palette.

    Args:
        index: uint8 [height, width], the top row first.
        colours: uint8 [n <= 256, 3].
        alpha: uint8 [n], how opaque each colour is; None: all are.
    """
    from PIL import Image

    image = Image.frombytes("P", index.shape[::-1], np.ascontiguousarray(index).tobytes())
    image.putpalette(colours.tobytes())
    png = io.BytesIO()
    transparency = {} if alpha is None else {"transparency": alpha.tobytes()}
    image.save(png, format="PNG", compress_level=compress_level, **transparency)
    return png.getvalue()


def frequency_position(frequency_hz: float, *, sample_rate_hz: int) -> float:
    """Height 0..1 of a frequency in the spectrogram picture, 0 at its bottom."""
    low, high = hz_to_mel(LOW_HZ), hz_to_mel(sample_rate_hz / 2)
    return float((hz_to_mel(frequency_hz) - low) / (high - low))
