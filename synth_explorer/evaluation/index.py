"""The notes that are evaluated, and what all reports share.

A NOTES folder has sound files and an `index.csv` with at least `path,pitch` (MIDI; may be empty). Reports are
`{"notes": N, "summary": {...}, "per_note": [...], "failed": [{"path", "error"}, ...]}`: a note that cannot
be used, or whose render cannot be written, is told there, and the others go on.

Shapes: T samples.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from synth_explorer.errors import AudioError, DataError, LatentsError

if TYPE_CHECKING:
    from synth_explorer.explorer import Explorer

Progress = Callable[[int, int], None]
Failed = list[dict[str, str]]
Save = Callable[[Path, np.ndarray, float], None]
"""Writes a render: its file, audio [T], its MIDI pitch (NaN: unknown)."""


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


@contextmanager
def going_on(failed: Failed, path: Path) -> Iterator[None]:
    """Use one of many notes in this block: if it cannot be used, it is added to `failed` and the others go on."""
    try:
        yield
    except (AudioError, LatentsError, OSError) as error:
        if isinstance(error, BrokenPipeError):
            raise
        failed.append({"path": path.name, "error": str(error)})


def refuse_none(rows: Sequence[Any], failed: Failed) -> None:
    """Raises DataError where no note is left to report on."""
    if not rows:
        why = f" {failed[0]['path']}: {failed[0]['error']}" if failed else ""
        raise DataError(f"None of the {len(failed)} notes can be used.{why}")


def counted(items: Sequence[Any], progress: Progress | None) -> Iterator[Any]:
    """The items, telling `progress` how many are done."""
    for done, item in enumerate(items):
        if progress:
            progress(done, len(items))
        yield item
    if progress:
        progress(len(items), len(items))


def summarised(rows: list[dict[str, Any]], **settings: Any) -> dict[str, Any]:
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


def stems_of(notes: list[IndexedNote], save_audio: Path) -> dict[Path, str]:
    """File stems by path. Raises DataError where two renders would have one name, or one that of a note."""
    stems = {note.path: note.path.stem for note in notes}
    if len(set(stems.values())) != len(stems):
        raise DataError("Two notes of the index have one file stem, so that their renders would overwrite each other.")
    lost = {note.path.resolve() for note in notes} & {(save_audio / f"{stem}.wav").resolve() for stem in stems.values()}
    if lost:
        raise DataError(f"The render of {min(lost).name} would overwrite the note: keep the renders in another folder.")
    return stems


def save_render(explorer: Explorer, path: Path, audio: np.ndarray, midi: float, save: Save | None) -> None:
    """Write a render."""
    if save is not None:
        save(path, audio, midi)
        return
    from synth_explorer import audio as audio_files

    audio_files.save(path, audio, sample_rate_hz=explorer.sample_rate_hz)
