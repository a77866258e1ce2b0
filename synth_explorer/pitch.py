"""Fine pitch of a note whose MIDI number is already known: a track of f0 in Hz, to a cent on steady tones.

Letters: T samples, F frames, K harmonics, N window, R bins.

Every frame is one unwindowed FFT. The Hann window and its time derivative are both three-bin sums of that FFT, so the
instantaneous frequency of a spectral peak, `w - Im(X_dw / X_w)` (Auger and Flandrin, 1995, eq. 19), costs nothing more
and is exact for steady and for exponentially decaying sinusoids. Harmonics vote for f0 with their amplitude and number.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, overload

import numpy as np

from synth_explorer.errors import AudioError

if TYPE_CHECKING:
    from synth_explorer.pitch_peaks import Peaks

_WINDOW_PERIODS = 5.5
_WINDOW_S = (0.064, 0.256)  # shortest (vibrato) and longest (low notes) window
_HARMONICS = 12
_QUIET_DB = 40.0  # frames this far below the loudest say nothing about pitch
_SILENCE = 1e-7
_CENTS_PER_B = 600.0 / math.log(2.0)  # partial k of a stiff string lies B k^2 times this above k f0
_MAX_B = 2e-3
NOTE_NAMES = ("C", "C♯", "D", "D♯", "E", "F", "F♯", "G", "G♯", "A", "A♯", "B")
LOWEST_MIDI, HIGHEST_MIDI = 18, 111
"""Pitches that can be heard and stated: F♯0, 23 Hz, to D♯8, 5 kHz."""

SURE = 0.98
"""A pitch that is heard with less confidence is told with its doubt."""


class HeardPitch(NamedTuple):
    """What is heard of the pitch of a sound.

    `kind`: "note", "chord" (several pitches at once), "unpitched" (noise, drums), "outside": a note whose pitch was
    folded by octaves into the range that can be encoded, or "moving": one whose pitch moves.
    """

    midi: float  # fractional MIDI number, the best guess there is, whatever the doubt
    confidence: float  # 0..1, calibrated: of the notes told with 0.9, nine in ten are right within half a semitone
    kind: str = "note"


def doubt(midi: float, confidence: float | None, kind: str) -> str:
    """What is to be said beside a pitch that was heard, in words that go on after the note's name; "" where it is sure.

    `confidence`: 0..1, see `HeardPitch`; None where the pitch was stated, which leaves no doubt. `kind`: of
    `HeardPitch`.
    """
    if confidence is None:
        return ""
    guess = note_name(midi)
    if kind == "moving":
        return f"has a pitch that moves, and is followed; {guess} is its middle"
    if kind == "chord":
        return f"sounds like several pitches at once, a chord; {guess} is a guess: state the pitch if you know it"
    if kind == "unpitched":
        return f"has no clear pitch; {guess} is a guess: state the pitch if you know it"
    if kind == "outside" or not in_range(midi):
        within = f"MIDI {LOWEST_MIDI} to {HIGHEST_MIDI}"
        return f"has a pitch outside {within}, or none; {guess} is a guess: state the pitch if you know it"
    if confidence < SURE:
        percent = math.floor(100.0 * confidence)
        return f"has a doubtful pitch: {guess}, {percent} % sure; state the pitch if you know it"
    return ""


@dataclass(frozen=True)
class Refined:
    """Pitch of one note. `cents` [F] is its deviation from `midi`, `reliability` 0..1 how far to trust `midi`.

    `heard` [F] is 0..1, how far each frame's own pitch counts in `cents`: 0 in silence and noise. `spectra` [F, R] are
    the magnitudes that were listened to, `bin_hz` apart; None where nothing was.
    `scatter_cents` is how far its partials lie from the harmonics of one stiff string, on average.
    """

    midi: float
    reliability: float
    cents: np.ndarray
    heard: np.ndarray
    spectra: np.ndarray | None = None
    bin_hz: float = 0.0
    scatter_cents: float = 0.0


@overload
def midi_to_hz(midi: float) -> float: ...
@overload
def midi_to_hz(midi: np.ndarray) -> np.ndarray: ...
def midi_to_hz(midi: float | np.ndarray) -> float | np.ndarray:
    """Frequency in Hz of a (fractional) MIDI number, A4 = 69 = 440 Hz."""
    return 440.0 * 2.0 ** ((np.asarray(midi, dtype=np.float64) - 69.0) / 12.0)


def in_range(midi: float) -> bool:
    """Whether a pitch that was heard lies within what can be encoded."""
    return LOWEST_MIDI - 0.5 <= midi <= HIGHEST_MIDI + 0.5


def folded(heard: HeardPitch) -> HeardPitch:
    """A pitch outside the range, octaves away from itself within it; others as they are."""
    if in_range(heard.midi):
        return heard
    below, above = LOWEST_MIDI - heard.midi, heard.midi - HIGHEST_MIDI
    octaves = math.ceil(below / 12) if below > 0 else -math.ceil(above / 12)
    return HeardPitch(heard.midi + 12.0 * octaves, heard.confidence, "outside")


def check_midi(midi: float, *, name: str = "pitch") -> float:
    """`midi` as a float. Raises AudioError where no note can have that pitch here."""
    if not LOWEST_MIDI <= midi <= HIGHEST_MIDI:
        raise AudioError(f"{name}={midi:g} must be a MIDI note from {LOWEST_MIDI} to {HIGHEST_MIDI} (60 is middle C).")
    return float(midi)


def note_name(midi: float) -> str:
    """Name of the nearest note, with middle C = C4 = 60."""
    nearest = round(midi)
    return f"{NOTE_NAMES[nearest % 12]}{nearest // 12 - 1}"


def pitch_words(midi: float, *, unit: str = " cents") -> str:
    """A pitch as people read it, and `midi_of` too: "F♯4", or "F♯4 −12 cents" where it lies beside the note."""
    cents = round(100 * (midi - round(midi)))
    return note_name(midi) + (f" {'+' if cents > 0 else '−'}{abs(cents)}{unit}" if cents else "")


def midi_of(name: str) -> float:
    """The MIDI number of a note's name: C4 is 60, Eb3 and D#3 are 51, "C4 +12 cents" is 60.12. Raises AudioError."""
    found = re.fullmatch(r"\s*([A-Ga-g])([#♯sb♭]?)(-?\d{1,2})\s*(?:([-+−]\s*\d{1,2})\s*(?:ct|cents?)?)?\s*", name)
    if found is None:
        raise AudioError(f"{name!r} is no pitch; give a MIDI number, or a name such as C4 (60), Eb3 or F#2.")
    sharp = {"": 0, "b": -1, "♭": -1}.get(found[2], 1)
    cents = int(re.sub(r"\s", "", found[4] or "0").replace("−", "-"))
    midi = 12 * (int(found[3]) + 1) + NOTE_NAMES.index(found[1].upper()) + sharp + cents / 100.0
    return check_midi(midi, name=name.strip())


