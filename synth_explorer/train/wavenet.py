"""Training of the final render: the WaveNet on the fast decoder's sound, in either form, from prepared notes.

The autoregressive form learns the mu-law level of the residual (target minus the fast decoder's sound, on its phases,
see `locked`) given the true past; noise on that past teaches it to recover from its own errors. The parallel form
learns the spectrum of the sum, and the residual's waveform a little.

Shapes: B notes, T samples, F frames of a prepared crop, J conditioning steps of it, Q levels, G guides.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from synth_explorer.errors import SpecError
from synth_explorer.files import atomic_path
from synth_explorer.model.guide import Guide
from synth_explorer.model.wavenet_config import WaveNetConfig
from synth_explorer.train.guided import GuidedNotes
from synth_explorer.train.loop import CosineSchedule, Loop, make_config, read_config

PREPARED_NOTES = 8  # in a shard
PREPARED_SEEDS = {"train": 11, "validation": 12}


@dataclass(frozen=True)
class WaveNetTraining(CosineSchedule):
    """One training run. Folders are relative to the file.

    `notes` and `validation` hold prepared notes. Where `datasets` (folders and their shares) are named, they are
    prepared from those first, by the checkpoint whose decoder is to be finished: so many shards of eight crops. A crop
    of training is `context_frames` that only warm the stack up (unless the note begins there), then `frames` that
    count.
    """

    notes: str
    validation: str
    datasets: dict[str, float] = field(default_factory=dict)
    checkpoint: str = "default"
    shards: int = 200
    validation_shards: int = 5
    prepared_frames: int = 64
    validation_frames: int = 96
    fit_steps: int = 8
    steps: int = 4000
    batch: int = 8
    frames: int = 8
    context_frames: int = 2
    learning_rate: float = 2e-3
    final_rate: float = 2e-5
    warm_up_steps: int = 100
    decay_fraction: float = 0.5
    average: float = 0.998
    past_noise: float = 0.03  # largest standard deviation of the noise on the past, in units of the residual's range
    waveform_weight: float = 0.5  # of the parallel form's distance to the locked target
    log_mel_weight: float = 5.0
    seed: int = 0
    validate_every: int = 500
    validation_batches: int = 16
    save_every_s: float = 180.0
    jit_compile: bool = True
    model: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def load(cls, path: str | Path) -> WaveNetTraining:
        """Read YAML or JSON. Raises SpecError with the name of what is wrong."""
        path = Path(path)
        values = read_config(path, needs="notes")
        for name in ("notes", "validation"):
            if name in values:
                values[name] = str((path.parent / str(values[name])).resolve())
        return make_config(cls, values, path)


def make_training_model(config: WaveNetTraining, sizes):
    """The WaveNet with its loss; inputs are those of `Crops.batch`."""
    import keras
    from keras import ops

    from synth_explorer.model.spectral import SpectralLoss
    from synth_explorer.model.wavenet import WaveNet

    stack = WaveNetConfig.from_dict(config.model)
    autoregressive = stack.form == "autoregressive"

    class TrainingModel(WaveNet):
        """Crops of conditioning are cut from that of the whole prepared note, so that a crop knows what is near."""

        def __init__(self) -> None:
            super().__init__(stack, sizes)
            self.spectral = SpectralLoss(sizes, mel=config.log_mel_weight)
            self.track = {"residual": keras.metrics.Mean(name="residual")}

        def call(self, *inputs):
            if len(inputs) == 3:
                return super().call(*inputs)
            x = inputs[0]
            whole = self.conditioning(x["z"], x["pitch_hz"])
            steps = x["past"].shape[1] // stack.condition_hop
            at = x["first_frame"][:, None] * (sizes.hop // stack.condition_hop) + ops.arange(steps)[None]
            crop = ops.take_along_axis(whole, at[:, :, None], axis=1)
            return super().call(x["past"], x["guides"], crop)

        def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
            weight = x["weight"] / ops.mean(x["weight"])
            if autoregressive:
                likelihood = (
                    ops.logsumexp(y_pred, axis=-1)
                    - ops.take_along_axis(y_pred, x["level"][:, :, None], axis=-1)[..., 0]
                )
                loss = ops.mean(weight * likelihood)
                self.track["residual"].update_state(loss)
                return loss
            residual = ops.mean(weight * ops.abs(y_pred[..., 0] - x["residual"]))
            self.track["residual"].update_state(residual)
            begin = config.context_frames * sizes.hop // 2
            sound = (x["sound"] + x["scale"] * y_pred[..., 0])[:, begin:]
            return ops.mean(self.spectral(x["original"][:, begin:], sound)) + config.waveform_weight * residual

    keras.utils.set_random_seed(config.seed)
    model = TrainingModel()
    model.build()
    optimizer = keras.optimizers.Adam(config.learning_rate, beta_2=0.99, clipnorm=1.0)
    model.compile(optimizer=optimizer, jit_compile=config.jit_compile)
    optimizer.build(model.trainable_variables)
    return model


class Crops:
    """Batches of crops from prepared notes, a function of (seed, step) alone."""

    def __init__(self, notes: GuidedNotes, config: WaveNetTraining, stack: WaveNetConfig, sizes) -> None:
        self.notes, self.config, self.stack, self.sizes = notes, config, stack, sizes

    def batch(self, step: int) -> dict[str, np.ndarray]:
        """Inputs of a training step: past, guides, z, pitch_hz, first_frame, weight, and the form's targets."""
        from synth_explorer.decode.levels import inputs_of, levels_of

        config, stack, notes = self.config, self.stack, self.notes
        rng = np.random.default_rng((config.seed, step))
        frames = config.context_frames + config.frames
        chosen = rng.integers(len(notes), size=config.batch)
        last = notes.arrays["z"].shape[1] - frames
        first = np.where(rng.random(config.batch) < 0.35, 0, rng.integers(last + 1, size=config.batch))
        whole = {name: notes.sounds(chosen, name) for name in ("tones", "noise", "target", "original")}
        guide = Guide.of(whole["tones"], whole["noise"], stack, self.sizes)
        cut = (first * notes.hop)[:, None] + np.arange(frames * notes.hop)

        def crop(array: np.ndarray) -> np.ndarray:
            return np.take_along_axis(array, cut.reshape(cut.shape + (1,) * (array.ndim - 2)), axis=1)

        residual = crop(guide.residual(whole["target"]))
        weight = np.ones_like(residual)
        weight[first > 0, : config.context_frames * notes.hop] = 0.0
        out = {
            "guides": crop(guide.inputs()),
            "z": notes.arrays["z"][chosen],
            "pitch_hz": notes.arrays["pitch_hz"][chosen],
            "first_frame": first.astype(np.int32),
            "weight": weight,
        }
        if stack.form == "parallel":
            sounds = {"sound": crop(guide.sound), "scale": crop(guide.scale), "original": crop(whole["original"])}
            past = rng.standard_normal(residual.shape, dtype=np.float32)
            return out | sounds | {"residual": residual, "past": past[..., None]}
        level = levels_of(inputs_of(residual, levels=stack.levels), levels=stack.levels)
        spread = config.past_noise * rng.random((config.batch, 1)) ** 2
        heard = np.clip(residual + spread * rng.standard_normal(residual.shape), -0.999, 0.999)
        past = np.pad(inputs_of(heard, levels=stack.levels)[:, :-1], ((0, 0), (1, 0)))
        return out | {"level": level.astype(np.int32), "past": past[..., None]}


