"""The pitch head: its spectrum against a slow reference, its invariances, and what the bundled weights hear."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from keras import ops

from synth_explorer.errors import AudioError, CheckpointError
from synth_explorer.model.pitch_head import LogSpectrum, PitchHead, PitchHeadConfig, estimate, hear, note_frames
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
    assert PitchHeadConfig.from_dict(json.loads(json.dumps(config.to_dict()))) == config
    with pytest.raises(CheckpointError, match="unknown fields: colour"):
        PitchHeadConfig.from_dict({"colour": 1})
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


def test_stack_moves_with_the_pitch() -> None:
    head = PitchHead(PitchHeadConfig(width=8))
    head.build()
    spectrum = np.random.default_rng(0).random((1, len(head.config.grid_midi()))).astype(np.float32)
    stacked = ops.convert_to_numpy(head.stack(spectrum))
    moved = ops.convert_to_numpy(head.stack(np.roll(spectrum, 5, axis=1)))
    harmonics = len(head.config.harmonics)
    np.testing.assert_allclose(moved[:, 5:150, :harmonics], stacked[:, :145, :harmonics])
    fundamental = head.config.harmonics.index(1.0)
    octave = 12 * head.config.bins_per_semitone
    np.testing.assert_allclose(stacked[0, :, fundamental], spectrum[0, octave : octave + head.config.classes])


def test_shapes_and_weights_round_trip(tmp_path: Path) -> None:
    head = PitchHead(PitchHeadConfig(width=8))
    head.build()
    frames = np.random.default_rng(0).normal(size=(3, 8192)).astype(np.float32)
    logits = ops.convert_to_numpy(head(frames))
    assert logits.shape == (3, head.config.classes) and np.isfinite(logits).all()
    head.save_weights(tmp_path / "pitch.weights.h5")
    (tmp_path / "pitch.json").write_text(json.dumps(head.config.to_dict()))
    again = PitchHead.load(tmp_path / "pitch.json", tmp_path / "pitch.weights.h5")
    np.testing.assert_allclose(ops.convert_to_numpy(again(frames)), logits, rtol=1e-5, atol=1e-6)
    with pytest.raises(CheckpointError, match="cannot be loaded"):
        PitchHead.load(tmp_path / "pitch.json", tmp_path / "none.weights.h5")


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
        assert 0.29 * RATE_HZ < len(audio) < 1.61 * RATE_HZ
        assert np.isfinite(roughen(rng, audio, sample_rate_hz=RATE_HZ)).all()
    tone = note(60.0, partials=1)
    moved = repitch(tone, 5.0)
    peak_hz = np.abs(np.fft.rfft(moved * np.hanning(len(moved)))).argmax() * RATE_HZ / len(moved)
    assert abs(hz_to_midi(peak_hz) - 65.0) < 0.15


def test_trains_on_made_up_notes(tmp_path: Path) -> None:
    from synth_explorer.train.pitch import train_pitch

    lines: list[str] = []
    small = PitchHeadConfig(width=4, windows=(2048, 1024), crossovers_hz=(500.0,))
    out = train_pitch([], tmp_path / "head", minutes=0.06, seed=1, config=small, log=lines.append)
    assert PitchHead.load(out / "pitch.json", out / "pitch.weights.h5").config == small
    assert "held out" in lines[-1]


@pytest.mark.parametrize("midi", [24, 33, 45, 57, 64, 72, 84, 96, 105])
def test_bundled_head_hears_plain_notes(head: PitchHead, midi: int) -> None:
    found, confidence = estimate(head, note(midi + 0.2), sample_rate_hz=RATE_HZ)
    assert abs(found - midi - 0.2) < 0.05
    assert 0.5 < confidence <= 1.0


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
        found, _ = estimate(head, audio, sample_rate_hz=RATE_HZ)
        assert abs(found - wanted.get(name, 55)) < 0.1, name


def test_level_does_not_change_what_is_heard(head: PitchHead) -> None:
    assert hear(head, note(62) * 1e-3)[0] == pytest.approx(hear(head, note(62))[0], abs=1e-3)


def test_other_sample_rate_is_refused() -> None:
    head = PitchHead(PitchHeadConfig(width=8))
    head.build()
    with pytest.raises(AudioError, match="resample"):
        estimate(head, note(60), sample_rate_hz=44100)


@pytest.mark.slow
def test_same_logits_on_jax(tmp_path: Path) -> None:
    pytest.importorskip("jax")
    head = PitchHead(PitchHeadConfig(width=8))
    head.build()
    frames = np.random.default_rng(0).normal(size=(2, 8192)).astype(np.float32)
    head.save_weights(tmp_path / "pitch.weights.h5")
    (tmp_path / "pitch.json").write_text(json.dumps(head.config.to_dict()))
    np.save(tmp_path / "frames.npy", frames)
    script = (
        "import sys, numpy as np\n"
        "from synth_explorer.model.pitch_head import PitchHead\n"
        "d = sys.argv[1]\n"
        "head = PitchHead.load(d + '/pitch.json', d + '/pitch.weights.h5')\n"
        "np.save(d + '/logits.npy', np.asarray(head(np.load(d + '/frames.npy'))))\n"
    )
    root = str(Path(__file__).parents[2])
    environment = {**os.environ, "KERAS_BACKEND": "jax", "PYTHONPATH": root}
    subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=True, env=environment)
    np.testing.assert_allclose(
        np.load(tmp_path / "logits.npy"), ops.convert_to_numpy(head(frames)), rtol=1e-3, atol=1e-3
    )
