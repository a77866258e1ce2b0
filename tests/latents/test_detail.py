"""A note's detail: its file, mixing, edits of time, and moves toward another note."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from synth_explorer.edits import Controls, EditChain, Gain, Reverse, Stretch, Toward, Trim
from synth_explorer.errors import EditError, LatentsError
from synth_explorer.latents import Latents, LatentsMeta, interpolate, path, time_mean

META = LatentsMeta("default", "abc123", 16_000, 512, source="note")
CONTROLS = Controls.from_dict(
    {"format_version": 1, "loudness": {"channel": 0, "units_per_db": 0.05, "offset_db": -40.0}}
)


def make(frames: int = 20, *, seed: int = 0, details: int = 5, moving: bool = False) -> Latents:
    rng = np.random.default_rng(seed)
    detail = rng.normal(size=(frames, details) if moving else (details,))
    return Latents(rng.normal(size=(frames, 4)), np.full(frames, 220.0), META, detail)


def test_one_row_is_for_all_frames_and_none_is_none() -> None:
    note = make(20)
    assert note.detail.shape == (20, 5) and note.details == 5 and note.detail.dtype == np.float32
    assert (note.detail == note.detail[0]).all() and not note.detail.flags.writeable
    bare = Latents(note.z, note.pitch_hz, META)
    assert bare.detail.shape == (20, 0) and bare.details == 0
    assert bare.fingerprint != note.fingerprint == make(20).fingerprint


@pytest.mark.parametrize("detail", [np.zeros((3, 5)), np.zeros((20, 5, 1)), np.full(5, np.nan), np.full(5, np.inf)])
def test_what_cannot_be_a_detail_is_refused(detail: np.ndarray) -> None:
    with pytest.raises(LatentsError, match="detail"):
        Latents(np.zeros((20, 4)), np.full(20, 220.0), META, detail)


@pytest.mark.parametrize("moving", [False, True])
def test_file_round_trip(tmp_path: Path, moving: bool) -> None:
    note = make(moving=moving)
    read = Latents.load(note.save(tmp_path / "note.npz"))
    np.testing.assert_array_equal(read.detail, note.detail)
    with np.load(tmp_path / "note.npz") as file:
        assert file["detail"].shape == ((20, 5) if moving else (1, 5))


def test_a_file_without_one_is_as_it_was(tmp_path: Path) -> None:
    note = make(details=0)
    with np.load(note.save(tmp_path / "note.npz")) as file:
        assert sorted(file.files) == ["meta", "pitch_hz", "z"]
    assert Latents.load(tmp_path / "note.npz").details == 0


def test_a_damaged_detail_is_one_sentence(tmp_path: Path) -> None:
    note = make()
    with np.load(note.save(tmp_path / "note.npz")) as file:
        content = dict(file)
    np.savez(tmp_path / "bad.npz", **content | {"detail": np.zeros((7, 5))})
    with pytest.raises(LatentsError, match=r"bad\.npz does not hold latents: detail"):
        Latents.load(tmp_path / "bad.npz")


def test_mixing_is_linear_and_its_ends_are_the_notes() -> None:
    a, b = make(20), make(30, seed=1)
    np.testing.assert_allclose(interpolate([a, b], (0.25, 0.75)).detail[29], 0.25 * a.detail[0] + 0.75 * b.detail[0])
    np.testing.assert_array_equal(interpolate([a, b], (0.0, 1.0)).detail, b.detail)
    moving = path([a, b], [(0.0, (1.0, 0.0)), (29 / 31.25, (0.0, 1.0))]).detail
    np.testing.assert_allclose(moving[0], a.detail[0], rtol=1e-6)
    np.testing.assert_allclose(moving[29], b.detail[0], rtol=1e-6)


def test_a_note_without_one_counts_as_zeros_and_another_size_is_refused() -> None:
    a, bare = make(), make(seed=1, details=0)
    np.testing.assert_allclose(interpolate([bare, a], (0.5, 0.5)).detail, 0.5 * a.detail)
    with pytest.raises(LatentsError, match="details of different sizes"):
        interpolate([a, make(details=4)], (0.5, 0.5))


def test_edits_of_time_move_it_with_the_latents() -> None:
    note = make(21, moving=True)
    note = note.replace(detail=np.tile(note.z[:, :1], 5), duration_samples=20 * 512)
    for edit in (Stretch(1.7), Reverse(), Trim(0.1, 0.4)):
        after = EditChain((edit,)).apply(note, CONTROLS)
        np.testing.assert_allclose(after.detail, np.tile(after.z[:, :1], 5), atol=1e-6)
    first = note.first(7, duration_samples=7 * 512)
    assert first.detail.shape == (7, 5) and first.duration_samples == 7 * 512


def test_other_edits_leave_it() -> None:
    note = make(moving=True)
    np.testing.assert_array_equal(EditChain((Gain(6.0),)).apply(note, CONTROLS).detail, note.detail)


@pytest.mark.parametrize("amount", [0.0, 0.4, 1.0])
def test_toward_moves_its_mean_by_the_proportion(amount: float) -> None:
    note, other = make(moving=True), make(30, seed=1, moving=True)
    target = CONTROLS.mean_sound(other)
    np.testing.assert_array_equal(target[:4], time_mean(other))
    np.testing.assert_allclose(Controls().mean_sound(other)[:4], other.z.mean(axis=0), atol=1e-6)
    after = Toward(tuple(target), amount).apply(note, CONTROLS)
    own = note.detail.mean(axis=0)
    np.testing.assert_allclose(after.detail.mean(axis=0), own + amount * (target[4:] - own), atol=1e-6)
    np.testing.assert_allclose(after.detail - after.detail.mean(axis=0), note.detail - own, atol=1e-6)
    bare = Toward(tuple(target), amount).apply(make(details=0), CONTROLS)
    np.testing.assert_allclose(bare.detail[3], amount * target[4:], atol=1e-6)
    np.testing.assert_array_equal(Toward(tuple(target[:4]), amount).apply(note, CONTROLS).detail, note.detail)


def test_toward_a_detail_of_another_size_is_refused() -> None:
    with pytest.raises(EditError, match="detail of 3"):
        Toward((0.0,) * 7, 0.5).apply(make(), CONTROLS)
