"""The default model in one piece: encoder, fast decoder and synthesis.

Shapes: B notes, T samples, F frames, J subframes, C channels.
"""

from __future__ import annotations

from collections.abc import Callable

import keras
from keras import ops

from synth_explorer.model import synthesis
from synth_explorer.model.config import ModelConfig
from synth_explorer.model.encoder import Encoder
from synth_explorer.model.fast_decoder import FastDecoder


class Autoencoder(keras.Model):
    """Audio -> latents -> audio."""

    def __init__(self, config: ModelConfig, **kwargs) -> None:
        super().__init__(**kwargs)
        self.config = config
        self.encoder = Encoder(config, name="encoder")
        self.decoder = FastDecoder(config, name="fast_decoder")
        self.bank: Callable | None = None  # a quicker bank of partials, see `synthesis.harmonics`

    def build_weights(self) -> None:
        """Create all weights, by the shapes of two frames alone: nothing is computed."""
        audio, pitch_hz = keras.KerasTensor((1, 2 * self.config.hop)), keras.KerasTensor((1, 2))
        self.decoder(self.encoder(audio, pitch_hz), pitch_hz)
        self.built = True

    def call(self, inputs):
        """One training pass, every random number given.

        Inputs: `source` [B, T] and `source_pitch_hz` [B, F] are encoded; `target` [B, T] lends its loudness and
        brightness and `target_pitch_hz` its pitch, so that a note can be asked for at another pitch of its instrument
        (for a plain reconstruction both are the same); `latent_noise` [B, F, C - 2] standard normal numbers;
        `noise_phase`, `short_noise_phase` uniform numbers (see `synthesis.render`); perhaps `bandwidth_hz` [B], where
        the recordings end (see `FastDecoder.controls_of`).
        Returns a dictionary: `audio` [B, T] and `z` [B, F, C] as it was decoded, without the noise.
        """
        learned = self.encoder(inputs["source"], inputs["source_pitch_hz"])[..., 2:]
        magnitudes = self.encoder.front_end.hop_spectrum(inputs["target"])
        attributes = ops.stop_gradient(self.encoder.front_end.attributes(magnitudes))
        noisy = learned + self.config.latent_noise * inputs["latent_noise"]
        pitch_hz = inputs["target_pitch_hz"]
        given = ops.concatenate([attributes, noisy], axis=-1), pitch_hz
        controls = self.decoder.controls(*given, bandwidth_hz=inputs.get("bandwidth_hz"))
        phases = inputs["noise_phase"], inputs["short_noise_phase"]
        audio = synthesis.render(controls, pitch_hz, *phases, self.decoder, bank=self.bank)
        return {"audio": audio, "z": ops.concatenate([attributes, learned], axis=-1)}


def untrained(config: ModelConfig, *, seed: int) -> Autoencoder:
    """A model as it is before any training: the same weights each time. The seed is set for all of Keras."""
    keras.utils.set_random_seed(seed)
    model = Autoencoder(config, name="untrained")
    model.build_weights()
    return model
