"""Edits do in latents what their units say; chains survive JSON; what cannot be is refused with its reason."""

from __future__ import annotations

import json
from dataclasses import FrozenInstanceError
from pathlib import Path

import numpy as np
import pytest

from synth_explorer.edits import (
    Add,
    Attack,
    Brightness,
    Controls,
    Curve,
    Edit,
    EditChain,
    Envelope,
    Freeze,
    Gain,
    Noisiness,
    Oscillate,
    OscillateChannels,
    Reverse,
    Scale,
    SetPitch,
    Stretch,
    Toward,
    Transpose,
    Trim,
    wave,
)
from synth_explorer.errors import CheckpointError, EditError
from synth_explorer.latents import Latents, LatentsMeta, time_mean
from synth_explorer.measure import modulation

META = LatentsMeta(checkpoint="default", checkpoint_hash="abc", sample_rate_hz=16_000, hop=512)
CONTROLS_JSON = {
    "format_version": 1,
    "loudness": {"channel": 0, "units_per_db": 0.05, "offset_db": -40.0},
    "brightness": {
        "channel": 1,
        "units_per_octave": 1.0,
        "reference_hz": 1000.0,
        "transpose_octaves_per_octave": 0.4,
    },
}
CONTROLS = Controls.from_dict(CONTROLS_JSON)
EVERY_KIND: tuple[Edit, ...] = (
    Gain(-6),
    Oscillate("loudness", 5, 3, "triangle", 0.25, 0.5),
    Brightness(0.5),
    Transpose(-7),
    SetPitch(61.5),
    Toward(tuple(range(16)), 0.5, keep_loudness=False),
    Scale((2, 3), -2),
    Add((4,), 0.1),
    OscillateChannels((5, 6), 3, 0.2, "square"),
    Oscillate("pitch", 5, 30, "walk", seed=3),
    Noisiness(-6),
    Attack(0.2),
    Curve("loudness", ((0, 0), (0.5, -6), (1, 0))),
    Envelope(0.1, 0.2, -6, 0.3),
    Stretch(1.5, keep_s=0.1),
    Freeze(0.5, 0.7),
    Reverse(),
    Trim(0.1, 1.2),
)


def make(frames: int = 125, *, pitch_hz: float = 440.0, seed: int = 0) -> Latents:
    z = np.random.default_rng(seed).normal(size=(frames, 16))
    return Latents(z, np.full(frames, pitch_hz), META)


