"""Edits in the shell: what is asked is heard, reports and presets say it, what cannot be leaves nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from synth_explorer import audio
from synth_explorer.cli import common
from synth_explorer.closed_loop import ClosedLoop
from synth_explorer.edits import EditChain, Toward
from synth_explorer.explorer import Explorer
from synth_explorer.latents import Latents
from tests.cli.shell import leftovers, ok, refused
from tests.fake_family import RATE_HZ


def test_edit_gain_is_measured(fake: Explorer, note_file: Callable[..., Path], tmp_path: Path) -> None:
    out, path = tmp_path / "out.wav", tmp_path / "report.json"
    result = ok("edit", note_file(), "--gain-db", -6, "--report", path, "-o", out)
    assert result.stdout.split() == [str(out), str(path)]
    report = json.loads(path.read_text())
    assert report["requested"]["gain_db"] == -6
    assert report["measured"]["gain_db"] == pytest.approx(-6, abs=0.1)
    assert report["measured"]["pitch_cents"] == pytest.approx(0, abs=2)


@pytest.mark.slow
def test_edit_transposes_and_oscillates(fake: Explorer, note_file: Callable[..., Path], tmp_path: Path) -> None:
    note = note_file(midi=60)
    ok("edit", note, "--transpose", 7, "--pitch", 60, "-o", tmp_path / "out.npz")
    assert Latents.load(tmp_path / "out.npz").pitch_midi == pytest.approx(67, abs=1e-3)
    ok("edit", note, "--set-pitch", 55.5, "-o", tmp_path / "out.npz")
    assert Latents.load(tmp_path / "out.npz").pitch_midi == pytest.approx(55.5, abs=1e-3)
    ok("edit", note, "--osc", "loudness", "--osc-rate-hz", 4, "--osc-depth", 6, "-o", tmp_path / "out.npz")
    moved = Latents.load(tmp_path / "out.npz").z[:, 0] - fake.encode(note).z[:, 0]
    assert np.ptp(moved) / 2 == pytest.approx(6 * 0.05, rel=0.1)


@pytest.mark.slow
def test_raw_edits_of_channels(fake: Explorer, note_file: Callable[..., Path], tmp_path: Path) -> None:
    note, out = note_file(), tmp_path / "out.npz"
    ok("encode", note, "-o", tmp_path / "a.npz")
    ok("edit", tmp_path / "a.npz", "--add", "1,3-4=0.5", "--scale", "0=2", "--add", "all=1", "-o", out)
    expected = fake.encode(note).z.copy()
    expected[:, 0] *= 2
    expected[:, [1, 3, 4]] += 0.5
    np.testing.assert_allclose(Latents.load(out).z, expected + 1, atol=1e-5)
    ok("edit", note, "--osc-channels", "2", "--osc-rate-hz", 4, "--osc-depth", 3, "-o", out)
    moved = Latents.load(out).z - fake.encode(note).z
    assert np.max(moved[:, 2]) == pytest.approx(3, rel=0.1)
    assert not np.delete(moved, 2, axis=1).any()
    assert "0..15" in refused("edit", note, "--scale", "16=2", "-o", out)


@pytest.mark.slow
def test_edit_toward_and_presets(fake: Explorer, note_file: Callable[..., Path], tmp_path: Path) -> None:
    note, other, preset = note_file("a.wav"), note_file("b.wav"), tmp_path / "preset.json"
    words = ("--toward", other, "--amount", 0.25, "--gain-db", 3)
    ok("edit", note, *words, "--save-preset", preset, "-o", tmp_path / "options.wav")
    ok("edit", note, "--preset", preset, "-o", tmp_path / "preset.wav")
    first, again = (audio.load(tmp_path / name, sample_rate_hz=RATE_HZ) for name in ("options.wav", "preset.wav"))
    np.testing.assert_array_equal(first, again)
    fake.family.heard.clear()
    ok("edit", note, *words, "--fit-steps", 0, "-o", tmp_path / "instant.wav")
    assert [how.fit_steps for how in fake.family.heard] == [0, 0]


WRONG_EDITS = [
    ["--osc-rate-hz", "5"],
    ["--osc-depth", "5"],
    ["--amount", "0.5"],
    ["--osc", "colour"],
    ["--transpose", "1", "--set-pitch", "60"],
    ["--gain-db", "loud"],
    ["--osc", "pitch", "--osc-channels", "3"],
    ["--osc-channels", "five"],
    ["--scale", "3"],
    ["--scale", "=2"],
    ["--add", "5-3=1"],
    ["--add", "0=much"],
]


@pytest.mark.parametrize("options", WRONG_EDITS)
def test_wrong_edits_are_wrong_usage(
    fake: Explorer, note_file: Callable[..., Path], tmp_path: Path, options: list[str]
) -> None:
    refused("edit", note_file(), *options, "-o", tmp_path / "out.wav", code=2)


@pytest.mark.parametrize("options", [["--osc", "pitch", "--osc-rate-hz", "16"], ["--gain-db", "nan"]])
def test_edits_that_cannot_be_are_errors(
    fake: Explorer, note_file: Callable[..., Path], tmp_path: Path, options: list[str]
) -> None:
    refused("edit", note_file(), *options, "-o", tmp_path / "out" / "out.wav")
    assert not leftovers(tmp_path / "out")


def test_a_preset_for_other_channels_is_named(
    fake: Explorer, note_file: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    preset = EditChain((Toward((1.0, 2.0), 0.5),)).save(tmp_path / "p.json")
    monkeypatch.setattr(ClosedLoop, "solve", lambda *given, **how: pytest.fail("solved"))
    said = refused("edit", note_file(), "--preset", preset, "-o", tmp_path / "out.wav")
    assert "toward: mean has 2 channels" in said


def test_an_edit_that_fails_leaves_no_preset(
    fake: Explorer, note_file: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    preset, out = tmp_path / "p.json", tmp_path / "out.wav"
    refused("edit", note_file(), "--transpose", -90, "--save-preset", preset, "-o", out)
    assert not preset.exists() and not out.exists()
    preset.write_text("no preset")
    monkeypatch.setattr(common, "load_explorer", lambda checkpoint: pytest.fail("worked"))
    assert "p.json" in refused("edit", note_file(), "--preset", preset, "-o", out)


@pytest.mark.slow
@pytest.mark.parametrize(("given", "midi"), [("Eb3", 51.0), ("D#3", 51.0), ("c4", 60.0), ("60.5", 60.5)])
def test_pitches_go_by_name_or_number(
    fake: Explorer, note_file: Callable[..., Path], tmp_path: Path, given: str, midi: float
) -> None:
    note, out = note_file(), tmp_path / "out.npz"
    ok("edit", note, "--set-pitch", given, "-o", out)
    assert Latents.load(out).pitch_midi == pytest.approx(midi, abs=1e-3)
    ok("morph", note, note, "--pitch", given, "-o", out)
    assert Latents.load(out).pitch_midi == pytest.approx(midi, abs=1e-3)
    ok("encode", note, "--pitch", given, "-o", out)
    assert fake.family.heard[-1].midi == midi


def test_what_is_no_pitch_is_said(fake: Explorer, note_file: Callable[..., Path], tmp_path: Path) -> None:
    for option in ("--set-pitch", "--pitch"):
        assert "'H4' is no pitch" in refused("edit", note_file(), option, "H4", "-o", tmp_path / "x.wav", code=2)
