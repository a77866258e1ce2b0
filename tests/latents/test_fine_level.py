"""The fine level: kept in files, mixed as latents are, and read by edits of time at their own moments."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from synth_explorer.edits import EditChain, Freeze, Gain, Reverse, Stretch, Trim
from synth_explorer.edits.controls import Controls
from synth_explorer.errors import LatentsError
from synth_explorer.explorer import Explorer
from synth_explorer.latents import Latents, LatentsMeta, interpolate

FRAMES, POINTS, HOP = 10, 4, 512


def make(fine_level: np.ndarray | None = None, *, seed: int = 0) -> Latents:
    rng = np.random.default_rng(seed)
    meta = LatentsMeta("fake", "0" * 64, 16_000, HOP, duration_samples=FRAMES * HOP)
    level = rng.standard_normal((FRAMES, POINTS)) if fine_level is None else fine_level
    return Latents(rng.standard_normal((FRAMES, 4)), np.full(FRAMES, 220.0), meta, fine_level=level)


def edited(note: Latents, *edits) -> np.ndarray:
    return EditChain(edits).apply(note, Controls()).fine_level


def test_files_keep_it_and_those_without_any_are_read(tmp_path: Path) -> None:
    note, none = make(), make(np.zeros((FRAMES, POINTS)))
    np.testing.assert_array_equal(Latents.load(note.save(tmp_path / "a.npz")).fine_level, note.fine_level)
    assert Latents.load(none.save(tmp_path / "b.npz")).fine_level.shape == (FRAMES, 0)
    assert note.fingerprint != none.fingerprint
    np.testing.assert_array_equal(note.first(3, duration_samples=3 * HOP).fine_level, note.fine_level[:3])


@pytest.mark.parametrize("wrong", [np.zeros((FRAMES + 1, POINTS)), np.full((FRAMES, POINTS), np.nan)])
def test_what_cannot_be_one_is_refused(wrong: np.ndarray) -> None:
    with pytest.raises(LatentsError, match="fine_level"):
        make(wrong)


def test_mixing_is_linear_and_one_without_any_halves_it() -> None:
    one, other = make(), make(seed=1)
    mixed = interpolate([one, other], [0.25, 0.75])
    np.testing.assert_allclose(mixed.fine_level, 0.25 * one.fine_level + 0.75 * other.fine_level, atol=1e-6)
    none = make(np.zeros(0))
    np.testing.assert_allclose(interpolate([one, none], [0.5, 0.5]).fine_level, 0.5 * one.fine_level, atol=1e-6)
    assert interpolate([none, none], [0.5, 0.5]).fine_level.shape == (FRAMES, 0)
    with pytest.raises(LatentsError, match="fine levels of different sizes"):
        interpolate([one, make(np.zeros((FRAMES, 1)))], [0.5, 0.5])


def test_edits_of_time_read_its_points_at_their_own_times() -> None:
    note = make()
    flat = note.fine_level.reshape(-1)
    np.testing.assert_allclose(edited(note, Stretch(2.0)).reshape(-1)[: 2 * flat.size : 2], flat, atol=1e-6)
    np.testing.assert_allclose(edited(note, Trim(start_s=2 * HOP / 16_000)), note.fine_level[2:], atol=1e-6)
    held = edited(note, Freeze(at_s=(3 * HOP + HOP // POINTS) / 16_000))
    np.testing.assert_allclose(held[4:], note.fine_level[3, 1], atol=1e-6)
    rising = make(np.arange(FRAMES * POINTS).reshape(FRAMES, POINTS))
    np.testing.assert_allclose(edited(rising, Reverse())[-1], [4.0, 3.0, 2.0, 1.0], atol=1e-5)
    backwards = edited(note, Reverse())
    assert (
        np.corrcoef(backwards.reshape(-1)[1:], flat[::-1][:-1])[0, 1]
        > 0.6
        > np.corrcoef(backwards.reshape(-1), note.fine_level[::-1].reshape(-1))[0, 1]
    )


def test_an_edit_of_channels_leaves_it(explorer: Explorer) -> None:
    note = explorer.encode(np.sin(np.arange(16_000) / 8).astype(np.float32) * 0.3, pitch=75.0, fit_steps=2)
    louder = explorer.edit(note, EditChain((Gain(3.0),)))
    assert note.fine_level.any()
    np.testing.assert_array_equal(louder.fine_level, note.fine_level)


def test_its_sound_is_another_but_as_loud_in_each_frame(explorer: Explorer) -> None:
    tone = np.sin(np.arange(24_000) / 8).astype(np.float32) * 0.3
    note = explorer.encode(tone, pitch=75.0)
    wave = np.tile(np.sin(np.pi * np.arange(explorer.config.level_points) / 4), (note.frames, 1))
    plain, moved = explorer.decode(note), explorer.decode(note.replace(fine_level=wave))
    rms = [np.sqrt(np.mean(sound[4_000:20_000].reshape(-1, 1_000) ** 2, axis=1)) for sound in (plain, moved)]
    assert np.abs(plain - moved).max() > 0.1
    np.testing.assert_allclose(20 * np.log10(rms[1] / rms[0]), 0.0, atol=0.8)


def test_points_of_another_model_are_refused(explorer: Explorer) -> None:
    note = explorer.encode(np.sin(np.arange(16_000) / 8).astype(np.float32) * 0.3, pitch=75.0)
    with pytest.raises(LatentsError, match="fine level of 3 points"):
        explorer.decode(note.replace(fine_level=np.zeros((note.frames, 3))))
