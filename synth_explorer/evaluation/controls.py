"""Evaluation of controls: how well each does what its name says, on every note of a folder, and what else it moves.

Each control is swept over its settings in four ways: `solved` by the closed loop, `named` by the formula of the edit
alone, `raw` by the edits of NSynth's demos (scale, shift or oscillate all channels alike), and `none`, no edit at all
but another seed of the noise, which is what the measures make of nothing.

Shapes: T samples, C channels, M mel bands.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from synth_explorer.batch.errands import Site
from synth_explorer.edits import Oscillate, Toward
from synth_explorer.errors import DataError, EditError, LatentsError
from synth_explorer.evaluation.index import Failures, How, Place, each, refuse_none
from synth_explorer.evaluation.sweeps import SWEEPS, Setting, Sweep, named, raw
from synth_explorer.index import IndexRow, read_index
from synth_explorer.latents import Latents, midi_to_hz, with_pitch

if TYPE_CHECKING:
    from synth_explorer.closed_loop import ClosedLoop
    from synth_explorer.edits import MeanSound
    from synth_explorer.explorer import Explorer

METHODS = ("solved", "named", "raw", "none")


@dataclass(frozen=True, eq=False)
class _Note:
    """A note, its sound without edits, and the note toward which it may be moved, at its pitch."""

    name: str
    latents: Latents
    audio: np.ndarray
    goal: Latents
    goal_audio: np.ndarray
    goal_mean: MeanSound

    @property
    def pitch_hz(self) -> float:
        return midi_to_hz(self.latents.pitch_midi)


def evaluate_controls(
    explorer: Explorer,
    notes_folder: str | Path,
    *,
    controls: Sequence[str] = tuple(SWEEPS),
    methods: Sequence[str] = METHODS,
    limit: int | None = None,
    pitch_source: str = "estimate",
    fit_steps: int = 0,
    **place: Any,
) -> dict[str, Any]:
    """Sweep controls over their settings on every note.

    Args:
        explorer: a checkpoint with the fast decoder and calibrated controls.
        notes_folder: a folder with an index.csv of at least path,pitch; toward moves to the next note of it.
        controls: names of `SWEEPS`.
        methods: of `METHODS`.
        limit: how many notes, evenly spread over the index; None: all.
        pitch_source: "estimate" (by the program) or "index" (told).
        fit_steps: of the latents that are edited, see `Explorer.encode`.
        place: of `index.Place`.

    Returns:
        `{"notes", "summary": {"checkpoint", ..., "controls": {control: {method: figures}}}, "per_note": [rows]}`;
        numbers are finite or None. A row is one note, control, method and setting: asked, heard, what moved with it,
        and `declared`, what the program itself said when it could not do it. Figures of errors are over the rows that
        `solved` did not declare, for every method alike. Of `toward` the steps are counted that lead back by more than
        `Toward.step_back`, to the note or away from its goal.

    Raises DataError: a control or method that does not exist, fewer than two notes, or a checkpoint without controls.
    """
    from synth_explorer.closed_loop import ClosedLoop

    for given, known, what in ((controls, SWEEPS, "control"), (methods, METHODS, "method")):
        wrong = sorted(set(given) - set(known))
        if wrong or not given:
            raise DataError(f"{what} {', '.join(wrong) or 'none'} must be one of {', '.join(known)}.")
    if not ClosedLoop(explorer).available:
        raise DataError(f"Checkpoint {explorer.checkpoint_name!r} has no fast decoder with calibrated controls.")
    names, chosen = [name for name in SWEEPS if name in controls], _chosen(notes_folder, limit)
    where, how = Place(explorer=explorer, **place), How(pitch_source=pitch_source, fit_steps=fit_steps)
    latents: dict[int, Latents] = {}
    found: dict[int, list[dict[str, Any]]] = {}
    failed: Failures = []
    sweeper = _Sweeper(how, [method for method in METHODS if method in methods], {n: SWEEPS[n].settings for n in names})
    with where.at_work(sweeper, len(chosen) * len(names)) as at_work:
        each(at_work, chosen, latents.__setitem__, failed=failed)
        tasks = [
            _Task(number, chosen[number].path, *ends, name)
            for number, ends in _pairs(latents, failed)
            for name in names
        ]
        each(at_work, tasks, found.__setitem__, failed=failed, progress=where.progress)
    rows = [row for number in sorted(found) for row in found[number]]
    refuse_none(rows, failed)
    summary = {
        "checkpoint": explorer.checkpoint_name,
        "pitch_source": pitch_source,
        "fit_steps": fit_steps,
        "controls": {name: _figures(name, [row for row in rows if row["control"] == name]) for name in names},
    }
    return {"notes": len(latents), "summary": summary, "per_note": rows, "failed": failed}


def _chosen(folder: str | Path, limit: int | None) -> list[IndexRow]:
    """The notes of a folder, or `limit` of them, at least two."""
    found = read_index(Path(folder), IndexRow)
    if len(found) < 2:
        raise DataError(f"{folder} must have at least two notes, so that one can be moved toward the next.")
    if limit is None or limit >= len(found):
        return found
    return [found[i] for i in np.linspace(0, len(found) - 1, max(2, limit)).astype(int)]


def _pairs(latents: dict[int, Latents], failed: Failures) -> list[tuple[int, tuple[Latents, Latents]]]:
    """Every note that can be used, by its number, with the next one as its goal, the last with the first."""
    if len(latents) < 2:
        why = "; ".join(f"{one['path']}: {one['error']}" for one in failed[:3])
        raise DataError(f"At least two notes are needed; {len(latents)} can be used. {why}")
    numbers = sorted(latents)
    both = zip(numbers, [*numbers[1:], numbers[0]], strict=True)
    return [(number, (latents[number], latents[goal])) for number, goal in both]


class _Task(NamedTuple):
    """A note, the one that it may be moved toward, and the control that is to be swept."""

    number: int
    path: Path
    latents: Latents
    goal: Latents
    control: str


class _Sweeper:
    """Encodes notes, and sweeps their controls, wherever that is done."""

    def __init__(self, how: How, methods: Sequence[str], settings: Mapping[str, Sequence[Setting]]) -> None:
        self.how, self.methods, self.settings = how, methods, settings
        self._loop: ClosedLoop | None = None
        self._last: tuple[int, _Note] | None = None  # the note that was swept last, by its number

    def __reduce__(self) -> tuple[Any, ...]:
        return _Sweeper, (self.how, self.methods, self.settings)

    def __call__(self, site: Site, task: IndexRow | _Task) -> Latents | list[dict[str, Any]]:
        from synth_explorer.closed_loop import ClosedLoop

        explorer = site.explorer
        if isinstance(task, IndexRow):
            return self.how.encode(explorer, site.path(task.path), task)
        self._loop = self._loop or ClosedLoop(explorer)
        if self._last is None or self._last[0] != task.number:
            self._last = task.number, _sounds(explorer, task)
        given, settings = (explorer, self._loop, self._last[1], task.control), self.settings[task.control]
        return [_row(*given, setting, method) for setting in settings for method in self.methods]


def _sounds(explorer: Explorer, task: _Task) -> _Note:
    """The sounds that a task is about."""
    from synth_explorer.closed_loop import mean_sound

    midi = task.latents.pitch_midi
    goal = with_pitch(task.goal, midi=midi)
    sounds = explorer.decode(task.latents), goal, explorer.decode(goal)
    return _Note(task.path.name, task.latents, *sounds, mean_sound(explorer, task.goal, midi=midi))


def _row(
    explorer: Explorer, loop: ClosedLoop, note: _Note, control: str, setting: Setting, method: str
) -> dict[str, Any]:
    """One render: what was asked, heard and moved, or why the program refused."""
    asked, rate_hz = setting
    row = {"path": note.name, "control": control, "method": method, "asked": float(asked)}
    if rate_hz:
        row["rate_hz"] = rate_hz
    asks = {"control": control, "asked": asked, "rate_hz": rate_hz}
    declared, seed = None, 0
    try:
        if method == "solved":
            chain = named(note.goal_mean, **asks)
            solution = loop.solve(note.latents, chain)
            edited, after = solution.latents, solution.audio
            declared = " ".join(item.sentence for item in solution.outcomes if not item.reached) or None
            row["decodes"] = solution.decodes
        else:
            edited = note.latents
            if method == "none":
                seed = 1
            elif method == "raw":
                edited = explorer.edit(edited, raw(note.latents, note.goal, **asks))
            else:
                edited = explorer.edit(edited, named(note.goal_mean, **asks))
            after = explorer.decode(edited, seed=seed)
    except (EditError, LatentsError) as error:
        return row | {"heard": None, "declared": str(error)}
    found = _heard(note, after, control, asked, rate_hz, midi_to_hz(edited.pitch_midi), explorer.sample_rate_hz)
    if control == "noisiness":
        found["heard"] = _noise_db(explorer, note, edited, after)
    return row | found | {"declared": declared}


def _noise_db(explorer: Explorer, note: _Note, edited: Latents, after: np.ndarray) -> float | None:
    """Change of the noise against the partials, heard by decoding without noise; None where there is none."""
    from synth_explorer.closed_loop.hearing import Reference

    tones, own = (explorer.decode(one, temperature=0.0) for one in (edited, note.latents))
    change_db = Reference(note.audio, explorer.sample_rate_hz, note.pitch_hz, own).noise_db(after, tones)
    return change_db if np.isfinite(change_db) else None


def _heard(
    note: _Note, after: np.ndarray, control: str, asked: float, rate_hz: float, now_hz: float, sample_rate_hz: int
) -> dict[str, float | None]:
    """Every measure of one render against the note's sound; its pitch is sought around `now_hz`."""
    from synth_explorer import measure
    from synth_explorer.closed_loop.hearing import Reference

    rate = {"sample_rate_hz": sample_rate_hz}
    shape = Reference(note.audio, sample_rate_hz, note.pitch_hz)
    before, bright = note.audio, [measure.brightness_octaves(part, **rate) for part in (note.audio, after)]
    found = {
        "gain_db": measure.rms_db(after) - measure.rms_db(before),
        "loudness_db": measure.loudness_change_db(before, after, **rate),
        "brightness_octaves": bright[1] - bright[0],
    }
    if SWEEPS[control].oscillates:
        found |= _swings(note, after, SWEEPS[control].oscillates, rate_hz, sample_rate_hz)
    else:
        cents = measure.compare(before, after, **rate, pitch_hz=(note.pitch_hz, now_hz))["pitch_cents"]
        found["pitch_cents"] = cents - (asked if control == "transpose" else 0.0)
        if control == "toward":
            found |= _between(note, after, sample_rate_hz)
        else:
            found["heard"] = {
                "gain": found["gain_db"],
                "brightness": found["brightness_octaves"],
                "noisiness": float("nan"),  # `_noise_db` tells
                "spread": shape.shape_change(after, "spread"),
                "hollowness": shape.shape_change(after, "hollowness"),
                "attack": measure.attack_time_ms(after, **rate) / 1000.0,
                "transpose": cents,
            }[control]
    return {key: float(value) if np.isfinite(value) else None for key, value in found.items()}


