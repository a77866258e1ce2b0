"""How near whole unseen notes come back.

Shapes: T samples.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from synth_explorer.batch.errands import Site
from synth_explorer.errors import DataError
from synth_explorer.evaluation import baselines
from synth_explorer.evaluation.index import How, Setup, each, summarised
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
    setup, notes = Setup(explorer=explorer, **options), read_index(Path(notes_folder), IndexRow)
    stems, found = setup.stems(notes), dict[int, _Found]()

    def take(number: int, answer: tuple[_Found, np.ndarray, float]) -> None:
        found[number], rendered, midi = answer
        if stems:
            setup.keep(stems[notes[number].path], rendered, midi)

    with setup.at_work(_Judge(setup.how, with_baselines), len(notes)) as at_work:
        each(at_work, notes, take, failed=setup.failed, progress=setup.progress)
    in_order = [found[number] for number in sorted(found)]
    report = setup.report([one.row for one in in_order])
    fits = setup.fit_steps if explorer.family.details else 0  # nothing else is fitted
    heard = {name: [one.heard[name] for one in in_order] for name in in_order[0].heard}
    report["summary"] |= {"fit_steps": fits, **_frechet(heard, "render")}
    if with_baselines:
        beside = {name: [one.beside[name] for one in in_order] for name in in_order[0].beside}
        report["summary"]["baselines"] = {
            name: summarised(figures)["summary"] | _frechet(heard, name) for name, figures in beside.items()
        }
    return report


class _Found(NamedTuple):
    """What was found of a note."""

    row: dict[str, Any]
    beside: dict[str, dict[str, Any]]  # figures of each baseline
    heard: dict[str, np.ndarray]  # embeddings, of the original and of each sound


class _Judge:
    """Encodes, decodes and compares a note, wherever that is done."""

    def __init__(self, how: How, with_baselines: bool) -> None:
        self.how, self.with_baselines = how, with_baselines
        self._others: dict[str, baselines.Baseline] | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        return _Judge, (self.how, self.with_baselines)

    def __call__(self, site: Site, note: IndexRow) -> tuple[_Found, np.ndarray, float]:
        explorer, decoding = site.explorer, self.how.decoding(site.explorer)
        if self._others is None:
            self._others = baselines.baselines(explorer, decoding["decoder"]) if self.with_baselines else {}
        audio = explorer.read(site.path(note.path))
        latents = self.how.encode(explorer, audio, note)
        rendered = baselines.restored(explorer, latents, len(audio), **decoding)
        row = {"path": note.path.name, **_distances(explorer, audio, rendered, latents.pitch_midi, note.pitch)}
        if latents.meta.pitch_confidence is not None:
            row |= {"pitch_confidence": latents.meta.pitch_confidence, "pitch_kind": latents.meta.pitch_kind}
            row["pitch_doubt"] = doubt(latents.pitch_midi, latents.meta.pitch_confidence, latents.meta.pitch_kind)
        found = _Found(row, *_beside(explorer, audio, latents, rendered, self._others, **decoding))
        return found, rendered, latents.pitch_midi


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
