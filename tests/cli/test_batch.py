"""The shell over many files: one that is bad ends nothing, older results are replaced and that is said, folders are
not named like files, and several latents become several sounds."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import soundfile
import typer

from synth_explorer import evaluation
from synth_explorer.cli import calibrate, common
from synth_explorer.cli.inputs import SOUND_SUFFIXES
from synth_explorer.errors import LatentsError
from synth_explorer.explorer import Explorer
from synth_explorer.explorer.family import Decoding
from synth_explorer.latents import Latents
from tests.cli.shell import failing, ok, refused, run

Notes = Callable[..., Path]


def test_one_bad_note_ends_nothing(fake: Explorer, note_file: Notes, tmp_path: Path) -> None:
    good, last = note_file("good.wav"), note_file("last.flac")
    (tmp_path / "empty.wav").touch()
    (tmp_path / "words.wav").write_bytes(b"these are words")
    bad = [tmp_path / name for name in ("empty.wav", "words.wav", "missing.wav", "a.npz")]
    np.savez(tmp_path / "a.npz", z=np.zeros(1))
    said, errors = failing("encode", good, *bad, last, "-o", tmp_path / "out")
    assert said == [str(tmp_path / "out" / name) for name in ("good.npz", "last.npz")]
    assert len(errors) == 4 and all(line.startswith("error: ") for line in errors)
    assert all(any(path.name in line for line in errors) for path in bad)


@pytest.mark.slow
def test_inputs_that_are_all_bad_load_no_model(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(common, "load_explorer", lambda checkpoint: pytest.fail("worked"))
    (tmp_path / "empty.wav").touch()
    (tmp_path / "folder").mkdir()
    for command, out in (("encode", "out"), ("encode", "a.npz"), ("decode", "out"), ("decode", "a.wav")):
        for name in ("empty.wav", "folder", "missing.npz"):
            assert name in refused(command, tmp_path / name, "-o", tmp_path / out)
    said, errors = failing("encode", tmp_path / "empty.wav", tmp_path / "folder", "-o", tmp_path / "out")
    assert said == [] and len(errors) == 2 and "folder without sound files" in errors[1]
    assert not (tmp_path / "out").exists()


def test_a_folder_is_its_sounds(fake: Explorer, note_file: Notes, tmp_path: Path) -> None:
    for name in ("in/b.WAV", "in/a.flac", "in/.hidden.wav", "in/deeper/c.wav"):
        note_file(name)
    for name in ("index.csv", "read.me"):
        (tmp_path / "in" / name).write_text("no sound")
    result = ok("encode", tmp_path / "in", note_file("z.wav"), tmp_path / "in" / "a.flac", "-o", tmp_path / "out")
    assert [Path(line).name for line in result.stdout.splitlines()] == ["a.npz", "b.npz", "z.npz"]


def test_suffixes_are_those_that_libsndfile_reads(note_file: Notes) -> None:
    for kind in soundfile.available_formats():
        names = {"AIFF", "AU", "CAF", "FLAC", "HTK", "MP3", "OGG", "W64", "WAV", "VOC", "AVR", "PAF", "SVX", "RF64"}
        assert kind not in names or f".{kind.lower()}" in SOUND_SUFFIXES


def test_several_latents_become_sounds(fake: Explorer, note_file: Notes, tmp_path: Path) -> None:
    ok("encode", note_file("a.wav", 60), note_file("b.wav", 64), "-o", tmp_path / "in")
    (tmp_path / "bad.npz").write_bytes(b"no latents")
    latents = [tmp_path / "in" / "b.npz", tmp_path / "bad.npz", tmp_path / "in" / "a.npz"]
    said, errors = failing("decode", *latents, "-o", tmp_path / "out", "--format", "flac", "--seed", 4)
    assert said == [str(tmp_path / "out" / name) for name in ("b.flac", "a.flac")]
    assert len(errors) == 1 and "bad.npz" in errors[0]
    assert [how.seed for how in fake.family.made] == [4, 4]
    assert "without .wav" in refused("decode", *latents, "-o", tmp_path / "x.wav", code=2)
    assert "--format" in refused("decode", latents[0], "-o", tmp_path / "x.wav", "--format", "wav", code=2)
    copies = [latents[0], ok("encode", note_file("b.wav"), "-o", tmp_path / "b.npz") and tmp_path / "b.npz"]
    said, errors = failing("decode", *copies, "-o", tmp_path / "other")
    assert said == [str(tmp_path / "other" / "b.wav")]
    assert len(errors) == 1 and "give one of them another name" in errors[0]


@pytest.mark.slow
def test_a_group_is_decoded_at_once(
    fake: Explorer,
    note_file: Notes,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    groups: list[int] = []

    def stream_together(latents: list[Latents], hows: list[Decoding]) -> Iterator[np.ndarray]:
        groups.append(len(latents))
        yield np.stack([fake.family.sound(*one) for one in zip(latents, hows, strict=True)])

    monkeypatch.setattr(fake.family, "together", lambda engine: 2)
    monkeypatch.setattr(fake.family, "stream_together", stream_together, raising=False)
    ok("encode", *(note_file(f"{name}.wav") for name in "abcde"), "-o", tmp_path / "in")
    result = ok("decode", *sorted((tmp_path / "in").iterdir()), "-o", tmp_path / "out")
    assert groups == [2, 2] and fake.family.decoded == 5 and len(result.stdout.splitlines()) == 5


def test_a_step_that_fails_ends_nothing(
    fake: Explorer,
    note_file: Notes,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    sound, count = fake.family.sound, iter(range(9))

    def some(note: Latents, how: Decoding) -> np.ndarray:
        if next(count) == 1:
            raise LatentsError("These latents lie too far.")
        return sound(note, how)

    monkeypatch.setattr(fake.family, "sound", some)
    words = ("morph", note_file("a.wav"), note_file("b.wav"), "--steps", 3, "--format", "flac", "-o", tmp_path / "walk")
    said, errors = failing(*words)
    assert [Path(line).name for line in said] == ["000_mix_0.000.flac", "002_mix_1.000.flac"]
    assert errors == [f"error: {tmp_path / 'walk' / '001_mix_0.500.flac'}: These latents lie too far."]


@pytest.mark.slow
def test_what_is_replaced_is_said(fake: Explorer, note_file: Notes, tmp_path: Path) -> None:
    note, latents, preset, report = note_file(), tmp_path / "a.npz", tmp_path / "p.json", tmp_path / "r.json"
    edit = ("edit", note, "--gain-db", -6, "--save-preset", preset, "--report", report, "-o", tmp_path / "b.wav")
    lines = {
        ("encode", note, "-o", latents): [latents],
        ("decode", latents, "-o", tmp_path / "a.wav"): [tmp_path / "a.wav"],
        ("morph", note, note, "-o", tmp_path / "m.npz"): [tmp_path / "m.npz"],
        edit: [tmp_path / "b.wav", preset, report],
    }
    for words, written in lines.items():
        assert "note:" not in ok(*words).stderr
        again = ok(*words)
        said = [line for line in again.stderr.splitlines() if line.startswith("note:")]
        assert said == [f"note: replaced {path}" for path in written]


@pytest.mark.parametrize(
    "line",
    [
        "morph in.wav in.wav --steps 3 -o x.flac",
        "encode in.wav in.wav -o x.wav",
        "encode in.wav -o x.json",
        "encode in.wav other.wav -o x.npz",
        "encode in.wav -o x.npz/y.npz",
        "encode in.wav in.wav -o x.npz/deeper",
        "decode in.npz -o x.wav/y.flac",
        "decode in.npz -o x.npz/y.wav",
        "edit in.npz --gain-db 1 -o y.wav --report x.html/r.json",
        "morph in.wav in.wav -o x.mp3/y.wav",
        "morph in.wav in.wav --steps 3 -o x.npz/y",
        "inspect in.npz -o x.wav/y.html",
        "bench -o x.csv/y.json",
        "evaluate morph . -o r.json --save-audio x.wav/y",
        "dataset synthetic -o x.wav/y",
        "decode in.npz -o x.mp3",
        "evaluate reconstruction . -o r.json --save-audio x.wav",
        "evaluate morph . -o r.json --save-audio x.FLAC",
        "calibrate . -o x.json",
        "dataset synthetic -o x.wav",
        "dataset import-nsynth . -o x.npz",
        "train p.yaml -o x.json",
    ],
)
def test_folders_are_not_named_like_files(
    note_file: Notes, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, line: str
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(common, "load_explorer", lambda checkpoint: pytest.fail("worked"))
    note_file("in.wav")
    (tmp_path / "in.npz").write_bytes(b"x")
    said = re.sub(r"[\s│]+", " ", refused(*line.split(), code=2))
    assert " is the name of a file; give that of a folder, without ." in said
    assert {path.name for path in tmp_path.iterdir()} == {"in.wav", "in.npz"}


def test_a_folder_that_is_there_may_be_named_as_it_likes(
    fake: Explorer,
    note_file: Notes,
    tmp_path: Path,
) -> None:
    (tmp_path / "x.flac").mkdir()
    ok("morph", note_file("a.wav"), note_file("b.wav"), "--steps", 2, "-o", tmp_path / "x.flac")
    assert len(list((tmp_path / "x.flac").iterdir())) == 2


def test_debug_shows_where_a_batch_failed(fake: Explorer, tmp_path: Path) -> None:
    (tmp_path / "bad.npz").write_bytes(b"no latents")
    words = ("decode", tmp_path / "bad.npz", "-o", tmp_path / "a.wav")
    assert isinstance(run("--debug", *words).exception, LatentsError)
    assert isinstance(run(*words).exception, SystemExit)


def test_importing_goes_on(note_file: Notes, tmp_path: Path) -> None:
    for name in "ab":
        note_file(f"notes/{name}.wav")
    (tmp_path / "notes" / "bad.wav").write_bytes(b"words")
    (tmp_path / "notes" / "index.csv").write_text("path,pitch\na.wav,60\nbad.wav,60\nmissing.wav,61\nb.wav,62\n")
    said, errors = failing("dataset", "import-nsynth", tmp_path / "notes", "-o", tmp_path / "out")
    assert said == [str(tmp_path / "out")]
    assert len(errors) == 2 and "bad.wav" in errors[0] and "missing.wav" in errors[1]
    assert (tmp_path / "out" / "index.csv").read_text().count("\n") == 3


@pytest.mark.parametrize("kind", ["reconstruction", "morph"])
def test_an_evaluation_says_what_failed(
    fake: Explorer,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    kind: str,
) -> None:
    def evaluate(explorer: Any, notes: Path, *, save_audio: Path | None, save: Any, **how: Any) -> dict[str, Any]:
        if save_audio is not None:
            save(save_audio / "a.wav", np.full(100, 2.0, np.float32), 60.0)
        failed = [{"path": "bad.wav", "error": "bad.wav is not a sound."}, {"path": "b.wav", "error": "Two\nlines."}]
        return {"notes": 1, "summary": {}, "per_note": [{}], "failed": failed}

    monkeypatch.setattr(evaluation, f"evaluate_{kind}", evaluate)
    words = ("evaluate", kind, tmp_path, "-o", tmp_path / "r.json")
    said, errors = failing(*words, "--save-audio", tmp_path / "kept", "--bits", 16, "--peak", "limit")
    assert said == [str(tmp_path / "r.json")]
    assert errors[0].endswith("a.wav were limited by up to 6.12 dB")
    assert errors[-2:] == ["error: bad.wav is not a sound.", "error: b.wav: Two lines."]
    assert len(json.loads((tmp_path / "r.json").read_text())["failed"]) == 2
    assert soundfile.info(tmp_path / "kept" / "a.wav").subtype == "PCM_16"
    for option in (("--bits", 16), ("--peak", "limit"), ("--length-s", 1)):
        assert "--save-audio" in refused(*words, *option, code=2)


def test_a_calibration_says_what_it_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    left_out = {"s.wav": "notes/s.wav is silent (its peak lies below -80 dBFS); give a file with sound in it."}
    calibrate._say_left_out(SimpleNamespace(report={"left_out": left_out}))
    with pytest.raises(typer.Exit) as caught:
        calibrate._say_left_out(SimpleNamespace(report={"left_out": left_out | {"b.wav": "b.wav is no sound."}}))
    assert caught.value.exit_code == 1
    said = capsys.readouterr().err.splitlines()
    assert said == [f"warning: {left_out['s.wav']}"] * 2 + ["error: b.wav is no sound."]


def test_an_engine_that_there_is_not_is_refused_before_any_work(
    fake: Explorer, note_file: Notes, tmp_path: Path
) -> None:
    """Of patches and of specs: nothing lies in the folder then."""
    note, patch, out = note_file("a.wav"), tmp_path / "p.json", tmp_path / "batch"
    ok("edit", note, "--fit-steps", "0", "--gain-db", "-3", "--save-patch", patch, "-o", tmp_path / "x.wav")
    spec = tmp_path / "spec.yaml"
    spec.write_text("sources: [a.wav]\n")
    for given in (patch, spec):
        said = refused("render", given, "--engine", "other", "-o", out)
        assert said == "error: engine='other' must be one of auto, numba, keras.\n"
        assert not out.exists()


def test_patches_that_cannot_be_read_leave_no_folder(tmp_path: Path) -> None:
    for name in ("a.json", "b.json"):
        (tmp_path / name).write_text("{}")
    said, errors = failing("render", tmp_path / "a.json", tmp_path / "b.json", "-o", tmp_path / "batch")
    assert said == [] and len(errors) == 2 and not (tmp_path / "batch").exists()


def test_a_folder_that_cannot_be_made_is_refused_before_any_work(
    monkeypatch: pytest.MonkeyPatch, note_file: Notes, tmp_path: Path
) -> None:
    monkeypatch.setattr(common, "load_explorer", lambda checkpoint: pytest.fail("worked"))
    note = note_file("notes/a.wav")
    (tmp_path / "notes" / "index.csv").write_text("path,pitch\na.wav,60\n")
    asked = ("evaluate", "reconstruction", tmp_path / "notes", "-o", tmp_path / "r.json", "--save-audio")
    assert "File name too long" in refused(*asked, tmp_path / ("9" * 300))
    assert "is a file, not a folder" in refused(*asked, note / "renders", code=2)


def test_what_the_system_refuses_of_a_file_is_no_unexpected_error(
    fake: Explorer, note_file: Notes, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Also where it is told per note, in a report."""
    from synth_explorer.cli import sound

    def full(path: Path, *_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device", str(path))

    note_file("notes/a.wav")
    (tmp_path / "notes" / "index.csv").write_text("path,pitch\na.wav,60\n")
    monkeypatch.setattr(sound, "write", full)
    where = ("--save-audio", tmp_path / "kept", "-o", tmp_path / "r.json")
    errors = run("evaluate", "reconstruction", tmp_path / "notes", "--fit-steps", "0", "--workers", "1", *where).stderr
    assert "No space left on device: " in errors and "unexpected" not in errors
