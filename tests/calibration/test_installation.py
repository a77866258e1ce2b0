"""The command calibrates a checkpoint; what it writes is what the program reads, and saved latents stay valid."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from synth_explorer import audio, checkpoints
from synth_explorer.calibration import install
from synth_explorer.cli import app
from synth_explorer.edits import Controls
from synth_explorer.errors import CheckpointError
from tests.conftest import make_note
from tests.model.small_nsynth import small_checkpoint


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    """Four notes and a silent file."""
    import numpy as np

    folder = tmp_path / "notes"
    rows = ["path,pitch"]
    for midi in (57, 60, 64, 69):
        audio.save(folder / f"{midi}.wav", make_note(midi, seconds=0.4), sample_rate_hz=16_000)
        rows.append(f"{midi}.wav,{midi}")
    audio.save(folder / "silent.wav", np.zeros(8000, np.float32), sample_rate_hz=16_000)
    (folder / "index.csv").write_text("\n".join([*rows, "silent.wav,60"]) + "\n")
    return folder


def test_installed_controls_are_loaded_and_latents_stay_valid(tmp_path: Path) -> None:
    info = small_checkpoint(tmp_path / "tiny")
    controls = Controls(unanswered={"loudness": "too little data"})
    new = install(info, controls, report="# Calibration\n")
    assert Controls.load(new.path / "controls.json").unanswered == {"loudness": "too little data"}
    assert (new.path / "calibration.md").read_text() == "# Calibration\n"
    assert new.hash == info.hash and checkpoints.verify(new.path) == new
    assert not list(tmp_path.glob(".tiny-*"))
    (new.path / "controls.json").write_text("{}")
    with pytest.raises(CheckpointError, match=r"controls\.json"):
        install(new, controls, report="")


@pytest.mark.long
def test_an_nsynth_network_of_random_weights_is_told_that_it_does_not_answer(tmp_path: Path, notes: Path) -> None:
    info = small_checkpoint(tmp_path / "tiny")
    words = ["calibrate", str(notes), "--checkpoint", str(info.path), "--stretch-s", "0.3", "--probes", "2"]
    out = tmp_path / "out"
    result = CliRunner().invoke(app, [*words, "-o", str(out)])
    assert result.exit_code == 0, result.output
    assert {path.name for path in out.iterdir()} == {"controls.json", "calibration.json", "calibration.md"}
    report = json.loads((out / "calibration.json").read_text())
    assert set(report["unanswered"]) == {"loudness", "brightness", "noisiness", "attack", "pitch"}
    assert "silent" in report["left_out"]["silent.wav"]
    assert "direction 1: " in (out / "calibration.md").read_text()
    result = CliRunner().invoke(app, [*words, "--in-place"])
    assert result.exit_code == 0, result.output
    edit = ["edit", str(notes / "60.wav"), "--checkpoint", str(info.path), "-o", str(tmp_path / "a.npz")]
    refused = CliRunner().invoke(app, [*edit, "--gain-db", "-3"])
    assert refused.exit_code == 1 and "its loudness does not answer: too little data" in refused.output
    assert CliRunner().invoke(app, [*edit, "--direction", "1=0.5"]).exit_code == 0


@pytest.mark.parametrize("where", [[], ["-o", "out", "--in-place"]])
def test_one_place_must_be_given(notes: Path, where: list[str]) -> None:
    result = CliRunner().invoke(app, ["calibrate", str(notes), *where])
    assert result.exit_code == 2 and "not both" in result.output
