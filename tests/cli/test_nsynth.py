"""The shell with an NSynth checkpoint: the tiny network in place of an imported one."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from synth_explorer import audio, checkpoints
from synth_explorer.cli import app
from synth_explorer.latents import Latents

RATE_HZ = 16_000


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of checkpoints with `tiny` in it."""
    from tests.model.small_nsynth import small_checkpoint

    return small_checkpoint(tmp_path_factory.mktemp("checkpoints") / "tiny").path.parent


@pytest.fixture(autouse=True)
def _found(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(checkpoints.FOLDER_VARIABLE, str(folder))


@pytest.fixture
def note(note_file: Callable[..., Path]) -> Path:
    return note_file(midi=60, seconds=0.1)


def run(*words: Any) -> Result:
    return CliRunner().invoke(app, [*(str(word) for word in words), "--checkpoint", "tiny"])


def ok(*words: Any) -> Result:
    result = run(*words)
    assert result.exit_code == 0, result.output
    return result


def refused(*words: Any) -> str:
    result = run(*words)
    assert result.exit_code == 1, result.output
    assert result.stderr.startswith("error: ") and result.stderr.count("\n") == 1, result.stderr
    return result.stderr


@pytest.mark.slow
def test_note_to_sound(note: Path, tmp_path: Path) -> None:
    ok("encode", note, "-o", tmp_path / "a.npz")
    ok("encode", note, "--as-is", "-o", tmp_path / "b.npy")
    assert np.load(tmp_path / "b.npy").shape[1] == 4
    assert not Latents.load(tmp_path / "a.npz").has_pitch
    for name in ("a.npz", "b.npy"):
        ok("decode", tmp_path / name, "--seed", 3, "-o", tmp_path / f"{name}.wav")
    ok("decode", tmp_path / "a.npz", "--decoder", "wavenet", "--engine", "numba", "--seed", 3, "-o", tmp_path / "c.wav")
    assert (tmp_path / "c.wav").read_bytes() == (tmp_path / "a.npz.wav").read_bytes()
    heard = audio.load(tmp_path / "c.wav", sample_rate_hz=RATE_HZ)
    assert len(heard) == Latents.load(tmp_path / "a.npz").duration_samples


@pytest.mark.slow
def test_morph_and_raw_edits(note: Path, note_file: Callable[..., Path], tmp_path: Path) -> None:
    other = note_file("other.wav", midi=67, seconds=0.2)
    ok("morph", note, other, "--steps", 3, "-o", tmp_path / "walk")
    assert len(list((tmp_path / "walk").iterdir())) == 3
    words = ("--scale", "all=1.1", "--add", "0=0.5", "--osc-channels", "1-2", "--toward", other, "--amount", 0.3)
    kept = ("--report", tmp_path / "r.json", "--save-preset", tmp_path / "p.json")
    ok("edit", note, *words, *kept, "-o", tmp_path / "e.wav")
    kinds = [edit["kind"] for edit in json.loads((tmp_path / "p.json").read_text())["edits"]]
    assert kinds == ["toward", "scale", "add", "oscillate_channels"]
    assert json.loads((tmp_path / "r.json").read_text())["requested"] == {"toward": 0.3}
    ok("edit", note, "--preset", tmp_path / "p.json", "-o", tmp_path / "again.wav")
    assert (tmp_path / "again.wav").read_bytes() == (tmp_path / "e.wav").read_bytes()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--gain-db", "-6"], "not calibrated for loudness"),
        (["--brightness-octaves", "1"], "not calibrated for brightness"),
        (["--osc", "loudness"], "not calibrated for loudness"),
        (["--osc", "pitch"], "keeps pitch inside z"),
        (["--transpose", "3"], "keeps pitch inside z"),
        (["--set-pitch", "60"], "keeps pitch inside z"),
        (["--pitch", "60", "--add", "0=1"], "keeps pitch inside its latents"),
        (["--add", "4=1"], "0..3"),
        (["--add", "0=1", "--decoder", "fast"], "wavenet"),
    ],
)
def test_what_cannot_be_is_said(note: Path, tmp_path: Path, options: list[str], message: str) -> None:
    assert message in refused("edit", note, *options, "-o", tmp_path / "out" / "e.wav")
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_pitches_and_latents_that_do_not_fit(note: Path, tmp_path: Path) -> None:
    ok("encode", note, "-o", tmp_path / "a.npz")
    for words in (("encode", note, "-o", tmp_path / "b.npz"), ("decode", tmp_path / "a.npz", "-o", tmp_path / "b.wav")):
        assert "keeps pitch inside" in refused(*words, "--pitch", 60)
    assert "keeps pitch inside" in refused("morph", note, note, "--pitch", 60, "-o", tmp_path / "b.wav")
    foreign = CliRunner().invoke(app, ["decode", str(tmp_path / "a.npz"), "-o", str(tmp_path / "b.wav")])
    assert foreign.exit_code == 1 and "tiny" in foreign.stderr and "default" in foreign.stderr
    assert not list(tmp_path.glob("b.*"))


