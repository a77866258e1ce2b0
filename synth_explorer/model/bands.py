"""The bands of the WaveNet autoencoder's envelope, in numpy: for the network in Keras and for the one written out.

Shapes: M bands, N bins, P order.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from synth_explorer.mel import interpolation_matrix, k_weighting_power, mel_centres_hz
from synth_explorer.model.wavenet_config import PRE_EMPHASIS, WaveNetConfig

BINS = 1024
LOW_HZ = 20.0
WHITE = 1e-5  # added to the autocorrelation at lag 0, over it
FLOOR = 2e-9  # of a band's power: -87 dB
TILT_LIMIT_DB, TILT_RIDGE = 24.0, 0.005  # per octave; octaves of centroid given up per dB/octave
TILT_HALVINGS, TILT_STEP_DB = 7, 0.25  # of the search; over which the slope of the centroid is measured
MOST_OCTAVES = 0.7  # that the network may move a subframe's centroid by
SCALE = 4.0  # what the network says times this is in nepers
LN10_10 = math.log(10.0) / 10.0


@lru_cache(maxsize=8)
def band_shapes(bands: int, sample_rate_hz: int) -> tuple[np.ndarray, np.ndarray]:
    """Hz of `BINS` + 1 frequencies up to half the rate, and the bands' shares in each, [M, N]; they sum to one."""
    bins_hz = np.linspace(0.0, sample_rate_hz / 2, BINS + 1)
    return bins_hz, interpolation_matrix(bins_hz, centres_hz(bands, sample_rate_hz))


def centres_hz(bands: int, sample_rate_hz: int) -> np.ndarray:
    """Centres of the bands, [M]."""
    return mel_centres_hz(bands, low_hz=LOW_HZ, high_hz=sample_rate_hz / 2)


@lru_cache(maxsize=8)
def correlations(bands: int, order: int, sample_rate_hz: int) -> np.ndarray:
    """[M, P + 1]: what a band's power gives to the autocorrelation of the emphasised sound."""
    bins_hz, shapes = band_shapes(bands, sample_rate_hz)
    angle = 2.0 * np.pi * bins_hz / sample_rate_hz
    emphasis = np.abs(1.0 - PRE_EMPHASIS * np.exp(-1j * angle)) ** 2
    width = np.full(len(angle), 1.0 / BINS)
    width[[0, -1]] *= 0.5
    return ((shapes * emphasis * width) @ np.cos(np.outer(angle, np.arange(order + 1)))).astype(np.float32)


class Heard(NamedTuple):
    """What is heard of the bands, [M] each: K-weighted power of a band of power one, its part of the magnitudes that
    brightness is measured by, and its place in octaves over brightness' reference."""

    k_weights: np.ndarray
    magnitudes: np.ndarray
    octaves: np.ndarray


def heard(config: WaveNetConfig) -> Heard:
    """Those of a model."""
    bins_hz, shapes = band_shapes(config.bands, config.sample_rate_hz)
    share, measures = shapes / shapes.shape[1], config.measures
    magnitude = math.sqrt(math.pi) / 2.0 * math.sqrt(3.0 / 8.0 * measures.n_fft)  # of a bin of noise of power one
    over = np.maximum(centres_hz(config.bands, config.sample_rate_hz), 20.0) / measures.brightness_reference_hz
    found = share @ k_weighting_power(bins_hz), share.sum(1) * (measures.n_fft / 2) * magnitude, np.log2(over)
    return Heard(*(each.astype(np.float32) for each in found))
