"""A note as a short score of numbers, and its file format.

Everything between listening and hearing is arithmetic on `Latents`: it imports no Keras and no page.

Shapes: F frames, C channels, D numbers of detail, P points of the level in a frame, E bands of enhancement.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import IO, Any, cast

import numpy as np

from synth_explorer.errors import LatentsError
from synth_explorer.files import UNREADABLE, atomic_path, is_file, text_of
from synth_explorer.latents.meta import FORMAT_VERSION, META_NAMES, READ_VERSIONS, LatentsMeta
from synth_explorer.pitch import HeardPitch, doubt

LOUDNESS_CHANNEL = 0
"""The default model's convention: z[:, 0] = (loudness_db + 40) / 20."""

LOUDNESS_UNITS_PER_DB = 0.05
MEAN_RANGE_DB = 40.0
LARGEST_BYTES = 2**28  # of all arrays of a file
FITTED = "detail", "enhancement", "fine_level"
"""What a fit finds beside z, each [F, some]."""

A4_HZ, A4_MIDI = 440.0, 69.0


def midi_to_hz(midi: float) -> float:
    """Frequency of a MIDI note number (69 = A4 = 440 Hz); fractions are allowed."""
    return float(A4_HZ * 2.0 ** ((midi - A4_MIDI) / 12.0))


def hz_to_midi(hz: float) -> float:
    """MIDI note number of a frequency in Hz, with its fraction."""
    return float(A4_MIDI + 12.0 * np.log2(hz / A4_HZ))


def _nothing() -> np.ndarray:
    """No detail, no fine level and no enhancement: nothing was fitted."""
    return np.zeros(0, np.float32)


