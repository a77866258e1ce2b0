"""Sound files and the first things done to a sound: load, resample, find the onset, trim, put back, save.

Only this and `writing`, from which `save` comes, know sound files. Audio everywhere else is float32, mono, full scale
1.0, at the checkpoint's sample rate. Nothing here changes a level.

Shapes: T samples.
"""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from synth_explorer.errors import AudioError
from synth_explorer.writing import Sampler as Sampler
from synth_explorer.writing import save as save

SILENCE_DB = -80.0
"""A sound whose peak lies below this level (dBFS) is refused as silent."""

FULL_SCALE_LIMIT = 100.0
"""A file that exceeds full scale by more than 40 dB holds unscaled integers, not sound."""

ENVELOPE_MS = 5.0
RISE_BELOW_PEAK_DB = 40.0
RISE_ABOVE_NOISE_DB = 10.0
NOISE_LEAD_MS = 15.0
NOISE_LIMIT_DB = -42.0
SUSTAIN_MS = 50.0


@dataclass(frozen=True, eq=False)
class Prepared:
    """A note cut to its onset.

    Attributes:
        audio: float32 [T], the note with exactly the pre-roll asked for before its onset.
        lead_in_samples: index in the original of the first sample kept; negative when zeros were padded in front.
    """

    audio: np.ndarray
    lead_in_samples: int


def check(audio: np.ndarray, *, name: str = "audio") -> np.ndarray:
    """Pass `audio` through the one gate: float32, mono, finite, not empty.

    Args:
        audio: [T] real numbers, full scale 1.0; float32 arrays pass without a copy.
        name: what to call it in an error message.

    Raises:
        AudioError: it is not a one-dimensional, non-empty array of finite real floating point numbers.
    """
    array = np.asarray(audio)
    if not np.issubdtype(array.dtype, np.floating):
        raise AudioError(f"{name} must be floating point with full scale 1.0; received dtype {array.dtype}.")
    if array.ndim != 1:
        raise AudioError(f"{name} must be mono, an array of shape [T]; received shape {array.shape}.")
    if array.size == 0:
        raise AudioError(f"{name} is empty; at least one sample is needed.")
    with np.errstate(over="ignore"):
        array = array.astype(np.float32, copy=False)
    if not np.isfinite(array).all():
        raise AudioError(f"{name} has samples that are not finite (NaN or infinity); repair or export it again.")
    return array


def load(path: str | os.PathLike[str], *, sample_rate_hz: int, max_s: float | None = 60.0) -> np.ndarray:
    """Read a sound file as mono float32 at `sample_rate_hz`.

    Any format, rate and channel count that libsndfile reads. Channels are averaged; resampling is soxr's very high
    quality. No more of the file is read than `max_s` asks for.

    Args:
        path: the file.
        sample_rate_hz: rate of the result.
        max_s: read at most this many seconds from the start; None reads everything.

    Returns:
        float32 [T].

    Raises:
        AudioError: the file is missing, not sound, empty, has NaN or infinite samples, or is silent.
    """
    if max_s is not None and not max_s > 0:
        raise AudioError(f"max_s={max_s} must be positive, or None for the whole file.")
    audio, source_rate_hz = _read(Path(path), max_s=max_s)
    if audio.shape[0] == 0:
        raise AudioError(f"{path} has no samples; give a file with sound in it.")
    if not np.isfinite(audio).all():
        raise AudioError(f"{path} has samples that are not finite (NaN or infinity); repair or export it again.")
    mono = audio.mean(axis=1, dtype=np.float64).astype(np.float32)
    peak = float(np.abs(mono).max())
    if peak > FULL_SCALE_LIMIT:
        raise AudioError(f"{path} peaks at {peak:.0f} times full scale; write float files with full scale 1.0.")
    if peak < 10 ** (SILENCE_DB / 20):
        part = "" if max_s is None or len(audio) < max_s * source_rate_hz else f" in its first {max_s:g} s"
        raise AudioError(f"{path} is silent{part} {_why_silent(audio)}.")
    return resample(mono, source_rate_hz=source_rate_hz, sample_rate_hz=sample_rate_hz, name=str(path))


