"""What is heard of a sound over time: loudness, brightness, pitch, and how each is modulated.

Shapes: T samples, F frames of 8 ms, R rates.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from synth_explorer import measure
from synth_explorer.latents import hz_to_midi
from synth_explorer.measure.modulation import HEARD_RANGE_DB, TRACK_RATE_HZ
from synth_explorer.measure.movement import HOP_S

HIGHEST_RATE_HZ = 20.0
SHORTEST_S = 0.4
"""A modulation spectrum of less is not worth drawing: it would not tell 2 Hz from nothing."""

TREND_ORDER = 3
ONSET_FRAMES = 4
"""A track's window of 32 ms reaches over the onset."""

PADDING = 8


@dataclass(frozen=True, eq=False)
class Heard:
    """A sound and its tracks, one value each 8 ms from its first sample on."""

    audio: np.ndarray  # float32 [T]
    time_s: np.ndarray  # float64 [F]
    loudness: np.ndarray  # float64 [F], RMS level in dB
    brightness: np.ndarray  # float64 [F], log2 of the spectral centroid in Hz; NaN where nothing is heard
    pitch: np.ndarray  # float64 [F], MIDI with its fraction; NaN where nothing is heard or no pitch is known
    pitch_missing: str  # why there is no pitch; "" where there is
    rms_db: float  # level of the whole sound
    peak_db: float  # highest sample, dB of full scale; -inf for silence

    def swing(self, target: str) -> np.ndarray:
        """The track of a target [F] in the unit of its modulation, NaN where the sound is not heard."""
        track = {"loudness": self.loudness, "brightness": self.brightness, "pitch": 100.0 * self.pitch}[target].copy()
        track[self.loudness < self.loudness.max(initial=-np.inf) - HEARD_RANGE_DB] = np.nan
        track[np.flatnonzero(np.isfinite(track))[:ONSET_FRAMES]] = np.nan
        return track


def hear(audio: np.ndarray, *, sample_rate_hz: int, around_hz: float | None = None) -> Heard:
    """Follow a sound. `audio`: [T], full scale 1.0. `around_hz`: its pitch within a quarter tone; None estimates it."""
    loudness = measure.loudness_track(audio, sample_rate_hz=sample_rate_hz)
    brightness = measure.brightness_track(audio, sample_rate_hz=sample_rate_hz)
    peak = float(np.abs(audio).max(initial=0.0))
    pitch, missing = _pitch(audio, sample_rate_hz, around_hz, frames=loudness.size)
    quiet = loudness < loudness.max(initial=-np.inf) - 2 * HEARD_RANGE_DB
    return Heard(
        audio=np.asarray(audio, dtype=np.float32),
        time_s=np.arange(loudness.size) / TRACK_RATE_HZ,
        loudness=loudness,
        brightness=np.where(quiet, np.nan, brightness),
        pitch=pitch,
        pitch_missing=missing,
        rms_db=measure.rms_db(audio),
        peak_db=20.0 * float(np.log10(peak)) if peak > 0 else float("-inf"),
    )


def _pitch(audio: np.ndarray, sample_rate_hz: int, around_hz: float | None, *, frames: int) -> tuple[np.ndarray, str]:
    """The pitch track [frames] in MIDI, and why there is none."""
    nothing = np.full(frames, np.nan)
    if not np.any(audio):
        return nothing, "it is silent"
    if frames == 0:
        return nothing, "it is too short to be followed"
    if around_hz is None:
        around_hz = measure.pitch_hz(audio, sample_rate_hz=sample_rate_hz)
        if not np.isfinite(around_hz):
            return nothing, "nothing periodic is heard"
    if not measure.LOWEST_HZ <= around_hz <= measure.HIGHEST_HZ:
        return nothing, (
            f"{around_hz:.1f} Hz lies outside what is measured, {measure.LOWEST_HZ:g} to {measure.HIGHEST_HZ:g} Hz"
        )
    moving = measure.pitch_movement(audio, sample_rate_hz=sample_rate_hz, around_hz=around_hz)
    if moving.moves:
        return _finer(moving.midi, frames=frames), ""
    cents = measure.pitch_track_cents(
        audio, sample_rate_hz=sample_rate_hz, around_hz=around_hz, track_rate_hz=TRACK_RATE_HZ
    )
    track = nothing
    count = min(frames, cents.size)
    track[:count] = hz_to_midi(around_hz) + cents[:count] / 100.0
    return track, "" if np.isfinite(track).any() else "it is too short to be followed"


def _finer(midi: np.ndarray, *, frames: int) -> np.ndarray:
    """A track every 32 ms, NaN unheard, at each of so many frames of 8 ms."""
    at = np.arange(frames) / TRACK_RATE_HZ / HOP_S
    known = np.isfinite(midi)
    track = np.interp(at, np.flatnonzero(known), midi[known])
    track[~known[np.minimum(np.round(at).astype(int), len(midi) - 1)]] = np.nan
    return track


def modulation_spectrum(
    track: np.ndarray, *, track_rate_hz: float = TRACK_RATE_HZ, highest_hz: float = HIGHEST_RATE_HZ
) -> tuple[np.ndarray, np.ndarray]:
    """How deep a track swings at each rate: an oscillation of so many dB, octaves or cents is a peak of that height.

    From the first to the last known frame a cubic trend (a decay, a swell) is taken away, gaps are bridged by straight
    lines, and a Hann window is laid over what is left.

    `track`: [F], NaN where unknown. `highest_hz`: of the rates. Returns rates in Hz and peak deviations in the track's
    unit, float64 [R] each; both empty where less than 0.4 s, or less than half of the frames between the first and the
    last, are known.
    """
    track = np.asarray(track, dtype=np.float64)
    known = np.flatnonzero(np.isfinite(track))
    nothing = np.zeros(0), np.zeros(0)
    if known.size == 0:
        return nothing
    length = int(known[-1] - known[0] + 1)
    if length < SHORTEST_S * track_rate_hz or known.size < 0.5 * length:
        return nothing
    frames = np.arange(length)
    values = np.interp(frames, known - known[0], track[known])
    trend = np.polynomial.Polynomial.fit(frames, values, TREND_ORDER)
    window = 0.5 - 0.5 * np.cos(2.0 * np.pi * (frames + 0.5) / length)
    spectrum = np.fft.rfft((values - trend(frames)) * window, n=PADDING * length)
    rates_hz = np.arange(spectrum.size) * track_rate_hz / (PADDING * length)
    shown = rates_hz <= highest_hz
    return rates_hz[shown], 2.0 * np.abs(spectrum[shown]) / window.sum()
