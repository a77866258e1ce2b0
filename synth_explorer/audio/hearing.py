"""What a listener hears of a sound, before anything is measured on it: offsets, drifts and rumble are taken out.

Shapes: T samples, K cosines.
"""

from __future__ import annotations

import numpy as np

from synth_explorer.audio.gate import SILENCE_DB, check
from synth_explorer.audio.onset import find_onset
from synth_explorer.errors import AudioError
from synth_explorer.mel import LOWEST_HEARD_HZ

RUMBLE_DB = -60.0
"""What lies below hearing is let pass when its RMS is this far under the sound's: many sounds stay as they are."""

_SUSPECT_HZ = 13.0  # from here down all of a sound is looked at for rumble; up to 20 Hz ever less
_STOPPED_HZ = 17.0  # from here down nothing is left; up to 20 Hz ever more
_EDGE_S = 0.1
_INNER_S = 0.5  # so far from the ends and after the onset, a note that is cut there has nothing below hearing
_BEYOND_S = 0.25  # the cosines' period goes so far beyond the sound
_ONSET_S = 0.08  # after an onset, rumble is told from what lies around
_TRUST = 1e-4
_LEAST_TRUST, _MOST_TRUST = 1e-12, 1e-3
_BLOCK_S, _MARGIN_S = 8.0, 1.0


