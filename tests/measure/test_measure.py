"""Measures against naive references, known signals and invariances."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from synth_explorer import measure
from synth_explorer.edits import EditChain, Gain, Oscillate, SetPitch, Stretch, Transpose, Trim
from synth_explorer.edits.waves import FUNDAMENTAL
from synth_explorer.errors import AudioError
from synth_explorer.measure.distance import align

RATE_HZ = 16_000


def note(
    pitch_hz: float = 220.0,
    *,
    seconds: float = 2.0,
    tilt: float = 1.0,
    decay: float = 1.0,
    vibrato_cents: float = 0.0,
    vibrato_hz: float = 5.5,
    noise: float = 0.0,
    seed: int = 0,
    rate_hz: int = RATE_HZ,
) -> np.ndarray:
    """A harmonic note with random phases that decays by `decay` nepers a second."""
    rng = np.random.default_rng(seed)
    time_s = np.arange(round(seconds * rate_hz)) / rate_hz
    phase = 2 * np.pi * np.cumsum(pitch_hz * 2 ** (vibrato_cents / 1200 * np.sin(2 * np.pi * vibrato_hz * time_s)))
    count = max(1, min(40, int(7_800 / pitch_hz)))
    parts = (np.sin(k * phase / rate_hz + rng.uniform(0, 6.28)) * k**-tilt for k in range(1, count + 1))
    sound = sum(parts) * np.exp(-decay * time_s)
    return (0.3 * sound / np.abs(sound).max() + noise * rng.normal(size=time_s.size)).astype(np.float32)


def naive_log_mel_distance_db(a: np.ndarray, b: np.ndarray) -> float:
    """The definition, band by band and frame by frame, without alignment."""
    edges_mel = np.linspace(2595 * math.log10(1 + 30 / 700), 2595 * math.log10(1 + 8000 / 700), 82)
    bins_mel = [2595 * math.log10(1 + 16_000 * bin_ / 1024 / 700) for bin_ in range(513)]
    window = [0.5 - 0.5 * math.cos(2 * math.pi * n / 1024) for n in range(1024)]
    total, count = 0.0, 0
    for start in range(0, len(a) - 1023, 256):
        spectra = [np.abs(np.fft.rfft(sound[start : start + 1024] * window)) for sound in (a, b)]
        for low, centre, high in zip(edges_mel[:-2], edges_mel[1:-1], edges_mel[2:], strict=True):
            bands = [0.0, 0.0]
            for bin_ in range(513):
                weight = min((bins_mel[bin_] - low) / (centre - low), (high - bins_mel[bin_]) / (high - centre))
                if weight > 0:
                    bands = [band + weight * spectrum[bin_] for band, spectrum in zip(bands, spectra, strict=True)]
            total += abs(20 * math.log10((bands[0] + 0.01) / (bands[1] + 0.01)))
            count += 1
    return total / count


class TestLogMelDistance:
    def test_naive_reference(self) -> None:
        a, b = note(seconds=0.25), note(seconds=0.25, tilt=2.0, seed=1)
        fast = float(
            np.mean(
                np.abs(
                    20 * np.log10((measure.mel_magnitudes(a) + 0.01) / (measure.mel_magnitudes(b) + 0.01)),
                )
            )
        )
        assert fast == pytest.approx(naive_log_mel_distance_db(a, b), rel=1e-4)
        c, d = align(a, b)
        assert measure.log_mel_distance_db(a, b, sample_rate_hz=RATE_HZ) == pytest.approx(
            naive_log_mel_distance_db(c, d), rel=1e-4
        )

    def test_zero_and_symmetry(self) -> None:
        a, b = note(), note(tilt=2.0, seed=1)
        assert measure.log_mel_distance_db(a, a, sample_rate_hz=RATE_HZ) == 0.0
        forth = measure.log_mel_distance_db(a, b, sample_rate_hz=RATE_HZ)
        assert measure.log_mel_distance_db(b, a, sample_rate_hz=RATE_HZ) == pytest.approx(forth, rel=1e-6)

    def test_six_db_of_a_loud_noise_are_six_db(self) -> None:
        loud = np.random.default_rng(0).normal(size=RATE_HZ).astype(np.float32)
        assert measure.log_mel_distance_db(loud, loud / 2, sample_rate_hz=RATE_HZ) == pytest.approx(6.02, abs=0.05)

    def test_what_lies_under_the_floor_does_not_count(self) -> None:
        quiet = 1e-7 * np.random.default_rng(0).normal(size=RATE_HZ).astype(np.float32)
        assert measure.log_mel_distance_db(note(seconds=1.0), note(seconds=1.0) + quiet, sample_rate_hz=RATE_HZ) < 0.03

    @pytest.mark.parametrize("shift_ms", [-95, -20, 7, 50, 95])
    def test_shifts_up_to_100_ms_are_aligned(self, shift_ms: int) -> None:
        a, shift = note(decay=4.0), shift_ms * 16
        a = np.pad(a, (2000, 0))
        b = np.pad(a, (shift, 0)) if shift > 0 else a[-shift:]
        assert measure.log_mel_distance_db(a, b, sample_rate_hz=RATE_HZ) < 0.1

    def test_a_steady_tone_is_not_shifted(self) -> None:
        a = note(decay=0.0)
        kept, other = align(a, a * 0.5)
        assert kept.size == other.size == a.size

    def test_a_shift_of_a_second_is_not_hidden(self) -> None:
        a = np.pad(note(decay=4.0), (0, RATE_HZ))
        assert measure.log_mel_distance_db(a, np.roll(a, RATE_HZ), sample_rate_hz=RATE_HZ) > 5

    def test_other_rates_give_the_same_figure(self) -> None:
        pair = [note(pitch_hz=220, tilt=tilt, rate_hz=48_000, seconds=1.0) for tilt in (1.0, 1.5)]
        low = [note(pitch_hz=220, tilt=tilt, seconds=1.0) for tilt in (1.0, 1.5)]
        high_db = measure.log_mel_distance_db(*pair, sample_rate_hz=48_000)
        assert high_db == pytest.approx(measure.log_mel_distance_db(*low, sample_rate_hz=RATE_HZ), rel=0.03)

    def test_short_and_silent(self) -> None:
        assert measure.log_mel_distance_db(note()[:100], note()[:50], sample_rate_hz=RATE_HZ) >= 0
        assert measure.log_mel_distance_db(np.zeros(5000), np.zeros(5000), sample_rate_hz=RATE_HZ) == 0.0
        with pytest.raises(AudioError, match="rendered"):
            measure.log_mel_distance_db(note(), np.full(9, np.nan), sample_rate_hz=RATE_HZ)

    def test_multi_resolution(self) -> None:
        a = note()
        assert measure.multi_resolution_stft(a, a, sample_rate_hz=RATE_HZ) == 0.0
        near, far = (measure.multi_resolution_stft(a, note(tilt=t), sample_rate_hz=RATE_HZ) for t in (1.1, 2.0))
        assert 0 < near < far


class TestLevel:
    def test_rms_of_a_sine(self) -> None:
        sine = np.sin(2 * np.pi * np.arange(RATE_HZ) / 100)
        assert measure.rms_db(sine) == pytest.approx(-3.01, abs=0.01)
        assert measure.rms_db(np.zeros(10)) == -140.0

    @pytest.mark.parametrize("gain_db", [-12.0, -6.0, 0.0, 6.0])
    def test_every_level_measure_moves_by_a_gain(self, gain_db: float) -> None:
        a = note()
        b = a * 10 ** (gain_db / 20)
        assert measure.level_error_db(a, b) == pytest.approx(gain_db, abs=1e-3)
        loudness = [measure.loudness_db(x, sample_rate_hz=RATE_HZ) for x in (a, b)]
        assert loudness[1] - loudness[0] == pytest.approx(gain_db, abs=0.01)

    def test_loudness_of_a_known_sine(self) -> None:
        sine = np.sin(2 * np.pi * 997 * np.arange(3 * 48_000) / 48_000)
        assert measure.loudness_db(sine, sample_rate_hz=48_000) == pytest.approx(-3.01, abs=0.05)

    def test_loudness_falls_back_to_rms(self) -> None:
        short, quiet = note(seconds=0.3), 1e-5 * note()
        for sound in (short, quiet, np.zeros(RATE_HZ, np.float32)):
            assert measure.loudness_db(sound, sample_rate_hz=RATE_HZ) == measure.rms_db(sound)

    @pytest.mark.parametrize("attack_ms", [20.0, 100.0, 500.0])
    def test_attack_of_a_ramp(self, attack_ms: float) -> None:
        time_ms = np.arange(2 * RATE_HZ) / 16
        ramp = np.minimum(time_ms / attack_ms, 1.0) * np.sin(2 * np.pi * 1000 * time_ms / 1000)
        ramp = np.pad(ramp, (500, 0))
        assert measure.attack_time_ms(ramp, sample_rate_hz=RATE_HZ) == pytest.approx(0.8 * attack_ms, abs=1.5)
        assert measure.attack_error_ms(ramp, ramp, sample_rate_hz=RATE_HZ) == 0.0

    def test_envelope_naive_reference(self) -> None:
        sound = note(seconds=0.02)
        expected = [np.sqrt(np.sum(sound[max(i - 40, 0) : i + 40].astype(float) ** 2) / 80) for i in range(sound.size)]
        assert np.allclose(measure.rms_envelope(sound, sample_rate_hz=RATE_HZ), expected, atol=1e-6)

    @pytest.mark.parametrize("frequency_hz", [500.0, 1000.0, 3000.0])
    def test_centroid_of_a_sine(self, frequency_hz: float) -> None:
        sine = 0.5 * np.sin(2 * np.pi * frequency_hz * np.arange(RATE_HZ) / RATE_HZ)
        brightness = measure.brightness_octaves(sine, sample_rate_hz=RATE_HZ)
        assert brightness == pytest.approx(math.log2(frequency_hz), abs=0.01)
        assert measure.brightness_octaves(sine * 0.01, sample_rate_hz=RATE_HZ) == pytest.approx(brightness, abs=1e-4)

    def test_quiet_tails_do_not_count(self) -> None:
        quiet = 1e-4 * np.random.default_rng(0).normal(size=2 * RATE_HZ)
        tailed = np.concatenate([note(), quiet])
        difference = measure.brightness_octaves(tailed, sample_rate_hz=RATE_HZ)
        assert difference == pytest.approx(measure.brightness_octaves(note(), sample_rate_hz=RATE_HZ), abs=0.05)

    def test_silence(self) -> None:
        assert math.isnan(measure.brightness_octaves(np.zeros(5000), sample_rate_hz=RATE_HZ))


class TestPitch:
    @pytest.mark.parametrize(
        "pitch_hz", [27.5, 440.0, 4000.0, *(pytest.param(hz, marks=pytest.mark.long) for hz in (41.2, 110.0, 1760.0))]
    )
    @pytest.mark.parametrize(
        "how", [{}, {"vibrato_cents": 40.0, "decay": 2.0}, {"decay": 7.0}, {"noise": 0.003}], ids=str
    )
    def test_a_cent(self, pitch_hz: float, how: dict) -> None:
        for cents in (3.7, -12.0):
            a = note(pitch_hz, **how)
            b = note(pitch_hz * 2 ** (cents / 1200), tilt=1.4, seed=3, **how)
            told = measure.pitch_cents_difference(a, b, sample_rate_hz=RATE_HZ, around_hz=pitch_hz)
            found = measure.pitch_cents_difference(a, b, sample_rate_hz=RATE_HZ)
            assert told == pytest.approx(cents, abs=1.0)
            assert found == pytest.approx(cents, abs=1.0)

    @pytest.mark.parametrize("semitones", [-12, -7, 5, 12])
    @pytest.mark.parametrize("pitch_hz", [65.0, 220.0, 880.0])
    def test_transpositions(self, pitch_hz: float, semitones: int) -> None:
        a, b = note(pitch_hz), note(pitch_hz * 2 ** (semitones / 12), seed=1)
        assert measure.pitch_cents_difference(a, b, sample_rate_hz=RATE_HZ) == pytest.approx(100 * semitones, abs=1.0)
        told = measure.pitch_cents_difference(
            a, b, sample_rate_hz=RATE_HZ, around_hz=(pitch_hz, pitch_hz * 2 ** (semitones / 12) * 1.01)
        )
        assert told == pytest.approx(100 * semitones, abs=1.0)

    def test_antisymmetry_and_gain(self) -> None:
        a, b = note(200.0), note(203.0, tilt=2.0)
        forth = measure.pitch_cents_difference(a, b, sample_rate_hz=RATE_HZ)
        assert measure.pitch_cents_difference(b, a, sample_rate_hz=RATE_HZ) == pytest.approx(-forth, abs=0.01)
        assert measure.pitch_cents_difference(a, 0.01 * b, sample_rate_hz=RATE_HZ) == pytest.approx(forth, abs=0.01)

    @pytest.mark.parametrize("pitch_hz", [27.5, 82.4, 261.63, 1046.5, 4186.0])
    def test_pitch_hz(self, pitch_hz: float) -> None:
        found = measure.pitch_hz(note(pitch_hz), sample_rate_hz=RATE_HZ)
        assert 1200 * abs(math.log2(found / pitch_hz)) < 1.0

    def test_a_missing_fundamental(self) -> None:
        time_s = np.arange(RATE_HZ) / RATE_HZ
        sound = sum(np.sin(2 * np.pi * 110.3 * k * time_s + k) for k in (3, 4, 5, 6, 7)) * 0.1
        assert measure.pitch_hz(sound, sample_rate_hz=RATE_HZ) == pytest.approx(110.3, rel=0.0005)

    def test_noise_and_silence_have_none(self) -> None:
        noise = np.random.default_rng(0).normal(size=RATE_HZ).astype(np.float32)
        for sound in (noise, np.zeros(RATE_HZ, np.float32)):
            assert math.isnan(measure.pitch_hz(sound, sample_rate_hz=RATE_HZ))
            assert math.isnan(measure.pitch_cents_difference(sound, note(), sample_rate_hz=RATE_HZ))

    @pytest.mark.parametrize("samples", [1, 10, 300, 2000])
    def test_very_short_sounds_do_not_fail(self, samples: int) -> None:
        short = note()[:samples]
        cents = measure.pitch_cents_difference(short, short, sample_rate_hz=RATE_HZ)
        assert math.isnan(cents) or cents == pytest.approx(0.0, abs=1e-6)
        heard = measure.compare(short, short, sample_rate_hz=RATE_HZ)
        assert heard["gain_db"] == heard["loudness_db"] == 0.0
        assert all(value == pytest.approx(0.0, abs=1e-6) or math.isnan(value) for value in heard.values())

    @pytest.mark.parametrize("samples", [1, 520, 700])
    def test_a_click_is_too_short_to_be_followed(self, samples: int) -> None:
        click = np.zeros(samples, np.float32)
        click[-1] = 0.3
        track = measure.pitch_track_cents(click, sample_rate_hz=RATE_HZ, around_hz=220.0, track_rate_hz=125.0)
        assert track.size == samples // 128 and np.isnan(track).all()

    def test_around_out_of_range(self) -> None:
        with pytest.raises(AudioError, match="around_hz"):
            measure.pitch_hz(note(), sample_rate_hz=RATE_HZ, around_hz=9_000.0)


class TestModulation:
    @pytest.mark.parametrize("rate_hz", [0.8, 1.0, 3.3, 5.0, 9.7, 12.0, 15.0])
    @pytest.mark.parametrize("frame_rate_hz", [31.25, 125.0])
    def test_rate_and_depth_beside_a_decay(self, rate_hz: float, frame_rate_hz: float) -> None:
        time_s = np.arange(round(4 * frame_rate_hz)) / frame_rate_hz
        noise = 0.1 * np.random.default_rng(0).normal(size=time_s.size)
        track = -3 * time_s + 4 * np.exp(-1.5 * time_s) + 2 * np.sin(2 * np.pi * rate_hz * time_s + 1) + noise
        heard = measure.modulation(track, frame_rate_hz)
        assert heard.rate_hz == pytest.approx(rate_hz, rel=0.01)
        assert heard.depth == pytest.approx(2.0, rel=0.05)

    def test_gaps_and_weights(self) -> None:
        time_s = np.arange(200) / 50
        track = 3 * np.sin(2 * np.pi * 4 * time_s)
        track[60:80] = np.nan
        track[150:] = 50.0
        heard = measure.modulation(track, 50.0, weights=np.arange(200) < 150)
        assert heard == pytest.approx((4.0, 3.0), rel=1e-3)

    def test_too_little_to_tell(self) -> None:
        assert all(math.isnan(value) for value in measure.modulation(np.full(100, np.nan), 31.25))
        assert all(math.isnan(value) for value in measure.modulation(np.zeros(5), 31.25))

    def test_a_steady_track_has_depth_zero(self) -> None:
        assert measure.modulation(np.full(100, 3.0), 31.25).depth == pytest.approx(0.0, abs=1e-6)


class TestOscillation:
    @pytest.mark.parametrize("rate_hz", [1.0, 5.0, 12.0, 15.0])
    @pytest.mark.parametrize("pitch_hz", [55.0, 220.0, 1500.0])
    def test_loudness(self, rate_hz: float, pitch_hz: float) -> None:
        plain = note(pitch_hz, seconds=3.0)
        swing_db = 4 * np.sin(2 * np.pi * rate_hz * np.arange(plain.size) / RATE_HZ)
        swinging = (plain * 10 ** (swing_db / 20)).astype(np.float32)
        heard = measure.oscillation(swinging, before=plain, sample_rate_hz=RATE_HZ, target="loudness")
        assert heard.rate_hz == pytest.approx(rate_hz, rel=0.01)
        assert heard.depth == pytest.approx(4.0, rel=0.05)

    @pytest.mark.parametrize(("rate_hz", "cents"), [(1.0, 100.0), (5.5, 40.0), (12.0, 20.0)])
    @pytest.mark.parametrize("pitch_hz", [82.0, 220.0, 1500.0])
    def test_pitch(self, rate_hz: float, cents: float, pitch_hz: float) -> None:
        plain = note(pitch_hz, seconds=3.0)
        swinging = note(pitch_hz, seconds=3.0, vibrato_cents=cents, vibrato_hz=rate_hz)
        for before in (plain, None):
            heard = measure.oscillation(swinging, before=before, sample_rate_hz=RATE_HZ, target="pitch")
            assert heard.rate_hz == pytest.approx(rate_hz, rel=0.01)
            assert heard.depth == pytest.approx(cents, rel=0.05)

    @pytest.mark.parametrize("rate_hz", [1.0, 5.0, 12.0])
    @pytest.mark.parametrize("pitch_hz", [110.0, 440.0])
    def test_brightness(self, rate_hz: float, pitch_hz: float) -> None:
        time_s = np.arange(3 * RATE_HZ) / RATE_HZ
        harmonics = np.arange(1, int(7_800 / pitch_hz))[:, None]
        tilt = 1.5 - 0.3 * np.sin(2 * np.pi * rate_hz * time_s)
        heights = harmonics**-tilt
        octaves = np.log2((harmonics * heights).sum(axis=0) / heights.sum(axis=0))
        phases = 2 * np.pi * pitch_hz * harmonics * time_s + np.arange(harmonics.size)[:, None] ** 2
        sound = (0.1 * (heights * np.sin(phases)).sum(axis=0)).astype(np.float32)
        plain = (0.1 * (harmonics**-1.5 * np.sin(phases)).sum(axis=0)).astype(np.float32)
        expected = measure.modulation(octaves[::128], 125.0).depth
        heard = measure.oscillation(sound, before=plain, sample_rate_hz=RATE_HZ, target="brightness")
        assert heard.rate_hz == pytest.approx(rate_hz, rel=0.01)
        assert heard.depth == pytest.approx(expected, rel=0.05)

    def test_unknown_target(self) -> None:
        with pytest.raises(AudioError, match="target"):
            measure.oscillation(note(), sample_rate_hz=RATE_HZ, target="colour")


class TestReport:
    def test_compare(self) -> None:
        a = note(220.0)
        changed = measure.compare(a, 0.5 * note(220.0 * 2 ** (10 / 1200)), sample_rate_hz=RATE_HZ, pitch_hz=220.0)
        assert changed["gain_db"] == pytest.approx(-6.02, abs=0.05)
        assert changed["loudness_db"] == pytest.approx(-6.02, abs=0.1)
        assert changed["pitch_cents"] == pytest.approx(10.0, abs=0.5)
        assert changed["brightness_octaves"] == pytest.approx(0.0, abs=0.02)

    def test_report_has_the_keys_of_the_design(self) -> None:
        plain = note(220.0, seconds=3.0)
        swing_db = 3 * np.sin(2 * np.pi * 5 * np.arange(plain.size) / RATE_HZ)
        chain = EditChain((Gain(-6), Oscillate("loudness", 5, 3)))
        after = (0.5012 * plain * 10 ** (swing_db / 20)).astype(np.float32)
        told = measure.report(chain, plain, after, sample_rate_hz=RATE_HZ, pitch_hz=220.0)
        assert told["requested"]["gain_db"] == -6.0
        assert set(told["measured"]) == {
            "gain_db",
            "loudness_db",
            "brightness_octaves",
            "pitch_cents",
            "osc_rate_hz",
            "osc_depth",
        }
        assert told["measured"]["osc_rate_hz"] == pytest.approx(5.0, rel=0.01)
        assert told["measured"]["osc_depth"] == pytest.approx(3.0, rel=0.05)
        assert abs(told["measured"]["pitch_cents"]) < 1.0
        json.dumps(told, allow_nan=False)

    def test_pitch_goals(self) -> None:
        before, after = note(220.0), note(220.0 * 2 ** (7 / 12))
        for chain in (EditChain((Transpose(7),)), EditChain((SetPitch(64),)), {"pitch_cents": 700.0}):
            told = measure.report(chain, before, after, sample_rate_hz=RATE_HZ, pitch_hz=220.0)
            assert told["requested"]["pitch_cents"] == pytest.approx(700.0)
            assert told["measured"]["pitch_cents"] == pytest.approx(700.0, abs=1.0)
            assert "osc_rate_hz" not in told["measured"]

    def test_a_stretch_is_measured_unless_something_is_cut(self) -> None:
        before, after = note(220.0, seconds=1.0), note(220.0, seconds=1.5)
        rate = {"sample_rate_hz": RATE_HZ, "pitch_hz": 220.0}
        told = measure.report(EditChain((Stretch(1.5),)), before, after, **rate)
        assert told["measured"]["duration_factor"] == pytest.approx(1.5)
        told = measure.report(EditChain((Trim(0.0, 1.0), Stretch(1.5))), before, after, **rate)
        assert "duration_factor" not in told["measured"] and told["requested"]["duration_factor"] == 1.5

    def test_what_cannot_be_measured_is_null(self) -> None:
        silence = np.zeros(RATE_HZ, np.float32)
        told = measure.report(EditChain((Oscillate("pitch", 5, 3),)), silence, silence, sample_rate_hz=RATE_HZ)
        assert told["measured"]["pitch_cents"] is None
        assert told["measured"]["osc_depth"] is None
        json.dumps(told, allow_nan=False)
        told = measure.report({}, note(), note(), sample_rate_hz=RATE_HZ, pitch_hz=8.2)
        assert told["measured"]["pitch_cents"] is None

    @pytest.mark.parametrize("shape", ["triangle", "square", "ramp"])
    def test_depth_of_other_shapes(self, shape: str) -> None:
        turns = 3.0 * np.arange(4000) / 1000
        part = np.mod(turns, 1)
        values = {
            "triangle": 1 - 4 * np.abs(np.mod(part + 0.25, 1) - 0.5),
            "square": np.where(part < 0.5, 1.0, -1.0),
            "ramp": 2 * part - 1,
        }
        assert measure.modulation(values[shape], 1000.0).depth == pytest.approx(FUNDAMENTAL[shape], rel=0.02)


def test_the_whole_band_is_measured_and_what_lies_above_8_khz_alone() -> None:
    rng = np.random.default_rng(0)
    noise = 0.1 * rng.standard_normal(48_000)
    spectrum = np.fft.rfft(noise)
    spectrum[np.fft.rfftfreq(48_000, 1 / 48_000) > 8_000] = 0.0
    dull = np.fft.irfft(spectrum).astype(np.float32)
    noise = noise.astype(np.float32)
    same = measure.band_distances_db(noise, noise, sample_rate_hz=48_000)
    assert same.whole == same.high == 0.0
    softer = measure.band_distances_db(noise, 0.5 * noise, sample_rate_hz=48_000)
    assert softer.whole == pytest.approx(6.02, abs=0.1) and softer.high == pytest.approx(6.02, abs=0.1)
    silent = measure.band_distances_db(noise, dull, sample_rate_hz=48_000)
    assert silent.high > 40.0 and 0.2 < silent.whole / silent.high < 0.4
    assert measure.log_mel_distance_db(noise, dull, sample_rate_hz=48_000) < 0.2
