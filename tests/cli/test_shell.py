"""The shell: help, exit codes, one-line errors, nothing overwritten."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from synth_explorer.cli import common
from synth_explorer.errors import LatentsError
from tests.cli.shell import leftovers, ok, refused, run
from tests.conftest import REPOSITORY

HELP = [
    "",
    "encode",
    "decode",
    "morph",
    "edit",
    "inspect",
    "render",
    "sheet",
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


@pytest.mark.parametrize(
    ("words", "said"), [(["edit", "--help"], b"Usage"), (["edit", "Caf\u00e9.wav", "-o", "x.wav"], b"does not exist")]
)
def test_where_only_ascii_is_printed(words: list[str], said: bytes, tmp_path: Path) -> None:
    environment = {**os.environ, "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONPATH": str(REPOSITORY)}
    command = [sys.executable, "-m", "synth_explorer", *words]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True)
    assert said in done.stdout + done.stderr and b"unexpected" not in done.stderr and b"Traceback" not in done.stderr


def test_names_of_files_are_printed_as_they_are() -> None:
    """Also by a stream that has not their characters, or knows no bytes that are none."""
    program = (
        "import sys\nfrom synth_explorer import cli\n"
        "cli.app = lambda prog_name: print(b'\\xc3\\xbc\\xff.wav'.decode('ascii', 'surrogateescape'), '\\u2500')\n"
        "cli.main()"
    )
    environment = {**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONPATH": str(REPOSITORY)}
    done = subprocess.run([sys.executable, "-c", program], env=environment, check=True, capture_output=True)
    assert done.stdout.strip() == b"\xc3\xbc\xff.wav ?"


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


@pytest.mark.parametrize(
    ("words", "option", "said"),
    [
        ("edit Cello --gain-db abc -o x.wav", "--gain-db", "should be a finite number"),
        ("morph Cello Flute --mix 0.5,0.2 -o x.wav", "--mix", "received '0.5,0.2'"),
        ("decode a.npz --format au -o x", "--format", "'au' is not one of 'wav', 'flac'"),
        ("library find --limit 0", "--limit", "greater than or equal to 1; received '0'"),
    ],
)
def test_a_wrong_option_is_named_with_what_was_given(words: str, option: str, said: str) -> None:
    told = " ".join(refused(*words.split(), code=2).replace("│", " ").split())
    assert f"Invalid value for '{option}'" in told and said in told and "Value error" not in told


@pytest.mark.parametrize("number", ["nan", "inf"])
@pytest.mark.parametrize(
    "words",
    [
        ("morph", "a.wav", "b.wav", "-o", "m.wav", "--mix"),
        ("morph", "a.wav", "b.wav", "-o", "m.wav", "--temperature"),
        ("morph", "a.wav", "b.wav", "-o", "m.wav", "--length-s"),
        ("instrument", "a.wav", "-o", "i", "--release-s"),
        ("inspect", "a.wav", "-o", "i.html", "--decode-s"),
        ("library", "search", "bright", "--spread"),
        ("library", "trim", "--most-gb"),
        ("calibrate", "notes", "--checkpoint", "c", "--stretch-s"),
        ("train-pitch", "notes", "-o", "run", "--minutes"),
    ],
)
def test_options_of_numbers_take_numbers(words: tuple[str, ...], number: str) -> None:
    said = refused(*words, number, code=2)
    assert words[-1] in said and (f"{number} is no number" in said or f"'{number}'" in said)


@pytest.mark.parametrize("option", ["--instruments", "--pitches", "--seconds", "--sample-rate", "--workers"])
@pytest.mark.parametrize("number", ["1000000000", "nan"])
def test_notes_to_train_on_have_a_most_of_everything(option: str, number: str, tmp_path: Path) -> None:
    said = refused("dataset", "synthetic", option, number, "-o", tmp_path / "set", code=2)
    assert option in said and not (tmp_path / "set").exists()
