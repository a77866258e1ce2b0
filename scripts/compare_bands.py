"""Checkpoints of several rates on notes of held-out instruments, over the whole band: `measure.band_distances_db`.

    python scripts/compare_bands.py DATASET... --checkpoints default,runs/mine/checkpoint -o report.json

The notes are those of one split of 48 kHz datasets, evenly chosen. Each checkpoint hears them at its own rate, its
pitch estimated by the program, and its sound is compared at 48 kHz with the note. Notes whose recording ends early are
left out: nobody knows what lies above. Beside the checkpoints stands the note itself, silent above 8 kHz.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import numpy as np
from scipy.signal import firwin, oaconvolve

from synth_explorer.audio import resample
from synth_explorer.data.dataset import NotesDataset
from synth_explorer.explorer import Explorer
from synth_explorer.measure import band_distances_db, log_mel_distance_db

TELEPHONE_HZ = 8000.0


def main() -> None:
    """Parse, measure, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("datasets", nargs="+", type=Path)
    parser.add_argument("--checkpoints", default="default")
    parser.add_argument("--split", default="validation")
    parser.add_argument("--notes", type=int, default=32, help="of each dataset")
    parser.add_argument("--fit-steps", default="0,16")
    parser.add_argument("-o", "--out", type=Path, required=True)
    given = parser.parse_args()
    notes = [note for folder in given.datasets for note in _chosen(NotesDataset(folder), given.split, given.notes)]
    report = {"notes": len(notes), "split": given.split, "rows": {}}
    report["rows"]["silent above 8 kHz"] = _summary([_distances(sound, _telephone(sound)) for _, sound in notes])
    for name in given.checkpoints.split(","):
        explorer = Explorer.load(name)
        for steps in (int(part) for part in given.fit_steps.split(",")):
            rows = [_row(explorer, *note, steps) for note in notes]
            report["rows"][f"{name}, {steps} steps of fitting"] = _summary(rows)
            given.out.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")


def _chosen(dataset: NotesDataset, split: str, count: int) -> list[tuple[float, np.ndarray]]:
    """Pitch and sound of notes, evenly over a split."""
    whole = [i for i in dataset.select(split=split) if not dataset.rows[i].bandwidth_hz]
    picked = [whole[i] for i in np.linspace(0, len(whole) - 1, count).astype(int)]
    return [(dataset.rows[i].pitch, dataset.audio(i)) for i in picked]


def _telephone(sound: np.ndarray) -> np.ndarray:
    """A note at 48 kHz, silent above 8 kHz."""
    return oaconvolve(sound, firwin(2001, TELEPHONE_HZ, fs=48_000), mode="same").astype(np.float32)


def _row(explorer: Explorer, pitch: float, sound: np.ndarray, steps: int) -> dict[str, float]:
    rate_hz = explorer.sample_rate_hz
    heard = resample(sound, source_rate_hz=48_000, sample_rate_hz=rate_hz)
    started = time.perf_counter()
    latents = explorer.encode(heard, fit_steps=steps)
    encoded = time.perf_counter()
    made = explorer.decode(latents)
    decoded = time.perf_counter()
    row = _distances(sound, resample(made, source_rate_hz=rate_hz, sample_rate_hz=48_000))
    right = abs(latents.pitch_midi - pitch) <= 0.5
    return row | {"pitch_right": right, "encode_s": encoded - started, "decode_s": decoded - encoded}


def _distances(sound: np.ndarray, made: np.ndarray) -> dict[str, float]:
    whole, high = band_distances_db(sound, made, sample_rate_hz=48_000)
    return {
        "whole_db": whole,
        "above_8_khz_db": high,
        "at_16_khz_db": log_mel_distance_db(sound, made, sample_rate_hz=48_000),
    }


def _summary(rows: list[dict[str, float]]) -> dict[str, float]:
    """Means; times as medians."""
    kinds = {name: np.median if name.endswith("_s") else np.mean for name in rows[0]}
    return {name: round(float(kind([row[name] for row in rows])), 4) for name, kind in kinds.items()}


if __name__ == "__main__":
    main()
