"""Sounds as points: how far apart they are heard, the order in which they differ most, and which are as good as one.

Shapes: N sounds, D descriptors, M mel bands, P = D + M.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from synth_explorer.batch.descriptors import NAMES
from synth_explorer.sheet.heard import Heard

TOLERANCES = {
    "loudness_db": 1.0,
    "brightness_octaves": 0.1,
    "noisiness_db": 2.0,
    "attack_s": 0.5,  # octaves of its time
    "pitch_midi": 0.1,
}
SPECTRUM_TOLERANCE_DB = 1.5
"""Two sounds that differ by no more than all of these are near-duplicates. Each is about what a listener just notices
when both sounds follow one another: 1 dB of level, 10 cents, a seventh of brightness, an attack longer by 40 %, and
1.5 dB (the root mean square over the bands) of timbre."""


class Space:
    """Where sounds lie, as they spread in a folder.

    Descriptors are standardised; the spectrum, as a whole, counts as much as all of them together. What a sound has not
    got (the pitch of noise) counts as the mean, and what hardly varies is not blown up: a spread is at least the
    tolerance.
    """

    def __init__(self, sounds: Sequence[Heard]) -> None:
        descriptors, spectra = _stacked(sounds)
        tolerances = np.array([TOLERANCES[name] for name in NAMES])
        known = np.isfinite(descriptors)
        filled = np.where(known, descriptors, 0.0)
        count = np.maximum(known.sum(axis=0), 1)
        self._mean = filled.sum(axis=0) / count
        variance = np.where(known, (filled - self._mean) ** 2, 0.0).sum(axis=0) / count
        self._spread = np.maximum(np.sqrt(variance), tolerances)
        self._mean_db = spectra.mean(axis=0)
        self._spread_db = max(float(np.sqrt(spectra.var(axis=0).mean())), SPECTRUM_TOLERANCE_DB)
        self.points = self.place(sounds)

    def place(self, sounds: Sequence[Heard]) -> np.ndarray:
        """Sounds as points [N, P]."""
        descriptors, spectra = _stacked(sounds)
        told = np.nan_to_num((descriptors - self._mean) / self._spread)
        bands = (spectra - self._mean_db) / self._spread_db * np.sqrt(len(NAMES) / spectra.shape[1])
        return np.concatenate([told, bands], axis=1)

    def distances(self, sound: Heard) -> np.ndarray:
        """How far each sound of the folder is from another one [N], in standard deviations."""
        return np.sqrt(_squares(self.points, self.place([sound])[0]))


def farthest_first(points: np.ndarray) -> np.ndarray:
    """The order [N] in which points [N, P] differ most: the first n are a good choice of n, for every n.

    The first is the one nearest to the mean, each next one that which is farthest from all before it; of equals the
    first (Gonzalez, *Clustering to minimize the maximum intercluster distance*, 1985).
    """
    order = np.zeros(len(points), dtype=np.int64)
    if not len(points):
        return order
    order[0] = np.argmin(_squares(points, points.mean(axis=0)))
    nearest = _squares(points, points[order[0]])
    nearest[order[0]] = -1.0
    for i in range(1, len(points)):
        order[i] = np.argmax(nearest)
        np.minimum(nearest, _squares(points, points[order[i]]), out=nearest)
        nearest[order[: i + 1]] = -1.0
    return order


def near_duplicates(sounds: Sequence[Heard], order: Sequence[int]) -> dict[int, int]:
    """Sounds that are as good as another one which comes before them in an order, and that one; see `TOLERANCES`.

    The other one is never a near-duplicate itself.
    """
    descriptors, spectra = _stacked(sounds)
    scaled = np.where(np.isfinite(descriptors), descriptors / [TOLERANCES[name] for name in NAMES], np.finfo(float).max)
    found: dict[int, int] = {}
    kept = np.zeros(len(sounds), dtype=np.int64)
    count = 0
    for i in order:
        others = kept[:count]
        alike = others[(np.abs(scaled[others] - scaled[i]) <= 1.0).all(axis=1)]
        apart_db = np.sqrt(np.mean((spectra[alike] - spectra[i]) ** 2, axis=1))
        twins = alike[apart_db <= SPECTRUM_TOLERANCE_DB]
        if twins.size:
            found[int(i)] = int(twins[0])
        else:
            kept[count] = i
            count += 1
    return found


def _stacked(sounds: Sequence[Heard]) -> tuple[np.ndarray, np.ndarray]:
    """Descriptors [N, D] and mean spectra [N, M]."""
    return np.stack([sound.descriptors for sound in sounds]), np.stack([sound.spectrum_db for sound in sounds])


def _squares(points: np.ndarray, point: np.ndarray) -> np.ndarray:
    """Squared distances [N]."""
    apart = points - point
    return np.einsum("np,np->n", apart, apart)
