"""Evaluation: how near whole unseen notes come back, and whether a morph keeps its pitch.

A NOTES folder has sound files and an `index.csv` with at least `path,pitch` (MIDI; may be empty). Reports are
`{"notes": N, "summary": {...}, "per_note": [...], "failed": [{"path", "error"}, ...]}`: a note that cannot
be used, or whose render cannot be written, is told there, and the others go on.

Shapes: B notes, T samples, F frames.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from synth_explorer.errors import AudioError, DataError, LatentsError

if TYPE_CHECKING:
    from synth_explorer.explorer import Explorer
    from synth_explorer.explorer.decoders import Decoder
    from synth_explorer.latents import Latents
from synth_explorer.pitch import doubt

Progress = Callable[[int, int], None]
Failed = list[dict[str, str]]
Save = Callable[[Path, np.ndarray, float], None]
"""Writes a render: its file, audio [T], its MIDI pitch (NaN: unknown)."""

MIXES = (0.25, 0.5, 0.75)


@dataclass(frozen=True)
class IndexedNote:
    """One row of index.csv: the file, its MIDI pitch if known, and where it stands."""

    path: Path
    pitch: float | None


def read_index(folder: str | Path) -> list[IndexedNote]:
    """Notes of a folder by its index.csv. Raises DataError naming the row that is wrong; files stay in the folder."""
    folder = Path(folder)
    index = folder / "index.csv"
    try:
        with index.open(newline="", encoding="utf-8-sig") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{index} can't be read: {error}. NOTES is a folder with an index.csv (path,pitch).") from None
    if not rows or "path" not in rows[0] or "pitch" not in rows[0]:
        raise DataError(f"{index} must have a header with at least `path,pitch` and at least one row.")
    notes = []
    for number, row in enumerate(rows, start=2):
        path = folder / (row["path"] or "")
        if not row["path"] or "\0" in row["path"] or not path.resolve().is_relative_to(folder.resolve()):
            raise DataError(f"{index}, line {number}: path {row['path']!r} must name a file inside the folder.")
        try:
            pitch = float(row["pitch"]) if row["pitch"] else None
        except ValueError:
            raise DataError(f"{index}, line {number}: pitch {row['pitch']!r} must be a MIDI note or empty.") from None
        if pitch is not None and not 0.0 <= pitch <= 127.0:
            raise DataError(f"{index}, line {number}: pitch {pitch:g} must be a MIDI note, 0 to 127, or empty.")
        notes.append(IndexedNote(path, pitch))
    return notes


def evaluate_reconstruction(
    explorer: Explorer,
    notes_folder: str | Path,
    *,
    decoder: str | Decoder | None = None,
    engine: str = "auto",
    save_audio: str | Path | None = None,
    save: Save | None = None,
    pitch_source: str = "estimate",
    fit_steps: int = 0,
    with_baselines: bool = False,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Encode and decode every note and compare with the original.

    Args:
        explorer: the checkpoint.
        notes_folder: see the module.
        decoder: which decoder; None: the first.
        engine: that computes it, see `Explorer.decode`.
        save_audio: folder for the renders, under the originals' file stems, on the originals' time axis.
        save: what writes them; None: `audio.save` at their own level.
        pitch_source: "estimate" (by the program) or "index" (told).
        fit_steps: see `Explorer.encode`.
        with_baselines: also what the figures stand beside (`baselines`), in `summary["baselines"]`.
        progress: called with (done, total).

    Returns:
        The report. Per note: log_mel_db, multi_resolution_stft, level_error_db, attack_error_ms, pitch_cents (render
        against original, by `measure.pitch_cents_difference`), midi (used), midi_error (against the index).
    """
    from synth_explorer.train import baselines

    decoder, notes = explorer.decoder(decoder), read_index(notes_folder)
    stems = {} if save_audio is None else _stems(notes, Path(save_audio))
    others = baselines.baselines(explorer, decoder) if with_baselines else {}
    rows: list[dict[str, Any]] = []
    failed: Failed = []
    beside: dict[str, list[dict[str, Any]]] = {name: [] for name in (*others, *(("other_seed",) if others else ()))}
    heard: dict[str, list[np.ndarray]] = {name: [] for name in ("original", "render", *others)}
    for note in _counted(notes, progress):
        with going_on(failed, note.path):
            audio = explorer.read(note.path)
            latents = explorer.encode(audio, pitch=note.pitch if pitch_source == "index" else None, fit_steps=fit_steps)
            rendered = baselines.restored(explorer, latents, len(audio), decoder, engine=engine)
            row = {"path": note.path.name, **_distances(explorer, audio, rendered, latents.pitch_midi, note.pitch)}
            if latents.meta.pitch_confidence is not None:
                row |= {"pitch_confidence": latents.meta.pitch_confidence, "pitch_kind": latents.meta.pitch_kind}
                row["pitch_doubt"] = doubt(latents.pitch_midi, latents.meta.pitch_confidence, latents.meta.pitch_kind)
            found = _beside(explorer, audio, latents, rendered, others, decoder=decoder, engine=engine)
            rows.append(row)
            for name, figures in found[0].items():
                beside[name].append(figures)
            for name, vector in found[1].items():
                heard[name].append(vector)
            if save_audio is not None:
                _save(explorer, Path(save_audio) / f"{stems[note.path]}.wav", rendered, latents.pitch_midi, save)
    _some(rows, failed)
    settings = {"decoder": decoder.name, "engine": engine, "pitch_source": pitch_source}
    report = _report(rows, **settings, checkpoint=explorer.checkpoint_name) | {"failed": failed}
    fits = fit_steps if explorer.decoders[0].answers_at_once else 0  # nothing else is fitted
    report["summary"] |= {"fit_steps": fits, **_frechet(heard, "render")}
    if others:
        report["summary"]["baselines"] = {
            name: _report(found)["summary"] | _frechet(heard, name) for name, found in beside.items()
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
    from synth_explorer.train import baselines

    sounds = {name: make(audio, latents) for name, make in others.items()}
    figures = {name: _distances(explorer, audio, sound, latents.pitch_midi, None) for name, sound in sounds.items()}
    if others:
        again = baselines.restored(explorer, latents, len(audio), decoder, engine=engine, seed=baselines.OTHER_SEED)
        figures["other_seed"] = _distances(explorer, rendered, again, latents.pitch_midi, None)
    named = {"original": audio, "render": rendered, **sounds}
    return figures, {name: embedding(one, sample_rate_hz=explorer.sample_rate_hz) for name, one in named.items()}


@contextmanager
def going_on(failed: Failed, path: Path) -> Iterator[None]:
    """Use one of many notes in this block: if it cannot be used, it is added to `failed` and the others go on."""
    try:
        yield
    except (AudioError, LatentsError, OSError) as error:
        if isinstance(error, BrokenPipeError):
            raise
        failed.append({"path": path.name, "error": str(error)})


def _some(rows: Sequence[Any], failed: Failed) -> None:
    """Raises DataError where no note is left to report on."""
    if not rows:
        why = f" {failed[0]['path']}: {failed[0]['error']}" if failed else ""
        raise DataError(f"None of the {len(failed)} notes can be used.{why}")


def _frechet(heard: dict[str, list[np.ndarray]], name: str) -> dict[str, float]:
    """The Frechet distance to the originals, where there are enough notes for one."""
    from synth_explorer.measure import frechet_distance

    try:
        return {"frechet_db2": frechet_distance(heard["original"], heard[name])} if name in heard else {}
    except DataError:
        return {}


def _counted(items: Sequence[Any], progress: Progress | None) -> Iterator[Any]:
    """The items, telling `progress` how many are done."""
    for done, item in enumerate(items):
        if progress:
            progress(done, len(items))
        yield item
    if progress:
        progress(len(items), len(items))


def _distances(
    explorer: Explorer, audio: np.ndarray, rendered: np.ndarray, midi: float, label: float | None
) -> dict[str, Any]:
    """Every measure of one note."""
    from synth_explorer import measure
    from synth_explorer.latents import midi_to_hz

    rate = {"sample_rate_hz": explorer.sample_rate_hz}
    row: dict[str, Any] = {
        "midi": midi,
        "log_mel_db": measure.log_mel_distance_db(audio, rendered, **rate),
        "multi_resolution_stft": measure.multi_resolution_stft(audio, rendered, **rate),
        "level_error_db": measure.level_error_db(audio, rendered),
        "attack_error_ms": measure.attack_error_ms(audio, rendered, **rate),
    }
    known = midi if np.isfinite(midi) else label  # NSynth's latents tell no pitch
    if known is not None:
        around_hz = midi_to_hz(known)
        row["pitch_cents"] = measure.pitch_cents_difference(audio, rendered, **rate, around_hz=around_hz)
    if label is not None and np.isfinite(midi):
        row["midi_error"] = midi - label
    return row


def _report(rows: list[dict[str, Any]], **settings: Any) -> dict[str, Any]:
    """Means and medians of absolute values with 95 % intervals of the mean by bootstrap."""
    summary: dict[str, Any] = dict(settings)
    for name in ("log_mel_db", "multi_resolution_stft", "level_error_db", "attack_error_ms", "pitch_cents"):
        values = np.abs([row[name] for row in rows if row.get(name) is not None and np.isfinite(row[name])])
        if len(values):
            summary[f"{name}_mean"] = float(np.mean(values))
            summary[f"{name}_median"] = float(np.median(values))
            summary[f"{name}_mean_95"] = _interval(values)
    errors = np.abs([row["midi_error"] for row in rows if "midi_error" in row])
    if len(errors):
        summary["pitch_within_half_semitone"] = float(np.mean(errors <= 0.5))
    told = [row for row in rows if row.get("pitch_doubt") == ""]
    if told:
        summary["pitch_told_without_doubt"] = len(told) / len(rows)
        wrong = [abs(row["midi_error"]) > 0.5 for row in told if "midi_error" in row]
        summary["pitch_told_without_doubt_wrong"] = sum(wrong)
    return {"notes": len(rows), "summary": summary, "per_note": rows}


def _interval(values: np.ndarray) -> list[float]:
    """95 % interval of the mean, by 2,000 bootstrap draws."""
    draws = np.random.default_rng(0).choice(values, (2000, len(values)))
    return [float(q) for q in np.quantile(draws.mean(axis=1), [0.025, 0.975])]


def evaluate_morph(
    explorer: Explorer,
    notes_folder: str | Path,
    *,
    decoder: str | Decoder | None = None,
    engine: str = "auto",
    save_audio: str | Path | None = None,
    save: Save | None = None,
    pitch_source: str = "estimate",
    fit_steps: int = 0,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Morph each note with the next one of its pitch at 0.25, 0.5 and 0.75; measure pitch and place between the two.

    The notes that can be read are paired along the index within each (rounded) pitch: first with second, second with
    third, and so on.
    Per render: pitch_cents from the asked pitch (by `measure.pitch_cents_difference` against the nearer source), and
    log-mel distance to both sources. Arguments as in `evaluate_reconstruction`.
    """
    notes = [note for note in read_index(notes_folder) if note.pitch is not None]
    decoder = explorer.decoder(decoder)
    stems = {} if save_audio is None else _stems(notes, Path(save_audio))
    alike = Counter(round(note.pitch) for note in notes)
    paired = [note for note in notes if alike[round(note.pitch)] > 1]
    if not paired:
        raise DataError(f"{notes_folder} has no two notes of one pitch to morph.")
    rows: list[dict[str, Any]] = []
    failed: Failed = []
    by_pitch: dict[int, list[tuple[IndexedNote, Latents]]] = {}
    for note in _counted(paired, progress):
        told = note.pitch if pitch_source == "index" else None
        with going_on(failed, note.path):
            latents = explorer.encode(note.path, pitch=told, fit_steps=fit_steps)
            by_pitch.setdefault(round(note.pitch), []).append((note, latents))
    pairs = [pair for group in by_pitch.values() for pair in pairwise(group)]
    if by_pitch and not pairs:
        why = "; ".join(f"{one['path']}: {one['error']}" for one in failed)
        raise DataError(f"{notes_folder} has no two notes of one pitch that can be used. {why}")
    for (first, before), (second, after) in _counted(pairs, progress):
        with going_on(failed, first.path):
            names = {"a": first.path.name, "b": second.path.name, "pitch": first.pitch}
            found = _morphs(explorer, [before, after], first.pitch, decoder=decoder, engine=engine)
            for mix, (rendered, midi, figures) in found.items():
                rows.append(names | {"mix": mix} | figures)
                if save_audio is not None:
                    name = f"{stems[first.path]}__{stems[second.path]}__{round(100 * mix):03d}.wav"
                    _save(explorer, Path(save_audio) / name, rendered, midi, save)
    _some(rows, failed)
    settings = {"decoder": decoder.name, "engine": engine, "pitch_source": pitch_source}
    report = _report(rows, **settings, checkpoint=explorer.checkpoint_name) | {"failed": failed}
    cents = np.abs([row["pitch_cents"] for row in rows])
    report["summary"]["pitch_within_half_semitone"] = float(np.mean(cents <= 50.0))
    return report


def _morphs(
    explorer: Explorer, ends: list[Latents], midi: float, **decoding: Any
) -> dict[float, tuple[np.ndarray, float, dict[str, float]]]:
    """Two notes' morphs by their mixes: audio [T], MIDI pitch (NaN: unknown), figures."""
    sounds = [explorer.decode(end, **decoding) for end in ends]
    found = {}
    for mix in MIXES:
        mixed = explorer.morph(ends, (1.0 - mix, mix))
        rendered = explorer.decode(mixed, **decoding)
        found[mix] = rendered, mixed.pitch_midi, _morph_distances(explorer, rendered, sounds, midi)
    return found


def _morph_distances(explorer: Explorer, rendered: np.ndarray, sounds: list[np.ndarray], midi: float) -> dict[str, Any]:
    """Pitch and distance to both ends of one morph."""
    from synth_explorer import measure
    from synth_explorer.latents import midi_to_hz

    near = explorer.estimate_pitch(rendered)[0] if explorer.has_pitch else midi  # partials lie around other pitches too
    heard_hz = measure.pitch_hz(rendered, sample_rate_hz=explorer.sample_rate_hz, around_hz=midi_to_hz(near))
    to_a, to_b = (measure.log_mel_distance_db(s, rendered, sample_rate_hz=explorer.sample_rate_hz) for s in sounds)
    cents = 1200.0 * float(np.log2(heard_hz / midi_to_hz(midi)))
    return {"pitch_cents": cents, "log_mel_to_a_db": to_a, "log_mel_to_b_db": to_b}


def _stems(notes: list[IndexedNote], save_audio: Path) -> dict[Path, str]:
    """File stems by path. Raises DataError where two renders would have one name, or one that of a note."""
    stems = {note.path: note.path.stem for note in notes}
    if len(set(stems.values())) != len(stems):
        raise DataError("Two notes of the index have one file stem, so that their renders would overwrite each other.")
    lost = {note.path.resolve() for note in notes} & {(save_audio / f"{stem}.wav").resolve() for stem in stems.values()}
    if lost:
        raise DataError(f"The render of {min(lost).name} would overwrite the note: keep the renders in another folder.")
    return stems


def _save(explorer: Explorer, path: Path, audio: np.ndarray, midi: float, save: Save | None) -> None:
    """Write a render."""
    if save is not None:
        save(path, audio, midi)
        return
    from synth_explorer import audio as audio_files

    audio_files.save(path, audio, sample_rate_hz=explorer.sample_rate_hz)


def validation_distance_db(model, sources, *, notes: int, batch: int = 8, split: str = "validation") -> float:
    """Mean log-mel distance in dB over a fixed choice of whole notes of unseen instruments, by the training graph."""
    from synth_explorer import pitch as pitch_tracks

    config = model.config
    picked = [_pick(source.notes, split, notes // len(sources)) for source in sources]
    pairs = [(source, i) for source, chosen in zip(sources, picked, strict=True) for i in chosen]
    pairs = pairs[: len(pairs) // batch * batch]
    rng, figures = np.random.default_rng(0), []
    for first in range(0, len(pairs), batch):
        group = pairs[first : first + batch]
        frames = group[0][0].notes.samples // config.hop
        audio = np.stack([s.notes.audio(i)[: frames * config.hop] for s, i in group])
        cents = np.stack([s.cents[i][:frames] for s, i in group]).astype(np.float64)
        midi = np.array([s.pitch[i] for s, i in group])
        track = (pitch_tracks.midi_to_hz(midi)[:, None] * 2.0 ** (cents / 1200.0)).astype(np.float32)
        inputs = {
            "source": audio,
            "target": audio,
            "source_pitch_hz": track,
            "target_pitch_hz": track,
            "weight": np.ones(batch, np.float32),
            "latent_noise": np.zeros((batch, frames, config.learned), np.float32),
            "noise_phase": rng.random((batch, frames, config.hop + 1), dtype=np.float32),
            "short_noise_phase": rng.random((batch, frames * config.subframes, config.subframe + 1), dtype=np.float32),
        }
        if config.band_hz:
            inputs["bandwidth_hz"] = np.array([s.ends_hz(i, config) for s, i in group], np.float32)
        output = model.predict_on_batch(inputs)["audio"]
        distance = model.spectral.log_mel(audio, output, inputs.get("bandwidth_hz"))
        figures.append(np.asarray(distance) * (20.0 / np.log(10.0)))
    return float(np.mean(np.concatenate(figures)))


def _pick(dataset, split: str, count: int) -> list[int]:
    """A fixed, evenly spread choice of `count` notes of a split."""
    chosen = np.flatnonzero(np.asarray(dataset.column("split")) == split)
    return [int(chosen[i]) for i in np.linspace(0, len(chosen) - 1, count).astype(int)]
