"""A note's enhancement: its file, mixing, edits of time, and how it fades when the pitch moves."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from synth_explorer.edits import (
    Controls,
    EditChain,
    Gain,
    Oscillate,
    Reverse,
    SetPitch,
    Stretch,
    Toward,
    Transpose,
    Trim,
)
from synth_explorer.errors import LatentsError
from synth_explorer.latents import Latents, LatentsMeta, interpolate, with_pitch

META = LatentsMeta("default", "abc123", 16_000, 512, source="note")
CONTROLS = Controls.from_dict(
    {"format_version": 1, "loudness": {"channel": 0, "units_per_db": 0.05, "offset_db": -40.0}}
)


def make(frames: int = 20, *, seed: int = 0, bands: int = 5, hz: float = 220.0) -> Latents:
    rng = np.random.default_rng(seed)
    z, enhancement = rng.normal(size=(frames, 4)), rng.normal(size=(frames, bands))
    return Latents(z, np.full(frames, hz), META, None, enhancement)


def test_none_is_none_and_it_belongs_to_the_fingerprint() -> None:
    note, bare = make(), make(bands=0)
    assert note.enhancement.shape == (20, 5) and note.enhancements == 5 and not note.enhancement.flags.writeable
    assert bare.enhancement.shape == (20, 0) and bare.enhancements == 0
    assert bare.fingerprint != note.fingerprint == make().fingerprint
    assert note.first(7, duration_samples=3000).enhancement.shape == (7, 5)


@pytest.mark.parametrize("wrong", [np.zeros((3, 5)), np.zeros((20, 5, 1)), np.full((20, 5), np.nan)])
def test_what_cannot_be_one_is_refused(wrong: np.ndarray) -> None:
    with pytest.raises(LatentsError, match="enhancement"):
        Latents(np.zeros((20, 4)), np.full(20, 220.0), META, None, wrong)


def test_file_round_trip(tmp_path: Path) -> None:
    note = make()
    np.testing.assert_array_equal(Latents.load(note.save(tmp_path / "note.npz")).enhancement, note.enhancement)
    with np.load(make(bands=0).save(tmp_path / "bare.npz")) as file:
        assert sorted(file.files) == ["meta", "pitch_hz", "z"]
    with np.load(tmp_path / "note.npz") as file:
        content = dict(file)
    np.savez(tmp_path / "bad.npz", **content | {"enhancement": np.zeros((7, 5))})
    with pytest.raises(LatentsError, match=r"bad\.npz does not hold latents: enhancement"):
        Latents.load(tmp_path / "bad.npz")


def test_mixing_at_one_pitch_is_linear_and_ends_with_the_note() -> None:
    a, b, bare = make(20), make(30, seed=1), make(30, seed=2, bands=0)
    mixed = interpolate([a, b], (0.25, 0.75)).enhancement
    np.testing.assert_allclose(mixed[:20], 0.25 * a.enhancement + 0.75 * b.enhancement[:20], atol=1e-6)
    np.testing.assert_allclose(mixed[20:], 0.75 * b.enhancement[20:], atol=1e-6)
    np.testing.assert_allclose(interpolate([a, bare], (0.5, 0.5)).enhancement[:20], 0.5 * a.enhancement, atol=1e-6)
    with pytest.raises(LatentsError, match="enhancements of different sizes"):
        interpolate([a, make(bands=3)], (0.5, 0.5))


def test_what_is_mixed_at_another_pitch_has_none() -> None:
    a, b = make(20), make(20, seed=1, hz=440.0)
    assert not interpolate([a, b], (0.5, 0.5)).enhancement.any()
    near = interpolate([a, b], (0.5, 0.5), pitch_hz=220.0).enhancement
    np.testing.assert_allclose(near, 0.5 * a.enhancement, atol=1e-6)


@pytest.mark.parametrize(("cents", "left"), [(0.0, 1.0), (25.0, 0.75), (-50.0, 0.5), (100.0, 0.0), (-700.0, 0.0)])
def test_it_fades_within_a_semitone(cents: float, left: float) -> None:
    note = make()
    for moved in (
        EditChain((Transpose(cents / 100.0),)).apply(note, CONTROLS),
        EditChain((SetPitch(57.0 + cents / 100.0),)).apply(note, CONTROLS),
        with_pitch(note, midi=57.0 + cents / 100.0),
    ):
        np.testing.assert_allclose(moved.enhancement, left * note.enhancement, atol=2e-5)


def test_a_vibrato_leaves_it() -> None:
    note = make(200)
    moved = EditChain((Oscillate(target="pitch", rate_hz=5.0, depth=50.0),)).apply(note, CONTROLS)
    assert np.ptp(moved.pitch_hz) > 5.0
    np.testing.assert_allclose(moved.enhancement, note.enhancement, rtol=0.05)


def test_edits_of_time_read_it_where_they_read_z() -> None:
    note = make()
    backwards = EditChain((Reverse(),)).apply(note, CONTROLS)
    for edited in (
        backwards,
        EditChain((Stretch(1.7),)).apply(note, CONTROLS),
        EditChain((Trim(start_s=0.1),)).apply(note, CONTROLS),
    ):
        row = int(np.argmin(np.abs(edited.z[3] - note.z).sum(axis=1)))
        if np.allclose(edited.z[3], note.z[row]):
            np.testing.assert_allclose(edited.enhancement[3], note.enhancement[row], atol=1e-5)
        assert edited.enhancement.shape == (edited.frames, 5)
    order = [int(np.argmin(np.abs(row - note.enhancement).sum(axis=1))) for row in backwards.enhancement]
    assert order[0] > order[-1]
    np.testing.assert_array_equal(EditChain((Gain(3.0),)).apply(note, CONTROLS).enhancement, note.enhancement)


def test_toward_another_note_leaves_what_is_left_of_the_own() -> None:
    note = make()
    toward = EditChain((Toward((1.0, 2.0, 3.0, 4.0), amount=0.25),)).apply(note, CONTROLS)
    np.testing.assert_allclose(toward.enhancement, 0.75 * note.enhancement, atol=1e-6)
