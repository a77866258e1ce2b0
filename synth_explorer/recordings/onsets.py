"""Where notes begin in a recording of many: a small network looks at mel bands and says how likely each moment is one.

After Schlueter and Boeck (2014, "Improved musical onset detection with convolutional neural networks"): a network that
has heard vibrato, tremolo, ringing strings and repeated notes tells a beginning better than a rule on spectral flux.
Its layers are those of the encoder. `train.onsets` trains it on melodies made of the notes of datasets.

Shapes: T samples, J frames of 10 ms, C channels.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np

from synth_explorer.mel import mel_filters
from synth_explorer.plain.frontend import spectrum
from synth_explorer.plain.layers import Dense, Residual, Weights

SAMPLE_RATE_HZ = 16_000
HOP = 160
WINDOWS = (512, 2048)  # short: when; long: what, for what changes without a knock
BANDS = 64
WIDTH = 64
DILATIONS = (1, 2, 4, 8, 1)
TAPS = 5
LOUD = 0.1  # RMS that loud moments are brought to, so that the level of a recording says nothing
FLOOR = 0.02  # of unnormalised magnitudes then
WEIGHTS = Path(__file__).with_name("onsets.npz")
LIKELY = 0.5
APART_S = 0.04


def bands(audio: np.ndarray) -> np.ndarray:
    """[T] at `SAMPLE_RATE_HZ` -> [J, C] logarithms of mel bands in two windows, whatever the level."""
    level = np.sqrt(np.convolve(np.square(audio, dtype=np.float64), np.full(2 * HOP, 0.5 / HOP), "same")[::HOP])
    scaled = audio * np.float32(LOUD / max(float(np.percentile(level, 95)), 1e-6))
    whole = np.pad(scaled, (0, -len(audio) % HOP))
    found = [spectrum(whole, window, HOP) @ _mel(window) for window in WINDOWS]
    return (np.log(np.concatenate(found, axis=1) + np.float32(FLOOR)) * np.float32(0.25)).astype(np.float32)


@cache
def _mel(window: int) -> np.ndarray:
    return mel_filters(BANDS, n_fft=window, sample_rate_hz=SAMPLE_RATE_HZ, low_hz=27.5, high_hz=8000.0)


class OnsetNetwork:
    """Bands [J, C] -> how likely a note begins at each frame [J]."""

    def __init__(self, weights: Weights) -> None:
        self._first, self._last = Dense(weights, "first"), Dense(weights, "last")
        self._blocks = [Residual(weights, f"block_{i}", dilation=dilation) for i, dilation in enumerate(DILATIONS)]

    def __call__(self, x: np.ndarray) -> np.ndarray:
        x = self._first(x)
        for block in self._blocks:
            x = block(x)
        return 1.0 / (1.0 + np.exp(-self._last(x)[:, 0]))

    @classmethod
    @cache
    def bundled(cls) -> OnsetNetwork:
        """The network that comes with the program."""
        with np.load(WEIGHTS, allow_pickle=False) as file:
            return cls({name: file[name].astype(np.float32) for name in file.files})


def find_onsets(audio: np.ndarray) -> np.ndarray:
    """Samples [N] at which notes begin in a recording [T] at `SAMPLE_RATE_HZ`."""
    return HOP * peaks(OnsetNetwork.bundled()(bands(audio)))


def peaks(likely: np.ndarray, *, least: float = LIKELY) -> np.ndarray:
    """Frames [N] that are likelier than `least` and than all within 40 ms, in time's order."""
    reach = round(APART_S * SAMPLE_RATE_HZ / HOP)
    around = np.lib.stride_tricks.sliding_window_view(np.pad(likely, reach), 2 * reach + 1).max(axis=1)
    found = np.flatnonzero((likely >= least) & (likely == around))
    return found[np.diff(found, prepend=-reach - 1) > reach]  # of equals the first