def audible(audio: np.ndarray, *, sample_rate_hz: int) -> np.ndarray:
    """The sound [T] without what lies below hearing: an offset, a drift, rumble under some 17 Hz.

    Nothing moves in time, and a note that begins at once keeps its beginning. A sound that has nothing to take out
    comes back as it is, the same array.

    Raises AudioError: audio that is not valid.
    """
    audio = check(audio)
    if audio.size < sample_rate_hz / LOWEST_HEARD_HZ:  # no telling an offset from a tone
        return audio
    suspect = _mirrored(audio, sample_rate_hz)
    edge = min(round(_EDGE_S * sample_rate_hz), audio.size // 4)  # where a mirrored wave has a corner
    if _is_little(suspect, audio - suspect, slice(edge, audio.size - edge)):
        return audio
    try:
        onset = find_onset(audio - suspect, sample_rate_hz=sample_rate_hz)
    except AudioError:  # silent
        onset = 0
    below = _below(audio, onset=onset, sample_rate_hz=sample_rate_hz)
    if np.abs(audio - below).max() < 10 ** (RUMBLE_DB / 20) * np.abs(audio).max():  # rumble alone has no onset
        below = _below(audio, onset=-audio.size, sample_rate_hz=sample_rate_hz)
    heard = audio - below
    edge = min(round(_INNER_S * sample_rate_hz), audio.size // 4)
    inner = np.arange(edge, audio.size - edge)
    inner = inner[(inner < onset) | (inner >= onset + edge)]
    return audio if _is_little(below, heard, inner) else heard


def _is_little(below: np.ndarray, heard: np.ndarray, where: slice | np.ndarray) -> bool:
    part = below[where]
    return bool(np.dot(part, part) <= 10 ** (RUMBLE_DB / 10) * np.dot(heard, heard))


def _mirrored(audio: np.ndarray, sample_rate_hz: int) -> np.ndarray:
    """What lies below hearing in a sound [T] that is mirrored at its ends, roughly."""
    from scipy.fft import dct, idct, next_fast_len

    size = next_fast_len(audio.size, real=True)
    cosines = dct(np.pad(audio, (0, size - audio.size), mode="symmetric"))
    count = min(size, int(LOWEST_HEARD_HZ * 2 * size / sample_rate_hz) + 1)
    cosines[:count] *= _share(count, size, sample_rate_hz, from_hz=_SUSPECT_HZ)
    cosines[count:] = 0.0
    return idct(cosines)[: audio.size]


def _share(count: int, size: int, sample_rate_hz: int, *, from_hz: float) -> np.ndarray:
    """How much of each cosine of `size` samples, [K], lies below hearing: 1 up to `from_hz`, 0 at 20 Hz."""
    hz = np.arange(count) * sample_rate_hz / (2 * size)
    return 0.5 + 0.5 * np.cos(np.pi * np.clip((hz - from_hz) / (LOWEST_HEARD_HZ - from_hz), 0.0, 1.0))


def _below(audio: np.ndarray, *, onset: int, sample_rate_hz: int) -> np.ndarray:
    """What lies below hearing in a sound [T], float32, in blocks of some seconds each told from a little more."""
    block, margin = round(_BLOCK_S * sample_rate_hz), round(_MARGIN_S * sample_rate_hz)
    below = np.empty(audio.size, np.float32)
    for start in range(0, audio.size, block):
        first, last = max(start - margin, 0), min(start + block + margin, audio.size)
        part = _fit(audio[first:last], onset=onset - first, sample_rate_hz=sample_rate_hz)
        below[start : start + block] = part[start - first : start - first + block]
    return below


def _fit(audio: np.ndarray, *, onset: int, sample_rate_hz: int) -> np.ndarray:
    """The sum of cosines below hearing that comes nearest to a sound [T], by weighted least squares.

    Their period goes beyond the sound at both ends, so that a wave that is cut off there is matched to its end (a
    Fourier extension; Huybrechs, 2010, "On the Fourier extension of nonperiodic functions"). The weights leave out the
    moment after `onset`: whatever begins at once is nothing that lasts. Each cosine's square is added to what is to
    be small, the more the nearer it lies to 20 Hz, and the more the less rumble there is: at the ends, the tones of a
    bass are then not taken for it.
    """
    from scipy.fft import dct, idct, next_fast_len
    from scipy.linalg import cho_factor, cho_solve, hankel, toeplitz

    beyond, fade = round(_BEYOND_S * sample_rate_hz), round(_ONSET_S * sample_rate_hz)
    size = next_fast_len(audio.size + 2 * beyond, real=True)
    within = slice(beyond, beyond + audio.size)
    weights, weighted = np.zeros(size), np.zeros(size)
    after = np.arange(audio.size) - onset
    weights[within] = np.where(after < 0, 1.0, 0.5 - 0.5 * np.cos(np.pi * np.clip(after / fade, 0.0, 1.0)))
    weighted[within] = weights[within] * audio
    count = min(size // 2, int(LOWEST_HEARD_HZ * 2 * size / sample_rate_hz) + 1)
    products, target = dct(weights)[: 2 * count] / 2, dct(weighted)[:count] / 2
    matrix = (toeplitz(products[:count]) + hankel(products[:count], products[count - 1 : 2 * count - 1])) / 2
    penalty = 1.0 / np.maximum(_share(count, size, sample_rate_hz, from_hz=_STOPPED_HZ), 1e-6) - 1.0

    def amplitudes(trust: float) -> np.ndarray:
        return cho_solve(cho_factor(matrix + np.diag(size / 2 * (penalty + trust))), target)

    explained = float(target @ amplitudes(_LEAST_TRUST))
    rest = max(float(weighted[within] @ audio) - explained, 0.0)
    trust = np.clip(_TRUST * np.sqrt(rest / max(explained, 1e-30)), _LEAST_TRUST, _MOST_TRUST)
    cosines = np.zeros(size)
    cosines[:count] = size * amplitudes(float(trust))
    cosines[0] *= 2.0
    return idct(cosines)[within]


def refuse_silence(audio: np.ndarray, *, name: str = "audio", why: str = "") -> None:
    """Raise AudioError where nobody would hear anything: `audio` [T], as `audible` left it, peaks below -80 dBFS.

    `why`: what else to say of it, in brackets.
    """
    peak = float(np.abs(audio).max(initial=0.0))
    if peak < 10 ** (SILENCE_DB / 20):
        why = why or f"what can be heard of it peaks below {SILENCE_DB:.0f} dBFS"
        raise AudioError(f"{name} is silent ({why}); give a file with sound in it.")
