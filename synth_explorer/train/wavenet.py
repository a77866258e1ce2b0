"""Training of the WaveNet autoencoder's steps: bits a sample, teacher-forced, on a past that has noise in it.

Encoder and decoder's network are those of the checkpoint that the run begins from, and stay as they are. While drawing,
the steps are told the partials that the decoder says; in training those that are heard in the note itself, so that they
learn what a note has beyond its partials, and not to doubt what they are told. But what the decoder says nothing of is
no part of the source: it leaves it to the noise.

Shapes: B notes, T samples, F frames, S points, K partials.
"""

from __future__ import annotations

import math
from dataclasses import field
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, ClassVar

import numpy as np
from numba import njit

from synth_explorer.decode.sines import cycles_of, sum_of_sines
from synth_explorer.errors import SpecError
from synth_explorer.model.wavenet_config import WaveNetConfig
from synth_explorer.plain.autoencoder import Autoencoder
from synth_explorer.plain.wavenet import Telling, flat
from synth_explorer.plain.weights import weights_of
from synth_explorer.schema import Proportion, Share, declared, part
from synth_explorer.train.trainer import Run, TrainConfig
from synth_explorer.train.validation import crops

BITS = 15  # of one polarity of a file's samples: bits a sample are those of 16-bit sound
DITHER = 2e-5
PERIODS = 6.0  # over which a partial is heard
SHORTEST_S, LONGEST_S = 0.024, 0.128
MOST_OVER = 2.0  # times as strong as it is said, a partial may be in the source
EDGE_FRAMES = 2  # at either end of a crop count nothing: the encoder hears silence beyond


