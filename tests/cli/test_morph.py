"""Morphs in the shell: places, weights and ways mean what they say, files are written."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from synth_explorer.explorer import Explorer
from synth_explorer.latents import Latents
from tests.cli.shell import ok, refused
from tests.fake_family import HOP, RATE_HZ


def test_morph_mix_weighs_the_second(fake: Explorer, note_file: Callable[..., Path], tmp_path: Path) -> None:
    loud, soft = note_file("loud.wav", level=0.5), note_file("soft.wav", level=0.05)
    ok("encode", loud, soft, "-o", tmp_path)
    for mix, expected in ((0.0, loud), (1.0, soft)):
        ok("morph", loud, tmp_path / "soft.npz", "--mix", mix, "-o", tmp_path / "m.npz")
        same = fake.encode(expected)
        np.testing.assert_allclose(Latents.load(tmp_path / "m.npz").z, same.z, atol=1e-5)
    ok("morph", loud, soft, "--mix", 1.2, "--pitch", 67, "-o", tmp_path / "m.npz")
    assert Latents.load(tmp_path / "m.npz").pitch_midi == pytest.approx(67, abs=1e-3)


def test_morph_of_channels_alone_takes_the_pitch_that_is_given(
    fake: Explorer, note_file: Callable[..., Path], tmp_path: Path
) -> None:
    ok("encode", note_file("a.wav"), "-o", tmp_path / "a.npy")
    words = ("morph", tmp_path / "a.npy", note_file("b.wav", midi=64), "-o", tmp_path / "m.npz")
    assert refused(*words).startswith(f"error: {tmp_path / 'a.npy'}: These latents carry no pitch track")
    fake.family.heard.clear()
    ok(*words, "--pitch", 67)
    assert [how.midi for how in fake.family.heard] == [None]  # the sound has its own
    assert Latents.load(tmp_path / "m.npz").pitch_midi == pytest.approx(67, abs=1e-3)


@pytest.mark.slow
def test_morph_pad_corners(fake: Explorer, note_file: Callable[..., Path], tmp_path: Path) -> None:
    notes = [note_file(f"{name}.wav", level=level) for name, level in zip("abcd", (0.5, 0.2, 0.1, 0.05), strict=True)]
    for corner, note in zip(((0, 0), (1, 0), (0, 1), (1, 1)), notes, strict=True):
        ok("morph", *notes, "--x", corner[0], "--y", corner[1], "-o", tmp_path / "m.npz")
        np.testing.assert_allclose(Latents.load(tmp_path / "m.npz").z, fake.encode(note).z, atol=1e-5)


def test_morph_steps_write_so_many_files(fake: Explorer, note_file: Callable[..., Path], tmp_path: Path) -> None:
    result = ok("morph", note_file("a.wav"), note_file("b.wav"), "--steps", 5, "-o", tmp_path / "walk")
    files = sorted((tmp_path / "walk").iterdir())
    assert [str(path) for path in files] == result.stdout.split()
    assert [path.name for path in files][::2] == ["000_mix_0.000.wav", "002_mix_0.500.wav", "004_mix_1.000.wav"]


def test_morph_by_weights(fake: Explorer, note_file: Callable[..., Path], tmp_path: Path) -> None:
    notes = [note_file(f"{name}.wav", level=level) for name, level in zip("abc", (0.5, 0.2, 0.05), strict=True)]
    ok("morph", *notes, "--weights", "1,1,2", "-o", tmp_path / "m.npz")
    parts = [fake.encode(note).z for note in notes]
    np.testing.assert_allclose(
        Latents.load(tmp_path / "m.npz").z, 0.25 * parts[0] + 0.25 * parts[1] + 0.5 * parts[2], atol=1e-5
    )


@pytest.mark.slow
def test_morph_moves_over_time(fake: Explorer, note_file: Callable[..., Path], tmp_path: Path) -> None:
    a, b, c = (note_file(f"{name}.wav", level=level) for name, level in zip("abc", (0.5, 0.2, 0.05), strict=True))
    first, second, third = (fake.encode(note).z for note in (a, b, c))
    ok("morph", a, b, "--path", "0.2=0, 0.8=1", "-o", tmp_path / "m.npz")
    moved = Latents.load(tmp_path / "m.npz").z
    share = np.interp(np.arange(len(moved)) * HOP / RATE_HZ, [0.2, 0.8], [0.0, 1.0])[:, None]
    np.testing.assert_allclose(moved, (1 - share) * first + share * second, atol=1e-5)
    ok("morph", a, b, c, "--path", "0=0:0,1=0.5:1", "-o", tmp_path / "m.npz")
    moved = Latents.load(tmp_path / "m.npz").z
    np.testing.assert_allclose(moved[0], first[0], atol=1e-5)
    np.testing.assert_allclose(moved[-1], third[-1], atol=1e-5)


WRONG_MORPHS = [
    (1, ["--mix", "0.5"]),
    (5, []),
    (3, ["--mix", "0.5"]),
    (3, ["--steps", "4"]),
    (2, ["--y", "0.5"]),
    (2, ["--mix", "0.5", "--x", "0.5"]),
    (2, ["--mix", "0.5", "--steps", "3"]),
    (2, ["--mix", "1.4"]),
    (2, ["--mix", "nan"]),
    (2, ["--steps", "1"]),
    (2, ["--seed", "-1"]),
    (4, ["--x", "-0.5"]),
    (2, ["--weights", "1"]),
    (2, ["--weights", "1,b"]),
    (2, ["--weights", "0.5,0.5", "--mix", "0.5"]),
    (3, ["--weights", "1,1,1", "--y", "0.5"]),
    (2, ["--path", "0=0,1"]),
    (2, ["--path", "0=0:1"]),
    (3, ["--path", "0=0.5"]),
    (2, ["--path", "0=0,1=1.5"]),
    (2, ["--path", "0=0,1=nan"]),
    (2, ["--path", "nan=0,1=1"]),
    (2, ["--weights", "nan,1"]),
    (2, ["--path", "0=0", "--steps", "3"]),
]


@pytest.mark.parametrize(("count", "options"), WRONG_MORPHS)
def test_wrong_morphs_are_wrong_usage(
    fake: Explorer, note_file: Callable[..., Path], tmp_path: Path, count: int, options: list[str]
) -> None:
    refused("morph", *[note_file()] * count, *options, "-o", tmp_path / "out.wav", code=2)
    assert not (tmp_path / "out.wav").exists()
