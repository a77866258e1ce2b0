"""Training of the default model's first half: encoder and fast decoder, on any Keras backend."""

from __future__ import annotations

import csv
import os
import time
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, field, replace
from pathlib import Path
from typing import Annotated, Any, ClassVar, Self

import numpy as np

from synth_explorer.errors import DataError, SpecError, SynthExplorerError
from synth_explorer.files import UNREADABLE, atomic_path
from synth_explorer.model.config import ModelConfig
from synth_explorer.schema import Field, Index, Proportion, Share, declared, part
from synth_explorer.train.batches import Augmentation

MOST_SAMPLES = 2**26  # of a batch
MOST_AHEAD = 8  # batches that are made while one is learned from
Many = Annotated[int, Field(ge=1)]


@declared(what="The loss of the training", error=SpecError)
class LossShares:
    """How much each part of `SpectralLoss` counts."""

    linear: Share = 1.0
    log: Share = 0.5
    mel: Share = 1.0


@declared(what="The training configuration", error=SpecError)
class TrainConfig:
    """One training run. `datasets` maps folders to their share of the notes; folders are relative to the file.

    `begin_from` names a checkpoint, also a smaller one, whose weights the run begins with (see `growth`); empty: none.
    """

    family: ClassVar[str] = "default"
    about: ClassVar[str] = "encoder and fast decoder (harmonics and filtered noise)"
    unit: ClassVar[str] = "dB log-mel distance of whole notes"

    datasets: Annotated[dict[str, Share], Field(min_length=1)]
    begin_from: str = ""
    steps: Many = 12000
    batch: Annotated[int, Field(ge=1, le=1024)] = 16
    frames: Annotated[int, Field(ge=1, le=4096)] = 32
    learning_rate: Share = 6e-4
    final_rate: Share = 1e-5
    warm_up_steps: Index = 200
    decay_fraction: Proportion = 0.4
    average: Proportion = 0.999
    latent_penalty: Share = 2e-3
    attribute_weight: Share = 0.5
    seed: Index = 0
    validate_every: Many = 1000
    validation_notes: Many = 48
    save_every_s: Share = 180.0
    jit_compile: bool = True
    model: Annotated[ModelConfig, part(ModelConfig)] = field(default_factory=ModelConfig)
    augmentation: Annotated[Augmentation, part(Augmentation)] = field(default_factory=Augmentation)
    loss: Annotated[LossShares, part(LossShares)] = field(default_factory=LossShares)

    def __post_init__(self) -> None:
        samples = self.batch * self.frames * self.model.hop
        if samples > MOST_SAMPLES:
            sizes = f"batch={self.batch} and frames={self.frames}"
            raise SpecError(f"{sizes} make {samples:,} samples a step; {MOST_SAMPLES:,} are the most.")

    @classmethod
    def of(cls, values: dict[str, Any], path: Path) -> Self:
        """That of what a file says. Raises SpecError with the name of what is wrong."""
        try:
            config = cls(**{str(name): value for name, value in values.items()})
        except SynthExplorerError as error:
            raise SpecError(f"{path}: {error}") from None
        folders = {str((path.parent / name).resolve()): share for name, share in config.datasets.items()}
        return replace(config, datasets=folders)

    @property
    def sizes(self) -> ModelConfig:
        """What crops are cut, and loudness and brightness measured, by."""
        return self.model

    def plain_model(self) -> Any:
        """The model without its loss, without weights."""
        from synth_explorer.model.autoencoder import Autoencoder

        return Autoencoder(self.model, name="autoencoder")

    def run(self) -> type[Run]:
        """What trains with it."""
        return Run

    def rate(self, step: int) -> float:
        """Learning rate at a step."""
        if step < self.warm_up_steps:
            return self.learning_rate * (step + 1) / self.warm_up_steps
        start = self.steps * (1.0 - self.decay_fraction)
        part = min(max((step - start) / max(self.steps - start, 1.0), 0.0), 1.0)
        return self.final_rate + (self.learning_rate - self.final_rate) * 0.5 * (1.0 + np.cos(np.pi * part))