@declared(what="The training configuration", error=SpecError)
class WaveNetTrainConfig(TrainConfig):
    """One training run of the WaveNet autoencoder's steps.

    `past_noise_low`, `past_noise_high`: what is added to the past that the network reads, over its level; `clean` of
    the notes have none.
    """

    family: ClassVar[str] = "wavenet"
    about: ClassVar[str] = "WaveNet autoencoder, every sample drawn from latents, pitch and its past"
    unit: ClassVar[str] = "bits a sample"

    past_noise_low: Share = 0.003
    past_noise_high: Share = 0.3
    clean: Proportion = 0.15
    model: Annotated[WaveNetConfig, part(WaveNetConfig)] = field(  # pyright: ignore[reportIncompatibleVariableOverride]
        default_factory=WaveNetConfig
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.frames <= 2 * EDGE_FRAMES:
            raise SpecError(f"frames={self.frames} must be at least {2 * EDGE_FRAMES + 1}: the ends count nothing.")

    def plain_model(self) -> Any:
        from synth_explorer.model.wavenet import WaveNet

        return WaveNet(self.model, name="wavenet")

    def run(self) -> type[Run]:
        return WaveNetRun


def make_training_model(config: WaveNetTrainConfig) -> Any:
    """The autoencoder with the loss of its steps, which alone learn."""
    import keras
    from keras import ops

    from synth_explorer.model.wavenet import WaveNet, log_density

    class TrainingModel(WaveNet):
        """Returns bits a sample of each sample [B, T]."""

        def __init__(self, sizes: WaveNetConfig) -> None:
            super().__init__(sizes)
            self.track = {"bits": keras.metrics.Mean(name="bits")}

        def call(self, inputs: Any) -> Any:
            mixture = self.steps(*(inputs[name] for name in ("past", "source", "told", "cycles", "doubt")))
            shape = ops.shape(inputs["log_level"])
            nats = ops.reshape(-log_density(inputs["flat"], *mixture), (shape[0], shape[1], -1))
            return (nats + inputs["log_level"][..., None]) * (1.0 / math.log(2.0)) + BITS

        def compute_loss(
            self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: Any = True
        ) -> Any:
            edge = EDGE_FRAMES * config.model.points
            bits = ops.mean(y_pred[:, edge:-edge])
            self.track["bits"].update_state(bits)
            return math.log(2.0) * bits

    keras.utils.set_random_seed(config.seed)
    model = TrainingModel(config.model)
    model.build_weights()
    model.encoder.trainable = model.decoder.trainable = False
    optimizer = keras.optimizers.Adam(config.learning_rate, beta_2=0.99, clipnorm=1.0)
    model.compile(optimizer=optimizer, jit_compile=config.jit_compile)
    optimizer.build(model.trainable_variables)
    return model


def heard_partials(
    sound: np.ndarray, pitch_hz: np.ndarray, config: WaveNetConfig, said: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """The harmonics of a sound [T] whose pitch [F] in Hz is known, as they are heard: their sum [T], cycles [T].

    Each is heard at each subframe over `PERIODS` of the pitch under a window of Hann, with its level and its phase.
    None is stronger than `MOST_OVER` times what it is in another sound, `said` [T].
    """
    sizes = {"subframes": config.subframes, "subframe": config.subframe, "sample_rate_hz": config.sample_rate_hz}
    cycles = cycles_of(pitch_hz, **sizes)
    track_hz = np.repeat(np.asarray(pitch_hz, np.float64), config.subframes)
    lengths_s = np.clip(PERIODS / track_hz, SHORTEST_S, LONGEST_S)
    halves = np.round(lengths_s * config.sample_rate_hz / 2).astype(np.int64)
    counts = np.minimum(0.495 * config.sample_rate_hz / track_hz, config.harmonics).astype(np.int64)

    def hear(one: np.ndarray) -> np.ndarray:
        found = np.zeros((2, len(track_hz), config.harmonics), np.float32)
        _hear(np.asarray(one, np.float32), cycles.reshape(-1), halves, counts, config.subframe, found)
        return found

    found = hear(sound)
    if said is not None:
        found *= np.minimum(1.0, MOST_OVER * np.hypot(*hear(said)) / (np.hypot(*found) + np.float32(1e-9)))
    quarter = np.mod(cycles + np.float32(0.25), 1.0)
    source = sum_of_sines(found[0], cycles, start=quarter) + sum_of_sines(found[1], cycles)
    return source.reshape(-1), cycles.reshape(-1)


@njit(nogil=True, fastmath=True, cache=True)
def _hear(sound, cycles, halves, counts, subframe, found):
    """Cosine and sine amplitudes of each harmonic [2, J, K] at each subframe's first sample."""
    for j in range(len(halves)):
        half, at = halves[j], j * subframe
        total = np.float32(0.0)
        for n in range(max(at - half + 1, 0), min(at + half, len(sound))):
            weight = np.float32(1.0 + np.cos(np.pi * (n - at) / half))
            total += weight
            value = np.float32(2.0) * weight * sound[n]
            angle = np.float32(2.0 * np.pi) * cycles[n]
            cos1, sin1 = np.cos(angle), np.sin(angle)
            x, y = value * cos1, value * sin1
            for k in range(counts[j]):
                found[0, j, k] += x
                found[1, j, k] += y
                x, y = x * cos1 - y * sin1, y * cos1 + x * sin1
        found[:, j] /= total


class WaveNetRun(Run):
    """As `Run`. The figure of validation is bits a sample of crops of instruments that are held out."""

    config: WaveNetTrainConfig

    def make_model(self) -> Any:
        return make_training_model(self.config)

    def __init__(self, config: WaveNetTrainConfig, out: Path, *, resume: bool) -> None:
        super().__init__(config, out, resume=resume)
        # the encoder and the decoder's network as they stay; read before any step moves the model's weights
        self.networks = Autoencoder(config.model, weights_of(self.model))
        self.telling = Telling(config.model, self.networks.controls)

    def batch(self, step: int) -> dict[str, np.ndarray]:
        rng = np.random.default_rng((self.config.seed, step))
        given = self.batches.crops(rng)
        lowest, highest = (max(share, 1e-9) for share in (self.config.past_noise_low, self.config.past_noise_high))
        share = np.exp(rng.uniform(math.log(lowest), math.log(highest), self.config.batch))
        share *= rng.random(len(share)) > self.config.clean
        return self._given(given["target"], given["target_pitch_hz"], rng, share)

    def _given(
        self, sounds: np.ndarray, tracks_hz: np.ndarray, rng: np.random.Generator, share: np.ndarray
    ) -> dict[str, np.ndarray]:
        """Crops as the steps are given them, with noise of so much each in their pasts."""
        sounds = sounds + DITHER * rng.standard_normal(sounds.shape, dtype=np.float32)
        told = [self.told(*each) for each in zip(sounds, tracks_hz, strict=True)]
        given = {name: np.stack([one[name] for one in told]).astype(np.float32) for name in told[0]}
        noise = rng.standard_normal(sounds.shape, dtype=np.float32) * share[:, None].astype(np.float32)
        return given | {"past": given["flat"] + noise, "doubt": share.astype(np.float32)}

    def told(self, sound: np.ndarray, track_hz: np.ndarray) -> dict[str, np.ndarray]:
        """One crop [T] with its pitch [F] in Hz: flat, with all that is told of it."""
        networks = self.networks
        z = networks.encoder.finish(*networks.encoder.listen(sound), sound, track_hz)
        sizes = networks.config.details, networks.config.level_points
        detail, level = (np.zeros((len(z), size), np.float32) for size in sizes)
        said = networks.controls(*networks.network(z, track_hz), z, track_hz, detail, level)
        given = self.telling.given(said, z, track_hz)
        white = flat(sound, given.prediction)
        source, cycles = heard_partials(white, track_hz, self.config.model, given.source)
        log_level = np.log(given.prediction.level)
        return {"flat": white, "source": source, "told": given.told, "cycles": cycles, "log_level": log_level}

    def validate(self) -> float:
        """Bits a sample of fixed crops, lower is better, with a clean past."""
        edge = EDGE_FRAMES * self.config.model.points
        return float(np.mean(self.bits(self.validation_crops)[:, edge:-edge]))

    @cached_property
    def validation_crops(self) -> list[dict[str, np.ndarray]]:
        """Batches of crops from the onset on and of crops from the middle, of notes of held-out instruments."""
        config = self.config
        heard = crops(self.batches.sources, config.validation_notes, frames=config.frames, hop=config.model.hop)
        batches, size = [], min(config.batch, len(heard))
        for first in range(0, len(heard) // size * size, size):
            sound, track = (np.stack(each) for each in zip(*heard[first : first + size], strict=True))
            batches.append(self._given(sound, track, np.random.default_rng(first), np.zeros(size)))
        return batches

    def bits(self, batches: list[dict[str, np.ndarray]]) -> np.ndarray:
        """Bits a sample of each point's samples, [N, S, L]."""
        return np.concatenate([np.asarray(self.model.predict_on_batch(one)) for one in batches])
