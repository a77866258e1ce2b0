"""The store of notes that people bring: by content, whole or not at all, bounded, and nothing outside of it."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from synth_explorer.errors import AudioError
from synth_explorer.rendering.sources import content_hash
from synth_explorer.ui.session import note_store
from synth_explorer.ui.session.note_store import DIGITS, NoteStore


@pytest.fixture
def store(tmp_path: Path) -> NoteStore:
    return NoteStore(tmp_path / "kept", most_bytes=1000)


def written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def files(store: NoteStore) -> list[str]:
    return sorted(path.name for path in store.folder.iterdir())


def test_a_note_is_kept_once_under_its_content(store: NoteStore, tmp_path: Path) -> None:
    first, again = written(tmp_path / "My note.WAV", b"abc"), written(tmp_path / "other.wav", b"abc")
    digest = content_hash(first)[:DIGITS]
    kept = store.put(first)
    assert kept == store.put(again) == store.find(digest) == store.folder / f"{digest}.wav"
    assert kept.read_bytes() == b"abc" and files(store) == [kept.name]
    first.unlink()
    assert NoteStore(store.folder).find(digest) == kept  # another server, later


def test_what_was_used_longest_ago_goes_first(store: NoteStore, tmp_path: Path) -> None:
    kept = [store.put(written(tmp_path / f"{index}.wav", bytes([index]) * 400)) for index in range(2)]
    for age, path in ((20, kept[1]), (30, kept[0])):
        os.utime(path, (path.stat().st_atime - age, path.stat().st_mtime))
    assert store.find(kept[0].stem) == kept[0]  # used just now
    last = store.put(written(tmp_path / "2.wav", b"c" * 400))
    assert files(store) == sorted([kept[0].name, last.name])
    assert store.find(kept[1].stem) is None


def test_a_note_that_is_too_large_is_one_sentence(store: NoteStore, tmp_path: Path, monkeypatch) -> None:
    with pytest.raises(AudioError, match=r"big\.wav has 0 MB, a note at most"):
        store.put(written(tmp_path / "big.wav", b"x" * 1001))
    monkeypatch.setattr(note_store, "LARGEST_BYTES", 10)
    with pytest.raises(AudioError, match="cut it shorter"):
        store.put(written(tmp_path / "big.wav", b"x" * 11))
    assert not store.folder.exists()


def test_a_damaged_file_is_not_given_out_and_is_written_anew(store: NoteStore, tmp_path: Path) -> None:
    note = written(tmp_path / "a.wav", b"abc")
    kept = store.put(note)
    kept.write_bytes(b"abcd")
    assert store.find(kept.stem) is None and not kept.exists()
    assert store.put(note).read_bytes() == b"abc"


@pytest.mark.parametrize(
    "digest", ["", "..", "../secret", "*", "a" * 23, "A" * 24, "0" * 64, "/etc/passwd", "[a-f]" * 5]
)
def test_only_names_of_contents_are_looked_for(store: NoteStore, tmp_path: Path, digest: str) -> None:
    written(tmp_path / "secret", b"secret")
    store.put(written(tmp_path / "a.wav", b"abc"))
    assert store.find(digest) is None


@pytest.mark.parametrize("name", ["a", "a.b c", "a.wav\n", "a.veryverylong", "a.."])
def test_endings_of_names_do_no_harm(store: NoteStore, tmp_path: Path, name: str) -> None:
    kept = store.put(written(tmp_path / name, b"abc"))
    assert kept.parent == store.folder and kept.name == content_hash(kept)[:DIGITS]


def test_a_copy_that_fails_leaves_nothing(store: NoteStore, tmp_path: Path, monkeypatch) -> None:
    def fails(source: Path, target: Path) -> None:
        target.write_bytes(b"ab")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(note_store.shutil, "copyfile", fails)
    with pytest.raises(AudioError, match=r"a\.wav cannot be kept: No space left"):
        store.put(written(tmp_path / "a.wav", b"abc"))
    assert files(store) == []


def test_what_a_killed_server_left_unfinished_is_cleared_away(store: NoteStore, tmp_path: Path) -> None:
    store.put(written(tmp_path / "a.wav", b"abc"))
    old, new = written(store.folder / ".old.x.wav", b"a"), written(store.folder / ".new.x.wav", b"a")
    os.utime(old, (0, 0))
    store.put(written(tmp_path / "b.wav", b"abcd"))
    assert not old.exists() and new.exists()


def test_many_at_once_keep_each_their_own(store: NoteStore, tmp_path: Path) -> None:
    notes = [written(tmp_path / f"{index}.wav", bytes([index % 5]) * 20) for index in range(20)]
    with ThreadPoolExecutor(8) as pool:
        kept = list(pool.map(store.put, notes))
    assert [path.read_bytes() for path in kept] == [note.read_bytes() for note in notes]
    assert len(files(store)) == 5