def _swings(note: _Note, after: np.ndarray, asked_target: str, rate_hz: float, sample_rate_hz: int) -> dict[str, float]:
    """Depths at `rate_hz` in loudness, brightness and pitch, and the strongest rate of the one that was asked for.

    NaN for a pitch that cannot be followed.
    """
    from synth_explorer import measure

    found = {"heard": float("nan"), "heard_rate_hz": float("nan")}
    keys = {target: figure.key for target, figure in Oscillate.SWINGS.items()}
    for target, key in keys.items():
        found[key] = float("nan")
        if target == "pitch" and not measure.LOWEST_HZ <= note.pitch_hz <= measure.HIGHEST_HZ:
            continue
        given = {"sample_rate_hz": sample_rate_hz, "target": target, "around_hz": note.pitch_hz, "before": note.audio}
        if target == asked_target:
            found["heard_rate_hz"], found["heard"] = measure.oscillation(after, **given)
        if target == asked_target and abs(found["heard_rate_hz"] / rate_hz - 1.0) <= Oscillate.rate.part:
            found[key] = found["heard"]
        else:
            found[key] = float(measure.oscillation_depths(after, rates_hz=[rate_hz], **given)[0])
    return found | {"heard": found[keys[asked_target]]}


def _between(note: _Note, after: np.ndarray, sample_rate_hz: int) -> dict[str, float]:
    """Where a sound lies between the note and its goal: distances of mean spectra, and the proportion of the way."""
    from synth_explorer import measure
    from synth_explorer.closed_loop.toward import distance_db

    sounds = (note.audio, note.goal_audio, after)
    own, goal, heard = (measure.mean_spectrum_db(sound, sample_rate_hz=sample_rate_hz) for sound in sounds)
    to_own, to_goal = (distance_db(heard, other) for other in (own, goal))
    way = to_own / (to_own + to_goal) if to_own + to_goal > 0 else float("nan")
    return {"heard": way, "distance_to_note_db": to_own, "distance_to_goal_db": to_goal}


