"""Training of NSynth's WaveNet autoencoder (Engel et al. 2017, arXiv 1704.01279), at sizes that a machine can bear.

The network is magenta's (see `model.nsynth`); its loss is the cross entropy of each mu-law level, teacher-forced.

Shapes: B notes, T samples.
"""

from __future__ import annotations

import math
from dataclasses import field
from typing import Annotated, Any, ClassVar

import numpy as np

from synth_explorer.errors import SpecError
from synth_explorer.model.config import ModelConfig
from synth_explorer.model.nsynth_config import NSynthConfig
from synth_explorer.schema import declared, part
from synth_explorer.train.trainer import Run, TrainConfig
from synth_explorer.train.validation import crops


@declared(what="The training configuration", error=SpecError)
class NSynthTrainConfig(TrainConfig):
    """One training run of NSynth's network."""

    family: ClassVar[str] = "nsynth"
    about: ClassVar[str] = "NSynth's WaveNet autoencoder"
    unit: ClassVar[str] = "bits a sample"

    model: Annotated[NSynthConfig, part(NSynthConfig)] = field(  # pyright: ignore[reportIncompatibleVariableOverride]
        default_factory=NSynthConfig
    )

    @property
    def sizes(self) -> ModelConfig:
        model = self.model
        lengths = {"hop": model.hop, "pre_roll_samples": model.pre_roll_samples}
        return ModelConfig(sample_rate_hz=model.sample_rate_hz, **lengths)

    def plain_model(self) -> Any:
        from synth_explorer.model.nsynth import NSynth

        return NSynth(self.model, name="nsynth")

    def run(self) -> type[Run]:
        return NSynthRun


def make_training_model(config: NSynthTrainConfig) -> Any:
    """The autoencoder with its loss."""
    import keras
    from keras import ops

    from synth_explorer.model.nsynth import NSynth

    class TrainingModel(NSynth):
        """Returns bits of each sample [B, T]."""

        def __init__(self, sizes: NSynthConfig) -> None:
            super().__init__(sizes)
            self.track = {"bits": keras.metrics.Mean(name="bits")}

        def call(self, audio: Any) -> Any:
            out, half = super().call(audio), self.config.levels // 2
            target = ops.cast(ops.clip(out["levels"] + half, 0, 2 * half - 1), "int32")
            nats = keras.losses.sparse_categorical_crossentropy(target, out["logits"], from_logits=True)
            return nats * (1.0 / math.log(2.0))

        def compute_loss(
            self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: Any = True
        ) -> Any:
            bits = ops.mean(y_pred)
            self.track["bits"].update_state(bits)
            return math.log(2.0) * bits

    keras.utils.set_random_seed(config.seed)
    model = TrainingModel(config.model)
    model.build_weights()
    model.decoder.residual[-1].trainable = False  # nothing is heard of it
    optimizer = keras.optimizers.Adam(config.learning_rate, beta_2=0.99, clipnorm=1.0)
    model.compile(optimizer=optimizer, jit_compile=config.jit_compile)
    optimizer.build(model.trainable_variables)
    return model


class NSynthRun(Run):
    """As `Run`. The figure of validation is bits a sample of crops of instruments that are held out."""

    config: NSynthTrainConfig

    def make_model(self) -> Any:
        return make_training_model(self.config)

    def batch(self, step: int) -> np.ndarray:  # pyright: ignore[reportIncompatibleMethodOverride] - it takes sound alone
        rng = np.random.default_rng((self.config.seed, step))
        return self.batches.crops(rng)["target"]

    def validate(self) -> float:
        config, size = self.config, self.config.batch
        heard = crops(self.batches.sources, config.validation_notes, frames=config.frames, hop=config.model.hop)
        sounds = np.stack([sound for sound, _ in heard])
        parts = [sounds[first : first + size] for first in range(0, len(sounds) - size + 1, size)] or [sounds]
        return float(np.mean([np.mean(self.model.predict_on_batch(part)) for part in parts]))