def pitch_given(text: str) -> float:
    """A pitch as a person gives it, by its name or its MIDI number, as the number. Raises AudioError: it is neither."""
    try:
        return float(text)
    except ValueError:
        return midi_of(text)


@overload
def hz_to_midi(hz: float) -> float: ...
@overload
def hz_to_midi(hz: np.ndarray) -> np.ndarray: ...
def hz_to_midi(hz: float | np.ndarray) -> float | np.ndarray:
    """(Fractional) MIDI number of a frequency in Hz."""
    return 69.0 + 12.0 * np.log2(np.asarray(hz, dtype=np.float64) / 440.0)


def track(
    audio: np.ndarray,
    *,
    midi: float,
    sample_rate_hz: int,
    hop: int,
    frames: int | None = None,
    max_deviation_cents: float = 70.0,
) -> np.ndarray:
    """Track f0 around a known note.

    audio: [T] float, mono. midi: rounded or fractional MIDI number of the note. hop: samples between frames; frame n
    is the pitch at sample n * hop. frames: how many (default ceil(T / hop)).
    Returns pitch_hz [F] float32, within `max_deviation_cents` of `midi`. Frames that are quiet or say nothing clear
    move smoothly to the note's own overall pitch; silence and noise give `midi` itself. Never raises on a signal.
    """
    refined = refine(
        audio, midi=midi, sample_rate_hz=sample_rate_hz, hop=hop, frames=frames, max_deviation_cents=max_deviation_cents
    )
    return np.asarray(midi_to_hz(refined.midi + refined.cents / 100.0), dtype=np.float32)


