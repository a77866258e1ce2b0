"""Edits of time, curves and envelopes against slow, plain references, and what they refuse."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from synth_explorer.edits import (
    Attack,
    Controls,
    Curve,
    Edit,
    EditChain,
    Envelope,
    Freeze,
    Gain,
    Noisiness,
    Oscillate,
    Reverse,
    Stretch,
    Transpose,
    Trim,
    wave,
)
from synth_explorer.errors import EditError
from synth_explorer.latents import Latents, LatentsMeta

RATE, HOP = 16_000, 512
META = LatentsMeta("default", "abc", RATE, HOP, duration_samples=63_000, lead_in_samples=100)
CONTROLS = Controls.from_dict(
    {
        "format_version": 1,
        "loudness": {"channel": 0, "units_per_db": 0.05, "offset_db": -40.0},
        "brightness": {"channel": 1, "units_per_octave": 1.0, "reference_hz": 1000.0},
    }
)


def make(frames: int = 124, *, seed: int = 0) -> Latents:
    rng = np.random.default_rng(seed)
    pitch_hz = 220.0 * 2.0 ** np.cumsum(rng.normal(0, 0.01, frames))
    return Latents(rng.normal(size=(frames, 16)), pitch_hz, META)


def read(note: Latents, time_s: float) -> tuple[np.ndarray, float]:
    """A note's latents and its pitch in octaves at any time, one frame after another."""
    position = min(max(time_s * note.frame_rate_hz, 0.0), note.frames - 1)
    low = int(position)
    high, part = min(low + 1, note.frames - 1), position - low
    octaves = [float(np.log2(note.pitch_hz[i])) for i in (low, high)]
    z = (1 - part) * note.z[low].astype(np.float64) + part * note.z[high]
    return z, (1 - part) * octaves[0] + part * octaves[1]


