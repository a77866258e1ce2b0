"""Training of the WaveNet autoencoder: bits a sample, teacher-forced, on a past that has noise in it, or has faded.

Shapes: B notes, T samples, F frames, J subframes, S steps.
"""

from __future__ import annotations

import math
from dataclasses import field
from functools import lru_cache
from typing import Annotated, Any, ClassVar

import numpy as np

from synth_explorer.errors import SpecError
from synth_explorer.model.config import ModelConfig
from synth_explorer.model.wavenet_config import LONGEST_LAG, PARTS, WaveNetConfig
from synth_explorer.schema import Share, declared, part
from synth_explorer.train.trainer import Run, TrainConfig

BITS = 15  # of one polarity of a file's samples: bits a sample are those of 16-bit sound
DITHER = 2e-5
TONE_S = 0.1  # over which the phase of the pitch is heard
CLEAN = 0.15  # of the notes have no noise in their past
FADES_HZ = ((0.0, 8000.0), (0.0, 1500.0), (1500.0, 8000.0), (3000.0, 8000.0))  # at 16 kHz: what may fade in a past
FADE_REACH = 16
FADED = 0.5  # of the notes
FADE = -0.3, 0.95  # of what was there; below 0 it is too strong
POWER_WINDOW = 256
STEEPEST = 2.0  # of ln(power heard / power said) at which its loss becomes linear


@declared(what="The training configuration", error=SpecError)
class WaveNetTrainConfig(TrainConfig):
    """One training run of the WaveNet autoencoder.

    `past_noise_low`, `past_noise_high`: what is added to the past that the network reads, over its level.
    """

    family: ClassVar[str] = "wavenet"
    about: ClassVar[str] = "WaveNet autoencoder, the whole signal sample by sample from latents and pitch"
    unit: ClassVar[str] = "bits a sample"

    past_noise_low: Share = 0.003
    past_noise_high: Share = 1.0
    envelope_weight: Share = 0.3
    model: Annotated[WaveNetConfig, part(WaveNetConfig)] = field(  # pyright: ignore[reportIncompatibleVariableOverride]
        default_factory=WaveNetConfig
    )

    @property
    def sizes(self) -> ModelConfig:
        return self.model.measures

    def plain_model(self) -> Any:
        from synth_explorer.model.wavenet import WaveNet

        return WaveNet(self.model, name="wavenet")

    def run(self) -> type[Run]:
        return WaveNetRun


def make_training_model(config: WaveNetTrainConfig) -> Any:
    """The autoencoder with its loss."""
    import keras
    from keras import ops

    from synth_explorer.model.frontend import spectrum
    from synth_explorer.model.wavenet import WaveNet, log_density

    sizes = config.model
    bands = power_bands(sizes)

    class TrainingModel(WaveNet):
        """Returns bits a sample of each sample [B, T], the loss of the envelope [B], and z."""

        def __init__(self, sizes: WaveNetConfig) -> None:
            super().__init__(sizes)
            self.track = {name: keras.metrics.Mean(name=name) for name in ("bits", "envelope", "latents")}

        def call(self, x: Any) -> Any:
            target = x["target"]
            z = self.encoder(x["source"], x["source_pitch_hz"])
            z = ops.concatenate([z[..., :2], z[..., 2:] + sizes.latent_noise * x["latent_noise"]], axis=-1)
            said = self.frames(z, x["target_pitch_hz"])
            flat, log_level = self.flatten(target, ops.stop_gradient(said["power"]))
            rows = ops.reshape(flat, (-1, ops.shape(log_level)[1], sizes.subframe))
            level = ops.sqrt(ops.mean(rows * rows, axis=-1, keepdims=True) + 1e-4)
            noise = ops.reshape(ops.reshape(x["past_noise"], ops.shape(rows)) * level, ops.shape(flat))
            past = faded(flat, x["period"], x["fade"], x["fade_kind"], sizes) + noise
            mixture = self.steps(past, said["told"], x["cycles"], x["period"], x["doubt"])
            sample = ops.reshape(flat, (-1, ops.shape(x["cycles"])[1], sizes.step))
            nats = ops.reshape(-log_density(sample, *mixture), ops.shape(rows)) + log_level[..., None]
            heard = spectrum(target, POWER_WINDOW, sizes.subframe)
            heard = ops.matmul(ops.square(heard), bands) + 1e-9
            ratio = ops.log(heard) - ops.log(said["power"])
            near = ops.minimum(ratio, STEEPEST)
            distance = ops.exp(near) * (1.0 + ratio - near) - ratio - 1.0
            return {
                "bits": ops.mean(nats, axis=-1) * (1.0 / math.log(2.0)) + BITS,
                "envelope": ops.mean(distance, axis=(1, 2)),
                "z": z,
            }

        def compute_loss(
            self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: Any = True
        ) -> Any:
            weight = x["weight"] / ops.mean(x["weight"])
            bits = ops.mean(weight * ops.mean(y_pred["bits"], axis=1))
            envelope = ops.mean(weight * y_pred["envelope"])
            latents = ops.mean(ops.square(y_pred["z"][..., 2:]))
            for name, value in (("bits", bits), ("envelope", envelope), ("latents", latents)):
                self.track[name].update_state(value)
            return math.log(2.0) * bits + config.envelope_weight * envelope + config.latent_penalty * latents

    keras.utils.set_random_seed(config.seed)
    model = TrainingModel(sizes)
    model.build_weights()
    optimizer = keras.optimizers.Adam(config.learning_rate, beta_2=0.99, clipnorm=1.0)
    model.compile(optimizer=optimizer, jit_compile=config.jit_compile)
    optimizer.build(model.trainable_variables)
    return model


