"""Training of doubt: its sounds, and its calibration against naive references."""

from __future__ import annotations

import numpy as np

from synth_explorer.model.pitch_head import Cues, PitchHead, PitchHeadConfig, note_frames
from synth_explorer.train.doubt import _right, platt, temperature
from synth_explorer.train.doubt_notes import _DOUBLED, KIND_SHARES, Sound, Source, _intervals


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


def test_chords_are_no_partials_of_one_note_and_doubled_notes_are_notes() -> None:
    rng = np.random.default_rng(0)
    for _ in range(300):
        steps = _intervals(rng)
        assert steps[0] == 0 and 2 <= len(set(steps)) <= 5 and any(step % 12 for step in steps)
    for steps in _DOUBLED:
        midi, audio = Source([], [], split="train", sample_rate_hz=16000)._together(rng, steps, mixed=True)
        assert 28.0 <= midi <= 100.0 and np.abs(audio).max() > 1e-3 and not any(step % 12 for step in steps)


def test_label_that_two_estimates_contradict_is_not_known() -> None:
    head = PitchHead(PitchHeadConfig(width=8))
    head.build()
    t = np.arange(32_000) / 16_000
    audio = np.sum([np.sin(2 * np.pi * k * 220.0 * t) / k for k in range(1, 9)], axis=0).astype(np.float32)
    frames, _ = note_frames(audio, head.config)
    heard = Cues(np.zeros(1), np.zeros(1), 57.0, 1.0, frames)
    assert np.isnan(_right(Sound(audio, "note", 69.0, labelled=True), heard, head))
    assert _right(Sound(audio, "note", 69.0), heard, head) == 0.0  # made up: it is known
    assert _right(Sound(audio, "note", 57.1, labelled=True), heard, head) == 1.0
    other = heard._replace(midi=45.0)  # the repetition doesn't agree
    assert _right(Sound(audio, "note", 57.0, labelled=True), other, head) == 0.0
    assert _right(Sound(audio, "chord", float("nan")), heard, head) == 0.0
