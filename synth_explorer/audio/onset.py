"""Where a note begins, and notes cut so that they begin alike.

Shapes: T samples.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from synth_explorer.audio.gate import SILENCE_DB, check
from synth_explorer.audio.high_pass import high_pass
from synth_explorer.audio.hum import without_hum
from synth_explorer.errors import AudioError

DIGITAL_SILENCE = 1e-5  # of the peak, at most
LEVEL_S = 0.005  # window of the level that is asked where the note begins
SLOW_S = 0.02  # window of the level that tells notes from what lies before them: a period of mains hum
BODY_DB = 20.0  # under the loudest moment: the note has begun, or a breath before it
SURE_DB = 9.0  # under the loudest moment: the note has certainly begun
ALIKE = 0.5  # cosine between the power spectra of two moments of one note, at least
_ALIKE_S = 0.1
BEGIN_DB = 40.0  # under the loudest moment: the note begins, in a quiet recording
SUSTAIN_S = 0.05
ABOVE_NOISE_DB = 5.0
EARLIER_DB = 9.0  # a level that rises so much again, seen backwards, is something else: a breath, a click
NOISE_S = 0.03  # of noise, at least, to know its level
NOISE_SPREAD_DB = 6.0
_WEIGHTED_HZ = 120.0
_STEP_S = 0.002


@dataclass(frozen=True, eq=False)
class Prepared:
    """A note cut to its onset."""

    audio: np.ndarray  # float32 [T], the note with exactly the pre-roll asked for before its onset
    lead_in_samples: int  # index in the original of the first sample kept; negative when zeros were padded in front


def find_onset(audio: np.ndarray, *, sample_rate_hz: int) -> int:
    """Find the sample at which a note begins: where its level first rises clearly out of what lies before.

    Every level is relative to the loudest moment, so that a note begins at the same sample however loud it was
    recorded, and is that of the sound above some 120 Hz, as ears weigh it. The search begins at the first moment within
    20 dB of the loudest that lasts (a click does not), or, where that moment has another spectrum (a breath), within
    9 dB. Mains hum that lies before it is taken out first (see `hum`). The search goes backwards, until the level rises
    again by 9 dB (a breath, an earlier noise), or to the beginning. Where that stretch has a floor of noise, its level
    is known. The note begins where its level, an RMS of 5 ms
    that looks back only, last rises through the loudest moment less 40 dB; or, if that lies in the noise, through 5 dB
    above the noise, from where its rise is followed down to the 40 dB. Leading digital silence is skipped, so that
    padding a note with zeros moves its onset by exactly as many samples.

    `audio`: [T], one note, without an offset or rumble (see `hearing.audible`). Returns the index of the onset, 0 <=
    onset < T. Raises AudioError: audio that is not valid, or silent.
    """
    audio = check(audio)
    magnitude = np.abs(audio)
    peak = float(magnitude.max())
    if peak < 10 ** ((SILENCE_DB - 60) / 20):
        raise AudioError("audio is silent, so it has no onset; give a note.")
    start = int(np.argmax(magnitude > DIGITAL_SILENCE * peak))
    weighted = _weigh(audio[start:] / np.float32(peak), sample_rate_hz)
    window = max(1, round(LEVEL_S * sample_rate_hz))
    power = _backward_power(weighted, window=window)
    peak_db = float(_in_db(power.max()))
    body = _body(power, under_db=BODY_DB, sample_rate_hz=sample_rate_hz)
    sure = _body(power, under_db=SURE_DB, sample_rate_hz=sample_rate_hz)
    if not _alike(weighted, body, sure, size=max(1, round(_ALIKE_S * sample_rate_hz))):
        body = sure
    least = 10.0 ** ((peak_db - BEGIN_DB - 6.0) / 20.0)
    heard = without_hum(weighted, body=body, least=least, sample_rate_hz=sample_rate_hz)
    if heard is not weighted:
        weighted, power = heard, _backward_power(heard, window=window)
    level_db = _in_db(power[: body + 1])
    first, noise_db = _before(weighted, level_db, body=body, peak_db=peak_db, sample_rate_hz=sample_rate_hz)
    begin_db = peak_db - BEGIN_DB
    rise_db = max(begin_db, min(noise_db + ABOVE_NOISE_DB, peak_db - BODY_DB))
    under = np.flatnonzero(level_db[first:] < rise_db)
    onset = first + (int(under[-1]) + 1 if under.size else 0)
    if rise_db > begin_db:
        onset = max(first, onset - _rise_in_noise(_in_db(power[onset:]), rise_db=rise_db, begin_db=begin_db))
    return start + min(onset, power.size - 1)


def _weigh(audio: np.ndarray, sample_rate_hz: int) -> np.ndarray:
    """What ears make of the low end, roughly: a second-order high-pass at 120 Hz."""
    return high_pass(audio, cutoff_hz=_WEIGHTED_HZ, sample_rate_hz=sample_rate_hz)


def _backward_power(audio: np.ndarray, *, window: int) -> np.ndarray:
    """Mean square of the `window` samples that end at each sample, [T]."""
    energy = np.cumsum(np.square(audio, dtype=np.float64))
    energy[window:] -= energy[:-window].copy()
    return energy / window


def _in_db(power: np.ndarray) -> np.ndarray:
    return 10 * np.log10(np.maximum(power, 1e-14))


def _body(power: np.ndarray, *, under_db: float, sample_rate_hz: int) -> int:
    """First sample within so many dB of the loudest after which half of the next 50 ms lie at most 10 dB lower; else
    the first of them."""
    least = power.max() * 10.0 ** (-under_db / 10.0)
    loud = np.flatnonzero(power >= least)
    sustained = max(1, round(SUSTAIN_S * sample_rate_hz))
    for first in range(0, loud.size, sustained):  # most notes begin in the first of these parts
        some = loud[first : first + sustained]
        ends = np.minimum(some + sustained, power.size)
        count = np.concatenate([[0], np.cumsum(power[some[0] : ends[-1]] >= least / 10.0)])
        lasting = 2 * (count[ends - some[0]] - count[some - some[0]]) >= ends - some
        if lasting.any():
            return int(some[np.argmax(lasting)])
    return int(loud[0])


def _alike(audio: np.ndarray, early: int, late: int, *, size: int) -> bool:
    """Whether the `size` samples from `early` and from `late` on sound of the same, or are in part the same."""
    if late - early < size or late + size > audio.size:
        return True
    window = np.hanning(size)
    first, second = (np.abs(np.fft.rfft(window * audio[at : at + size])) ** 2 for at in (early, late))
    return bool(np.dot(first, second) > ALIKE * np.linalg.norm(first) * np.linalg.norm(second))


def _before(
    weighted: np.ndarray, level_db: np.ndarray, *, body: int, peak_db: float, sample_rate_hz: int
) -> tuple[int, float]:
    """What lies before the body of a note: where it may begin at the earliest, and the level of the noise there in dB
    (-inf where none is known)."""
    window, step = max(1, round(SLOW_S * sample_rate_hz)), max(1, round(_STEP_S * sample_rate_hz))
    at = np.arange(body, window - 1, -step)  # not where the window is still filling
    if at.size == 0:
        return 0, -np.inf
    slow_db = _in_db(_backward_power(weighted[: body + 1], window=window)[at])
    lowest_db = np.minimum.accumulate(slow_db)
    rises = slow_db > np.maximum(lowest_db, peak_db - BEGIN_DB - 6.0) + EARLIER_DB
    stop = int(np.argmax(rises)) if rises.any() else at.size
    first = int(at[stop - 1]) if rises.any() else 0
    quiet = at[:stop][slow_db[:stop] < slow_db[:stop].min() + NOISE_SPREAD_DB]
    if quiet.size * step < NOISE_S * sample_rate_hz:
        return first, -np.inf
    return first, float(np.percentile(level_db[quiet], 97))


def _rise_in_noise(level_db: np.ndarray, *, rise_db: float, begin_db: float) -> int:
    """By how many samples a rise that crosses `rise_db` at the first sample had crossed `begin_db` before: its
    amplitude is taken to grow evenly, as fast as in the next 6 dB."""
    later = np.flatnonzero(level_db >= rise_db + 20.0 * np.log10(2.0))
    return int(later[0] * (1.0 - 10.0 ** ((begin_db - rise_db) / 20.0))) if later.size else 0


def prepare(audio: np.ndarray, *, sample_rate_hz: int, pre_roll_samples: int, max_samples: int) -> Prepared:
    """Cut a note so that its onset lies exactly `pre_roll_samples` after the first sample kept.

    Notes cut alike are aligned, which morphing needs. Where the recording has less than the pre-roll, zeros stand in.

    Args:
        audio: [T], one note.
        pre_roll_samples: how many samples to keep before the onset, at least 0.
        max_samples: longest result; must exceed the pre-roll.

    Returns the cut note and where it came from. Raises AudioError: audio that is not valid, or silent, or lengths that
    do not fit together.
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

    Returns float32 [total_samples], zero where `audio` has nothing to say.
    """
    audio = check(audio)
    if total_samples < 1:
        raise AudioError(f"total_samples={total_samples} must be at least 1.")
    restored = np.zeros(total_samples, np.float32)
    first, last = max(lead_in_samples, 0), min(lead_in_samples + audio.size, total_samples)
    if last > first:
        restored[first:last] = audio[first - lead_in_samples : last - lead_in_samples]
    return restored
