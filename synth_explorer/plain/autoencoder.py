"""The default model in one piece, in numpy: encoder, and fast decoder up to its controls."""

from __future__ import annotations

from typing import TYPE_CHECKING

from synth_explorer.model.config import ModelConfig
from synth_explorer.plain.controls import Controls
from synth_explorer.plain.decoder import DecoderNetwork
from synth_explorer.plain.encoder import Encoder
from synth_explorer.plain.halves import calm
from synth_explorer.plain.layers import Weights
from synth_explorer.plain.weights import weights_of

if TYPE_CHECKING:
    from synth_explorer.model import autoencoder


class Autoencoder:
    """The parts of `model.autoencoder.Autoencoder`, from weights of the names and shapes of `weights.shapes`, float32.

    Safe to call from several threads: nothing is kept from one call to the next.
    """

    def __init__(self, config: ModelConfig, weights: Weights) -> None:
        calm()
        self.config = config
        self.encoder = Encoder(config, weights)
        self.network = DecoderNetwork(config, weights)
        self.controls = Controls(config)

    @classmethod
    def of(cls, model: autoencoder.Autoencoder) -> Autoencoder:
        """That of a Keras model, with the weights that it has now."""
        return cls(model.config, weights_of(model))
