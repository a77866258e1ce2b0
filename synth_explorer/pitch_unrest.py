"""Does the pitch of a sound stand still? Heard from the spectra that `pitch.refine` listened to, in a millisecond.

In a steady note, be it a bell, a chord or noise, no frame looks more like another when it is shifted along the
logarithm of frequency. Where the pitch moves, it does.

Shapes: F frames, R bins, G bins of log frequency, N references.
"""

from __future__ import annotations

import numpy as np

from synth_explorer.pitch import Refined, midi_to_hz

BINS_PER_OCTAVE = 24
LOWEST_HZ = 45.0
REACH = 30  # bins, to either side
LOUD_DB = 35.0  # under the loudest frame: what lies lower is not asked
REFERENCES = (0.1, 0.35, 0.65, 0.9)  # of the loud frames
GAIN = 0.08  # of a correlation, by which a shifted spectrum must be liker
FEW_FRAMES = 2
WIDE_CENTS = 42.0  # the harmonics of `refine` are sought no further away
DEAF = 0.35  # share of loud frames whose pitch `refine` does not trust
ODD_GONE, ODD_THERE = 0.01, 0.4  # share of the odd harmonics: where an octave up is played, and where it is not


def suspicious(steady: Refined) -> bool:
    """Whether a note may move further than a steady track goes."""
    if steady.spectra is None:
        return False
    loud = loud_frames(steady.spectra)
    if len(loud) < FEW_FRAMES:
        return False
    heard = steady.heard[loud] > 0.5
    wide = np.abs(steady.cents[loud][heard]) > WIDE_CENTS
    if wide.sum() >= FEW_FRAMES or np.mean(~heard) > DEAF:
        return True
    return bool(_moved(steady, steady.spectra).sum() >= FEW_FRAMES)


def unrest(refined: Refined) -> float:
    """0..1: the share of loud frames whose spectrum is shifted, or whose pitch is not trusted, or is far away."""
    if refined.spectra is None:
        return 1.0
    loud = loud_frames(refined.spectra)
    moved, deaf = _moved(refined, refined.spectra), refined.heard[loud] < 0.5
    return float(np.mean(moved | deaf | (np.abs(refined.cents[loud]) > WIDE_CENTS)))


def _moved(refined: Refined, spectra: np.ndarray) -> np.ndarray:
    """Whether each loud frame's spectrum is shifted, or has no odd harmonics while others have them."""
    odd = _odd_share(refined, spectra)[loud_frames(spectra)]
    octave = (odd < ODD_GONE) & (np.quantile(odd, 0.9) > ODD_THERE)
    return octave | (shift_gain(spectra, bin_hz=refined.bin_hz) > GAIN)


def _odd_share(refined: Refined, spectra: np.ndarray) -> np.ndarray:
    """Power of the harmonics 1, 3, 5, .. among the first ten, [F] 0..1."""
    bins = float(midi_to_hz(refined.midi)) / refined.bin_hz
    count = min(10, int((spectra.shape[1] - 2) / bins) // 2 * 2)
    if count < 2:
        return np.ones(len(spectra))
    at = np.round(bins * np.arange(1, count + 1)).astype(int)
    power = np.max([spectra[:, at + away] for away in (-1, 0, 1)], axis=0) ** 2
    return power[:, ::2].sum(axis=1) / (power.sum(axis=1) + 1e-20)


def loud_frames(spectra: np.ndarray) -> np.ndarray:
    """Indices of the frames of [F, R] that lie within 35 dB of the loudest."""
    power = np.einsum("fr,fr->f", spectra, spectra)
    return np.flatnonzero(power > power.max() * 10.0 ** (-LOUD_DB / 10.0))


def shift_gain(spectra: np.ndarray, *, bin_hz: float) -> np.ndarray:
    """For each loud frame of [F, R], by how much it is liker to some frame of the note when it is shifted: 0..1."""
    loud = loud_frames(spectra)
    logs = _log_spectra(spectra[loud], bin_hz=bin_hz)
    bins = logs.shape[1]
    if bins < 2 * BINS_PER_OCTAVE or len(loud) == 0:
        return np.zeros(len(loud))
    reach = min(REACH, bins - BINS_PER_OCTAVE)
    chosen = np.unique((np.array(REFERENCES) * (len(loud) - 1)).round().astype(int))
    padded = np.pad(logs[chosen], ((0, 0), (reach, reach)))
    shifted = np.lib.stride_tricks.sliding_window_view(padded, bins, axis=1)  # [N, 2 reach + 1, G]
    liker = (shifted.reshape(-1, bins) @ logs.T).reshape(*shifted.shape[:2], -1)
    still = liker[:, reach - 1 : reach + 2].max(axis=1)
    return (liker.max(axis=1) - still).max(axis=0)


def _log_spectra(spectra: np.ndarray, *, bin_hz: float) -> np.ndarray:
    """Magnitudes [F, R] -> their roots over log frequency [F, G], of mean 0 and norm 1."""
    top = spectra.shape[1] - 2
    low = max(2.0, LOWEST_HZ / bin_hz)
    count = max(0, int(BINS_PER_OCTAVE * np.log2(top / low))) if top > low else 0
    at = low * 2.0 ** (np.arange(count) / BINS_PER_OCTAVE)
    below = at.astype(int)
    part = (at - below).astype(np.float32)
    roots = np.sqrt(spectra)
    logs = roots[:, below] * (1.0 - part) + roots[:, below + 1] * part
    logs = logs - logs.mean(axis=1, keepdims=True) if count else logs
    return logs / (np.linalg.norm(logs, axis=1, keepdims=True) + 1e-9)
