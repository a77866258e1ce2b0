"""How a judge of hearing rates renders of held-out recordings: ViSQOL, mode for audio, from 1 (bad) to 4.7 (alike).

    pip install visqol-python
    python scripts/rate_renders.py data/sfz48 --notes 14 -o report.json

Each note is encoded, its pitch estimated by the program, and decoded by each decoder; original and render are compared
at 48 kHz between half seconds of silence. Hines et al., *ViSQOLAudio*, 2015; Chinen et al., *ViSQOL v3*, 2020.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np

from synth_explorer.audio import resample
from synth_explorer.data.dataset import NotesDataset
from synth_explorer.explorer import Explorer

RATE_HZ, SILENCE_S = 48_000, 0.5


def main() -> None:
    """Parse, measure, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dataset", type=Path, help="at 48 kHz")
    parser.add_argument("--checkpoint", default="default")
    parser.add_argument("--split", default="validation")
    parser.add_argument("--notes", type=int, default=14, help="evenly chosen")
    parser.add_argument("--fit-steps", type=int, default=22)
    parser.add_argument("-o", "--out", type=Path, required=True)
    given = parser.parse_args()
    from visqol import VisqolApi  # pyright: ignore[reportMissingImports]

    judge, explorer, dataset = VisqolApi(), Explorer.load(given.checkpoint), NotesDataset(given.dataset)
    judge.create(mode="audio")
    chosen = dataset.select(split=given.split)
    found: dict[str, list[float]] = {}
    for at in np.linspace(0, len(chosen) - 1, given.notes).astype(int).tolist():
        sound = dataset.audio(chosen[at])
        rate_hz = explorer.sample_rate_hz
        heard = resample(sound, source_rate_hz=RATE_HZ, sample_rate_hz=rate_hz)
        latents = explorer.encode(heard, fit_steps=given.fit_steps)
        note = _padded(latents.heard_of(heard), rate_hz)
        for decoder in explorer.decoders:
            made = _padded(explorer.decode(latents, decoder=decoder), rate_hz)
            rated = judge.measure_from_arrays(note, made[: note.size], RATE_HZ)
            found.setdefault(decoder.name, []).append(float(rated.moslqo))
    report = {name: {"mean": float(np.mean(each)), "least": min(each), "notes": each} for name, each in found.items()}
    given.out.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")


def _padded(sound: np.ndarray, rate_hz: int) -> np.ndarray:
    """A sound [T] at 48 kHz between silences, float64."""
    at_48_khz = resample(sound, source_rate_hz=rate_hz, sample_rate_hz=RATE_HZ)
    return np.pad(at_48_khz.astype(np.float64), round(SILENCE_S * RATE_HZ))


if __name__ == "__main__":
    main()
