"""How well points tell instruments and families that no training heard: retrieval, with intervals over instruments.

Shapes: N notes, D numbers of a point, P features, I instruments.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from synth_explorer.library import ears
from synth_explorer.train.ears import Notes, discriminant, features, read_notes

CEPSTRA = 13  # without the first, which is the level
RESAMPLED = 2000
INSIDE = 2.5, 97.5  # percentiles of an interval


def retrieval(points: np.ndarray, notes: Notes) -> dict[str, dict[str, Any]]:
    """What comes first when the notes [N, D] are ordered by their cosines with each of them.

    `nearest`: how often the nearest note is of the same instrument; `instrument`: mean average precision of the same
    instrument's notes. The same key of the same instrument is no candidate, nor is another instrument of the same group
    (SoundFonts share samples). `family`: mean average precision of the same family among the notes of other groups.
    Each is a mean over instruments of the mean over their notes, with an interval of 95 % by drawing groups of
    instruments, again and again.
    """
    unit = points / np.maximum(np.linalg.norm(points, axis=1, keepdims=True), 1e-9)
    found: dict[str, list[float]] = {"nearest": [], "instrument": [], "family": []}
    for i in range(len(unit)):
        order = np.argsort(-(unit @ unit[i]), kind="stable")
        own, group = notes.instrument[order] == notes.instrument[i], notes.group[order] == notes.group[i]
        others = np.where(own, notes.key[order] != notes.key[i], ~group)
        found["nearest"].append(float(own[others][0]))
        found["instrument"].append(_average_precision(own[others]))
        found["family"].append(_average_precision((notes.family[order] == notes.family[i])[~group]))
    return {name: interval(np.array(each), notes) for name, each in found.items()}


def _average_precision(is_right: np.ndarray) -> float:
    """Of an ordered list: the mean over what is right of how much up to there is; NaN where nothing is."""
    places = np.flatnonzero(is_right)
    return float(np.mean(np.arange(1, len(places) + 1) / (places + 1))) if len(places) else np.nan


def interval(each: np.ndarray, notes: Notes, *, seed: int = 0) -> dict[str, Any]:
    """The mean over instruments of figures of notes [N], and 95 % of the means when groups are drawn anew."""
    groups: dict[str, list[float]] = {}
    for name in np.unique(notes.instrument):
        mine = notes.instrument == name
        if np.isfinite(each[mine]).any():
            groups.setdefault(str(notes.group[mine][0]), []).append(float(np.nanmean(each[mine])))
    sums, counts = (np.array([f(group) for group in groups.values()]) for f in (sum, len))
    drawn = np.random.default_rng(seed).integers(0, len(groups), (RESAMPLED, len(groups)))
    low, high = np.percentile(sums[drawn].sum(axis=1) / counts[drawn].sum(axis=1), INSIDE)
    return {
        "mean": round(float(sums.sum() / counts.sum()), 4),
        "interval": [round(float(low), 4), round(float(high), 4)],
        "instruments": int(counts.sum()),
    }


def told_families(heard: ears.Ears, seen: np.ndarray, notes: Notes) -> dict[str, Any]:
    """How often the likeliest family of features [N, P] is the right one, as of `retrieval`; families that training
    never saw count."""
    likeliest = np.array(heard.families)[heard.likely(seen).argmax(axis=1)]
    return interval((likeliest == notes.family).astype(float), notes)


def cepstra(notes: Notes) -> np.ndarray:
    """Mean and spread over time of the cepstra of each note's bands: [N, 2 * CEPSTRA]."""
    from scipy.fft import dct

    found = [
        dct(ears.scaled(bands.astype(np.float32)), axis=1, norm="ortho")[:, 1 : CEPSTRA + 1] for bands in notes.bands
    ]
    return np.stack([np.concatenate([one.mean(axis=0), one.std(axis=0)]) for one in found])


def report(networks: Mapping[str, Path], datasets: Sequence[Path]) -> dict[str, Any]:
    """Scores of networks by their files on the test notes of datasets, beside those of cepstra: their mean, and mean
    and spread through a linear discriminant that was learned from the training notes."""
    train, held = (read_notes(datasets, split=split) for split in ("train", "test"))
    found: dict[str, Any] = {"notes": len(held.bands), "groups": len(np.unique(held.group))}
    for name, path in networks.items():
        heard = ears.Ears.load(path)
        seen = features(heard, held)
        found[name] = retrieval(heard.embedded(seen), held) | {"told family": told_families(heard, seen, held)}
    known, seen = cepstra(train), cepstra(held)
    directions, mean = discriminant(known, train.instrument)
    found["cepstra, discriminant"] = retrieval((seen - mean) @ directions, held)
    known, seen = known[:, :CEPSTRA], seen[:, :CEPSTRA]
    found["mean cepstra"] = retrieval((seen - known.mean(axis=0)) / known.std(axis=0), held)
    return found
