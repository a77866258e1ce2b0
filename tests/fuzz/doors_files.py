"""Doors that files come in by."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from synth_explorer import audio
from synth_explorer.batch import plan, run
from synth_explorer.calibration.journal import Journal
from synth_explorer.data import nsynth, sf2
from synth_explorer.data.dataset import NotesDataset
from synth_explorer.edits import EditChain, Trim
from synth_explorer.evaluation.index import How
from synth_explorer.index import IndexRow, read_index
from synth_explorer.instruments import midi
from synth_explorer.latents import Latents, LatentsMeta
from synth_explorer.library.labelled import labels_of
from synth_explorer.library.labels import agreements, suspects
from synth_explorer.library.library import Library
from synth_explorer.library.search import Search
from synth_explorer.model.config import ModelConfig
from synth_explorer.recordings import cut, outline, structure
from synth_explorer.rendering import load_patch, pack
from synth_explorer.train.batches import ensure_tracks
from tests.conftest import make_note
from tests.data import tiny_soundfont
from tests.fuzz.attack import Attempt, Door
from tests.fuzz.world import World, encoded, shell_runs
from tests.instruments import songs

SPEC = """sources:
- {note: Cello, pitch: C3, name: low}
- Marimba
- note.wav
morphs:
- {pairs: all, steps: 3}
- {path: {0: [0, 0], 0.5: [1, 0.5]}, notes: [low, Marimba, note]}
- {grid: 2 x 2, corners: [low, low, Marimba, Marimba]}
edits:
- gain: [-6, 0]
- curve: {target: loudness, points: [[0, 0], [0.5, -6]]}
pitches: {from: C3, to: C4, step: 6}
velocities: [40, 100]
seeds: [1, 2]
format: flac
name: '{source}-{mix}-{pitch}-{velocity}-{number}'
"""
JOURNAL = b'{"work": {"notes": 3}}\n["a", [0.5, NaN]]\n["b", {"x": 1}]\n["c", 0.'
EVERY_EDIT: list[dict[str, Any]] = [
    {"kind": "gain", "db": -3.0},
    {"kind": "brightness", "octaves": 0.2},
    {"kind": "transpose", "semitones": 2.0},
    {"kind": "set_pitch", "midi": 50.0},
    {"kind": "noisiness", "db": 3.0},
    {"kind": "oscillate", "target": "pitch", "rate_hz": 5.0, "depth": 30.0, "shape": "sine", "phase_turns": 0.1},
    {"kind": "curve", "target": "loudness", "points": [[0.0, 0.0], [0.2, -6.0]]},
    {"kind": "envelope", "attack_s": 0.1, "decay_s": 0.1, "sustain_db": -3.0, "release_s": 0.1},
    {"kind": "attack", "seconds": 0.05, "accent_db": 2.0},
    {"kind": "stretch", "factor": 1.5, "keep_s": 0.1},
    {"kind": "freeze", "at_s": 0.1, "hold_s": 1.0},
    {"kind": "trim", "start_s": 0.1, "end_s": 0.0},
    {"kind": "reverse"},
    {"kind": "scale", "factor": 1.1, "channels": [2, 3]},
    {"kind": "add", "amount": 0.3, "channels": [2]},
    {"kind": "oscillate_channels", "channels": [3], "rate_hz": 2.0, "depth": 0.2},
    {"kind": "direction", "number": 1, "amount": 0.5},
]


def doors(world: World) -> list[Door]:
    """All of them."""
    made = [*_sounds(world), *_latents(world), *_patches(world), *_tables(world), *_library(world)]
    folder = world.folder
    chords = songs.song(
        folder / "a.mid",
        [*songs.note(0, 1), songs.control(0.5, 64, 127), songs.bend(1, 4000)],
        [songs.tempo(0, 90), *songs.note(1, 2, 64)],
    )
    single = songs.song(folder / "b.mid", songs.note(0, 1), kind=0)
    made += [
        Door("MIDI", [chords.read_bytes(), single.read_bytes()], lambda given: midi.read(given.file(".mid"))),
        Door(
            "SoundFont",
            [tiny_soundfont.write(folder / "a.sf2").read_bytes()],
            lambda given: sf2.read_presets(given.file(".sf2")),
        ),
        Door(
            "spec",
            [SPEC.encode(), b"sources: [Cello, Flute]\nseeds: {from: 1, to: 3, step: 1}\nfit_steps: 0\n"],
            lambda given: _spec(world, given),
        ),
        Door("journal", [JOURNAL], _went_on),
        Door("paths", [{"path": "note.wav"}, {"path": "missing.wav"}], lambda given: _paths(world, given)),
    ]
    return made


def _went_on(given: Attempt) -> None:
    journal = Journal(given.file(".jsonl"), {"notes": 3})
    journal.item("new", lambda: 1.0)
    assert Journal(journal.path, {"notes": 3}).found == journal.found + 1


def _sounds(world: World) -> list[Door]:
    kinds = [("WAV", "FLOAT"), ("WAV", "PCM_16"), ("WAV", "IMA_ADPCM"), ("FLAC", None), ("OGG", None), ("MP3", None)]
    kinds += [("AIFF", None), ("W64", None), ("RF64", None), ("CAF", None), ("AU", None)]
    seeds = {kind: encoded(kind, subtype) for kind, subtype in kinds}
    looped = world.folder / "looped.wav"
    audio.save(
        looped,
        np.tile(np.sin(np.arange(80) * np.pi / 40), 100).astype(np.float32),
        sample_rate_hz=16_000,
        sampler=audio.Sampler(60.0, (800, 7999)),
    )

    def read(given: Attempt) -> None:
        kind = next((kind for kind, seed in seeds.items() if seed[:4] == given.given[:4]), "WAV")
        path = given.file(f".{kind.lower()}")
        world.explorer.encode(path)
        audio.length_s(path)

    def notes(given: Attempt) -> None:
        sound = audio.record(given.file(".wav"), sample_rate_hz=None, max_s=1200.0)
        found = cut(sound.audio, world.explorer, sample_rate_hz=sound.sample_rate_hz)
        outline(structure(found), found)

    recording = io.BytesIO()
    soundfile.write(recording, np.tile(make_note(seconds=0.4), 3), 16_000, format="WAV")
    return [
        Door("audio", [*seeds.values(), looped.read_bytes()], read),
        Door("recording", [recording.getvalue()], notes),
    ]


def _latents(world: World) -> list[Door]:
    meta = LatentsMeta("default", world.explorer.checkpoint_hash, 16_000, 512)
    alone = world.latents.save(world.folder / "note.npy").read_bytes()

    def decoded(given: Attempt) -> None:
        found = world.explorer.load_latents(given.file(".npz"))
        audio.save(given.out / "x.wav", world.explorer.decode(found), sample_rate_hz=16_000)

    return [
        Door("latents", [world.latents_file], decoded),
        Door("latents of magenta", [alone], lambda given: Latents.load(given.file(".npy"), meta_for_npy=meta)),
    ]


def _patches(world: World) -> list[Door]:
    packed = pack(world.patch, world.folder / "patch.zip").read_bytes()
    plain = [patch.to_json().encode() for patch in (world.patch, *world.mixes)]
    every = [json.dumps({"format_version": 1, "edits": [edit]}).encode() for edit in (*EVERY_EDIT, world.toward)]

    def rendered(given: Attempt) -> None:
        patch = load_patch(given.file(".json" if given.given[:1] == b"{" else ".zip"))
        world.renderer.check(patch)
        world.renderer.render(patch).save(given.out / "x.wav")

    def edited(given: Attempt) -> None:
        chain = EditChain.load(given.file(".json"))
        patch = world.renderer.patch(*world.patch.sources[:1], edits=chain, fit_steps=0, open_loop=True)
        world.renderer.render(patch).save(given.out / "x.wav")
        EditChain.from_json(chain.to_json())

    return [
        Door("patch", plain, rendered),
        Door("packed patch", [packed], rendered),
        Door("preset", [world.chain.to_json().encode(), *every], edited),
    ]


def _spec(world: World, given: Attempt) -> None:
    path = given.file(".yaml", "spec")
    (path.parent / "note.wav").write_bytes(world.note.read_bytes())
    found = plan.of_spec(path)
    if len(found.jobs) <= 3:
        run.run(found, given.out, workers=1)
        (given.out / ".batch").rename(given.folder / "private")


def _paths(world: World, given: Attempt) -> None:
    """Names of files that no file can have, or that are other things than files."""
    name = given.given.get("path") if isinstance(given.given, dict) else given.given
    if not isinstance(name, str):
        return
    (given.folder / "note.wav").write_bytes(world.note.read_bytes())
    from synth_explorer import checkpoints
    from synth_explorer.errors import SynthExplorerError
    from synth_explorer.rendering import Source
    from synth_explorer.train.start import load

    for opens in (
        world.explorer.encode, Latents.load, EditChain.load, load_patch, plan.of_spec, midi.read, sf2.read_presets,
        NotesDataset, checkpoints.find, checkpoints.verify, load, Source.of, audio.length_s,
        lambda path: read_index(Path(path), IndexRow), lambda path: nsynth.import_nsynth(path, given.out / "x"),
        lambda path: Library(Path(path) / "library").close() if ".." not in path and not path.startswith("/") else None,
        world.latents.save, lambda path: EditChain((Trim(0.1),)).save(path + ".json") if "/" not in path else None,
    ):  # fmt: skip
        try:
            opens(name)
        except SynthExplorerError as error:
            assert str(error)


def _tables(world: World) -> list[Door]:
    def imported(given: Attempt) -> None:
        nsynth.import_nsynth(given.tree(), given.folder / "set")
        notes = NotesDataset(given.folder / "set")
        for i in range(len(notes)):
            notes.audio(i)

    def heard(given: Attempt) -> None:
        folder = given.tree()
        for row in read_index(folder, IndexRow):
            How(fit_steps=0).encode(world.explorer, row.path, row)

    def opened(given: Attempt) -> None:
        notes = NotesDataset(folder := given.tree())
        for i in range(min(len(notes), 50)):
            notes.audio(i)
        notes.select(split="train")
        if len(notes) < 50:
            ensure_tracks(notes, folder, ModelConfig())

    made = world.folder / "set"
    nsynth.import_nsynth(_written(world.folder / "given", world.dataset), made)
    stored = {str(path.relative_to(made)): path.read_bytes() for path in sorted(made.rglob("*")) if path.is_file()}
    batch = world.folder / "batch"
    spec = world.folder / "spec.yaml"
    spec.write_text("sources: [Cello, Flute]\nfit_steps: 0\n", encoding="utf-8")
    with world.in_charge():
        run.run(plan.of_spec(spec), batch, workers=1)
    manifest = {str(path.relative_to(batch)): path.read_bytes() for path in sorted(batch.rglob("*")) if path.is_file()}

    def gone_on(given: Attempt) -> None:
        folder = given.tree()
        shell_runs("sheet", folder)
        shell_runs("render", spec, "-o", folder)
        shell_runs("sheet", folder)

    return [
        Door("index.csv", [world.dataset], heard),
        Door("import", [world.dataset, world.nsynth], imported),
        Door("dataset", [stored], opened),
        Door("folder of a batch", [manifest], gone_on),
    ]


def _written(folder: Path, files: dict[str, bytes]) -> Path:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def _library(world: World) -> list[Door]:
    folder = world.folder / "library"
    with Library(folder) as library:
        library.add(world.note, tags=["mine"])
        library.add(world.folder / "latents.npz")
        library.read("PRAGMA wal_checkpoint(TRUNCATE)")
    stored = {"library.sqlite": (folder / "library.sqlite").read_bytes()}
    words = [
        "like note, but darker, slower attack",
        "hollow, not mine",
        "like note but much longer; brighter, not hollow",
    ]

    def opened(given: Attempt) -> None:
        with Library(given.tree()) as library:
            for entry in library.entries(library.find("note", tags=["mine"])):
                library.parents(entry), library.children(entry), library.tags(entry)
            Search(library).find("like note, brighter")
            suspects(library), agreements(library)
            library.add(world.folder / "looped.wav")

    def asked(given: Attempt) -> None:
        with Library(folder) as library:
            Search(library).find(given.given.decode("utf-8", "replace"))
            library.find(given.given.decode("utf-8", "replace"))

    def labelled(given: Attempt) -> None:
        labels_of(given.tree())

    example = {"instrument_str": "flute_1", "instrument_family_str": "flute", "qualities_str": ["bright", "fast_decay"]}
    labels = [
        {"examples.json": json.dumps({"a-060": example}).encode()},
        {"index.csv": b"path,tags\na.wav,warm; low\n"},
    ]
    return [
        Door("index of a library", [stored], opened),
        Door("words", [word.encode() for word in words], asked),
        Door("labels of a data set", labels, labelled),
    ]
