"""The family of the WaveNet autoencoder that is trained here: the whole signal, sample by sample, at a told pitch.

Shapes: T samples, F frames, J subframes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from synth_explorer.explorer.decoders import OF_FAMILY, Decoder
from synth_explorer.explorer.ear import Ear
from synth_explorer.explorer.family import Decoding, Encoded, Encoding, tone
from synth_explorer.latents import Latents, LatentsMeta
from synth_explorer.model.pitch_hearing import Head
from synth_explorer.model.wavenet_config import WaveNetConfig
from synth_explorer.pitch import HeardPitch
from synth_explorer.plain.held import held
from synth_explorer.plain.layers import Weights
from synth_explorer.plain.wavenet import WaveNet

if TYPE_CHECKING:
    from synth_explorer.decode.wavenet.flat import FlatWeights, Given


class WaveNetFamily:
    """The WaveNet autoencoder, with a pitch head; one decoder, in chunks as they are made."""

    decoders = OF_FAMILY["wavenet"]
    has_pitch = True
    details = enhancements = 0

    def __init__(self, config: WaveNetConfig, weights: Weights, head: Head, build: Callable[[], Any]) -> None:
        self.config, self._weights, self._networks = config, weights, WaveNet(config, weights)
        self._build = build
        self._ear = Ear(head, sample_rate_hz=config.sample_rate_hz, hop=config.hop)

    @cached_property
    def model(self) -> Any:
        """The Keras model; it takes seconds, and what is done for a user does without."""
        from synth_explorer.quiet import import_keras

        import_keras()
        return self._build()

    @cached_property
    def weights(self) -> FlatWeights:
        """Those of the steps, as the engine wants them."""
        from synth_explorer.decode.wavenet.flat import FlatWeights

        return FlatWeights.of(self.config, self._weights)

    def estimate_pitch(self, audio: np.ndarray) -> HeardPitch:
        """The pitch head's estimate."""
        return self._ear.estimate(audio)

    def encode(self, audio: np.ndarray, how: Encoding) -> Encoded:
        """Latents of a note, padded with silence to whole frames. There is nothing to fit."""
        frames = -(-len(audio) // self.config.hop)
        padded = np.pad(np.asarray(audio, np.float32), (0, frames * self.config.hop - len(audio)))
        told, track = self._ear.listen(audio, midi=how.midi, frames=frames)
        return Encoded(self._networks.encoder(padded, track), track, pitch=told)

    def given(self, latents: Latents) -> Given:
        """What the engine makes the sound from."""
        from synth_explorer.decode.wavenet.flat import Given

        pitch_hz = np.asarray(latents.pitch_hz, np.float32)
        return Given(*self._networks.given(np.asarray(latents.z, np.float32), pitch_hz), pitch_hz)

    def stream(self, latents: Latents, how: Decoding) -> Iterator[np.ndarray]:
        """What the network draws, at the loudness that is asked for, in chunks.

        `temperature` scales how far samples lie from where they are expected.
        """
        from synth_explorer.decode.wavenet.flat import SAMPLING, stream

        sampling = replace(SAMPLING, temperature=SAMPLING.temperature * how.temperature * how.noise_gain)
        stopped = how.stop if callable(how.stop) else how.stop.is_set if how.stop else lambda: False
        done = 0
        drawn = stream(self.weights, self.given(latents), seed=how.seed, sampling=sampling)
        for chunk in held(drawn, self._networks.frames.loudness_db(latents.z), self._networks.encoder.front_end):
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

    def warm_up(self, decoder: Decoder) -> None:
        """A frame of a tone, there and back."""
        rate_hz, hop = self.config.sample_rate_hz, self.config.hop
        heard = self.encode(tone(hop, rate_hz), Encoding(midi=57.0))
        latents = Latents(heard.z, heard.pitch_hz, LatentsMeta("", "", rate_hz, hop))
        list(self.stream(latents, Decoding(hop, decoder)))
