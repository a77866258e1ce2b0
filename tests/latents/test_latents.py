"""Latents, their files, and walking between them."""

from __future__ import annotations

import json
from dataclasses import asdict
from itertools import permutations
from pathlib import Path

import numpy as np
import pytest

from synth_explorer.errors import LatentsError
from synth_explorer.latents import (
    Latents,
    LatentsMeta,
    bilinear_weights,
    hz_to_midi,
    interpolate,
    midi_to_hz,
    pad_weights,
    path,
    time_mean,
    with_pitch,
)

META = LatentsMeta(checkpoint="default", checkpoint_hash="abc123", sample_rate_hz=16_000, hop=512, source="note")


def make(frames: int = 20, *, seed: int = 0, pitch_hz: float | None = 220.0, channels: int = 16, **meta) -> Latents:
    rng = np.random.default_rng(seed)
    track = np.full(frames, np.nan)
    if pitch_hz is not None:
        track = pitch_hz * 2 ** (0.01 * np.sin(np.arange(frames) * (1 + seed)))
    note = Latents(rng.normal(size=(frames, channels)), track, META)
    return note.replace(source=f"note{seed}", **meta)


class TestLatents:
    def test_properties(self) -> None:
        note = make(25)
        assert (note.frames, note.channels, note.frame_rate_hz) == (25, 16, 31.25)
        assert note.duration_samples == 25 * 512
        assert note.replace(duration_samples=10_000).duration_s == 0.625
        assert note.pitch_midi == pytest.approx(57.0, abs=0.2)
        assert np.isnan(make(pitch_hz=None).pitch_midi)
        assert not make(pitch_hz=None).has_pitch
        assert note.z.dtype == note.pitch_hz.dtype == np.float32
        assert "25 frames" in repr(note)

    def test_arrays_are_copied_and_read_only(self) -> None:
        z = np.zeros((3, 4), np.float32)
        note = Latents(z, np.full(3, 440.0), META)
        z[:] = 1
        assert not note.z.any()
        with pytest.raises(ValueError, match="read-only"):
            note.z[0] = 1

    @pytest.mark.parametrize(
        ("z", "pitch", "message"),
        [
            (np.zeros(3), np.ones(3), "shape"),
            (np.zeros((0, 16)), np.ones(0), "shape"),
            (np.zeros((3, 16)), np.ones(4), "one per frame"),
            (np.full((3, 16), np.nan), np.ones(3), "not finite"),
            (np.full((3, 16), 1e300), np.ones(3), "not finite"),
            (np.zeros((3, 16)), np.zeros(3), "positive"),
            (np.zeros((3, 16)), np.full(3, np.inf), "positive"),
            (np.zeros((3, 16), complex), np.ones(3), "complex"),
        ],
    )
    def test_refuses(self, z: np.ndarray, pitch: np.ndarray, message: str) -> None:
        with pytest.raises(LatentsError, match=message):
            Latents(z, pitch, META)

    @pytest.mark.parametrize(
        "changes",
        [
            {"hop": 0},
            {"sample_rate_hz": -1},
            {"hop": 5.5},
            {"checkpoint": 3},
            {"duration_samples": -1},
            {"hop": True},
            {"noise_db": 1e6},
            {"noise_db": float("nan")},
            {"bandwidth_hz": -1.0},
            {"bandwidth_hz": float("nan")},
        ],
    )
    def test_meta_refuses(self, changes: dict) -> None:
        with pytest.raises(LatentsError, match=next(iter(changes))):
            make().replace(**changes)

    def test_midi(self) -> None:
        assert midi_to_hz(69) == 440.0
        assert midi_to_hz(60) == pytest.approx(261.6256, abs=1e-4)
        assert hz_to_midi(midi_to_hz(33.3)) == pytest.approx(33.3)

    def test_with_pitch_keeps_vibrato(self) -> None:
        note = make(50)
        moved = with_pitch(note, midi=40.5)
        assert moved.pitch_midi == pytest.approx(40.5, abs=1e-4)
        assert np.allclose(np.diff(np.log2(moved.pitch_hz)), np.diff(np.log2(note.pitch_hz)), atol=1e-5)
        with pytest.raises(LatentsError, match="inside z"):
            with_pitch(make(pitch_hz=None), midi=60)
        with pytest.raises(LatentsError, match=r"0\.\.127"):
            with_pitch(note, midi=float("nan"))

    def test_time_mean_leaves_out_what_cannot_be_heard(self) -> None:
        z = np.ones((10, 3))
        z[6:, 0], z[6:, 1] = 1 - 2.01, 99.0
        note = Latents(z, np.full(10, 440.0), META)
        assert np.allclose(time_mean(note), [1, 1, 1])
        assert np.allclose(time_mean(note, loudness_channel=None), z.mean(axis=0))

    def test_time_mean_weighs_by_power(self) -> None:
        z = np.zeros((2, 2))
        z[1] = -1.0, 101.0  # 20 dB softer: a hundredth of the weight
        note = Latents(z, np.full(2, 440.0), META)
        assert np.allclose(time_mean(note), [-1 / 101, 1])


