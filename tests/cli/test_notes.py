"""Notes to latents and back in the shell, by a model that is none."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from synth_explorer import audio
from synth_explorer.explorer import Explorer
from synth_explorer.explorer.decoders import FAST, FINAL
from synth_explorer.latents import Latents
from tests.cli.shell import leftovers, ok, refused, run
from tests.fake_family import CHANNELS, RATE_HZ


def test_encode_many_notes_into_a_folder(fake: Explorer, note_file: Callable[..., Path], tmp_path: Path) -> None:
    notes = [note_file("a.wav", 60), note_file("b.flac", 64)]
    result = ok("encode", *notes, "-o", tmp_path / "out", "--pitch", 62)
    assert result.stdout.split() == [str(tmp_path / "out" / name) for name in ("a.npz", "b.npz")]
    assert Latents.load(tmp_path / "out" / "b.npz").pitch_midi == pytest.approx(62, abs=1e-3)


@pytest.mark.parametrize("name", ["one.npz", "deep/one.npy"])
def test_encode_one_note_into_a_file(fake: Explorer, note_file: Callable[..., Path], tmp_path: Path, name: str) -> None:
    ok("encode", note_file(), "-o", tmp_path / name)
    assert fake.load_latents(tmp_path / name, pitch=60).channels == CHANNELS


def test_encode_refuses_colliding_names(fake: Explorer, note_file: Callable[..., Path], tmp_path: Path) -> None:
    notes = [note_file("x/a.wav"), note_file("y/a.wav")]
    result = run("encode", *notes, "-o", tmp_path / "out")
    assert result.exit_code == 1 and result.stdout.splitlines() == [str(tmp_path / "out" / "a.npz")]
    assert "y/a.wav would become" in result.stderr
    assert refused("encode", *notes, "-o", tmp_path / "out.npz", code=2)


def test_decode_writes_the_level_asked(fake: Explorer, note_file: Callable[..., Path], tmp_path: Path) -> None:
    ok("encode", note_file(level=0.5), "-o", tmp_path / "a.npz")
    result = ok("decode", tmp_path / "a.npz", "-o", tmp_path / "a.wav", "--seed", 3, "--temperature", 0.9)
    assert result.stdout.strip() == str(tmp_path / "a.wav")
    (how,) = fake.family.made
    assert (how.decoder, how.seed, how.temperature, how.engine) == (FAST, 3, 0.9, "auto")
    expected = fake.decode(fake.load_latents(tmp_path / "a.npz"), seed=3, temperature=0.9)
    np.testing.assert_allclose(audio.load(tmp_path / "a.wav", sample_rate_hz=RATE_HZ), expected, atol=1e-6)


def test_a_decoder_goes_by_its_old_name_with_a_note(
    fake: Explorer, note_file: Callable[..., Path], tmp_path: Path
) -> None:
    ok("encode", note_file(), "-o", tmp_path / "a.npz")
    decode = ["decode", tmp_path / "a.npz", "-o", tmp_path / "a.wav", "--decoder"]
    assert "note:" not in ok(*decode, "final").stderr
    assert "note: the decoder wavenet is called final now\n" in ok(*decode, "wavenet").stderr
    assert [how.decoder for how in fake.family.made] == [FINAL, FINAL]
    assert "decoder='slow' must be one that the checkpoint fake has: fast, final." in refused(*decode, "slow")


@pytest.mark.slow
def test_a_sound_that_is_too_long_is_said_to_be_cut(fake: Explorer, tmp_path: Path) -> None:
    for seconds in (15, 20):
        note = tmp_path / f"{seconds}.wav"
        audio.save(note, np.sin(np.arange(seconds * RATE_HZ) / 9.0).astype(np.float32), sample_rate_hz=RATE_HZ)
        for words in (("encode", note, "-o", tmp_path / "a.npz"), ("edit", note, "-o", tmp_path / "a.wav")):
            result = run(*words)
            assert result.exit_code == 0, result.output
            assert ("lasts 20.0 s; 16 s of it are used" in result.stderr) == (seconds == 20)


@pytest.mark.parametrize("command", ["encode", "edit", "morph"])
@pytest.mark.parametrize("content", [b"", b"these are words, not a sound", None])
def test_bad_notes_are_one_line(
    fake: Explorer, note_file: Callable[..., Path], tmp_path: Path, command: str, content: bytes | None
) -> None:
    bad = tmp_path / "bad.wav"
    if content is not None:
        bad.write_bytes(content)
    notes = [bad, note_file()] if command == "morph" else [bad]
    out = tmp_path / "out" / ("o.npz" if command == "encode" else "o.wav")
    assert "bad.wav" in refused(command, *notes, "-o", out)
    assert not leftovers(tmp_path / "out")


def test_bad_latents_are_one_line(fake: Explorer, note_file: Callable[..., Path], tmp_path: Path) -> None:
    (tmp_path / "bad.npz").write_bytes(b"no latents")
    assert "bad.npz" in refused("decode", tmp_path / "bad.npz", "-o", tmp_path / "out.wav")
    assert "missing.npz" in refused("decode", tmp_path / "missing.npz", "-o", tmp_path / "out.wav")
    refused("decode", note_file(), "-o", tmp_path / "out.wav")
    refused("decode", tmp_path / "bad.npz", "-o", tmp_path / "out.mp3", code=2)
