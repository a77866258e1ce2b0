"""Files are written whole or not at all."""

from __future__ import annotations

import errno
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from synth_explorer import files
from synth_explorer.files import atomic_path, write_text


def test_success_renames_and_leaves_nothing_beside(tmp_path: Path) -> None:
    target = tmp_path / "new" / "folder" / "note.wav"
    with atomic_path(target) as temporary:
        assert temporary.suffix == ".wav"
        assert temporary.parent == target.parent
        temporary.write_bytes(b"sound")
        assert not target.exists()
    assert target.read_bytes() == b"sound"
    assert [path.name for path in target.parent.iterdir()] == ["note.wav"]


def test_what_is_written_survives_a_power_cut(
    tmp_path: Path, on_disk: dict[int, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    replaced: list[bytes | None] = []
    real = Path.replace

    def replace(self: Path, target: Path) -> Path:
        replaced.append(on_disk.get(self.stat().st_ino))
        return real(self, target)

    monkeypatch.setattr(Path, "replace", replace)
    write_text(tmp_path / "a.txt", "words")
    assert replaced == [b"words"]  # on the disk before it has its name
    assert b"a.txt" in on_disk[tmp_path.stat().st_ino]


def test_a_disk_that_is_full_leaves_the_older_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fsync(opened: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    target = write_text(tmp_path / "a.txt", "old")
    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(OSError, match="No space left") as caught:
        write_text(target, "new")
    assert caught.value.filename == str(target) and target.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


def test_folders_that_cannot_be_flushed_are_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.fsync

    def fsync(opened: int) -> None:
        if stat.S_ISDIR(os.fstat(opened).st_mode):
            raise OSError(errno.EINVAL, "Invalid argument")
        real(opened)

    monkeypatch.setattr(os, "fsync", fsync)
    assert write_text(tmp_path / "a.txt", "words").read_text() == "words"


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_failure_keeps_the_older_file(tmp_path: Path, error: type[BaseException]) -> None:
    target = tmp_path / "note.json"
    target.write_text("old")
    with pytest.raises(error), atomic_path(target) as temporary:
        temporary.write_text("half")
        raise error
    assert target.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["note.json"]


def test_an_error_names_the_file_that_was_to_be_written(tmp_path: Path) -> None:
    target = tmp_path / "note.json"
    target.mkdir()
    with pytest.raises(IsADirectoryError) as caught, atomic_path(target):
        pass
    assert (caught.value.filename, caught.value.filename2) == (str(target), None)
    assert [path.name for path in tmp_path.iterdir()] == ["note.json"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_what_a_killed_writer_left_goes_with_the_next(tmp_path: Path) -> None:
    """Once a minute has passed; what somebody writes stays, however long it takes, and so do files of others."""
    pid = os.fork()
    if pid == 0:
        with atomic_path(tmp_path / "killed.wav"):
            os._exit(9)
    os.waitpid(pid, 0)
    (left,) = tmp_path.iterdir()
    (other := tmp_path / ".killed.settings.wav").write_bytes(b"")
    os.utime(other, (0, 0))
    for age_s, expected in ((0.0, {left, other}), (61.0, {other})):
        os.utime(left, (left.stat().st_mtime - age_s,) * 2)
        with atomic_path(tmp_path / "long.wav") as written:
            os.utime(written, (0, 0))
            files._clear.cache_clear()
            write_text(tmp_path / "a.txt", "words")
            assert {path for path in tmp_path.iterdir() if path.name.startswith(".")} == {written, *expected}


def test_other_people_may_read_what_is_written(tmp_path: Path) -> None:
    plain = tmp_path / "plain.txt"
    plain.write_text("x")
    written = write_text(tmp_path / "atomic.txt", "x")
    assert stat.S_IMODE(written.stat().st_mode) == stat.S_IMODE(plain.stat().st_mode)


def test_write_text_is_utf8(tmp_path: Path) -> None:
    assert write_text(tmp_path / "a.txt", "ü ±").read_bytes() == "ü ±".encode()


def test_temporary_folders_of_killed_programs_go_and_those_of_living_ones_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    mine = files.temporary_folder("mine-")
    (left := tmp_path / "mine-left").mkdir()
    (left / "sound.wav").write_bytes(b"x")
    (young := tmp_path / "mine-young").mkdir()
    (other := tmp_path / "other-left").mkdir()
    for folder in (mine, left, other):
        os.utime(folder, (0, 0))
    assert files.temporary_folder("mine-").is_dir()
    assert mine.is_dir() and young.is_dir() and other.is_dir() and not left.exists()


def test_a_temporary_folder_goes_with_its_process(tmp_path: Path) -> None:
    code = "from synth_explorer import files; (files.temporary_folder('mine-') / 'x').write_text('x')"
    environment = os.environ | {"TMPDIR": str(tmp_path)}
    subprocess.run([sys.executable, "-c", code], env=environment, cwd=Path(__file__).parents[1], check=True)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform != "linux", reason="Linux only")
def test_folders_change_places(tmp_path: Path) -> None:
    for name in "ab":
        write_text(tmp_path / name / "x", name)
    assert files.exchange(tmp_path / "a", tmp_path / "b")
    assert (tmp_path / "a" / "x").read_text() == "b" and (tmp_path / "b" / "x").read_text() == "a"
    assert not files.exchange(tmp_path / "a", tmp_path / "c")