@pytest.mark.slow
def test_a_saved_patch_finds_a_checkpoint_by_its_folder(
    folder: Path, note: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv(checkpoints.FOLDER_VARIABLE)
    for command in (["morph", note, note], ["edit", note, "--add", "0=0.5"]):
        first, saved, again = (tmp_path / f"{command[0]}{suffix}" for suffix in (".wav", ".json", "-again.wav"))
        words = [*command, "-o", first, "--save-patch", saved, "--checkpoint", folder / "tiny"]
        for line in (words, ["render", saved, "-o", again]):
            result = CliRunner().invoke(app, [str(word) for word in line])
            assert result.exit_code == 0, result.output
        assert again.read_bytes() == first.read_bytes()


def test_checkpoint_commands() -> None:
    for command, expected in (("list", "tiny"), ("show", "# Tiny"), ("verify", "whole")):
        words = ["checkpoint", command] + ([] if command == "list" else ["tiny"])
        result = CliRunner().invoke(app, words)
        assert result.exit_code == 0 and expected in result.stdout


def long_latents(folder: Path, path: Path, *, seconds: float) -> Path:
    """Latents that take a while to decode."""
    from synth_explorer.explorer import Explorer

    explorer = Explorer.load(folder / "tiny")
    short = explorer.encode(np.full(640, 0.3, np.float32), align=False)
    frames = int(seconds * explorer.frame_rate_hz)
    z = np.resize(short.z, (frames, short.channels))
    return short.replace(z=z, pitch_hz=np.full(frames, np.nan), duration_samples=frames * explorer.hop).save(path)


@pytest.mark.long
def test_a_terminal_shows_the_time_left_and_ctrl_c_leaves_nothing(folder: Path, tmp_path: Path) -> None:
    latents = long_latents(folder, tmp_path / "long.npz", seconds=3600)
    out = tmp_path / "out" / "long.wav"
    words = [sys.executable, "-m", "synth_explorer", "decode", str(latents), "--checkpoint", "tiny", "-o", str(out)]
    ours, theirs = pty.openpty()
    environment = os.environ | {"TERM": "xterm", "COLUMNS": "160"}
    with subprocess.Popen(words, stderr=theirs, stdout=subprocess.PIPE, env=environment) as process:
        os.close(theirs)
        said = ""
        while "samples" not in said or " left" not in said:
            said += os.read(ours, 4096).decode("utf-8", "replace")
        process.send_signal(signal.SIGINT)
        start = time.monotonic()
        try:
            while part := os.read(ours, 4096):
                said += part.decode("utf-8", "replace")
        except OSError:  # how a pseudo-terminal ends
            pass
        assert process.wait(30) in (1, 130)
        assert time.monotonic() - start < 10
        assert process.stdout.read() == b""
    os.close(ours)
    assert "Traceback" not in said and "error" not in said.lower()
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and path != latents]
