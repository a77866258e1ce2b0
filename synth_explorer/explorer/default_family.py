"""The default family: the autoencoder with its fast decoder, a pitch head, and a note's enhancement.

Shapes: T samples, F frames, C channels, D numbers of detail, E bands of enhancement.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from synth_explorer import pitch, pitch_path
from synth_explorer.audio import resample
from synth_explorer.explorer.decoders import OF_FAMILY, Decoder
from synth_explorer.explorer.family import NOTHING, Decoding, Encoded, Encoding, tone
from synth_explorer.latents import Latents, LatentsMeta
from synth_explorer.lru import LruCache
from synth_explorer.model import enhancement
from synth_explorer.pitch import HeardPitch, folded, midi_to_hz

if TYPE_CHECKING:
    from synth_explorer.model.autoencoder import Autoencoder
    from synth_explorer.model.config import ModelConfig
    from synth_explorer.model.fit import Fit
    from synth_explorer.model.pitch_head import PitchHead

NETWORKS_KEPT = 16  # of a note of 4 s: 0.4 MB each
LISTENING_SEED = 11  # of the noise of the render that a note is held against for its enhancement


class DefaultFamily:
    """The autoencoder with its fast decoder, and a pitch head; its final render puts a note's enhancement back."""

    decoders = OF_FAMILY["default"]
    has_pitch = True
    together = 1

    def __init__(self, model: Autoencoder, head: PitchHead) -> None:
        from scipy.sparse import csr_array

        from synth_explorer import runtime

        self.model, self.head = model, head
        self._listen = runtime.compiled(lambda a: model.encoder.listen(a), ranks=(2,))
        self._finish = runtime.compiled(lambda *given: model.encoder.finish(*given), ranks=(3, 3, 2, 2))
        self._network = runtime.compiled(lambda *given: model.decoder.network(*given), ranks=(3, 2))
        heads = model.decoder.frame_head.units, model.decoder.fine_head.units
        self._controls = runtime.compiled(
            lambda *given: model.decoder.controls_of(*given), ranks=(3, 3, 3, 2, 3), last=heads
        )
        self._said: LruCache[tuple[np.ndarray, np.ndarray]] = LruCache(NETWORKS_KEPT)
        self._step = runtime.frame_step()
        self._bands = {  # two entries a column: as sparse products they need no thread pool
            "noise_matrix": csr_array(model.decoder.noise_matrix),
            "short_matrix": csr_array(model.decoder.short_matrix),
        }
        self._lock = threading.Lock()
        self._listener = ThreadPoolExecutor(1, thread_name_prefix="listen")
        self.details = model.config.details
        self.enhancements = enhancement.BANDS

    @property
    def config(self) -> ModelConfig:
        return self.model.config

    @cached_property
    def _fit(self) -> Fit:
        """Made when it is first asked for: not every Keras backend has gradients."""
        from synth_explorer.model.fit import Fit

        return Fit(self.model)

    def estimate_pitch(self, audio: np.ndarray) -> HeardPitch:
        """The pitch head's estimate."""
        from synth_explorer.model.pitch_head import estimate

        rate_hz = self.head.config.sample_rate_hz  # the head may hear at another rate than the model's
        audio = resample(audio, source_rate_hz=self.config.sample_rate_hz, sample_rate_hz=rate_hz)
        with self._lock:
            return HeardPitch(*estimate(self.head, audio, sample_rate_hz=rate_hz))

    def encode(self, audio: np.ndarray, how: Encoding) -> Encoded:
        """Latents of a note. An unknown pitch is estimated while the half of the encoder runs that needs none."""
        rate_hz, hop = self.config.sample_rate_hz, self.config.hop
        frames = -(-len(audio) // hop)
        total = self._padded(frames)
        padded = np.pad(audio, (0, total * hop - len(audio)))[None]
        heard = self._listener.submit(self._listen, padded)
        if how.midi is None:
            told = folded(self.estimate_pitch(audio))
            midi = told.midi
        else:
            told, midi = None, how.midi
        sizes = {"sample_rate_hz": rate_hz, "hop": hop, "frames": frames}
        sure = told is None or not pitch.doubt(*told)
        found = pitch_path.listen(audio, midi=midi, stated=told is None, sure=sure, **sizes)
        track = midi_to_hz(found.midi).astype(np.float32)
        if told is not None and found.moves and told.kind != "unpitched":  # one pitch was no question to ask
            told = HeardPitch(float(np.median(found.midi)), told.confidence, "moving")
        longer = np.pad(track, (0, total - frames), mode="edge")[None].astype(np.float32)
        z = self._finish(*heard.result(), padded, longer)
        detail = missing = NOTHING
        if how.fit_steps:
            z, details = self._fit(z, longer, padded, steps=how.fit_steps, progress=how.progress)
            detail = details[0]
        if how.enhance:
            steady = detail if how.fit_steps else np.zeros(self.details, np.float32)
            parts = self._parts(z[0], longer[0], np.tile(steady, (total, 1)), noise=1.0, seed=LISTENING_SEED)
            lacking = enhancement.hear(padded, *(part[None] for part in parts), hop=hop, sample_rate_hz=rate_hz)
            missing = lacking[0, :frames]
        return Encoded(z[0, :frames], track, detail, missing, told)

    def stream(self, latents: Latents, how: Decoding) -> Iterator[np.ndarray]:
        """The sound in one chunk. `temperature` scales the level of the noise."""
        held = self._padded(latents.frames) - latents.frames
        detail = latents.detail if latents.details else np.zeros((latents.frames, self.details), np.float32)
        z, detail = (np.pad(track, ((0, held), (0, 0)), mode="edge") for track in (latents.z, detail))
        pitch_hz = np.pad(latents.pitch_hz, (0, held), mode="edge")
        controls = self._scaled_controls(z, pitch_hz, detail, noise=how.temperature * how.noise_gain)
        sound = self._render(controls, pitch_hz, seed=how.seed, engine=how.engine)
        if how.decoder.reads_enhancement and latents.enhancements:
            sizes = {"hop": self.config.hop, "sample_rate_hz": self.config.sample_rate_hz}
            sound = enhancement.apply(sound[None], latents.enhancement[None], **sizes)[0]
        if how.progress is not None:
            how.progress(how.samples, how.samples)
        return iter([np.ascontiguousarray(sound[: how.samples])])

    def stream_together(self, latents: Sequence[Latents], hows: Sequence[Decoding]) -> Iterator[np.ndarray]:
        """One note."""
        return (chunk[None] for chunk in self.stream(latents[0], hows[0]))

    def _parts(
        self, z: np.ndarray, pitch_hz: np.ndarray, detail: np.ndarray, *, noise: float, seed: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """The tones and the noise of the fast decoder's sound, [F * hop] each."""
        from synth_explorer.decode import synthesis

        controls = self._scaled_controls(z, pitch_hz, detail, noise=noise)
        return synthesis.parts(*self._one_note(controls, pitch_hz), **self._synthesis(seed))

    def _scaled_controls(
        self, z: np.ndarray, pitch_hz: np.ndarray, detail: np.ndarray, *, noise: float
    ) -> dict[str, np.ndarray]:
        """The fast decoder's controls, its noise scaled."""
        given = z[None], pitch_hz[None]
        key = z[:, 2:].tobytes(), given[1].tobytes()
        said = self._said.get(key) or self._said.put(key, self._network(*given))
        controls = self._controls(*said, *given, detail[None])
        for name in ("noise", "short_noise"):
            controls[name] = controls[name] * np.float32(noise)
        return controls

    def _padded(self, frames: int) -> int:
        return -(-frames // self._step) * self._step

    def _render(self, controls: dict[str, np.ndarray], pitch_hz: np.ndarray, *, seed: int, engine: str) -> np.ndarray:
        """Controls with a batch axis of one -> audio."""
        from synth_explorer.decode import synthesis

        config = self.config
        if engine == "keras":
            from keras import ops

            from synth_explorer.model import synthesis as reference

            sizes = {"hop": config.hop, "subframes": config.subframes}
            phases, short_phases = synthesis.noise_phases(len(pitch_hz), **sizes, seed=seed)
            sound = reference.render(controls, pitch_hz[None], phases[None], short_phases[None], self.model.decoder)
            return ops.convert_to_numpy(sound)[0]
        return synthesis.render(*self._one_note(controls, pitch_hz), **self._synthesis(seed))

    @staticmethod
    def _one_note(controls: dict[str, np.ndarray], pitch_hz: np.ndarray) -> tuple[dict[str, np.ndarray], np.ndarray]:
        return {name: value[0] for name, value in controls.items()}, pitch_hz

    def _synthesis(self, seed: int) -> dict[str, Any]:
        """Options of `decode.synthesis`."""
        config = self.config
        sizes = {"hop": config.hop, "subframes": config.subframes, "sample_rate_hz": config.sample_rate_hz}
        return self._bands | sizes | {"harmonics_count": config.harmonics, "seed": seed}

    def warm_up(self, decoder: Decoder) -> None:
        """A second of a tone, there and back."""
        rate_hz, hop = self.config.sample_rate_hz, self.config.hop
        heard = self.encode(tone(rate_hz, rate_hz), Encoding(enhance=decoder.reads_enhancement))
        latents = Latents(heard.z, heard.pitch_hz, LatentsMeta("", "", rate_hz, hop), enhancement=heard.enhancement)
        list(self.stream(latents, Decoding(len(heard.z) * hop, decoder)))
