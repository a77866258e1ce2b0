"""The kinds of models that an Explorer may hold, behind one interface: the default one, and NSynth's.

Shapes: T samples, F frames, C channels, D numbers of detail, E bands of enhancement.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from threading import Event
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np

from synth_explorer import pitch, pitch_path
from synth_explorer.audio import resample
from synth_explorer.errors import AudioError
from synth_explorer.explorer.bounds import refuse_unless_sane
from synth_explorer.latents import Latents, LatentsMeta
from synth_explorer.lru import LruCache
from synth_explorer.model import enhancement
from synth_explorer.pitch import HeardPitch, folded, midi_to_hz

if TYPE_CHECKING:
    from synth_explorer.decode.final import FinalRender
    from synth_explorer.decode.wavenet import WaveNetDecoder
    from synth_explorer.model.autoencoder import Autoencoder
    from synth_explorer.model.config import ModelConfig
    from synth_explorer.model.fit import Fit
    from synth_explorer.model.nsynth import NSynth
    from synth_explorer.model.nsynth_config import NSynthConfig
    from synth_explorer.model.pitch_head import PitchHead

NETWORKS_KEPT = 16  # of a note of 4 s: 0.4 MB each
LISTENING_SEED = 11  # of the noise of the render that a note is held against for its enhancement
Stop = Event | Callable[[], bool]
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Encoding:
    """How a note is encoded; see `Explorer.encode`. `midi` is its pitch, None where it is to be estimated."""

    midi: float | None = None
    fit_steps: int = 0
    enhance: bool = False
    progress: Progress | None = None


@dataclass(frozen=True)
class Decoding:
    """How latents are decoded; see `Explorer.stream`.

    `samples` is the length of the whole sound, `noise_gain` what the latents' `noise_db` makes of the noise.
    """

    samples: int
    decoder: str
    seed: int = 0
    temperature: float = 1.0
    noise_gain: float = 1.0
    engine: str = "auto"
    stop: Stop | None = None
    progress: Progress | None = None


class Encoded(NamedTuple):
    """A note as a model heard it: z [F, C], pitch_hz [F] and, if it was fitted, detail [D] and enhancement [F, E];
    and its pitch with how sure that is, None where it was stated or lies inside z."""

    z: np.ndarray
    pitch_hz: np.ndarray
    detail: np.ndarray | None = None
    enhancement: np.ndarray | None = None
    pitch: HeardPitch | None = None


class Family(Protocol):
    """What a model does for an Explorer. The Explorer checks what comes in.

    Attributes:
        config: the model's sizes.
        model: the Keras model.
        decoders: names of its decoders, the best default first.
        has_pitch: whether a pitch track goes beside z.
        details: how many numbers of detail a fit finds, D.
        enhancements: how many bands of enhancement, E.
        together: how many notes it decodes at once; 1: one after the other.
    """

    model: Any
    decoders: tuple[str, ...]
    has_pitch: bool
    details: int
    enhancements: int
    together: int

    @property
    def config(self) -> ModelConfig | NSynthConfig: ...

    def estimate_pitch(self, audio: np.ndarray) -> HeardPitch:
        """Audio [T] -> its MIDI pitch, and how sure that is. Raises AudioError where the model has no pitch."""

    def encode(self, audio: np.ndarray, how: Encoding) -> Encoded:
        """A prepared note [T] -> its latents, F = ceil(T / hop)."""

    def stream(self, latents: Latents, how: Decoding) -> Iterator[np.ndarray]:
        """Latents -> chunks of audio, float32, `how.samples` in all. The Explorer looks at their level."""

    def stream_together(self, latents: Sequence[Latents], hows: Sequence[Decoding]) -> Iterator[np.ndarray]:
        """As `stream`, of at most `together` notes that differ in length and seed alone: chunks [B, n].

        They are as long as the longest note; what goes past a shorter one's end is to be cut off.
        """

    def warm_up(self, decoder: str) -> None:
        """Compile everything that a decoder needs."""


class DefaultFamily:
    """The autoencoder with its fast decoder, a pitch head, and the WaveNets of the final render, if there are any."""

    has_pitch = True
    together = 1

    def __init__(self, model: Autoencoder, head: PitchHead, wavenets: dict[str, FinalRender]) -> None:
        from scipy.sparse import csr_array

        from synth_explorer import runtime

        self.model, self.head, self.wavenets = model, head, wavenets
        self.decoders = ("fast", *(("wavenet",) if wavenets else ()), *(f"wavenet-{form}" for form in wavenets))
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
        told = folded(self.estimate_pitch(audio)) if how.midi is None else None
        midi = how.midi if told is None else told.midi
        sizes = {"sample_rate_hz": rate_hz, "hop": hop, "frames": frames}
        sure = told is None or not pitch.doubt(*told)
        found = pitch_path.listen(audio, midi=midi, stated=told is None, sure=sure, **sizes)
        track = midi_to_hz(found.midi).astype(np.float32)
        if told is not None and found.moves and told.kind != "unpitched":  # one pitch was no question to ask
            told = HeardPitch(float(np.median(found.midi)), told.confidence, "moving")
        longer = np.pad(track, (0, total - frames), mode="edge")[None].astype(np.float32)
        z = self._finish(*heard.result(), padded, longer)
        detail = missing = None
        if how.fit_steps:
            z, found = self._fit(z, longer, padded, steps=how.fit_steps, progress=how.progress)
            detail = found[0]
        if how.enhance:
            steady = np.zeros(self.details, np.float32) if detail is None else detail
            parts = self._parts(z[0], longer[0], np.tile(steady, (total, 1)), noise=1.0, seed=LISTENING_SEED)
            lacking = enhancement.hear(padded, *(part[None] for part in parts), hop=hop, sample_rate_hz=rate_hz)
            missing = lacking[0, :frames]
        return Encoded(z[0, :frames], track, detail, missing, told)

    def stream(self, latents: Latents, how: Decoding) -> Iterator[np.ndarray]:
        """The fast decoder's sound in one chunk, or that of a WaveNet on top of it, in many.

        `temperature` scales the level of the noise, or how far a WaveNet's draws spread.
        """
        held = self._padded(latents.frames) - latents.frames
        detail = latents.detail if latents.details else np.zeros((latents.frames, self.details), np.float32)
        z, detail = (np.pad(track, ((0, held), (0, 0)), mode="edge") for track in (latents.z, detail))
        given = z, np.pad(latents.pitch_hz, (0, held), mode="edge"), detail
        if how.decoder != "fast":
            return self._finished(*given, latents.enhancement, how)
        return iter([self._fast(*given, how)])

    def stream_together(self, latents: Sequence[Latents], hows: Sequence[Decoding]) -> Iterator[np.ndarray]:
        """One note."""
        return (chunk[None] for chunk in self.stream(latents[0], hows[0]))

    def wavenet(self, decoder: str) -> FinalRender:
        """The WaveNet of a decoder's name: "wavenet" is the final one, "wavenet-FORM" another."""
        form = decoder.removeprefix("wavenet").removeprefix("-")
        return self.wavenets[form or next(iter(self.wavenets))]

    def _fast(self, z: np.ndarray, pitch_hz: np.ndarray, detail: np.ndarray, how: Decoding) -> np.ndarray:
        """The fast decoder's sound [T]."""
        controls = self._scaled_controls(z, pitch_hz, detail, noise=how.temperature * how.noise_gain)
        sound = self._render(controls, pitch_hz, seed=how.seed, engine=how.engine)
        if how.progress is not None:
            how.progress(how.samples, how.samples)
        return np.ascontiguousarray(sound[: how.samples])

    def _finished(
        self, z: np.ndarray, pitch_hz: np.ndarray, detail: np.ndarray, missing: np.ndarray, how: Decoding
    ) -> Iterator[np.ndarray]:
        """A WaveNet's sound in chunks, on the fast decoder's with what an enhancement [F', E] says was missing."""
        from synth_explorer.model.guide import Guide

        wavenet = self.wavenet(how.decoder)
        parts = np.stack(self._parts(z, pitch_hz, detail, noise=how.noise_gain, seed=how.seed))
        if missing.size:
            sizes = {"hop": self.config.hop, "sample_rate_hz": self.config.sample_rate_hz}
            parts = enhancement.apply(parts, missing[None], **sizes)
        refuse_unless_sane(parts)  # before anything is built upon them
        guide = Guide.of(parts[:1], parts[1:], wavenet.network.config, self.config)
        return wavenet.stream(
            z,
            pitch_hz.astype(np.float32),
            guide,
            samples=how.samples,
            seed=how.seed,
            temperature=how.temperature,
            engine=how.engine,
            stop=how.stop,
            progress=how.progress,
        )

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

            phases = synthesis.noise_phases(len(pitch_hz), hop=config.hop, subframes=config.subframes, seed=seed)
            sound = reference.render(controls, pitch_hz[None], *(phase[None] for phase in phases), self.model.decoder)
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

    def warm_up(self, decoder: str) -> None:
        """A second of a tone, there and back; or a WaveNet alone."""
        if decoder != "fast":
            self.wavenet(decoder).warm_up()
            return
        rate_hz, hop = self.config.sample_rate_hz, self.config.hop
        heard = self.encode(_tone(rate_hz, rate_hz), Encoding())
        list(self.stream(Latents(*heard[:2], LatentsMeta("", "", rate_hz, hop)), Decoding(len(heard.z) * hop, "fast")))


