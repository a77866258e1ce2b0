"""Writing sound: at its own level or brought to full scale, with how many bits, how long, and mapped for samplers.

Equal sounds are equal files, byte for byte: headers carry no time of day, and the dither follows from the sound.

Shapes: T samples.
"""

from __future__ import annotations

import io
import math
import os
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import numpy as np

from synth_explorer.audio.gate import check
from synth_explorer.errors import AudioError
from synth_explorer.files import atomic_path

Peak = Literal["keep", "limit", "normalise"]
PEAKS: tuple[str, ...] = get_args(Peak)
BITS = {".wav": (32, 16, 24), ".flac": (24, 16)}
"""Bits that a format may have, its default first; 32 are floating point, the others whole numbers (PCM)."""

CEILING_DB = -0.1
LOOK_AHEAD_S = 0.005
HOLD_S = 0.04  # a period of the lowest note: the gain does not follow its waves
RELEASE_DB_PER_S = 40.0
FADE_S = 0.01
SHORTEST_S, LONGEST_S = 0.001, 3600.0
SEMITONE = 2**32  # of the RIFF chunk's pitch fraction


@dataclass(frozen=True)
class Sampler:
    """How a sampler maps a sound, as the `smpl` chunk of a WAV file says it.

    `loop`: first and last sample of the sustain loop; both are played (RIFF's dwStart and dwEnd). None: no loop.
    """

    midi: float  # pitch of the sound with its fraction, 0 <= midi < 128: the key at which it plays as it is
    loop: tuple[int, int] | None = None

    def __post_init__(self) -> None:
        if not 0.0 <= self.midi < 128.0:
            raise AudioError(f"A sampler's pitch must be a MIDI note from 0 to below 128; received {self.midi}.")
        if self.loop is not None and not 0 <= self.loop[0] <= self.loop[1]:
            raise AudioError(f"A loop goes from its first sample to its last, counted from 0; received {self.loop}.")


@dataclass(frozen=True)
class Writing:
    """How a sound is written.

    `peak`: `keep` changes no level; `limit` turns down only what exceeds `CEILING_DB`; `normalise` brings the peak to
    it.
    """

    peak: Peak = "keep"
    bits: int | None = None  # 16 or 24 (PCM), 32 (float, WAV only); None: 32 for .wav, 24 for .flac
    length_s: float | None = None  # fixed length: cut with a short fade, or filled with silence; None: as it is

    def __post_init__(self) -> None:
        if self.peak not in PEAKS:
            raise AudioError(f"peak={self.peak!r} must be one of {', '.join(PEAKS)}.")
        if self.length_s is not None and not SHORTEST_S <= self.length_s <= LONGEST_S:
            raise AudioError(
                f"A length of {self.length_s:g} s must be at least {SHORTEST_S:g} and at most {LONGEST_S:g} s."
            )

    def bits_for(self, path: Path) -> int:
        """Bits of a file by its suffix. Raises AudioError where the format does not have them, or is none."""
        allowed = BITS.get(path.suffix.lower())
        if allowed is None:
            raise AudioError(f"{path} must end in .wav or .flac; received {path.suffix or 'no ending'!r}.")
        if self.bits is not None and self.bits not in allowed:
            why = "FLAC holds whole numbers only" if self.bits == 32 else "there is no such format here"
            listed = " or ".join(map(str, sorted(allowed)))
            raise AudioError(f"{path} cannot have {self.bits} bits, for {why}: take {listed}.")
        return self.bits or allowed[0]


@dataclass(frozen=True)
class Written:
    """A file that was written."""

    path: Path  # the file
    peak_db: float  # the highest sample in dBFS, -inf for silence
    change_db: float = 0.0  # what `limit` (at its deepest) or `normalise` did to the level; 0 where nothing was changed


@dataclass(frozen=True, eq=False)
class Encoded:
    """A sound as the content of a file."""

    content: bytes
    heard: np.ndarray  # [T], what it plays
    peak_db: float
    change_db: float  # see `Written`


def save(
    path: str | os.PathLike[str],
    audio: np.ndarray,
    *,
    sample_rate_hz: int,
    sampler: Sampler | None = None,
    peak: Peak = "keep",
    bits: int | None = None,
    length_s: float | None = None,
) -> Path:
    """Write mono audio, whole or not at all; by default at its own level.

    Args:
        path: ends in .wav or .flac; folders are made.
        audio: [T], full scale 1.0.
        sample_rate_hz: rate written to the file.
        sampler: pitch and loop for samplers; a WAV file carries them, a FLAC has no place for them.
        peak, bits, length_s: see `Writing`.

    Returns the path. Raises AudioError: another ending, bits that the format has not, audio that is not valid, a level
    above full scale where the file ends there, a loop outside the sound, or no room to write.
    """
    how = Writing(peak, bits, length_s)
    return write(path, audio, sample_rate_hz=sample_rate_hz, sampler=sampler, how=how).path


