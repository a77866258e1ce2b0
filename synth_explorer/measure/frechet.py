"""Frechet distance between two collections of sounds, on an embedding that is stated here and needs no network.

After the Frechet audio distance (Kilgour et al. 2019, arXiv 1812.08466), with cepstra in place of a classifier's
features: figures compare only with other figures of this function.

Shapes: T samples, N windows, D dimensions.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from synth_explorer.errors import DataError
from synth_explorer.measure.distance import FLOOR, HOP, RATE_HZ, at_measure_rate, mel_magnitudes

COEFFICIENTS = 16
WINDOW_S = 0.25


def embedding(audio: np.ndarray, *, sample_rate_hz: int) -> np.ndarray:
    """A sound [T] -> [N, D]: for each quarter of a second, mean and spread of 16 cepstral coefficients.

    Cepstra are the DCT (orthonormal) of the level in dB of 80 mel bands (`mel_magnitudes`, floor -88 dBFS); windows
    that are silent throughout are left out.
    """
    from scipy.fft import dct

    level_db = 20.0 * np.log10(mel_magnitudes(at_measure_rate(audio, sample_rate_hz=sample_rate_hz)) + FLOOR)
    cepstra = dct(level_db, axis=1, norm="ortho")[:, :COEFFICIENTS]
    length = max(1, round(WINDOW_S * RATE_HZ / HOP))
    count = max(1, len(cepstra) // length)
    windows = np.array_split(cepstra[: count * length], count)
    heard = np.array_split(level_db[: count * length].max(axis=1) > 20.0 * np.log10(2.0 * FLOOR), count)
    rows = [np.concatenate([w.mean(axis=0), w.std(axis=0)]) for w, h in zip(windows, heard, strict=True) if h.any()]
    return np.array(rows).reshape(-1, 2 * COEFFICIENTS)


def frechet_distance(first: Iterable[np.ndarray], second: Iterable[np.ndarray]) -> float:
    """Between the normal distributions fitted to two sets of embeddings, each a list of [N, D].

    |m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2)), in dB^2.

    Raises DataError: fewer windows than dimensions, which fit no distribution.
    """
    from scipy.linalg import sqrtm

    sets = [np.concatenate(list(rows)).astype(np.float64) for rows in (first, second)]
    if min(len(rows) for rows in sets) <= sets[0].shape[1]:
        raise DataError(f"A Frechet distance needs more than {sets[0].shape[1]} windows of sound; give more notes.")
    means = [rows.mean(axis=0) for rows in sets]
    spreads = [np.cov(rows, rowvar=False) + 1e-6 * np.eye(rows.shape[1]) for rows in sets]
    root = np.real(np.asarray(sqrtm(spreads[0] @ spreads[1])))
    return float(np.sum((means[0] - means[1]) ** 2) + np.trace(spreads[0] + spreads[1] - 2.0 * root))
