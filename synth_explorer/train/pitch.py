"""Training of the pitch head: features of rendered and made-up notes first, then minutes of Adam on them.

Shapes: N notes, P frames of one note, G bins of the spectrum, S classes.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
from keras import layers, ops

from synth_explorer.data.dataset import NotesDataset
from synth_explorer.files import atomic_path
from synth_explorer.model.pitch_head import PitchHead, PitchHeadConfig, note_frames
from synth_explorer.train.pitch_notes import made_up_note, repitch, roughen

_FRAMES = 3  # of each note while training
_MADE_UP_SHARE = 0.4
_PREPARE_SHARE = 0.38  # of the minutes
_TARGET_SPREAD = 0.4  # semitones
_BATCH = 32


@dataclass
class Features:
    """What the head learns from: spectra [N, P, G] float16, frame weights [N, P], fractional MIDI pitch [N]."""

    spectra: np.ndarray
    weights: np.ndarray
    midi: np.ndarray


def train_pitch(
    datasets: Sequence[Path],
    out: Path,
    *,
    minutes: float = 20.0,
    seed: int = 0,
    config: PitchHeadConfig | None = None,
    start: Path | None = None,
    learning_rate: float = 2e-3,
    log: Callable[[str], None] = print,
) -> Path:
    """Train a head on the training split of `datasets` and on made-up notes, and write it to the folder `out`.

    Writes pitch.weights.h5 and pitch.json (the config). Takes `minutes` of wall time. The same seed draws the same
    notes; how many depends on the machine. `start`: a folder written by an earlier call, to go on from its weights
    (then with half the `learning_rate` or less). Returns `out`. Raises DataError for a folder that is not a dataset.
    """
    started = time.monotonic()
    keras.utils.set_random_seed(seed)
    head = PitchHead(config or PitchHeadConfig())
    head.build()
    sources = [NotesDataset(folder) for folder in datasets]
    train = prepare(head, sources, split="train", seconds=60.0 * minutes * _PREPARE_SHARE, seed=seed)
    held = prepare(head, sources, split="validation", seconds=60.0 * minutes * 0.03, seed=seed + 1, limit=800)
    log(f"{len(train.midi)} notes prepared in {time.monotonic() - started:.0f} s, {len(held.midi)} held out")
    if start is not None:
        head.load_weights(str(Path(start) / "pitch.weights.h5"))
        log(f"starting from {start}: {score(head, held)}")
    _fit(head, train, held, until=started + 60.0 * minutes, learning_rate=learning_rate, seed=seed, log=log)
    save(head, out)
    return Path(out)


def save(head: PitchHead, out: Path) -> None:
    """Write pitch.weights.h5 and pitch.json to the folder `out`."""
    weights = Path(out) / "pitch.weights.h5"
    weights.parent.mkdir(parents=True, exist_ok=True)
    temporary = weights.with_name(".pitch.weights.h5")
    head.save_weights(str(temporary), overwrite=True)
    temporary.replace(weights)
    with atomic_path(Path(out) / "pitch.json") as path:
        path.write_text(json.dumps(head.config.to_dict(), indent=2) + "\n")


def prepare(
    head: PitchHead,
    sources: Sequence[NotesDataset],
    *,
    split: str,
    seconds: float,
    seed: int,
    limit: int = 60_000,
) -> Features:
    """Spectra of randomly drawn, randomly changed notes, for `seconds` of wall time or `limit` notes."""
    rng, config, until = np.random.default_rng(seed), head.config, time.monotonic() + seconds
    tables = [(source, source.select(split=split), source.column("pitch")) for source in sources]
    tables = [table for table in tables if len(table[1])]
    spectra, weights, midis = [], [], []
    frames, low, high = [], config.low_midi + 1.0, config.high_midi - 1.0
    while len(midis) < limit and (not midis or len(midis) % 32 or time.monotonic() < until):
        midi, audio = _draw(rng, tables, config, low, high)
        if not low <= midi <= high or np.abs(audio).max() < 1e-6:
            continue
        listened, weight = note_frames(audio, config, count=_FRAMES)
        frames.append(listened)
        weights.append(weight)
        midis.append(midi)
        if len(frames) == 32:
            spectra.append(ops.convert_to_numpy(head.spectrum(np.concatenate(frames))).astype(np.float16))
            frames = []
    if frames:
        spectra.append(ops.convert_to_numpy(head.spectrum(np.concatenate(frames))).astype(np.float16))
    return Features(
        np.concatenate(spectra).reshape(len(midis), _FRAMES, -1), np.stack(weights), np.array(midis, np.float32)
    )


def _draw(
    rng: np.random.Generator, tables: list, config: PitchHeadConfig, low: float, high: float
) -> tuple[float, np.ndarray]:
    """One note to learn from: (fractional MIDI pitch, audio [T])."""
    rate = config.sample_rate_hz
    if not tables or rng.random() < _MADE_UP_SHARE:
        midi = float(rng.uniform(low, high))
        return midi, roughen(rng, made_up_note(rng, midi=midi, sample_rate_hz=rate), sample_rate_hz=rate)
    sizes = np.array([len(rows) for _, rows, _ in tables])
    source, rows, pitches = tables[rng.choice(len(tables), p=sizes / sizes.sum())]
    row = int(rows[rng.integers(len(rows))])
    midi, audio = float(pitches[row]), source.audio(row)
    if rng.random() < 0.4:
        move = rng.uniform(-4.0, 4.0)
        midi, audio = midi + move, repitch(audio, move)
    if rng.random() < 0.5:
        audio = audio[: int(rate * rng.uniform(0.3, 1.5))]
    if rng.random() < 0.12:
        audio = _blend(rng, audio, midi, source, rows, pitches)
    if rng.random() < 0.7:
        audio = roughen(rng, audio, sample_rate_hz=rate)
    return midi, audio


def _blend(rng: np.random.Generator, audio: np.ndarray, midi: float, source, rows, pitches) -> np.ndarray:
    """Two instruments in unison."""
    near = rows[np.abs(pitches[rows] - midi) < 2.0]
    if not len(near):
        return audio
    other = int(near[rng.integers(len(near))])
    second = repitch(source.audio(other), midi - float(pitches[other]))
    length = min(len(audio), len(second))
    peak = np.abs(second).max() + 1e-9
    return audio[:length] + second[:length] * (rng.uniform(0.2, 1.0) * np.abs(audio).max() / peak)


def targets(config: PitchHeadConfig, midi: np.ndarray) -> np.ndarray:
    """Soft classes [N, S] around pitches [N]: a Gaussian of `_TARGET_SPREAD` semitones."""
    distance = (config.class_midi()[None, :] - midi[:, None]) / _TARGET_SPREAD
    weight = np.exp(-0.5 * distance**2)
    return (weight / weight.sum(axis=1, keepdims=True)).astype(np.float32)


def _fit(
    head: PitchHead,
    train: Features,
    held: Features,
    *,
    until: float,
    learning_rate: float,
    seed: int,
    log: Callable[[str], None],
) -> None:
    """Adam, warm-up and cosine by wall time, cross-entropy of the whole note and of each frame."""
    config = head.config
    inputs = keras.Input((train.spectra.shape[1], train.spectra.shape[2])), keras.Input((train.spectra.shape[1],))
    network = keras.Model(inputs, NoteLogits(head)(*inputs))

    def loss(truth, logits):  # cross-entropy with soft targets
        return -ops.mean(ops.sum(truth[:, None, :] * ops.log_softmax(logits), axis=-1), axis=-1)

    network.compile(keras.optimizers.Adam(learning_rate, clipnorm=1.0), loss=loss)
    rng, started, step, told = np.random.default_rng(seed), time.monotonic(), 0, 0.0
    total = max(1.0, until - started)
    while (done := (time.monotonic() - started) / total) < 1.0:
        rows = np.sort(rng.choice(len(train.midi), min(_BATCH, len(train.midi)), replace=False))
        rate = learning_rate * min(1.0, (step + 1) / 60) * (0.02 + 0.98 * 0.5 * (1.0 + math.cos(math.pi * done)))
        network.optimizer.learning_rate.assign(rate)
        spectra, midi = _shift(
            train.spectra[rows].astype(np.float32), train.midi[rows], int(rng.integers(-7, 8)), config
        )
        value = float(network.train_on_batch((spectra, train.weights[rows]), targets(config, midi)))
        step += 1
        if done - told > 0.2:
            told = done
            log(f"step {step} loss {value:.3f} held out: {score(head, held)}")
    log(f"step {step}, held out: {score(head, held)}")


def _shift(spectra: np.ndarray, midi: np.ndarray, bins: int, config: PitchHeadConfig) -> tuple[np.ndarray, np.ndarray]:
    """Transpose spectra [N, P, G] by whole bins: their pitch moves along."""
    moved = np.zeros_like(spectra)
    size = spectra.shape[-1]
    moved[..., max(0, bins) : size + min(0, bins)] = spectra[..., max(0, -bins) : size - max(0, bins)]
    return moved, np.clip(midi + bins / config.bins_per_semitone, config.low_midi, config.high_midi)


class NoteLogits(layers.Layer):
    """Spectra [B, P, G] and frame weights [B, P] -> logits [B, 2 P, S]: the note's, P times, then each frame's.

    The note's logits are the weighted mean of its frames'; repeated, they count as much in the loss as all frames.
    """

    def __init__(self, head: PitchHead, **kwargs) -> None:
        super().__init__(**kwargs)
        self.head = head

    def call(self, spectra, weights):
        frames, bins = spectra.shape[1:]
        logits = self.head.classify(ops.reshape(spectra, (-1, bins)))
        logits = ops.reshape(logits, (-1, frames, self.head.config.classes))
        note = ops.sum(logits * weights[:, :, None], axis=1, keepdims=True)
        return ops.concatenate([note] * frames + [logits], axis=1)

    def compute_output_shape(self, spectra_shape, weights_shape):
        return (spectra_shape[0], 2 * spectra_shape[1], self.head.config.classes)


def score(head: PitchHead, features: Features) -> str:
    """Share of notes within half a semitone, and within it after removing octaves, in words."""
    found = np.concatenate(
        [_heard(head, features, range(i, min(i + 64, len(features.midi)))) for i in range(0, len(features.midi), 64)]
    )
    error = found - features.midi
    classes = np.abs((error + 6.0) % 12.0 - 6.0) < 0.5
    return f"right {np.mean(np.abs(error) < 0.5):.4f}, pitch class {classes.mean():.4f}"


def _heard(head: PitchHead, features: Features, rows: range) -> np.ndarray:
    spectra = features.spectra[rows.start : rows.stop].astype(np.float32)
    logits = ops.convert_to_numpy(head.classify(spectra.reshape(-1, spectra.shape[-1]))).reshape(*spectra.shape[:2], -1)
    mean = (logits * features.weights[rows.start : rows.stop, :, None]).sum(axis=1)
    return head.config.class_midi()[mean.argmax(axis=1)]
