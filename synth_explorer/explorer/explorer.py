"""Explorer: a loaded checkpoint, and everything that can be done with it.

    explorer = Explorer.load("default")
    cello, flute = (explorer.encode(path) for path in ("cello.wav", "flute.wav"))
    sound = explorer.decode(explorer.morph([cello, flute], [0.5, 0.5], pitch=60))

Shapes: T samples, F frames, C channels.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from synth_explorer import audio as audio_files
from synth_explorer import checkpoints
from synth_explorer.audio import Prepared, Recording
from synth_explorer.errors import AudioError, EditError, LatentsError
from synth_explorer.explorer.bounds import bounded
from synth_explorer.explorer.decoders import Decoder, choose
from synth_explorer.explorer.family import Decoding, Encoding, Family, Progress, Stop
from synth_explorer.explorer.loading import load_family, refuse_others
from synth_explorer.explorer.together import decode_together
from synth_explorer.latents import Latents, LatentsMeta, interpolate, midi_to_hz, with_pitch
from synth_explorer.latents import path as path_between
from synth_explorer.pitch import HeardPitch, check_midi
from synth_explorer.runtime import side_by_side

if TYPE_CHECKING:
    from synth_explorer.edits import Controls, EditChain
    from synth_explorer.model.config import ModelConfig
    from synth_explorer.model.nsynth_config import NSynthConfig
    from synth_explorer.model.wavenet_config import WaveNetConfig

FIT_STEPS = 22  # that the shell takes: two more take 0.2 % off the error


class Explorer:
    """A loaded checkpoint and everything that can be done with it. Safe to call from several threads.

    Make one with `Explorer.load`.
    """

    def __init__(self, info: checkpoints.CheckpointInfo, family: Family, controls: Controls) -> None:
        self.info, self.family, self.controls = info, family, controls

    @classmethod
    def load(cls, checkpoint: str | os.PathLike[str] = "default") -> Explorer:
        """Load a checkpoint by name or folder. Raises CheckpointError when it is missing or damaged."""
        from synth_explorer.edits import Controls

        info = checkpoints.verify(checkpoint)
        return cls(info, load_family(info), Controls.load(info.path / checkpoints.CONTROLS))

    def __reduce__(self) -> tuple[Any, ...]:
        """Another process loads it from its folder."""
        return Explorer.load, (str(self.info.path),)

    def __repr__(self) -> str:
        decoders = ", ".join(map(str, self.decoders))
        return f"Explorer({self.checkpoint_name!r}, {self.sample_rate_hz} Hz, hop {self.hop}, decoders {decoders})"

    @property
    def model(self) -> Any:
        """The Keras model, built when it is first asked for: the default family answers without it."""
        return self.family.model

    @property
    def config(self) -> ModelConfig | NSynthConfig | WaveNetConfig:
        """The model's sizes."""
        return self.family.config

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
    def decoders(self) -> tuple[Decoder, ...]:
        """Decoders of this checkpoint, the default first."""
        return self.family.decoders

    def decoder(self, name: str | Decoder | None = None) -> Decoder:
        """One of `decoders` by its name; None: the first. Raises CheckpointError naming those that there are."""
        return choose(name, self.decoders, checkpoint=self.checkpoint_name)

    @property
    def has_pitch(self) -> bool:
        """Whether a pitch track goes beside z; otherwise pitch is inside z, and can be neither told nor moved."""
        return self.family.has_pitch

    def together(self, engine: str = "auto") -> int:
        """How many notes `decode_many` decodes at once; 1: one after the other."""
        return self.family.together(engine)

    def warm_up(self, decoder: str | Decoder | None = None) -> None:
        """Compile what a decoder needs (None: the first), so that the first real call is as fast as later ones."""
        self.family.warm_up(self.decoder(decoder))

    def record(self, path: str | os.PathLike[str]) -> Recording:
        """Sound file -> what is heard of it at `sample_rate_hz`, up to `config.max_s` after its onset; what was lost.

        Raises AudioError.
        """
        whole = audio_files.record(path, sample_rate_hz=self.sample_rate_hz)
        return whole.first_note(max_s=self.config.max_s, pre_roll_samples=self.config.pre_roll_samples)

    def read(self, path: str | os.PathLike[str]) -> np.ndarray:
        """Sound file -> audio [T] float32 at `sample_rate_hz`: that of `record`. Raises AudioError."""
        return self.record(path).audio

    def estimate_pitch(self, audio: np.ndarray) -> HeardPitch:
        """Audio [T] of one note -> its MIDI pitch with its fraction, and how sure that is. Raises AudioError."""
        return self.family.estimate_pitch(audio_files.audible(audio, sample_rate_hz=self.sample_rate_hz))

    def encode(
        self,
        audio: np.ndarray | Recording | str | os.PathLike[str],
        *,
        pitch: float | None = None,
        source: str = "",
        align: bool = True,
        fit_steps: int = 0,
        enhance: bool | None = None,
        progress: Progress | None = None,
    ) -> Latents:
        """A note -> its latents.

        Args:
            audio: [T] at `sample_rate_hz`, or a sound file, or what `record` read of one. Offset and rumble below
                hearing are taken out of it.
            pitch: MIDI pitch, if known; the fine track is measured around it. None: as the file itself gives it, else
                estimated. A checkpoint that keeps pitch inside z needs none and passes it over.
            source: what to call the note in listings.
            align: cut the note to its onset and a fixed pre-roll, so that the attacks of two notes meet in a mix.
                Otherwise it is encoded from its first sample on, as magenta's tools do, an array as it is. Either way
                the latents know where in the recording they begin, and silence fills the last frame (magenta cuts it
                off).
            fit_steps: how often to listen to what the fast decoder makes of the latents and better them by it (see
                `plain.fit`): 0 takes what the encoder says, at once; `FIT_STEPS` finds its detail and fine level too
                and brings the sound about twice as near to it, for some tenths of a second a second of sound. Nothing
                without a fast decoder.
            enhance: whether to keep what is then still missing, for the final render (see `model.enhancement`): some 40
                ms more for a note of 4 s. None: where there is a fit.

        Raises AudioError: not sound, silent, or a pitch out of range.
        """
        if isinstance(audio, (str, os.PathLike)):
            source = source or Path(audio).name
            audio = self.record(audio)
        given = audio if isinstance(audio, Recording) else Recording(audio_files.check(audio), self.sample_rate_hz, 0.0)
        if fit_steps < 0:
            raise AudioError(f"fit_steps={fit_steps} must be 0 or more.")
        if pitch is None and self.has_pitch:
            pitch = given.root_midi
        midi = None if pitch is None else check_midi(pitch)
        cut = self._cut(given.audio, align=align)
        enhance = fit_steps > 0 if enhance is None else enhance
        heard = self.family.encode(cut.audio, Encoding(midi, fit_steps, enhance, progress))
        meta = LatentsMeta(
            self.checkpoint_name,
            self.checkpoint_hash,
            self.sample_rate_hz,
            self.hop,
            source=source,
            duration_samples=len(cut.audio),
            lead_in_samples=cut.lead_in_samples,
            pitch_confidence=None if heard.pitch is None else heard.pitch.confidence,
            pitch_kind="" if heard.pitch is None else heard.pitch.kind,
            bandwidth_hz=heard.bandwidth_hz,
            loop=given.loop and _moved(given.loop, -cut.lead_in_samples, within=len(cut.audio)),
            notices=given.notices,
        )
        return Latents(heard.z, heard.pitch_hz, meta, heard.detail, heard.enhancement, heard.fine_level)

    def encode_many(
        self,
        audio: Sequence[np.ndarray | Recording | str | os.PathLike[str]],
        *,
        pitch: float | Sequence[float | None] | None = None,
        fit_steps: int = 0,
    ) -> list[Latents]:
        """As `encode` of each, in their order, over all cores; one pitch for all or one for each."""
        pitches = pitch if isinstance(pitch, Sequence) else [pitch] * len(audio)
        pairs = list(zip(audio, pitches, strict=True))
        return side_by_side(lambda pair: self.encode(pair[0], pitch=pair[1], fit_steps=fit_steps), pairs)

    def _cut(self, audio: np.ndarray, *, align: bool) -> Prepared:
        """A note [T] from its onset on, without what lies below hearing; or as it is."""
        longest = int(self.config.max_s * self.sample_rate_hz)
        if not align:
            return Prepared(audio[:longest], 0)
        heard = audio_files.audible(audio, sample_rate_hz=self.sample_rate_hz)
        audio_files.refuse_silence(heard)
        return audio_files.prepare(
            heard,
            sample_rate_hz=self.sample_rate_hz,
            pre_roll_samples=self.config.pre_roll_samples,
            max_samples=longest,
        )

    def decode(
        self,
        latents: Latents,
        *,
        decoder: str | Decoder | None = None,
        seed: int = 0,
        temperature: float = 1.0,
        engine: str = "auto",
        progress: Progress | None = None,
    ) -> np.ndarray:
        """Latents -> audio [T] float32 of `latents.duration_samples` at `sample_rate_hz`; not limited to [-1, 1].

        Args:
            decoder: one of `decoders` or its name; None: the first of them.
            seed: of the noise or the draws; the same seed gives the same sound on the same engine.
            temperature: of `fast` and `final`: scales the level of the noise, beside the latents' `noise_db`, 1 as it
                was heard, 0 the partials alone. Of a WaveNet: divides its logits, 1 as it was trained, 0 the likeliest
                level always.
            engine: "numba", "keras" (the reference), or "auto"; for a WaveNet also "numba-int16" and "numba-int8": its
                weights rounded, two to five times as fast, other samples, nearer than another seed (see
                `decode.wavenet.packing`).

        Raises CheckpointError: a decoder or an engine that does not exist, or that does not suit the other;
        LatentsError: latents of another checkpoint, or without a pitch; or a sound that is not finite or exceeds full
        scale by more than 40 dB.
        """
        chunks = self.stream(
            latents, decoder=decoder, seed=seed, temperature=temperature, engine=engine, progress=progress
        )
        return np.concatenate(list(chunks))

    def stream(
        self,
        latents: Latents,
        *,
        decoder: str | Decoder | None = None,
        seed: int = 0,
        temperature: float = 1.0,
        engine: str = "auto",
        stop: Stop | None = None,
        progress: Progress | None = None,
    ) -> Generator[np.ndarray]:
        """As `decode`, in chunks: float32 [n], one after another, which together are what `decode` returns.

        A WaveNet's chunks come as they are made; a decoder that answers at once gives one. Wrong arguments are refused
        at once, not by the iterator.

        `stop`: an event or a function; when it is set, or says True, a WaveNet's stream ends within 50 ms.
        """
        how = self._how(latents, decoder, engine, seed=seed, temperature=temperature, stop=stop, progress=progress)
        return bounded(self.family.stream(latents, how))

    def decode_many(
        self,
        latents: Sequence[Latents],
        *,
        decoder: str | Decoder | None = None,
        seed: int | Sequence[int] = 0,
        temperature: float = 1.0,
        engine: str = "auto",
        progress: Progress | None = None,
    ) -> list[np.ndarray | LatentsError]:
        """As `decode` of each, in their order, over all cores; up to `together` of them at once.

        The sounds are those that `decode` makes one by one, with one seed for all or one for each (but for the draws
        that a larger batch rounds otherwise, see `decode.wavenet.decoder`). A sound that leaves the sane range ends no
        other: its error stands in its place.
        """
        seeds = [seed] * len(latents) if isinstance(seed, int) else seed
        hows = [
            self._how(one, decoder, engine, seed=own, temperature=temperature)
            for one, own in zip(latents, seeds, strict=True)
        ]
        return decode_together(self.family, latents, hows, progress)

    def _how(
        self, latents: Latents, decoder: str | Decoder | None, engine: str, *, temperature: float, **further: Any
    ) -> Decoding:
        """How these latents are decoded; wrong arguments are refused."""
        chosen = self.decoder(decoder)
        chosen.check_engine(engine)
        if not np.isfinite(temperature) or temperature < 0.0:
            raise LatentsError(f"temperature={temperature} must be a number of at least 0.")
        self._check(latents)
        return Decoding(
            samples=min(latents.duration_samples, latents.frames * self.hop),
            decoder=chosen,
            temperature=temperature,
            noise_gain=10.0 ** (latents.meta.noise_db / 20.0),
            engine=engine,
            **further,
        )

    def morph(self, latents: Sequence[Latents], weights: Sequence[float], *, pitch: float | None = None) -> Latents:
        """Mix two to four notes by weights that sum to 1 (-0.3..1.3 each), at a MIDI pitch or a mixed one."""
        return interpolate(latents, weights, **self._mixing(latents, pitch))

    def morph_path(
        self,
        latents: Sequence[Latents],
        keyframes: Sequence[tuple[float, Sequence[float]]],
        *,
        pitch: float | None = None,
    ) -> Latents:
        """As `morph`, by weights that move from keyframe (time_s, weights) to keyframe; see `latents.path`."""
        return path_between(latents, keyframes, **self._mixing(latents, pitch))

    def _mixing(self, latents: Sequence[Latents], pitch: float | None) -> dict[str, Any]:
        """How notes of this checkpoint are mixed at a MIDI pitch; they are checked first."""
        for one in latents:
            self._check(one)
        loudness = self.controls.loudness
        return {
            "pitch_hz": None if pitch is None else midi_to_hz(check_midi(pitch)),
            "loudness_channel": None if loudness is None else loudness.channel,
        }

    def edit(self, latents: Latents, chain: EditChain) -> Latents:
        """Apply a chain of edits by this checkpoint's calibration.

        Raises LatentsError: latents of another checkpoint; EditError: as the edits say; or they go toward a note of
        another checkpoint.
        """
        self._check(latents)
        edited = chain.apply(latents, self.controls)
        if edited.details not in (0, self.family.details):
            raise EditError(
                f"The edits go toward a note with a detail of {edited.details} numbers; {self.checkpoint_name} has "
                f"{self.family.details or 'none'}. Take the mean sound of a note of this checkpoint."
            )
        return edited

    def load_latents(self, path: str | os.PathLike[str], *, pitch: float | None = None) -> Latents:
        """Read latents of this checkpoint; those of another are refused with both names.

        `path`: `.npz`, or `.npy` of z alone. `pitch`: MIDI pitch to set; a `.npy` has none of its own. Refused where
        pitch is inside z.
        """
        if pitch is not None and not self.has_pitch:
            raise LatentsError(f"Checkpoint {self.checkpoint_name!r} keeps pitch inside z; it cannot be set.")
        meta = LatentsMeta(self.checkpoint_name, self.checkpoint_hash, self.sample_rate_hz, self.hop)
        latents = Latents.load(path, expect_checkpoint=(self.checkpoint_name, self.checkpoint_hash), meta_for_npy=meta)
        if pitch is not None:
            hz = midi_to_hz(check_midi(pitch))
            steady = latents.replace(pitch_hz=np.full(latents.frames, hz))
            latents = with_pitch(latents, midi=pitch) if latents.has_pitch else steady
        try:
            self._check(latents)
        except LatentsError as error:
            raise LatentsError(f"{path}: {error}") from None
        return latents

    def _check(self, latents: Latents) -> None:
        """Raises LatentsError unless these latents can be decoded here."""
        refuse_others(latents, info=self.info, family=self.family)


def _moved(loop: tuple[int, int], samples: int, *, within: int) -> tuple[int, int] | None:
    """A loop so many samples later; None where it does not lie within the note."""
    first, last = loop[0] + samples, loop[1] + samples
    return (first, last) if 0 <= first < last < within else None