def make_training_model(config: TrainConfig):
    """The autoencoder with the loss of training: `train_on_batch(inputs)` returns its parts."""
    import keras
    from keras import ops

    from synth_explorer.model.autoencoder import Autoencoder
    from synth_explorer.model.spectral import SpectralLoss

    class TrainingModel(Autoencoder):
        """Adds the loss: spectra, loudness and brightness of what is heard, and the size of the learned latents."""

        def __init__(self, sizes: ModelConfig) -> None:
            super().__init__(sizes)
            self.spectral = SpectralLoss(sizes, **asdict(config.loss))
            self.track = {name: keras.metrics.Mean(name=name) for name in ("spectra", "attributes", "latents")}

        def compute_loss(
            self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: Any = True
        ) -> Any:
            weight = x["weight"] / ops.mean(x["weight"])
            spectra = ops.mean(weight * self.spectral(x["target"], y_pred["audio"], x.get("bandwidth_hz")))
            front_end = self.encoder.front_end
            heard = front_end.attributes(front_end.hop_spectrum(y_pred["audio"]))
            attributes = ops.mean(ops.abs(heard - y_pred["z"][..., :2]))
            latents = ops.mean(ops.square(y_pred["z"][..., 2:]))
            self.track["spectra"].update_state(spectra)
            self.track["attributes"].update_state(attributes)
            self.track["latents"].update_state(latents)
            return spectra + config.attribute_weight * attributes + config.latent_penalty * latents

    keras.utils.set_random_seed(config.seed)
    model = TrainingModel(config.model)
    model.bank = quick_bank()
    model.build_weights()
    optimizer = keras.optimizers.Adam(config.learning_rate, beta_2=0.99, clipnorm=1.0)
    model.compile(optimizer=optimizer, jit_compile=config.jit_compile)
    optimizer.build(model.trainable_variables)
    return model


def quick_bank():
    """The compiled bank of partials where it is the quicker one: JAX on a CPU; else none."""
    import keras

    if keras.backend.backend() != "jax":
        return None
    import jax

    if jax.default_backend() != "cpu":
        return None
    from synth_explorer.train.partials_bank import bank

    return bank()