def _why_silent(audio: np.ndarray) -> str:
    """Why the mean of channels [T, channels] is silent, and what to do about it."""
    if np.abs(audio).max() < 10 ** (SILENCE_DB / 20):
        return f"(its peak lies below {SILENCE_DB:.0f} dBFS); give a file with sound in it"
    return "once its channels are averaged, for they cancel each other; give one of them alone"


def length_s(path: str | os.PathLike[str]) -> float:
    """Seconds of sound in a file that `load` can read, however much of it that was told to read."""
    import soundfile

    return float(soundfile.info(str(path)).duration)


def _read(path: Path, *, max_s: float | None) -> tuple[np.ndarray, int]:
    """Read [T, channels] float32 and the file's own rate."""
    import soundfile

    if not path.exists():
        raise AudioError(f"There is no file {path}; check the name.")
    if path.is_dir():
        raise AudioError(f"{path} is a folder; give a sound file.")
    if path.stat().st_size == 0:
        raise AudioError(f"{path} is an empty file (0 bytes); give a file with sound in it.")
    try:
        with soundfile.SoundFile(path) as file:
            rate_hz = int(file.samplerate)
            frames = -1 if max_s is None else math.ceil(max_s * rate_hz)
            return file.read(frames, dtype="float32", always_2d=True), rate_hz
    except UnicodeEncodeError as error:
        raise AudioError(f"The name of {path} is not UTF-8: give the file another name.") from error
    except (soundfile.SoundFileError, TypeError, OSError) as error:
        raise AudioError(
            f"{path} is not a sound file that can be read; give WAV, FLAC, OGG, MP3 or AIFF ({_reason(error)})."
        ) from error


def _reason(error: Exception) -> str:
    """The library's own words, without the path that libsndfile repeats."""
    text = str(getattr(error, "error_string", "") or getattr(error, "strerror", "") or error).strip()
    return text.rstrip(".") or type(error).__name__


def resample(audio: np.ndarray, *, source_rate_hz: int, sample_rate_hz: int, name: str = "audio") -> np.ndarray:
    """Resample float32 [T] by soxr at its very high quality; the same array when the rates agree."""
    if source_rate_hz == sample_rate_hz:
        return audio
    import soxr

    resampled = soxr.resample(audio, source_rate_hz, sample_rate_hz, quality="VHQ")
    if resampled.size == 0:
        raise AudioError(f"{name} is too short to resample: {audio.size} samples at {source_rate_hz} Hz.")
    return np.ascontiguousarray(resampled, dtype=np.float32)


def find_onset(audio: np.ndarray, *, sample_rate_hz: int) -> int:
    """Find the sample at which a note begins: where its level first rises clearly out of what lies before.

    The level is a 5 ms RMS that looks back only, with one value a sample. The note begins where it first exceeds
    the loudest moment less 40 dB, and the noise floor plus 10 dB, and mostly stays there for 50 ms (a click does
    not). A noise floor is a steady, quiet start of the recording: its first 15 ms and the next 15 ms differ by less
    than 4 dB and lie below -42 dBFS and 15 dB below the loudest moment. Leading digital silence is skipped before
    anything is measured, so that padding a note with zeros moves its onset by exactly as many samples.

    Args:
        audio: [T], one note.
        sample_rate_hz: its rate.

    Returns:
        Index of the onset, 0 <= onset < T.

    Raises:
        AudioError: audio that is not valid, or silent.
    """
    audio = check(audio)
    magnitude = np.abs(audio)
    peak = float(magnitude.max())
    if peak < 10 ** ((SILENCE_DB - 60) / 20):
        raise AudioError("audio is silent, so it has no onset; give a note.")
    start = int(np.argmax(magnitude >= min(10 ** ((SILENCE_DB - 10) / 20), peak * 1e-4)))
    level_db = _backward_level_db(audio[start:], window=max(1, round(ENVELOPE_MS * sample_rate_hz / 1000)))
    peak_db = float(level_db.max())
    threshold_db = peak_db - RISE_BELOW_PEAK_DB
    noise_db = _leading_noise_db(audio[start:], peak_db=peak_db, sample_rate_hz=sample_rate_hz)
    if noise_db is not None:
        threshold_db = min(max(threshold_db, noise_db + RISE_ABOVE_NOISE_DB), peak_db - 3.0)
    return start + _first_sustained(level_db >= threshold_db, sample_rate_hz=sample_rate_hz)


