"""Training of ears: a convolutional network that tells the instruments and families of datasets.

Notes are brought to mel bands once; the logarithm is in the network. Once it is trained, a linear discriminant of what
all its levels answer becomes its projection, and a logistic regression of the same tells families: both are better than
the layers that it was trained with (docs/ears.md).

Shapes: B notes, F frames, M mel bands, C channels, P features of all levels, E numbers of an embedding,
I instruments.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import layers, ops
from numpy.random import Generator

from synth_explorer import audio as sound
from synth_explorer.data.dataset import NotesDataset
from synth_explorer.errors import DataError
from synth_explorer.files import atomic_path
from synth_explorer.library import ears
from synth_explorer.plain.layers import Weights
from synth_explorer.train.trainer import read_arrays

BATCH, RATE, DECAY = 64, 2e-3, 1e-2
SHARPNESS = 16.0  # of the softmax over cosines
FAMILY_SHARE = 0.5  # of the loss
SHORTENED, NOISY, TILTED, LATER = 0.3, 0.3, 0.5, 0.5  # how often a note is changed so
STEEPEST = 0.7  # nepers at the ends of the spectrum
STANDARDISING = 60  # batches that an untrained network's normalisations are set by
SHRINKAGE = 0.1  # of a discriminant's covariance
LOOSENESS = 0.0032  # of the logistic regression: the inverse of its penalty (`C` in scikit-learn)
TEMPERATURES = np.arange(0.5, 4.01, 0.25)  # that its logits may be divided by
Say = Callable[[str], None]


@dataclass(frozen=True, eq=False)
class Notes:
    """Notes of datasets at the rate of ears, and what they are of."""

    bands: np.ndarray  # float16 [B, F, M], see `library.ears.bands`
    instrument: np.ndarray  # [B] names
    family: np.ndarray  # [B] names
    group: np.ndarray  # [B] what the split was drawn by
    key: np.ndarray  # [B] MIDI
    source: np.ndarray  # [B] names


def read_notes(datasets: Sequence[Path], *, split: str) -> Notes:
    """The notes of one split. Raises DataError: there are none, or a folder is no dataset."""
    heard: list[np.ndarray] = []
    told: list[tuple[str, str, str, int, str]] = []
    for folder in datasets:
        data = NotesDataset(folder)
        for i in data.select(split=split):
            row, rate = data.rows[i], data.sample_rate_hz
            cut = data.audio(int(i))[max(0, row.onset_samples - round(ears.PRE_ROLL * rate / ears.SAMPLE_RATE_HZ)) :]
            note = sound.resample(cut, source_rate_hz=rate, sample_rate_hz=ears.SAMPLE_RATE_HZ)[: ears.SAMPLES]
            heard.append(ears.bands(np.pad(note, (0, ears.SAMPLES - len(note)))).astype(np.float16))
            told.append((row.instrument, row.family, row.group, row.key, row.source))
    if not heard:
        raise DataError(f"{', '.join(map(str, datasets))}: no note of the split {split}; give datasets that have some.")
    names = [np.array(column) for column in zip(*told, strict=True)]
    return Notes(np.stack(heard), *names)


class Scaled(layers.Layer):
    """Bands [B, F, M] -> [B, F, M, 1], see `library.ears.scaled`."""

    def __init__(self, *, logarithm: bool, **kwargs: Any) -> None:
        super().__init__(trainable=False, **kwargs)
        self._logarithm = logarithm

    def call(self, bands: Any) -> Any:
        if self._logarithm:
            bands = ops.log(bands + ears.FLOOR) * (-1.0 / math.log(ears.FLOOR)) + 0.5
        else:
            bands = bands * ears.LINEAR_GAIN
        return bands[..., None]


class Cosines(layers.Layer):
    """Embeddings [B, E] of length 1 -> logits [B, I] by their cosines with a direction for each instrument."""

    def __init__(self, instruments: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._count = instruments

    def build(self, input_shape: Any) -> None:
        self._directions = self.add_weight(shape=(input_shape[-1], self._count), name="directions")

    def call(self, embedding: Any) -> Any:
        return SHARPNESS * ops.matmul(embedding, ops.normalize(self._directions, axis=0))


def network(instruments: int, families: int, *, logarithm: bool) -> keras.Model:
    """Bands [B, F, M] -> logits of instruments and of families."""
    bands = keras.Input((ears.SAMPLES // ears.HOP, ears.BANDS))
    x, found = Scaled(logarithm=logarithm, name="scaled")(bands), []
    for i, (channels, taps) in enumerate(ears.LEVELS):
        x = layers.ZeroPadding2D(taps // 2)(x)
        x = layers.Conv2D(channels, taps, strides=2, use_bias=False, name=f"conv_{i}")(x)
        x = layers.ReLU()(layers.BatchNormalization(name=f"norm_{i}", momentum=0.95)(x))
        frames = ops.mean(x, axis=2)
        found += [ops.mean(ops.max(x, axis=2), axis=1), ops.mean(frames, axis=1), ops.std(frames, axis=1)]
    features = layers.BatchNormalization(name="standard", scale=False, center=False, momentum=0.95)(
        ops.concatenate(found, axis=1)
    )
    dropped = layers.Dropout(0.2, seed=0)(features)
    embedding = layers.UnitNormalization(name="unit")(layers.Dense(ears.EMBEDDING, name="embedding")(dropped))
    told = Cosines(instruments, name="instrument")(embedding), layers.Dense(families, name="family")(embedding)
    return keras.Model(bands, list(told))


class Run:
    """A training between two epochs, on disk: the network, its optimiser, how many epochs are done."""

    def __init__(self, path: Path, model: keras.Model, settings: Mapping[str, int]) -> None:
        """`settings`: what a run must have in common with the one that it goes on with."""
        model.optimizer.build(model.trainable_variables)
        self._path, self._settings = path, settings
        self._variables = {f"v{i:03d}": v for i, v in enumerate([*model.variables, *model.optimizer.variables])}

    def keep(self, done: int) -> None:
        """Write it down, whole or not at all."""
        arrays: dict[str, Any] = {name: np.array(variable) for name, variable in self._variables.items()}
        with atomic_path(self._path) as temporary:
            np.savez(temporary, done=done, **self._settings, **arrays)

    def resumed(self) -> int:
        """How many epochs are done, the network as it was after them; 0 where nothing is kept. Raises DataError."""
        if not self._path.exists():
            return 0
        shapes = {name: tuple(variable.shape) for name, variable in self._variables.items()}
        kept = read_arrays(self._path, shapes | dict.fromkeys(("done", *self._settings), ()))
        for name, value in self._settings.items():
            if kept[name] != value:
                raise DataError(f"{self._path} is of a run with {name} {kept[name]}, not {value}: begin anew.")
        for name, variable in self._variables.items():
            variable.assign(kept[name])
        return int(kept["done"])


def train_ears(
    datasets: Sequence[Path],
    out: Path,
    *,
    epochs: int,
    seed: int = 0,
    logarithm: bool = True,
    resume: bool = False,
    say: Say = print,
) -> Path:
    """Train on the training split and write `out`, which `library.ears.Ears.load` reads, see `settled`.

    0 epochs: an untrained network, its levels standardised. The same seed draws the same notes. After each epoch the
    run is kept beside `out` (`ears.state.npz`); `resume`: go on from there. Raises DataError: a folder that is not a
    dataset, there are too few notes to train on, or what is kept is of another run.
    """
    keras.utils.set_random_seed(seed)
    notes = read_notes(datasets, split="train")
    instruments, instrument = np.unique(notes.instrument, return_inverse=True)
    families, family = np.unique(notes.family, return_inverse=True)
    say(f"{len(notes.bands)} notes of {len(instruments)} instruments in {len(families)} families")
    model = network(len(instruments), len(families), logarithm=logarithm)
    wrong = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(
        keras.optimizers.AdamW(RATE, weight_decay=DECAY, clipnorm=1.0),
        loss=[wrong, wrong],
        loss_weights=[1.0 - FAMILY_SHARE, FAMILY_SHARE],
        jit_compile=True,
    )
    run = Run(out.with_suffix(".state.npz"), model, {"epochs": epochs, "seed": seed, "notes": len(notes.bands)})
    steps, begun = len(notes.bands) // BATCH, time.process_time()
    if not steps:
        raise DataError(f"{len(notes.bands)} notes to train on are too few: give datasets that have {BATCH} or more.")
    if not epochs:
        rng = np.random.default_rng(seed)
        for _ in range(STANDARDISING):
            model(changed(notes.bands[rng.permutation(len(notes.bands))[:BATCH]], rng), training=True)
    for epoch in range(run.resumed() if resume else 0, epochs):
        rng = np.random.default_rng((seed, epoch))
        order, losses = rng.permutation(len(notes.bands)), []
        for step in range(steps):
            done = (epoch + step / steps) / epochs
            warm = min(1.0, (epoch * steps + step + 1) / 100)
            model.optimizer.learning_rate.assign(RATE * warm * (0.01 + 0.99 * 0.5 * (1.0 + math.cos(math.pi * done))))
            rows = order[step * BATCH : (step + 1) * BATCH]
            loss = model.train_on_batch(changed(notes.bands[rows], rng), [instrument[rows], family[rows]])
            losses.append(float(loss[0] if isinstance(loss, list) else loss))
        run.keep(epoch + 1)
        say(f"epoch {epoch + 1}: loss {np.mean(losses):.3f}, {time.process_time() - begun:.0f} s of processor time")
    new = read_notes(datasets, split="validation")
    return settled(weights_of(model), notes, new, out, seed=seed, logarithm=logarithm)


def settled(
    weights: Weights, train: Notes, validation: Notes, out: Path, *, seed: int = 0, logarithm: bool = True
) -> Path:
    """Learn the projection and the families of a network of these levels, and write `out`.

    Notes are changed by chance as they are in training, so that what changes so says little. An instrument counts as
    much as any other for families, however many notes it has; they are as sure as the notes of validation, whose
    instruments are new, bear out.
    """
    from sklearn.linear_model import LogisticRegression

    levels = ears.Levels(weights, logarithm=logarithm)
    rng, rows = np.random.default_rng(seed), range(0, len(train.bands), BATCH)
    bands = np.concatenate([changed(train.bands[row : row + BATCH], rng).astype(np.float16) for row in rows])
    known = features(levels, replace(train, bands=bands)).astype(np.float64)
    new = features(levels, validation)
    directions, mean = discriminant(known, train.instrument)
    spread = known.std(axis=0) + 1e-6
    _, instrument, counts = np.unique(train.instrument, return_inverse=True, return_counts=True)
    told = LogisticRegression(C=LOOSENESS, max_iter=300)
    told.fit((known - mean) / spread, train.family, sample_weight=len(known) / len(counts) / counts[instrument])
    rows = np.column_stack([told.coef_, told.intercept_])
    if len(rows) == 1:  # of two classes scikit-learn says only the second
        rows = np.concatenate([np.zeros_like(rows), rows])
    kernel = rows[:, :-1].T / spread[:, None]
    bias = rows[:, -1] - mean @ kernel
    there = np.isin(validation.family, told.classes_)
    right = np.searchsorted(told.classes_, validation.family[there])
    logits = new[there] @ kernel + bias
    heat = min(TEMPERATURES, key=lambda one: _surprise(logits / one, right)) if there.any() else 1.0
    kept = {name: value for name, value in weights.items() if name.startswith("level")} | {
        "embedding/kernel": directions,
        "embedding/bias": -mean @ directions,
        "families/kernel": kernel / heat,
        "families/bias": bias / heat,
    }
    return save(kept, [str(name) for name in told.classes_], out, logarithm=logarithm)


def _surprise(logits: np.ndarray, right: np.ndarray) -> float:
    """The mean of minus the logarithm of how likely what is right was said to be."""
    from scipy.special import log_softmax

    return -float(np.mean(log_softmax(logits, axis=1)[np.arange(len(right)), right]))


def features(levels: ears.Levels, notes: Notes) -> np.ndarray:
    """What all levels answer to notes: [B, P]."""
    return np.stack([levels.features(bands.astype(np.float32)) for bands in notes.bands])


def discriminant(points: np.ndarray, names: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Directions [P, E or fewer] along which instruments differ most against what one's notes do, and the mean [P] of
    the points: linear discriminant analysis with a shrunken covariance."""
    mean = points.mean(axis=0)
    means = {name: points[names == name].mean(axis=0) for name in np.unique(names)}
    within = np.cov((points - np.stack([means[name] for name in names])).T)
    within = (1.0 - SHRINKAGE) * within + SHRINKAGE * np.diag(np.diag(within) + 1e-9)
    between = np.cov(np.stack(list(means.values())).T)
    whitening = np.linalg.inv(np.linalg.cholesky(within)).T
    _, directions = np.linalg.eigh(whitening.T @ between @ whitening)
    return (whitening @ directions)[:, ::-1][:, : ears.EMBEDDING], mean