@dataclass(frozen=True, eq=False)
class Latents:
    """A note as frames of latent channels with a pitch track. Arrays are copied and read-only.

    `detail`: float32 [F, D], what a fit found beyond z: the note's own offsets on the decoder's spectra, in nepers (see
    `plain.fit`), which move slowly. D is 0 where nothing was fitted. May be given as [D], for all frames.
    `fine_level`: float32 [F, P], how the note's level moves within its first frames beyond what the decoder says, in
    nepers; the loudness of each frame stays. P is 0 where nothing was fitted.
    `enhancement`: float32 [F, E], what all these do not hold: by how much the note's spectrum differs from the
    fast decoder's, in nepers a band (see `model.enhancement`). Only the final render reads it. E is 0 where nothing was
    fitted. Raises LatentsError: shapes that do not fit, or numbers that cannot be.
    """

    z: np.ndarray  # float32 [F, C], finite
    pitch_hz: np.ndarray  # float32 [F], positive; NaN where the model carries pitch inside z
    meta: LatentsMeta  # what they mean
    detail: np.ndarray = field(default_factory=_nothing)
    enhancement: np.ndarray = field(default_factory=_nothing)
    fine_level: np.ndarray = field(default_factory=_nothing)

    def __post_init__(self) -> None:
        if any(np.iscomplexobj(given) for given in (self.z, self.pitch_hz, *self._fitted)):
            raise LatentsError("Latents must be real numbers; these are complex.")
        with np.errstate(over="ignore"):
            z = np.array(self.z, dtype=np.float32)
            pitch_hz = np.array(self.pitch_hz, dtype=np.float32)
            given: tuple[Any, ...] = self._fitted
            fitted = [np.array(() if one is None else one, dtype=np.float32) for one in given]
        if z.ndim != 2 or 0 in z.shape:
            raise LatentsError(f"z must have shape [frames, channels], both at least 1; received {z.shape}.")
        if pitch_hz.shape != z.shape[:1]:
            raise LatentsError(f"pitch_hz must have shape [{z.shape[0]}], one per frame; received {pitch_hz.shape}.")
        if not np.isfinite(z).all():
            raise LatentsError("z has values that are not finite (NaN or infinity); make the latents again.")
        if not (np.isnan(pitch_hz) | ((pitch_hz > 0) & np.isfinite(pitch_hz))).all():
            raise LatentsError("pitch_hz must be positive and finite, or NaN where the model keeps pitch inside z.")
        meta: Any = self.meta
        if not isinstance(meta, LatentsMeta):
            raise LatentsError(f"meta must be LatentsMeta; received {type(meta).__name__}.")
        arrays = {"z": z, "pitch_hz": pitch_hz}
        arrays |= {n: _per_frame(one, frames=z.shape[0], name=n) for n, one in zip(FITTED, fitted, strict=True)}
        for name, array in arrays.items():
            array.flags.writeable = False
            object.__setattr__(self, name, array)

    @property
    def _fitted(self) -> tuple[np.ndarray, ...]:
        """What a fit found, in the order of `FITTED`."""
        return self.detail, self.enhancement, self.fine_level

    @property
    def frames(self) -> int:
        return self.z.shape[0]

    @property
    def channels(self) -> int:
        return self.z.shape[1]

    @property
    def details(self) -> int:
        """Numbers of detail beside z in each frame; 0 where nothing was fitted."""
        return self.detail.shape[1]

    @property
    def enhancements(self) -> int:
        """Bands of enhancement in each frame; 0 where nothing was fitted."""
        return self.enhancement.shape[1]

    @property
    def fingerprint(self) -> tuple[bytes, LatentsMeta]:
        """What is the same for latents that are the same, for remembering what was made of them."""
        arrays = (self.z, self.pitch_hz, *self._fitted)
        return hashlib.blake2b(b"".join(array.tobytes() for array in arrays)).digest(), self.meta

    @property
    def frame_rate_hz(self) -> float:
        return self.meta.sample_rate_hz / self.meta.hop

    @property
    def duration_samples(self) -> int:
        """Samples to decode: as the meta says, or all frames."""
        return self.meta.duration_samples or self.frames * self.meta.hop

    @property
    def duration_s(self) -> float:
        return self.duration_samples / self.meta.sample_rate_hz

    def heard_of(self, recording: np.ndarray) -> np.ndarray:
        """A recording [T] that these latents were encoded from, on their time axis, at its own level.

        Raises LatentsError: the latents lie outside the recording.
        """
        lead = self.meta.lead_in_samples
        cut = np.pad(recording[max(lead, 0) :], (max(-lead, 0), 0))[: self.duration_samples]
        if cut.size == 0:
            raise LatentsError(f"These latents begin {lead} samples into a recording of {len(recording)}.")
        return cut

    @property
    def has_pitch(self) -> bool:
        """Whether a pitch track goes beside z."""
        return bool(np.isfinite(self.pitch_hz).any())

    @property
    def pitch_midi(self) -> float:
        """Median MIDI pitch with its fraction; NaN where the model keeps pitch inside z."""
        return hz_to_midi(float(np.nanmedian(self.pitch_hz))) if self.has_pitch else float("nan")

    @property
    def heard_pitch(self) -> HeardPitch | None:
        """The pitch with how sure it is, 1 where it was stated; None where the model keeps pitch inside z."""
        if not self.has_pitch:
            return None
        confidence = self.meta.pitch_confidence
        return HeardPitch(self.pitch_midi, 1.0 if confidence is None else confidence, self.meta.pitch_kind)

    @property
    def notices(self) -> tuple[str, ...]:
        """What was lost when the note was read, and what is doubtful about its pitch; sentences that go on after its
        name."""
        said = doubt(self.pitch_midi, self.meta.pitch_confidence, self.meta.pitch_kind) if self.has_pitch else ""
        return (*self.meta.notices, said) if said else self.meta.notices

    def __repr__(self) -> str:
        pitch = f", pitch_midi={self.pitch_midi:.2f}" if self.has_pitch else ""
        name = f"{self.meta.checkpoint!r}, {self.meta.source!r}"
        return f"Latents({self.frames} frames, {self.channels} channels, {self.duration_s:.3f} s{pitch}, {name})"

    def replace(self, **changes: Any) -> Latents:
        """A copy with other arrays, another meta, or single fields of meta (`source=...`, `duration_samples=...`)."""
        meta_changes = {name: changes.pop(name) for name in list(changes) if name in META_NAMES}
        if meta_changes:
            changes["meta"] = replace(changes.get("meta", self.meta), **meta_changes)
        return replace(self, **changes)

    def first(self, frames: int, *, duration_samples: int) -> Latents:
        """The first frames, which are decoded to so many samples."""
        return self.replace(
            z=self.z[:frames],
            pitch_hz=self.pitch_hz[:frames],
            **{name: one[:frames] for name, one in zip(FITTED, self._fitted, strict=True)},
            duration_samples=duration_samples,
        )

    def at_pitch(self, pitch_hz: np.ndarray) -> Latents:
        """The note with another pitch track [F]. Its enhancement is that of its own pitch: see `closeness`."""
        held = closeness(self.pitch_hz, np.asarray(pitch_hz)) if self.enhancements else 1.0
        return self.replace(pitch_hz=pitch_hz, enhancement=held * self.enhancement)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write `.npz` (everything, no pickles) or `.npy` (z alone, as magenta's nsynth_save_embeddings does)."""
        target = Path(path)
        if target.suffix.lower() not in (".npz", ".npy"):
            raise LatentsError(f"{target} must end in .npz (everything) or .npy (z alone).")
        try:
            with atomic_path(target) as temporary:
                if target.suffix.lower() == ".npy":
                    _write(temporary, lambda file: np.save(file, self.z, allow_pickle=False))
                else:
                    arrays = {"z": self.z, "pitch_hz": self.pitch_hz}
                    if self.details:  # one row where all are the same
                        is_steady = np.array_equal(self.detail, np.broadcast_to(self.detail[:1], self.detail.shape))
                        arrays["detail"] = self.detail[:1] if is_steady else self.detail
                    if self.fine_level.any():
                        arrays["fine_level"] = self.fine_level
                    if self.enhancements:
                        arrays["enhancement"] = self.enhancement
                    meta = np.array(json.dumps(asdict(self.meta)))
                    _write(temporary, lambda file: np.savez(file, allow_pickle=False, **arrays, meta=meta))
        except OSError as error:
            raise LatentsError(f"{target} cannot be written: {error.strerror or error}.") from error
        return target

    @classmethod
    def load(
        cls,
        path: str | os.PathLike[str],
        *,
        expect_checkpoint: tuple[str, str] | None = None,
        meta_for_npy: LatentsMeta | None = None,
    ) -> Latents:
        """Read latents that `save` or magenta's nsynth_save_embeddings wrote.

        Args:
            path: `.npz`, or `.npy` of shape [F, C] (or [1, F, C]).
            expect_checkpoint: (name, hash) of the model that is to decode them; another hash is refused.
            meta_for_npy: what a `.npy` means, since it does not say; without it a `.npy` is refused.

        Raises LatentsError: no such file, not latents, damaged, or made by another checkpoint (both are named).
        """
        latents = _read(Path(path), meta_for_npy)
        if expect_checkpoint is not None:
            _expect(latents.meta, expect_checkpoint, what=str(path))
        return latents


def closeness(before_hz: np.ndarray, after_hz: np.ndarray) -> float:
    """How much of an enhancement holds where a pitch track [F] changes: 1 at the same median, 0 a semitone from it.

    The partials of another pitch lie in other bands.
    """
    if not (np.isfinite(before_hz).any() and np.isfinite(after_hz).any()):
        return 1.0
    octaves = np.log2(np.nanmedian(after_hz) / np.nanmedian(before_hz))
    return max(0.0, 1.0 - 12.0 * abs(float(octaves)))


def _write(path: Path, write: Callable[[IO[bytes]], None]) -> None:
    """Write an open file: to a name that ends in .NPZ or .NPY, numpy would add an ending of its own."""
    with path.open("wb") as file:
        write(file)


def _per_frame(given: np.ndarray, *, frames: int, name: str) -> np.ndarray:
    """Numbers [D], [1, D] or [F, D] -> [F, D]; none, [F, 0]."""
    if given.size == 0:
        return np.zeros((frames, 0), np.float32)
    rows = given[None] if given.ndim == 1 else given
    if rows.ndim != 2 or rows.shape[0] not in (1, frames):
        raise LatentsError(f"{name} must have shape [{frames}, numbers], a row for each frame; received {rows.shape}.")
    if not np.isfinite(rows).all():
        raise LatentsError(f"{name} has values that are not finite (NaN or infinity); make the latents again.")
    return np.repeat(rows, frames, axis=0) if rows.shape[0] != frames else rows


def _read(path: Path, meta_for_npy: LatentsMeta | None) -> Latents:
    if not is_file(path):
        raise LatentsError(f"There is no latents file {path}; check the name.")
    try:
        content: Any = np.load(path, allow_pickle=False)
        if isinstance(content, np.ndarray):
            return _from_npy(path, cast("np.ndarray", content), meta_for_npy)
        with content:
            if sum(item.file_size for item in content.zip.infolist()) > LARGEST_BYTES:
                raise LatentsError(f"{path} would take more memory than any latents do; give another file.")
            missing = {"z", "pitch_hz", "meta"} - set(content.files)
            if missing:
                raise LatentsError(f"{path} has no {', '.join(sorted(missing))}; it is not a latents file.")
            found: Any = json.loads(text_of(content["meta"]))
            z, pitch_hz = content["z"], content["pitch_hz"]
            fitted = {name: content[name] for name in FITTED if name in content.files}
    except LatentsError:
        raise
    except UNREADABLE as error:
        raise LatentsError(f"{path} is not a latents file, or is damaged; give a .npz or .npy of latents.") from error
    meta = cast("dict[str, Any]", found) if isinstance(found, dict) else {}
    if meta.get("format_version") not in (None, *READ_VERSIONS):
        raise LatentsError(
            f"{path} has format_version={meta['format_version']!r}; this version reads up to {FORMAT_VERSION}. "
            "Update it."
        )
    try:
        return Latents(z, pitch_hz, LatentsMeta(**meta), **fitted)
    except (TypeError, ValueError) as error:
        raise LatentsError(f"{path} does not hold latents: {error}") from error


def _from_npy(path: Path, z: np.ndarray, meta: LatentsMeta | None) -> Latents:
    if meta is None:
        raise LatentsError(f"{path} is a .npy, which does not say what made it; name the checkpoint (meta_for_npy).")
    z = z[0] if z.ndim == 3 and z.shape[0] == 1 else z
    if z.ndim != 2 or not np.issubdtype(z.dtype, np.floating):
        raise LatentsError(f"{path} must hold floating point numbers [frames, channels]; received {z.dtype} {z.shape}.")
    return Latents(z, np.full(len(z), np.nan), meta)


def _expect(meta: LatentsMeta, expected: tuple[str, str], *, what: str) -> None:
    name, digest = expected
    if meta.checkpoint_hash != digest:
        raise LatentsError(
            f"{what} was made by checkpoint {meta.checkpoint!r} ({meta.checkpoint_hash[:12]}), not by "
            f"{name!r} ({digest[:12]}); choose that checkpoint or encode the note again."
        )


def time_mean(
    latents: Latents, *, loudness_channel: int | None = LOUDNESS_CHANNEL, units_per_db: float = LOUDNESS_UNITS_PER_DB
) -> np.ndarray:
    """The "mean sound" of a note: the mean of z over the frames that can be heard, each by its power.

    Frames whose loudness lies within 40 dB of the loudest count, a frame 10 dB softer a tenth as much: a mean spectrum
    is made of powers, and so what is loud decides how a note sounds. The silence after a note, or its long quiet tail,
    would otherwise be half of its mean.

    `loudness_channel`: which channel is loudness; None counts every frame alike. Returns float64 [C].
    """
    z = latents.z.astype(np.float64)
    if loudness_channel is None:
        return z.mean(axis=0)
    loudness = z[:, loudness_channel]
    under_db = (loudness.max() - loudness) / units_per_db
    return np.average(z, axis=0, weights=np.where(under_db <= MEAN_RANGE_DB, 10.0 ** (-under_db / 10.0), 0.0))


def with_pitch(latents: Latents, *, midi: float) -> Latents:
    """Move the pitch track so that its median is `midi`; vibrato and glides stay, in cents.

    Raises LatentsError: the model keeps pitch inside z, or midi lies outside 0..127.
    """
    if not latents.has_pitch:
        raise LatentsError(f"Checkpoint {latents.meta.checkpoint!r} keeps pitch inside z; it cannot be set.")
    if not 0.0 <= midi <= 127.0:
        raise LatentsError(f"midi={midi} must lie in 0..127.")
    ratio = midi_to_hz(midi) / float(np.nanmedian(latents.pitch_hz))
    return latents.at_pitch(latents.pitch_hz.astype(np.float64) * ratio)
