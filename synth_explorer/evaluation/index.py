"""The notes that are evaluated, and what all reports share.

A NOTES folder has sound files and an `index.csv` with at least `path,pitch` (MIDI; may be empty). Reports are
`{"notes": N, "summary": {...}, "per_note": [...], "failed": [{"path", "error"}, ...]}`: a note that cannot
be used, or whose render cannot be written, is told there, and the others go on.

Shapes: T samples.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from synth_explorer.batch.errands import Errand, Site, answers, executor_for, workers_for
from synth_explorer.batch.executors import Executor
from synth_explorer.batch.worker import Failed, reason_of
from synth_explorer.errors import AudioError, DataError
from synth_explorer.index import IndexRow

if TYPE_CHECKING:
    from synth_explorer.explorer import Explorer
    from synth_explorer.explorer.decoders import Decoder
    from synth_explorer.latents import Latents

Progress = Callable[[int, int], None]
Failures = list[dict[str, str]]
Save = Callable[[Path, np.ndarray, float], None]
"""Writes a render: its file, audio [T], its MIDI pitch (NaN: unknown)."""


@dataclass(frozen=True)
class How:
    """How notes are heard and made again; it goes to every worker."""

    decoder: str | Decoder | None = None
    engine: str = "auto"
    pitch_source: str = "estimate"  # by the program, or "index" (told)
    fit_steps: int = 0

    def decoding(self, explorer: Explorer) -> dict[str, Any]:
        """What decodes."""
        return {"decoder": explorer.decoder(self.decoder), "engine": self.engine}

    def encode(self, explorer: Explorer, sound: Path | np.ndarray, note: IndexRow) -> Latents:
        """Latents of a note, from its file or its audio [T]."""
        told = note.pitch if self.pitch_source == "index" else None
        return explorer.encode(sound, pitch=told, fit_steps=self.fit_steps)


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where notes are evaluated, and who is told how far it is."""

    explorer: Explorer
    workers: int | None = 1  # processes; None: as many as are worth their start
    executor: Callable[[Errand[Any, Any], int], Executor] = executor_for
    progress: Progress | None = None

    def at_work(self, do: Callable[[Site, Any], Any], notes: int) -> Executor:
        """What does tasks, which are notes of an index or need no files. `do` can be pickled."""
        count = workers_for(notes, self.explorer) if self.workers is None else self.workers
        return self.executor(Errand(do, _files_of, self.explorer), count)


def _files_of(task: Any) -> tuple[Path, ...]:
    return (task.path,) if isinstance(task, IndexRow) else ()


@dataclass(frozen=True, kw_only=True)
class Setup(How, Place):
    """How the notes are evaluated."""

    save_audio: str | Path | None = None  # folder for the renders
    save: Save | None = None  # what writes them; None: `audio.save` at their own level
    failed: Failures = field(default_factory=list)  # the notes that could not be used

    @property
    def how(self) -> How:
        """What workers are told."""
        return How(self.decoder, self.engine, self.pitch_source, self.fit_steps)

    def stems(self, notes: Sequence[IndexRow]) -> dict[Path, str]:
        """File stems of the renders by path; none where none is kept."""
        return {} if self.save_audio is None else stems_of(notes, Path(self.save_audio))

    def keep(self, stem: str, audio: np.ndarray, midi: float) -> None:
        """Write a render [T], where they are kept."""
        assert self.save_audio is not None
        path = Path(self.save_audio) / f"{stem}.wav"
        if self.save is not None:
            self.save(path, audio, midi)
            return
        from synth_explorer import audio as audio_files

        audio_files.save(path, audio, sample_rate_hz=self.explorer.sample_rate_hz)

    def report(self, rows: list[dict[str, Any]]) -> dict[str, Any]:
        """The report of these rows. Raises DataError where there is none."""
        refuse_none(rows, self.failed)
        settings = {
            "decoder": self.explorer.decoder(self.decoder).name,
            "engine": self.engine,
            "pitch_source": self.pitch_source,
        }
        made = summarised(rows, **settings, checkpoint=self.explorer.checkpoint_name)
        return made | {"failed": self.failed}


def path_of(task: Any) -> Path:
    """The note that a task is of."""
    return task.path


def each(
    at_work: Executor,
    tasks: Sequence[Any],
    take: Callable[[int, Any], None],
    *,
    of: Callable[[Any], Path] = path_of,
    failed: Failures,
    progress: Progress | None = None,
) -> None:
    """Take the answer to each task, with its number, as they come.

    What could not be done, or taken, is added to `failed` under the note that the task is `of`; the others go on.
    """
    lost: dict[int, str] = {}
    for number, answer in answers(at_work, tasks, progress):
        if isinstance(answer, Failed):
            lost[number] = answer.reason
            continue
        try:
            take(number, answer)
        except (AudioError, OSError) as error:
            if isinstance(error, BrokenPipeError):
                raise
            lost[number] = reason_of(error)
    failed += [{"path": of(tasks[number]).name, "error": lost[number]} for number in sorted(lost)]


def refuse_none(rows: Sequence[Any], failed: Failures) -> None:
    """Raises DataError where no note is left to report on."""
    if not rows:
        why = f" {failed[0]['path']}: {failed[0]['error']}" if failed else ""
        raise DataError(f"None of the {len(failed)} notes can be used.{why}")


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


def stems_of(notes: Sequence[IndexRow], save_audio: Path) -> dict[Path, str]:
    """File stems by path. Raises DataError where two renders would have one name, or one that of a note."""
    stems = {note.path: note.path.stem for note in notes}
    if len(set(stems.values())) != len(stems):
        raise DataError("Two notes of the index have one file stem, so that their renders would overwrite each other.")
    lost = {note.path.resolve() for note in notes} & {(save_audio / f"{stem}.wav").resolve() for stem in stems.values()}
    if lost:
        raise DataError(f"The render of {min(lost).name} would overwrite the note: keep the renders in another folder.")
    return stems