class NSynthFamily:
    """NSynth's WaveNet autoencoder: pitch inside z, one decoder, sample by sample."""

    decoders = ("wavenet",)
    has_pitch = False
    details = enhancements = 0
    together = 64
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
        from synth_explorer.decode.wavenet import WaveNetDecoder

        with self._lock:
            if engine not in self._wavenets:
                name, _, precision = engine.partition("-")
                self._wavenets[engine] = WaveNetDecoder(self.model.stack(), engine=name, precision=precision or "auto")
            return self._wavenets[engine]

    def stream(self, latents: Latents, how: Decoding) -> Iterator[np.ndarray]:
        """What the network draws, in chunks. `temperature` is that of the draws."""
        return (chunk[0] for chunk in self.stream_together([latents], [how]))

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

    def warm_up(self, decoder: str) -> None:
        """A frame of a tone, and a few samples."""
        heard = self.encode(_tone(self.config.hop, self.config.sample_rate_hz), Encoding())
        self.wavenet().generate(heard.z[None], seeds=[0], samples=16)


def _tone(samples: int, sample_rate_hz: int) -> np.ndarray:
    """A quiet sine of 220 Hz, float32 [samples]."""
    return (0.1 * np.sin(2.0 * np.pi * 220.0 * np.arange(samples) / sample_rate_hz)).astype(np.float32)
