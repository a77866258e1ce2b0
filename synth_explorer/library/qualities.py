"""What is measured of a sound for the library: the descriptors of a batch, how fast it dies away, how hollow it is.

Shapes: T samples, F frames.
"""

from __future__ import annotations

import math

import numpy as np

from synth_explorer import measure
from synth_explorer.batch import descriptors
from synth_explorer.pitch import midi_to_hz

NAMES = (*descriptors.NAMES, "decay_db_s", "hollow_db")
FRAME_S = 0.02
RISEN_DB = 1.0  # under the loudest moment: there the attack ends
DECAY_RANGE_DB = 25.0  # under the loudest moment; what lies lower is no part of the decay
LEAST_DECAY_S = 0.1
PARTIALS = 9  # up to which odd ones are compared with even ones
LOBE_BINS = 3


def qualities(
    audio: np.ndarray, *, sample_rate_hz: int, known: dict[str, float | None] | None = None
) -> dict[str, float | None]:
    """Measures of a sound [T] by `NAMES`, None where one does not exist.

    `known`: descriptors that were measured before, see `batch.descriptors.describe`. Beside these: `decay_db_s`, by how
    many dB a second the level falls once it has risen (0: it is held), and `hollow_db`, by how much the odd
    partials 3, 5, 7, 9 are stronger than the even ones between.
    """
    found = known or descriptors.describe(audio, sample_rate_hz=sample_rate_hz, pitch_hz=None)
    pitch_midi = found["pitch_midi"]
    further = {"decay_db_s": decay_db_s(audio, sample_rate_hz=sample_rate_hz), "hollow_db": math.nan}
    if pitch_midi is not None:
        further["hollow_db"] = hollow_db(audio, sample_rate_hz=sample_rate_hz, pitch_hz=midi_to_hz(pitch_midi))
    rounded = {
        name: round(value, descriptors.DIGITS) if math.isfinite(value) else None for name, value in further.items()
    }
    return {name: found[name] for name in descriptors.NAMES} | rounded


def decay_db_s(audio: np.ndarray, *, sample_rate_hz: int) -> float:
    """By how many dB a second the level falls: the median of the slopes between any two frames of 20 ms (Theil, 1950;
    Sen, 1968), from the first within 1 dB of the loudest on to the last within 25 dB of it. The release of a note that
    was held longer than it takes, and tremolo, do not move it. NaN for silence, and where less than 0.1 s is left."""
    size = max(1, round(FRAME_S * sample_rate_hz))
    frames = audio[: len(audio) // size * size].astype(np.float64).reshape(-1, size)
    level_db = 10.0 * np.log10(np.mean(np.square(frames), axis=1) + 1e-20)
    if not level_db.size or level_db.max() < -120.0:
        return math.nan
    heard = np.flatnonzero(level_db >= level_db.max() - DECAY_RANGE_DB)
    fall = level_db[int(np.argmax(level_db >= level_db.max() - RISEN_DB)) : heard[-1] + 1]
    if len(fall) * FRAME_S < LEAST_DECAY_S:
        return math.nan
    first, second = np.triu_indices(len(fall), 1)
    return float(np.median((fall[first] - fall[second]) / ((second - first) * FRAME_S)))


def hollow_db(audio: np.ndarray, *, sample_rate_hz: int, pitch_hz: float) -> float:
    """Power of the partials 3, 5, 7, 9 over that of 2, 4, 6, 8 in dB, within +-40, over the whole sound.

    NaN where there are no four of them below half the rate, or the sound is too short to tell them apart.
    """
    top = min(PARTIALS, int(0.5 * sample_rate_hz / pitch_hz))
    if top < 5 or len(audio) * pitch_hz / sample_rate_hz < 4 * LOBE_BINS:
        return math.nan
    size = min(len(audio), 1 << int(np.ceil(np.log2(8 * LOBE_BINS * sample_rate_hz / pitch_hz))))
    power = np.square(measure.stft_magnitudes(audio, n_fft=size, hop=size // 2).astype(np.float64)).sum(axis=0)
    found = [_lobe(power, k * pitch_hz * size / sample_rate_hz) for k in range(2, top + 1)]
    even, odd = sum(found[0::2]), sum(found[1::2])
    return float(np.clip(10.0 * np.log10((odd + 1e-20) / (even + 1e-20)), -40.0, 40.0))


def _lobe(power: np.ndarray, place: float) -> float:
    """The power within a partial's main lobe."""
    at = round(place)
    return float(power[max(0, at - LOBE_BINS) : at + LOBE_BINS + 1].sum())
