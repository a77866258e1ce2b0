"""Training of the pitch head's doubt: cues of thousands of sounds, minutes of Adam, calibration on held-out ones.

The head itself stays as it is. Shapes: N sounds, D cues to the kind, E cues to the pitch, K kinds.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import keras
import numpy as np
from keras import ops

from synth_explorer.data.dataset import NotesDataset
from synth_explorer.errors import AudioError
from synth_explorer.model.pitch_cues import repetition
from synth_explorer.model.pitch_doubt import KINDS, PitchDoubt
from synth_explorer.model.pitch_head import Cues, PitchHead, cues_of
from synth_explorer.train.doubt_notes import KIND_SHARES, Sound, Source

_WIDTH = 96
_BATCH, _EPOCHS, _RATE = 64, 30, 1e-3
_RIGHT_SEMITONES = 0.5
_REPEATS = 0.7  # strength of a repetition that is believed
_FALSE_ALARMS = 0.0075  # of held-out single notes, multiphonics among them, that may be told as another kind
_LEAST_NEEDED = 0.9
_PLAIN_HELD = 0.6  # share of held-out notes that are as they were recorded


class Cases(NamedTuple):
    """Cues [N, D] and [N, E], row of KINDS [N], and whether the told pitch is right [N] (NaN: not known)."""

    kind_cues: np.ndarray
    right_cues: np.ndarray
    kind: np.ndarray
    right: np.ndarray


def train_doubt(
    head: PitchHead,
    datasets: Sequence[Path],
    percussion: Sequence[Path] = (),
    *,
    sounds: int = 24_000,
    seed: int = 0,
    log: Callable[[str], None] = print,
) -> PitchHead:
    """The same head with networks that tell the kind of a sound and how sure its pitch is, new or trained anew.

    `datasets` are of single notes, `percussion` what `dataset render-percussion` wrote. A sixth as many sounds of the
    validation split calibrate. The same seed draws the same sounds.
    """
    keras.utils.set_random_seed(seed)
    started, rate = time.monotonic(), head.config.sample_rate_hz
    notes, others = ([NotesDataset(folder) for folder in folders] for folders in (datasets, percussion))
    parts = {"train": sounds, "validation": sounds // 6}
    cases = {}
    for row, (split, count) in enumerate(parts.items()):
        source = Source(notes, others, split=split, sample_rate_hz=rate)
        plain = _PLAIN_HELD if split == "validation" else 0.4
        cases[split] = prepare(head, source, count=count, seed=seed + row, plain=plain)
        log(f"{count} sounds of the {split} split heard after {time.monotonic() - started:.0f} s")
    return fit(head, cases["train"], cases["validation"], seed=seed, log=log)


def prepare(head: PitchHead, source: Source, *, count: int, seed: int, plain: float) -> Cases:
    """Cues of `count` drawn sounds."""
    rng, rows = np.random.default_rng(seed), []
    kinds, shares = list(KIND_SHARES), list(KIND_SHARES.values())
    while len(rows) < count:
        sound = source.draw(rng, str(rng.choice(kinds, p=shares)), plain=plain)
        try:
            heard = cues_of(head, sound.audio)
        except AudioError:  # silent
            continue
        rows.append((heard.kind.astype(np.float16), heard.right, KINDS.index(sound.kind), _right(sound, heard, head)))
    kind_cues, right_cues, kind, right = zip(*rows, strict=True)
    return Cases(np.stack(kind_cues), np.stack(right_cues), np.array(kind), np.array(right, np.float32))


def _right(sound: Sound, heard: Cues, head: PitchHead) -> float:
    """1 or 0: is the pitch heard the sound's? No pitch told of a chord or of noise is; NaN where a note's is not known.

    What a recording's name says counts as unknown where two that know nothing of each other, the head and the sound's
    own repetition, agree on another pitch.
    """
    if sound.kind != "note":
        return 0.0
    right = abs(heard.midi - sound.midi) < _RIGHT_SEMITONES
    if sound.labelled and not right:
        other = repetition(heard.frames, midi=heard.midi, sample_rate_hz=head.config.sample_rate_hz)
        if other.strength > _REPEATS and abs(other.midi - heard.midi) < _RIGHT_SEMITONES:
            return float("nan")
    return float("nan") if np.isnan(sound.midi) else float(right)


def fit(head: PitchHead, train: Cases, held: Cases, *, seed: int, log: Callable[[str], None] = print) -> PitchHead:
    """The head with doubt that is trained on `train` and calibrated on `held`."""
    cues = train.kind_cues.shape[1], train.right_cues.shape[1]
    doubt = PitchDoubt(_WIDTH, cues=cues)
    doubt.build()
    for standard, values in zip(doubt.standard, (train.kind_cues, train.right_cues), strict=True):
        standard.adapt(values.astype(np.float32))
    known = np.isfinite(train.right)
    weight = known * np.where(train.kind == 0, 1.0, 0.3)
    truth = np.stack([train.kind, np.nan_to_num(train.right), weight], axis=1).astype(np.float32)

    def loss(truth, logits):
        kinds = ops.log_softmax(logits[:, :-1])
        entropy = -ops.sum(ops.one_hot(ops.cast(truth[:, 0], "int32"), len(KINDS)) * kinds, axis=-1)
        right, logit = truth[:, 1], logits[:, -1]
        return entropy + truth[:, 2] * (ops.softplus(logit) - right * logit)

    steps = _EPOCHS * len(truth) // _BATCH
    rate = keras.optimizers.schedules.CosineDecay(_RATE, steps)
    doubt.compile(keras.optimizers.AdamW(rate, weight_decay=1e-2, clipnorm=1.0), loss=loss)
    inputs = train.kind_cues.astype(np.float32), train.right_cues
    doubt.fit(inputs, truth, batch_size=_BATCH, epochs=_EPOCHS, verbose=0, shuffle=True)
    needed = calibrate(doubt, held)
    log(f"calibrated: a kind is told from {needed:.3f}; {summary(doubt, held, needed=needed)}")
    return with_doubt(head, doubt, needed=needed)


def with_doubt(head: PitchHead, doubt: PitchDoubt, *, needed: float) -> PitchHead:
    """A head of the same weights as `head` with `doubt`."""
    sizes = {"doubt_width": _WIDTH, "doubt_cues": tuple(doubt.cues), "kind_needed": round(needed, 4)}
    new = PitchHead(dataclasses.replace(head.config, **sizes))
    new.build()
    made = new.doubt
    assert made is not None
    own = {id(variable) for variable in head.doubt.variables} if head.doubt is not None else set()
    fresh = {id(variable) for variable in made.variables}
    values = [v for v in head.variables if id(v) not in own]
    for variable, value in zip([v for v in new.variables if id(v) not in fresh], values, strict=True):
        variable.assign(value)
    for variable, value in zip(made.variables, doubt.variables[: len(made.variables)], strict=True):
        variable.assign(value)
    for standard in made.standard:
        standard.finalize_state()
    return new


def calibrate(doubt: PitchDoubt, held: Cases) -> float:
    """Fit a temperature of the kinds and a slope and offset of the pitch's logit to held-out sounds.

    Returns the probability from which a kind is told so that few single notes are told as another.
    """
    logits = doubt.predict((held.kind_cues.astype(np.float32), held.right_cues), batch_size=1024, verbose=0)
    notes = (held.kind == 0) & np.isfinite(held.right)
    heat = temperature(logits[:, :-1], held.kind)
    doubt.calibrate(kind=heat, right=platt(logits[notes, -1], held.right[notes]))
    likely = np.sort(softmax(logits[held.kind == 0, :-1] / heat)[:, 1:].max(axis=1))
    excess = likely[-1 - int(_FALSE_ALARMS * len(likely))]  # the first note that may not be told as another kind
    return float(np.clip(excess + 1e-3, _LEAST_NEEDED, 0.999))


def softmax(logits: np.ndarray) -> np.ndarray:
    """[N, K] -> [N, K]."""
    likely = np.exp(logits - logits.max(axis=1, keepdims=True))
    return likely / likely.sum(axis=1, keepdims=True)


def temperature(logits: np.ndarray, kind: np.ndarray) -> float:
    """What to divide logits [N, K] by so that kinds [N] are likeliest (Guo et al., 2017)."""
    grid = np.exp(np.linspace(np.log(0.3), np.log(10.0), 200))
    loss = [-np.log(softmax(logits / heat)[np.arange(len(kind)), kind] + 1e-12).mean() for heat in grid]
    return float(grid[int(np.argmin(loss))])


def platt(logits: np.ndarray, right: np.ndarray) -> tuple[float, float]:
    """Slope and offset of logits [N] that make the answers `right` [N] (0 or 1) likeliest (Platt, 1999).

    By Newton's method, with a trace of a pull to slope 1 and offset 0.
    """
    x = np.stack([logits, np.ones_like(logits)], axis=1).astype(np.float64)
    found, pull = np.array([1.0, 0.0]), 1.0
    for _ in range(50):
        likely = 1.0 / (1.0 + np.exp(-np.clip(x @ found, -40.0, 40.0)))
        slope = x.T @ (likely - right) + pull * (found - [1.0, 0.0])
        curve = (x * (likely * (1.0 - likely))[:, None]).T @ x + pull * np.eye(2)
        found = found - np.linalg.solve(curve, slope)
    return float(found[0]), float(found[1])


def summary(doubt: PitchDoubt, held: Cases, *, needed: float) -> str:
    """In words: share of each kind told so, and of single notes told as another kind."""
    logits = doubt.predict((held.kind_cues.astype(np.float32), held.right_cues), batch_size=1024, verbose=0)
    likely = softmax(logits[:, :-1])
    told = np.where(likely[:, 1:].max(axis=1) >= needed, likely[:, 1:].argmax(axis=1) + 1, 0)
    shares = [f"{name} {np.mean(told[held.kind == k] == k):.3f}" for k, name in enumerate(KINDS)]
    return "told as what they are: " + ", ".join(shares)