def write(
    path: str | os.PathLike[str],
    audio: np.ndarray,
    *,
    sample_rate_hz: int,
    sampler: Sampler | None = None,
    how: Writing | None = None,
) -> Written:
    """As `save`, and say what became of the level."""
    target = Path(path)
    found = encoded(target, audio, sample_rate_hz=sample_rate_hz, sampler=sampler, how=how)
    try:
        with atomic_path(target) as temporary:
            temporary.write_bytes(found.content)
    except (OSError, UnicodeEncodeError) as error:
        text = str(getattr(error, "strerror", "") or error).strip().rstrip(".")
        raise AudioError(f"{target} cannot be written: {text or type(error).__name__}.") from error
    return Written(target, found.peak_db, found.change_db)


def encoded(
    target: Path,
    audio: np.ndarray,
    *,
    sample_rate_hz: int,
    sampler: Sampler | None = None,
    how: Writing | None = None,
) -> Encoded:
    """What `write` puts into a file. Raises AudioError: as `save`."""
    how, rate_hz = how or Writing(), int(sample_rate_hz)
    bits = how.bits_for(target)
    audio, change_db = shaped(audio, sample_rate_hz=rate_hz, how=how)
    highest = float(np.abs(audio).max())
    peak_db = 20.0 * math.log10(highest) if highest else -math.inf
    if bits < 32 and highest > 1.0:
        raise AudioError(
            f"{target} would clip: the peak is {peak_db:+.2f} dBFS and {bits}-bit samples end at 0; "
            "take --peak limit or --peak normalise, or write a .wav of 32 bits, which holds any level."
        )
    if sampler is not None and sampler.loop is not None and sampler.loop[1] >= audio.size:
        if how.length_s is None:
            raise AudioError(f"The loop {sampler.loop} must lie within the {audio.size} samples of {target}.")
        sampler = Sampler(sampler.midi)  # it was cut off
    samples = audio if bits == 32 else quantised(audio, bits=bits)
    if target.suffix.lower() == ".wav":
        content = wav_bytes(samples, sample_rate_hz=rate_hz, bits=bits, sampler=sampler)
    else:
        content = _flac_bytes(samples, rate_hz, bits)
    return Encoded(content, audio, peak_db, change_db)


def shaped(audio: np.ndarray, *, sample_rate_hz: int, how: Writing) -> tuple[np.ndarray, float]:
    """Audio [T] as long and as loud as it is written, and the change of its level in dB, see `at_peak`."""
    audio = check(audio)
    if how.length_s is not None:
        audio = at_length(audio, samples=round(how.length_s * sample_rate_hz), sample_rate_hz=sample_rate_hz)
    return at_peak(audio, sample_rate_hz=sample_rate_hz, peak=how.peak)


def at_length(audio: np.ndarray, *, samples: int, sample_rate_hz: int) -> np.ndarray:
    """Audio [T] -> [samples]: filled with silence, or cut with a fade of `FADE_S`; itself where it has that length."""
    if audio.size <= samples:
        return audio if audio.size == samples else np.pad(audio, (0, samples - audio.size))
    cut = audio[:samples].copy()
    fade = min(samples, max(1, round(FADE_S * sample_rate_hz)))
    cut[-fade:] *= np.cos(np.linspace(0.0, np.pi / 2, fade + 1)[1:]).astype(np.float32) ** 2
    return cut


def at_peak(audio: np.ndarray, *, sample_rate_hz: int, peak: Peak) -> tuple[np.ndarray, float]:
    """Audio [T] by the policy `peak`, and the change in dB (of `limit` the deepest); itself where nothing changes."""
    highest, ceiling = float(np.abs(audio).max()), 10.0 ** (CEILING_DB / 20.0)
    if peak == "normalise" and highest > 0.0:
        gain = ceiling / highest
        return np.clip(audio * np.float64(gain), -ceiling, ceiling).astype(np.float32), 20.0 * math.log10(gain)
    if peak == "limit" and highest > ceiling:
        reduction_db = limiter_db(audio, sample_rate_hz=sample_rate_hz)
        limited = np.clip(audio * 10.0 ** (-reduction_db / 20.0), -ceiling, ceiling)  # clips what rounding left
        return np.where(reduction_db > 0.0, limited, audio).astype(np.float32), -float(reduction_db.max())
    return audio, 0.0