class TestFiles:
    @pytest.mark.parametrize("pitch_hz", [220.0, None])
    def test_round_trip(self, tmp_path: Path, pitch_hz: float | None) -> None:
        note = make(pitch_hz=pitch_hz, duration_samples=9_999, lead_in_samples=-12).replace(source="Flöte / ±")
        back = Latents.load(note.save(tmp_path / "new" / "note.npz"))
        assert back.meta == note.meta
        assert np.array_equal(back.z, note.z)
        assert np.array_equal(back.pitch_hz, note.pitch_hz, equal_nan=True)
        assert [item.name for item in (tmp_path / "new").iterdir()] == ["note.npz"]

    def test_no_pickles(self, tmp_path: Path) -> None:
        with np.load(make().save(tmp_path / "note.npz"), allow_pickle=False) as content:
            kinds = {name: content[name].dtype.kind for name in content.files}
            assert kinds == {"z": "f", "pitch_hz": "f", "meta": "U"}

    def test_magenta_embeddings(self, tmp_path: Path) -> None:
        note = make()
        saved = np.load(note.save(tmp_path / "note.npy"))
        assert saved.shape == (20, 16)
        for array in (saved, saved[None], saved.astype(np.float64)):
            np.save(tmp_path / "magenta.npy", array)
            back = Latents.load(tmp_path / "magenta.npy", meta_for_npy=META)
            assert np.array_equal(back.z, note.z)
            assert not back.has_pitch
        with pytest.raises(LatentsError, match="does not say"):
            Latents.load(tmp_path / "note.npy")

    def test_another_checkpoint_is_refused_by_both_names(self, tmp_path: Path) -> None:
        saved = make().save(tmp_path / "note.npz")
        assert Latents.load(saved, expect_checkpoint=("renamed", "abc123")).frames == 20
        with pytest.raises(LatentsError, match=r"'default' \(abc123\).*'other' \(fff\)"):
            Latents.load(saved, expect_checkpoint=("other", "fff"))

    @pytest.mark.parametrize("content", [b"", b"text", b"PK\x03\x04 broken", b"\x93NUMPY broken"])
    def test_what_is_no_latents_file(self, tmp_path: Path, content: bytes) -> None:
        for name in ("note.npz", "note.npy"):
            (tmp_path / name).write_bytes(content)
            with pytest.raises(LatentsError, match=name):
                Latents.load(tmp_path / name, meta_for_npy=META)

    def test_damaged_and_incomplete_files(self, tmp_path: Path) -> None:
        whole = make().save(tmp_path / "note.npz").read_bytes()
        for length in (10, len(whole) // 2, len(whole) - 30):
            (tmp_path / "cut.npz").write_bytes(whole[:length])
            with pytest.raises(LatentsError, match=r"cut\.npz"):
                Latents.load(tmp_path / "cut.npz")
        np.savez(tmp_path / "part.npz", z=np.zeros((3, 16)))
        with pytest.raises(LatentsError, match="has no meta, pitch_hz"):
            Latents.load(tmp_path / "part.npz")
        np.savez(tmp_path / "pickled.npz", z=np.array([{}], object), pitch_hz=np.ones(1), meta=np.array("{}"))
        with pytest.raises(LatentsError, match=r"pickled\.npz"):
            Latents.load(tmp_path / "pickled.npz")
        with pytest.raises(LatentsError, match="no latents file"):
            Latents.load(tmp_path / "none.npz")

    def test_damaged_compression(self, tmp_path: Path) -> None:
        np.savez_compressed(tmp_path / "note.npz", z=make(200).z, pitch_hz=np.ones(200), meta=np.array("{}"))
        damaged = bytearray((tmp_path / "note.npz").read_bytes())
        damaged[200:208] = b"\xff" * 8
        (tmp_path / "note.npz").write_bytes(damaged)
        with pytest.raises(LatentsError, match=r"note\.npz .*damaged"):
            Latents.load(tmp_path / "note.npz")

    def test_a_header_that_claims_more_than_there_is_room_for(self, tmp_path: Path) -> None:
        header = b"{'descr': '<f4', 'fortran_order': False, 'shape': (1000000000000, 16), }".ljust(117) + b"\n"
        (tmp_path / "note.npy").write_bytes(b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header)
        with pytest.raises(LatentsError, match=r"note\.npy .*damaged"):
            Latents.load(tmp_path / "note.npy", meta_for_npy=META)

    @pytest.mark.parametrize(
        ("meta", "message"),
        [
            ("[]", "lacks the field 'checkpoint'"),
            ("{}", "does not hold"),
            ("not json", "damaged"),
            ("[" * 100_000, "damaged"),
            (json.dumps({"format_version": 3, "news": 1}), "format_version=3"),
            (json.dumps(asdict(META) | {"surprise": 1}), "unknown field 'surprise'"),
        ],
    )
    def test_other_meta(self, tmp_path: Path, meta: str, message: str) -> None:
        np.savez(tmp_path / "note.npz", z=np.zeros((3, 16)), pitch_hz=np.ones(3), meta=np.array(meta))
        with pytest.raises(LatentsError, match=message):
            Latents.load(tmp_path / "note.npz")

    @pytest.mark.parametrize("name", ["NOTE.NPZ", "NOTE.Npy"])
    def test_endings_in_capitals(self, tmp_path: Path, name: str) -> None:
        note = make(pitch_hz=None)
        np.testing.assert_array_equal(Latents.load(note.save(tmp_path / name), meta_for_npy=META).z, note.z)
        assert [path.name for path in tmp_path.iterdir()] == [name]

    def test_other_endings(self, tmp_path: Path) -> None:
        with pytest.raises(LatentsError, match="must end in"):
            make().save(tmp_path / "note.pkl")
        assert list(tmp_path.iterdir()) == []


class TestInterpolate:
    @pytest.mark.parametrize("weights", [(1, 0), (7.5, 0), (1, 0.0)])
    def test_one_note_is_that_note(self, weights: tuple[float, float]) -> None:
        short, long = make(10), make(30, seed=1)
        assert interpolate([short, long], weights) is short
        assert interpolate([long, short], weights[::-1]) is short

    def test_naive_reference(self) -> None:
        a, b = make(20, seed=0, pitch_hz=220.0), make(20, seed=1, pitch_hz=330.0)
        mixed = interpolate([a, b], [0.3, 0.7])
        for frame in range(20):
            assert np.allclose(mixed.z[frame], 0.3 * a.z[frame] + 0.7 * b.z[frame], atol=1e-6)
            assert mixed.pitch_hz[frame] == pytest.approx(a.pitch_hz[frame] ** 0.3 * b.pitch_hz[frame] ** 0.7, rel=1e-6)

    def test_order_does_not_matter(self) -> None:
        notes, weights = [make(10 + 7 * seed, seed=seed) for seed in range(4)], [0.1, 0.2, 0.3, 0.4]
        first = interpolate(notes, weights)
        for order in permutations(range(4)):
            other = interpolate([notes[i] for i in order], [weights[i] for i in order])
            assert np.allclose(other.z, first.z, atol=1e-6)
            assert np.allclose(other.pitch_hz, first.pitch_hz, rtol=1e-6)
            assert other.duration_samples == first.duration_samples

    def test_a_note_with_itself_and_scale_of_weights(self) -> None:
        note = make()
        assert np.allclose(interpolate([note, note], [0.4, 0.6]).z, note.z, atol=1e-6)
        a, b = make(seed=1), make(seed=2)
        assert np.allclose(interpolate([a, b], [2, 6]).z, interpolate([a, b], [0.25, 0.75]).z)

    def test_extrapolation(self) -> None:
        a, b = make(seed=1), make(seed=2)
        beyond = a.z + 1.3 * (b.z - a.z)
        assert np.allclose(interpolate([a, b], [-0.3, 1.3], loudness_channel=None).z, beyond, atol=1e-5)
        beyond[:, 0] = np.minimum(beyond[:, 0], np.maximum(a.z[:, 0], b.z[:, 0]))  # no louder than the louder one
        assert np.allclose(interpolate([a, b], [-0.3, 1.3]).z, beyond, atol=1e-5)
        for weights in ([-0.31, 1.31], [2, -1]):
            with pytest.raises(LatentsError, match=r"-0\.3\.\.1\.3"):
                interpolate([a, b], weights)

    @pytest.mark.parametrize(
        "weights", [[0, 0], [1, -1], [-1, -1], [1], [1, 0, 0], [1, float("nan")], [1, float("inf")], [1e308, 1e308]]
    )
    def test_weights_that_cannot_be(self, weights: list[float]) -> None:
        with pytest.raises(LatentsError):
            interpolate([make(), make()], weights)

    def test_lengths(self) -> None:
        z = np.zeros((10, 16))
        z[:, 0] = 1 - 0.1 * np.arange(10)  # falls 0.1 a frame and is 0.1 at the end
        z[:, 1] = 5.0
        short = Latents(z, np.full(10, 440.0), META).replace(duration_samples=5_000)
        long = make(60, seed=1, pitch_hz=440.0, duration_samples=30_000, lead_in_samples=100)
        mixed = interpolate([short, long], [0.5, 0.5])
        own = 2 * mixed.z - long.z
        assert mixed.frames == 60
        assert mixed.duration_samples == 30_000
        assert mixed.meta.lead_in_samples == 50
        assert np.allclose(own[:10], z, atol=1e-5)
        assert np.allclose(own[10:, 1], 5.0, atol=1e-5)
        assert np.allclose(own[10:35, 0], 0.1 - 0.1 * np.arange(1, 26), atol=1e-5)
        assert np.allclose(own[45:, 0], -3.0, atol=1e-5)  # the floor

    def test_a_rising_end_is_held(self) -> None:
        z = np.zeros((10, 16))
        z[:, 0] = 0.1 * np.arange(10)
        short, long = Latents(z, np.full(10, 440.0), META), Latents(np.zeros((20, 16)), np.full(20, 440.0), META)
        assert np.allclose(interpolate([short, long], [0.5, 0.5]).z[10:, 0], 0.45)

    def test_pitch_can_be_set(self) -> None:
        a, b = make(40, seed=1, pitch_hz=200.0), make(40, seed=2, pitch_hz=800.0)
        mixed = interpolate([a, b], [0.5, 0.5], pitch_hz=300.0)
        assert np.nanmedian(mixed.pitch_hz) == pytest.approx(300.0, rel=0.01)
        deviation = np.log2(mixed.pitch_hz / 300.0)
        expected = sum(0.5 * np.log2(note.pitch_hz / np.median(note.pitch_hz)) for note in (a, b))
        assert np.allclose(deviation, expected, atol=1e-5)
        same = interpolate([a, b], [1, 0], pitch_hz=float(np.median(a.pitch_hz)))
        assert np.array_equal(same.z, a.z)
        assert np.allclose(same.pitch_hz, a.pitch_hz, rtol=1e-6)
        for bad in (0.0, -1.0, float("nan")):
            with pytest.raises(LatentsError, match="pitch_hz"):
                interpolate([a, b], [0.5, 0.5], pitch_hz=bad)

    def test_pitch_inside_z(self) -> None:
        a, b = make(pitch_hz=None), make(pitch_hz=None, seed=1)
        assert not interpolate([a, b], [0.5, 0.5]).has_pitch
        with pytest.raises(LatentsError, match="inside z"):
            interpolate([a, b], [0.5, 0.5], pitch_hz=440.0)
        assert np.allclose(interpolate([a, make(seed=2)], [0.5, 0.5]).pitch_hz, make(seed=2).pitch_hz, rtol=1e-6)

    def test_gaps_in_a_pitch_track_are_bridged(self) -> None:
        track = np.array([np.nan, 100.0, np.nan, 400.0, np.nan])
        note = Latents(np.zeros((5, 16)), track, META)
        assert np.allclose(interpolate([note, note], [0.5, 0.5]).pitch_hz, [100, 100, 200, 400, 400])

    def test_what_cannot_be_mixed(self) -> None:
        note = make()
        with pytest.raises(LatentsError, match="nothing"):
            interpolate([], [])
        with pytest.raises(LatentsError, match=r"'default'.*'other'"):
            interpolate([note, note.replace(checkpoint="other", checkpoint_hash="f")], [0.5, 0.5])
        for other in (make(channels=8), note.replace(hop=256)):
            with pytest.raises(LatentsError, match="channel counts"):
                interpolate([note, other], [0.5, 0.5])


class TestPath:
    def test_weights_move_linearly(self) -> None:
        a, b = make(32, seed=1), make(32, seed=2)
        moved = path([a, b], [(0.0, (1, 0)), (0.64, (0, 1))])
        for frame in range(32):
            amount = min(frame / 31.25 / 0.64, 1.0)
            assert np.allclose(moved.z[frame], (1 - amount) * a.z[frame] + amount * b.z[frame], atol=1e-5)
            octaves = (1 - amount) * np.log2(a.pitch_hz[frame]) + amount * np.log2(b.pitch_hz[frame])
            assert np.log2(moved.pitch_hz[frame]) == pytest.approx(octaves, abs=1e-5)

    def test_resting_path_is_interpolation(self) -> None:
        notes, weights = [make(20), make(35, seed=1), make(9, seed=2)], (0.2, 0.3, 0.5)
        resting = path(notes, [(0.1, weights), (0.5, weights)])
        mixed = interpolate(notes, weights)
        assert np.allclose(resting.z, mixed.z, atol=1e-6)
        assert np.allclose(resting.pitch_hz, mixed.pitch_hz, rtol=1e-6)

    @pytest.mark.parametrize(
        "keyframes", [[], [(0.5, (1, 0)), (0.5, (0, 1))], [(-1.0, (1, 0))], [(float("nan"), (1, 0))], [(0.0, (1,))]]
    )
    def test_refuses(self, keyframes: list) -> None:
        with pytest.raises(LatentsError):
            path([make(), make()], keyframes)


class TestPad:
    def test_corners_and_centre(self) -> None:
        assert bilinear_weights(0, 0) == (1, 0, 0, 0)
        assert bilinear_weights(1, 0) == (0, 1, 0, 0)
        assert bilinear_weights(0, 1) == (0, 0, 1, 0)
        assert bilinear_weights(1, 1) == (0, 0, 0, 1)
        assert bilinear_weights(0.5, 0.5) == (0.25, 0.25, 0.25, 0.25)

    @pytest.mark.parametrize("n", [1, 2, 3, 4])
    def test_weights_sum_to_one(self, n: int) -> None:
        for x in np.linspace(0, 1, 7):
            for y in np.linspace(0, 1, 7):
                weights = pad_weights(n, x, y)
                assert len(weights) == n
                assert sum(weights) == pytest.approx(1.0)
                assert min(weights) >= 0

    def test_three_notes(self) -> None:
        assert pad_weights(3, 0, 0) == (1, 0, 0)
        assert pad_weights(3, 1, 0) == (0, 1, 0)
        for x in (0.0, 0.5, 1.0):
            assert pad_weights(3, x, 1) == (0, 0, 1)

    def test_two_notes_extrapolate(self) -> None:
        assert pad_weights(2, 1.3, 0.9) == pytest.approx((-0.3, 1.3))

    @pytest.mark.parametrize(
        ("n", "x", "y"), [(0, 0, 0), (5, 0, 0), (4, 1.1, 0), (3, 0, -0.1), (2, 1.4, 0), (4, float("nan"), 0)]
    )
    def test_refuses(self, n: int, x: float, y: float) -> None:
        with pytest.raises(LatentsError):
            pad_weights(n, x, y)