def _figures(control: str, rows: list[dict[str, Any]]) -> dict[str, Any]:
    """The figures of a control for each method; see `evaluate_controls`."""
    out = {_key(row) for row in rows if row["method"] == "solved" and row["declared"]}
    methods = dict.fromkeys(row["method"] for row in rows)
    return {
        method: _method_figures(SWEEPS[control], [row for row in rows if row["method"] == method], out)
        for method in methods
    }


def _key(row: dict[str, Any]) -> tuple[Any, ...]:
    """The note and the setting of a row."""
    return row["path"], row["asked"], row.get("rate_hz")


def _method_figures(sweep: Sweep, rows: list[dict[str, Any]], out: set[tuple[Any, ...]]) -> dict[str, Any]:
    heard = [row for row in rows if row["heard"] is not None]
    inside = [row for row in heard if _key(row) not in out]
    silent = [row for row in heard if not row["declared"]]
    figures: dict[str, Any] = {
        "renders": len(rows),
        "not_measured": len(rows) - len(heard),
        "declared": sum(bool(row["declared"]) for row in rows),
        "side_failures": sum(_moved(sweep, row) for row in silent),
    }
    if not sweep.untold:
        errors = [_error(sweep, row) for row in inside]
        figures |= {
            "failures": sum(_failed(sweep, row) for row in silent),
            "error_median": _quantile(errors, 0.5),
            "error_90": _quantile(errors, 0.9),
        }
    else:
        figures |= _steps_back(heard)
    if sweep.oscillates:
        rates = [abs(row["heard_rate_hz"] / row["rate_hz"] - 1.0) for row in inside if row["heard_rate_hz"]]
        figures |= {
            "rate_error_median": _quantile(rates, 0.5),
            "rate_failures": sum(rate > Oscillate.rate.part for rate in rates),
        }
    curves = [_answer([row for row in inside if row["path"] == path]) for path in dict.fromkeys(_paths(inside))]
    for name, values in zip(("spearman", "slope"), zip(*curves, strict=True) if curves else ((), ()), strict=True):
        figures |= {f"{name}_median": _quantile(values, 0.5), f"{name}_10": _quantile(values, 0.1)}
    figures["moved"] = {
        name: {"median": _quantile(values, 0.5), "90": _quantile(values, 0.9), "allowed": allowed}
        for name, allowed in sweep.steady.items()
        for values in [[abs(row[name]) for row in inside if row[name] is not None]]
    }
    return figures


