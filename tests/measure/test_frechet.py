"""The Frechet distance: against its formula, and what it tells apart."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.linalg import sqrtm

from synth_explorer.errors import DataError
from synth_explorer.measure import embedding, frechet_distance
from tests.conftest import make_note

RATE = {"sample_rate_hz": 16000}


def test_it_is_the_formula(rng) -> None:
    first, second = rng.standard_normal((500, 4)), rng.standard_normal((400, 4)) * [1, 2, 1, 1] + [3, 0, 0, 0]
    spreads = np.cov(first, rowvar=False), np.cov(second, rowvar=False)
    root = np.real(sqrtm(spreads[0] @ spreads[1]))
    wanted = np.sum((first.mean(0) - second.mean(0)) ** 2) + np.trace(sum(spreads) - 2 * root)
    assert frechet_distance([first[:200], first[200:]], [second]) == pytest.approx(wanted, rel=1e-3)
    assert frechet_distance([first], [first]) == pytest.approx(0.0, abs=1e-2)


def test_darker_noisier_notes_lie_farther(rng) -> None:
    notes = [make_note(midi, seconds=2.0) for midi in range(48, 66, 2)]
    noisier = [note + 0.001 * rng.standard_normal(len(note)).astype(np.float32) for note in notes]
    noisiest = [note + 0.03 * rng.standard_normal(len(note)).astype(np.float32) for note in notes]
    sets = [[embedding(note, **RATE) for note in group] for group in (notes, noisier, noisiest)]
    near, far = (frechet_distance(sets[0], group) for group in sets[1:])
    assert 0.0 < near < far


def test_windows_are_quarter_seconds_and_silence_is_left_out() -> None:
    note = make_note(60.0, seconds=2.0, silence_s=0.0)
    assert embedding(note, **RATE).shape == (7, 32)  # whole windows of 256 ms
    assert len(embedding(np.concatenate([note, np.zeros(32000, np.float32)]), **RATE)) < 12
    assert len(embedding(np.zeros(16000, np.float32) + 1e-9, **RATE)) == 0


def test_too_little_sound_is_refused() -> None:
    few = [embedding(make_note(60.0), **RATE)]
    with pytest.raises(DataError, match="more notes"):
        frechet_distance(few, few)
