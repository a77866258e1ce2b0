"""Synthetic instruments: pitch as labelled, no aliases, dynamics, repeatability."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from synth_explorer.data.dataset import NotesDataset
from synth_explorer.data.patches import KINDS, Patch, random_patch
from synth_explorer.data.synthetic import render_synthetic
from synth_explorer.data.voices import play
from synth_explorer.errors import DataError
from tests.data.hearing import cents, heard_hz, to_hz

TOTAL = 32_000


def sound(patch: Patch, midi: float = 60.0, velocity: int = 100, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return play(patch, midi=midi, velocity=velocity, rng=rng, sample_rate_hz=16_000, total_samples=TOTAL, held_s=1.5)


@pytest.mark.parametrize("kind", list(KINDS))
def test_every_kind_sounds_at_its_label(kind: str) -> None:
    rng = np.random.default_rng(1)
    for midi in (36.4, 60.0, 84.7, 107.0):
        patch = replace(random_patch(rng, kind=kind), glide_semitones=0.0, vibrato_cents=0.0, fundamental=1.0)
        note = sound(patch, midi)
        assert np.isfinite(note).all()
        assert 20 * np.log10(np.max(np.abs(note))) == pytest.approx(patch.level_db, abs=1.0)
        spread = 3 + (patch.unison_cents if patch.unison > 1 else 0)
        assert abs(cents(heard_hz(note, to_hz(midi), within_cents=60), to_hz(midi))) < spread, (kind, midi)


def test_vibrato_keeps_the_middle() -> None:
    patch = Patch(vibrato_cents=40, vibrato_delay_s=0.0, vibrato_hz=6.0)
    note = sound(patch, 72.0)
    analytic = np.fft.ifft(np.fft.fft(note) * (np.fft.fftfreq(TOTAL, 1 / 16_000) > 0) * _low_pass(to_hz(72) * 1.5))
    hz = np.diff(np.unwrap(np.angle(analytic))) * 16_000 / (2 * np.pi)
    track = 1200 * np.log2(hz[6000:22_000] / to_hz(72))
    assert np.mean(track) == pytest.approx(0, abs=3)
    assert np.percentile(track, 99) == pytest.approx(40, abs=5)


def _low_pass(hz: float) -> np.ndarray:
    return np.abs(np.fft.fftfreq(TOTAL, 1 / 16_000)) < hz


@pytest.mark.parametrize(
    "patch",
    [
        Patch(wave="saw"),
        Patch(wave="pulse", pulse_width=0.2),
        Patch(fm_index=6.0, fm_ratio=7.0),
        Patch(fm_index=3.0, fm_ratio=1.0, fm_feedback=0.8),
        Patch(wave="saw", drive_db=6.0),
    ],
    ids=["saw", "pulse", "fm", "feedback", "drive"],
)
def test_nothing_folds_back(patch: Patch) -> None:
    """All energy of a steady harmonic tone lies on its harmonics: an alias would lie between them."""
    midi = 90.0
    spectrum = np.abs(np.fft.rfft(sound(patch, midi)[4000:20_000] * np.blackman(16_000))) ** 2
    hz = np.arange(len(spectrum)) * 1.0
    ratio = hz / to_hz(midi)
    between = (np.abs(ratio - np.round(ratio)) * to_hz(midi) > 12) & (hz > 100)
    assert 10 * np.log10(spectrum[between].sum() / spectrum.sum()) < -50


def test_velocity_is_louder_and_brighter() -> None:
    patch = Patch(wave="saw", velocity_db=20.0, velocity_octaves=1.5, cutoff_hz=1000.0)
    soft, loud = sound(patch, velocity=30), sound(patch, velocity=120)
    assert 20 * np.log10(np.max(np.abs(loud)) / np.max(np.abs(soft))) == pytest.approx(20 * 90 / 102, abs=0.1)
    hz = np.fft.rfftfreq(TOTAL, 1 / 16_000)
    centroids = [np.sum(hz * s) / np.sum(s) for s in (np.abs(np.fft.rfft(soft)), np.abs(np.fft.rfft(loud)))]
    assert centroids[1] > 1.2 * centroids[0]


def test_release_after_the_key_is_let_go() -> None:
    note = sound(Patch(release_s=0.05))
    assert np.max(np.abs(note[28_000:])) < 0.01 * np.max(np.abs(note[20_000:24_000]))


def test_patches_repeat_and_differ() -> None:
    one, same, other = (random_patch(np.random.default_rng(seed)) for seed in (3, 3, 4))
    assert one == same != other
    np.testing.assert_array_equal(sound(one), sound(same))


@pytest.mark.slow
def test_dataset_of_synthetic_instruments(tmp_path: Path) -> None:
    arguments = {"instruments": 3, "pitches": 4, "velocities": (50, 110), "workers": 1, "progress": False}
    dataset = NotesDataset(render_synthetic(tmp_path / "d", **arguments))
    assert len(dataset) == 3 * 4 * 2 and len(dataset.instruments()) == 3
    assert set(dataset.column("source")) == {"synthetic"}
    for name in dataset.instruments():
        pitches = dataset.column("pitch")[dataset.select(instrument=name)]
        assert pitches.min() >= 21 and pitches.max() <= 108 and np.ptp(pitches) > 45
    assert not any(dataset.audio(i)[:512].any() for i in range(len(dataset)))
    first = dataset.audio(0)
    (tmp_path / "d/index.csv").unlink()
    assert len(NotesDataset(render_synthetic(tmp_path / "d", **arguments))) == len(dataset)
    again = NotesDataset(render_synthetic(tmp_path / "again", **arguments))
    np.testing.assert_array_equal(again.audio(0), first)


@pytest.mark.parametrize("wrong", [{"instruments": 0}, {"pitches": 0}, {"velocities": (200,)}])
def test_wrong_arguments(tmp_path: Path, wrong: dict) -> None:
    with pytest.raises(DataError):
        render_synthetic(tmp_path / "d", **wrong)
    assert not (tmp_path / "d").exists()