class Run(Loop):
    """A training run of the WaveNet in its folder."""

    def __init__(self, config: WaveNetTraining, sizes, out: Path, *, resume: bool) -> None:
        model = make_training_model(config, sizes)
        super().__init__(model, config, out, heads=("loss", "residual"))
        self.crops = Crops(GuidedNotes(config.notes), config, model.config, sizes)
        self.unseen = Crops(GuidedNotes(config.validation), config, model.config, sizes)
        if resume:
            self.resume()

    def batch(self, step: int) -> dict[str, np.ndarray]:
        """Crops of prepared notes."""
        return self.crops.batch(step)

    def validate(self) -> float:
        """The loss on crops of unseen notes."""
        steps = range(self.crops.config.validation_batches)
        losses = [self.model.test_on_batch(self.unseen.batch(step), return_dict=True)["loss"] for step in steps]
        self.model.reset_metrics()
        return float(np.mean([float(loss) for loss in losses]))


def train(config_path: str | Path, out: str | Path, *, resume: bool = False, report=print) -> Path:
    """Prepare what is missing, train into the folder `out`, and leave there `checkpoint`: the one whose decoder was
    finished, with the WaveNet beside it; returns that folder.

    Raises SpecError for a bad configuration or when `out` already holds a run and `resume` is not set.
    """
    from synth_explorer import checkpoints
    from synth_explorer.train.wavenet_export import export

    config, out = WaveNetTraining.load(config_path), Path(out)
    if (out / "state.npz").exists() and not resume:
        raise SpecError(f"{out} already holds a run; give --resume to go on with it, or another folder.")
    info = checkpoints.verify(config.checkpoint)
    model = checkpoints.load_model(info)
    prepare(config, model, report)
    out.mkdir(parents=True, exist_ok=True)
    with atomic_path(out / "config.json") as temporary:
        temporary.write_text(json.dumps(asdict(config), indent=2) + "\n", encoding="utf-8")
    Run(config, model.config, out, resume=resume).train(report)
    return export(out, out / "checkpoint", config=config, report=report).path


def prepare(config: WaveNetTraining, model, report=print) -> None:
    """Write the shards that are missing. Does nothing where the configuration names no datasets."""
    from synth_explorer.train.batches import Augmentation, Batches
    from synth_explorer.train.guided import Preparer
    from synth_explorer.train.trainer import open_sources

    if not config.datasets:
        return
    plain = Augmentation(cross_pitch=0.0, mix=0.0, equaliser=0.0, noise=0.0, drive=0.0, room=0.0, chorus=0.0)
    varied = Augmentation(cross_pitch=0.0, gain_high_db=12.0)
    jobs = (
        ("train", config.notes, config.shards, config.prepared_frames, varied),
        ("validation", config.validation, config.validation_shards, config.validation_frames, plain),
    )
    for split, folder, shards, frames, augmentation in jobs:
        sources = open_sources(config, model.config, split=split)
        size, seed = PREPARED_NOTES, config.seed + PREPARED_SEEDS[split]
        batches = Batches(sources, model.config, size=size, frames=frames, seed=seed, augmentation=augmentation)
        Path(folder).mkdir(parents=True, exist_ok=True)
        Preparer(model, batches, Path(folder), fit_steps=config.fit_steps).run(range(shards), report)
