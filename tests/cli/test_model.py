"""The shell from end to end, with the model that ships."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from synth_explorer import audio, measure
from synth_explorer.cli import app

if TYPE_CHECKING:
    from synth_explorer.explorer import Explorer


def ok(*words: Any) -> str:
    """Run the shell in this process, expect exit code 0; its stdout."""
    result = CliRunner().invoke(app, [str(word) for word in words])
    assert result.exit_code == 0, result.output
    return result.stdout


def test_note_to_sound_in_a_process(explorer: Explorer, note_file: Callable[..., Path], tmp_path: Path) -> None:
    """Nothing is said but what was written: no banner, and nothing of the processor while the note is fitted."""
    note, latents, out = note_file(midi=64), tmp_path / "a.npz", tmp_path / "a.wav"
    program = [sys.executable, "-m", "synth_explorer", "encode", str(note), "-o", str(latents), "--fit-steps", "1"]
    environment = {name: value for name, value in os.environ.items() if name != "TF_CPP_MIN_LOG_LEVEL"}
    done = subprocess.run(program, check=True, capture_output=True, text=True, env=environment)
    assert (done.stdout, done.stderr) == (f"{latents}\n", "")
    assert ok("decode", latents, "-o", out) == f"{out}\n"
    before, after = (audio.load(path, sample_rate_hz=explorer.sample_rate_hz) for path in (note, out))
    assert abs(measure.rms_db(after) - measure.rms_db(before)) < 6


@pytest.mark.slow
def test_morph_and_edit(explorer: Explorer, note_file: Callable[..., Path], tmp_path: Path) -> None:
    notes = [note_file("a.wav", 60), note_file("b.wav", 60, harmonics=2)]
    ok("morph", *notes, "--steps", 3, "--fit-steps", 0, "-o", tmp_path / "walk")
    assert len(list((tmp_path / "walk").iterdir())) == 3
    ok(
        "edit",
        notes[0],
        "--gain-db",
        -6,
        "--fit-steps",
        0,
        "--report",
        tmp_path / "r.json",
        "-o",
        tmp_path / "soft.wav",
    )
    report = json.loads((tmp_path / "r.json").read_text())
    assert abs(report["measured"]["gain_db"] + 6) < 1


def test_checkpoint_commands(explorer: Explorer) -> None:
    assert "default" in ok("checkpoint", "list")
    assert len(ok("checkpoint", "show", "default")) > 100
    assert "default" in ok("checkpoint", "verify", "default")


@pytest.mark.slow
def test_evaluate(explorer: Explorer, note_file: Callable[..., Path], tmp_path: Path) -> None:
    for name in "ab":
        note_file(f"notes/{name}.wav", midi=60)
    (tmp_path / "notes" / "index.csv").write_text("path,pitch\na.wav,60\nb.wav,60\n")
    ok("evaluate", "reconstruction", tmp_path / "notes", "-o", tmp_path / "r.json", "--save-audio", tmp_path / "kept")
    report = json.loads((tmp_path / "r.json").read_text())
    assert report["notes"] == len(report["per_note"]) == 2
    assert report["summary"]
    assert {path.stem for path in (tmp_path / "kept").iterdir()} == {"a", "b"}