class Run:
    """A training run in its folder: resumable to the step, with an exponential average of the weights.

    The folder holds `config.json`, `log.csv`, `state.npz` (weights, optimiser, average, step) and `best.npz` /
    `last.npz` (averaged weights). A batch is a function of (seed, step), so that a killed run goes on where it was.
    """

    def __init__(self, config: TrainConfig, out: Path, *, resume: bool) -> None:
        from synth_explorer.train import growth
        from synth_explorer.train.batches import Batches
        from synth_explorer.train.validation import pick

        self.config, self.out = config, out
        self.model = self.make_model()
        self.step, self.best = 0, float("inf")
        sizes = config.sizes
        self.batches = Batches(
            open_sources(config, sizes),
            sizes,
            size=config.batch,
            frames=config.frames,
            seed=config.seed,
            augmentation=config.augmentation,
        )
        for source in self.batches.sources:
            pick(source.notes, "validation", 1)  # what lacks some is refused before any work
        if not (resume and self.resume()):
            if config.begin_from:
                growth.begin_from(self.model, config.begin_from)
            self.average = [np.array(v) for v in self.model.get_weights()]

    def make_model(self) -> Any:
        """The model of training, compiled."""
        return make_training_model(self.config)

    def batch(self, step: int) -> dict[str, np.ndarray]:
        """What the model is trained on at a step."""
        return self.batches.batch(step)

    def validate(self) -> float:
        """Log-mel distance in dB of whole unseen notes, lower is better, by the weights as they are."""
        from synth_explorer.train.validation import validation_distance_db

        return validation_distance_db(self.model, self.batches.sources, notes=self.config.validation_notes)

    def train(self, report: Callable[[str], None] = print) -> Path:
        """Run to the last step; returns the file of the best weights. Raises DataError when the loss is not finite."""
        config, rows = self.config, []
        saved, started, first = time.monotonic(), time.monotonic(), self.step
        ahead = min(max(1, (os.cpu_count() or 1) - 1), MOST_AHEAD)
        with ThreadPoolExecutor(ahead) as feeder:
            waiting = deque(feeder.submit(self.batch, self.step + i) for i in range(ahead))
            while self.step < config.steps:
                batch = waiting.popleft().result()
                waiting.append(feeder.submit(self.batch, self.step + ahead))
                self.model.optimizer.learning_rate.assign(config.rate(self.step))
                logs = self.model.train_on_batch(batch, return_dict=True)
                if not np.isfinite(logs["loss"]):
                    raise DataError(f"The loss is not finite at step {self.step}; the last state is in {self.out}.")
                rows.append([float(logs[name]) for name in ("loss", *self.model.track)])
                self.step += 1
                if self.step % 10 == 0:
                    self._update_average()
                last = self.step == config.steps
                if self.step % 100 == 0 or last:
                    rate = (self.step - first) / (time.monotonic() - started)
                    self._log("train", np.mean(rows, axis=0), rate, report)
                    rows = []
                    self.model.reset_metrics()
                if self.step % config.validate_every == 0 or last:
                    self._validate(report)
                if time.monotonic() - saved > config.save_every_s or last:
                    self._save()
                    saved = time.monotonic()
        return self.out / "best.npz"

    def resume(self) -> bool:
        """Go on from `state.npz` if there is one; returns whether there was."""
        path, optimiser = self.out / "state.npz", self.model.optimizer.variables
        if not path.exists():
            return False
        weights = [w.shape for w in self.model.get_weights()]
        shapes = {f"{kind}{i:03d}": shape for kind in "wa" for i, shape in enumerate(weights)}
        shapes |= {f"o{i:03d}": tuple(variable.shape) for i, variable in enumerate(optimiser)}
        state = read_arrays(path, shapes | {"step": (), "best": ()})
        self.model.set_weights([state[name] for name in shapes if name[0] == "w"])
        self.average = [state[name] for name in shapes if name[0] == "a"]
        for variable, name in zip(optimiser, (name for name in shapes if name[0] == "o"), strict=True):
            variable.assign(state[name])
        self.step, self.best = int(state["step"]), float(state["best"])
        return True

    def _update_average(self) -> None:
        """Exponential average of the weights, every tenth step; a plain copy in the beginning."""
        keep = min(self.config.average**10, self.step / (self.step + 100.0))
        for mean, value in zip(self.average, self.model.get_weights(), strict=True):
            mean += (1.0 - keep) * (value - mean)

    def _validate(self, report: Callable[[str], None]) -> None:
        """Judge the averaged weights; keep the best."""
        current = self.model.get_weights()
        self.model.set_weights(self.average)
        figure = self.validate()
        self.model.set_weights(current)
        self._log("validation", [figure, *[0.0] * len(self.model.track)], 0.0, report)
        self._save_weights("last.npz")
        if figure < self.best:
            self.best = figure
            self._save_weights("best.npz")

    def _save_weights(self, name: str) -> None:
        with atomic_path(self.out / name) as temporary:
            weights: dict[str, Any] = {f"w{i:03d}": w for i, w in enumerate(self.average)}
            np.savez(temporary, **weights)

    def _save(self) -> None:
        """Everything that a later process needs to go on."""
        arrays = {f"w{i:03d}": w for i, w in enumerate(self.model.get_weights())}
        arrays |= {f"a{i:03d}": w for i, w in enumerate(self.average)}
        arrays |= {f"o{i:03d}": np.array(v) for i, v in enumerate(self.model.optimizer.variables)}
        with atomic_path(self.out / "state.npz") as temporary:
            np.savez(temporary, step=self.step, best=self.best, **arrays)

    def _log(self, kind: str, values: Any, rate: float, report: Callable[[str], None]) -> None:
        path = self.out / "log.csv"
        fresh = not path.exists()
        with path.open("a", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            if fresh:
                writer.writerow(["kind", "step", "loss_or_db", *self.model.track, "steps_per_s"])
            writer.writerow([kind, self.step, *(f"{v:.5f}" for v in values), f"{rate:.3f}"])
        report(f"{kind} {self.step}: " + " ".join(f"{v:.4f}" for v in values) + f" ({rate:.2f} steps/s)")


def read_arrays(path: Path, shapes: Mapping[str, tuple[int, ...]]) -> dict[str, np.ndarray]:
    """The arrays of a run's file. Raises DataError: it is damaged, or of another configuration."""
    try:
        with np.load(path, allow_pickle=False) as file:
            found = {name: np.asarray(file[name]) for name in file.files}
    except UNREADABLE as error:
        raise DataError(f"{path} cannot be read ({error}); take another copy of it, or begin anew.") from error
    different = sorted(set(shapes) ^ set(found)) or [name for name in shapes if found[name].shape != shapes[name]]
    if different:
        raise DataError(
            f"{path} is of another configuration: {different[0]} differs. Give that one, or another folder."
        )
    for name, array in found.items():
        if array.dtype.kind not in "fiu" or not (name == "best" or np.isfinite(array).all()):
            raise DataError(f"{path}: {name} is not made of finite numbers; take another copy of it, or begin anew.")
    return found


def open_sources(config: TrainConfig, sizes, *, split: str = "train") -> list:
    """Datasets of a configuration with their pitch tracks. Raises DataError when one does not fit the model."""
    from synth_explorer.data.dataset import NotesDataset
    from synth_explorer.train.batches import Source, ensure_tracks

    sources = []
    for folder, share in config.datasets.items():
        notes = NotesDataset(folder)
        if notes.sample_rate_hz != sizes.sample_rate_hz:
            raise DataError(f"{folder} is at {notes.sample_rate_hz} Hz, the model at {sizes.sample_rate_hz} Hz.")
        if notes.pre_roll_samples != sizes.pre_roll_samples:
            raise DataError(f"{folder} has a pre-roll of {notes.pre_roll_samples}, the model {sizes.pre_roll_samples}.")
        sources.append(Source(notes, ensure_tracks(notes, Path(folder), sizes), share, split))
    return sources
