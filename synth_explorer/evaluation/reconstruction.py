"""How near whole unseen notes come back.

Shapes: T samples.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from synth_explorer.errors import DataError
from synth_explorer.evaluation import baselines
from synth_explorer.evaluation.index import Setup, counted, going_on, summarised
from synth_explorer.index import IndexRow, read_index
from synth_explorer.pitch import doubt

if TYPE_CHECKING:
    from synth_explorer.explorer import Explorer
    from synth_explorer.explorer.decoders import Decoder
    from synth_explorer.latents import Latents


def evaluate_reconstruction(
    explorer: Explorer, notes_folder: str | Path, *, with_baselines: bool = False, **options: Any
) -> dict[str, Any]:
    """Encode and decode every note and compare with the original.

    `with_baselines`: also what the figures stand beside (`baselines`), in `summary["baselines"]`. `options`: of
    `index.Setup`; renders have the originals' file stems and time axis.

    Returns the report. Per note: log_mel_db, multi_resolution_stft, level_error_db, attack_error_ms, pitch_cents
    (render against original, by `measure.pitch_cents_difference`), midi (used), midi_error (against the index).
    """
    setup, notes = Setup(explorer, **options), read_index(Path(notes_folder), IndexRow)
    stems, decoding = setup.stems(notes), setup.decoding
    others = baselines.baselines(explorer, decoding["decoder"]) if with_baselines else {}
    rows: list[dict[str, Any]] = []
    beside: dict[str, list[dict[str, Any]]] = {name: [] for name in (*others, *(("other_seed",) if others else ()))}
    heard: dict[str, list[np.ndarray]] = {name: [] for name in ("original", "render", *others)}
    for note in counted(notes, setup.progress):
        with going_on(setup.failed, note.path):
            audio = explorer.read(note.path)
            latents = setup.encode(note, audio)
            rendered = baselines.restored(explorer, latents, len(audio), **decoding)
            row = {"path": note.path.name, **_distances(explorer, audio, rendered, latents.pitch_midi, note.pitch)}
            if latents.meta.pitch_confidence is not None:
                row |= {"pitch_confidence": latents.meta.pitch_confidence, "pitch_kind": latents.meta.pitch_kind}
                row["pitch_doubt"] = doubt(latents.pitch_midi, latents.meta.pitch_confidence, latents.meta.pitch_kind)
            found = _beside(explorer, audio, latents, rendered, others, **decoding)
            rows.append(row)
            for name, figures in found[0].items():
                beside[name].append(figures)
            for name, vector in found[1].items():
                heard[name].append(vector)
            if stems:
                setup.keep(stems[note.path], rendered, latents.pitch_midi)
    report = setup.report(rows)
    fits = setup.fit_steps if explorer.decoders[0].answers_at_once else 0  # nothing else is fitted
    report["summary"] |= {"fit_steps": fits, **_frechet(heard, "render")}
    if others:
        report["summary"]["baselines"] = {
            name: summarised(found)["summary"] | _frechet(heard, name) for name, found in beside.items()
        }
    return report


def _beside(
    explorer: Explorer,
    audio: np.ndarray,
    latents: Latents,
    rendered: np.ndarray,
    others: Mapping[str, Callable[[np.ndarray, Latents], np.ndarray]],
    *,
    decoder: Decoder,
    engine: str,
) -> tuple[dict[str, dict[str, Any]], dict[str, np.ndarray]]:
    """What one note's figures stand beside: figures by baseline, and an embedding of each sound by its name."""
    from synth_explorer.measure import embedding

    sounds = {name: make(audio, latents) for name, make in others.items()}
    figures = {name: _distances(explorer, audio, sound, latents.pitch_midi, None) for name, sound in sounds.items()}
    if others:
        again = baselines.restored(explorer, latents, len(audio), decoder, engine=engine, seed=baselines.OTHER_SEED)
        figures["other_seed"] = _distances(explorer, rendered, again, latents.pitch_midi, None)
    named = {"original": audio, "render": rendered, **sounds}
    return figures, {name: embedding(one, sample_rate_hz=explorer.sample_rate_hz) for name, one in named.items()}


def _frechet(heard: dict[str, list[np.ndarray]], name: str) -> dict[str, float]:
    """The Frechet distance to the originals, where there are enough notes for one."""
    from synth_explorer.measure import frechet_distance

    try:
        return {"frechet_db2": frechet_distance(heard["original"], heard[name])} if name in heard else {}
    except DataError:
        return {}


def _distances(
    explorer: Explorer, audio: np.ndarray, rendered: np.ndarray, midi: float, label: float | None
) -> dict[str, Any]:
    """Every measure of one note."""
    from synth_explorer import measure
    from synth_explorer.latents import midi_to_hz

    rate_hz = explorer.sample_rate_hz
    row: dict[str, Any] = {
        "midi": midi,
        "log_mel_db": measure.log_mel_distance_db(audio, rendered, sample_rate_hz=rate_hz),
        "multi_resolution_stft": measure.multi_resolution_stft(audio, rendered, sample_rate_hz=rate_hz),
        "level_error_db": measure.level_error_db(audio, rendered),
        "attack_error_ms": measure.attack_error_ms(audio, rendered, sample_rate_hz=rate_hz),
    }
    known = midi if np.isfinite(midi) else label  # NSynth's latents tell no pitch
    if known is not None:
        around_hz = midi_to_hz(known)
        row["pitch_cents"] = measure.pitch_cents_difference(
            audio, rendered, sample_rate_hz=rate_hz, around_hz=around_hz
        )
    if label is not None and np.isfinite(midi):
        row["midi_error"] = midi - label
    return row