def read_by_frames(fine_db: np.ndarray, *, steps: int = 32) -> np.ndarray:
    """What a decoder that holds the loudness of each frame reads of a level in dB, small changes of it: frame by frame.

    The squared Hann window is two frames long, `steps` values a frame.
    """
    window = np.cos(np.pi * (np.arange(2 * steps) + 0.5 - steps) / (2 * steps)) ** 4
    padded = np.pad(fine_db, (steps, 2 * steps), mode="edge")
    frames = [padded[f * steps : (f + 2) * steps] for f in range(len(fine_db) // steps + 1)]
    return np.array([np.average(frame, weights=window) for frame in frames])


class TestNamed:
    def test_gain(self) -> None:
        note = make()
        change = Gain(6).apply(note, CONTROLS).z - note.z
        assert np.allclose(change[:, 0], 0.3, atol=1e-6)
        assert not change[:, 1:].any()

    def test_gains_add_up_and_undo(self) -> None:
        note = make()
        assert np.allclose(EditChain((Gain(3), Gain(4), Gain(-7))).apply(note, CONTROLS).z, note.z, atol=1e-6)

    def test_brightness(self) -> None:
        note = make()
        change = Brightness(-0.5).apply(note, CONTROLS).z - note.z
        assert np.allclose(change[:, 1], -0.5, atol=1e-6)
        assert not np.delete(change, 1, axis=1).any()

    @pytest.mark.parametrize("semitones", [-7, 5, 12, 0.01])
    def test_transpose(self, semitones: float) -> None:
        note = make()
        moved = Transpose(semitones).apply(note, CONTROLS)
        assert np.allclose(1200 * np.log2(moved.pitch_hz / note.pitch_hz), 100 * semitones, atol=1e-3)
        assert np.allclose(moved.z[:, 1] - note.z[:, 1], 0.4 * semitones / 12, atol=1e-6)
        assert np.array_equal(np.delete(moved.z, 1, axis=1), np.delete(note.z, 1, axis=1))
        assert np.array_equal(Transpose(semitones).apply(note, Controls()).z, note.z)

    def test_set_pitch_is_a_transposition(self) -> None:
        note = make(pitch_hz=440.0)
        a, b = SetPitch(62.0).apply(note, CONTROLS), Transpose(-7).apply(note, CONTROLS)
        assert np.allclose(a.z, b.z, atol=1e-5)
        assert np.allclose(a.pitch_hz, b.pitch_hz, rtol=1e-6)

    def test_toward(self) -> None:
        note, goal = make(seed=1), make(seed=2)
        mean = time_mean(goal)
        half = Toward(tuple(mean), 0.5).apply(note, CONTROLS)
        assert np.allclose(time_mean(half)[1:], (0.5 * time_mean(note) + 0.5 * mean)[1:], atol=1e-5)
        assert np.array_equal(half.z[:, 0], note.z[:, 0])
        assert np.allclose(np.diff(half.z, axis=0), np.diff(note.z, axis=0), atol=1e-5)
        full = Toward(tuple(mean), 1.0, keep_loudness=False).apply(note, CONTROLS)
        assert np.allclose(time_mean(full), mean, atol=1e-5)
        with pytest.raises(EditError, match="3 channels"):
            Toward((1.0, 2.0, 3.0), 0.5).apply(note, CONTROLS)

    def test_what_is_not_calibrated(self) -> None:
        for edit, name in [
            (Gain(3), "loudness"),
            (Brightness(1), "brightness"),
            (Oscillate("loudness", 5, 3), "loudness"),
            (Oscillate("brightness", 5, 1), "brightness"),
        ]:
            with pytest.raises(EditError, match=f"not calibrated for {name}"):
                edit.apply(make(), Controls())

    def test_pitch_inside_z(self) -> None:
        note = Latents(np.zeros((9, 16)), np.full(9, np.nan), META)
        for edit in (Transpose(1), SetPitch(60), Oscillate("pitch", 5, 50)):
            with pytest.raises(EditError, match="inside z"):
                edit.apply(note, CONTROLS)

    def test_out_of_reach_says_how_far_it_goes(self) -> None:
        with pytest.raises(EditError, match=r"-69\.0 to \+58\.0 semitones"):
            Transpose(60).apply(make(), CONTROLS)

    def test_the_given_latents_stay(self) -> None:
        note = make()
        z, pitch_hz = note.z.copy(), note.pitch_hz.copy()
        EditChain(EVERY_KIND).apply(note, CONTROLS)
        assert np.array_equal(note.z, z)
        assert np.array_equal(note.pitch_hz, pitch_hz)


class TestOscillate:
    @pytest.mark.parametrize("rate_hz", [0.7, 1.0, 5.0, 7.3, 12.0, 15.0])
    @pytest.mark.parametrize(
        ("target", "depth", "unit"), [("loudness", 6.0, 0.05), ("brightness", 0.3, 1.0), ("pitch", 40.0, 1.0)]
    )
    def test_rate_and_depth_after_linear_interpolation(
        self, target: str, depth: float, unit: float, rate_hz: float
    ) -> None:
        note = make()
        edited = Oscillate(target, rate_hz, depth).apply(note, CONTROLS)
        if target == "pitch":
            track = 1200 * np.log2(edited.pitch_hz / note.pitch_hz)
        else:
            channel = ("loudness", "brightness").index(target)
            track = (edited.z - note.z)[:, channel] / unit
            assert not np.delete(edited.z - note.z, channel, axis=1).any()
        fine = np.interp(np.arange(124 * 32) / 32, np.arange(125), track)
        if target == "loudness":
            fine = fine + np.interp(np.arange(124 * 32) / 32, np.arange(125), track - read_by_frames(fine))
        heard = modulation(fine[32:-32:4], 31.25 * 8)
        assert heard.rate_hz == pytest.approx(rate_hz, rel=0.01)
        assert heard.depth == pytest.approx(depth, rel=0.05)

    def test_another_frame_rate(self) -> None:
        note = make(400).replace(hop=128)
        edited = Oscillate("loudness", 30, 6).apply(note, CONTROLS)
        assert modulation((edited.z - note.z)[:, 0], 125.0).rate_hz == pytest.approx(30, rel=0.01)

    @pytest.mark.parametrize("rate_hz", [15.7, 20.0, 1000.0])
    def test_rates_that_frames_cannot_carry(self, rate_hz: float) -> None:
        for edit in (Oscillate("loudness", rate_hz, 3), OscillateChannels((2,), rate_hz, 3)):
            with pytest.raises(EditError, match=r"15\.625 Hz.*31\.25 frames"):
                edit.apply(make(), CONTROLS)

    def test_highest_rate(self) -> None:
        edited = Oscillate("loudness", 15.625, 3, phase_turns=0.25).apply(make(), CONTROLS)
        assert np.isfinite(edited.z).all()

    @pytest.mark.parametrize("shape", ["sine", "triangle", "square", "ramp"])
    def test_shapes_reach_their_depth_and_have_no_mean(self, shape: str) -> None:
        values = wave(4000, frame_rate_hz=1000.0, rate_hz=1.0, shape=shape)
        assert np.abs(values).max() == pytest.approx(1.0, abs=0.01)
        assert values.mean() == pytest.approx(0.0, abs=0.002)
        assert np.allclose(values[:1000], values[1000:2000], atol=1e-9)

    def test_shapes_by_hand(self) -> None:
        quarter = {"sine": [0, 1, 0, -1], "triangle": [0, 1, 0, -1], "square": [1, 1, -1, -1]}
        quarter["ramp"] = [-1, -0.5, 0, 0.5]
        for shape, expected in quarter.items():
            values = wave(4000, frame_rate_hz=1000.0, rate_hz=1.0, shape=shape)[:1000:250]
            assert np.allclose(values, expected, atol=1e-4)

    def test_phase_and_fade(self) -> None:
        late = wave(200, frame_rate_hz=100.0, rate_hz=2.0, phase_turns=0.25)
        assert np.allclose(late[:100], wave(225, frame_rate_hz=100.0, rate_hz=2.0)[12:112], atol=0.07)
        faded = wave(200, frame_rate_hz=100.0, rate_hz=2.0, fade_in_s=1.0)
        plain = wave(200, frame_rate_hz=100.0, rate_hz=2.0)
        assert np.allclose(faded, plain * np.minimum(np.arange(200) / 100, 1))

    def test_depth_zero_changes_nothing(self) -> None:
        note = make()
        assert np.array_equal(Oscillate("loudness", 5, 0).apply(note, CONTROLS).z, note.z)

    @pytest.mark.parametrize(
        ("fields", "message"),
        [
            (("volume", 5, 3), "target"),
            (("loudness", 5, -3), "depth"),
            (("pitch", 5, 1e5), "cents"),
            (("loudness", 0, 3), "rate_hz"),
            (("loudness", -5, 3), "rate_hz"),
            (("loudness", float("nan"), 3), "finite"),
            (("loudness", 5, 3, "saw"), "shape"),
            (("loudness", 5, 3, "sine", float("inf")), "finite"),
            (("loudness", 5, 3, "sine", 0, -1), "fade_in_s"),
        ],
    )
    def test_refuses(self, fields: tuple, message: str) -> None:
        with pytest.raises(EditError, match=message):
            Oscillate(*fields)


class TestRaw:
    def test_scale_add_and_oscillate(self) -> None:
        note = make()
        assert np.allclose(Scale((2, 5), -2).apply(note, Controls()).z[:, [2, 5]], -2 * note.z[:, [2, 5]])
        assert np.allclose((Add((3,), 0.5).apply(note, Controls()).z - note.z)[:, 3], 0.5, atol=1e-6)
        swing = OscillateChannels((7, 8), 2.0, 0.5).apply(note, Controls()).z - note.z
        assert np.allclose(swing[:, 7], swing[:, 8], atol=1e-6)
        assert np.allclose(swing[:, 7], 0.5 * wave(125, frame_rate_hz=31.25, rate_hz=2.0), atol=1e-6)
        assert not np.delete(swing, [7, 8], axis=1).any()

    def test_a_channel_named_twice_counts_once(self) -> None:
        assert np.allclose(Add((3, 3), 1).apply(make(), Controls()).z, Add((3,), 1).apply(make(), Controls()).z)

    @pytest.mark.parametrize("channels", [(), (-1,), (1.5,), "12", 3, (True,), (None,)])
    def test_channels_that_cannot_be(self, channels: object) -> None:
        with pytest.raises(EditError, match="channels"):
            Scale(channels, 2)  # type: ignore[arg-type]

    def test_channels_that_these_latents_lack(self) -> None:
        for edit in (Scale((16,), 2), Add((99,), 1), OscillateChannels((16,), 3, 1)):
            with pytest.raises(EditError, match=r"0\.\.15"):
                edit.apply(make(), Controls())


class TestValues:
    def test_edits_are_frozen_values(self) -> None:
        assert Gain(6) == Gain(6.0)
        assert hash(EditChain(EVERY_KIND)) == hash(EditChain(EVERY_KIND))
        with pytest.raises(FrozenInstanceError):
            Gain(6).db = 3  # type: ignore[misc]

    @pytest.mark.parametrize("value", [float("nan"), float("inf"), "6", None, True, [6], 1000])
    def test_bad_numbers(self, value: object) -> None:
        for kind in (Gain, Brightness, Transpose, SetPitch):
            with pytest.raises(EditError, match=kind.kind):
                kind(value)  # type: ignore[arg-type]

    def test_numpy_numbers_become_plain_ones(self) -> None:
        edit = Toward(np.arange(3, dtype=np.float32), np.float32(0.5))  # type: ignore[arg-type]
        assert type(edit.amount) is float
        assert edit.mean == (0.0, 1.0, 2.0)


class TestChain:
    def test_json_round_trip_of_every_kind(self, tmp_path: Path) -> None:
        chain = EditChain(EVERY_KIND)
        assert EditChain.from_json(chain.to_json()) == chain
        assert EditChain.load(chain.save(tmp_path / "presets" / "p.json")) == chain
        assert {item["kind"] for item in json.loads(chain.to_json())["edits"]} == {edit.kind for edit in EVERY_KIND}

    def test_a_round_trip_sounds_the_same(self) -> None:
        chain = EditChain(EVERY_KIND)
        a, b = (each.apply(make(), CONTROLS) for each in (chain, EditChain.from_json(chain.to_json())))
        assert np.array_equal(a.z, b.z)

    def test_apply_is_in_order(self) -> None:
        scaled = EditChain((Add((2,), 1), Scale((2,), 2))).apply(make(), CONTROLS)
        assert np.allclose(scaled.z[:, 2], 2 * (make().z[:, 2] + 1), atol=1e-5)

    def test_empty_chain_is_identity(self) -> None:
        note = make()
        assert EditChain().apply(note, CONTROLS) is note
        assert EditChain().requested() == {}

    def test_sums_and_iteration(self) -> None:
        chain = EditChain((Gain(3),)) + Brightness(1) + EditChain((Gain(4),))
        assert list(chain) == [Gain(3), Brightness(1), Gain(4)]
        assert len(chain) == 3
        with pytest.raises(TypeError):
            chain + 3
        with pytest.raises(EditError, match="holds edits"):
            EditChain(("gain",))  # type: ignore[arg-type]

    def test_requested(self) -> None:
        chain = EditChain(
            (Gain(3), Gain(-9), Transpose(5), Brightness(0.5), Oscillate("pitch", 6, 30), Scale((1,), 2), Transpose(2))
        )
        assert chain.requested() == {
            "gain_db": -6.0,
            "pitch_cents": 700.0,
            "brightness_octaves": 0.5,
            "osc_target": "pitch",
            "osc_rate_hz": 6.0,
            "osc_depth": 30.0,
            "osc_shape": "sine",
        }
        assert EditChain((Transpose(5), SetPitch(60), Transpose(2))).requested() == {"pitch_midi": 62.0}

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("", "must be JSON"),
            ("[" * 100_000, "must be JSON"),
            (
                '{"format_version": 1, "edits": [{"kind": "gain", "db": 1' + "0" * 400 + "}]}",
                "gain: db: should be a finite number",
            ),
            ("[]", "should be an object"),
            ('{"edits": []}', "lacks the field 'format_version'"),
            ('{"format_version": 2, "edits": []}', "format_version: should be 1; received 2"),
            ('{"format_version": 1, "edits": {}}', "should be a list"),
            ('{"format_version": 1, "edits": [{"kind": "louder"}]}', "'louder'; known are toward"),
            ('{"format_version": 1, "edits": [{"kind": ["gain"]}]}', "Unknown edit kind"),
            ('{"format_version": 1, "edits": [3]}', "Unknown edit kind 3"),
            ('{"format_version": 1, "edits": ["gain"]}', "Unknown edit kind"),
            ('{"format_version": 1, "edits": [{"kind": "gain", "dB": 3}]}', "no field 'dB'"),
            (
                '{"format_version": 1, "edits": [{"kind": "gain", "db": 1}, {"kind": "gain"}]}',
                "edits.1: gain needs 'db'",
            ),
            (
                '{"format_version": 1, "edits": [{"kind": "gain", "db": NaN}]}',
                "db: should be a finite number",
            ),
            (
                '{"format_version": 1, "edits": [{"kind": "gain", "db": "6"}]}',
                "db: should be a finite number",
            ),
        ],
    )
    def test_bad_presets(self, tmp_path: Path, text: str, message: str) -> None:
        with pytest.raises(EditError, match=message):
            EditChain.from_json(text)
        (tmp_path / "p.json").write_text(text)
        with pytest.raises(EditError, match=r"p\.json.*" + message):
            EditChain.load(tmp_path / "p.json")

    def test_a_mean_of_other_channels_is_named_before_anything_is_solved(self) -> None:
        chain = EditChain((Gain(-6), Toward((1.0, 2.0, 3.0), 0.5)))
        with pytest.raises(EditError, match="toward: mean has 3 channels, these latents 16"):
            chain.check(make())
        with pytest.raises(EditError, match="toward: mean has a detail of 1, these latents of 2"):
            EditChain((Toward((0.0,) * 17, 0.5),)).check(make().replace(detail=np.zeros(2)))
        EditChain(EVERY_KIND).check(make())

    def test_whole_numbers_are_of_a_size_that_can_be_told(self) -> None:
        with pytest.raises(EditError, match=r"scale: channels\.0: should be less than or equal to"):
            Scale((1e300,), 2)

    def test_a_byte_order_mark_is_passed_over(self, tmp_path: Path) -> None:
        (tmp_path / "p.json").write_text(EditChain((Gain(-6),)).to_json(), encoding="utf-8-sig")
        assert EditChain.load(tmp_path / "p.json") == EditChain((Gain(-6),))

    def test_missing_preset(self, tmp_path: Path) -> None:
        with pytest.raises(EditError, match="cannot be read"):
            EditChain.load(tmp_path / "none.json")


