"""What a listener hears of a sound, before anything is measured on it: offsets, drifts and rumble are taken out.

Shapes: T samples.
"""

from __future__ import annotations

import numpy as np

from synth_explorer.audio.gate import SILENCE_DB, check
from synth_explorer.errors import AudioError
from synth_explorer.mel import LOWEST_HEARD_HZ

RUMBLE_DB = -60.0
"""What lies below hearing is let pass when its RMS is this far under the sound's: many sounds stay as they are."""

_EDGE_S = 0.1
_STOPPED_HZ = 13.0  # from here down nothing is left; up to 20 Hz ever more


def audible(audio: np.ndarray, *, sample_rate_hz: int) -> np.ndarray:
    """The sound [T] without what lies below hearing: an offset, a drift, rumble under some 15 Hz.

    The cosines below hearing (a DCT mirrors the sound at its ends, so that one that is cut off mid-wave does not end in
    a step) are taken from it, so that nothing moves in time. A sound that has nothing to take out comes back as it is,
    the same array.

    Raises:
        AudioError: audio that is not valid.
    """
    audio = check(audio)
    if audio.size < sample_rate_hz / LOWEST_HEARD_HZ:  # no telling an offset from a tone
        return audio
    from scipy.fft import dct, idct, next_fast_len

    size = next_fast_len(audio.size, real=True)
    cosines = dct(np.pad(audio, (0, size - audio.size), mode="symmetric"))
    step_hz = sample_rate_hz / (2 * size)
    count = min(size, int(LOWEST_HEARD_HZ / step_hz) + 1)
    above = (np.arange(count) * step_hz - _STOPPED_HZ) / (LOWEST_HEARD_HZ - _STOPPED_HZ)
    cosines[:count] *= 0.5 + 0.5 * np.cos(np.pi * np.clip(above, 0.0, 1.0))
    cosines[count:] = 0.0
    below = idct(cosines)[: audio.size]
    heard = audio - below
    edge = min(round(_EDGE_S * sample_rate_hz), audio.size // 4)  # where a mirrored wave has a corner
    inner = below[edge : audio.size - edge]
    if np.dot(inner, inner) <= 10 ** (RUMBLE_DB / 10) * np.dot(heard, heard):
        return audio
    return heard


def refuse_silence(audio: np.ndarray, *, name: str = "audio", why: str = "") -> None:
    """Raise AudioError where nobody would hear anything: `audio` [T], as `audible` left it, peaks below -80 dBFS.

    Args:
        audio: [T].
        name: what to call it.
        why: what else to say of it, in brackets.
    """
    peak = float(np.abs(audio).max(initial=0.0))
    if peak < 10 ** (SILENCE_DB / 20):
        why = why or f"what can be heard of it peaks below {SILENCE_DB:.0f} dBFS"
        raise AudioError(f"{name} is silent ({why}); give a file with sound in it.")
