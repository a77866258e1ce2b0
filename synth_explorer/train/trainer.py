"""Training of the default model's first half: encoder and fast decoder, on any Keras backend (see `loop`)."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from synth_explorer.errors import DataError, SpecError
from synth_explorer.files import atomic_path
from synth_explorer.train.loop import CosineSchedule, Loop, make_config, read_config


@dataclass(frozen=True)
class TrainConfig(CosineSchedule):
    """One training run. `datasets` maps folders to their share of the notes; folders are relative to the file.

    `begin_from` names a checkpoint, also a smaller one, whose weights the run begins with (see `growth`); empty: none.
    """

    datasets: dict[str, float]
    begin_from: str = ""
    steps: int = 12000
    batch: int = 16
    frames: int = 32
    learning_rate: float = 6e-4
    final_rate: float = 1e-5
    warm_up_steps: int = 200
    decay_fraction: float = 0.4
    average: float = 0.999
    latent_penalty: float = 2e-3
    attribute_weight: float = 0.5
    seed: int = 0
    validate_every: int = 1000
    validation_notes: int = 48
    save_every_s: float = 180.0
    jit_compile: bool = True
    model: dict[str, Any] = field(default_factory=dict)
    augmentation: dict[str, Any] = field(default_factory=dict)
    loss: dict[str, float] = field(default_factory=dict)

    @classmethod
    def load(cls, path: str | Path) -> TrainConfig:
        """Read YAML or JSON. Raises SpecError with the name of what is wrong."""
        path = Path(path)
        return make_config(cls, read_config(path, needs="datasets"), path)


def make_training_model(config: TrainConfig):
    """The autoencoder with the loss of training: `train_on_batch(inputs)` returns its parts."""
    import keras
    from keras import ops

    from synth_explorer.model.autoencoder import Autoencoder
    from synth_explorer.model.config import ModelConfig
    from synth_explorer.model.spectral import SpectralLoss

    class TrainingModel(Autoencoder):
        """Adds the loss: spectra, loudness and brightness of what is heard, and the size of the learned latents."""

        def __init__(self, sizes: ModelConfig) -> None:
            super().__init__(sizes)
            self.spectral = SpectralLoss(sizes, **config.loss)
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
    model = TrainingModel(ModelConfig.from_dict(config.model))
    model.build_weights()
    optimizer = keras.optimizers.Adam(config.learning_rate, beta_2=0.99, clipnorm=1.0)
    model.compile(optimizer=optimizer, jit_compile=config.jit_compile)
    optimizer.build(model.trainable_variables)
    return model


class Run(Loop):
    """A training run of the default model in its folder."""

    def __init__(self, config: TrainConfig, out: Path, *, resume: bool) -> None:
        from synth_explorer.train import growth
        from synth_explorer.train.batches import Augmentation, Batches

        heads = ("loss_or_db", "spectra", "attributes", "latents")
        super().__init__(make_training_model(config), config, out, heads=heads)
        self.config = config
        self.batches = Batches(
            open_sources(config, self.model.config),
            self.model.config,
            size=config.batch,
            frames=config.frames,
            seed=config.seed,
            augmentation=Augmentation(**config.augmentation),
        )
        if not (resume and self.resume()) and config.begin_from:
            growth.begin_from(self.model, config.begin_from)
            self.average = [np.array(v) for v in self.model.get_weights()]

    def batch(self, step: int) -> dict[str, np.ndarray]:
        """Crops of notes."""
        return self.batches.batch(step)

    def validate(self) -> float:
        """Log-mel distance in dB of whole unseen notes."""
        from synth_explorer.train.validation import validation_distance_db

        return validation_distance_db(self.model, self.batches.sources, notes=self.config.validation_notes)


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


def train(config_path: str | Path, out: str | Path, *, resume: bool = False, report=print) -> Path:
    """Train from a configuration file into the folder `out`; returns the best weights' path.

    Raises SpecError for a bad configuration or when `out` already holds a run and `resume` is not set.
    """
    config, out = TrainConfig.load(config_path), Path(out)
    if (out / "state.npz").exists() and not resume:
        raise SpecError(f"{out} already holds a run; give --resume to go on with it, or another folder.")
    out.mkdir(parents=True, exist_ok=True)
    with atomic_path(out / "config.json") as temporary:
        temporary.write_text(json.dumps(asdict(config), indent=2) + "\n", encoding="utf-8")
    return Run(config, out, resume=resume).train(report)
