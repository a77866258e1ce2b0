"""Explorer: the one object that page, shell, batch and tests call.

    explorer = Explorer.load("default")
    cello, flute = (explorer.encode(path) for path in ("cello.wav", "flute.wav"))
    sound = explorer.decode(explorer.morph([cello, flute], [0.5, 0.5], pitch=60))

Shapes: T samples, F frames, C channels.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from synth_explorer import audio as audio_files
from synth_explorer import checkpoints, pitch
from synth_explorer.errors import AudioError, CheckpointError, LatentsError
from synth_explorer.latents import Latents, LatentsMeta, interpolate, midi_to_hz, with_pitch

if TYPE_CHECKING:
    from synth_explorer.edits import Controls, EditChain
    from synth_explorer.model.autoencoder import Autoencoder
    from synth_explorer.model.config import ModelConfig
    from synth_explorer.model.pitch_head import PitchHead

ENGINES = ("auto", "numba", "keras")
PITCH_RANGE_MIDI = (12.0, 120.0)


class Explorer:
    """A loaded checkpoint and everything that can be done with it. Safe to call from several threads.

    Make one with `Explorer.load`.
    """

    def __init__(
        self, info: checkpoints.CheckpointInfo, model: Autoencoder, head: PitchHead, controls: Controls
    ) -> None:
        from scipy.sparse import csr_array

        from synth_explorer import runtime

        self.info, self.model, self.head, self.controls = info, model, head, controls
        self._encode = runtime.compiled(lambda a, p: model.encoder(a, p), ranks=(2, 2))
        self._controls = runtime.compiled(lambda z, p: model.decoder(z, p), ranks=(3, 2))
        self._step = runtime.frame_step()
        self._bands = {  # two entries a column: as sparse products they need no thread pool
            "noise_matrix": csr_array(model.decoder.noise_matrix),
            "short_matrix": csr_array(model.decoder.short_matrix),
        }
        self._lock = threading.Lock()

    @classmethod
    def load(cls, checkpoint: str | os.PathLike[str] = "default") -> Explorer:
        """Load a checkpoint by name or folder. Raises CheckpointError when it is missing or damaged."""
        from synth_explorer.quiet import import_keras

        import_keras()
        from synth_explorer.edits import Controls
        from synth_explorer.model.pitch_head import PitchHead

        info = checkpoints.verify(checkpoint)
        model = checkpoints.load_model(info)
        head = PitchHead.load(*(info.path / name for name in checkpoints.PITCH))
        if head.config.sample_rate_hz != model.config.sample_rate_hz:
            raise CheckpointError(
                f"The pitch head of {info.name} is for {head.config.sample_rate_hz} Hz, its model for "
                f"{model.config.sample_rate_hz} Hz."
            )
        return cls(info, model, head, Controls.load(info.path / checkpoints.CONTROLS))

    def __repr__(self) -> str:
        return f"Explorer({self.checkpoint_name!r}, {self.sample_rate_hz} Hz, hop {self.hop}, decoders {self.decoders})"

    @property
    def config(self) -> ModelConfig:
        """The model's sizes."""
        return self.model.config

    @property
    def checkpoint_name(self) -> str:
        """Name of the checkpoint, as latents carry it."""
        return self.info.name

    @property
    def checkpoint_hash(self) -> str:
        """Hash of the checkpoint, as latents carry it."""
        return self.info.hash

    @property
    def sample_rate_hz(self) -> int:
        """Rate of all audio that goes in and comes out."""
        return self.config.sample_rate_hz

    @property
    def hop(self) -> int:
        """Samples per latent frame."""
        return self.config.hop

    @property
    def frame_rate_hz(self) -> float:
        """Latent frames a second."""
        return self.config.frame_rate_hz

    @property
    def decoders(self) -> tuple[str, ...]:
        """Decoders of this checkpoint."""
        return ("fast",)

    def warm_up(self) -> None:
        """Compile everything, so that the first real call is as fast as the later ones."""
        t = np.arange(self.sample_rate_hz) / self.sample_rate_hz
        self.decode(self.encode((0.1 * np.sin(2.0 * np.pi * 220.0 * t)).astype(np.float32)))

    def read(self, path: str | os.PathLike[str]) -> np.ndarray:
        """Sound file -> audio [T] float32 at `sample_rate_hz`, at most `config.max_s` long. Raises AudioError."""
        return audio_files.load(path, sample_rate_hz=self.sample_rate_hz, max_s=self.config.max_s)

    def estimate_pitch(self, audio: np.ndarray) -> tuple[float, float]:
        """Audio [T] of one note -> (MIDI pitch with its fraction, confidence 0..1)."""
        from synth_explorer.model.pitch_head import estimate

        with self._lock:
            return estimate(self.head, audio_files.check(audio), sample_rate_hz=self.sample_rate_hz)

    def encode(
        self, audio: np.ndarray | str | os.PathLike[str], *, pitch: float | None = None, source: str = ""
    ) -> Latents:
        """A note -> its latents.

        Args:
            audio: [T] at `sample_rate_hz`, or a sound file. The note is cut to its onset and a fixed pre-roll.
            pitch: MIDI pitch, if known; the fine track is measured around it. None: estimated.
            source: what to call the note in listings.

        Raises:
            AudioError: not sound, silent, or a pitch out of range.
        """
        if isinstance(audio, (str, os.PathLike)):
            source, audio = source or Path(audio).name, self.read(audio)
        config = self.config
        note = audio_files.prepare(
            audio,
            sample_rate_hz=self.sample_rate_hz,
            pre_roll_samples=config.pre_roll_samples,
            max_samples=int(config.max_s * self.sample_rate_hz),
        )
        midi = self.estimate_pitch(note.audio)[0] if pitch is None else _checked_pitch(pitch)
        frames = -(-len(note.audio) // self.hop)
        track = _track(note.audio, midi=midi, config=config, frames=frames)
        total = -(-frames // self._step) * self._step
        padded = np.pad(note.audio, (0, total * self.hop - len(note.audio)))
        z = self._encode(padded[None], np.pad(track, (0, total - frames), mode="edge")[None])[0, :frames]
        meta = LatentsMeta(
            self.checkpoint_name,
            self.checkpoint_hash,
            self.sample_rate_hz,
            self.hop,
            source=source,
            duration_samples=len(note.audio),
            lead_in_samples=note.lead_in_samples,
        )
        return Latents(z, track, meta)

    def decode(
        self, latents: Latents, *, decoder: str = "fast", seed: int = 0, temperature: float = 1.0, engine: str = "auto"
    ) -> np.ndarray:
        """Latents -> audio [T] float32 of `latents.duration_samples` at `sample_rate_hz`; not limited to [-1, 1].

        Args:
            latents: of this checkpoint.
            decoder: one of `decoders`.
            seed: of the noise; the same seed gives the same sound on the same engine.
            temperature: scales the level of the noise: 1 as it was heard, 0 the partials alone.
            engine: "numba", "keras" (the reference), or "auto".

        Raises:
            CheckpointError: a decoder or an engine that does not exist.
            LatentsError: latents of another checkpoint, or without a pitch.
        """
        _expect_choice("decoder", decoder, self.decoders)
        _expect_choice("engine", engine, ENGINES)
        if not np.isfinite(temperature) or temperature < 0.0:
            raise LatentsError(f"temperature={temperature} must be a number of at least 0.")
        self._check(latents)
        frames = latents.frames
        total = -(-frames // self._step) * self._step
        z = np.pad(latents.z, ((0, total - frames), (0, 0)), mode="edge")
        pitch_hz = np.pad(latents.pitch_hz, (0, total - frames), mode="edge")
        controls = self._controls(z[None], pitch_hz[None])
        for name in ("noise", "short_noise"):
            controls[name] = controls[name] * np.float32(temperature)
        sound = self._render(controls, pitch_hz, seed=seed, engine=engine)
        if not np.isfinite(sound).all():
            raise LatentsError("These latents lie too far from any note to be decoded; move them less.")
        return np.ascontiguousarray(sound[: min(latents.duration_samples, frames * self.hop)])

    def _render(self, controls: dict[str, np.ndarray], pitch_hz: np.ndarray, *, seed: int, engine: str) -> np.ndarray:
        """Controls with a batch axis of one -> audio."""
        from synth_explorer.decode import synthesis

        config = self.config
        if engine == "keras":
            from keras import ops

            from synth_explorer.model import synthesis as reference

            phases = synthesis.noise_phases(len(pitch_hz), hop=self.hop, subframes=config.subframes, seed=seed)
            sound = reference.render(controls, pitch_hz[None], *(phase[None] for phase in phases), self.model.decoder)
            return ops.convert_to_numpy(sound)[0]
        return synthesis.render(
            {name: value[0] for name, value in controls.items()},
            pitch_hz,
            **self._bands,
            harmonics_count=config.harmonics,
            hop=self.hop,
            subframes=config.subframes,
            sample_rate_hz=self.sample_rate_hz,
            seed=seed,
        )

    def reconstruct(self, audio: np.ndarray, *, pitch: float | None = None, **decoding: Any) -> np.ndarray:
        """Encode and decode; audio [T] -> audio [T] on the original's time axis."""
        latents = self.encode(audio, pitch=pitch)
        return audio_files.restore(
            self.decode(latents, **decoding), lead_in_samples=latents.meta.lead_in_samples, total_samples=len(audio)
        )

    def morph(self, latents: Sequence[Latents], weights: Sequence[float], *, pitch: float | None = None) -> Latents:
        """Mix two to four notes by weights that sum to 1 (-0.3..1.3 each), at a MIDI pitch or a mixed one."""
        for one in latents:
            self._check(one)
        hz = None if pitch is None else midi_to_hz(_checked_pitch(pitch))
        return interpolate(latents, weights, pitch_hz=hz)

    def edit(self, latents: Latents, chain: EditChain) -> Latents:
        """Apply a chain of edits by this checkpoint's calibration."""
        self._check(latents)
        return chain.apply(latents, self.controls)

    def load_latents(self, path: str | os.PathLike[str], *, pitch: float | None = None) -> Latents:
        """Read latents of this checkpoint; those of another are refused with both names.

        Args:
            path: `.npz`, or `.npy` of z alone.
            pitch: MIDI pitch to set; a `.npy` has none of its own.
        """
        meta = LatentsMeta(self.checkpoint_name, self.checkpoint_hash, self.sample_rate_hz, self.hop)
        latents = Latents.load(path, expect_checkpoint=(self.checkpoint_name, self.checkpoint_hash), meta_for_npy=meta)
        if pitch is not None:
            hz = midi_to_hz(_checked_pitch(pitch))
            steady = latents.replace(pitch_hz=np.full(latents.frames, hz))
            latents = with_pitch(latents, midi=pitch) if latents.has_pitch else steady
        self._check(latents)
        return latents

    def _check(self, latents: Latents) -> None:
        """Raises LatentsError unless these latents can be decoded here."""
        meta = latents.meta
        if meta.checkpoint_hash != self.checkpoint_hash:
            raise LatentsError(
                f"These latents were made by the checkpoint {meta.checkpoint!r} "
                f"({meta.checkpoint_hash[:12]}); this one is {self.checkpoint_name!r} "
                f"({self.checkpoint_hash[:12]}). Encode the note again."
            )
        if latents.channels != self.config.channels:
            raise LatentsError(
                f"These latents have {latents.channels} channels; {self.checkpoint_name} has {self.config.channels}."
            )
        if not np.isfinite(latents.pitch_hz).all():
            raise LatentsError("These latents carry no pitch track; give their pitch (MIDI) before decoding them.")


def _track(audio: np.ndarray, *, midi: float, config: ModelConfig, frames: int) -> np.ndarray:
    """Fine pitch [F] in Hz around a MIDI pitch."""
    return pitch.track(audio, midi=midi, sample_rate_hz=config.sample_rate_hz, hop=config.hop, frames=frames)


def _checked_pitch(midi: float) -> float:
    low, high = PITCH_RANGE_MIDI
    if not np.isfinite(midi) or not low <= midi <= high:
        raise AudioError(f"pitch={midi} must be a MIDI note from {low:g} to {high:g} (60 is middle C).")
    return float(midi)


def _expect_choice(name: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise CheckpointError(f"{name}={value!r} must be one of {', '.join(allowed)}.")
