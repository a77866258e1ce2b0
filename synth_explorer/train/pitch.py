"""Training of the pitch head: spectra of rendered and made-up notes first, then minutes of Adam on them.

Shapes: B notes, P frames of one note, G bins of the spectrum, S classes.
"""

from __future__ import annotations

import json
import math
import shutil
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import keras
import numpy as np
from keras import layers, ops

from synth_explorer.data.dataset import NotesDataset
from synth_explorer.files import atomic_path
from synth_explorer.model.pitch_head import PitchHead, PitchHeadConfig
from synth_explorer.train.doubt import train_doubt
from synth_explorer.train.pitch_features import Bank, Features, batch, make_bank, normalise, prepare

_FRAMES = 4  # of each note while training
_PREPARE_SHARE = 0.2  # of the minutes
_MOST_NOTES = 32_000
_TARGET_SPREAD = 0.4  # semitones
_FRAME_SHARE = 0.2  # of the loss: what each frame says alone
_BATCH = 32
_AVERAGED = 0.99  # of the weights' running mean, kept at every step


def train_pitch(
    datasets: Sequence[Path],
    out: Path,
    *,
    minutes: float = 20.0,
    seed: int = 0,
    config: PitchHeadConfig | None = None,
    begin_from: Path | None = None,
    learning_rate: float = 2e-3,
    percussion: Sequence[Path] = (),
    doubt_sounds: int = 0,
    log: Callable[[str], None] = print,
) -> Path:
    """Train a head on the training split of `datasets` and on made-up notes, and write it to the folder `out`.

    Writes pitch.weights.h5 and pitch.json (the config). Takes `minutes` of wall time (0: the head stays as it is), then
    `doubt_sounds` sounds to learn doubt from, with those of the datasets `percussion` (see `train_doubt`). `begin_from`
    is a folder of an earlier head to go on from (with its config). The same seed draws the same
    notes; how many of them, and how many steps, depends on the machine. Returns `out`. Raises DataError for a folder
    that is not a dataset.
    """
    started = time.monotonic()
    keras.utils.set_random_seed(seed)
    if begin_from is not None:
        head = PitchHead.load(begin_from / "pitch.json", begin_from / "pitch.weights.h5")
    else:
        head = PitchHead(config or PitchHeadConfig())
        head.build()
    if minutes > 0:
        _train_head(head, datasets, minutes=minutes, started=started, seed=seed, learning_rate=learning_rate, log=log)
    if doubt_sounds:
        head = train_doubt(head, datasets, percussion, sounds=doubt_sounds, seed=seed, log=log)
    save(head, out)
    return Path(out)


def _train_head(
    head: PitchHead,
    datasets: Sequence[Path],
    *,
    minutes: float,
    started: float,
    seed: int,
    learning_rate: float,
    log: Callable[[str], None],
) -> None:
    """Prepare notes and fit the head to them, within `minutes` of `started`."""
    sources = [NotesDataset(folder) for folder in datasets]
    seconds = 60.0 * minutes * _PREPARE_SHARE
    train = prepare(head, sources, split="train", seconds=seconds, seed=seed, limit=_MOST_NOTES)
    held = prepare(head, sources, split="validation", seconds=0.08 * seconds, seed=seed + 1, limit=1200)
    log(f"{len(train.midi)} notes prepared in {time.monotonic() - started:.0f} s, {len(held.midi)} held out")
    _fit(head, train, held, until=started + 60.0 * minutes, learning_rate=learning_rate, seed=seed, log=log)


def save(head: PitchHead, out: Path) -> None:
    """Write pitch.weights.h5 and pitch.json to the folder `out`, whole or not at all.

    Who is killed between the two leaves no pitch.json, rather than that of another head.
    """
    config = Path(out) / "pitch.json"
    with atomic_path(config) as told:
        told.write_text(json.dumps(head.config.to_dict(), indent=2) + "\n", encoding="utf-8")
        with atomic_path(config.with_name("pitch.weights.h5")) as path, TemporaryDirectory() as folder:
            weights = Path(folder) / "pitch.weights.h5"  # Keras asks for both suffixes
            head.save_weights(str(weights))
            shutil.copyfile(weights, path)
            config.unlink(missing_ok=True)


