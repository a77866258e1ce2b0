"""Sounds out: written at their own level, whole or not at all.

Shapes: T samples.
"""

from __future__ import annotations

import math
import os
from pathlib import Path

import numpy as np

from synth_explorer.audio.gate import check
from synth_explorer.errors import AudioError
from synth_explorer.files import atomic_path


def _reason(error: Exception) -> str:
    """The library's own words, without the path that libsndfile repeats."""
    text = str(getattr(error, "error_string", "") or getattr(error, "strerror", "") or error).strip()
    return text.rstrip(".") or type(error).__name__


def save(path: str | os.PathLike[str], audio: np.ndarray, *, sample_rate_hz: int) -> Path:
    """Write mono audio at its own level, whole or not at all.

    `.wav` is 32-bit float and holds any level without clipping; `.flac` is 24-bit and ends at full scale.

    Args:
        path: ends in .wav or .flac; folders are made.
        audio: [T], full scale 1.0.
        sample_rate_hz: rate written to the file.

    Raises:
        AudioError: another ending, audio that is not valid, a level above full scale in a FLAC, or no room to write.
    """
    import soundfile
    from scipy.io import wavfile

    target = Path(path)
    audio = check(audio)
    kind = target.suffix.lower()
    if kind not in {".wav", ".flac"}:
        raise AudioError(f"{target} must end in .wav or .flac; received {target.suffix or 'no ending'!r}.")
    peak = float(np.abs(audio).max())
    if kind == ".flac" and peak > 1.0:
        raise AudioError(
            f"{target} would clip: the peak is {20 * math.log10(peak):+.2f} dBFS and FLAC ends at 0; "
            "write a .wav file or lower the gain."
        )
    try:
        with atomic_path(target) as temporary:
            if kind == ".wav":  # libsndfile would write the time of day into the header; equal sounds are equal files
                wavfile.write(temporary, int(sample_rate_hz), audio)
            else:
                soundfile.write(temporary, audio, int(sample_rate_hz), subtype="PCM_24", format="FLAC")
    except (soundfile.SoundFileError, OSError, UnicodeEncodeError) as error:
        raise AudioError(f"{target} cannot be written: {_reason(error)}.") from error
    return target
