"""The program where things are not as usual: no home, other locales and folders, no asserts, warnings as errors, a full
disk."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import soundfile

from synth_explorer import files
from tests.cli import shell
from tests.conftest import REPOSITORY
from tests.fuzz.world import World
from tests.kill.driver import COMMANDS

WORDS = ("--checkpoint", "default-16k", "--fit-steps", "0", "--gain-db", "-3")


def edited(*flags: str, out: Path | str, cwd: Path, **environment: str | None) -> subprocess.CompletedProcess[str]:
    """`edit` of a bundled note, with flags of Python and another environment (None: not set)."""
    changed = {name: value for name, value in {**os.environ, **environment}.items() if value is not None}
    words = [sys.executable, *flags, "-m", "synth_explorer", "edit", "Marimba", *WORDS, "-o", str(out)]
    changed |= {"PYTHONPATH": str(REPOSITORY)}
    return subprocess.run(words, cwd=cwd, env=changed, capture_output=True, text=True)


@pytest.mark.long
@pytest.mark.parametrize(
    ("flags", "environment"),
    [
        ((), {"HOME": None, "XDG_CACHE_HOME": None, "XDG_DATA_HOME": None}),
        ((), {"HOME": "/nonexistent"}),
        ((), {"LC_ALL": "C", "LANG": None, "PYTHONUTF8": "0"}),
        (("-O",), {}),
        (("-OO",), {}),
        (("-W", "error"), {}),
        (("-X", "dev"), {}),
    ],
)
def test_it_works(flags: tuple[str, ...], environment: dict[str, str | None], tmp_path: Path) -> None:
    elsewhere = tmp_path / "ein Ordner, ü"
    elsewhere.mkdir()
    done = edited(*flags, out="x.wav", cwd=elsewhere, **environment)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "x.wav\n" and soundfile.info(elsewhere / "x.wav").frames > 10_000
    assert [path.name for path in elsewhere.iterdir()] == ["x.wav"]


@pytest.mark.long
@pytest.mark.skipif(sys.platform != "linux", reason="no such folders there")
def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    """Not even by root."""
    done = edited(out="/proc/x.wav", cwd=tmp_path)
    assert done.returncode == 1 and done.stdout == ""
    assert done.stderr.startswith("error: ") and done.stderr.count("\n") == 1 and "/proc/x.wav" in done.stderr


@pytest.mark.long
@pytest.mark.skipif(sys.platform != "linux", reason="no such folders there")
@pytest.mark.parametrize("command", [name for name in COMMANDS if name != "library trim"])  # which reads it first
def test_every_command_says_that_a_folder_cannot_be_written(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("SYNTH_EXPLORER_CACHE", "SYNTH_EXPLORER_DATA"):
        monkeypatch.setenv(name, str(tmp_path / "user"))
    monkeypatch.chdir(tmp_path)
    world = World(tmp_path)
    words = [f"/proc/{word}" if word.split("/")[0] == "out" else word for word in COMMANDS[command](world)]
    assert any(word.startswith("/proc/out") for word in words)
    with world.in_charge():
        result = shell.run(*words)
    assert (result.exit_code, result.stdout) == (1, "")
    for line in result.stderr.splitlines():  # one for each result
        assert line.startswith("error: ") and "/proc/out" in line and "unexpected" not in line


@pytest.mark.long
@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root mounts")
def test_a_disk_that_is_full(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(disk)], capture_output=True).returncode:
        pytest.skip("nothing can be mounted here")
    try:
        done = edited(out=disk / "x.wav", cwd=tmp_path)
        assert done.returncode == 1 and done.stderr.startswith("error: ") and done.stderr.count("\n") == 1, done.stderr
        assert "unexpected" not in done.stderr and not list(disk.iterdir())
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_no_home_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def homeless() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", homeless)
    for name in ("XDG_CACHE_HOME", files.CACHE_VARIABLE):
        monkeypatch.delenv(name, raising=False)
    if sys.platform == "linux":
        with pytest.raises(OSError, match="name another by SYNTH_EXPLORER_CACHE"):
            files.cache_folder()


def test_what_numpy_says_of_a_full_disk_names_the_file(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="cannot be written whole") as found, files.atomic_path(tmp_path / "x.npy"):
        raise OSError("8 requested and 3 written")
    assert found.value.filename == str(tmp_path / "x.npy") and not list(tmp_path.iterdir())