def targets(config: PitchHeadConfig, midi: np.ndarray) -> np.ndarray:
    """Soft classes [B, S] around pitches [B]: a Gaussian of `_TARGET_SPREAD` semitones."""
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
    """Adam, warm-up and cosine by wall time; the weights kept are a running mean over the last few hundred steps."""
    network = _network(head, bins=train.levels.shape[-1], learning_rate=learning_rate)
    rng, bank = np.random.default_rng(seed), make_bank(head, seed=seed)
    started, step, told, recent = time.monotonic(), 0, 0.0, []
    total = max(1.0, until - started)
    order = np.zeros(0, np.int64)
    while (done := (time.monotonic() - started) / total) < 1.0:
        if len(order) < _BATCH:
            order = np.concatenate([order, rng.permutation(len(train.midi))])
        rows, order = order[:_BATCH], order[_BATCH:]
        rate = learning_rate * min(1.0, (step + 1) / 100) * (0.01 + 0.99 * 0.5 * (1.0 + math.cos(math.pi * done)))
        network.optimizer.learning_rate.assign(rate)
        recent.append(_learn(network, batch(rng, train, bank, rows, head.config, frames=_FRAMES), head.config))
        step += 1
        if done - told > 0.1:
            told = done
            log(f"step {step} loss {np.mean(recent):.3f}, held out: {score(head, held, bank)}")
            recent = []
    network.optimizer.finalize_variable_values(network.trainable_variables)
    log(f"step {step}, held out: {score(head, held, bank)}")


def _network(head: PitchHead, *, bins: int, learning_rate: float) -> keras.Model:
    """The head between its spectra and its two losses, compiled."""
    inputs = keras.Input((_FRAMES, bins)), keras.Input((_FRAMES,))
    network = keras.Model(inputs, NoteLogits(head)(*inputs))

    def loss(truth, logits):  # cross-entropy with soft targets; row 0 is the note, the others its frames
        entropy = -ops.sum(truth[:, None, :] * ops.log_softmax(logits), axis=-1)
        return (1.0 - _FRAME_SHARE) * entropy[:, 0] + _FRAME_SHARE * ops.mean(entropy[:, 1:], axis=-1)

    optimizer = keras.optimizers.AdamW(
        learning_rate, weight_decay=1e-3, clipnorm=1.0, use_ema=True, ema_momentum=_AVERAGED
    )
    network.compile(optimizer, loss=loss, jit_compile=True)
    return network


def _learn(network: keras.Model, notes: tuple[np.ndarray, np.ndarray, np.ndarray], config: PitchHeadConfig) -> float:
    spectra, weights, midi = notes
    return float(network.train_on_batch((spectra, weights), targets(config, midi)))


class NoteLogits(layers.Layer):
    """Spectra [B, P, G] and frame weights [B, P] -> logits [B, 1 + P, S]: the note's, then each frame's."""

    def __init__(self, head: PitchHead, **kwargs) -> None:
        super().__init__(**kwargs)
        self.head = head

    def call(self, spectra, weights):
        note, frames = self.head.classify(spectra, weights)
        return ops.concatenate([note[:, None, :], frames], axis=1)

    def compute_output_shape(self, spectra_shape, weights_shape):
        return (spectra_shape[0], 1 + spectra_shape[1], self.head.config.classes)


def score(head: PitchHead, held: Features, bank: Bank) -> str:
    """In words: share of notes in the right class, and in it but for octaves; as prepared, and changed at random."""
    rng, config, chunk = np.random.default_rng(0), head.config, 64
    names = {"plain": [], "changed": []}
    for i in range(0, len(held.midi), chunk):
        rows = np.arange(i, min(i + chunk, len(held.midi)))
        plain = normalise(held.levels[rows].astype(np.float32), config), held.weights[rows], held.midi[rows]
        changed = batch(rng, held, bank, rows, config, frames=held.levels.shape[1])
        for name, (spectra, weights, midi) in zip(names, (plain, changed), strict=True):
            logits = ops.convert_to_numpy(head.classify(spectra, weights)[0])
            names[name].append(config.class_midi()[logits.argmax(axis=1)] - midi)
    errors = {name: np.concatenate(each) for name, each in names.items()}
    return "; ".join(
        f"{name} right {np.mean(np.abs(error) < 0.7):.4f}, "
        f"pitch class {np.mean(np.abs((error + 6.0) % 12.0 - 6.0) < 0.7):.4f}"
        for name, error in errors.items()
    )
