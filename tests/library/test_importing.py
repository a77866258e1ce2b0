"""Folders taken in: what is there is passed over, what cannot be read is said, a kill loses and doubles nothing."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from synth_explorer.batch import manifest
from synth_explorer.library.importing import import_all, tasks_of
from synth_explorer.library.library import Library
from synth_explorer.library.store import FILES
from synth_explorer.rendering import Patch, Source
from tests.library.conftest import RATE_HZ

Sounds = Callable[[int], list[Path]]


def taken(library: Library, folder: Path, *, workers: int = 1) -> tuple[int, int, list[str]]:
    """What an import says: new, kept, files that failed."""
    summary = import_all(library, tasks_of([folder], [".wav"]), workers=workers)
    return len(summary.entries), summary.kept, [path.name for path, _ in summary.failures]


def check_whole(library: Library, paths: list[Path]) -> None:
    """One entry for each content, each with its file, and nothing else."""
    contents = {hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}
    entries = library.entries(library.find())
    assert {entry.sha256 for entry in entries} == contents and len(entries) == len(contents)
    assert all(hashlib.sha256(entry.path.read_bytes()).hexdigest() == entry.sha256 for entry in entries)
    assert len(library.read("SELECT DISTINCT entry FROM words")) == len(contents)


def test_folders_are_taken_in_once(library: Library, sounds: Sounds) -> None:
    paths = sounds(6)
    folder = paths[0].parent
    (folder / "copy.wav").write_bytes(paths[3].read_bytes())
    (folder / "broken.wav").write_bytes(b"x" * 999)
    (folder / ".hidden.wav").write_bytes(paths[0].read_bytes())
    assert taken(library, folder) == (6, 1, ["broken.wav"])
    assert taken(library, folder) == (0, 7, ["broken.wav"])
    (folder / "broken.wav").write_bytes(paths[0].read_bytes())
    paths[1].unlink()
    assert taken(library, folder) == (0, 7, [])
    check_whole(library, [*paths[:1], *paths[2:], library.entry("tone 001").path])


def test_the_folder_of_a_batch_brings_its_patches(library: Library, sounds: Sounds) -> None:
    note, made, other = sounds(3)
    patch, told = Patch.of(Source.of(note)), {"loudness_db": -20.5, "pitch_midi": 45.0, "attack_s": 0.1}
    told |= {"brightness_octaves": 9.0, "noisiness_db": None}
    record = {"file": "inside/" + made.name, "address": "a", "id": patch.id, "bytes": 1, "descriptors": told}
    record |= {"duration_s": 0.5, "sample_rate_hz": RATE_HZ, "peak_db": None, "reached": True}
    (note.parent / manifest.MANIFEST).write_text(json.dumps(record | {"patch": patch.model_dump(mode="json")}) + "\n")
    assert taken(library, note.parent) == (3, 0, [])
    entry = library.entry(made.stem)
    assert entry.kind == "render" and entry.patch == patch and entry.qualities["loudness_db"] == -20.5
    assert library.children(library.entry(note.stem)) == [entry] and library.entry(other.stem).kind == "note"


KILLED = """
import sys
from dataclasses import replace
from pathlib import Path
from synth_explorer.library import importing
from synth_explorer.library.library import Library
importing.AT_ONCE, importing.AT_LEAST_S = 2, 0.0
def tell(done, total):
    print(done, flush=True)
tasks = (replace(task, tags=("Mine",)) for task in importing.tasks_of([Path(sys.argv[2])], [".wav"]))
importing.import_all(Library(Path(sys.argv[1])), tasks, workers=int(sys.argv[3]), progress=tell)
"""


def killed(library: Library, folder: Path, *, after: int, workers: int) -> None:
    """Take a folder in, in a process that is killed when so many files were heard."""
    words = [sys.executable, "-c", KILLED, str(library.folder), str(folder), str(workers)]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True, start_new_session=True)
    assert process.stdout is not None
    for line in process.stdout:
        if int(line) >= after:
            break
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL there")
def test_a_kill_loses_and_doubles_nothing(library: Library, sounds: Sounds) -> None:
    paths = sounds(12)
    killed(library, paths[0].parent, after=5, workers=1)
    before = len(library)
    assert 4 <= before <= 6 and len(library.find(tags=["mine"])) == before  # each came with its tag
    new, kept, failed = taken(library, paths[0].parent)
    assert (new + before, kept, failed) == (12, before, [])
    check_whole(library, paths)


def test_tags_are_given_to_what_was_there_too_and_verdicts_stay(library: Library, sounds: Sounds) -> None:
    paths = sounds(3)
    taken(library, paths[0].parent)
    (paths[0].parent / "copy.wav").write_bytes(paths[1].read_bytes())
    for _ in range(2):
        tasks = [replace(task, tags=("mine", "low")) for task in tasks_of([paths[0].parent], [".wav"])]
        assert import_all(library, tasks, workers=1).kept == 4 and len(library) == 3
        found = library.find(tags=["low"])
        assert len(found) == 3 - len(library.verdicts(library.entry("tone 002"))) and library.find("mine") == [3, 2, 1]
        library.judge(library.entry("tone 002"), "low", right=False)


@pytest.mark.long
@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL there")
def test_three_kills_and_two_processes_at_once_lose_and_double_nothing(library: Library, sounds: Sounds) -> None:
    paths = sounds(120)
    for after in (20, 25, 30):
        killed(library, paths[0].parent, after=after, workers=2)
    words = [sys.executable, "-c", KILLED, str(library.folder), str(paths[0].parent), "1"]
    both = [subprocess.Popen(words, stdout=subprocess.DEVNULL) for _ in range(2)]
    assert [process.wait() for process in both] == [0, 0]
    check_whole(library, paths)
    for path in (library.folder / FILES).rglob(".*"):
        os.utime(path, (0.0, 0.0))
    library.sweep()
    assert sum(path.is_file() for path in (library.folder / FILES).rglob("*")) == 120
    assert taken(library, paths[0].parent) == (0, 120, [])
