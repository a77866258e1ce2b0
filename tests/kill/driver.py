"""Runs a command of the shell in processes that are killed at random moments, and says what was wrong.

`python -m tests.kill.driver COMMAND COUNT SEED`. All modules are loaded once; each run is a fork, so that a hundred are
quick. A moment is before a file is opened to be written, renamed, flushed or deleted, or any other.
"""

from __future__ import annotations

import io
import json
import os
import resource
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import soundfile

from synth_explorer.data.nsynth import import_nsynth
from synth_explorer.library.library import Library
from tests import conftest as conftest  # the quiet environment of tests
from tests.cli import shell
from tests.conftest import SAMPLE_RATE_HZ, make_note
from tests.fuzz.world import World
from tests.instruments import songs

EVENTS = ("open", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.link", "sqlite3.connect", "tempfile.mkstemp")
GROWING = (".jsonl", ".csv", ".sqlite", ".lock", ".log")  # whole lines, or whole transactions: what resumes judges them
OWN = (".batch", "lock", "library.sqlite-wal", "library.sqlite-shm", "library.sqlite")
BEGIN = "begin"  # a folder that each run finds a copy of, where there is one
SYNTHETIC = ("--instruments", "2", "--pitches", "2", "--seconds", "0.5")

Prepare = Callable[[World], list[str]]


def notes(world: World, count: int = 2) -> list[str]:
    """Some notes, in a folder with an index."""
    from tests.fake_family import fake_notes

    folder = world.folder / "notes"
    folder.mkdir()
    made = fake_notes(folder)[:count]
    index = "".join(f"{note.path.name},{note.pitch},{note.family}\n" for note in made)
    (folder / "index.csv").write_text("path,pitch,instrument\n" + index, encoding="utf-8")
    return [str(note.path) for note in made]


def _render(world: World) -> list[str]:
    spec = world.folder / "spec.yaml"
    named = "".join(f"- {path}\n" for path in notes(world))
    spec.write_text(f"sources:\n{named}morphs: [{{pairs: all, steps: 3}}]\nfit_steps: 0\n", encoding="utf-8")
    return ["render", str(spec), "-o", "out", "--workers", "1"]


def _edit(world: World) -> list[str]:
    edits = ["--gain-db", "-3", "--report", "out/r.json", "--save-patch", "out/p.zip", "--save-preset", "out/e.json"]
    return ["edit", notes(world)[0], "--fit-steps", "0", *edits, "-o", "out/x.wav"]


def _calibrate(world: World) -> list[str]:
    from tests.calibration.fake import mixed

    folder = world.folder / "mixed"
    folder.mkdir()
    world.__dict__["explorer"] = mixed(folder, count=12)
    lines = "".join(f"{path.name},60\n" for path in sorted(folder.glob("*.wav")))
    (folder / "index.csv").write_text("path,pitch\n" + lines, encoding="utf-8")
    few = ["--notes", "12", "--probes", "2", "--stretch-s", "0.3", "--directions", "1", "--few"]
    return ["calibrate", str(folder), "-o", "out", *few]


def _train(world: World) -> list[str]:
    """Of a dataset with notes in each split that is asked for."""
    from synth_explorer.data.dataset import split_of
    from tests.fuzz.doors_models import tiny_config

    folder = Path(notes(world, 2)[0]).parent
    splits = {split_of(name): name for name in map(str, range(100))}
    paths = sorted(folder.glob("*.wav"))
    lines = [f"{path.name},60,{splits[split]}" for path, split in zip(paths, ("train", "validation"), strict=False)]
    (folder / "index.csv").write_text("\n".join(["path,pitch,instrument", *lines]), encoding="utf-8")
    import_nsynth(folder, world.folder / "set")
    config = world.folder / "train.yaml"
    config.write_bytes(tiny_config(world, steps=3, validate_every=1))
    return ["train", str(config), "-o", "out", "--resume"]


def _instrument(world: World) -> list[str]:
    few = ["--fit-steps", "0", "--keys", "C3-C3", "--velocity-layers", "2"]
    return ["instrument", *notes(world), *few, "-o", "out"]


def _folder(world: World) -> str:
    return str(Path(notes(world, 4)[0]).parent)


def _decode(world: World) -> list[str]:
    assert world.latents_file
    return ["decode", str(world.folder / "latents.npz"), "-o", "out/x.flac"]


def _play(world: World) -> list[str]:
    song = songs.song(world.folder / "a.mid", songs.note(0, 1))
    few = ["--fit-steps", "0", "--velocity-layers", "1"]
    return ["play", str(song), *notes(world), *few, "-o", "out/x.wav"]


def _notes(world: World) -> list[str]:
    recording = world.folder / "recording.wav"
    soundfile.write(recording, np.tile(make_note(seconds=0.4), 3), SAMPLE_RATE_HZ)
    return ["notes", str(recording), "-o", "out"]


def _sheet(world: World) -> list[str]:
    words = _render(world)
    batch = world.folder / "batch"
    with world.in_charge():
        shell.ok(*words[:-3], str(batch), *words[-2:])
    return ["sheet", str(batch), "-o", "out/sheet.html", "--keep", "2", "--copy-to", "out/kept"]


def _evaluate(world: World) -> list[str]:
    how = ["--fit-steps", "0", "--workers", "1", "--save-audio", "out/audio"]
    return ["evaluate", "reconstruction", _folder(world), "-o", "out/r.json", *how]


def _library(folder: Path, world: World) -> Library:
    """A library with two notes that are marked and two that are not."""
    made = Library(folder)
    for number, path in enumerate(notes(world, 4)):
        made.add(Path(path), kind="upload", tags=["mine"] if number < 2 else [])
    return made


def _export(world: World) -> list[str]:
    with _library(folder := world.folder / "library", world) as made:
        ids = [entry.id for entry in made.entries(made.find(""))]
    return ["library", "export", *ids, "-o", "out", "--library", str(folder)]


def _trim(world: World) -> list[str]:
    _library(folder := world.folder / BEGIN / "out", world).close()
    for path in folder.glob("files/*/*"):
        os.utime(path, (0, 0))  # what is new may be another process' that is about to tell of it
    return ["library", "trim", "--library", "out", "--most-gb", "0"]


COMMANDS: dict[str, Prepare] = {
    "encode": lambda world: ["encode", *notes(world), "--fit-steps", "0", "-o", "out"],
    "morph": lambda world: ["morph", *notes(world), "--fit-steps", "0", "--steps", "3", "-o", "out"],
    "edit": _edit,
    "render": _render,
    "instrument": _instrument,
    "library": lambda world: ["library", "add", _folder(world), "--library", "out", "--workers", "1"],
    "import": lambda world: ["dataset", "import-nsynth", _folder(world), "-o", "out"],
    "decode": _decode,
    "play": _play,
    "notes": _notes,
    "inspect": lambda world: ["inspect", *notes(world, 1), "-o", "out/x.html"],
    "sheet": _sheet,
    "evaluate": _evaluate,
    "synthetic": lambda _: ["dataset", "synthetic", *SYNTHETIC, "--workers", "1", "-o", "out"],
    "library export": _export,
    "library trim": _trim,
    "calibrate": _calibrate,
    "train": _train,
}
INEXACT = ("train",)  # sums in another order are other numbers
FEWER = ("evaluate",)  # where the disk is full, a whole report of those notes that could be


def run(
    words: list[str], folder: Path, *, event: int = -1, after_s: float = 0.0, room_bytes: int = 0
) -> tuple[int, int]:
    """Run a command in a fork, which dies before its so-manieth event, or after a time; its status, and its events.

    `room_bytes`: that a file may have, as on a disk that is full: then it must end with 1 and a sentence.
    """
    reads, writes = os.pipe()
    child = os.fork()
    if child == 0:
        code = 99
        try:
            os.chdir(folder)
            seen = _armed(event)
            if after_s:
                signal.setitimer(signal.ITIMER_REAL, after_s)  # nobody handles it: the process ends
            if room_bytes:
                resource.setrlimit(resource.RLIMIT_FSIZE, (room_bytes, room_bytes))
            result = shell.run(*words)
            signal.setitimer(signal.ITIMER_REAL, 0)
            code = result.exit_code
            told = str(seen[0]) if not code else f"{result.stderr[-3000:]} {result.exception!r}"
            os.write(writes, told.encode())
        finally:
            os._exit(code)
    os.close(writes)
    with os.fdopen(reads, "rb") as pipe:
        said = pipe.read().decode()
    _, status = os.waitpid(child, 0)
    if room_bytes and os.WIFEXITED(status) and os.WEXITSTATUS(status):
        assert os.WEXITSTATUS(status) == 1 and "error: " in said and "(unexpected" not in said, said
        return status, 0
    if os.WIFEXITED(status) and os.WEXITSTATUS(status):
        raise AssertionError(f"{' '.join(words)} ended with {os.WEXITSTATUS(status)}: {said}")
    return status, int(said or 0)


def _armed(at: int) -> list[int]:
    """Have this process end as if killed at an event; how many there were."""
    seen = [0]

    def happened() -> None:
        seen[0] += 1
        if seen[0] == at:
            os.kill(os.getpid(), signal.SIGKILL)

    def hook(event: str, given: tuple[Any, ...]) -> None:
        if event in EVENTS and not (event == "open" and not _writes(given)):
            happened()

    flush = os.fsync

    def fsync(opened: int) -> None:
        happened()
        flush(opened)

    os.fsync = fsync
    sys.addaudithook(hook)
    return seen


def _writes(given: tuple[Any, ...]) -> bool:
    return bool(isinstance(given[2], int) and given[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT))


def content(folder: Path) -> dict[str, bytes]:
    """Every file that a person sees, but for indices that grow."""
    found = {}
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder)
        if path.is_file() and not any(part.startswith(".") or part in OWN for part in inside.parts):
            found[str(inside)] = path.read_bytes()
    return found


