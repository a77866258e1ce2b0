"""What a library keeps: contents once, provenance, words, tags; and what goes when there is too much."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from synth_explorer import audio
from synth_explorer.errors import AudioError, LibraryError
from synth_explorer.latents import Latents
from synth_explorer.library.library import Library
from synth_explorer.library.store import FILES, INDEX
from synth_explorer.rendering import Patch, Source
from tests.library.conftest import RATE_HZ, tone

Sounds = Callable[[int], list[Path]]


def test_a_content_is_one_entry_and_found_by_what_it_is_called(
    library: Library, sounds: Sounds, tmp_path: Path
) -> None:
    first, second = (library.add(path) for path in sounds(2))
    again = library.add(
        audio.save(tmp_path / "other name.wav", tone(110.0), sample_rate_hz=RATE_HZ), tags=["Warm  Pad"]
    )
    assert again == first != second and len(library) == 2
    assert first.path.read_bytes() == Path(first.origin).read_bytes() and first.kind == "note"
    assert first.qualities["pitch_midi"] == pytest.approx(45.0, abs=0.05)
    assert library.entry(first.id[:6]) == library.entry("tone 000") == first
    library.change([second], note="the Grüne one", favourite=True, add=["warm pad"], name="tone 000")
    with pytest.raises(LibraryError, match="several entries"):
        library.entry("tone 000")
    found = {
        words: [entry.id for entry in library.entries(library.find(words))]
        for words in ("tone", "grune", "warm", "inside", "war gru", "nothing", 'to" OR "x')
    }
    both, one = [second.id, first.id], [second.id]
    assert found["tone"] == found["warm"] == both and found["grune"] == found["war gru"] == one == found["inside"]
    assert not found["nothing"] and not found['to" OR "x']
    assert library.find(tags=["warm pad"], favourites=True) == [second.number] and not library.find(kind="render")
    assert library.tags(first)[0] == ("warm pad", "person", 1.0)
    library.change([first], remove=["warm pad"])
    assert library.find("warm") == [second.number] == library.find(tags=["warm pad"])


def test_a_render_knows_its_patch_its_parents_and_they_their_children(library: Library, sounds: Sounds) -> None:
    parent_path, render_path, lost = sounds(3)
    patch = Patch.of(Source.of(parent_path), Source.of(lost), mix=0.3)
    parent, render = library.add(parent_path), library.add(render_path)
    assert render.kind == "note" and render.patch is None
    render = library.add(render_path, kind="render", patch=patch)  # learns what it lacked
    assert library.entry(render.id).kind == "render" and library.entry(render.id).patch == patch
    assert [(one.name, one.entry) for one in library.parents(render)] == [(parent_path.name, parent), (lost.name, None)]
    assert library.children(parent) == [library.entry(render.id)] and not library.children(render)


def test_latents_are_kept_and_what_cannot_be_read_is_not(library: Library, tmp_path: Path, latents: Latents) -> None:
    entry = library.add(latents.save(tmp_path / "a.npz"))
    assert entry.kind == "latents" and entry.sample_rate_hz == latents.meta.sample_rate_hz
    (tmp_path / "noise.wav").write_bytes(b"no sound" * 50)
    with pytest.raises(AudioError):
        library.add(tmp_path / "noise.wav")
    assert len(library) == 1 == sum(path.is_file() for path in (library.folder / FILES).rglob("*"))


def test_what_passes_goes_when_there_is_too_much_and_what_is_marked_stays(library: Library, sounds: Sounds) -> None:
    paths = sounds(7)
    marked, noted, tagged, parent, old, new = (library.add(path, kind="upload") for path in paths[:6])
    library.change([marked], favourite=True)
    library.change([noted], note="mine")
    library.change([tagged], add=["mine"])
    child = library.add(paths[6], kind="render", patch=Patch.of(Source.of(parent.path)))
    library.add(paths[4])  # used again
    gone = library.trim(most_bytes=2 * new.size)
    assert gone == [new] and not new.path.exists() and len(library) == 6
    assert {entry.id for entry in library.trim(most_bytes=0)} == {old.id, child.id}
    assert [entry.id for entry in library.trim(most_bytes=0)] == [parent.id]  # which has no children now


def test_what_is_removed_is_gone_with_its_words_and_a_stopped_copy_is_swept(library: Library, sounds: Sounds) -> None:
    entry, other = (library.add(path) for path in sounds(2))
    library.remove([entry])
    assert not entry.path.exists() and Path(entry.origin).exists() and not library.find("000")
    with pytest.raises(LibraryError, match="is in no library"):
        library.entry(entry.id)
    stopped, fresh = entry.path.with_name(".half.wav"), entry.path.with_name("fresh.wav")
    for path in (stopped, fresh):
        path.write_bytes(b"half")
    os.utime(stopped, (0.0, 0.0))
    assert library.sweep() == 1 and fresh.exists() and other.path.exists() and not stopped.exists()


def test_a_file_that_is_deleted_while_it_is_looked_at_is_copied(library: Library, sounds: Sounds, monkeypatch) -> None:
    (path,) = sounds(1)
    entry = library.add(path)
    real = Path.stat

    def stat(self: Path, **how: bool) -> os.stat_result:
        found = real(self, **how)
        if self == entry.path:  # whoever asks a second time finds nothing
            monkeypatch.setattr(Path, "stat", real)
            entry.path.unlink()
        return found

    monkeypatch.setattr(Path, "stat", stat)
    assert library.put(path) == (entry.sha256, entry.path.suffix) and not entry.path.exists()
    assert library.put(path) == (entry.sha256, entry.path.suffix) and entry.path.read_bytes() == path.read_bytes()


def test_threads_and_connections_share_a_library(library: Library, sounds: Sounds) -> None:
    """Six threads over three connections add and remove the same four contents; every row has its file."""
    paths, before = sounds(4), library.revision()
    libraries = [library, Library(library.folder), Library(library.folder)]
    wrong: list[Exception] = []

    def work(number: int) -> None:
        one = libraries[number % 3]
        try:
            for i in range(3):
                entry = one.add(paths[(number + i) % 4])
                if number % 2:
                    one.remove([entry])
        except Exception as error:
            wrong.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong and library.revision() != before
    kept = [entry.path for entry in library.entries(library.find())]
    assert all(path.is_file() for path in kept) and len(kept) == len(library) <= 4


def test_a_folder_that_is_no_library_is_refused_and_says_why(tmp_path: Path) -> None:
    (tmp_path / INDEX).write_bytes(b"no database at all, but long enough to be read as one" * 30)
    with pytest.raises(LibraryError, match="cannot be opened as a library"):
        Library(tmp_path)
    with Library(tmp_path / "new") as newer, newer.writing() as index:
        index.execute("PRAGMA user_version = 99")
    with pytest.raises(LibraryError, match="version 99"):
        Library(tmp_path / "new")