@lru_cache
def fades() -> np.ndarray:
    """[kinds, PARTS + 1, 2 * FADE_REACH]: weights that read a band of a sound `part` / PARTS after a sample."""
    u = np.arange(-FADE_REACH + 1, FADE_REACH + 1) - np.arange(PARTS + 1)[:, None] / PARTS
    window = np.cos(np.pi * u / (2.0 * FADE_REACH)) ** 2
    edges = np.array(FADES_HZ) / 8000.0  # of half the rate
    return np.stack([(high * np.sinc(high * u) - low * np.sinc(low * u)) * window for low, high in edges]).astype(
        np.float32
    )


def faded(flat: Any, period: Any, fade: Any, kind: Any, sizes: WaveNetConfig) -> Any:
    """Flat sound [B, T] in which a band of what recurs has faded by `fade` [B], by the sound some periods ago.

    What a network has made fades when its predictions are too weak by a little. From this it learns to bring it back.
    `period` [B, S] in samples; `kind` [B]: which of `FADES_HZ`.
    """
    from keras import ops

    samples, batch = flat.shape[1], ops.shape(flat)[0]
    period = ops.repeat(period, sizes.step, axis=1)
    lag = period * ops.ceil((FADE_REACH + 1.0) / period)
    whole = ops.ceil(lag)
    part = ops.cast(ops.round((whole - lag) * PARTS), "int32")
    weights = ops.take(fades().reshape(-1, 2 * FADE_REACH), kind[:, None] * (PARTS + 1) + part, axis=0)
    begin = np.arange(samples, dtype=np.int32) - ops.cast(whole, "int32") + (LONGEST_LAG - FADE_REACH + 1)
    index = ops.maximum(begin, 0)[..., None] + np.arange(2 * FADE_REACH, dtype=np.int32)
    padded = ops.pad(flat, [[0, 0], [LONGEST_LAG, 0]])
    read = ops.take_along_axis(padded, ops.reshape(index, (batch, -1)), axis=1)
    read = ops.sum(ops.reshape(read, ops.shape(index)) * weights, axis=-1)
    return flat - fade[:, None] * read


