"""The one gate for audio: float32, mono, finite, not empty; and resampling.

Shapes: T samples.
"""

from __future__ import annotations

import numpy as np

from synth_explorer.errors import AudioError

SILENCE_DB = -80.0
"""A sound whose peak lies below this level (dBFS), of what can be heard of it, is refused as silent."""

FULL_SCALE_LIMIT = 100.0
"""A file that exceeds full scale by more than 40 dB holds unscaled integers, not sound."""


def check(audio: np.ndarray, *, name: str = "audio") -> np.ndarray:
    """Pass `audio` through the one gate: float32, mono, finite, not empty.

    `audio`: [T] real numbers, full scale 1.0; float32 arrays pass without a copy. Raises AudioError: it is not a
    one-dimensional, non-empty array of finite real floating point numbers.
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


def resample(audio: np.ndarray, *, source_rate_hz: int, sample_rate_hz: int, name: str = "audio") -> np.ndarray:
    """Resample float32 [T] by soxr at its very high quality; the same array when the rates agree."""
    if source_rate_hz == sample_rate_hz:
        return audio
    import soxr

    resampled = soxr.resample(audio, source_rate_hz, sample_rate_hz, quality="VHQ")
    if resampled.size == 0:
        raise AudioError(f"{name} is too short to resample: {audio.size} samples at {source_rate_hz} Hz.")
    return np.ascontiguousarray(resampled, dtype=np.float32)