def main(command: str, count: int, seed: int) -> None:
    """All runs of one command."""
    rng = Random(f"{command}/{seed}")
    with tempfile.TemporaryDirectory(prefix="kill-") as top:
        world = World(Path(top))
        os.environ["SYNTH_EXPLORER_CACHE"] = os.environ["SYNTH_EXPLORER_DATA"] = str(world.folder / "user")
        words = COMMANDS[command](world)
        folder, begin, died = world.folder / "here", world.folder / BEGIN, 0
        first = content(begin / "out")
        with world.in_charge():
            began_s = time.monotonic()
            events = run(words, _anew(folder, begin))[1]
            took_s, whole = time.monotonic() - began_s, content(folder / "out")
            assert events > 2 and whole, (events, sorted(whole))
            largest = max(map(len, whole.values()))
            for _ in range(count):
                here = _anew(folder, begin)
                for _ in range(rng.choice((1, 1, 3))):
                    how = _moment(rng, events, took_s, largest)
                    before = _hidden(here)
                    died += run(words, here, **how)[0] != 0
                    for name, data in content(here / "out").items():
                        if command in INEXACT and name.endswith(".npz"):
                            assert np.load(io.BytesIO(data)).files
                        elif command in FEWER and "room_bytes" in how and name.endswith(".json"):
                            json.loads(data)
                        elif Path(name).suffix not in GROWING and command not in INEXACT:
                            assert data in (whole.get(name), first.get(name)), f"{how}: {name} is not whole"
                    left = _hidden(here) - before
                    assert "room_bytes" not in how or not left, f"{how}: {left} are left behind"
                run(words, here)
                again = content(here / "out")
                assert sorted(again) == sorted(whole), f"{how}: {sorted(set(again) ^ set(whole))} differ after all"
                others = [name for name in whole if again[name] != whole[name]]
                assert command in INEXACT or not others, f"{how}: {others} differ after all"
    sys.stdout.write(json.dumps({"events": events, "killed": died, "files": len(whole)}) + "\n")


def _hidden(folder: Path) -> set[Path]:
    """Files that nobody sees, but for those of programs."""
    return {path for path in (folder / "out").rglob(".*") if path.is_file() and path.parent.name != ".batch"}


def _moment(rng: Random, events: int, took_s: float, largest: int) -> dict[str, Any]:
    """When and how it ends."""
    kind = rng.random()
    if kind < 0.2:
        return {"room_bytes": rng.randint(1, largest)}
    return {"event": rng.randint(1, events)} if kind < 0.8 else {"after_s": took_s * rng.uniform(0.05, 1.0)}


def _anew(folder: Path, begin: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    if begin.is_dir():
        shutil.copytree(begin, folder)
    else:
        folder.mkdir()
    return folder


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
