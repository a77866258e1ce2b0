"""A sound as it is heard: its descriptors, its mean spectrum, and a small picture of it.

Shapes: T samples, M mel bands of `measure.mean_spectrum_db`, D descriptors.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from synth_explorer import audio, measure
from synth_explorer.batch.descriptors import NAMES, describe
from synth_explorer.plots import FLOOR_DB, TOP_DB, palette, spectrogram_db
from synth_explorer.plots.spectrogram import indexed_png

PICTURE_WIDTH, PICTURE_BANDS, PICTURE_LEVELS = 96, 40, 24
SHORTEST_ATTACK_S = 1e-3


@dataclass(frozen=True, eq=False)
class Heard:
    """What is heard of a sound."""

    descriptors: np.ndarray  # [D] in the order of `NAMES`, the attack as log2 of its seconds; NaN: there is none
    spectrum_db: np.ndarray  # [M], see `measure.mean_spectrum_db`
    picture: bytes = b""  # its spectrogram, a PNG


def hear(folder: Path, record: Mapping[str, Any]) -> Heard:
    """A sound of a finished folder, by its line of the manifest. Raises AudioError: its file cannot be read."""
    rate_hz = record["sample_rate_hz"]
    if record["descriptors"]["loudness_db"] is None:  # silence, which `audio` refuses to load
        sound = np.zeros(round(record["duration_s"] * rate_hz), np.float32)
    else:
        sound = audio.load(folder / record["file"], sample_rate_hz=rate_hz, max_s=None)
    return _heard(sound, record["descriptors"], rate_hz, picture=thumbnail(sound, sample_rate_hz=rate_hz))


def hear_note(path: Path, *, sample_rate_hz: int) -> Heard:
    """Any sound file, as far as this rate holds it. Raises AudioError: it cannot be read, or is silent."""
    sound = audio.record(path, sample_rate_hz=sample_rate_hz).audio
    return _heard(sound, describe(sound, sample_rate_hz=sample_rate_hz, pitch_hz=None), sample_rate_hz)


def _heard(sound: np.ndarray, given: Mapping[str, float | None], rate_hz: int, *, picture: bytes = b"") -> Heard:
    values = dict.fromkeys(NAMES, np.nan) | {name: value for name, value in given.items() if value is not None}
    values["attack_s"] = np.log2(max(values["attack_s"], SHORTEST_ATTACK_S)) if values["attack_s"] >= 0 else np.nan
    spectrum_db = measure.mean_spectrum_db(sound, sample_rate_hz=rate_hz)
    return Heard(np.array([values[name] for name in NAMES], dtype=np.float64), spectrum_db, picture)


def thumbnail(sound: np.ndarray, *, sample_rate_hz: int) -> bytes:
    """A small spectrogram of a sound [T] as a PNG of two kilobytes, whatever its length."""
    level_db = spectrogram_db(sound, sample_rate_hz=sample_rate_hz, bands=PICTURE_BANDS)
    parts = np.array_split(level_db, min(PICTURE_WIDTH, level_db.shape[1]), axis=1)
    narrow_db = np.stack([part.mean(axis=1) for part in parts], axis=1)
    step = np.clip((narrow_db - FLOOR_DB) / (TOP_DB - FLOOR_DB), 0.0, 1.0) * (PICTURE_LEVELS - 1)
    colours = palette("#e8a33d")[np.linspace(0, 255, PICTURE_LEVELS).astype(int)]
    return indexed_png(np.rint(step).astype(np.uint8)[::-1], colours, compress_level=9)
