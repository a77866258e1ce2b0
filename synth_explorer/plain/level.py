"""The level of a note over time: loudness, with the network's fine envelope upon it, which may not change it.

Shapes: F frames, S = P * F points of the level, P points a frame, W points of a frame's window.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from synth_explorer.model.config import ModelConfig
from synth_explorer.plain.curves import upsample, upsample_back
from synth_explorer.plain.frontend import frame_centred, hann

LN10_10 = np.float32(np.log(10.0) / 10.0)
MOST_DB = np.float32(30.0)  # that the envelope is corrected by
TINY = np.float32(1e-14)


class Envelope:
    """Loudness [F] and a fine envelope [S] in dB -> level [S] in dB, see `model.fast_decoder.FastDecoder`."""

    def __init__(self, config: ModelConfig) -> None:
        self.points = config.subframes * config.fine_steps
        self.window = config.n_fft * self.points // config.hop
        weight = hann(self.window).astype(np.float64) ** 2
        self._weight = (weight / weight.sum()).astype(np.float32)

    def __call__(
        self, loudness_db: np.ndarray, fine_db: np.ndarray
    ) -> tuple[np.ndarray, Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]]:
        """The level, and the way back to both."""
        wanted_db = upsample(loudness_db, self.points) + fine_db
        power = np.exp(LN10_10 * wanted_db)
        seen = frame_centred(power, self.window, self.points) @ self._weight + TINY
        missing_db = loudness_db - np.log(seen) / LN10_10

        def back(slope: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            by_missing = upsample_back(slope, self.points) * (np.abs(missing_db) < MOST_DB)
            by_power = self._spread(-by_missing / (LN10_10 * seen))
            by_wanted = slope + by_power * power * LN10_10
            return by_missing + upsample_back(by_wanted, self.points), by_wanted

        return wanted_db + upsample(np.clip(missing_db, -MOST_DB, MOST_DB), self.points), back

    def _spread(self, slope: np.ndarray) -> np.ndarray:
        """Slope by what each frame saw [F] -> slope by the points [S]: the windows, overlapped and added."""
        frames, hops = len(slope), self.window // self.points
        out = np.zeros((frames + hops, self.points), np.float32)
        for i, weight in enumerate(self._weight.reshape(hops, self.points)):
            out[i : i + frames] += slope[:, None] * weight
        start = self.window // 2
        return out.reshape(-1)[start : start + frames * self.points]