def refine(
    audio: np.ndarray,
    *,
    midi: float,
    sample_rate_hz: int,
    hop: int,
    frames: int | None = None,
    max_deviation_cents: float = 70.0,
    centres: np.ndarray | None = None,
) -> Refined:
    """As `track`, but in parts: the note's overall fractional MIDI pitch, how sure it is, and the track around it.

    centres: [F] samples, rising, in place of the multiples of `hop`, which then counts for nothing.
    """
    from scipy.fft import rfft  # takes many rows at a time; its import takes longer than a note

    from synth_explorer.pitch_peaks import find_peaks  # so does Numba's

    audio = np.nan_to_num(np.asarray(audio, dtype=np.float32).reshape(-1))
    frames = max(1, -(-len(audio) // hop)) if frames is None else frames
    frames = frames if centres is None else len(centres)
    flat = Refined(float(midi), 0.0, np.zeros(frames, np.float32), np.zeros(frames))
    base_hz = float(midi_to_hz(midi))
    if len(audio) == 0 or frames == 0 or not 0.0 < base_hz * 1.1 < sample_rate_hz / 2:
        return flat
    window = _window_samples(base_hz, sample_rate_hz)
    windows = framed(audio, window=window, hop=hop, frames=frames, centres=centres)
    level = np.sqrt(np.mean(windows * windows, axis=1))
    if level.max() < _SILENCE:
        return flat
    loud = np.clip(1.0 + (20.0 * np.log10(level / level.max() + 1e-9) + _QUIET_DB - 10.0) / 10.0, 0.0, 1.0)
    bin_hz = sample_rate_hz / window
    harmonics = np.arange(1, max(1, min(_HARMONICS, int(sample_rate_hz / 2 / (base_hz * 1.08)))) + 1)
    top = min(window // 2, int(base_hz * (harmonics[-1] + 1.0) * 1.08 / bin_hz) + 8)
    hann, slope = _hann_and_slope(np.asarray(rfft(windows))[:, : top + 1])
    magnitude = np.abs(hann)
    coarse = _coarse_cents(magnitude, loud, base_hz / bin_hz, harmonics, max_deviation_cents)
    peaks = find_peaks(hann, slope, base_hz * 2.0 ** (coarse / 1200.0) / bin_hz, harmonics, 0.0)
    shift, stiffness = _fit(peaks, loud, harmonics)
    centre = float(np.clip(coarse + shift, -max_deviation_cents, max_deviation_cents))
    peaks = find_peaks(hann, slope, base_hz * 2.0 ** (centre / 1200.0) / bin_hz, harmonics, stiffness)
    shift, stiffness = _fit(peaks, loud, harmonics)
    centre = float(np.clip(centre + shift, -max_deviation_cents, max_deviation_cents))
    local, trust = _frame_cents(peaks, loud, harmonics, shift, stiffness)
    reliability = _reliability(peaks, local, trust, loud)
    cents = _smooth(local, trust * reliability)
    cents = np.clip(reliability * centre + cents, -max_deviation_cents, max_deviation_cents) - reliability * centre
    middle = float(midi) + reliability * centre / 100.0
    scatter = _scatter_cents(peaks, loud, harmonics, shift, stiffness)
    heard = trust * reliability
    return Refined(middle, reliability, cents.astype(np.float32), heard, magnitude, bin_hz, scatter)


def _window_samples(base_hz: float, sample_rate_hz: int) -> int:
    """Power of two of at least five and a half periods: harmonics stay apart under a Hann window."""
    seconds = min(max(_WINDOW_PERIODS / base_hz, _WINDOW_S[0]), _WINDOW_S[1])
    return 2 ** math.ceil(math.log2(seconds * sample_rate_hz) - 0.05)


def framed(audio: np.ndarray, *, window: int, hop: int, frames: int, centres: np.ndarray | None = None) -> np.ndarray:
    """[T] -> [F, N], frame n centred at sample n * hop, or at centres[n], zeros beyond the ends."""
    needed = ((frames - 1) * hop if centres is None else int(centres[-1])) + window
    padded = np.zeros(needed, np.float32)
    kept = audio[: needed - window // 2]
    padded[window // 2 : window // 2 + len(kept)] = kept
    every = slice(None, None, hop) if centres is None else centres
    return np.lib.stride_tricks.sliding_window_view(padded, window)[every]


def _hann_and_slope(spectrum: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Spectra under a Hann window and under its derivative (in bins) [F, R-1], from the unwindowed one [F, R]."""
    below = np.concatenate([np.conj(spectrum[:, 1:2]), spectrum[:, :-2]], axis=1)
    above = spectrum[:, 1:]
    hann = np.float32(0.5) * spectrum[:, :-1] - np.float32(0.25) * (below + above)
    return hann, np.complex64(-0.25j) * (below - above)


def _coarse_cents(
    magnitude: np.ndarray, loud: np.ndarray, base_bins: float, harmonics: np.ndarray, max_cents: float
) -> float:
    """Deviation in cents whose harmonics meet the most (compressed) magnitude of the whole note."""
    mean = np.sqrt(loud @ magnitude)
    grid = np.arange(-max_cents, max_cents + 0.1, 2.0)
    used = harmonics[:10]
    at = base_bins * 2.0 ** (grid[:, None] / 1200.0) * used[None, :]
    met = np.interp(at, np.arange(len(mean)), mean, right=0.0)
    score = (met / np.sqrt(used)).sum(axis=1) * (1.0 - 1e-3 * np.abs(grid) / max_cents)
    return float(grid[int(np.argmax(score))])


def _fit(peaks: Peaks, loud: np.ndarray, harmonics: np.ndarray) -> tuple[float, float]:
    """Overall deviation in cents of the fundamental and the stiffness B: robust least squares over the harmonics."""
    votes = peaks.amplitude * peaks.tonality * loud
    strength = votes.sum(axis=1) * harmonics
    if strength.max() <= 0.0:
        return 0.0, 0.0
    middle = _weighted_median(peaks.cents, votes)
    curve = _CENTS_PER_B * harmonics.astype(np.float64) ** 2
    start = int(np.argsort(middle)[np.searchsorted(np.cumsum(strength[np.argsort(middle)]), 0.5 * strength.sum())])
    shift, stiffness = float(middle[start]), 0.0
    for _ in range(6):
        left = middle - shift - stiffness * curve
        use = strength / strength.sum() / (1.0 + (left / 6.0) ** 2)
        mean_curve = (use * curve).sum() / use.sum()
        mean_cents = (use * middle).sum() / use.sum()
        spread = (use * (curve - mean_curve) ** 2).sum()
        slope = (use * (curve - mean_curve) * (middle - mean_cents)).sum() / (spread + (0.02 * curve[0] * 100) ** 2)
        stiffness = float(np.clip(slope, 0.0, _MAX_B))
        shift = float(mean_cents - stiffness * mean_curve)
    return shift, stiffness


def _weighted_median(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Median of each row [K, F] -> [K]."""
    order = np.argsort(values, axis=1)
    total = np.cumsum(np.take_along_axis(weights, order, axis=1), axis=1)
    middle = np.argmax(total >= 0.5 * total[:, -1:], axis=1)
    return np.take_along_axis(values, order, axis=1)[np.arange(len(values)), middle].astype(np.float64)


def _frame_cents(
    peaks: Peaks, loud: np.ndarray, harmonics: np.ndarray, shift: float, stiffness: float
) -> tuple[np.ndarray, np.ndarray]:
    """Deviation of each frame from the note's pitch [F] in cents, and how far to trust it [F] 0..1."""
    level = peaks.cents - shift - (stiffness * _CENTS_PER_B * harmonics.astype(np.float64) ** 2)[:, None]
    votes = peaks.amplitude * peaks.tonality * harmonics[:, None] + 1e-20
    centre, use = _weighted_median(level.T, votes.T), votes
    for _ in range(2):
        use = votes / (1.0 + ((level - centre) / 8.0) ** 2)
        centre = (use * level).sum(axis=0) / use.sum(axis=0)
    total = votes.sum(axis=0)
    agreement = np.clip(2.0 * use.sum(axis=0) / total - 0.2, 0.0, 1.0)
    heard = np.clip(100.0 * total / np.percentile(total, 90), 0.0, 1.0)
    steady = np.clip((0.7 - (use * peaks.change).sum(axis=0) / use.sum(axis=0)) / 0.3, 0.0, 1.0)
    nearby = np.median(np.lib.stride_tricks.sliding_window_view(np.pad(centre, 2, mode="edge"), 5), axis=1)
    return centre, loud * agreement * heard * steady * (np.abs(centre - nearby) < 40.0)


def _scatter_cents(peaks: Peaks, loud: np.ndarray, harmonics: np.ndarray, shift: float, stiffness: float) -> float:
    """Mean distance of the partials' median from where the fit has them, weighted as the fit weighs them."""
    votes = peaks.amplitude * peaks.tonality * loud
    strength = votes.sum(axis=1) * harmonics
    if strength.max() <= 0.0:
        return 0.0
    left = _weighted_median(peaks.cents, votes) - shift - stiffness * _CENTS_PER_B * harmonics.astype(np.float64) ** 2
    return float((strength * np.abs(left)).sum() / strength.sum())


def _reliability(peaks: Peaks, local: np.ndarray, trust: np.ndarray, loud: np.ndarray) -> float:
    """0..1: is there a tone at all? In noise the peaks are not tonal, and scatter more than any vibrato."""
    total = trust.sum()
    if total <= 0.0:
        return 0.0
    votes = peaks.amplitude * loud
    tonal = float((votes * peaks.tonality).sum() / (votes.sum() + 1e-20))
    pairs = np.minimum(trust[1:], trust[:-1])
    jump = float((pairs * np.abs(np.diff(local))).sum() / (pairs.sum() + 1e-9)) if len(local) > 1 else 0.0
    return float(np.clip((tonal - 0.35) / 0.2, 0.0, 1.0) * np.clip((40.0 - jump) / 10.0, 0.0, 1.0))


def _smooth(local: np.ndarray, trust: np.ndarray) -> np.ndarray:
    """Trusted frames as they are; the others glide to their neighbours and, far from any, to zero [F]."""
    kernel = np.hanning(11)[1:-1]
    pad = np.zeros(len(kernel) // 2)
    mass = np.convolve(np.concatenate([pad, trust, pad]), kernel, mode="valid")
    near = np.convolve(np.concatenate([pad, trust * local, pad]), kernel, mode="valid") / (mass + 0.3)
    return trust * local + (1.0 - trust) * near
