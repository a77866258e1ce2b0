"""NSynth's family: Magenta's WaveNet autoencoder.

Shapes: B notes, T samples, F frames.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from synth_explorer.errors import AudioError
from synth_explorer.explorer.decoders import OF_FAMILY, Decoder
from synth_explorer.explorer.family import Decoding, Encoded, Encoding, tone
from synth_explorer.latents import Latents
from synth_explorer.pitch import HeardPitch

if TYPE_CHECKING:
    from synth_explorer.decode.wavenet.decoder import WaveNetDecoder
    from synth_explorer.model.nsynth import NSynth
    from synth_explorer.model.nsynth_config import NSynthConfig

TOGETHER = 64


class NSynthFamily:
    """NSynth's WaveNet autoencoder: pitch inside z, one decoder, sample by sample."""

    decoders = OF_FAMILY["nsynth"]
    has_pitch = False
    details = enhancements = 0
    CHUNK_SAMPLES = 2048

    def __init__(self, model: NSynth) -> None:
        from synth_explorer import runtime

        self.model = model
        self._encode = runtime.compiled(lambda audio: model.encoder(audio), ranks=(2,))
        self._wavenets: dict[str, WaveNetDecoder] = {}
        self._lock = threading.Lock()

    @property
    def config(self) -> NSynthConfig:
        return self.model.config

    def estimate_pitch(self, audio: np.ndarray) -> HeardPitch:
        """There is none."""
        raise AudioError("This checkpoint keeps pitch inside its latents; it estimates none.")

    def encode(self, audio: np.ndarray, how: Encoding) -> Encoded:
        """Latents of a note, padded with silence to whole frames. There is no pitch to tell and nothing to fit."""
        frames = -(-len(audio) // self.config.hop)
        padded = np.pad(audio, (0, frames * self.config.hop - len(audio)))
        return Encoded(self._encode(padded[None])[0], np.full(frames, np.nan))

    def wavenet(self, engine: str = "auto") -> WaveNetDecoder:
        """The decoder on an engine ("numba-int8": with weights of that precision), made ready once."""
        from synth_explorer.decode.wavenet.decoder import WaveNetDecoder

        with self._lock:
            if engine not in self._wavenets:
                name, _, precision = engine.partition("-")
                self._wavenets[engine] = WaveNetDecoder(self.model.stack(), engine=name, precision=precision or "auto")
            return self._wavenets[engine]

    def stream(self, latents: Latents, how: Decoding) -> Iterator[np.ndarray]:
        """What the network draws, in chunks. `temperature` is that of the draws."""
        return (chunk[0] for chunk in self.stream_together([latents], [how]))

    def together(self, engine: str) -> int:
        """As many as any engine likes."""
        return TOGETHER

    def stream_together(self, latents: Sequence[Latents], hows: Sequence[Decoding]) -> Iterator[np.ndarray]:
        """As `stream`, of many notes: the last frame of shorter ones is held until the longest ends."""
        how, frames = hows[0], max(one.frames for one in latents)
        return self.wavenet(how.engine).stream(
            np.stack([np.pad(one.z, ((0, frames - one.frames), (0, 0)), mode="edge") for one in latents]),
            seeds=[one.seed for one in hows],
            temperature=how.temperature * how.noise_gain,
            samples=max(one.samples for one in hows),
            stop=how.stop,
            progress=how.progress,
            chunk_samples=self.CHUNK_SAMPLES,
        )

    def warm_up(self, decoder: Decoder) -> None:
        """A frame of a tone, and a few samples."""
        heard = self.encode(tone(self.config.hop, self.config.sample_rate_hz), Encoding())
        self.wavenet().generate(heard.z[None], seeds=[0], samples=16)