def _steps_back(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """From one setting to the next the distance to the note should grow, and that to its goal shrink."""
    back: list[tuple[float, bool]] = []
    for path in dict.fromkeys(_paths(rows)):
        way = sorted((row for row in rows if row["path"] == path), key=lambda row: row["asked"])
        for row, further in pairwise(way):
            steps_db = (
                row["distance_to_note_db"] - further["distance_to_note_db"],
                further["distance_to_goal_db"] - row["distance_to_goal_db"],
            )
            back += [(step_db, bool(further["declared"])) for step_db in steps_db]
    far = [(step_db, declared) for step_db, declared in back if step_db > Toward.step_back.tolerance]
    return {
        "steps": len(back),
        "steps_back": len(far),
        "steps_back_undeclared": sum(not declared for _, declared in far),
        "step_back_db_max": max((step_db for step_db, _ in far), default=0.0),
    }


def _paths(rows: list[dict[str, Any]]) -> list[str]:
    return [row["path"] for row in rows]


def _error(sweep: Sweep, row: dict[str, Any]) -> float:
    """How far what was heard lies from what was asked."""
    return abs(row["heard"] - row["asked"]) / (abs(row["asked"]) if sweep.figure.part else 1.0)


def _failed(sweep: Sweep, row: dict[str, Any]) -> bool:
    """Whether the error lies beyond the tolerance."""
    return abs(row["heard"] - row["asked"]) > sweep.figure.within(row["asked"])


def _moved(sweep: Sweep, row: dict[str, Any]) -> bool:
    """Whether anything moved that should have stayed."""
    return any(row[name] is not None and abs(row[name]) > allowed for name, allowed in sweep.steady.items())


def _answer(rows: list[dict[str, Any]]) -> tuple[float, float]:
    """Rank correlation and slope of heard against asked, on one note; NaN for fewer than four settings."""
    from scipy.stats import spearmanr

    asked, heard = (np.array([row[name] for row in rows]) for name in ("asked", "heard"))
    if len(rows) < 4 or np.ptp(asked) == 0 or np.ptp(heard) == 0:
        return float("nan"), float("nan")
    return float(spearmanr(asked, heard).statistic), float(np.polyfit(asked, heard, 1)[0])


def _quantile(values: Sequence[float], part: float) -> float | None:
    """A quantile of the finite values, None when there is none."""
    finite = [value for value in values if np.isfinite(value)]
    return float(np.quantile(finite, part)) if finite else None
