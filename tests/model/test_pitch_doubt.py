"""Doubt about pitch: what is a note, a chord or noise, how sure a pitch is, and how people are told."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from keras import ops

from synth_explorer import audio
from synth_explorer.model.pitch_cues import outside_midi, repetition
from synth_explorer.model.pitch_doubt import KINDS, PitchDoubt
from synth_explorer.model.pitch_head import PitchHead, PitchHeadConfig, estimate, hear, note_frames
from synth_explorer.pitch import SURE, HeardPitch, doubt, folded, hz_to_midi, midi_to_hz

RATE_HZ = 16000
ROOT = Path(__file__).parents[2]
BUNDLED = ROOT / "checkpoints" / "default"
NOTES = ROOT / "synth_explorer" / "assets" / "notes"


def tone(midi: float, *, seconds: float = 1.5, partials: int = 10) -> np.ndarray:
    t = np.arange(int(seconds * RATE_HZ)) / RATE_HZ
    base = midi_to_hz(midi)
    waves = [np.sin(2 * np.pi * k * base * t + k) / k for k in range(1, partials + 1) if k * base < 7800]
    return (0.2 * np.sum(waves, axis=0) * np.exp(-t)).astype(np.float32)


@pytest.fixture(scope="module")
def head() -> PitchHead:
    if not (BUNDLED / "pitch.weights.h5").is_file():
        pytest.skip("no bundled pitch head")
    return PitchHead.load(BUNDLED / "pitch.json", BUNDLED / "pitch.weights.h5")


def test_one_sound_is_judged_as_the_network_does() -> None:
    network = PitchDoubt(16, cues=(20, 6))
    network.build()
    rng = np.random.default_rng(0)
    for standard, size in zip(network.standard, network.cues, strict=True):
        standard.adapt(rng.normal(1.0, 2.0, (50, size)))
    kind, right = rng.normal(size=(1, 20)).astype(np.float32), rng.normal(size=(1, 6)).astype(np.float32)
    network.judge(kind[0], right[0], needed=0.9)
    network.calibrate(kind=2.0, right=(0.5, 1.0))
    logits = ops.convert_to_numpy(network((kind, right)))[0]
    name, likely, sure = network.judge(kind[0], right[0], needed=0.0)
    expected = np.exp(logits[:-1]) / np.exp(logits[:-1]).sum()
    np.testing.assert_allclose(likely, expected, rtol=1e-5)
    assert sure == pytest.approx(1.0 / (1.0 + np.exp(-logits[-1])), rel=1e-5)
    assert name == KINDS[1 + int(expected[1:].argmax())]
    assert network.judge(kind[0], right[0], needed=1.01)[0] == "note"


def test_repetition_reads_a_slow_autocorrelation() -> None:
    frames, _ = note_frames(tone(50), PitchHeadConfig())
    found = repetition(frames, midi=50.0, sample_rate_hz=RATE_HZ)
    assert abs(found.midi - 50.0) < 0.3 and found.strength > 0.8
    assert found.at[0] > 0.8 > found.at[1]  # it repeats after a period, not after half of one


@pytest.mark.parametrize("hz", [12.0, 20.6, 6000.0])
def test_pitch_out_of_range_is_found(hz: float) -> None:
    t = np.arange(2 * RATE_HZ) / RATE_HZ
    frames, _ = note_frames(np.sin(2 * np.pi * hz * t).astype(np.float32), PitchHeadConfig())
    found = outside_midi(frames, low_midi=17.5, high_midi=111.5, sample_rate_hz=RATE_HZ)
    assert abs(found - hz_to_midi(hz)) < 0.5


@pytest.mark.slow
def test_head_without_doubt_loads_and_tells_notes(tmp_path: Path) -> None:
    old = PitchHead(PitchHeadConfig(width=8))
    old.build()
    old.save_weights(tmp_path / "pitch.weights.h5")
    values = {name: value for name, value in old.config.to_dict().items() if name[:4] not in ("doub", "kind")}
    (tmp_path / "pitch.json").write_text(json.dumps(values))
    head = PitchHead.load(tmp_path / "pitch.json", tmp_path / "pitch.weights.h5")
    found = estimate(head, tone(60), sample_rate_hz=RATE_HZ)
    assert found.kind == "note" and found.confidence == pytest.approx(hear(head, tone(60))[1], abs=1e-6)


@pytest.mark.slow
def test_bundled_notes_are_notes(head: PitchHead) -> None:
    sure = []
    for path in sorted(NOTES.glob("*.flac"))[::3]:
        found = estimate(head, audio.load(path, sample_rate_hz=RATE_HZ), sample_rate_hz=RATE_HZ)
        assert found.kind == "note", path.name
        sure.append(found.confidence >= SURE)
    assert np.mean(sure) > 0.7


@pytest.mark.slow
def test_chord_noise_and_tones_out_of_range_are_doubted(head: PitchHead) -> None:
    chord = estimate(head, tone(60) + tone(64) + tone(67), sample_rate_hz=RATE_HZ)
    assert chord.kind == "chord"
    noise = np.random.default_rng(0).normal(size=2 * RATE_HZ).astype(np.float32)
    assert estimate(head, noise, sample_rate_hz=RATE_HZ).kind == "unpitched"
    t = np.arange(2 * RATE_HZ) / RATE_HZ
    for hz in (12.0, 20.6, 6000.0):
        found = estimate(head, np.sin(2 * np.pi * hz * t).astype(np.float32), sample_rate_hz=RATE_HZ)
        assert found.confidence < SURE and found.kind == "note", hz


def test_bands_of_noise_about_a_kilohertz_wide_are_told_as_noise(head: PitchHead) -> None:
    rng, kinds = np.random.default_rng(4), []
    for _ in range(12):
        centre_hz, width_hz = rng.uniform(600.0, 2500.0), rng.uniform(700.0, 1400.0)
        spectrum = np.fft.rfft(rng.normal(size=24_000))
        hz = np.fft.rfftfreq(24_000, 1 / RATE_HZ)
        spectrum[np.abs(hz - centre_hz) > width_hz / 2] = 0.0
        heard = estimate(head, np.fft.irfft(spectrum).astype(np.float32), sample_rate_hz=RATE_HZ)
        assert heard.kind != "note" or heard.confidence < SURE
        kinds.append(heard.kind)
    assert kinds.count("unpitched") >= 6


def test_doubt_in_words() -> None:
    said = {
        HeardPitch(60.1, 0.99): "",
        HeardPitch(60.1, 0.62): "has a doubtful pitch: C4, 62 % sure",
        HeardPitch(60.1, 0.9799): "has a doubtful pitch: C4, 97 % sure",
        HeardPitch(36.0, 0.99, "chord"): "sounds like several pitches at once, a chord; C2 is a guess",
        HeardPitch(105.0, 0.2, "unpitched"): "has no clear pitch; A7 is a guess",
        HeardPitch(16.0, 0.1): "has a pitch outside MIDI 18 to 111",
        HeardPitch(28.0, 0.1, "outside"): "has a pitch outside MIDI 18 to 111",
    }
    for heard, words in said.items():
        assert doubt(*heard).startswith(words) and (doubt(*heard) == "") == (words == "")
    assert doubt(60.0, None, "") == ""  # it was stated


@pytest.mark.parametrize(("midi", "within"), [(16.0, 28.0), (6.5, 18.5), (112.0, 100.0), (60.0, 60.0), (126.0, 102.0)])
def test_pitches_out_of_range_are_folded_by_octaves(midi: float, within: float) -> None:
    assert folded(HeardPitch(midi, 0.1)) == (within, 0.1, "note" if midi == within else "outside")