def limiter_db(audio: np.ndarray, *, sample_rate_hz: int) -> np.ndarray:
    """How far a look-ahead limiter turns audio [T] down, in dB, [T] >= 0: never less than a sample needs.

    What each sample needs is held for `HOLD_S`, let go at `RELEASE_DB_PER_S` and looked ahead to by `LOOK_AHEAD_S`;
    a smooth window as long as the look-ahead takes the corners off. It is zero but around what exceeds the ceiling.
    """
    ceiling = 10.0 ** (CEILING_DB / 20.0)
    need_db = 20.0 * np.log10(np.maximum(np.abs(audio.astype(np.float64)) / ceiling, 1.0))
    ahead, hold = max(1, round(LOOK_AHEAD_S * sample_rate_hz)), round(HOLD_S * sample_rate_hz)
    fall = RELEASE_DB_PER_S / sample_rate_hz * np.arange(need_db.size)
    held = _last_maximum(need_db, hold + 1)
    falling = np.maximum.accumulate(held + fall) - fall
    falling[falling < 1e-9] = 0.0
    seen = _last_maximum(np.pad(falling, (0, ahead)), ahead + 1)  # what lies up to `ahead` samples later, so much late
    window = np.hanning(ahead + 3)[1:-1]
    smooth = np.convolve(seen, window / window.sum(), mode="valid")
    return np.maximum(smooth, need_db)  # which it is but for rounding


def _last_maximum(values: np.ndarray, length: int) -> np.ndarray:
    """The highest of the last `length` values at each place, [T]; values [T] >= 0."""
    from scipy.ndimage import maximum_filter1d

    return maximum_filter1d(values, length, mode="constant", cval=0.0, origin=(length - 1) // 2)


def quantised(audio: np.ndarray, *, bits: int) -> np.ndarray:
    """Audio [T] in [-1, 1] -> whole numbers int32 [T] of so many bits, dithered where bits are dropped.

    The dither is triangular (TPDF), one step to either side, so that the error is noise whatever the sound. Its seed
    is the sound's own checksum: equal sounds get equal noise, layers of different ones do not add theirs up. Samples
    of digital silence stay that, and a sound that fits the steps already stays what it is.
    """
    full = 2.0 ** (bits - 1)
    steps = audio.astype(np.float64) * full
    if not np.array_equal(steps, np.rint(steps)):
        draws = np.random.default_rng(zlib.crc32(audio.astype("<f4").tobytes())).random((2, audio.size))
        steps += np.where(audio == 0.0, 0.0, draws[0] - draws[1])
    return np.clip(np.rint(steps), -full, full - 1.0).astype(np.int32)


def _flac_bytes(samples: np.ndarray, rate_hz: int, bits: int) -> bytes:
    """A FLAC file of whole numbers int32 [T]."""
    import soundfile

    content = io.BytesIO()  # libsndfile takes the upper bits of 32
    soundfile.write(content, samples << (32 - bits), rate_hz, subtype=f"PCM_{bits}", format="FLAC")
    return content.getvalue()


def wav_bytes(samples: np.ndarray, *, sample_rate_hz: int, bits: int, sampler: Sampler | None = None) -> bytes:
    """A mono RIFF WAVE file: float32 [T] (32 bits) or whole numbers int32 [T] (16, 24), and the `smpl` chunk."""
    width = bits // 8
    if bits == 32:
        data = samples.astype("<f4").tobytes()
    else:
        data = samples.astype("<i4").view(np.uint8).reshape(-1, 4)[:, :width].tobytes()
    tag = 3 if bits == 32 else 1  # IEEE float, PCM
    form = struct.pack("<HHIIHH", tag, 1, sample_rate_hz, sample_rate_hz * width, width, bits)
    if bits == 32:
        chunks = _chunk(b"fmt ", form + struct.pack("<H", 0)) + _chunk(b"fact", struct.pack("<I", samples.size))
    else:
        chunks = _chunk(b"fmt ", form)
    chunks += _chunk(b"data", data)
    if sampler is not None:
        chunks += _chunk(b"smpl", smpl_bytes(sampler, sample_rate_hz=sample_rate_hz))
    return _chunk(b"RIFF", b"WAVE" + chunks)


def _chunk(name: bytes, content: bytes) -> bytes:
    """A chunk of a RIFF file; its content is filled up to whole words."""
    return name + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2)


def smpl_bytes(sampler: Sampler, *, sample_rate_hz: int) -> bytes:
    """The content of a `smpl` chunk (Multimedia Data Standards Update, 1994).

    Unity note and, in 2^-32 semitones above it, pitch fraction; a loop plays forward, endlessly.
    """
    note, fraction = divmod(min(round(sampler.midi * SEMITONE), 128 * SEMITONE - 1), SEMITONE)
    loops = [] if sampler.loop is None else [struct.pack("<6I", 0, 0, *sampler.loop, 0, 0)]
    period_ns = round(1e9 / sample_rate_hz)
    return struct.pack("<9I", 0, 0, period_ns, note, fraction, 0, 0, len(loops), 0) + b"".join(loops)
