"""The shell: exit codes, one-line errors, files written, options that mean what they say.

A mock Explorer whose decoder is a few sines stands in for the model, so the commands are tested without weights.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from synth_explorer import audio, latents
from synth_explorer.cli import app, common, edit_options
from synth_explorer.edits import Controls, EditChain, Toward
from synth_explorer.errors import LatentsError
from synth_explorer.explorer.decoders import FAST, FINAL, Decoder, choose
from synth_explorer.latents import Latents, LatentsMeta

RATE_HZ, HOP, CHANNELS = 16_000, 512, 16
CONTROLS = Controls.from_dict(
    {
        "format_version": 1,
        "loudness": {"channel": 0, "units_per_db": 0.05, "offset_db": -40.0},
        "brightness": {"channel": 1, "units_per_octave": 1.0, "reference_hz": 1000.0},
    }
)


class MockExplorer:
    """Encodes level and pitch only; decodes a saw of eight harmonics at that level."""

    sample_rate_hz, hop, frame_rate_hz = RATE_HZ, HOP, RATE_HZ / HOP
    decoders, has_pitch, checkpoint_name, together = (FAST, FINAL), True, "mock", 1
    controls = CONTROLS
    config = SimpleNamespace(detail_hz=np.array([100.0, 1000.0]), max_s=16.0)

    def __init__(self) -> None:
        self.decoded: list[dict[str, Any]] = []
        self.fits: list[int] = []
        self.told: list[float | None] = []

    def read(self, note: Path) -> np.ndarray:
        return audio.record(note, sample_rate_hz=RATE_HZ).audio

    def encode(
        self, note: Path, *, pitch: float | None = None, source: str = "", align: bool = True, fit_steps: int = 0
    ) -> Latents:
        assert align
        self.fits.append(fit_steps)
        read = audio.record(note, sample_rate_hz=RATE_HZ).first_note(max_s=self.config.max_s)
        sound = read.audio
        frames = len(sound) // HOP
        level = np.sqrt(np.mean(sound[: frames * HOP].reshape(frames, HOP) ** 2, axis=1))
        z = np.zeros((frames, CHANNELS))
        z[:, 0] = (20 * np.log10(np.maximum(level, 1e-5)) + 40) / 20
        f0_hz = 440 * 2 ** (((60.0 if pitch is None else pitch) - 69) / 12)
        return Latents(z, np.full(frames, f0_hz), replace(self._meta(source, len(sound)), notices=read.notices))

    def _meta(self, source: str, samples: int) -> LatentsMeta:
        return LatentsMeta("mock", "0" * 64, RATE_HZ, HOP, source=source, duration_samples=samples)

    def load_latents(self, path: Path, *, pitch: float | None = None) -> Latents:
        self.told.append(pitch)
        found = Latents.load(path, meta_for_npy=self._meta(path.name, 0))
        return found if pitch is None else found.replace(pitch_hz=np.full(found.frames, latents.midi_to_hz(pitch)))

    def morph(self, sources: Sequence[Latents], weights: Sequence[float], *, pitch: float | None = None) -> Latents:
        mixed = latents.interpolate(sources, weights)
        return mixed if pitch is None else latents.with_pitch(mixed, midi=pitch)

    def morph_path(self, sources: Sequence[Latents], keyframes: Any, *, pitch: float | None = None) -> Latents:
        assert pitch is None
        return latents.path(sources, keyframes)

    def decoder(self, name: str | Decoder | None = None) -> Decoder:
        return choose(name, self.decoders, checkpoint=self.checkpoint_name)

    def edit(self, note: Latents, chain: EditChain) -> Latents:
        return chain.apply(note, self.controls)

    def decode(self, note: Latents, **options: Any) -> np.ndarray:
        self.decoded.append(options)
        f0_hz = np.repeat(note.pitch_hz, HOP)
        level = np.interp(np.arange(len(f0_hz)), np.arange(note.frames) * HOP, 10 ** ((note.z[:, 0] * 20 - 40) / 20))
        phase = 2 * np.pi * np.cumsum(f0_hz) / RATE_HZ
        return (level * sum(np.sin(k * phase) / k for k in range(1, 9))).astype(np.float32)


@pytest.fixture
def mock(monkeypatch: pytest.MonkeyPatch) -> MockExplorer:
    """The commands get this instead of a model."""
    explorer = MockExplorer()
    monkeypatch.setattr(common, "load_explorer", lambda checkpoint: explorer)
    return explorer


def run(*words: Any) -> Result:
    """Run the shell in this process."""
    return CliRunner().invoke(app, [str(word) for word in words])


def ok(*words: Any) -> Result:
    """Run the shell and expect exit code 0."""
    result = run(*words)
    assert result.exit_code == 0, result.output
    return result


def refused(*words: Any, code: int = 1) -> str:
    """Run the shell, expect an error in one line on stderr and nothing on stdout; the line."""
    result = run(*words)
    assert result.exit_code == code, result.output
    assert "Traceback" not in result.output
    assert result.stdout == ""
    if code == 1:
        assert result.stderr.startswith("error: ") and result.stderr.count("\n") == 1, result.stderr
    return result.stderr


def leftovers(folder: Path) -> list[Path]:
    """Files that a failed command left."""
    return [path for path in folder.rglob("*") if path.is_file()]


HELP = [
    "",
    "encode",
    "decode",
    "morph",
    "edit",
    "inspect",
    "train",
    "train-pitch",
    "calibrate",
    "bench",
    "dataset",
    "dataset render",
    "dataset synthetic",
    "dataset import-nsynth",
    "evaluate",
    "evaluate reconstruction",
    "evaluate morph",
    "evaluate controls",
    "checkpoint",
    "checkpoint list",
    "checkpoint show",
    "checkpoint verify",
    "checkpoint import-nsynth",
]


@pytest.mark.parametrize("command", HELP)
def test_every_command_has_help(command: str) -> None:
    assert "Usage" in ok(*command.split(), "--help").stdout


def test_help_imports_nothing_heavy() -> None:
    heavy = ("numpy", "scipy", "keras", "tensorflow", "jax", "gradio", "matplotlib", "plotly", "soundfile", "sklearn")
    program = (
        "import sys\nfrom synth_explorer.cli import app\n"
        "try:\n    app(['--help'])\nexcept SystemExit as done:\n    assert not done.code\n"
        f"loaded = [name for name in {heavy} if name in sys.modules]\nassert not loaded, loaded"
    )
    subprocess.run([sys.executable, "-c", program], check=True, capture_output=True)


def test_python_m_is_the_same_program() -> None:
    words = [sys.executable, "-m", "synth_explorer", "--version"]
    assert subprocess.run(words, check=True, capture_output=True, text=True).stdout.startswith("synth-explorer ")


def test_encode_many_notes_into_a_folder(mock: MockExplorer, note_file: Callable[..., Path], tmp_path: Path) -> None:
    notes = [note_file("a.wav", 60), note_file("b.flac", 64)]
    result = ok("encode", *notes, "-o", tmp_path / "out", "--pitch", 62)
    assert result.stdout.split() == [str(tmp_path / "out" / name) for name in ("a.npz", "b.npz")]
    assert Latents.load(tmp_path / "out" / "b.npz").pitch_midi == pytest.approx(62, abs=1e-3)


@pytest.mark.parametrize("name", ["one.npz", "deep/one.npy"])
def test_encode_one_note_into_a_file(
    mock: MockExplorer, note_file: Callable[..., Path], tmp_path: Path, name: str
) -> None:
    ok("encode", note_file(), "-o", tmp_path / name)
    assert mock.load_latents(tmp_path / name).channels == CHANNELS


def test_encode_refuses_colliding_names(mock: MockExplorer, note_file: Callable[..., Path], tmp_path: Path) -> None:
    notes = [note_file("x/a.wav"), note_file("y/a.wav")]
    result = run("encode", *notes, "-o", tmp_path / "out")
    assert result.exit_code == 1 and result.stdout.splitlines() == [str(tmp_path / "out" / "a.npz")]
    assert "y/a.wav would become" in result.stderr
    assert refused("encode", *notes, "-o", tmp_path / "out.npz", code=2)


def test_decode_writes_the_level_asked(mock: MockExplorer, note_file: Callable[..., Path], tmp_path: Path) -> None:
    ok("encode", note_file(level=0.5), "-o", tmp_path / "a.npz")
    result = ok("decode", tmp_path / "a.npz", "-o", tmp_path / "a.wav", "--seed", 3, "--temperature", 0.9)
    assert result.stdout.strip() == str(tmp_path / "a.wav")
    assert mock.decoded == [{"decoder": FAST, "seed": 3, "temperature": 0.9, "engine": "auto"}]
    expected = mock.decode(mock.load_latents(tmp_path / "a.npz"))
    np.testing.assert_allclose(audio.load(tmp_path / "a.wav", sample_rate_hz=RATE_HZ), expected, atol=1e-6)


def test_a_decoder_goes_by_its_old_name_with_a_note(
    mock: MockExplorer, note_file: Callable[..., Path], tmp_path: Path
) -> None:
    ok("encode", note_file(), "-o", tmp_path / "a.npz")
    decode = ["decode", tmp_path / "a.npz", "-o", tmp_path / "a.wav", "--decoder"]
    assert "note:" not in ok(*decode, "final").stderr
    assert "note: the decoder wavenet is called final now\n" in ok(*decode, "wavenet").stderr
    assert [options["decoder"] for options in mock.decoded] == [FINAL, FINAL]
    assert "decoder='slow' must be one that the checkpoint mock has: fast, final." in refused(*decode, "slow")


def test_morph_mix_weighs_the_second(mock: MockExplorer, note_file: Callable[..., Path], tmp_path: Path) -> None:
    loud, soft = note_file("loud.wav", level=0.5), note_file("soft.wav", level=0.05)
    ok("encode", loud, soft, "-o", tmp_path)
    for mix, expected in ((0.0, loud), (1.0, soft)):
        ok("morph", loud, tmp_path / "soft.npz", "--mix", mix, "-o", tmp_path / "m.npz")
        same = mock.encode(expected)
        np.testing.assert_allclose(Latents.load(tmp_path / "m.npz").z, same.z, atol=1e-5)
    ok("morph", loud, soft, "--mix", 1.2, "--pitch", 67, "-o", tmp_path / "m.npz")
    assert Latents.load(tmp_path / "m.npz").pitch_midi == pytest.approx(67, abs=1e-3)


def test_morph_of_channels_alone_takes_the_pitch_that_is_given(
    mock: MockExplorer, note_file: Callable[..., Path], tmp_path: Path
) -> None:
    ok("encode", note_file("a.wav"), "-o", tmp_path / "a.npy")
    ok("morph", tmp_path / "a.npy", note_file("b.wav"), "--pitch", 67, "-o", tmp_path / "m.npz")
    assert mock.told == [67]
    assert Latents.load(tmp_path / "m.npz").pitch_midi == pytest.approx(67, abs=1e-3)


def test_morph_pad_corners(mock: MockExplorer, note_file: Callable[..., Path], tmp_path: Path) -> None:
    notes = [note_file(f"{name}.wav", level=level) for name, level in zip("abcd", (0.5, 0.2, 0.1, 0.05), strict=True)]
    for corner, note in zip(((0, 0), (1, 0), (0, 1), (1, 1)), notes, strict=True):
        ok("morph", *notes, "--x", corner[0], "--y", corner[1], "-o", tmp_path / "m.npz")
        np.testing.assert_allclose(Latents.load(tmp_path / "m.npz").z, mock.encode(note).z, atol=1e-5)


def test_morph_steps_write_so_many_files(mock: MockExplorer, note_file: Callable[..., Path], tmp_path: Path) -> None:
    result = ok("morph", note_file("a.wav"), note_file("b.wav"), "--steps", 5, "-o", tmp_path / "walk")
    files = sorted((tmp_path / "walk").iterdir())
    assert [str(path) for path in files] == result.stdout.split()
    assert [path.name for path in files][::2] == ["000_mix_0.000.wav", "002_mix_0.500.wav", "004_mix_1.000.wav"]


def test_morph_by_weights(mock: MockExplorer, note_file: Callable[..., Path], tmp_path: Path) -> None:
    notes = [note_file(f"{name}.wav", level=level) for name, level in zip("abc", (0.5, 0.2, 0.05), strict=True)]
    ok("morph", *notes, "--weights", "1,1,2", "-o", tmp_path / "m.npz")
    parts = [mock.encode(note).z for note in notes]
    np.testing.assert_allclose(
        Latents.load(tmp_path / "m.npz").z, 0.25 * parts[0] + 0.25 * parts[1] + 0.5 * parts[2], atol=1e-5
    )


def test_morph_moves_over_time(mock: MockExplorer, note_file: Callable[..., Path], tmp_path: Path) -> None:
    a, b, c = (note_file(f"{name}.wav", level=level) for name, level in zip("abc", (0.5, 0.2, 0.05), strict=True))
    first, second, third = (mock.encode(note).z for note in (a, b, c))
    ok("morph", a, b, "--path", "0.2=0, 0.8=1", "-o", tmp_path / "m.npz")
    moved = Latents.load(tmp_path / "m.npz").z
    share = np.interp(np.arange(len(moved)) * HOP / RATE_HZ, [0.2, 0.8], [0.0, 1.0])[:, None]
    np.testing.assert_allclose(moved, (1 - share) * first + share * second, atol=1e-5)
    ok("morph", a, b, c, "--path", "0=0:0,1=0.5:1", "-o", tmp_path / "m.npz")
    moved = Latents.load(tmp_path / "m.npz").z
    np.testing.assert_allclose(moved[0], first[0], atol=1e-5)
    np.testing.assert_allclose(moved[-1], third[-1], atol=1e-5)


WRONG_MORPHS = [
    (1, ["--mix", "0.5"]),
    (5, []),
    (3, ["--mix", "0.5"]),
    (3, ["--steps", "4"]),
    (2, ["--y", "0.5"]),
    (2, ["--mix", "0.5", "--x", "0.5"]),
    (2, ["--mix", "0.5", "--steps", "3"]),
    (2, ["--mix", "1.4"]),
    (2, ["--mix", "nan"]),
    (2, ["--steps", "1"]),
    (2, ["--seed", "-1"]),
    (4, ["--x", "-0.5"]),
    (2, ["--weights", "1"]),
    (2, ["--weights", "1,b"]),
    (2, ["--weights", "0.5,0.5", "--mix", "0.5"]),
    (3, ["--weights", "1,1,1", "--y", "0.5"]),
    (2, ["--path", "0=0,1"]),
    (2, ["--path", "0=0:1"]),
    (3, ["--path", "0=0.5"]),
    (2, ["--path", "0=0,1=1.5"]),
    (2, ["--path", "0=0,1=nan"]),
    (2, ["--path", "nan=0,1=1"]),
    (2, ["--weights", "nan,1"]),
    (2, ["--path", "0=0", "--steps", "3"]),
]


@pytest.mark.parametrize(("count", "options"), WRONG_MORPHS)
def test_wrong_morphs_are_wrong_usage(
    mock: MockExplorer, note_file: Callable[..., Path], tmp_path: Path, count: int, options: list[str]
) -> None:
    refused("morph", *[note_file()] * count, *options, "-o", tmp_path / "out.wav", code=2)
    assert not (tmp_path / "out.wav").exists()


def test_edit_gain_is_measured(mock: MockExplorer, note_file: Callable[..., Path], tmp_path: Path) -> None:
    out, path = tmp_path / "out.wav", tmp_path / "report.json"
    result = ok("edit", note_file(), "--gain-db", -6, "--report", path, "-o", out)
    assert result.stdout.split() == [str(out), str(path)]
    report = json.loads(path.read_text())
    assert report["requested"]["gain_db"] == -6
    assert report["measured"]["gain_db"] == pytest.approx(-6, abs=0.1)
    assert report["measured"]["pitch_cents"] == pytest.approx(0, abs=2)


def test_edit_transposes_and_oscillates(mock: MockExplorer, note_file: Callable[..., Path], tmp_path: Path) -> None:
    note = note_file(midi=60)
    ok("edit", note, "--transpose", 7, "--pitch", 60, "-o", tmp_path / "out.npz")
    assert Latents.load(tmp_path / "out.npz").pitch_midi == pytest.approx(67, abs=1e-3)
    ok("edit", note, "--set-pitch", 55.5, "-o", tmp_path / "out.npz")
    assert Latents.load(tmp_path / "out.npz").pitch_midi == pytest.approx(55.5, abs=1e-3)
    ok("edit", note, "--osc", "loudness", "--osc-rate-hz", 4, "--osc-depth", 6, "-o", tmp_path / "out.npz")
    moved = Latents.load(tmp_path / "out.npz").z[:, 0] - mock.encode(note).z[:, 0]
    assert np.ptp(moved) / 2 == pytest.approx(6 * 0.05, rel=0.1)


def test_raw_edits_of_channels(mock: MockExplorer, note_file: Callable[..., Path], tmp_path: Path) -> None:
    note, out = note_file(), tmp_path / "out.npz"
    ok("encode", note, "-o", tmp_path / "a.npz")
    ok("edit", tmp_path / "a.npz", "--add", "1,3-4=0.5", "--scale", "0=2", "--add", "all=1", "-o", out)
    expected = mock.encode(note).z.copy()
    expected[:, 0] *= 2
    expected[:, [1, 3, 4]] += 0.5
    np.testing.assert_allclose(Latents.load(out).z, expected + 1, atol=1e-5)
    ok("edit", note, "--osc-channels", "2", "--osc-rate-hz", 4, "--osc-depth", 3, "-o", out)
    moved = Latents.load(out).z - mock.encode(note).z
    assert np.max(moved[:, 2]) == pytest.approx(3, rel=0.1)
    assert not np.delete(moved, 2, axis=1).any()
    assert "0..15" in refused("edit", note, "--scale", "16=2", "-o", out)


def test_a_sound_that_is_too_long_is_said_to_be_cut(mock: MockExplorer, tmp_path: Path) -> None:
    for seconds in (15, 20):
        note = tmp_path / f"{seconds}.wav"
        audio.save(note, np.sin(np.arange(seconds * RATE_HZ) / 9.0).astype(np.float32), sample_rate_hz=RATE_HZ)
        for words in (("encode", note, "-o", tmp_path / "a.npz"), ("edit", note, "-o", tmp_path / "a.wav")):
            result = run(*words)
            assert result.exit_code == 0, result.output
            assert ("lasts 20.0 s; 16 s of it are used" in result.stderr) == (seconds == 20)


def test_edit_toward_and_presets(mock: MockExplorer, note_file: Callable[..., Path], tmp_path: Path) -> None:
    note, other, preset = note_file("a.wav"), note_file("b.wav"), tmp_path / "preset.json"
    words = ("--toward", other, "--amount", 0.25, "--gain-db", 3)
    ok("edit", note, *words, "--save-preset", preset, "-o", tmp_path / "options.wav")
    ok("edit", note, "--preset", preset, "-o", tmp_path / "preset.wav")
    first, again = (audio.load(tmp_path / name, sample_rate_hz=RATE_HZ) for name in ("options.wav", "preset.wav"))
    np.testing.assert_array_equal(first, again)
    mock.fits.clear()
    ok("edit", note, *words, "--fit-steps", 0, "-o", tmp_path / "instant.wav")
    assert mock.fits == [0, 0]


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
    mock: MockExplorer, note_file: Callable[..., Path], tmp_path: Path, options: list[str]
) -> None:
    refused("edit", note_file(), *options, "-o", tmp_path / "out.wav", code=2)


@pytest.mark.parametrize("options", [["--osc", "pitch", "--osc-rate-hz", "16"], ["--gain-db", "nan"]])
def test_edits_that_cannot_be_are_errors(
    mock: MockExplorer, note_file: Callable[..., Path], tmp_path: Path, options: list[str]
) -> None:
    refused("edit", note_file(), *options, "-o", tmp_path / "out" / "out.wav")
    assert not leftovers(tmp_path / "out")


OVERWRITING = [
    "edit in.wav -o in.wav",
    "edit in.npz -o ./in.npz",
    "edit in.npz --toward in.wav -o in.wav",
    "edit in.npz --preset p.json --save-preset p.json -o out.wav",
    "edit in.npz --preset p.json --report p.json -o out.wav",
    "edit in.npz --report r.json --save-preset sub/../r.json -o out.wav",
    "edit in.npz --save-preset p.txt -o out.wav",
    "edit in.npz --report out.wav -o out.wav",
    "edit in.npz --report folder.json -o out.wav",
    "edit in.npz --save-preset folder.json -o out.wav",
    "edit in.npz -o folder.wav",
    "edit in.npz -o in.wav/out.wav",
    "decode in.npz -o folder.wav",
    "morph in.npz in.wav -o in.npz",
    "morph in.npz in.wav -o folder.wav",
    "morph in.npz in.wav --steps 2 -o in.wav",
    "encode in.wav -o in.wav",
    "inspect in.npz -o folder.html",
    "evaluate reconstruction . -o index.csv",
    "evaluate controls . -o folder.json",
    "evaluate morph . -o r.json --save-audio in.wav",
    "bench --network small -o folder.json",
    "bench --network small -o bench.txt",
    "bench --network small -o bench.json --markdown bench.json",
    "bench --network slider --markdown table.md",
    "calibrate . -o in.wav",
    "train p.json -o in.wav",
]


@pytest.mark.parametrize("line", OVERWRITING)
def test_nothing_is_overwritten_and_targets_are_checked_before_any_work(
    note_file: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, line: str
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(common, "load_explorer", lambda checkpoint: pytest.fail("worked"))
    note_file("in.wav")
    for name in ("in.npz", "p.json", "index.csv"):
        (tmp_path / name).touch()
    for name in ("folder.json", "folder.wav", "folder.html", "sub"):
        (tmp_path / name).mkdir()
    before = {path: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()}
    refused(*line.split(), code=2)
    assert {path: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()} == before


def test_a_preset_for_other_channels_is_named(
    mock: MockExplorer, note_file: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    preset = EditChain((Toward((1.0, 2.0), 0.5),)).save(tmp_path / "p.json")
    monkeypatch.setattr(edit_options, "solve", lambda *given, **how: pytest.fail("solved"))
    said = refused("edit", note_file(), "--preset", preset, "-o", tmp_path / "out.wav")
    assert "toward: mean has 2 channels" in said


def test_an_edit_that_fails_leaves_no_preset(
    mock: MockExplorer, note_file: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    preset, out = tmp_path / "p.json", tmp_path / "out.wav"
    refused("edit", note_file(), "--transpose", -90, "--save-preset", preset, "-o", out)
    assert not preset.exists() and not out.exists()
    preset.write_text("no preset")
    monkeypatch.setattr(common, "load_explorer", lambda checkpoint: pytest.fail("worked"))
    assert "p.json" in refused("edit", note_file(), "--preset", preset, "-o", out)


@pytest.mark.parametrize("command", ["encode", "edit", "morph"])
@pytest.mark.parametrize("content", [b"", b"these are words, not a sound", None])
def test_bad_notes_are_one_line(
    mock: MockExplorer, note_file: Callable[..., Path], tmp_path: Path, command: str, content: bytes | None
) -> None:
    bad = tmp_path / "bad.wav"
    if content is not None:
        bad.write_bytes(content)
    notes = [bad, note_file()] if command == "morph" else [bad]
    out = tmp_path / "out" / ("o.npz" if command == "encode" else "o.wav")
    assert "bad.wav" in refused(command, *notes, "-o", out)
    assert not leftovers(tmp_path / "out")


def test_bad_latents_are_one_line(mock: MockExplorer, note_file: Callable[..., Path], tmp_path: Path) -> None:
    (tmp_path / "bad.npz").write_bytes(b"no latents")
    assert "bad.npz" in refused("decode", tmp_path / "bad.npz", "-o", tmp_path / "out.wav")
    assert "missing.npz" in refused("decode", tmp_path / "missing.npz", "-o", tmp_path / "out.wav")
    refused("decode", note_file(), "-o", tmp_path / "out.wav")
    refused("decode", tmp_path / "bad.npz", "-o", tmp_path / "out.mp3", code=2)


def test_wrong_words_are_wrong_usage(tmp_path: Path) -> None:
    for line in ("sing", "encode", "encode a.wav", "encode a.wav -o", "--loud", "dataset sing"):
        refused(*line.split(), code=2)


def test_debug_shows_the_traceback(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def fail(checkpoint: str) -> None:
        raise LatentsError("two\nlines")

    monkeypatch.setattr(common, "load_explorer", fail)
    (tmp_path / "a.npz").write_bytes(b"x")
    words = ("decode", tmp_path / "a.npz", "-o", tmp_path / "a.wav")
    assert refused(*words) == "error: two lines\n"
    assert isinstance(run("--debug", *words).exception, LatentsError)


def test_unexpected_errors_are_one_line_too(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def fail(checkpoint: str) -> None:
        raise KeyError("surprise")

    monkeypatch.setattr(common, "load_explorer", fail)
    (tmp_path / "a.npz").write_bytes(b"x")
    assert "--debug" in refused("decode", tmp_path / "a.npz", "-o", tmp_path / "a.wav")


def test_reports_are_plain_json(tmp_path: Path) -> None:
    common.write_json(tmp_path / "r.json", {"a": np.float32(0.5), "b": [np.nan, np.arange(2)], "c": Path("x")})
    assert json.loads((tmp_path / "r.json").read_text()) == {"a": 0.5, "b": [None, [0, 1]], "c": "x"}


def test_unknown_checkpoints_are_one_line(tmp_path: Path) -> None:
    assert "nowhere" in refused("checkpoint", "verify", "nowhere")
    (tmp_path / "a.npz").write_bytes(b"x")
    assert "nowhere" in refused("decode", tmp_path / "a.npz", "-o", tmp_path / "a.wav", "--checkpoint", "nowhere")


def test_dataset_errors_are_one_line(tmp_path: Path) -> None:
    assert "nothing.sf2" in refused("dataset", "render", tmp_path / "nothing.sf2", "-o", tmp_path / "out")
    refused("dataset", "render", tmp_path / "nothing.sf2", "--velocities", "loud", "-o", tmp_path / "out", code=2)
    refused("dataset", "import-nsynth", tmp_path / "nothing", "-o", tmp_path / "out")
    assert not leftovers(tmp_path)


def test_train_errors_are_one_line(tmp_path: Path) -> None:
    refused("train", tmp_path / "nothing.yaml", "-o", tmp_path / "out")
    assert not leftovers(tmp_path)