class TestControls:
    def test_round_trip(self, tmp_path: Path) -> None:
        (tmp_path / "controls.json").write_text(json.dumps(CONTROLS_JSON | {"noisiness": {"channel": 3}}))
        assert Controls.load(tmp_path / "controls.json") == CONTROLS
        assert CONTROLS.to_dict() == CONTROLS_JSON
        assert Controls.from_dict({"format_version": 1}) == Controls()

    @pytest.mark.parametrize(
        "content",
        [
            [],
            {},
            {"format_version": 2},
            {"format_version": 1, "loudness": 3},
            {"format_version": 1, "loudness": {"channel": 0}},
            {"format_version": 1, "loudness": {"channel": -1, "units_per_db": 0.05}},
            {"format_version": 1, "loudness": {"channel": 0, "units_per_db": 0}},
            {"format_version": 1, "loudness": {"channel": 0, "units_per_db": "x"}},
            {"format_version": 1, "loudness": {"channel": 0, "units_per_db": 0.05, "extra": 1}},
            {"format_version": 1, "loudness": {"channel": 0, "units_per_db": 10**400}},
        ],
    )
    def test_refuses(self, tmp_path: Path, content: object) -> None:
        with pytest.raises(CheckpointError):
            Controls.from_dict(content)  # type: ignore[arg-type]
        with pytest.raises(CheckpointError):
            Controls.load(tmp_path / "none.json")
        (tmp_path / "deep.json").write_text("[" * 100_000)
        with pytest.raises(CheckpointError, match=r"deep\.json"):
            Controls.load(tmp_path / "deep.json")
