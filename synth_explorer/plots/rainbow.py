"""Rainbowgrams: constant-Q level as brightness, instantaneous frequency as hue (Engel et al. 2017, section 4.1).

NSynth's figures colour the phase's step from frame to frame, which wraps with the frame rate and means nothing by
itself. Here the hue is how far the instantaneous frequency lies from the nearest semitone, so that a partial has one
hue across its width, a vibrato swings through hues, and partials that are stretched drift away from in tune.

Shapes: T samples, K bins, F frames.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from synth_explorer.plots.colours import PAPER, rgb
from synth_explorer.plots.spectrogram import FLOOR_DB, HOP_S, TOP_DB, indexed_png

LOWEST_HZ = 440.0 * 2.0 ** (-45 / 12)
"""C1, 32.7 Hz."""

BINS_PER_OCTAVE = 36
WINDOW_PART = 0.6
"""Length of a window in periods, as a part of the Q that bins of this spacing would have: finer in time."""

LOBES = 16
"""How much of a window's spectrum is kept, in bins of its own length: what lies beyond is under -84 dB."""

HUES, LEVELS = 18, 14


@dataclass(frozen=True, eq=False)
class ConstantQ:
    """A constant-Q transform."""

    values: np.ndarray  # complex128 [K, F]; the magnitude of a full-scale sine at its bin is 1
    frequency_hz: np.ndarray  # float64 [K, F], instantaneous frequency; NaN where nothing is
    bins_hz: np.ndarray  # float64 [K], centres, low first
    frame_s: float  # time from frame to frame; frame 0 is centred on the first sample


def constant_q(audio: np.ndarray, *, sample_rate_hz: int, lowest_hz: float = LOWEST_HZ) -> ConstantQ:
    """Constant-Q transform of a sound, with Hann windows of a fixed number of periods (Brown 1991).

    Each bin is a filter whose response is known: it is multiplied with the sound's spectrum where it is not nothing,
    and brought back at the frame rate (Brown and Puckette 1992, for the whole sound at once). The derivative of its
    output comes from the same product times i omega; the two give the instantaneous frequency without unwrapping.

    `audio`: [T], full scale 1.0; zeros lie beyond its ends. `lowest_hz`: centre of the lowest bin. Returns bins x
    ceil(T / hop) frames.
    """
    audio = np.asarray(audio, dtype=np.float64)
    hop = max(1, round(HOP_S * sample_rate_hz))
    periods = window_periods()
    highest_hz = sample_rate_hz / 2 / (1.0 + 2.0 / periods)
    count = 1 + math.floor(BINS_PER_OCTAVE * math.log2(highest_hz / lowest_hz))
    bins_hz = lowest_hz * 2.0 ** (np.arange(count) / BINS_PER_OCTAVE)
    frames = -(-audio.size // hop)
    before = -(-round(periods * sample_rate_hz / lowest_hz / 2) // hop)
    total = frames + 2 * before
    padded = np.pad(audio, (before * hop, (total - before) * hop - audio.size))
    spectrum = np.fft.rfft(padded)
    step_hz = sample_rate_hz / padded.size
    values, slopes = (np.empty((count, frames), dtype=np.complex128) for _ in range(2))
    for index, centre_hz in enumerate(bins_hz):
        lobe_hz = centre_hz / periods
        first = max(0, math.ceil((centre_hz - LOBES * lobe_hz) / step_hz))
        last = min(spectrum.size - 1, math.floor((centre_hz + LOBES * lobe_hz) / step_hz))
        at_hz = np.arange(first, last + 1) * step_hz
        band = spectrum[first : last + 1] * _hann_spectrum((at_hz - centre_hz) / lobe_hz)
        for target, part in ((values, band), (slopes, band * at_hz)):
            folded = _folded(part, first, total)
            target[index] = (np.fft.ifft(folded) * (total / padded.size))[before : before + frames]
    with np.errstate(divide="ignore", invalid="ignore"):
        frequency_hz = np.where(np.abs(values) > 1e-9, (slopes / values).real, np.nan)
    return ConstantQ(values, frequency_hz, bins_hz, hop / sample_rate_hz)


def window_periods(bins_per_octave: int = BINS_PER_OCTAVE) -> float:
    """Length of each window in periods of its bin."""
    return WINDOW_PART / (2.0 ** (1.0 / bins_per_octave) - 1.0)


def _hann_spectrum(lobes: np.ndarray) -> np.ndarray:
    """Spectrum of a Hann window, `lobes` multiples of one over its length away; 2 at 0, so that a sine has height 1."""
    off = np.abs(np.abs(lobes) - 1.0) < 1e-9
    return np.where(off, 1.0, 2.0 * np.sinc(lobes) / np.where(off, 1.0, 1.0 - lobes**2))


def _folded(band: np.ndarray, first: int, size: int) -> np.ndarray:
    """Spectrum of what is kept of a band when only every so many samples are: [size]. Its index starts at `first`."""
    lead = first % size
    laid = np.pad(band, (lead, -(lead + band.size) % size))
    return laid.reshape(-1, size).sum(axis=0)


def rainbowgram_png(audio: np.ndarray, *, sample_rate_hz: int) -> bytes:
    """Rainbowgram as a PNG, one pixel a bin and frame, high frequencies on top.

    Levels have the fixed scale of the spectrograms, so that gain can be seen. `hue_colours` are the hues.
    """
    transform = constant_q(audio, sample_rate_hz=sample_rate_hz)
    level_db = 20.0 * np.log10(np.abs(transform.values) + 1e-12)
    level = np.clip(np.rint((level_db - FLOOR_DB) / (TOP_DB - FLOOR_DB) * (LEVELS - 1)), 0, LEVELS - 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        semitones = 12.0 * np.log2(np.maximum(transform.frequency_hz, 1e-3) / 440.0)
    turn = np.nan_to_num(semitones - np.floor(semitones + 0.5)) + 0.5  # 0.5 is in tune
    hue = np.rint(turn * HUES) % HUES
    index = (hue * LEVELS + level).astype(np.uint8)
    paper, top = np.array(rgb(PAPER), dtype=np.float64), hue_colours().astype(np.float64)
    part = np.linspace(0.0, 1.0, LEVELS)[None, :, None]
    colours = np.rint(paper + (top[:, None] - paper) * part).astype(np.uint8).reshape(-1, 3)
    return indexed_png(index[::-1], colours, compress_level=9)


def hue_colours(count: int = HUES) -> np.ndarray:
    """uint8 [count, 3]: a circle of hues from 50 cents flat (index 0) over in tune (green) to 50 cents sharp."""
    turn = np.arange(count)[:, None] / count
    wave = 0.5 - 0.5 * np.cos(2.0 * np.pi * (turn + np.array([1.0 / 3.0, 0.0, -1.0 / 3.0])))
    return np.rint(60.0 + 195.0 * wave).astype(np.uint8)
