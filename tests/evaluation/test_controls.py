"""`evaluate controls`: figures that follow from the rows, and methods that differ as they should."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from synth_explorer.assets import example_notes
from synth_explorer.errors import DataError
from synth_explorer.evaluation import controls as evaluation
from synth_explorer.evaluation.sweeps import SWEEPS


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two example notes, one high and one low, with an index."""
    chosen = [note for note in example_notes() if note.path.stem in ("cello", "flute")]
    with (tmp_path / "index.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["path", "pitch"])
        for note in chosen:
            (tmp_path / note.path.name).write_bytes(note.path.read_bytes())
            writer.writerow([note.path.name, note.pitch])
    return tmp_path


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Four settings a control."""
    for name, sweep in SWEEPS.items():
        monkeypatch.setitem(SWEEPS, name, replace(sweep, settings=sweep.settings[::2][:4]))


@pytest.mark.slow
def test_report(explorer, folder: Path, few: None) -> None:
    calls: list[tuple[int, int]] = []
    report = evaluation.evaluate_controls(
        explorer,
        folder,
        controls=("gain",),
        pitch_source="index",
        progress=lambda done, total: calls.append((done, total)),
    )
    assert json.loads(json.dumps(report, allow_nan=False)) == report
    assert calls == [(0, 2), (1, 2), (2, 2)]
    assert report["notes"] == 2
    assert len(report["per_note"]) == 2 * 4 * 4
    figures = report["summary"]["controls"]["gain"]
    assert list(figures) == ["solved", "named", "raw", "none"]
    check(figures)
    assert figures["raw"]["failures"] == 8
    assert figures["solved"]["slope_median"] == pytest.approx(1.0, abs=0.01)
    errors = [abs(row["heard"] - row["asked"]) for row in report["per_note"] if row["method"] == "raw"]
    assert figures["raw"]["error_median"] == pytest.approx(np.median(errors))


@pytest.mark.long
def test_report_of_timbre_and_oscillation(explorer, folder: Path, few: None) -> None:
    report = evaluation.evaluate_controls(explorer, folder, controls=("osc_loudness", "osc_pitch", "brightness"))
    figures = report["summary"]["controls"]
    assert list(figures) == ["brightness", "osc_loudness", "osc_pitch"]
    for by_method in figures.values():
        check(by_method)
    assert figures["osc_loudness"]["solved"]["rate_failures"] == 0
    assert figures["osc_pitch"]["solved"]["rate_failures"] == 0


def check(by_method: dict) -> None:
    """Solved edits meet what was asked, at least as well as their formulas, and no edit does not."""
    assert by_method["solved"]["failures"] == by_method["solved"]["side_failures"] == 0
    assert by_method["solved"]["error_90"] <= by_method["named"]["error_90"] + 0.02
    assert by_method["none"]["error_median"] > 10 * by_method["solved"]["error_median"]


@pytest.mark.slow
def test_toward_comes_nearer_to_its_goal(explorer, folder: Path, few: None) -> None:
    report = evaluation.evaluate_controls(explorer, folder, controls=("toward",), methods=("named",))
    figures = report["summary"]["controls"]["toward"]["named"]
    assert figures["spearman_median"] > 0.95
    assert figures["moved"]["pitch_cents"]["90"] < 5
    assert "error_median" not in figures


@pytest.mark.long
def test_noisiness_and_attack_answer(explorer, folder: Path, few: None) -> None:
    report = evaluation.evaluate_controls(explorer, folder, controls=("noisiness", "attack"))
    figures = report["summary"]["controls"]
    assert figures["noisiness"]["solved"]["error_90"] < 1.0
    for by_method in figures.values():
        assert by_method["solved"]["failures"] == by_method["solved"]["side_failures"] == 0
        assert by_method["solved"]["spearman_median"] > 0.95
        assert by_method["raw"]["error_median"] > 2 * by_method["solved"]["error_median"]


def test_every_sweep_has_nine_settings() -> None:
    for name, sweep in SWEEPS.items():
        assert len(set(sweep.settings)) >= 9, name


def test_an_error_within_the_least_that_counts_is_no_failure() -> None:
    row = {"asked": 0.02, "heard": 0.024}
    assert evaluation._error(SWEEPS["attack"], row) == pytest.approx(0.2)
    assert not evaluation._failed(SWEEPS["attack"], row)
    assert evaluation._failed(SWEEPS["attack"], row | {"heard": 0.026})
    assert evaluation._failed(SWEEPS["gain"], {"asked": 3.0, "heard": 3.6})


def test_what_is_declared_is_no_failure_and_no_error() -> None:
    row = {"path": "a", "control": "brightness", "pitch_cents": 0.0, "loudness_db": 0.0, "declared": None}
    rows = [
        row | {"method": "solved", "asked": -1.0, "heard": -0.3, "declared": "no room"},
        row | {"method": "solved", "asked": 0.5, "heard": 0.45},
        row | {"method": "solved", "asked": 1.0, "heard": 0.7, "loudness_db": 3.0},
        row | {"method": "named", "asked": -1.0, "heard": -0.3},
        row | {"method": "named", "asked": 0.5, "heard": None, "declared": "refused"},
    ]
    figures = evaluation._figures("brightness", rows)
    solved, named = figures["solved"], figures["named"]
    assert (solved["declared"], solved["failures"], solved["side_failures"]) == (1, 1, 1)
    assert solved["error_median"] == pytest.approx(0.175)
    assert (named["declared"], named["not_measured"], named["failures"]) == (1, 1, 1)
    assert named["error_median"] is None  # its one measured row lies outside of what the note has room for


@pytest.mark.parametrize(
    ("choice", "message"), [({"controls": ("volume",)}, "volume"), ({"methods": ()}, "none must be one of solved")]
)
def test_refuses(explorer, folder: Path, choice: dict, message: str) -> None:
    with pytest.raises(DataError, match=message):
        evaluation.evaluate_controls(explorer, folder, **choice)


def test_one_note_is_too_few(explorer, folder: Path) -> None:
    (folder / "index.csv").write_text("path,pitch\ncello.flac,48\n")
    with pytest.raises(DataError, match="two notes"):
        evaluation.evaluate_controls(explorer, folder)


def test_steps_back_are_counted() -> None:
    def row(path: str, asked: float, to_note: float, to_goal: float, declared: str | None = None) -> dict:
        distances = {"distance_to_note_db": to_note, "distance_to_goal_db": to_goal}
        return {"path": path, "asked": asked, "declared": declared} | distances

    rows = [row("a", 1.0, 4.0, 1.5, "no nearer"), row("a", 0.0, 0.0, 5.0), row("a", 0.5, 2.0, 1.0)]
    rows += [row("b", 0.0, 0.0, 2.0), row("b", 0.5, 3.0, 1.0), row("b", 1.0, 2.7, 0.96)]
    found = evaluation._steps_back(rows)
    assert found == {
        "steps": 8,
        "steps_back": 2,
        "steps_back_undeclared": 1,
        "step_back_db_max": pytest.approx(0.5),
    }
