"""From a training run to a checkpoint: weights, calibration of the tied channels, card.

A run's folder is what `start.train` leaves: `config.json`, `log.csv`, `best.npz`.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np

from synth_explorer import checkpoints
from synth_explorer.data.dataset import NotesDataset
from synth_explorer.errors import DataError
from synth_explorer.files import read_text
from synth_explorer.train.nsynth import NSynthTrainConfig
from synth_explorer.train.start import load
from synth_explorer.train.trainer import read_arrays

SLOPE_INSTRUMENTS = 80
SLOPE_RANGE_MIDI = (36.0, 90.0)
LONGEST_S = 2.0

CARD = """# {name}

{description}

- Model: {about}, {rate} Hz, hop {hop}, {channels} latent channels, {weights:.1f} M weights stored as {stored}-precision
  floats.
- Trained by `synth-explorer train` for {steps} steps of {batch} crops of {crop:.2f} s; the weights are an exponential
  average, the best by validation on instruments that training never heard: {distance:.2f} {unit}.
- Instruments are held out whole for validation and test; a program of both SoundFonts is held out in both.

## Data

{data}

{figures}"""


def export(
    run: str | Path,
    out: str | Path,
    *,
    pitch_folder: str | Path | None = None,
    description: str = "Trained on notes of SoundFonts and of synthetic instruments",
    figures: str = "",
) -> checkpoints.CheckpointInfo:
    """Write the checkpoint of a run's best weights.

    Args:
        out: folder of the checkpoint; its last part is the name.
        pitch_folder: where `pitch.json` and `pitch.weights.h5` lie; None takes those of the bundled checkpoint.
        figures: Markdown that ends the card: what was measured, and the limits.

    Raises DataError: a folder that holds no finished run.
    """
    run, out = Path(run), Path(out)
    if not (run / "best.npz").is_file() or not (run / "config.json").is_file():
        raise DataError(f"{run} holds no validated run (best.npz and config.json); train first.")
    config = load(run / "config.json")
    model = config.plain_model()
    model.build_weights()
    shapes = {f"w{i:03d}": weight.shape for i, weight in enumerate(model.get_weights())}
    best = read_arrays(run / "best.npz", shapes)
    model.set_weights([best[name] for name in shapes])
    datasets = [NotesDataset(folder) for folder in config.datasets]
    pitch_folder = checkpoints.find("default") if pitch_folder is None else Path(pitch_folder)
    card = CARD.format(
        name=out.name, description=description, about=config.about, unit=config.unit,
        rate=model.config.sample_rate_hz, hop=model.config.hop,
        channels=model.config.channels, weights=model.count_params() / 1e6, steps=config.steps, batch=config.batch,
        crop=config.frames * model.config.hop / model.config.sample_rate_hz, distance=_best(run),
        stored="single" if isinstance(config, NSynthTrainConfig) else "half",
        data="\n".join(_data_lines(datasets)), figures=figures,
    )  # fmt: skip
    if isinstance(config, NSynthTrainConfig):
        return checkpoints.save_nsynth(model, out, description=description, card=card)
    return checkpoints.save(
        model,
        out,
        description=description,
        family=config.family,
        controls=controls(config.sizes, transpose_slope=brightness_slope(datasets[0])),
        card=card,
        pitch_files=(pitch_folder / checkpoints.PITCH[0], pitch_folder / checkpoints.PITCH[1]),
    )


def controls(config: Any, *, transpose_slope: float) -> dict[str, Any]:
    """Content of controls.json: what the tied channels mean, by the front end's definition of them."""
    return {
        "format_version": 1,
        "loudness": {
            "channel": 0,
            "units_per_db": config.loudness_units_per_db,
            "offset_db": config.loudness_offset_db,
        },
        "brightness": {
            "channel": 1,
            "units_per_octave": 1.0,
            "reference_hz": config.brightness_reference_hz,
            "transpose_octaves_per_octave": round(transpose_slope, 3),
        },
    }


def brightness_slope(notes: NotesDataset) -> float:
    """Octaves by which the brightness of real instruments rises with an octave of pitch: the median over instruments.

    For each training instrument, brightness (`measure.brightness_octaves`) of its notes of one velocity between
    `SLOPE_RANGE_MIDI` is fitted by a line over pitch.
    """
    from synth_explorer.measure import brightness_octaves

    instrument, velocity, pitch = (np.asarray(notes.column(name)) for name in ("instrument", "velocity", "pitch"))
    low, high = SLOPE_RANGE_MIDI
    usable = (np.asarray(notes.column("split")) == "train") & (pitch >= low) & (pitch <= high)
    names = np.unique(instrument[usable])
    slopes = []
    for name in names[:: max(1, len(names) // SLOPE_INSTRUMENTS)]:
        own = np.flatnonzero(usable & (instrument == name))
        own = own[velocity[own] == np.max(velocity[own])]
        if len(np.unique(np.round(pitch[own]))) < 5:
            continue
        samples = int(LONGEST_S * notes.sample_rate_hz)
        heard = [brightness_octaves(notes.audio(i)[:samples], sample_rate_hz=notes.sample_rate_hz) for i in own]
        slopes.append(np.polyfit(pitch[own] / 12.0, heard, 1)[0])
    return float(np.median(slopes)) if slopes else 0.0


def _best(run: Path) -> float:
    """Lowest figure of validation of a run's log."""
    path = run / "log.csv"
    try:
        rows = csv.DictReader(read_text(path).splitlines())
        return min(float(row["loss_or_db"]) for row in rows if row["kind"] == "validation")
    except (OSError, ValueError, TypeError, KeyError, csv.Error) as error:
        raise DataError(f"{path} cannot be read as the log of a run ({error}); train again.") from error


def _data_lines(datasets: list[NotesDataset]) -> list[str]:
    """A Markdown list of the sources, their notes and licences."""
    lines = []
    for notes in datasets:
        source = np.asarray(notes.column("source"))
        for name, about in notes.sources.items():
            licence = about.get("licence", "not stated")
            lines.append(f"- {about.get('file', name)}: {int(np.sum(source == name))} notes; licence: {licence}.")
    return lines
