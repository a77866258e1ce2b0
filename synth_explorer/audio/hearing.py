"""What a listener hears of a sound, before anything is measured on it: offsets, drifts and rumble are taken out.

Shapes: T samples, K cosines.
"""

from __future__ import annotations

import math

import numpy as np

from synth_explorer.audio.gate import SILENCE_DB, check
from synth_explorer.audio.onset import DIGITAL_SILENCE, find_onset
from synth_explorer.audio.rumble import rumble
from synth_explorer.errors import AudioError
from synth_explorer.mel import LOWEST_HEARD_HZ

RUMBLE_DB = -60.0
"""What lies below hearing is let pass when its RMS is this far under the sound's: many sounds stay as they are."""

_SUSPECT_HZ = 13.0, LOWEST_HEARD_HZ  # up to the first all of a sound is looked at for rumble, and ever less up to 20 Hz
_BELOW_HZ = LOWEST_HEARD_HZ, 30.0  # the same, where what remains is to be free of rumble
_BEGUN_S = 0.01  # in which what begins with a note is taken to begin
_LEAD_S = 0.02  # by which a note may begin before the onset that was found of it in rumble
SEEN = 4  # points for each cosine up to the highest of these, by which rumble is looked for first
_EDGE_S = 0.1
_BEGINNING_S = 0.5  # what a note has below hearing as it begins is no rumble, where there is none later


def audible(audio: np.ndarray, *, sample_rate_hz: int) -> np.ndarray:
    """The sound [T] without what lies below hearing: an offset, a drift, rumble up to 19 Hz.

    Nothing moves in time, and a note that begins at once keeps its beginning. A sound that has nothing to take out
    comes back as it is, the same array.

    Raises AudioError: audio that is not valid.
    """
    audio = check(audio)
    if audio.size < sample_rate_hz / LOWEST_HEARD_HZ:  # no telling an offset from a tone
        return audio
    edge = min(round(_EDGE_S * sample_rate_hz), audio.size // 4)  # where a mirrored wave has a corner
    if _looks_clean(audio, edge, sample_rate_hz):
        return audio
    suspect = _mirrored(audio, _SUSPECT_HZ, sample_rate_hz=sample_rate_hz)
    rest = audio - _mirrored(audio, _BELOW_HZ, sample_rate_hz=sample_rate_hz)
    try:
        onset = find_onset(rest, sample_rate_hz=sample_rate_hz)
    except AudioError:  # silent
        onset = 0
    inner = np.r_[edge : onset - edge, max(edge, onset + round(_BEGINNING_S * sample_rate_hz)) : audio.size - edge]
    if inner.size > audio.size // 4 and _is_little(suspect[inner], rest):
        return audio
    below = rumble(audio, rest, onset=onset, sample_rate_hz=sample_rate_hz)
    below = _begun(audio, below, rest, onset=onset, sample_rate_hz=sample_rate_hz)
    heard = (audio - below).astype(np.float32)
    return audio if _is_little(below, heard) else heard


def _looks_clean(audio: np.ndarray, edge: int, sample_rate_hz: int) -> bool:
    """Whether there is little rumble between the edges of a sound [T], seen by a few points of it: most have none."""
    rough = _mirrored(audio, _SUSPECT_HZ, sample_rate_hz=sample_rate_hz, points=SEEN)
    apart = audio.size / rough.size
    inner = rough[math.ceil(edge / apart) : int((audio.size - edge) / apart)]
    rest = np.dot(audio, audio) - apart * np.dot(rough, rough)
    return bool(apart * np.dot(inner, inner) <= 10 ** (RUMBLE_DB / 10) * rest)


def _begun(audio: np.ndarray, below: np.ndarray, rest: np.ndarray, *, onset: int, sample_rate_hz: int) -> np.ndarray:
    """What lies below hearing in a sound [T], where some of it begins with the note: by 10 ms from its onset on what
    was found, `below`, and before it what is found there alone, in digital silence nothing."""
    silent = int(np.argmax(np.abs(audio) > DIGITAL_SILENCE * np.abs(audio).max()))
    lead = onset - round(_LEAD_S * sample_rate_hz)
    before = np.zeros(silent)
    if lead - silent >= _BEGINNING_S * sample_rate_hz:
        alone = rumble(audio[:lead], rest[:lead], onset=0, sample_rate_hz=sample_rate_hz)
        near = slice(lead - round(_BEGINNING_S * sample_rate_hz), lead)
        jointly, apart = (
            _mirrored((audio[near] - each[near]).astype(np.float32), _BELOW_HZ, sample_rate_hz=sample_rate_hz)
            for each in (below, alone)
        )
        if np.dot(jointly, jointly) > 10.0 * np.dot(apart, apart) + 1e-4 * np.dot(rest, rest):
            still = np.concatenate([audio[:lead] - alone, audio[lead:] - alone[-1]]).astype(np.float32)
            onset = find_onset(still, sample_rate_hz=sample_rate_hz)
            before = np.pad(alone, (0, max(onset - lead, 0)), mode="edge")[:onset]
    if not before.size:
        return below
    share = np.clip((np.arange(audio.size) - before.size + 1) / round(_BEGUN_S * sample_rate_hz), 0.0, 1.0)
    return share * below + (1.0 - share) * np.pad(before, (0, audio.size - before.size), mode="edge")


def _is_little(below: np.ndarray, heard: np.ndarray) -> bool:
    return bool(np.dot(below, below) <= 10 ** (RUMBLE_DB / 10) * np.dot(heard, heard))


def _mirrored(audio: np.ndarray, below_hz: tuple[float, float], *, sample_rate_hz: int, points: int = 0) -> np.ndarray:
    """What a sound [T] that is mirrored at its ends has below the first of two frequencies, and ever less of what it
    has up to the second.

    `points`: 0 gives every sample; otherwise evenly spaced ones, so many for each cosine that is in it.
    """
    from scipy.fft import dct, idct, next_fast_len

    size = next_fast_len(audio.size, real=True)
    count = min(size, math.ceil(below_hz[1] * 2 * size / sample_rate_hz))
    hz = np.arange(count) * sample_rate_hz / (2 * size)
    cosines = dct(np.pad(audio, (0, size - audio.size), mode="symmetric"))[:count]
    cosines *= 0.5 + 0.5 * np.cos(np.pi * np.clip((hz - below_hz[0]) / (below_hz[1] - below_hz[0]), 0.0, 1.0))
    if not points:
        return idct(cosines, n=size)[: audio.size]
    few = min(points * count, size)
    return idct(cosines, n=few)[: math.ceil(audio.size * few / size)] * np.float32(few / size)


def refuse_silence(audio: np.ndarray, *, name: str = "audio", why: str = "") -> None:
    """Raise AudioError where nobody would hear anything: `audio` [T], as `audible` left it, peaks below -80 dBFS.

    `why`: what else to say of it, in brackets.
    """
    peak = float(np.abs(audio).max(initial=0.0))
    if peak < 10 ** (SILENCE_DB / 20):
        why = why or f"what can be heard of it peaks below {SILENCE_DB:.0f} dBFS"
        raise AudioError(f"{name} is silent ({why}); give a file with sound in it.")
