"""Training of the pitch head: its features, the changes made to batches of them, and a few seconds of learning."""

from __future__ import annotations

import contextlib
import errno
from pathlib import Path

import numpy as np
import pytest
from keras import ops

from synth_explorer.model.pitch_head import PitchHead, PitchHeadConfig, note_frames
from synth_explorer.pitch import midi_to_hz
from synth_explorer.train import pitch_features
from synth_explorer.train.pitch import save, targets, train_pitch
from synth_explorer.train.pitch_notes import knock, made_up_note

RATE_HZ = 16000
SMALL = PitchHeadConfig(width=8, seen=4, windows=(2048, 1024), crossovers_hz=(500.0,))


@pytest.fixture(scope="module")
def head() -> PitchHead:
    head = PitchHead(SMALL)
    head.build()
    return head


@pytest.fixture(scope="module")
def features(head: PitchHead) -> pitch_features.Features:
    return pitch_features.prepare(head, [], split="train", seconds=60.0, seed=0, limit=40)


@pytest.fixture(scope="module")
def bank(head: PitchHead) -> pitch_features.Bank:
    return pitch_features.make_bank(head, seed=0, size=16)


def test_prepared_spectra_are_those_the_head_hears(head: PitchHead) -> None:
    audio = made_up_note(np.random.default_rng(1), midi=60.0, sample_rate_hz=RATE_HZ)
    frames, _ = note_frames(audio, SMALL, count=pitch_features.PREPARED_FRAMES)
    levels = pitch_features._levels(head, frames[None])[0].astype(np.float32)
    heard = ops.convert_to_numpy(head.spectrum(frames))
    np.testing.assert_allclose(pitch_features.normalise(levels, SMALL), heard, atol=2e-3)


def test_same_seed_same_features(head: PitchHead, features: pitch_features.Features) -> None:
    again = pitch_features.prepare(head, [], split="train", seconds=60.0, seed=0, limit=8)
    np.testing.assert_array_equal(again.midi, features.midi[:8])
    np.testing.assert_allclose(again.levels[:8].astype(np.float32), features.levels[:8].astype(np.float32), atol=0.2)
    assert features.levels.dtype == np.float16 and features.levels.max() == 0.0


def test_batches_are_changed_but_stay_spectra(features: pitch_features.Features, bank: pitch_features.Bank) -> None:
    rng, rows = np.random.default_rng(0), np.arange(32)
    spectra, weights, midi = pitch_features.batch(rng, features, bank, rows, SMALL, frames=4)
    assert spectra.shape == (32, 4, len(SMALL.grid_midi())) and spectra.min() >= 0.0 and spectra.max() <= 1.0
    np.testing.assert_allclose(weights.sum(axis=1), 1.0, rtol=1e-5)
    moved = (midi - features.midi[rows]) * SMALL.bins_per_semitone
    inside = (midi > SMALL.low_midi) & (midi < SMALL.high_midi)
    np.testing.assert_allclose(moved[inside], moved[inside][0], atol=1e-3)  # one batch, one transposition
    other = pitch_features.batch(rng, features, bank, rows, SMALL, frames=4)[0]
    assert np.abs(other - spectra).mean() > 0.01


def test_shift_moves_spectrum_and_pitch_together() -> None:
    spectra = np.zeros((1, 1, 40), np.float32)
    spectra[0, 0, 20] = 1.0
    for bins in (-6, 0, 5):
        moved, midi = pitch_features.shift(spectra, np.array([60.0]), bins, SMALL)
        assert moved[0, 0].argmax() == 20 + bins and midi[0] == pytest.approx(60.0 + bins / 3)


def test_odd_only_leaves_no_even_partials() -> None:
    t = np.arange(RATE_HZ) / RATE_HZ
    base = float(midi_to_hz(57.0))  # 220 Hz
    audio = sum(np.sin(2 * np.pi * k * base * t + k) for k in range(1, 7))
    spectrum = np.abs(np.fft.rfft(pitch_features._odd_only(audio, 57.0, RATE_HZ)[1000:15000] * np.hanning(14000)))
    level = [spectrum[round(k * base * 14000 / RATE_HZ)] for k in range(1, 7)]
    assert max(level[1::2]) < 0.1 * min(level[0::2])


def test_tones_of_the_bank_peak_at_their_bins(bank: pitch_features.Bank) -> None:
    far = 150  # below, the grid is finer than the windows
    assert np.abs(bank.tones[far:-6].argmax(axis=1) - np.arange(far, len(bank.tones) - 6)).max() <= 1


def test_knocks_fade() -> None:
    rng = np.random.default_rng(0)
    for _ in range(8):
        sound = knock(rng, RATE_HZ, RATE_HZ)
        assert np.abs(sound[-RATE_HZ // 10 :]).max() < 0.1 * np.abs(sound).max()


def test_targets_are_soft_and_centred() -> None:
    share = targets(SMALL, np.array([60.0, 61.4], np.float32))
    np.testing.assert_allclose(share.sum(axis=1), 1.0, rtol=1e-6)
    assert SMALL.class_midi()[share.argmax(axis=1)].tolist() == [60.0, 61.0]


@pytest.mark.parametrize(("renames", "left"), [(1, {"pitch.weights.h5"}), (2, {"pitch.weights.h5"}), (3, None)])
def test_heads_are_never_mixed(
    head: PitchHead, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, renames: int, left: set[str] | None
) -> None:
    """Whoever is stopped between the two files leaves weights that nobody takes for those of the other's config."""
    out = tmp_path / "head"
    save(head, out)
    both = {path.name: path.read_bytes() for path in out.iterdir()}
    assert set(both) == {"pitch.json", "pitch.weights.h5"}
    replace, calls = Path.replace, iter(range(1, 9))

    def stopped(path: Path, target: Path) -> Path:
        if next(calls) == renames:
            raise KeyboardInterrupt
        return replace(path, target)

    monkeypatch.setattr(Path, "replace", stopped)
    with contextlib.suppress(KeyboardInterrupt):
        save(head, out)
    assert {path.name for path in out.iterdir()} == (left or set(both))


def test_a_head_that_cannot_be_written_leaves_the_old_one(
    head: PitchHead, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(head, tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    def full(*given: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(PitchHead, "save_weights", full)
    with pytest.raises(OSError, match="No space left"):
        save(head, tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


@pytest.mark.long
def test_trains_on_made_up_notes(tmp_path: Path) -> None:
    lines: list[str] = []
    out = train_pitch([], tmp_path / "head", minutes=0.06, seed=1, config=SMALL, log=lines.append)
    assert PitchHead.load(out / "pitch.json", out / "pitch.weights.h5").config == SMALL
    assert "held out" in lines[-1]
