"""Doors that words of the shell come in by: every command with arguments that went wrong."""

from __future__ import annotations

import json
import os
import shlex
import shutil
from functools import cache, partial
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
import soundfile
from typer.main import get_command

from synth_explorer.cli import app
from synth_explorer.rendering import pack
from tests.conftest import make_note
from tests.fuzz.attack import Attempt, Door
from tests.fuzz.mutators import NASTY_NUMBERS, NASTY_TEXTS, WORDS_AS_NUMBERS, value
from tests.fuzz.world import World, refuse, shell_answers
from tests.instruments import songs

QUICK = """
encode in/note.wav --pitch 60 --fit-steps 1 -o e.npz
encode in/note.wav in/notes/b.wav --as-is --fit-steps 0 -o all
decode in/latents.npz --length-s 0.2 --temperature 0.5 --bits 16 -o d.wav
decode in/latents.npz --format flac --seed 3 --peak limit -o all
morph in/note.wav Marimba --fit-steps 0 --path 0=0,0.3=1 --quantise 'C major' -o m.wav
morph in/note.wav Marimba --fit-steps 0 --steps 2 --pitch C3 -o all
morph in/note.wav in/latents.npz --fit-steps 0 --weights 0.2,0.8 --save-patch p.zip -o m.flac
edit in/note.wav --fit-steps 0 --gain-db -3 --osc pitch --osc-rate-hz 5 --osc-depth 30 -o x.wav
edit in/note.wav --fit-steps 0 --curve loudness:0=0,0.3=-6 --reverse --report r.json -o x.wav
edit in/note.wav --fit-steps 0 --toward Marimba --amount 0.5 -o x.wav
edit in/note.wav --fit-steps 0 --set-pitch F#4 --stretch 1.5 --seed 3 -o x.flac
edit in/latents.npz --preset in/preset.json --save-preset p.json --save-patch p.zip -o x.npz
render in/patch.json -o x.wav --peak limit --bits 16
render in/patch.json in/packed.zip --workers 1 --format flac -o batch
render in/spec.yaml --workers 1 --library kept -o batch
render in/spec.yaml --workers 1 --dry-run -o batch
notes in/recording.wav --proposed 2 --bits 24 --format flac -o cut
sheet in/batch --keep 1 --copy-to kept --like in/note.wav -o s.html
instrument in/note.wav --keys C4 --velocity-layers 1 --key-step 2 --fit-steps 0 --format sfz,decent,bitwig -o mine
instrument in/packed.zip --keys C4-D4 --velocity-layers 1 --release-s 0.2 --morph-steps 2 -o mine
play in/song.mid in/note.wav --velocity-layers 1 --fit-steps 0 --length-s 1 -o p.wav
play in/song.mid in/note.wav Marimba --morph-path 0=0,0.5=1 --morph-steps 2 --velocity-layers 1 --fit-steps 0 -o p.wav
page --port 7999 --host 127.0.0.1 --auth me:secret --checkpoint default
checkpoint list
checkpoint show default
checkpoint verify default-16k
dataset import-nsynth in/nsynth -o set
evaluate reconstruction in/notes --fit-steps 0 --workers 1 --save-audio kept --bits 16 -o r.json
evaluate morph in/notes --fit-steps 0 --workers 1 --save-audio kept --pitch-from index -o r.json
library add in/note.wav in/latents.npz --tag warm --workers 1 --library new
library add in/note.wav --patch in/patch.json --library in/library
library hear --library in/library --workers 1
library find note --tag mine --kind note --favourites --limit 3 --library in/library
library search like note, but darker --to note --limit 2 --spread 0.5 --library in/library
library show note --library in/library
library export note -o all --library in/library
library rm note --library in/library
library trim --most-gb 0 --library in/library
library tag note --add warm --remove mine --favourite --note 'A word.' --name other --library in/library
library suspects --tag bright --limit 2 --library in/library
library judge note --tag mine --wrong --library in/library
library labels --library in/library
"""
HEAVY = """
inspect in/note.wav --preset in/preset.json --pitch 60 --decode-s 0.2 -o i.html
evaluate controls in/notes --controls gain --methods named --limit 2 --fit-steps 0 --workers 1 -o r.json
dataset synthetic --instruments 1 --pitches 1 --workers 1 --seconds 0.5 -o set
dataset render-percussion in/a.sf2 --workers 1 -o set
bench --network slider --quick -o r.json
"""
PLACES = (
    *("in", "in/empty", "in/missing.wav", "in/empty.wav", "in/text.txt", "in/note.wav", "in/note.wav/x.wav", ".", "-"),
    *("in/latents.npz", "in/patch.json", "in/spec.yaml", "in/song.mid", "in/notes", "in/batch", "in/library", "Cello"),
    *("x.wav", "x.flac", "x.npz", "x.npy", "x.json", "x.mp3", "x.WAV", "x", "deep/x.wav", "x.wav/y.wav", "x.html"),
    *("in/" + "a" * 300 + ".wav", "b" * 300 + ".wav", "b" * 250 + ".wav", "c" * 300 + "/x.wav", "x\0.wav"),
)
VALUES = (
    *PLACES,
    *NASTY_TEXTS,
    *WORDS_AS_NUMBERS,
    *map(str, NASTY_NUMBERS),
    *("fast", "final", "numba", "keras", "C4", "sfz,,sfz", "0=0,1=1", "0=0,0=1", "1,1", "9" * 60),
)
UNWATCHED = {"--ray"}  # starts other programs