def changed(bands: np.ndarray, rng: Generator) -> np.ndarray:
    """Bands [B, F, M] of notes that are partly cut short, tilted or noisy, and begin a frame later now and then."""
    notes, frames, width = bands.shape
    out = bands.astype(np.float32)
    later = rng.random(notes) < LATER
    out[later, 1:], out[later, 0] = out[later, :-1], 0.0
    ends = np.where(rng.random(notes) < SHORTENED, rng.uniform(0.1, 0.8, notes), 2.0) * frames
    out *= np.clip(ends[:, None] - np.arange(frames), 0.0, 1.0)[:, :, None]
    tilt = rng.uniform(-STEEPEST, STEEPEST, notes) * (rng.random(notes) < TILTED)
    out *= np.exp(tilt[:, None] * np.linspace(-1.0, 1.0, width))[:, None, :].astype(np.float32)
    noise = 10 ** rng.uniform(-4.0, -1.5, notes) * (rng.random(notes) < NOISY)
    grain = np.abs(rng.standard_normal(out.shape, np.float32)) * np.sqrt(ears.mel_matrix().sum(axis=0) / width)
    out = np.hypot(out, noise[:, None, None].astype(np.float32) * grain)
    return out / np.sqrt(np.square(out).sum(axis=2).max(axis=1))[:, None, None]


def weights_of(model: keras.Model) -> dict[str, np.ndarray]:
    """The weights of the levels by the names that `library.ears` reads, normalisations folded into them."""
    found = {}
    for i in range(len(ears.LEVELS)):
        norm = model.get_layer(f"norm_{i}")
        gain = np.asarray(norm.gamma) / np.sqrt(np.asarray(norm.moving_variance) + norm.epsilon)
        found[f"level_{i}/kernel"] = np.asarray(model.get_layer(f"conv_{i}").kernel) * gain
        found[f"level_{i}/bias"] = np.asarray(norm.beta) - gain * np.asarray(norm.moving_mean)
    return {name: np.asarray(value, np.float32) for name, value in found.items()}


def save(weights: Weights, families: Sequence[str], path: Path, *, logarithm: bool = True) -> Path:
    """Write what `library.ears.Ears.load` reads, whole or not at all."""
    kept: dict[str, Any] = {name: value.astype(np.float16) for name, value in weights.items()}
    about = json.dumps({"families": list(families), "logarithm": logarithm})
    with atomic_path(path) as temporary:
        np.savez(temporary, about=np.array(about), **kept)
    return path
