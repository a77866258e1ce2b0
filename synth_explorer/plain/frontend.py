"""What the encoder is told of a sound: `model.frontend` in numpy.

Shapes: T samples (a multiple of the hop), F frames (T / hop), J subframes (F * subframes), N bins, M bands,
K harmonics, H partials between them. Frame f describes the sound AT sample f * hop.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.fft import rfft

from synth_explorer.mel import k_weighting_power, mel_filters
from synth_explorer.model.config import ModelConfig
from synth_explorer.plain.halves import in_halves

LOG_FLOOR = np.float32(0.01)  # of unnormalised STFT magnitudes: near -88 dBFS
TINY = np.float32(1e-12)
ROWS = 32  # a multiple of the subframes of a frame


@lru_cache(16)
def hann(size: int) -> np.ndarray:
    """Periodic Hann window, [size] float32, not to be written to."""
    return (0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(size) / size)).astype(np.float32)


def frame_centred(audio: np.ndarray, size: int, hop: int) -> np.ndarray:
    """[T] -> [T / hop, size]: a view of frames centred at multiples of `hop`, zeros outside."""
    padded = np.pad(audio, (size // 2, size))
    return np.lib.stride_tricks.sliding_window_view(padded, size)[::hop][: len(audio) // hop]


def spectrum(audio: np.ndarray, n_fft: int, hop: int) -> np.ndarray:
    """[T] -> [T / hop, N] magnitudes of the unnormalised STFT with a periodic Hann window."""
    out = np.empty((len(audio) // hop, n_fft // 2 + 1), np.float32)

    def put(rows: slice, magnitudes: np.ndarray) -> None:
        out[rows] = magnitudes

    for_each_part(audio, n_fft, hop, put)
    return out


def for_each_part(audio: np.ndarray, n_fft: int, hop: int, use: Callable[[slice, np.ndarray], None]) -> None:
    """Let some frames of `spectrum` be used at a time, `ROWS` from a multiple of that on: so few stay in the cache."""
    frames, window = frame_centred(audio, n_fft, hop), hann(n_fft)

    def part(parts: slice) -> None:
        for first in range(parts.start * ROWS, min(parts.stop * ROWS, len(frames)), ROWS):
            rows = slice(first, min(first + ROWS, len(frames)))
            use(rows, magnitude(rfft(frames[rows] * window)))

    in_halves(part, -(-len(frames) // ROWS), least=2)


def magnitude(bins: NDArray[np.complex64]) -> np.ndarray:
    """Of complex bins, never quite nothing."""
    power = np.square(bins.real)
    power += np.square(bins.imag)
    power += TINY
    return np.sqrt(power, out=power)


def scale_log(magnitudes: np.ndarray) -> np.ndarray:
    """Log of unnormalised magnitudes with the floor, scaled so that -88 dBFS is -1.5 and full scale about 1.1."""
    return np.log(magnitudes + LOG_FLOOR) * np.float32(0.25) - np.float32(0.35)


class Banded:
    """A product with a matrix [N, M] each of whose columns looks at a few neighbouring rows, those of later columns
    later: a few columns at a time, with the rows that they look at."""

    COLUMNS = 16

    def __init__(self, matrix: np.ndarray) -> None:
        self._rows, columns = len(matrix), range(0, matrix.shape[1], self.COLUMNS)
        self._parts = [self._part(matrix[:, first : first + self.COLUMNS]) for first in columns]

    @staticmethod
    def _part(matrix: np.ndarray) -> tuple[slice, np.ndarray]:
        used = np.flatnonzero(matrix.any(axis=1))
        rows = slice(int(used[0]), int(used[-1]) + 1) if used.size else slice(0, 0)
        return rows, np.ascontiguousarray(matrix[rows])

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """[J, N] -> [J, M]."""
        return np.concatenate([x[:, rows] @ matrix for rows, matrix in self._parts], axis=1)

    def back(self, slope: np.ndarray) -> np.ndarray:
        """Slope by the product [J, M] -> slope by what was given [J, N]."""
        out = np.zeros((len(slope), self._rows), np.float32)
        for part, (rows, matrix) in enumerate(self._parts):
            out[:, rows] += slope[:, part * self.COLUMNS :][:, : self.COLUMNS] @ matrix.T
        return out


class FrontEnd:
    """Audio [T] and pitch [F] in Hz -> features for the encoder, and loudness and brightness."""

    def __init__(self, config: ModelConfig) -> None:
        self.config = config
        rate_hz, high_hz = config.sample_rate_hz, config.top_hz
        self._mel, self._short_mel = (
            Banded(mel_filters(bands, n_fft=n_fft, sample_rate_hz=rate_hz, low_hz=20.0, high_hz=high_hz))
            for bands, n_fft in ((config.mel_bands, config.n_fft), (config.short_mel_bands, config.short_n_fft))
        )
        self._bins_hz = (np.arange(config.n_fft // 2 + 1) * rate_hz / config.n_fft).astype(np.float32)
        one_sided = np.full(config.n_fft // 2 + 1, 2.0)
        one_sided[[0, -1]] = 1.0
        scale = 1.0 / (config.n_fft * np.sum(hann(config.n_fft).astype(np.float64) ** 2))
        self._power = (one_sided * scale * k_weighting_power(self._bins_hz)).astype(np.float32)

    def without_pitch(self, audio: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """[T] -> log-mel bands [J, M + M_short], and loudness and brightness [F, 2] as channels 0 and 1 hold them."""
        config, steps = self.config, self.config.subframes
        subframes = len(audio) // config.subframe
        bands = np.empty((subframes, config.mel_bands + config.short_mel_bands), np.float32)
        attributes = np.empty((subframes // steps, 2), np.float32)

        def long(rows: slice, magnitudes: np.ndarray) -> None:
            bands[rows, : config.mel_bands] = self._mel(magnitudes)
            heard = slice(rows.start // steps, rows.stop // steps)
            attributes[heard] = self._attributes(magnitudes[::steps])

        def short(rows: slice, magnitudes: np.ndarray) -> None:
            bands[rows, config.mel_bands :] = self._short_mel(magnitudes)

        for_each_part(audio, config.n_fft, config.subframe, long)
        for_each_part(audio, config.short_n_fft, config.subframe, short)
        return scale_log(bands * np.float32(config.magnitude_scale)), attributes

    def attributes(self, audio: np.ndarray) -> np.ndarray:
        """[T] -> loudness and brightness [F, 2] alone."""
        return self._attributes(spectrum(audio, self.config.n_fft, self.config.hop))

    def _attributes(self, magnitudes: np.ndarray) -> np.ndarray:
        """[F, N] at frames' own samples -> loudness and brightness [F, 2]."""
        config = self.config
        loudness_db = self._loudness_db(magnitudes)
        floor, reference = np.float32(config.attribute_floor), np.float32(config.brightness_reference_hz)
        centroid_hz = (magnitudes @ self._bins_hz + floor * reference) / (magnitudes.sum(axis=1) + floor)
        z0 = (loudness_db - config.loudness_offset_db) * config.loudness_units_per_db
        return np.stack([z0, np.log2(centroid_hz / reference)], axis=1).astype(np.float32)

    def loudness_db(self, window: np.ndarray) -> float:
        """K-weighted loudness of one window of a sound, [n_fft], as channel 0 has it of a frame."""
        return float(self._loudness_db(magnitude(rfft(window * hann(len(window))))))

    def asked_db(self, z: np.ndarray) -> np.ndarray:
        """The loudness that channel 0 of z [F, C] asks for, [F]."""
        config = self.config
        return z[:, 0] / np.float32(config.loudness_units_per_db) + np.float32(config.loudness_offset_db)

    def _loudness_db(self, magnitudes: np.ndarray) -> np.ndarray:
        return 10.0 * np.log10(np.square(magnitudes) @ self._power + np.float32(1e-10))

    def harmonic_levels(self, audio: np.ndarray, pitch_hz: np.ndarray) -> np.ndarray:
        """[T], [F] -> [F, K + H] log magnitudes at the multiples of the pitch and half-way below each."""
        config = self.config
        magnitudes = spectrum(audio, config.harmonic_n_fft, config.hop)
        bins = magnitudes.shape[1]
        half = np.arange(1, config.half_partials + 1) - 0.5
        multiples = np.concatenate([np.arange(1, config.harmonic_features + 1), half]).astype(np.float32)
        position = pitch_hz[:, None] * multiples * np.float32(config.harmonic_n_fft / config.sample_rate_hz)
        low = np.clip(np.floor(position), 0, bins - 2)
        index, part = low.astype(np.int64), np.clip(position - low, 0.0, 1.0)
        below, above = (np.take_along_axis(magnitudes, index + step, axis=1) for step in (0, 1))
        level = (below * (1.0 - part) + above * part) * (position < bins - 2)
        return scale_log(level * np.float32(config.magnitude_scale))
