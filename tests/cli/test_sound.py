"""Options of every command that writes sound."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
import soundfile

from synth_explorer.audio import writing
from synth_explorer.cli import sound
from synth_explorer.explorer import Explorer
from tests.audio.test_writing import smpl_of
from tests.cli.shell import ok, refused
from tests.fake_family import RATE_HZ

Notes = Callable[..., Path]
COMMANDS = {"decode": ("decode", "a.npz"), "edit": ("edit", "a.npz"), "morph": ("morph", "a.npz", "a.npz")}


@pytest.fixture(params=sorted(COMMANDS))
def loud(
    request: pytest.FixtureRequest,
    fake: Explorer,
    note_file: Notes,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> tuple[Any, ...]:
    """A command that makes a sound above full scale."""
    monkeypatch.chdir(tmp_path)
    ok("encode", note_file("a.wav", level=0.5), "-o", "a.npz", "--pitch", 60.37)
    decode = fake.family.sound
    monkeypatch.setattr(fake.family, "sound", lambda note, how: 3.0 * decode(note, how))
    return COMMANDS[request.param]


@pytest.mark.slow
def test_above_full_scale(loud: tuple[Any, ...]) -> None:
    result = ok(*loud, "-o", "x.wav")
    assert soundfile.info("x.wav").subtype == "FLOAT"
    peak_db = 20 * np.log10(np.abs(soundfile.read("x.wav")[0]).max())
    warning = f"warning: x.wav peaks at {peak_db:+.2f} dBFS; players may clip it: --peak limit or normalise"
    assert result.stderr.splitlines() == [warning]
    for words in (("-o", "y.flac"), ("-o", "y.wav", "--bits", 16), ("-o", "y.wav", "--bits", 24)):
        assert "--peak limit or --peak normalise" in refused(*loud, *words)
    assert not list(Path().glob("y.*"))
    for peak, said in (("limit", "limited by up to"), ("normalise", "was changed by -")):
        for out in ("y.flac", "z.wav"):
            result = ok(*loud, "-o", out, "--peak", peak)
            change_db = float(re.search(r"(\d+\.\d\d) dB$", result.stderr.splitlines()[-1])[1])
            assert said in result.stderr and change_db == pytest.approx(peak_db - writing.CEILING_DB, abs=0.01)
            assert np.abs(soundfile.read(out)[0]).max() == pytest.approx(10 ** (writing.CEILING_DB / 20), abs=1e-3)


def test_bits_length_and_pitch(loud: tuple[Any, ...]) -> None:
    ok(*loud, "-o", "x.wav", "--peak", "limit", "--bits", 16, "--length-s", 0.25)
    info = soundfile.info("x.wav")
    assert (info.subtype, info.frames) == ("PCM_16", RATE_HZ // 4)
    note, fraction = struct.unpack("<2I", smpl_of(Path("x.wav").read_bytes())[12:20])
    assert note + fraction / 2**32 == pytest.approx(60.37, abs=0.001)


@pytest.mark.parametrize(
    ("out", "options", "message"),
    [
        ("x.flac", ["--bits", "32"], "whole numbers"),
        ("x.wav", ["--bits", "12"], "--bits"),
        ("x.wav", ["--peak", "loud"], "--peak"),
        ("x.wav", ["--length-s", "1e-9"], "at least 0.001"),
        ("x.wav", ["--length-s", "1e9"], "at most 3600"),
        ("x.wav", ["--length-s", "nan"], "is no number"),
        ("x.npz", ["--length-s", "1"], "holds latents"),
        ("x.npz", ["--bits", "16"], "holds latents"),
        ("x.npz", ["--peak", "limit"], "holds latents"),
    ],
)
def test_wrong_options_are_wrong_usage(
    fake: Explorer,
    note_file: Notes,
    tmp_path: Path,
    out: str,
    options: list[str],
    message: str,
) -> None:
    said = refused("edit", note_file(), *options, "-o", tmp_path / out, code=2)
    assert message in " ".join(said.replace("│", " ").split())
    assert not (tmp_path / out).exists()


def test_the_choices_are_those_that_can_be_written() -> None:
    assert get_args(get_args(sound.Peak)[0]) == writing.PEAKS
    bits = {int(number) for number in get_args(get_args(get_args(sound.Bits)[0])[0])}
    assert bits == {number for numbers in writing.BITS.values() for number in numbers}
