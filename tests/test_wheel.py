"""The wheel: built from what is under version control, it holds all that the program needs, and works from anywhere."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
import soundfile

from synth_explorer.assets import example_notes

pytestmark = pytest.mark.long
BUILD = "from setuptools import build_meta; print(build_meta.build_wheel(*__import__('sys').argv[1:]))"


SDIST = BUILD.replace("wheel", "sdist")


@pytest.fixture(scope="module")
def tree(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of this source tree, so that nothing that lies around gets into what is built of it."""
    pytest.importorskip("setuptools", "77", reason="an older setuptools cannot build it")
    source = tmp_path_factory.mktemp("source") / "tree"
    try:
        listed = subprocess.run(["git", "ls-files", "-z"], cwd=repository, check=True, capture_output=True, text=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("no git here")
    for name in filter(None, listed.stdout.split("\0")):
        if (repository / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(repository / name, source / name)
    return source


@pytest.fixture(scope="module")
def wheel(tree: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel."""
    return built(tree, tmp_path_factory.mktemp("wheel"), BUILD)


def built(source: Path, out: Path, how: str) -> Path:
    """What is built of a source tree."""
    subprocess.run([sys.executable, "-c", how, str(out)], cwd=source, check=True, capture_output=True)
    (found,) = out.iterdir()
    return found


@pytest.fixture(scope="module")
def site(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with nothing but what is in the wheel."""
    folder = tmp_path_factory.mktemp("site")
    with zipfile.ZipFile(wheel) as content:
        content.extractall(folder)
    return folder


def run(site: Path, empty: Path, *words: str) -> str:
    """What the shell prints, run in an empty folder with the wheel's content in front on the path."""
    hidden = {"SYNTH_EXPLORER_CHECKPOINTS", "PYTHONPATH"}
    environment = {name: value for name, value in os.environ.items() if name not in hidden}
    environment |= {"PYTHONPATH": str(site), "XDG_DATA_HOME": str(empty / "data")}
    done = subprocess.run(
        [sys.executable, "-m", "synth_explorer", *words], cwd=empty, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_it_holds_the_checkpoint_the_notes_and_the_page(wheel: Path, repository: Path) -> None:
    held = set(zipfile.ZipFile(wheel).namelist())
    default = repository / "checkpoints" / "default"
    assert {f"synth_explorer/bundled/default/{path.name}" for path in default.iterdir()} <= held
    assert not [name for name in held if "default-16k" in name]
    for pattern in (
        "assets/notes/*",
        "**/*.py",
        "**/*.css",
        "**/*.js",
        "**/*.html",
        "**/*.svg",
        "**/*.npz",
        "library/ears.md",
    ):
        wanted = {path.relative_to(repository).as_posix() for path in (repository / "synth_explorer").glob(pattern)}
        assert wanted and wanted <= held, pattern


def test_the_sdist_is_enough_to_build_the_same_wheel(tree: Path, wheel: Path, tmp_path: Path) -> None:
    (tmp_path / "sdist").mkdir()
    packed = built(tree, tmp_path / "sdist", SDIST)
    with tarfile.open(packed) as file:
        file.extractall(tmp_path / "unpacked", filter="data")
    (unpacked,) = (tmp_path / "unpacked").iterdir()
    for name in ("CITATION.cff", "SECURITY.md", "Dockerfile", "constraints.txt", "mkdocs.yml", "tests/conftest.py"):
        assert (unpacked / name).is_file(), name
    held = {path.relative_to(unpacked) for path in unpacked.glob("checkpoints/*/*")}
    assert held == {path.relative_to(tree) for path in tree.glob("checkpoints/*/*")}  # tests need them
    (tmp_path / "wheel").mkdir()
    again = built(unpacked, tmp_path / "wheel", BUILD)
    assert set(zipfile.ZipFile(again).namelist()) == set(zipfile.ZipFile(wheel).namelist())


def test_its_checkpoint_is_found_from_an_empty_folder(site: Path, tmp_path: Path) -> None:
    assert run(site, tmp_path, "checkpoint", "verify", "default").startswith("default: whole")
    assert str(site) in run(site, tmp_path, "checkpoint", "list")


def test_its_notes_are_morphed_from_an_empty_folder(site: Path, tmp_path: Path) -> None:
    assert run(site, tmp_path, "morph", "Marimba", "cello", "-o", "x.wav", "--fit-steps", "0") == "x.wav\n"
    sound, rate_hz = soundfile.read(tmp_path / "x.wav")
    assert rate_hz == 48_000 and np.abs(sound).max() > 0.01 and len(example_notes()) > 32


def test_the_wheel_cuts_a_recording(site: Path, tmp_path: Path) -> None:
    """The network that finds onsets is in it."""
    printed = run(site, tmp_path, "notes", str(example_notes()[0].path), "-o", "notes").splitlines()
    assert str(Path("notes") / "index.csv") in printed and len(printed) >= 2
