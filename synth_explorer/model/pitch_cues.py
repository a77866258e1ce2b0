"""Cues to what kind of sound was listened to and how sure its pitch is: what the pitch head saw, seen from its answer.

Shapes: P frames of one sound, N samples of a frame, G bins of the log-frequency spectrum, S classes, C features,
D cues. Spectra are laid out relative to the pitch that is told, so that harmonics of any pitch stand at one place and
partials of another one between them.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from synth_explorer import pitch
from synth_explorer.model.pitch_series import series_cues

_BELOW, _ABOVE = 18, 54  # semitones of the spectrum around the pitch told
_LEAST_LOG = -12.0  # of a probability
_LEVELS = (-36, 36)  # semitones of the posterior around the pitch told
_RIVALS = (-24, -19, -12, -7, -5, 0, 5, 7, 12, 19, 24)  # semitones away that frames may vote for
_PERIODS = (1.0, 0.5, 2.0, 1.0 / 3.0, 3.0, 1.5, 2.0 / 3.0, 4.0)  # of the pitch told, at which repetition is measured
_LISTENED = 3  # frames whose repetition is measured
_COMPRESSION = 0.67  # of the power spectrum: partials count more alike (Tolonen and Karjalainen, 2000)
_LONGEST_S, _SHORTEST_S = 0.12, 1.0 / 7500.0  # periods sought
_OCTAVE_COST = 0.015  # of a longer period
_UPSAMPLED = 2


class Listening(NamedTuple):
    """What the pitch head made of one sound."""

    logits: np.ndarray  # [S] of its pitch
    features: np.ndarray  # [S, C] of each class
    votes: np.ndarray  # [P, S] logits of each frame alone
    spectra: np.ndarray  # [P, G], 0 (at `range_db` below the frame's peak) to 1
    presence_db: np.ndarray  # [S] level at each class's own frequency under the loudest bin of the mean spectrum


class Repetition(NamedTuple):
    """How a sound repeats: at periods of a given pitch [K], and the best pitch by it with its strength 0..1."""

    at: np.ndarray
    midi: float
    strength: float


def cues(
    listening: Listening,
    frames: np.ndarray,
    weights: np.ndarray,
    refined: pitch.Refined,
    *,
    grid_midi: np.ndarray,
    class_midi: np.ndarray,
    sample_rate_hz: int,
) -> tuple[np.ndarray, np.ndarray]:
    """Cues to the kind of a sound [D] and to whether its pitch is right [E], both float32 and near 0..1.

    `frames` [P, N] and `weights` [P] are what the head heard, `grid_midi` [G] and `class_midi` [S] its scales.
    """
    step = round(1.0 / float(grid_midi[1] - grid_midi[0]))
    best = int(np.argmax(listening.logits))
    told = float(class_midi[best])
    centre = int(np.argmin(np.abs(grid_midi - told)))
    mean = weights @ listening.spectra
    spread = np.sqrt(weights @ (listening.spectra - mean) ** 2)
    late = listening.spectra[-max(1, len(weights) // 3) :].mean(axis=0)
    posterior = _log_softmax(listening.logits)
    votes = weights @ np.exp(_log_softmax(listening.votes))
    repeats = repetition(frames, midi=refined.midi, sample_rate_hz=sample_rate_hz)
    loudest = float(grid_midi[int(np.argmax(mean))])
    small = np.concatenate(
        [
            _around(posterior / -_LEAST_LOG + 1.0, best, range(*_LEVELS), least=0.0),
            _around(votes, best, _RIVALS, least=0.0),
            [-(votes * np.log(votes + 1e-9)).sum() / 3.0, -(np.exp(posterior) * posterior).sum() / 3.0],
            [(told - class_midi[0]) / 96.0, listening.presence_db[best] / 60.0, (told - loudest) / 48.0],
            _around(listening.presence_db / 60.0 + 1.0, best, _RIVALS, least=0.0),
            repeats.at,
            _apart(repeats, told),
            [refined.reliability, min(1.0, refined.scatter_cents / 50.0), min(1.0, float(refined.cents.std()) / 50.0)],
            [np.clip(refined.midi - told, -1.0, 1.0)],
        ]
    )
    window = range(-_BELOW * step, _ABOVE * step + 1)
    around = [_around(each, centre, window, least=0.0) for each in (mean, late)]
    unsteady = _around(spread, centre, window, least=0.0)
    whole = mean[: len(mean) // step * step].reshape(-1, step).max(axis=1)
    feature = listening.features
    wide = [*around, unsteady, whole, feature[best], feature.max(axis=0), feature.mean(axis=0)]
    series = series_cues(frames, midi=refined.midi, sample_rate_hz=sample_rate_hz)
    kind, right = (np.concatenate(each).astype(np.float32) for each in ([small, *wide, series], [small, series]))
    return kind, right


def repetition(frames: np.ndarray, *, midi: float, sample_rate_hz: int) -> Repetition:
    """Generalised autocorrelation of a few of the frames [P, N]: at periods of `midi`, and its best peak."""
    chosen = frames[np.linspace(0, len(frames) - 1, _LISTENED + 2).round().astype(int)[1:-1]]
    samples = frames.shape[1]
    window = np.hanning(samples).astype(np.float32)
    power = np.abs(np.fft.rfft(chosen * window, 2 * samples, axis=1)) ** (2.0 * _COMPRESSION)
    power = (power / (power.sum(axis=1, keepdims=True) + 1e-20)).sum(axis=0)
    power[: int(np.ceil(10.0 * 2 * samples / sample_rate_hz)) // 2] = 0.0  # below 5 Hz: offsets
    strength = np.fft.irfft(power, 2 * samples * _UPSAMPLED)
    longest = int(_LONGEST_S * sample_rate_hz * _UPSAMPLED)
    strength = strength[: 4 * longest] / (strength[0] + 1e-20)
    period = sample_rate_hz * _UPSAMPLED / float(pitch.midi_to_hz(midi))
    at = np.interp(period * np.asarray(_PERIODS), np.arange(len(strength)), strength, right=0.0)
    shortest = max(2, int(_SHORTEST_S * sample_rate_hz * _UPSAMPLED))
    inner = strength[shortest : longest + 1]
    peaks = shortest + np.flatnonzero(
        (inner >= strength[shortest - 1 : longest]) & (inner > strength[shortest + 1 : longest + 2])
    )
    if len(peaks) == 0:
        return Repetition(at, midi, 0.0)
    best = int(peaks[np.argmax(strength[peaks] - _OCTAVE_COST * np.log2(peaks / shortest))])
    left, middle, right = strength[best - 1 : best + 2]
    curve = left - 2.0 * middle + right
    lag = best + (0.5 * (left - right) / curve if curve < 0.0 else 0.0)
    return Repetition(at, float(pitch.hz_to_midi(sample_rate_hz * _UPSAMPLED / lag)), float(middle))


def outside_midi(frames: np.ndarray, *, low_midi: float, high_midi: float, sample_rate_hz: int) -> float | None:
    """Where the pitch of frames [P, N] lies when it is not from `low_midi` to `high_midi`; None where none is found.

    Below by repetition, above by the loudest partial.
    """
    found = repetition(frames, midi=low_midi, sample_rate_hz=sample_rate_hz)
    if found.strength > 0.3 and found.midi < low_midi:
        return found.midi
    samples = frames.shape[1]
    power = (np.abs(np.fft.rfft(frames * np.hanning(samples), axis=1)) ** 2).sum(axis=0)
    highest = float(pitch.hz_to_midi(max(1, int(np.argmax(power))) * sample_rate_hz / samples))
    return highest if highest > high_midi else None


def _apart(repeats: Repetition, told: float) -> list[float]:
    """How far the independent estimate lies from the told one: in all, but for octaves, and how strong it is."""
    apart = repeats.midi - told
    folded = (apart + 6.0) % 12.0 - 6.0
    return [np.clip(apart / 36.0, -1.0, 1.0), min(abs(apart), 1.0), min(abs(folded), 1.0), repeats.strength]


def _log_softmax(logits: np.ndarray) -> np.ndarray:
    shifted = logits - logits.max(axis=-1, keepdims=True)
    return np.maximum(shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True)), _LEAST_LOG)


def _around(values: np.ndarray, centre: int, away, *, least: float) -> np.ndarray:
    """Values at `centre` plus each of `away`; `least` beyond the ends."""
    at = centre + np.fromiter(away, np.int64)
    inside = (at >= 0) & (at < len(values))
    return np.where(inside, values[np.clip(at, 0, len(values) - 1)], least)
