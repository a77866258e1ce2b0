"""Batches: a function of the step, aligned with their pitch, and honest about which note is asked for."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from synth_explorer import pitch
from synth_explorer.data.dataset import NotesDataset
from synth_explorer.train.batches import Augmentation, Batches, Source, ensure_tracks
from tests.model.small import small_config

PLAIN = Augmentation(
    cross_pitch=0,
    mix=0,
    equaliser=0,
    gain_low_db=0,
    gain_high_db=0,
    noise=0,
    drive=0,
    room=0,
    chorus=0,
    onset=0,
    shift=0,
)


@pytest.fixture(scope="module")
def source(tiny_dataset) -> Source:
    notes = NotesDataset(tiny_dataset)
    return Source(notes, ensure_tracks(notes, tiny_dataset, small_config()), 1.0, "train")


def _batches(source: Source, augmentation: Augmentation, seed: int = 0) -> Batches:
    return Batches([source], small_config(), size=8, frames=16, seed=seed, augmentation=augmentation)


def test_a_step_gives_the_same_batch_and_another_step_another(source) -> None:
    batches = _batches(source, Augmentation())
    first, again, other = batches.batch(3), _batches(source, Augmentation()).batch(3), batches.batch(4)
    for name in first:
        np.testing.assert_array_equal(first[name], again[name])
        assert first[name].dtype == np.float32
    assert not np.array_equal(first["source"], other["source"])
    assert not np.array_equal(first["source"], _batches(source, Augmentation(), seed=1).batch(3)["source"])


def test_only_the_asked_split_is_used(source) -> None:
    names = set(source.notes.column("instrument")[source.chosen])
    assert names == {"flat", "steep"}


def test_plain_crops_are_parts_of_notes_with_their_pitch(source) -> None:
    batch = _batches(source, PLAIN).batch(0)
    np.testing.assert_array_equal(batch["source"], batch["target"])
    np.testing.assert_array_equal(batch["weight"], 1.0)
    notes = np.stack([source.notes.audio(int(i)) for i in source.chosen])
    for crop, track in zip(batch["source"], batch["source_pitch_hz"], strict=True):
        found = [
            (int(source.chosen[i]), start)
            for i in range(len(notes))
            for start in range(0, notes.shape[1] - len(crop) + 1, 256)
            if np.allclose(notes[i, start : start + len(crop)], crop, atol=1e-6)
        ]
        assert found
        cents = 1200 * np.log2(track / pitch.midi_to_hz(source.pitch[found[0][0]]))
        assert np.max(np.abs(cents)) < 15


def test_cross_pitch_asks_for_another_note_of_the_instrument(source) -> None:
    batch = _batches(source, dataclasses.replace(PLAIN, cross_pitch=1.0)).batch(1)
    ratio = 12 * np.log2(batch["target_pitch_hz"].mean(1) / batch["source_pitch_hz"].mean(1))
    assert np.any(np.abs(ratio) > 1.0)
    assert np.all(np.abs(ratio) < 13.5)
    assert set(batch["weight"]) <= {0.5, 1.0}


def test_augmented_audio_is_finite_and_within_full_scale(source) -> None:
    loud = Augmentation(cross_pitch=0.5, mix=1.0, equaliser=1.0, noise=1.0, drive=1.0)
    for step in range(4):
        batch = _batches(source, loud).batch(step)
        assert np.isfinite(batch["source"]).all()
        assert np.max(np.abs(batch["source"])) < 1.1


def test_mixing_keeps_the_pitch(source) -> None:
    """The instrument under the note is resampled to its pitch: no partial is off the note's harmonics."""
    batch = _batches(source, dataclasses.replace(PLAIN, mix=1.0)).batch(2)
    for crop, track in zip(batch["source"], batch["source_pitch_hz"], strict=True):
        midi = float(pitch.hz_to_midi(np.median(track)))
        heard = pitch.track(crop, midi=midi, sample_rate_hz=16000, hop=256)
        assert np.max(np.abs(1200 * np.log2(heard[2:-2] / track[2:-2]))) < 12


def test_tracks_are_kept_beside_the_dataset(tiny_dataset) -> None:
    notes, calls = NotesDataset(tiny_dataset), []
    first = ensure_tracks(notes, tiny_dataset, small_config())
    second = ensure_tracks(notes, tiny_dataset, small_config(), progress=lambda items: calls.append(1) or items)
    np.testing.assert_array_equal(first, second)
    assert not calls


def test_a_note_ends_where_its_recording_does(tiny_dataset) -> None:
    config = dataclasses.replace(small_config(), band_hz=7500.0)
    notes = NotesDataset(tiny_dataset)
    source = Source(notes, ensure_tracks(notes, tiny_dataset, config), 1.0, "train")
    source.bandwidth_hz = np.full(len(notes), 3000.0)
    loud = dataclasses.replace(PLAIN, noise=1.0, noise_low_db=-20.0, noise_high_db=-20.0)
    batch = Batches([source], config, size=4, frames=16, seed=0, augmentation=loud).batch(0)
    np.testing.assert_array_equal(batch["bandwidth_hz"], 3000.0)
    power = np.abs(np.fft.rfft(batch["target"])) ** 2
    above = np.linspace(0, 8000, power.shape[1]) > 3150
    assert power[:, above].sum() < 1e-6 * power.sum()
    source.bandwidth_hz[:] = 0.0
    assert source.ends_hz(0, config) == 7500.0
    assert "bandwidth_hz" not in _batches(source, PLAIN).batch(0)