def doors(world: World) -> list[Door]:
    """One for each command, or group of such."""
    _inputs(world)
    found: dict[str, list[list[str]]] = {}
    lines = [*QUICK.strip().splitlines(), *HEAVY.strip().splitlines()]
    for words in map(shlex.split, lines):
        found.setdefault(words[0], []).append(words)
    heavy = {line.split()[0] for line in HEAVY.strip().splitlines()}
    runs = partial(_runs, world)
    return [Door(f"shell: {name}", seeds, runs, heavy=name in heavy, mutate=_mutated) for name, seeds in found.items()]


def _name(words: list[str]) -> str:
    """Of the command that words begin with."""
    return " ".join(words[: 2 if hasattr(_command(words[0]), "commands") else 1])


def _command(name: str) -> Any:
    found: Any = get_command(app)
    for part in name.split():
        found = found.commands[part]
    return found


@cache
def _options(name: str) -> list[str]:
    """Every option of a command."""
    given = [option for one in _command(name).params for option in (*one.opts, *one.secondary_opts)]
    return sorted(option for option in given if option.startswith("-") and option not in UNWATCHED)


def _mutated(rng: Random, words: list[str]) -> list[str]:
    """The words of a command with one to three of them missing, unknown, out of range, too many, or in conflict."""
    name = _name(words)
    head, rest = words[: len(name.split())], words[len(name.split()) :]
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        change, at = rng.random(), rng.randrange(len(rest) + 1)
        if change < 0.35:
            more = [rng.choice(VALUES)] if rng.random() < 0.8 else []
            rest = [*rest[:at], rng.choice(_options(name) or ["--none"]), *more, *rest[at:]]
        elif change < 0.7:
            rest = [*rest[:at], rng.choice(VALUES), *rest[at + 1 :]]
        else:
            changed = value(rng, rest)
            rest = [str(word) for word in changed] if isinstance(changed, list) else []
    return head + rest


def _runs(world: World, given: Attempt) -> None:
    words = [str(word) for word in given.given]
    if len(words) > 3000 or any(word.startswith("/") or ".." in word for word in words) or _is_long(words):
        return  # absolute paths and those above may lie anywhere on this machine
    source, copy = world.folder / "shell", given.folder / "in"
    shutil.copytree(source, copy)
    said = [str(given.folder / word) if word == "in" or word.startswith("in/") else word for word in words]
    os.chdir(given.out)
    with pytest.MonkeyPatch.context() as patched:
        if words[0] == "page":
            from synth_explorer.ui import page

            patched.setattr(page, "launch", lambda *_, **__: None)
        patched.setenv("SYNTH_EXPLORER_CHECKPOINTS", str(given.folder / "user" / "checkpoints"))
        done = shell_answers(*said)
    lines = done.stderr.splitlines()
    if done.exit_code == 1:
        assert any(line.startswith(("error: ", "slower: ")) for line in lines), f"no error is said: {done.output}"
    if done.exit_code and not done.stdout:
        assert _content(copy) == _content(source), "an input is another one"
    if done.exit_code and done.stdout:  # what is made is said
        given.out.rename(given.folder / "said")
    refuse(done)


def _is_long(words: list[str]) -> bool:
    """Whether a command would start processes, or take long by its nature."""
    after = dict(pairwise(words))
    if words[0] == "bench" and (after.get("--network") != "slider" or {"nsynth", "small", "startup"} & {*words}):
        return True
    if words[0] == "dataset" and len(words) > 100:  # as many files
        return True
    return after.get("--workers", "1") not in ("1", "0", "-1", "", " ", "nan")


def _content(folder: Path) -> dict[str, bytes]:
    """Of files, but those of a library, which are written to by whoever opens it."""
    files = [path for path in folder.rglob("*") if path.is_file() and "library" not in path.parts]
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def _inputs(world: World) -> None:
    """What commands are given, in one folder."""
    folder = world.folder / "shell"
    (folder / "empty").mkdir(parents=True)
    for name in ("batch", "library"):
        shutil.copytree(world.folder / name, folder / name)
    shutil.copyfile(world.folder / "a.sf2", folder / "a.sf2")
    for name, files in (("notes", world.dataset), ("nsynth", world.nsynth)):
        for inside, content in files.items():
            (folder / name / inside).parent.mkdir(parents=True, exist_ok=True)
            (folder / name / inside).write_bytes(content)
    index = "path,pitch\na.wav,60\nb.wav,60\n"
    (folder / "notes" / "index.csv").write_text(index, encoding="utf-8")
    shutil.copyfile(world.note, folder / "note.wav")
    (folder / "latents.npz").write_bytes(world.latents_file)
    world.patch.save(folder / "patch.json")
    pack(world.patch, folder / "packed.zip")
    world.chain.save(folder / "preset.json")
    (folder / "spec.yaml").write_text("sources: [note.wav, Marimba]\nfit_steps: 0\n", encoding="utf-8")
    songs.song(folder / "song.mid", songs.note(0, 1), kind=0)
    soundfile.write(folder / "recording.wav", np.tile(make_note(seconds=0.4), 3), 16_000)
    (folder / "empty.wav").write_bytes(b"")
    (folder / "text.txt").write_text(json.dumps("words"), encoding="utf-8")
