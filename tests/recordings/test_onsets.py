"""Onsets of recordings: the network as in Keras, peaks as a loop finds them, and beginnings that are known."""

from __future__ import annotations

import numpy as np
import pytest

from synth_explorer.assets import find_note
from synth_explorer.audio import find_onset, load
from synth_explorer.recordings import find_onsets
from synth_explorer.recordings.onsets import BANDS, HOP, SAMPLE_RATE_HZ, WINDOWS, OnsetNetwork, bands, peaks


def melody(names: list[str], *, apart_s: float = 0.8, lasts_s: float = 0.6) -> tuple[np.ndarray, np.ndarray]:
    """Bundled notes one after the other, faded out in 50 ms, in faint noise; and the samples of their onsets."""
    rate = SAMPLE_RATE_HZ
    audio = 1e-4 * np.random.default_rng(0).standard_normal(int((0.5 + len(names) * apart_s) * rate)).astype(np.float32)
    begins = []
    for number, name in enumerate(names):
        found = find_note(name)
        assert found is not None
        note = load(found.path, sample_rate_hz=rate)
        note = note[find_onset(note, sample_rate_hz=rate) :][: int(lasts_s * rate)].copy()
        note[-800:] *= np.linspace(1, 0, 800, dtype=np.float32)
        at = int((0.4 + number * apart_s) * rate)
        audio[at : at + len(note)] += note
        begins.append(at)
    return audio, np.array(begins)


def test_network_is_that_of_keras() -> None:
    from synth_explorer.train import onsets as training

    model = training.network()
    for weight in model.weights:
        weight.assign(np.random.default_rng(weight.shape[0]).normal(0, 0.2, weight.shape))
    x = np.random.default_rng(1).standard_normal((1, 70, len(WINDOWS) * BANDS)).astype(np.float32)
    logits = np.asarray(model(x))[0]
    heard = OnsetNetwork(training.weights_of(model))(x[0])
    np.testing.assert_allclose(heard, 1 / (1 + np.exp(-logits)), atol=1e-5)


def test_peaks_are_what_a_loop_finds() -> None:
    likely = np.random.default_rng(2).random(400).round(2)  # with equals
    expected = []
    for i, value in enumerate(likely):
        near = likely[max(0, i - 4) : i + 5]
        if value >= 0.5 and value == near.max() and not (expected and i - expected[-1] <= 4):
            expected.append(i)
    assert peaks(likely).tolist() == expected


def test_bands_say_nothing_of_the_level() -> None:
    audio, _ = melody(["Cello", "Marimba"])
    np.testing.assert_allclose(bands(audio), bands(audio * np.float32(0.01)), atol=1e-4)


@pytest.mark.parametrize("names", [["Cello", "Flute", "Flute", "Trumpet"], ["Marimba", "Choir Aahs", "Celesta"]])
def test_notes_of_a_recording_are_found_where_they_begin(names: list[str]) -> None:
    audio, begins = melody(names)
    found = find_onsets(audio)
    assert len(found) == len(begins)
    assert np.abs(found - begins).max() <= 0.05 * SAMPLE_RATE_HZ


def test_silence_before_a_recording_moves_its_onsets_by_as_much() -> None:
    audio, _ = melody(["Cello", "Marimba", "Trumpet"])
    later = find_onsets(np.concatenate([np.zeros(100 * HOP, np.float32), audio]))
    np.testing.assert_array_equal(later, find_onsets(audio) + 100 * HOP)


def test_targets_mark_where_notes_begin() -> None:
    from synth_explorer.train.onsets import targets

    found = targets(np.array([5 * HOP, 9 * HOP + 10]), 12)
    assert found.tolist() == pytest.approx([0, 0, 0, 0.1, 0.5, 1, 0.5, 0.1, 0.5, 1, 0.5, 0.1])


def test_scores_count_each_onset_once() -> None:
    from synth_explorer.train.onsets import scores

    found, true = [np.array([100, 200, 5000])], [np.array([150, 9000])]
    assert scores(found, true) == (0.5, pytest.approx(1 / 3))
