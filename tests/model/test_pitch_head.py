"""The pitch head: its spectrum against a slow reference, its invariances, and what the bundled weights hear."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from keras import ops

from synth_explorer.errors import AudioError, CheckpointError
from synth_explorer.model.pitch_head import LogSpectrum, PitchHead, PitchHeadConfig, estimate, hear, note_frames, read
from synth_explorer.pitch import hz_to_midi, midi_to_hz
from synth_explorer.train.pitch_notes import made_up_note, repitch, roughen

RATE_HZ = 16000
BUNDLED = Path(__file__).parents[2] / "checkpoints" / "default"


def note(midi: float, *, seconds: float = 1.0, partials: int = 8, skip: tuple[int, ...] = ()) -> np.ndarray:
    t = np.arange(int(seconds * RATE_HZ)) / RATE_HZ
    base = midi_to_hz(midi)
    waves = [
        np.sin(2 * np.pi * k * base * t + k) / k for k in range(1, partials + 1) if k * base < 7800 and k not in skip
    ]
    return (0.3 * np.sum(waves, axis=0) * np.exp(-t)).astype(np.float32)


@pytest.fixture(scope="module")
def head() -> PitchHead:
    if not (BUNDLED / "pitch.weights.h5").is_file():
        pytest.skip("no bundled pitch head")
    return PitchHead.load(BUNDLED / "pitch.json", BUNDLED / "pitch.weights.h5")


def test_config_round_trip_and_refusals() -> None:
    config = PitchHeadConfig(width=24, windows=(4096, 1024), crossovers_hz=(500.0,))
    assert PitchHeadConfig(**json.loads(json.dumps(config.to_dict()))) == config
    with pytest.raises(CheckpointError, match="unknown field 'colour'"):
        PitchHeadConfig(**{"colour": 1})
    with pytest.raises(CheckpointError, match="crossover"):
        PitchHeadConfig(windows=(4096, 1024))


def test_log_spectrum_reads_a_slow_dft() -> None:
    """A grid bin in the middle range is a triangle over the magnitudes of a Hann-windowed DFT."""
    config = PitchHeadConfig()
    frames = np.random.default_rng(0).normal(size=(1, 8192)).astype(np.float32)
    found = ops.convert_to_numpy(LogSpectrum(config)(frames))[0]
    n = np.arange(4096)
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * n / 4096)
    middle = frames[0, 2048:6144] * hann

    def level(bin_index: float) -> float:
        return abs(np.sum(middle * np.exp(-2j * np.pi * bin_index * n / 4096))) * 4 / 4096

    grid = midi_to_hz(config.grid_midi()) * 4096 / RATE_HZ
    chosen = np.flatnonzero((grid * RATE_HZ / 4096 > 255) & (grid * RATE_HZ / 4096 < 320))
    step = grid[chosen] * (2 ** (1 / 36) - 1)
    expected = []
    for at, wide in zip(grid[chosen], np.maximum(1.0, step), strict=True):
        near = np.arange(int(at - wide), int(at + wide) + 2)
        expected.append(sum(max(0.0, 1 - abs(k - at) / wide) * level(k) for k in near))
    assert len(chosen) > 3
    db = 20 * np.log10(np.array(expected))
    relative = db - db[0]
    np.testing.assert_allclose((found[chosen] - found[chosen[0]]) * config.range_db, relative, atol=0.05)


def test_spectrum_ignores_level_and_peaks_at_the_pitch() -> None:
    config = PitchHeadConfig()
    layer = LogSpectrum(config)
    for midi in (30, 57, 69, 93):
        frames, _ = note_frames(note(midi, partials=1), config)
        spectrum = ops.convert_to_numpy(layer(frames))
        assert abs(config.grid_midi()[spectrum[5].argmax()] - midi) <= 1 / 3 + 1e-6
        np.testing.assert_allclose(ops.convert_to_numpy(layer(frames * 0.01)), spectrum, atol=1e-3)


def test_stack_reads_the_bins_at_the_harmonics() -> None:
    """Against a slow loop; and a spectrum a semitone higher gives the same features one class higher."""
    config = PitchHeadConfig(width=8)
    head = PitchHead(config)
    head.build()
    spectrum = np.random.default_rng(0).random((1, len(config.grid_midi()))).astype(np.float32)
    level = np.array([-2.0], np.float32)
    stacked = ops.convert_to_numpy(head.stack(spectrum, level))
    for place, (h, off) in enumerate((h, off) for h in config.harmonics for off in range(-2, 3)):
        for row in (0, 20, config.classes - 1):
            index = round(3 * (config.class_midi()[row] - config.grid_midi()[0] + 12 * math.log2(h))) + off
            expected = spectrum[0, index] if 0 <= index < spectrum.shape[1] else 0.0
            assert stacked[0, row, place] == expected
    moved = ops.convert_to_numpy(head.stack(np.roll(spectrum, 3, axis=1), level))
    np.testing.assert_array_equal(moved[:, 2:30, :-3], stacked[:, 1:29, :-3])
    np.testing.assert_allclose(stacked[..., -1], -0.2, rtol=1e-6)


def some_frames(notes: int, frames: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    sound = rng.normal(size=(notes, frames, 8192)).astype(np.float32)
    weights = rng.random((notes, frames)).astype(np.float32)
    return sound, weights / weights.sum(axis=1, keepdims=True)


def test_shapes_and_weights_round_trip(tmp_path: Path) -> None:
    head = PitchHead(PitchHeadConfig(width=8))
    head.build()
    inputs = some_frames(3, 4)
    logits = ops.convert_to_numpy(head(inputs))
    assert logits.shape == (3, head.config.classes) and np.isfinite(logits).all()
    head.save_weights(tmp_path / "pitch.weights.h5")
    (tmp_path / "pitch.json").write_text(json.dumps(head.config.to_dict()))
    again = PitchHead.load(tmp_path / "pitch.json", tmp_path / "pitch.weights.h5")
    np.testing.assert_allclose(ops.convert_to_numpy(again(inputs)), logits, rtol=1e-5, atol=1e-6)
    with pytest.raises(CheckpointError, match="cannot be loaded"):
        PitchHead.load(tmp_path / "pitch.json", tmp_path / "none.weights.h5")


def test_order_of_frames_and_frames_of_no_weight_do_not_matter() -> None:
    head = PitchHead(PitchHeadConfig(width=8))
    head.build()
    sound, weights = some_frames(1, 4)
    logits = ops.convert_to_numpy(head((sound, weights)))
    turned = ops.convert_to_numpy(head((sound[:, ::-1], weights[:, ::-1])))
    np.testing.assert_allclose(turned, logits, atol=1e-5)
    weights[0, 3], other = 0.0, sound.copy()
    other[0, 3] = other[0, 0]
    silent = [ops.convert_to_numpy(head((each, weights))) for each in (sound, other)]
    np.testing.assert_allclose(silent[0], silent[1], atol=1e-5)


def test_reading_of_logits_between_two_classes() -> None:
    config = PitchHeadConfig()
    distance = config.class_midi() - 60.3
    midi, confidence = read(config, -0.5 * (distance / 0.4) ** 2)
    assert abs(midi - 60.3) < 0.1 and confidence > 0.95


def test_frames_of_short_late_and_silent_notes() -> None:
    config = PitchHeadConfig()
    frames, weights = note_frames(np.pad(note(60, seconds=0.3), (20000, 3000)), config)
    assert frames.shape == (config.frames, config.windows[0]) and weights.sum() == pytest.approx(1.0)
    assert np.abs(frames).max(axis=1).min() > 0.1  # every frame hears the note, not the silence around it
    for silent in (np.zeros(16000, np.float32), np.zeros(0, np.float32), np.full(100, np.nan, np.float32)):
        with pytest.raises(AudioError, match="silent"):
            note_frames(silent, config)


def test_made_up_notes_have_the_pitch_they_claim() -> None:
    """Their spectrum repeats at the period: autocorrelation at one period is near its maximum."""
    rng = np.random.default_rng(3)
    for _ in range(12):
        midi = float(rng.uniform(40, 80))
        audio = made_up_note(rng, midi=midi, sample_rate_hz=RATE_HZ)
        assert audio.dtype == np.float32 and np.isfinite(audio).all() and np.abs(audio).max() <= 1.0
        assert 0.29 * RATE_HZ < len(audio) < 1.35 * RATE_HZ
        assert np.isfinite(roughen(rng, audio, sample_rate_hz=RATE_HZ)).all()
    tone = note(60.0, partials=1)
    moved = repitch(tone, 5.0)
    peak_hz = np.abs(np.fft.rfft(moved * np.hanning(len(moved)))).argmax() * RATE_HZ / len(moved)
    assert abs(hz_to_midi(peak_hz) - 65.0) < 0.15


@pytest.mark.slow
@pytest.mark.parametrize("midi", [24, 33, 45, 57, 64, 72, 84, 96, 105])
def test_bundled_head_hears_plain_notes(head: PitchHead, midi: int) -> None:
    found, confidence, _ = estimate(head, note(midi + 0.2), sample_rate_hz=RATE_HZ)
    assert abs(found - midi - 0.2) < 0.05
    assert 0.5 < confidence <= 1.0


@pytest.mark.slow
def test_bundled_head_hears_hard_notes(head: PitchHead) -> None:
    rng = np.random.default_rng(0)
    plain = note(55)
    cases = {
        "no fundamental": note(45, skip=(1,)),
        "odd partials": note(50, partials=9, skip=(2, 4, 6, 8)),
        "short": note(52, seconds=0.3),
        "late": np.pad(plain, (16000, 8000)),
        "quiet": plain * 10 ** (-50 / 20),
        "noisy": plain + 0.01 * rng.normal(size=len(plain)).astype(np.float32),
    }
    wanted = {"no fundamental": 45, "odd partials": 50, "short": 52}
    for name, audio in cases.items():
        found, *_ = estimate(head, audio, sample_rate_hz=RATE_HZ)
        assert abs(found - wanted.get(name, 55)) < 0.1, name


def test_bundled_head_hears_a_short_high_note_beneath_a_knock(head: PitchHead) -> None:
    """A plucked string far up: the body sounds louder and lower than the string."""
    t = np.arange(RATE_HZ) / RATE_HZ
    pluck = np.sin(2 * np.pi * midi_to_hz(98) * t) * np.exp(-t / 0.15)
    body = sum(np.sin(2 * np.pi * hz * t) * np.exp(-t / 0.03) for hz in (190.0, 410.0))
    found, *_ = estimate(head, (0.3 * pluck + 0.3 * body).astype(np.float32), sample_rate_hz=RATE_HZ)
    assert abs(found - 98) < 0.2


def test_bundled_head_hears_bars_by_their_lowest_partial(head: PitchHead) -> None:
    t = np.arange(RATE_HZ) / RATE_HZ
    for midi, ratios in ((60, (1.0, 4.0, 10.0)), (72, (1.0, 3.0, 6.0)), (84, (1.0, 2.756))):
        waves = [
            np.sin(2 * np.pi * ratio * midi_to_hz(midi) * t) * np.exp(-t * ratio / 0.3) / ratio**0.5 for ratio in ratios
        ]
        found, *_ = estimate(head, (0.2 * np.sum(waves, axis=0)).astype(np.float32), sample_rate_hz=RATE_HZ)
        assert abs(found - midi) < 0.2, (midi, found)


def test_level_does_not_change_what_is_heard(head: PitchHead) -> None:
    assert hear(head, note(62) * 1e-3)[0] == pytest.approx(hear(head, note(62))[0], abs=1e-3)


def test_other_sample_rate_is_refused() -> None:
    head = PitchHead(PitchHeadConfig(width=8))
    head.build()
    with pytest.raises(AudioError, match="resample"):
        estimate(head, note(60), sample_rate_hz=44100)


@pytest.mark.long
def test_same_logits_on_jax(tmp_path: Path) -> None:
    pytest.importorskip("jax")
    head = PitchHead(PitchHeadConfig(width=8))
    head.build()
    sound, weights = some_frames(2, 3)
    head.save_weights(tmp_path / "pitch.weights.h5")
    (tmp_path / "pitch.json").write_text(json.dumps(head.config.to_dict()))
    np.savez(tmp_path / "frames.npz", sound=sound, weights=weights)
    script = (
        "import sys, numpy as np\n"
        "from synth_explorer.model.pitch_head import PitchHead\n"
        "d = sys.argv[1]\n"
        "head = PitchHead.load(d + '/pitch.json', d + '/pitch.weights.h5')\n"
        "note = np.load(d + '/frames.npz')\n"
        "np.save(d + '/logits.npy', np.asarray(head((note['sound'], note['weights']))))\n"
    )
    root = str(Path(__file__).parents[2])
    environment = {**os.environ, "KERAS_BACKEND": "jax", "PYTHONPATH": root}
    subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=True, env=environment)
    np.testing.assert_allclose(
        np.load(tmp_path / "logits.npy"), ops.convert_to_numpy(head((sound, weights))), rtol=1e-3, atol=1e-3
    )