def expect(edited: Latents, note: Latents, times_s: list[float], *, duration_samples: int) -> None:
    """The edited note must be the old one as it was at `times_s`."""
    assert edited.meta.duration_samples == duration_samples
    assert edited.frames == len(times_s) == -(-duration_samples // HOP)
    for frame, time_s in enumerate(times_s):
        z, octave = read(note, time_s)
        assert np.allclose(edited.z[frame], z, atol=1e-4)
        assert np.log2(edited.pitch_hz[frame]) == pytest.approx(octave, abs=1e-5)


def times_s(duration_samples: int) -> np.ndarray:
    return np.arange(-(-duration_samples // HOP)) * HOP / RATE


class TestTime:
    @pytest.mark.parametrize("factor", [0.3, 1.0, 1.7, 4.0])
    def test_stretch(self, factor: float) -> None:
        note = make()
        length = round(63_000 * factor)
        expect(Stretch(factor).apply(note, CONTROLS), note, list(times_s(length) / factor), duration_samples=length)

    def test_stretch_keeps_the_beginning(self) -> None:
        note = make()
        stretched = Stretch(2.0, keep_s=0.32).apply(note, CONTROLS)
        assert np.allclose(stretched.z[:10], note.z[:10], atol=1e-5)
        pace = (63_000 / RATE - 0.32) / (2 * 63_000 / RATE - 0.32)
        wanted = [t if t < 0.32 else 0.32 + (t - 0.32) * pace for t in times_s(126_000)]
        expect(stretched, note, wanted, duration_samples=126_000)

    def test_stretch_and_back(self) -> None:
        note = Curve("pitch", ((0, 0), (4, 700))).apply(make().replace(z=np.zeros((124, 16))), CONTROLS)
        back = EditChain((Stretch(3.0), Stretch(1 / 3))).apply(note, CONTROLS)
        assert back.duration_samples == note.duration_samples
        assert np.allclose(back.pitch_hz, note.pitch_hz, rtol=5e-3)

    def test_freeze(self) -> None:
        note = make()
        held = Freeze(1.01).apply(note, CONTROLS)
        expect(held, note, list(np.minimum(times_s(63_000), 1.01)), duration_samples=63_000)
        long = Freeze(0.5, hold_s=5.0).apply(note, CONTROLS)
        expect(long, note, list(np.minimum(times_s(88_000), 0.5)), duration_samples=88_000)

    def test_reverse(self) -> None:
        note = make()
        back = Reverse().apply(note, CONTROLS)
        expect(back, note, list(63_000 / RATE - times_s(63_000)), duration_samples=63_000)

    def test_reverse_twice_is_the_note(self) -> None:
        note = make().replace(duration_samples=123 * HOP)  # on whole frames nothing is interpolated
        twice = EditChain((Reverse(), Reverse())).apply(note, CONTROLS)
        assert np.allclose(twice.z[1:], note.z[1:123], atol=1e-5)

    def test_trim(self) -> None:
        note = make()
        cut = Trim(0.5, 2.0).apply(note, CONTROLS)
        expect(cut, note, list(0.5 + times_s(24_000)), duration_samples=24_000)
        assert cut.meta.lead_in_samples == 100 + 8_000
        assert Trim(0.5).apply(note, CONTROLS).duration_samples == 55_000
        assert Trim(0.0, 99.0).apply(note, CONTROLS).duration_samples == 63_000

    def test_pitch_inside_z(self) -> None:
        note = Latents(np.zeros((9, 16)), np.full(9, np.nan), META.__class__("nsynth", "x", RATE, HOP))
        for edit in (Stretch(2.0), Freeze(0.1), Reverse(), Trim(0.1)):
            assert np.isnan(edit.apply(note, CONTROLS).pitch_hz).all()

    @pytest.mark.parametrize(
        ("edit", "message"),
        [
            (Stretch(64.0), "120 s"),
            (Stretch(0.5, keep_s=3.0), "keep_s=3"),
            (Freeze(4.0), r"before 3\.938 s"),
            (Freeze(1.0, hold_s=200.0), "120 s"),
            (Trim(2.0, 1.0), "start_s=2"),
            (Trim(5.0), "start_s=5"),
        ],
    )
    def test_refuses(self, edit: Edit, message: str) -> None:
        with pytest.raises(EditError, match=message):
            edit.apply(make(), CONTROLS)


class TestCurves:
    @pytest.mark.parametrize(("target", "unit"), [("loudness", 0.05), ("brightness", 1.0), ("pitch", 1.0)])
    def test_curve(self, target: str, unit: float) -> None:
        note = make()
        points = ((0.5, -1.0), (1.0, 2.0), (2.0, 0.5))
        edited = Curve(target, points).apply(note, CONTROLS)
        for frame in range(note.frames):
            time_s, wanted = frame * HOP / RATE, points[-1][1]
            if time_s <= points[0][0]:
                wanted = points[0][1]
            for (t0, v0), (t1, v1) in pairwise(points):
                if t0 < time_s <= t1:
                    wanted = v0 + (v1 - v0) * (time_s - t0) / (t1 - t0)
            if target == "pitch":
                heard = 1200 * np.log2(edited.pitch_hz[frame] / note.pitch_hz[frame])
            else:
                channel = ("loudness", "brightness").index(target)
                heard = (edited.z[frame, channel] - note.z[frame, channel]) / unit
            assert heard == pytest.approx(wanted, abs=2e-3)

    @pytest.mark.parametrize(
        ("target", "points", "message"),
        [
            ("volume", ((0, 0),), "target"),
            ("loudness", (), "points: should have at least 1 item"),
            ("loudness", ((0, 0, 0),), r"points\.0: should have at most 2 items"),
            ("loudness", (0, 1), r"points\.0: should be a list"),
            ("loudness", "up", "points: should be a list"),
            ("loudness", ((1, 0), (0.5, 1)), "rising"),
            ("loudness", ((-1, 0),), "rising"),
            ("loudness", ((0, float("nan")),), "finite"),
            ("brightness", ((0, 5),), r"-4\.\.4"),
        ],
    )
    def test_refuses(self, target: str, points: tuple, message: str) -> None:
        with pytest.raises(EditError, match=message):
            Curve(target, points)

    def test_envelope(self) -> None:
        loudness_db = np.full(124, -20.0)
        loudness_db[:5] = -100.0
        note = make().replace(z=np.column_stack([(loudness_db + 40) * 0.05, np.zeros((124, 15))]))
        edit = Envelope(attack_s=0.2, decay_s=0.5, sustain_db=-10.0, release_s=0.4)
        change = (edit.apply(note, CONTROLS).z[:, 0].astype(np.float64) - note.z[:, 0]) / 0.05
        for frame in range(124):
            since_s, left_s = (frame - 5) * HOP / RATE, (63_000 - frame * HOP) / RATE
            wanted = 20 * np.log10(min(max(since_s / 0.2, 0.001), 1.0))
            wanted += -10.0 * min(max((since_s - 0.2) / 0.5, 0.0), 1.0)
            wanted += 20 * np.log10(min(max(left_s / 0.4, 0.001), 1.0))
            assert change[frame] == pytest.approx(wanted, abs=1e-3)
        assert np.array_equal(Envelope().apply(note, CONTROLS).z, note.z)


class TestTimbre:
    def test_noisiness_adds_up_and_stays_out_of_z(self) -> None:
        note = make()
        edited = EditChain((Noisiness(-6.0), Noisiness(2.0))).apply(note, CONTROLS)
        assert edited.meta.noise_db == -4.0
        assert np.array_equal(edited.z, note.z)
        with pytest.raises(EditError, match="no noise"):
            Noisiness(3.0).apply(note.replace(pitch_hz=np.full(124, np.nan)), CONTROLS)


class TestWalk:
    def test_is_seeded_smooth_and_bounded(self) -> None:
        values, other = (wave(40_000, frame_rate_hz=31.25, rate_hz=2.0, shape="walk", seed=seed) for seed in (1, 2))
        assert np.abs(values).max() <= 1.0
        assert np.sqrt(np.mean(values**2)) == pytest.approx(0.5, abs=0.05)
        assert abs(np.corrcoef(values, other)[0, 1]) < 0.1
        short = wave(100, frame_rate_hz=31.25, rate_hz=2.0, shape="walk", seed=1)
        assert np.allclose(short, values[:100])

    def test_has_the_spectrum_that_it_states(self) -> None:
        power = np.zeros(1025)
        for seed in range(200):
            values = wave(2048, frame_rate_hz=31.25, rate_hz=2.0, shape="walk", seed=seed)
            power += np.abs(np.fft.rfft(values * np.hanning(2048))) ** 2
        rates_hz = np.fft.rfftfreq(2048, 1 / 31.25)
        bands = [
            power[(rates_hz >= low) & (rates_hz < high)].mean() for low, high in ((0.2, 0.8), (1.8, 2.2), (5.5, 6.5))
        ]
        assert 10 * np.log10(bands[1] / bands[0]) == pytest.approx(-3.0, abs=1.5)
        assert -21.0 < 10 * np.log10(bands[2] / bands[0]) < -14.0  # 1 / (1 + 3^4) is -19 dB, tanh fills in a little

    def test_as_an_edit(self) -> None:
        note = make()
        edit = Oscillate("loudness", 3.0, 6.0, "walk", seed=4)
        change = (edit.apply(note, CONTROLS).z[:, 0] - note.z[:, 0]) / 0.05
        expected = 6 * wave(124, frame_rate_hz=31.25, rate_hz=3.0, shape="walk", seed=4)
        assert np.allclose(change, expected, atol=1e-4)
        assert EditChain.from_json(EditChain((edit,)).to_json()).edits == (edit,)


def test_requested_over_a_chain() -> None:
    chain = EditChain(
        (Gain(-3), Gain(1), Transpose(2), Stretch(2), Stretch(1.5), Reverse(), Attack(0.1), Noisiness(-6), Trim(0.1, 1))
    )
    assert chain.requested() == {
        "gain_db": -2.0,
        "pitch_cents": 200.0,
        "duration_factor": 3.0,
        "reversed": True,
        "attack_s": 0.1,
        "noisiness_db": -6.0,
        "trim": {"start_s": 0.1, "end_s": 1.0},
    }
