"""Checkpoints: whole or refused, with a sentence that names what is wrong."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from synth_explorer import checkpoints
from synth_explorer.checkpoints import folder
from synth_explorer.cli import app
from synth_explorer.errors import CheckpointError
from tests.conftest import REPOSITORY
from tests.model.small import small_model

CONTROLS = {"format_version": 1, "loudness": {"channel": 0, "units_per_db": 0.05, "offset_db": -40.0}}


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a small checkpoint."""
    folder = tmp_path_factory.mktemp("checkpoints")
    pitch_files = tuple(folder / name for name in ("p.json", "p.h5"))
    for path in pitch_files:
        path.write_text("{}")
    checkpoints.save(
        small_model(),
        folder / "small",
        description="small",
        controls=CONTROLS,
        card="# Small\n",
        pitch_files=pitch_files,
        dtype="float32",
    )
    return folder / "small"


@pytest.fixture
def copy(saved: Path, tmp_path: Path) -> Path:
    """A copy that a test may damage."""
    return Path(shutil.copytree(saved, tmp_path / "small"))


@pytest.mark.slow
def test_round_trip(saved: Path) -> None:
    info = checkpoints.verify(saved)
    assert (info.name, info.description, len(info.hash)) == ("small", "small", 64)
    for a, b in zip(small_model().get_weights(), checkpoints.load_model(info).get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert checkpoints.show(saved) == "# Small\n"


def test_found_by_name(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(checkpoints.FOLDER_VARIABLE, str(saved.parent))
    assert checkpoints.find("small") == saved
    assert "small" in [info.name for info in checkpoints.list_checkpoints()]


@pytest.mark.parametrize("content", ["not json", "[" * 100_000])
def test_a_damaged_checkpoint_leaves_the_others_alone(
    copy: Path, monkeypatch: pytest.MonkeyPatch, content: str
) -> None:
    shutil.copytree(copy, copy.parent / "broken")
    (copy.parent / "broken" / checkpoints.CONFIG).write_text(content)
    monkeypatch.setenv(checkpoints.FOLDER_VARIABLE, str(copy.parent))
    (why,) = checkpoints.damaged_checkpoints()
    assert "small" in [info.name for info in checkpoints.list_checkpoints()] and "broken" in why
    with pytest.raises(CheckpointError, match="no checkpoint 'nosuch'; known are: small"):
        checkpoints.find("nosuch")
    listed = CliRunner().invoke(app, ["checkpoint", "list"])
    assert listed.exit_code == 0 and "small" in listed.stdout and "broken" not in listed.stdout
    assert listed.stderr.startswith("warning: ") and "broken" in listed.stderr


@pytest.mark.parametrize("name", ["nothing", "../small", "", ".", "a/b", "/"])
def test_an_unknown_name_lists_the_known_ones(name: str) -> None:
    with pytest.raises(CheckpointError, match="known are"):
        checkpoints.find(name)


AMENDING = """
import os, signal, sys
from pathlib import Path
from synth_explorer import checkpoints

def die(event, given):
    if event == "os.rename":
        left[0] -= 1
        if not left[0]:
            os.kill(os.getpid(), signal.SIGKILL)

left = [int(sys.argv[2])]
info = checkpoints.read_info(Path(sys.argv[1]))
sys.addaudithook(die)
checkpoints.amend(info, {checkpoints.CARD: b"# New"})
"""


@pytest.mark.skipif(sys.platform != "linux", reason="folders are exchanged at once on Linux only")
@pytest.mark.parametrize("renames", [1, 2])
def test_a_checkpoint_is_there_whenever_its_change_is_killed(copy: Path, renames: int) -> None:
    words = [sys.executable, "-c", AMENDING, str(copy), str(renames)]
    subprocess.run(words, cwd=REPOSITORY, capture_output=True)
    assert checkpoints.verify(copy).name == "small" and checkpoints.show(copy) in ("# Small\n", "# New")


@pytest.mark.parametrize("renames", [1, 2])
def test_without_an_exchange_a_checkpoint_comes_back_when_its_change_is_stopped(
    copy: Path, renames: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folder, "exchange", lambda new, target: False)
    info, rename, calls = checkpoints.read_info(copy), Path.rename, iter(range(1, 9))

    def stopped(path: Path, target: Path) -> Path:
        if next(calls) == renames:
            raise KeyboardInterrupt
        return rename(path, target)

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(Path, "rename", stopped)
        checkpoints.amend(info, {checkpoints.CARD: b"# New"})
    assert checkpoints.verify(copy).name == "small" and checkpoints.show(copy) == "# Small\n"
    assert not list(copy.parent.glob(".small-*"))
    checkpoints.amend(info, {checkpoints.CARD: b"# New"})
    assert checkpoints.show(copy) == "# New"


@pytest.mark.slow
def test_truncated_weights_are_refused(copy: Path) -> None:
    weights = copy / checkpoints.WEIGHTS
    weights.write_bytes(weights.read_bytes()[:1000])
    with pytest.raises(CheckpointError, match=r"weights\.npz.*damaged"):
        checkpoints.verify(copy)
    with pytest.raises(CheckpointError, match="can't be read as weights"):
        checkpoints.load_model(checkpoints.read_info(copy))


def test_a_missing_file_is_named(copy: Path) -> None:
    (copy / checkpoints.CONTROLS).unlink()
    with pytest.raises(CheckpointError, match=r"lacks controls\.json"):
        checkpoints.verify(copy)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format_version": 99}, "format_version: should be 1; received 99"),
        ({"files": {"../weights.npz": "0", "weights.npz": "0"}}, "inside the checkpoint's folder"),
        ({"files": {}}, "files: must hold weights.npz"),
        ({"family": "other"}, "family: should be 'default', 'nsynth' or 'wavenet'"),
        ({"config": None}, "config: should be an object"),
        ({"config": {"encoder_width": 10**9}}, "encoder_width: should be less than or equal to"),
        ({"config": {"decoder_blocks": 10**9}}, "decoder_blocks: should be less than or equal to"),
        ({"config": {"max_s": 1e300}}, "max_s: should be less than or equal to"),
        ({"config": {"hop": "many"}}, "hop: should be a valid integer"),
        ({"config": {"colour": 3}}, "unknown field 'colour'"),
    ],
)
def test_a_wrong_configuration_is_named(copy: Path, change: dict, message: str) -> None:
    path = copy / checkpoints.CONFIG
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(CheckpointError, match=message):
        checkpoints.load_model(checkpoints.read_info(copy))


@pytest.mark.long
def test_weights_of_another_size_are_refused(copy: Path) -> None:
    path = copy / checkpoints.CONFIG
    content = json.loads(path.read_text())
    content["config"]["decoder_width"] += 8
    path.write_text(json.dumps(content))
    with pytest.raises(CheckpointError, match="has shape"):
        checkpoints.load_model(checkpoints.read_info(copy))


def test_not_a_configuration(copy: Path) -> None:
    (copy / checkpoints.CONFIG).write_text("not json")
    with pytest.raises(CheckpointError, match=r"config\.json must be JSON"):
        checkpoints.verify(copy)


def test_saving_again_replaces_the_whole_folder(copy: Path) -> None:
    stray = copy / "stray.txt"
    stray.write_text("from an older version")
    pitch_files = tuple(copy.parent / name for name in ("p.json", "p.h5"))
    for path in pitch_files:
        path.write_text("{}")
    checkpoints.save(small_model(), copy, description="new", controls=CONTROLS, card="", pitch_files=pitch_files)
    assert not stray.exists()
    assert sorted(p.name for p in copy.parent.iterdir()) == ["p.h5", "p.json", "small"]
