"""The family of the WaveNet autoencoder that is trained here: every sample drawn, from latents, pitch and its past.

Shapes: T samples, F frames.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from synth_explorer.explorer.decoders import OF_FAMILY
from synth_explorer.explorer.default_family import DefaultFamily
from synth_explorer.explorer.family import Decoding, Encoded, Encoding
from synth_explorer.latents import Latents
from synth_explorer.model.pitch_hearing import Head
from synth_explorer.model.wavenet_config import WaveNetConfig
from synth_explorer.plain.autoencoder import Autoencoder
from synth_explorer.plain.held import held
from synth_explorer.plain.layers import Weights
from synth_explorer.plain.wavenet import Telling, Told

if TYPE_CHECKING:
    from synth_explorer.decode.wavenet.flat import FlatWeights
    from synth_explorer.decode.wavenet.given import Given
    from synth_explorer.model.wavenet import WaveNet


class WaveNetFamily(DefaultFamily):
    """Encodes and fits as the default family; one decoder, in chunks as they are made."""

    decoders = OF_FAMILY["wavenet"]

    def __init__(self, config: WaveNetConfig, weights: Weights, head: Head, build: Callable[[], WaveNet]) -> None:
        super().__init__(Autoencoder(config, weights), head, build)
        self._sizes, self._weights = config, weights
        self.enhancements = 0
        self._telling, self._told = Telling(config, self.networks.controls), Told(weights)

    @cached_property
    def weights(self) -> FlatWeights:
        """Those of the steps, as the engine wants them."""
        from synth_explorer.decode.wavenet.flat import FlatWeights

        return FlatWeights.of(self._sizes, self._weights)

    def encode(self, audio: np.ndarray, how: Encoding) -> Encoded:
        """As the default family, without an enhancement: what is drawn has no use for one."""
        return super().encode(audio, replace(how, enhance=False))

    def given(self, latents: Latents) -> Given:
        """What the engine makes the sound from."""
        note = self._given(latents)
        note = note._replace(pitch_hz=np.asarray(note.pitch_hz, np.float32))
        given = self._telling.given(self._controls(note, noise=1.0), note.z, note.pitch_hz)
        return given._replace(told=self._told(given.told))

    def stream(self, latents: Latents, how: Decoding) -> Iterator[np.ndarray]:
        """What the network draws, at the loudness that is asked for, in chunks.

        `temperature` scales how far samples lie from where they are expected.
        """
        from synth_explorer.decode.wavenet.flat import SAMPLING, stream

        sampling = replace(SAMPLING, temperature=SAMPLING.temperature * how.temperature * how.noise_gain)
        stopped = how.stop if callable(how.stop) else how.stop.is_set if how.stop else lambda: False
        done, front_end = 0, self.networks.encoder.front_end
        drawn = stream(self.weights, self.given(latents), seed=how.seed, sampling=sampling)
        for chunk in held(drawn, front_end.asked_db(latents.z), front_end):
            part = chunk[: how.samples - done]
            done += len(part)
            if how.progress is not None:
                how.progress(done, how.samples)
            yield part
            if stopped() or done >= how.samples:
                return

    def together(self, engine: str) -> int:
        """One after the other; several run on several cores."""
        return 1

    def stream_together(self, latents: Sequence[Latents], hows: Sequence[Decoding]) -> Iterator[np.ndarray]:
        """As `stream`, of one note."""
        return (chunk[None] for chunk in self.stream(latents[0], hows[0]))
