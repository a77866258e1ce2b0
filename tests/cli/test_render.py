"""Patches in the shell: what morph and edit save is rendered to the same file, wherever its notes are."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import soundfile

from synth_explorer.explorer import Explorer
from synth_explorer.explorer.decoders import FINAL
from synth_explorer.rendering import Mix, Patch, load_patch
from tests.cli.shell import failing, leftovers, ok, refused

Notes = Callable[..., Path]
COMMANDS = {
    "morph": ("morph", "a.wav", "b.flac", "--mix", 0.3, "--pitch", 62, "--seed", 5, "--temperature", 0.5),
    "path": ("morph", "a.wav", "b.flac", "c.wav", "--path", "0.2=0:0,0.8=0.5:1", "--fit-steps", 2),
    "edit": ("edit", "a.wav", "--pitch", 60.3, "--brightness-octaves", 0.3, "--gain-db", -3, "--seed", 5),
    "by formulas": ("edit", "a.wav", "--brightness-octaves", 0.3, "--open-loop", "--decoder", "final"),
    "toward": ("edit", "a.wav", "--toward", "b.flac", "--amount", 0.25),
}


@pytest.fixture(autouse=True)
def _notes(fake: Explorer, note_file: Notes, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name, midi in (("a.wav", 60), ("b.flac", 64), ("c.wav", 67)):
        note_file(name, midi=midi)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SYNTH_EXPLORER_CACHE", str(tmp_path / "cache"))


@pytest.mark.slow
@pytest.mark.parametrize("words", COMMANDS.values(), ids=COMMANDS)
@pytest.mark.parametrize("saved", ["p.json", "p.zip"])
def test_a_saved_patch_is_the_same_sound(words: tuple, saved: str) -> None:
    assert ok(*words, "-o", "first.wav", "--save-patch", saved).stdout == "first.wav\n"
    if saved == "p.zip":
        for note in ("a.wav", "b.flac", "c.wav"):
            Path(note).unlink()
    assert ok("render", saved, "-o", "again.wav").stdout == "again.wav\n"
    assert Path("again.wav").read_bytes() == Path("first.wav").read_bytes()


def test_a_saved_patch_says_everything() -> None:
    ok(*COMMANDS["morph"], "--decoder", "final", "--fit-steps", 3, "-o", "x.npz", "--save-patch", "p.json")
    patch = load_patch("p.json")
    assert (patch.seed, patch.temperature, patch.fit_steps, patch.decoder) == (5, 0.5, 3, FINAL.name)
    assert (patch.pitch_midi, patch.mix, len(patch.edits)) == (62.0, Mix.at(0.3, 0.5), 0)
    assert [source.name for source in patch.sources] == ["a.wav", "b.flac"]
    ok(*COMMANDS["edit"], "--open-loop", "-o", "x.npz", "--save-patch", "p.json")
    patch = load_patch("p.json")
    assert patch.sources[0].pitch_midi == 60.3 and patch.open_loop
    assert [edit.kind for edit in patch.edits] == ["brightness", "gain"]


def test_a_preset_and_a_patch_hold_the_same_edits() -> None:
    ok(*COMMANDS["edit"], "-o", "x.wav", "--save-preset", "e.json", "--save-patch", "p.json")
    ok("edit", "c.wav", "--preset", "e.json", "-o", "y.wav", "--save-patch", "q.json")
    assert load_patch("q.json").edits == load_patch("p.json").edits


def test_several_go_into_a_folder_and_one_that_is_bad_ends_nothing() -> None:
    for name, words in (("one.json", "morph"), ("two.zip", "edit"), ("other.json", "edit")):
        ok(*COMMANDS[words], "-o", "x.wav", "--save-patch", name)
    other = load_patch("other.json").but(checkpoint_hash="9" * 64)
    other.save("other.json")
    Path("words.json").write_text("no patch")
    Path("note.txt").write_text("no patch")
    bad = ["other.json", "words.json", "missing.json", "note.txt", "a.wav"]
    said, errors = failing("render", "one.json", *bad, "two.zip", "-o", "out", "--format", "flac", "--peak", "limit")
    assert said == ["out/one.flac", "out/two.flac"]
    assert len(errors) == len(bad) and all(line.startswith("error: ") for line in errors)
    assert all(any(name in line for line in errors) for name in bad)
    assert any("was made with the checkpoint" in line for line in errors)
    assert {soundfile.info(path).subtype for path in said} == {"PCM_24"}
    Path("deeper").mkdir()
    Path("one.json").rename("deeper/two.json")
    said, errors = failing("render", "two.zip", "deeper/two.json", "-o", "both")
    assert said == ["both/two.wav"] and len(errors) == 1 and "give one of them another name" in errors[0]


def test_options_of_sounds() -> None:
    ok(*COMMANDS["edit"], "-o", "x.wav", "--save-patch", "p.json")
    ok("render", "p.json", "-o", "y.wav", "--bits", 16, "--length-s", 0.25)
    assert (soundfile.info("y.wav").subtype, soundfile.info("y.wav").frames) == ("PCM_16", 4000)
    assert "note: replaced y.wav" in ok("render", "p.json", "-o", "y.wav").stderr


def test_a_note_that_is_gone_or_changed_is_one_line(note_file: Notes) -> None:
    ok(*COMMANDS["edit"], "-o", "x.wav", "--save-patch", "p.json")
    note_file("a.wav", midi=50)
    assert "no longer the sound" in refused("render", "p.json", "-o", "out/y.wav")
    Path("a.wav").unlink()
    said = refused("render", "p.json", "-o", "out/y.wav")
    assert said.startswith("error: p.json: ") and "a.wav" in said
    assert not leftovers(Path("out"))


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("morph a.wav b.flac --steps 3 -o walk --save-patch p.json", "--steps"),
        ("morph a.wav b.flac -o x.wav --save-patch p.txt", ".json or .zip"),
        ("edit a.wav -o x.wav --save-patch p.wav", ".json or .zip"),
        ("edit a.wav -o x.wav --save-patch p.json --save-preset p.json", "is written by"),
        ("edit a.wav -o x.wav --preset old.json --save-patch old.json", "is read; it would be lost"),
        ("render old.json -o x.npz", "is the name of a file"),
        ("render old.json other.json -o x.wav", "is the name of a file"),
        ("render old.json -o x.wav --format flac", "--format"),
        ("render old.json -o x.flac --bits 32", "whole numbers"),
    ],
)
def test_wrong_usage_writes_nothing(line: str, message: str) -> None:
    for name in ("old.json", "other.json"):
        Path(name).write_text("{}")
    before = set(Path().iterdir())
    assert message in " ".join(refused(*line.split(), code=2).replace("│", " ").split())
    assert set(Path().iterdir()) == before


@pytest.mark.parametrize("words", [("edit", "a.wav", "--transpose", -90), ("morph", "a.wav", "b.flac", "--pitch", 300)])
def test_what_cannot_be_leaves_no_patch(words: tuple) -> None:
    refused(*words, "-o", "x.wav", "--save-patch", "p.json")
    assert not Path("x.wav").exists() and not Path("p.json").exists()


def test_an_older_patch_is_replaced_and_that_is_said() -> None:
    for saved in ("p.json", "p.zip"):
        assert "note:" not in ok(*COMMANDS["morph"], "-o", f"{saved}.wav", "--save-patch", saved).stderr
        assert f"note: replaced {saved}\n" in ok(*COMMANDS["edit"], "-o", "z.wav", "--save-patch", saved).stderr
        assert len(load_patch(saved).edits) == 2


def test_latents_are_notes_too() -> None:
    ok("encode", "a.wav", "b.flac", "-o", "in")
    ok("morph", "in/a.npz", "in/b.npz", "-o", "first.wav", "--save-patch", "p.zip")
    for note in Path("in").iterdir():
        note.unlink()
    ok("render", "p.zip", "-o", "again.wav")
    assert Path("again.wav").read_bytes() == Path("first.wav").read_bytes()
    assert isinstance(load_patch("p.zip"), Patch)


@pytest.mark.slow
def test_what_is_rendered_is_kept_with_its_patch_and_parents() -> None:
    ok(*COMMANDS["morph"], "-o", "x.npz", "--save-patch", "p.json")
    ok(*COMMANDS["edit"], "-o", "x.npz", "--save-patch", "q.json")
    ok("library", "add", "a.wav", "--library", "mine")
    ok("render", "p.json", "-o", "one.wav", "--library", "mine")
    for _ in range(2):  # the second makes nothing, and keeps nothing twice
        ok("render", "p.json", "q.json", "-o", "made", "--library", "mine")
    found = ok("library", "find", "--kind", "render", "--library", "mine").stdout.splitlines()
    assert sorted(line.split("\t")[3] for line in found) == ["one", "q"]  # one.wav and made/p.wav are one content
    shown = ok("library", "show", "q", "--library", "mine").stdout
    assert f"patch: {load_patch('q.json').id}" in shown
    assert "parents: a.wav (" in shown and "not in the library" not in shown
