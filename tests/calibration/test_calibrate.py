"""A calibration finds the directions that a decoder is known to answer, says which do not, and survives a stop."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from synth_explorer import measure
from synth_explorer.calibration import Note, Settings, calibrate, markdown
from synth_explorer.edits import Controls, Direction, EditChain, Gain, Oscillate, Transpose
from synth_explorer.errors import DataError, EditError
from synth_explorer.explorer import Explorer
from tests.calibration.fake import MIX, mixed

pytestmark = pytest.mark.slow

SETTINGS = Settings(notes=40, probes=4, stretch_s=0.5, directions=2, few=True)


def run(folder: Path, explorer: Explorer, settings: Settings = SETTINGS, **options):
    notes = [Note(path, float(69 - 12 + 12 * traits[3])) for path, traits in explorer.family.traits.items()]
    return calibrate(explorer, notes, journal_path=folder / "work.jsonl", settings=settings, **options)


@pytest.fixture(scope="module")
def bent(tmp_path_factory: pytest.TempPathFactory):
    """A checkpoint whose loudness answers less and less, and its calibration."""
    folder = tmp_path_factory.mktemp("notes")
    explorer = mixed(folder, bent=0.6)
    told: list[tuple[int, int]] = []
    found = run(folder, explorer, progress=lambda *step: told.append(step))
    return explorer, found, told


def test_directions_are_those_of_the_decoder(bent) -> None:
    _, found, _ = bent
    assert {"loudness", "noisiness", "pitch"} <= set(found.controls.axes)
    vector = np.array(found.controls.axes["loudness"].vector)
    assert abs(vector @ MIX[:, 0]) / np.linalg.norm(vector) > 0.9


def test_what_is_asked_is_heard_though_the_response_is_bent(bent) -> None:
    explorer, found, _ = bent
    latents = explorer.encode(found_note(explorer))
    before = explorer.decode(latents)
    for db in (-6.0, -3.0, 3.0):
        after = explorer.decode(EditChain((Gain(db),)).apply(latents, found.controls))
        assert measure.rms_db(after) - measure.rms_db(before) == pytest.approx(db, abs=1.5)
    figures = found.report["controls"]["loudness"]
    assert figures["spearman"] > 0.98 and figures["r2"] > 0.8
    steps = np.diff(found.controls.axes["loudness"].heard) / np.diff(found.controls.axes["loudness"].steps)
    assert steps.max() > 1.15 * steps.min()  # the curve is not a line
    shifted = explorer.decode(EditChain((Transpose(1.5),)).apply(latents, found.controls))
    cents = measure.pitch_cents_difference(before, shifted, sample_rate_hz=16_000)
    assert cents == pytest.approx(150.0, abs=40.0)


def found_note(explorer: Explorer) -> Path:
    """A file whose loudness lies in the middle."""
    traits = explorer.family.traits
    return min(traits, key=lambda path: np.abs(traits[path]).sum())


def test_further_than_measured_is_refused_with_how_far_it_goes(bent) -> None:
    explorer, found, _ = bent
    latents = explorer.encode(found_note(explorer))
    reach = found.controls.axes["loudness"].heard
    with pytest.raises(EditError, match=rf"beyond what this checkpoint answers: {reach[0]:.2f} to"):
        EditChain((Gain(-60.0),)).apply(latents, found.controls)
    swung = EditChain((Oscillate("loudness", 4.0, 2.0),)).apply(latents, found.controls)
    assert np.ptp(swung.z @ np.array(found.controls.axes["loudness"].vector)) > 0


def test_attack_is_not_among_what_answers(bent) -> None:
    _, found, _ = bent
    assert "attack" not in found.controls.axes
    assert found.controls.unanswered["attack"]
    assert "does not answer" in markdown(found.report)


def test_principal_directions_are_named_by_what_they_move(bent) -> None:
    explorer, found, _ = bent
    assert len(found.controls.principal) == 2
    axis = found.controls.principal[0]
    assert axis.name.startswith("direction 1: ") and axis.share > 0.2
    latents = explorer.encode(found_note(explorer))
    moved = EditChain((Direction(1, 1.5),)).apply(latents, found.controls)
    assert np.allclose(moved.z - latents.z, 1.5 * np.array(axis.vector), atol=1e-5)
    with pytest.raises(EditError, match=r"no direction 3; this checkpoint has 1\.\.2"):
        EditChain((Direction(3, 1.0),)).apply(latents, found.controls)
    with pytest.raises(EditError, match="beyond what was measured"):
        EditChain((Direction(1, 9.0),)).apply(latents, found.controls)


def test_controls_survive_their_file(bent, tmp_path: Path) -> None:
    _, found, told = bent
    text = json.dumps(found.controls.to_dict(), allow_nan=False)
    (tmp_path / "controls.json").write_text(text)
    assert Controls.load(tmp_path / "controls.json").to_dict() == found.controls.to_dict()
    json.dumps(found.report, allow_nan=False)
    assert told == sorted(told) and told[-1][0] <= told[-1][1]


@pytest.mark.long
def test_goes_on_after_a_stop(tmp_path: Path) -> None:
    few = Settings(notes=10, probes=2, stretch_s=0.3, directions=1, few=True)
    whole = run(tmp_path, mixed(tmp_path, count=10), few)
    assert not (tmp_path / "work.jsonl").exists()

    def stop(done: int, total: int) -> None:
        if done == 20:
            raise KeyboardInterrupt

    first = mixed(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, first, few, progress=stop)
    with (tmp_path / "work.jsonl").open("a") as file:
        file.write('["sweep cut sho')  # as a stop in the middle of a line leaves it
    second, everything = mixed(tmp_path), mixed(tmp_path)
    assert run(tmp_path, second, few).report == whole.report
    run(tmp_path, everything, few)
    assert second.family.decoded < everything.family.decoded


def test_too_little_is_said(tmp_path: Path) -> None:
    found = run(tmp_path, mixed(tmp_path, count=4), Settings(notes=4, probes=2, stretch_s=0.3, directions=1, few=True))
    assert not found.controls.axes
    assert all("too little data" in why for why in found.controls.unanswered.values())
    (tmp_path / "one").mkdir()
    with pytest.raises(DataError, match="at least 2 notes; 1 can be used"):
        run(tmp_path / "one", mixed(tmp_path / "one", count=1))
