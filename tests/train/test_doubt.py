"""Training of doubt: its sounds, and its calibration against naive references."""

from __future__ import annotations

import numpy as np

from synth_explorer.train.doubt import platt, reliability_table, temperature
from synth_explorer.train.doubt_notes import KIND_SHARES, Source


def test_sounds_of_every_kind_are_made_without_datasets() -> None:
    source, rng = Source([], [], split="train", sample_rate_hz=16000), np.random.default_rng(0)
    for kind in KIND_SHARES:
        for _ in range(4):
            sound = source.draw(rng, kind)
            assert sound.kind == kind and np.isfinite(sound.audio).all() and np.abs(sound.audio).max() > 1e-3
            assert np.isnan(sound.midi) == (kind in ("chord", "unpitched"))
            assert kind != "outside" or not 17.5 < sound.midi < 111.5


def test_platt_finds_the_slope_that_made_the_answers() -> None:
    rng = np.random.default_rng(0)
    logits = rng.normal(0.0, 3.0, 20_000)
    right = (rng.random(len(logits)) < 1.0 / (1.0 + np.exp(-(0.5 * logits + 1.0)))).astype(float)
    slope, offset = platt(logits, right)
    grid = [(a, b) for a in np.arange(0.3, 0.8, 0.02) for b in np.arange(0.8, 1.2, 0.02)]

    def loss(a: float, b: float) -> float:
        return float(np.mean(np.logaddexp(0.0, a * logits + b) - right * (a * logits + b)))

    best = min(grid, key=lambda each: loss(*each))
    assert abs(slope - best[0]) < 0.03 and abs(offset - best[1]) < 0.03


def test_temperature_makes_overconfident_logits_honest() -> None:
    rng = np.random.default_rng(0)
    logits = rng.normal(0.0, 1.5, (20_000, 3))
    likely = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    kind = (rng.random((len(logits), 1)) > np.cumsum(likely, axis=1)).sum(axis=1)
    assert abs(temperature(3.0 * logits, kind) - 3.0) < 0.2


def test_reliability_table_counts() -> None:
    rows = reliability_table(np.array([0.1, 0.6, 0.8, 1.0]), np.array([0.0, 1.0, 0.0, 1.0]), (0.0, 0.5, 1.0))
    assert rows == [(1, 0.1, 0.0), (3, np.mean([0.6, 0.8, 1.0]), 2 / 3)]