def _backward_level_db(audio: np.ndarray, *, window: int) -> np.ndarray:
    """RMS in dB of the `window` samples that end at each sample, [T]."""
    energy = np.concatenate([[0.0], np.cumsum(audio.astype(np.float64) ** 2)])
    starts = np.maximum(np.arange(1, energy.size) - window, 0)
    power = (energy[1:] - energy[starts]) / window
    return 10 * np.log10(np.maximum(power, 1e-14))


def _leading_noise_db(audio: np.ndarray, *, peak_db: float, sample_rate_hz: int) -> float | None:
    """Level of the noise that the recording begins with, or None when it begins with the note."""
    window = max(1, round(NOISE_LEAD_MS * sample_rate_hz / 1000))
    if audio.size < 3 * window:
        return None
    power = [float(np.mean(np.square(part, dtype=np.float64))) for part in (audio[:window], audio[window : 2 * window])]
    first_db, second_db = (10 * math.log10(max(value, 1e-14)) for value in power)
    noise_db = 10 * math.log10(max(sum(power) / 2, 1e-14))
    steady = abs(first_db - second_db) < 4.0
    return noise_db if steady and noise_db < NOISE_LIMIT_DB and noise_db < peak_db - 15.0 else None


def _first_sustained(above: np.ndarray, *, sample_rate_hz: int) -> int:
    """First True after which at least half of the next 50 ms is True; the first True of all when there is none."""
    span = max(1, round(SUSTAIN_MS * sample_rate_hz / 1000))
    count = np.concatenate([[0], np.cumsum(above)])
    ends = np.minimum(np.arange(above.size) + span, above.size)
    sustained = above & (2 * (count[ends] - count[:-1]) >= ends - np.arange(above.size))
    return int(np.argmax(sustained)) if sustained.any() else int(np.argmax(above))


def prepare(audio: np.ndarray, *, sample_rate_hz: int, pre_roll_samples: int, max_samples: int) -> Prepared:
    """Cut a note so that its onset lies exactly `pre_roll_samples` after the first sample kept.

    Notes cut alike are aligned, which morphing needs. Where the recording has less than the pre-roll, zeros stand in.

    Args:
        audio: [T], one note.
        sample_rate_hz: its rate.
        pre_roll_samples: how many samples to keep before the onset, at least 0.
        max_samples: longest result; must exceed the pre-roll.

    Returns:
        The cut note and where it came from.

    Raises:
        AudioError: audio that is not valid, or silent, or lengths that do not fit together.
    """
    if pre_roll_samples < 0 or max_samples <= pre_roll_samples:
        raise AudioError(
            f"pre_roll_samples={pre_roll_samples} must be at least 0 and less than max_samples={max_samples}."
        )
    audio = check(audio)
    lead_in = find_onset(audio, sample_rate_hz=sample_rate_hz) - pre_roll_samples
    kept = audio[max(lead_in, 0) : lead_in + max_samples]
    return Prepared(audio=np.pad(kept, (max(-lead_in, 0), 0)), lead_in_samples=lead_in)


def restore(audio: np.ndarray, *, lead_in_samples: int, total_samples: int) -> np.ndarray:
    """Put a prepared (and since decoded) note back on the original's time axis.

    Args:
        audio: [T], whose first sample belongs at `lead_in_samples` of the original.
        lead_in_samples: as `prepare` returned it; may be negative.
        total_samples: length of the original.

    Returns:
        float32 [total_samples], zero where `audio` has nothing to say.
    """
    audio = check(audio)
    if total_samples < 1:
        raise AudioError(f"total_samples={total_samples} must be at least 1.")
    restored = np.zeros(total_samples, np.float32)
    first, last = max(lead_in_samples, 0), min(lead_in_samples + audio.size, total_samples)
    if last > first:
        restored[first:last] = audio[first - lead_in_samples : last - lead_in_samples]
    return restored
