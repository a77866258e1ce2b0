"""Instruments and songs in the shell."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from synth_explorer import audio
from synth_explorer.explorer import Explorer
from tests.cli.shell import leftovers, ok, refused
from tests.instruments.notes import RATE_HZ, held_note
from tests.instruments.songs import control, note, song

SMALL = ("--keys", "A3-C4", "--velocity-layers", 2, "--fit-steps", 0)


@pytest.fixture(autouse=True)
def _notes(fake: Explorer, note_file: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    audio.save("held.wav", held_note(261.6), sample_rate_hz=RATE_HZ)
    note_file("plucked.wav", midi=60)
    song(Path("song.mid"), [*note(0, 1, 57), *note(1, 1, 60, 60), control(1, 1, 127)])


@pytest.mark.slow
def test_an_instrument_of_two_notes() -> None:
    formats = ("--format", "sfz,decent,bitwig", "--morph-steps", 2)
    done = ok("instrument", "held.wav", "plucked.wav", "-o", "out/mine", *SMALL, *formats)
    assert done.stdout.splitlines() == [
        f"out/mine/{name}" for name in ("mine.sfz", "mine.dspreset", "mine.multisample", "instrument.json")
    ]
    assert len(list(Path("out/mine/samples").iterdir())) == 8
    lines = [line for line in done.stderr.splitlines() if not line.startswith("rendering mine: ")]  # on a busy machine
    assert all(line.startswith("note: ") for line in lines) and "dB apart on average" in lines[-1]
    told = json.loads(Path("out/mine/instrument.json").read_text())
    assert told["name"] == "mine" and [one["high"] for one in told["velocity"]["layers"]] == [64, 127]


def test_inputs_are_spared_and_older_files_told() -> None:
    words = ("--keys", "60-60", "--velocity-layers", 1, "--fit-steps", 0)
    ok("instrument", "held.wav", "-o", "mine", *words)
    assert "note: replaced mine/mine.sfz" in ok("instrument", "held.wav", "-o", "mine", *words).stderr
    note, before = "mine/samples/060_v127_m0_r0.wav", Path("mine/samples/060_v127_m0_r0.wav").read_bytes()
    assert "would be lost" in " ".join(
        refused("instrument", note, "-o", "mine", *words, code=2).replace("│", "").split()
    )
    assert Path(note).read_bytes() == before


@pytest.mark.slow
def test_a_patch_says_its_own_seed_and_is_played_as_its_notes() -> None:
    words = ("--pitch", 60, "--fit-steps", 0, "--seed", 3, "--save-patch", "p.zip", "-o", "x.wav")
    ok("morph", "held.wav", "plucked.wav", "--mix", 0.2, *words)
    ok("instrument", "p.zip", "-o", "mine", "--keys", "60-60", "--velocity-layers", 1)
    told = json.loads(Path("mine/instrument.json").read_text())
    assert (told["patch"]["seed"], told["patch"]["mix"]["places"]) == (3, [[0.0, 0.2, 0.5]])
    for option, value in (("--seed", 1), ("--fit-steps", 2), ("--checkpoint", "other")):
        assert "is said by the patch" in refused("instrument", "p.zip", "-o", "no", option, value, code=2)
    assert "not both" in refused("instrument", "p.zip", "held.wav", "-o", "no", code=2)
    ok("play", "song.mid", "p.zip", "-o", "y.wav", "--velocity-layers", 1)
    assert soundfile.info("y.wav").duration > 1.0


def test_a_song_is_played() -> None:
    ok("play", "song.mid", "held.wav", "-o", "a.wav", "--fit-steps", 0)
    sound, rate_hz = soundfile.read("a.wav")
    assert rate_hz == RATE_HZ and 0.9 * RATE_HZ < sound.size < 3 * RATE_HZ and np.abs(sound).max() > 0.05
    done = ok("play", "song.mid", "held.wav", "-o", "b.flac", "--fit-steps", 0, "--peak", "normalise", "--bits", 16)
    assert done.stdout == "b.flac\n" and "was changed by" in done.stderr
    assert np.abs(soundfile.read("b.flac")[0]).max() == pytest.approx(10 ** (-0.1 / 20), abs=1e-3)


@pytest.mark.slow
def test_the_morph_of_a_song_moves() -> None:
    pair = ("play", "song.mid", "held.wav", "plucked.wav", "--fit-steps", 0, "--velocity-layers", 1)
    ok(*pair, "-o", "wheel.wav", "--morph-steps", 2)
    ok(*pair, "-o", "path.wav", "--morph-steps", 2, "--morph-path", "0=0,0.5=1")
    ok(*pair, "-o", "stands.wav", "--morph-steps", 2, "--morph-path", "0=0")
    wheel, path, stands = (soundfile.read(f"{name}.wav")[0][:7000] for name in ("wheel", "path", "stands"))
    assert np.allclose(wheel, stands, atol=1e-6) and not np.allclose(path, stands, atol=1e-2)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--keys", "C2:C6"), "range of keys"),
        (("--keys", "C0-C1"), "must be a MIDI note from 18"),
        (("--keys", "10-20"), "must rise within"),
        (("--keys", "C4-C3"), "must rise within"),
        (("--format", "sf2"), "one or several of"),
        (("--release-s", 0), "release lasts"),
    ],
)
def test_wrong_usage_of_instrument(words: tuple, said: str) -> None:
    assert said in " ".join(refused("instrument", "held.wav", "-o", "no", *words, code=2).replace("│", "").split())
    assert not Path("no").exists()


def test_refusals_of_instrument() -> None:
    assert "two to four notes" in refused("instrument", "held.wav", "-o", "no", "--morph-steps", 2, "--fit-steps", 0)
    assert "does not exist" in refused("instrument", "nothing.wav", "-o", "no")
    assert "name of a file" in refused("instrument", "held.wav", "-o", "no.wav", code=2)
    assert "one to four" in refused("instrument", *["held.wav"] * 5, "-o", "no", code=2)
    assert not Path("no").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--morph-path", "0=0,1=1"), "two to four notes"),
        (("--morph-steps", 3), "two to four notes"),
        (("--morph-path", "0=2"), "must lie between 0"),
        (("--morph-path", "1=0,0=1"), "times must rise"),
        (("--morph-path", "0:1"), "is no number"),
        (("--bits", 32), "whole numbers only"),
    ],
)
def test_wrong_usage_of_play(words: tuple, said: str) -> None:
    out = "x.flac" if "--bits" in words else "x.wav"
    told = refused("play", "song.mid", "held.wav", "-o", out, "--fit-steps", 0, *words, code=2)
    assert said in " ".join(told.replace("│", "").split())


def test_refusals_of_play() -> None:
    Path("bad.mid").write_bytes(b"MThd")
    before = leftovers(Path())
    assert "bad.mid cannot be read as a MIDI file" in refused("play", "bad.mid", "held.wav", "-o", "x.wav")
    assert "does not exist" in refused("play", "no.mid", "held.wav", "-o", "x.wav")
    refused("play", "song.mid", "held.wav", "-o", "song.mid", code=2)
    refused("play", "song.mid", "held.wav", "-o", "held.wav", code=2)
    assert leftovers(Path()) == before
