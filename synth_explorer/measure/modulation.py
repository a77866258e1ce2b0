"""Rate and depth of an oscillation: of any track, and of the loudness, brightness or pitch of a sound.

Shapes: T samples, F frames of a track.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from synth_explorer.errors import AudioError
from synth_explorer.measure.distance import RATE_HZ, at_band_rate
from synth_explorer.measure.pitch import pitch_hz, pitch_track_cents, pitch_track_response

TRACK_HOP = 128
TRACK_RATE_HZ = RATE_HZ / TRACK_HOP
"""Rate of the tracks: 125 Hz."""

TRACK_WINDOW = 512
"""Hann window of 32 ms; what it takes from an oscillation is given back (`_hann_response`)."""

HEARD_RANGE_DB = 35.0
TREND_ORDER = 3
MIN_TURNS = 1.5


class Modulation(NamedTuple):
    """A sinusoidal oscillation of a track: rate_hz, and depth (peak deviation, in the track's unit)."""

    rate_hz: float
    depth: float


def modulation(track: np.ndarray, frame_rate_hz: float, *, weights: np.ndarray | None = None) -> Modulation:
    """Rate and depth of the strongest sinusoidal oscillation in a track.

    A sine and a cubic trend (a decay, a swell) are fitted together by least squares; the rate is the one that leaves
    least, first on a grid and then refined. For another shape than a sine the depth is that of its fundamental.

    `track`: [F], in any unit; NaN frames are left out. `weights`: [F], how much each frame counts; None counts all
    alike. Returns rate between 1.5 turns in the track and half the frame rate, and depth >= 0 in the track's unit; NaNs
    when fewer than 12 frames are known.
    """
    fit = _without_trend(track, frame_rate_hz, weights)
    if fit is None:
        return Modulation(float("nan"), float("nan"))
    times_s, rest, root, basis = fit
    span_s = times_s[-1] - times_s[0] + 1 / frame_rate_hz
    lowest_hz, step_hz = MIN_TURNS / span_s, 1 / (4 * span_s)
    index = np.round(times_s * frame_rate_hz).astype(int)
    grid_hz = _candidates_hz(index, rest * root, frame_rate_hz, lowest_hz=lowest_hz, step_hz=step_hz)
    rate_hz = float(grid_hz[np.argmax(_explained(grid_hz, times_s, rest, root, basis))])
    for width_hz in (step_hz, step_hz / 8, step_hz / 64, step_hz / 512):
        close_hz = np.clip(rate_hz + width_hz * np.linspace(-1, 1, 17), lowest_hz / 1.2, frame_rate_hz / 2)
        rate_hz = float(close_hz[np.argmax(_explained(close_hz, times_s, rest, root, basis))])
    return Modulation(rate_hz, float(np.abs(_phasors(rest, times_s, root, basis, np.array([rate_hz])))[0]))


def phasors_at(
    track: np.ndarray, frame_rate_hz: float, rates_hz: Sequence[float], *, weights: np.ndarray | None = None
) -> np.ndarray:
    """Sinusoidal oscillations whose rates are known, fitted together with a cubic trend.

    `track`: [F], in any unit; NaN frames are left out. `weights`: [F], how much each frame counts; None counts all
    alike. Returns complex128 [R], their depths with phases, real and positive for a sine that rises through 0 at time
    0; NaN for rates of less than 1.5 turns in the known frames, or fewer than 12 frames.
    """
    wanted_hz = np.asarray(rates_hz, dtype=np.float64)
    fit = _without_trend(track, frame_rate_hz, weights)
    found = np.full(wanted_hz.size, complex(np.nan, np.nan))
    if fit is not None:
        times_s, rest, root, basis = fit
        seen = (times_s[-1] - times_s[0] + 1 / frame_rate_hz) * wanted_hz >= MIN_TURNS
        found[seen] = _phasors(rest, times_s, root, basis, wanted_hz[seen]) if seen.any() else 0.0
    return found


def _without_trend(
    track: np.ndarray, frame_rate_hz: float, weights: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray] | None:
    """Times, weighted values without their cubic trend, roots of the weights [F] and the trend's basis [F, 4].

    None when fewer than 12 frames are known.
    """
    track = np.asarray(track, dtype=np.float64)
    weights = np.ones_like(track) if weights is None else np.asarray(weights, dtype=np.float64)
    known = np.isfinite(track) & (weights > 0)
    if known.sum() < 12:
        return None
    times_s = np.flatnonzero(known) / frame_rate_hz
    values, root = track[known], np.sqrt(weights[known] / weights[known].max())
    first_s, last_s = float(times_s[0]), float(times_s[-1])
    places = 2 * (times_s - first_s) / (last_s - first_s + 1 / frame_rate_hz) - 1
    trend = np.polynomial.chebyshev.chebvander(places, TREND_ORDER) * root[:, None]
    basis, _ = np.linalg.qr(trend)
    return times_s, values * root - basis @ (basis.T @ (values * root)), root, basis


def _candidates_hz(
    index: np.ndarray, rest: np.ndarray, frame_rate_hz: float, *, lowest_hz: float, step_hz: float
) -> np.ndarray:
    """Rates worth a fit: all the slow ones, which the trend meddles with, and the highest of the spectrum's others."""
    size = 1 << int(np.ceil(np.log2(4 * (index[-1] - index[0] + 1))))
    laid = np.zeros(size)
    laid[index - index[0]] = rest
    spectrum = np.abs(np.fft.rfft(laid))
    rates_hz = np.arange(spectrum.size) * frame_rate_hz / size
    spectrum[(rates_hz < lowest_hz) | (rates_hz > frame_rate_hz / 2 - step_hz / 2)] = 0.0
    slow_hz = np.arange(lowest_hz, min(lowest_hz + 16 * step_hz, frame_rate_hz / 2), step_hz)
    return np.concatenate([slow_hz, rates_hz[np.argsort(spectrum)[-16:]]])


def _sines(rate_hz: np.ndarray, times_s: np.ndarray, root: np.ndarray, basis: np.ndarray) -> np.ndarray:
    """Cosine and sine of each rate, weighted, without what the trend explains: [rates, 2, F]."""
    phase = 2 * np.pi * np.asarray(rate_hz)[:, None] * times_s
    pair = np.stack([np.cos(phase), np.sin(phase)], axis=1) * root
    return pair - (pair @ basis) @ basis.T


def _explained(
    rate_hz: np.ndarray, times_s: np.ndarray, rest: np.ndarray, root: np.ndarray, basis: np.ndarray
) -> np.ndarray:
    """Energy of `rest` that a sine of each rate explains, [rates]."""
    pair = _sines(rate_hz, times_s, root, basis)
    gram = pair @ pair.transpose(0, 2, 1) + 1e-9 * np.eye(2)
    projected = pair @ rest
    return np.einsum("ri,ri->r", projected, np.linalg.solve(gram, projected[..., None])[..., 0])


def _phasors(
    rest: np.ndarray, times_s: np.ndarray, root: np.ndarray, basis: np.ndarray, rates_hz: np.ndarray
) -> np.ndarray:
    """Amplitudes of sines of the rates with their phases, fitted together to what the trend has left, complex [R]."""
    pairs = _sines(rates_hz, times_s, root, basis).reshape(2 * len(rates_hz), -1)
    amplitudes, *_ = np.linalg.lstsq(pairs.T, rest, rcond=None)
    return amplitudes[1::2] + 1j * amplitudes[::2]


def _track_frames(audio: np.ndarray, *, sample_rate_hz: int, power: float) -> tuple[np.ndarray, int]:
    """Frames of 32 ms centred on multiples of 8 ms in a Hann window to the `power`, zeros beyond the ends; their rate.

    [F, 512] at 16 kHz, [F, 1536] at 48 kHz.
    """
    audio, widening = at_band_rate(audio, sample_rate_hz=sample_rate_hz)
    size, hop = widening * TRACK_WINDOW, widening * TRACK_HOP
    padded = np.pad(audio, size // 2)
    frames = np.lib.stride_tricks.sliding_window_view(padded, size)[::hop]
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(size) / size)
    return frames[: audio.size // hop] * window**power, widening * RATE_HZ


def loudness_track(audio: np.ndarray, *, sample_rate_hz: int) -> np.ndarray:
    """RMS level in dB every 8 ms in a Hann window of 32 ms, float64 [F]."""
    frames, _ = _track_frames(audio, sample_rate_hz=sample_rate_hz, power=0.5)  # squared samples weigh by Hann
    return 10 * np.log10(np.maximum((frames.astype(np.float64) ** 2).mean(axis=1) * 2, 1e-14))


def brightness_track(audio: np.ndarray, *, sample_rate_hz: int) -> np.ndarray:
    """log2 of the spectral centroid in Hz every 8 ms in a window of 32 ms, float64 [F]; NaN in silence."""
    frames, rate_hz = _track_frames(audio, sample_rate_hz=sample_rate_hz, power=1.0)
    magnitudes = np.abs(np.fft.rfft(frames, axis=1))
    total = magnitudes.sum(axis=1)
    frequency_hz = np.arange(int(magnitudes.shape[1])) * (rate_hz / frames.shape[1])
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(total > 1e-7, np.log2(magnitudes @ frequency_hz / total), np.nan)


def _hann_response(rate_hz: float) -> float:
    """What a 32 ms Hann window leaves of an oscillation."""
    turns = rate_hz * TRACK_WINDOW / RATE_HZ
    return float(np.sinc(turns) / (1 - turns**2)) if abs(turns - 1) > 1e-6 else 0.5


def oscillation(
    after: np.ndarray,
    *,
    sample_rate_hz: int,
    target: str,
    before: np.ndarray | None = None,
    around_hz: float | None = None,
) -> Modulation:
    """The oscillation that is heard in a sound's loudness, brightness or pitch.

    With `before`, the sound without the edit on the same time axis, what is measured is the difference of the two
    tracks: the note's own envelope, tremolo and vibrato are not taken for the edit's. Rates up to 20 Hz are sought.

    Args:
        target: "loudness" (depth in dB), "brightness" (octaves) or "pitch" (cents).
        before: [T'], the sound without the oscillation.
        around_hz: its pitch, needed for "pitch"; None estimates it.

    Returns rate in Hz and depth (peak deviation); NaNs where nothing can be measured. Raises AudioError: a sound of
    less than 8 ms, or a target that does not exist.
    """
    track, around_hz = _difference(after, before, sample_rate_hz, target, around_hz)
    rate_hz, depth = modulation(track, TRACK_RATE_HZ / 3)
    return Modulation(rate_hz, depth / _kept(target, rate_hz, around_hz))


def oscillation_depths(
    after: np.ndarray,
    *,
    sample_rate_hz: int,
    target: str,
    rates_hz: Sequence[float],
    before: np.ndarray | None = None,
    around_hz: float | None = None,
) -> np.ndarray:
    """How deep a sound's loudness, brightness or pitch swings at rates that are known; arguments as `oscillation`.

    Returns float64 [R], peak deviations; NaNs where nothing can be measured.
    """
    phasors = oscillation_phasors(
        after, sample_rate_hz=sample_rate_hz, target=target, rates_hz=rates_hz, before=before, around_hz=around_hz
    )
    return np.abs(phasors)


def oscillation_phasors(
    after: np.ndarray,
    *,
    sample_rate_hz: int,
    target: str,
    rates_hz: Sequence[float],
    before: np.ndarray | None = None,
    around_hz: float | None = None,
) -> np.ndarray:
    """As `oscillation_depths`, with phases: complex128 [R], real and positive for a sine that rises from time 0 on."""
    track, around_hz = _difference(after, before, sample_rate_hz, target, around_hz)
    kept = np.array([_kept(target, rate, around_hz) for rate in rates_hz])
    middle_s = 1.0 / TRACK_RATE_HZ  # the mean of three frames stands for the second
    turned = np.exp(-2j * np.pi * np.asarray(rates_hz) * middle_s)
    with np.errstate(invalid="ignore"):  # NaNs stay NaNs
        return phasors_at(track, TRACK_RATE_HZ / 3, rates_hz) * turned / kept


def _difference(
    after: np.ndarray, before: np.ndarray | None, sample_rate_hz: int, target: str, around_hz: float | None
) -> tuple[np.ndarray, float | None]:
    """The track of `after` less that of `before`, 41.7 values a second, NaN where nothing is heard; and the pitch."""
    if target not in ("loudness", "brightness", "pitch"):
        raise AudioError(f"target={target!r} must be 'loudness', 'brightness' or 'pitch'.")
    reference = after if before is None else before
    _check_length(after, reference, sample_rate_hz)
    if target == "pitch" and around_hz is None:
        around_hz = pitch_hz(reference, sample_rate_hz=sample_rate_hz)
        if np.isnan(around_hz):
            return np.zeros(0), around_hz
    track = _track(after, target, sample_rate_hz, around_hz)
    level_db = loudness_track(reference, sample_rate_hz=sample_rate_hz)
    length = min(track.size, level_db.size)
    track = track[:length].copy()
    if before is not None:
        other = _track(before, target, sample_rate_hz, around_hz)
        length = min(length, other.size)
        track = track[:length] - other[:length]
    track[level_db[:length] < level_db.max() - HEARD_RANGE_DB] = np.nan
    heard = np.flatnonzero(np.isfinite(track))
    track[heard[: TRACK_WINDOW // TRACK_HOP]] = np.nan  # the window reaches over the onset
    return _below_20_hz(track), around_hz


def _check_length(after: np.ndarray, reference: np.ndarray, sample_rate_hz: int) -> None:
    """Refuse sounds of which a track would have no value."""
    shortest_s = min(len(after), len(reference)) / sample_rate_hz
    if shortest_s * TRACK_RATE_HZ < 1.0:
        raise AudioError(
            f"An oscillation is sought in at least {1000.0 / TRACK_RATE_HZ:g} ms of sound; received "
            f"{1000.0 * shortest_s:.1f} ms."
        )


def _kept(target: str, rate_hz: float, around_hz: float | None) -> float:
    """What the analysis leaves of an oscillation; NaN where that is too little to tell its depth."""
    if np.isnan(rate_hz):
        return float("nan")
    response = _response(target, rate_hz, around_hz) * _box_response(rate_hz)
    return response if response > 0.2 else float("nan")


def _response(target: str, rate_hz: float, around_hz: float | None) -> float:
    """What a target's track leaves of an oscillation.

    The sum of a spectrum's magnitudes follows a window's centre more than its mean, so a centroid loses much less to
    the window than a level does: Hann to the power 0.3, as measured on harmonic tones of 60 to 1000 Hz.
    """
    if target == "pitch":
        assert around_hz is not None  # `_difference` has estimated it
        return pitch_track_response(rate_hz, around_hz=around_hz)
    return _hann_response(rate_hz) ** (0.3 if target == "brightness" else 1.0)


def _track(audio: np.ndarray, target: str, sample_rate_hz: int, around_hz: float | None) -> np.ndarray:
    if target == "loudness":
        return loudness_track(audio, sample_rate_hz=sample_rate_hz)
    if target == "brightness":
        return brightness_track(audio, sample_rate_hz=sample_rate_hz)
    assert around_hz is not None  # as above
    return pitch_track_cents(audio, sample_rate_hz=sample_rate_hz, around_hz=around_hz, track_rate_hz=TRACK_RATE_HZ)


def _below_20_hz(track: np.ndarray) -> np.ndarray:
    """Means of three frames: 41.7 a second, so that no ripple of a low note's period is taken for the oscillation."""
    return track[: track.size // 3 * 3].reshape(-1, 3).mean(axis=1)


def _box_response(rate_hz: float) -> float:
    return float(np.sinc(3 * rate_hz / TRACK_RATE_HZ))