def power_bands(sizes: WaveNetConfig) -> np.ndarray:
    """[N, M]: from squared magnitudes of `POWER_WINDOW` to the powers of the envelope's bands."""
    from synth_explorer.model.bands import band_shapes

    bins_hz, shapes = band_shapes(sizes.bands, sizes.sample_rate_hz)
    own_hz = np.linspace(0.0, sizes.sample_rate_hz / 2, POWER_WINDOW // 2 + 1)
    between = np.stack([np.interp(bins_hz, own_hz, row) for row in np.eye(len(own_hz))])
    return (between @ (shapes / shapes.sum(1, keepdims=True)).T / (0.375 * POWER_WINDOW)).astype(np.float32)


def pitch_phase(audio: np.ndarray, pitch_hz: np.ndarray, sizes: WaveNetConfig) -> tuple[np.ndarray, np.ndarray]:
    """Phase of a sound's pitch in cycles, and its period in samples, at each step, [S] each.

    The phase is that of the sound's first partial, as it is heard over `TONE_S`, so that it stays where it was however
    the track errs.
    """
    at = np.arange(0, len(audio), sizes.step)
    samples_hz = np.interp(np.arange(len(audio)) / sizes.hop, np.arange(len(pitch_hz)), pitch_hz)
    cycles = np.cumsum(samples_hz / sizes.sample_rate_hz) - samples_hz / sizes.sample_rate_hz
    window = np.hanning(int(TONE_S * sizes.sample_rate_hz) | 1)
    tone = np.convolve(audio * np.exp(-2j * np.pi * cycles), window, mode="same")
    cycles = cycles + np.angle(tone) / (2.0 * np.pi)
    return np.mod(cycles[at], 1.0), sizes.sample_rate_hz / samples_hz[at]


class WaveNetRun(Run):
    """As `Run`. The figure of validation is bits a sample of crops of instruments that are held out."""

    config: WaveNetTrainConfig

    def make_model(self) -> Any:
        return make_training_model(self.config)

    def batch(self, step: int) -> dict[str, np.ndarray]:
        rng = np.random.default_rng((self.config.seed, step))
        given = self.batches.crops(rng)
        low, high = math.log(self.config.past_noise_low), math.log(max(self.config.past_noise_high, 1e-9))
        share = np.exp(rng.uniform(low, high, len(given["target"]))) * (rng.random(len(given["target"])) > CLEAN)
        fade = rng.uniform(*FADE, len(share)) * (rng.random(len(share)) < FADED)
        return self._given(given, rng, share, fade)

    def _given(
        self, given: dict[str, np.ndarray], rng: np.random.Generator, share: np.ndarray, fade: np.ndarray
    ) -> dict[str, Any]:
        """Crops with their phases, dither, and what is wrong with their pasts: noise of so much each, and fades."""
        sizes, shape = self.config.model, given["target"].shape
        phases = [pitch_phase(*each, sizes) for each in zip(given["target"], given["target_pitch_hz"], strict=True)]
        given["cycles"], given["period"] = (np.stack(each).astype(np.float32) for each in zip(*phases, strict=True))
        given["target"] = given["target"] + DITHER * rng.standard_normal(shape, dtype=np.float32)
        noise = rng.standard_normal(shape, dtype=np.float32)
        given["doubt"] = share.astype(np.float32)
        given["past_noise"] = noise * given["doubt"][:, None]
        given["fade"] = fade.astype(np.float32)
        given["fade_kind"] = rng.integers(len(FADES_HZ), size=len(fade)).astype(np.int32)
        frames = given["target_pitch_hz"].shape
        given["latent_noise"] = rng.standard_normal((*frames, sizes.learned), dtype=np.float32)
        return given

    def validate(self) -> float:
        """Bits a sample of fixed crops, lower is better, with a clean past and clean latents."""
        return float(np.mean(self.bits(self.validation_crops())))

    def validation_crops(self) -> list[dict[str, np.ndarray]]:
        """Batches of crops from the onset on and of crops from the middle, of notes of held-out instruments."""
        from synth_explorer.pitch import midi_to_hz
        from synth_explorer.train.validation import pick

        size, frames, hop = self.config.batch, self.config.frames, self.config.model.hop
        picked = []
        for source in self.batches.sources:
            each = max(1, self.config.validation_notes // len(self.batches.sources))
            chosen = pick(source.notes, "validation", each)
            later = max(0, min(frames, source.notes.samples // hop - frames))
            picked += [(source, note, (number % 2) * later) for number, note in enumerate(chosen)]
        batches, size = [], min(size, len(picked))
        for first in range(0, len(picked) // size * size, size):
            sounds, tracks = [], []
            for source, note, start in picked[first : first + size]:
                sounds.append(source.notes.audio(note)[start * hop : (start + frames) * hop])
                cents = source.cents[note][start : start + frames].astype(np.float64)
                tracks.append(midi_to_hz(source.pitch[note]) * 2.0 ** (cents / 1200.0))
            sound, track = (np.stack(each).astype(np.float32) for each in (sounds, tracks))
            given = {"source": sound, "target": sound, "source_pitch_hz": track, "target_pitch_hz": track}
            given["weight"] = np.ones(size, np.float32)
            given = self._given(given, np.random.default_rng(first), np.zeros(size), np.zeros(size))
            batches.append(given | {"latent_noise": np.zeros_like(given["latent_noise"])})
        return batches

    def bits(self, batches: list[dict[str, np.ndarray]]) -> np.ndarray:
        """Bits a sample of each subframe, [N, J]."""
        return np.concatenate([np.asarray(self.model.predict_on_batch(one)["bits"]) for one in batches])
