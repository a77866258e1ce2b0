"""The default family: the autoencoder with its fast decoder, a pitch head, and a note's enhancement.

Shapes: T samples, F frames, C channels, D numbers of detail, P points of the level in a frame, E bands of enhancement.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from synth_explorer.audio import bandwidth
from synth_explorer.explorer.decoders import OF_FAMILY, Decoder
from synth_explorer.explorer.ear import Ear
from synth_explorer.explorer.family import NOTHING, Decoding, Encoded, Encoding, tone
from synth_explorer.explorer.keras_reference import Note
from synth_explorer.latents import Latents, LatentsMeta
from synth_explorer.lru import LruCache
from synth_explorer.model import enhancement
from synth_explorer.model.pitch_hearing import Head
from synth_explorer.pitch import HeardPitch
from synth_explorer.plain.autoencoder import Autoencoder
from synth_explorer.runtime import Helpers

if TYPE_CHECKING:
    from synth_explorer.explorer.keras_reference import KerasReference
    from synth_explorer.model.autoencoder import Autoencoder as KerasAutoencoder
    from synth_explorer.model.config import ModelConfig

DEVICE_NOTES = 64  # at once
NETWORKS_KEPT = 16  # of a note of 4 s: 0.4 MB each
LISTENING_SEED = 11  # of the noise of the render that a note is held against for its enhancement


class DefaultFamily:
    """The autoencoder with its fast decoder, and a pitch head; its final render puts a note's enhancement back."""

    decoders = OF_FAMILY["default"]
    has_pitch = True

    def __init__(self, networks: Autoencoder, head: Head, build: Callable[[], KerasAutoencoder]) -> None:
        """The networks that answer, and how their Keras model is built, where training or the engine asks for it."""
        self.networks, self.head, self._build = networks, head, build
        self._ear = Ear(head, sample_rate_hz=networks.config.sample_rate_hz, hop=networks.config.hop)
        self._said: LruCache[tuple[np.ndarray, np.ndarray]] = LruCache(NETWORKS_KEPT)
        self._listener = Helpers(1, thread_name_prefix="listen")
        self.details = networks.config.details
        self.enhancements = enhancement.bands(networks.config.sample_rate_hz)

    @classmethod
    def of(cls, model: KerasAutoencoder, head: Head) -> DefaultFamily:
        """That of a Keras model, with the weights that it has now."""
        return cls(Autoencoder.of(model), head, lambda: model)

    @property
    def config(self) -> ModelConfig:
        return self.networks.config

    @cached_property
    def model(self) -> KerasAutoencoder:
        """The Keras model; it takes seconds, and what is done for a user does without."""
        from synth_explorer.quiet import import_keras

        import_keras()
        return self._build()

    @cached_property
    def _reference(self) -> KerasReference:
        from synth_explorer.explorer.keras_reference import KerasReference

        return KerasReference(self.model)

    def estimate_pitch(self, audio: np.ndarray) -> HeardPitch:
        """The pitch head's estimate."""
        return self._ear.estimate(audio)

    def encode(self, audio: np.ndarray, how: Encoding) -> Encoded:
        """Latents of a note. An unknown pitch is estimated while the half of the encoder runs that needs none."""
        rate_hz, hop = self.config.sample_rate_hz, self.config.hop
        frames = -(-len(audio) // hop)
        padded = np.pad(np.asarray(audio, np.float32), (0, frames * hop - len(audio)))
        heard = self._listener.submit(self.networks.encoder.listen, padded)
        told, track = self._ear.listen(audio, midi=how.midi, frames=frames)
        half = heard.result()
        ends = self._listener.submit(self._end_hz, audio, float(np.median(track)))
        z, end_hz = self.networks.encoder.finish(*half, padded, track), ends.result()
        detail = fine_level = missing = NOTHING
        if how.fit_steps:
            from synth_explorer.plain.fit import Fit

            fit = Fit(self.networks, z, track, padded, bandwidth_hz=end_hz)
            z, detail, fine_level = fit(steps=how.fit_steps, progress=how.progress)
        if how.enhance:
            given = Note(z, track, *self._found(detail, fine_level, frames=frames), end_hz)
            parts = self._parts(given, noise=1.0, seed=LISTENING_SEED)
            lacking = enhancement.hear(padded[None], *(part[None] for part in parts), hop=hop, sample_rate_hz=rate_hz)
            missing = lacking[0]
        return Encoded(z, track, detail, missing, fine_level, told, end_hz)

    def _end_hz(self, audio: np.ndarray, f0_hz: float) -> float:
        """Where a note's recording ends, 0 where it does not end below the model's band, or the model knows of none."""
        if not self.config.band_hz:
            return 0.0
        rate = {"sample_rate_hz": self.config.sample_rate_hz}
        end_hz = bandwidth.bandwidth_hz(audio, f0_hz=f0_hz, **rate)
        ends = end_hz < bandwidth.top_hz(**rate) and bandwidth.is_empty_above(audio, end_hz, **rate)
        return end_hz if ends else 0.0

    def stream(self, latents: Latents, how: Decoding) -> Iterator[np.ndarray]:
        """The sound in one chunk. `temperature` scales the level of the noise."""
        given, noise = self._given(latents), how.temperature * how.noise_gain
        if how.engine == "keras":
            sound = self._reference(given, noise=noise, seed=how.seed)
        else:
            sound = np.sum(self._parts(given, noise=noise, seed=how.seed), axis=0)
        return iter([self._finished(sound, latents, how)])

    def together(self, engine: str) -> int:
        """Many where Keras may have a device for them."""
        return DEVICE_NOTES if engine == "keras" else 1

    def stream_together(self, latents: Sequence[Latents], hows: Sequence[Decoding]) -> Iterator[np.ndarray]:
        """The sounds in one chunk, silent after their ends; the engine `keras` makes them in one batch."""
        if len(latents) == 1:
            return (chunk[None] for chunk in self.stream(latents[0], hows[0]))
        given = [self._given(one) for one in latents]
        noise = [how.temperature * how.noise_gain for how in hows]
        sounds = self._reference.together(given, noise=noise, seeds=[how.seed for how in hows])
        finished = [self._finished(*each) for each in zip(sounds, latents, hows, strict=True)]
        longest = max(how.samples for how in hows)
        return iter([np.stack([np.pad(sound, (0, longest - len(sound))) for sound in finished])])

    def _given(self, latents: Latents) -> Note:
        """What the decoder is given of latents."""
        found = self._found(latents.detail, latents.fine_level, frames=latents.frames)
        return Note(latents.z, latents.pitch_hz, *found, latents.meta.bandwidth_hz)

    def _found(self, detail: np.ndarray, fine_level: np.ndarray, *, frames: int) -> tuple[np.ndarray, np.ndarray]:
        """What a fit found, zeros where there was none: detail [F, D] and fine level [F, P]."""
        sizes = self.details, self.config.level_points
        one, other = (
            given if given.size else np.zeros((frames, size), np.float32)
            for given, size in zip((detail, fine_level), sizes, strict=True)
        )
        return one, other

    def _finished(self, sound: np.ndarray, latents: Latents, how: Decoding) -> np.ndarray:
        """A sound [F * hop] with the note's enhancement, where it is asked for, at its length."""
        if how.decoder.reads_enhancement and latents.enhancements:
            sizes = {"hop": self.config.hop, "sample_rate_hz": self.config.sample_rate_hz}
            sound = enhancement.apply(sound[None], latents.enhancement[None], **sizes)[0]
        if how.progress is not None:
            how.progress(how.samples, how.samples)
        return np.ascontiguousarray(sound[: how.samples])

    def _controls(self, note: Note, *, noise: float) -> dict[str, np.ndarray]:
        """The fast decoder's controls; the noise's level multiplied."""
        key = note.z[:, 2:].tobytes(), note.pitch_hz.tobytes()
        said = self._said.get(key) or self._said.put(key, self.networks.network(note.z, note.pitch_hz))
        controls = self.networks.controls(*said, *note)
        for name in ("noise", "short_noise"):
            controls[name] = controls[name] * np.float32(noise)
        return controls

    def _parts(self, note: Note, *, noise: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
        """The tones and the noise of the fast decoder's sound, [F * hop] each; the noise's level multiplied."""
        from synth_explorer.decode import synthesis

        config, note = self.config, note._replace(pitch_hz=np.asarray(note.pitch_hz, np.float32))
        controls = self._controls(note, noise=noise)
        return synthesis.parts(
            controls,
            note.pitch_hz,
            noise_matrix=self.networks.controls.noise_matrix,
            short_matrix=self.networks.controls.short_matrix,
            half_partials=config.half_partials,
            hop=config.hop,
            subframes=config.subframes,
            sample_rate_hz=config.sample_rate_hz,
            seed=seed,
        )

    def warm_up(self, decoder: Decoder) -> None:
        """A second of a tone, there and back."""
        rate_hz, hop = self.config.sample_rate_hz, self.config.hop
        heard = self.encode(tone(rate_hz, rate_hz), Encoding(enhance=decoder.reads_enhancement))
        latents = Latents(heard.z, heard.pitch_hz, LatentsMeta("", "", rate_hz, hop), enhancement=heard.enhancement)
        list(self.stream(latents, Decoding(len(heard.z) * hop, decoder)))
