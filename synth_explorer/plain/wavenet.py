"""What the WaveNet is told of a note (see `model.wavenet`): the envelope as linear prediction, numbers, the source.

Shapes: F frames, J = subframes * F, S = fine_steps * J points, T samples, K partials, M bands, N bins, P order,
W numbers that are told.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np

from synth_explorer.decode.sines import cycles_of
from synth_explorer.decode.synthesis import partials
from synth_explorer.decode.wavenet.given import PRE_EMPHASIS, Given, Prediction
from synth_explorer.mel import hz_to_mel, interpolation_matrix, mel_centres_hz
from synth_explorer.model.wavenet_config import WaveNetConfig
from synth_explorer.plain.controls import Controls
from synth_explorer.plain.curves import upsample
from synth_explorer.plain.gelu import gelu
from synth_explorer.plain.layers import Dense, Norm, Residual, Weights, pitch_features

WHITE = 1e-5  # added to the autocorrelation at lag 0, over it
FLOOR = 2e-9  # of the envelope's power: -87 dB
LOW_HZ = 30.0  # of the bands
TINY = np.float32(1e-12)

Said = dict[str, np.ndarray]


class Telling:
    """From the default model's controls (see `plain.controls.Controls`) to what the WaveNet is told."""

    def __init__(self, config: WaveNetConfig, controls: Controls) -> None:
        self.config, self._noise_matrix, self._short_matrix = config, controls.noise_matrix, controls.short_matrix
        self._centres_hz = mel_centres_hz(config.told_bands, low_hz=LOW_HZ, high_hz=config.sample_rate_hz / 2)
        self._long, self._short = (self._seen(matrix) for matrix in (self._noise_matrix, self._short_matrix))

    def _seen(self, matrix: np.ndarray) -> np.ndarray:
        """[N, P + 1 + M]: what the power of noise in each bin gives to the autocorrelation and to the bands."""
        config = self.config
        bins_hz = np.linspace(0.0, config.sample_rate_hz / 2, matrix.shape[1])
        lags = np.cos(np.outer(2.0 * np.pi * bins_hz / config.sample_rate_hz, np.arange(config.order + 1)))
        lags *= _emphasis(bins_hz / config.sample_rate_hz)[:, None]
        shares = interpolation_matrix(bins_hz, self._centres_hz).T
        return (np.concatenate([lags, shares], axis=1) / (matrix.shape[1] - 1)).astype(np.float32)

    @cached_property
    def _white(self) -> np.ndarray:
        """[P + 1]: the autocorrelation of emphasised white noise of power one."""
        out = np.zeros(self.config.order + 1, np.float32)
        out[:2] = 1.0 + PRE_EMPHASIS**2, -PRE_EMPHASIS
        return out

    def __call__(self, said: Said, z: np.ndarray, pitch_hz: np.ndarray) -> tuple[np.ndarray, Prediction]:
        """Controls of a note, z [F, C] and pitch [F] in Hz -> what is told [S, W], and the prediction."""
        config, order = self.config, self.config.order
        track_hz = upsample(np.asarray(pitch_hz, np.float32), config.subframes)
        lags, tones = self._of_partials(said["harmonic"], track_hz)
        hiss = np.square(said["noise"] @ self._noise_matrix) @ self._long
        click = np.square(said["short_noise"] @ self._short_matrix) @ self._short
        hiss = upsample(upsample(hiss, config.subframes) + click, config.fine_steps)
        tones, level = upsample(tones, config.fine_steps), said["level"][:, None]
        power = (upsample(lags, config.fine_steps) + hiss[:, : order + 1]) * np.square(level)
        prediction = predicted(power + np.float32(FLOOR) * self._white)
        bands = tones + hiss[:, order + 1 :] + TINY
        log_level = np.log10(prediction.level + np.float32(1e-6))
        change = np.diff(log_level, prepend=log_level[:1])
        told = np.concatenate(
            [
                np.log10(hiss[:, order + 1 :] / bands + np.float32(1e-6)),
                np.log10(bands) - np.log10(bands.mean(axis=1, keepdims=True)),
                np.stack([log_level, 4.0 * change, 4.0 * np.append(change[1:], np.float32(0.0))], axis=1),
                upsample(np.asarray(z[:, 2:], np.float32), config.points),
                upsample(pitch_features(np.asarray(pitch_hz, np.float32)), config.points),
            ],
            axis=1,
        )
        return np.asarray(told, np.float32), prediction

    def _of_partials(self, amplitude: np.ndarray, pitch_hz: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Amplitudes [J, K] -> autocorrelation [J, P + 1] of the emphasised sound, and powers of the bands [J, M].

        Each partial counts as noise around it, as wide as the pitch, so that the envelope goes over the partials.
        """
        config, rate_hz, count = self.config, self.config.sample_rate_hz, self.config.told_bands
        kept = amplitude.shape[1] - config.half_partials
        multiples = np.concatenate([config.multiples[:kept], config.multiples[config.harmonics :]])
        frequency_hz = pitch_hz[:, None] * multiples
        inside = frequency_hz < rate_hz / 2
        power = np.float32(0.5) * np.square(amplitude) * inside
        turn = np.float32(2.0 * np.pi / rate_hz) * frequency_hz
        cosine, emphasised = np.cos(turn), power * _emphasis(frequency_hz / np.float32(rate_hz))
        lags = np.empty((len(power), config.order + 1), np.float32)
        before, now = cosine, np.ones_like(cosine)
        for lag in range(config.order + 1):
            lags[:, lag] = np.einsum("jk,jk->j", emphasised, now)
            before, now = now, 2.0 * cosine * now - before
        lags *= np.square(np.sinc(pitch_hz[:, None] * np.arange(config.order + 1) / rate_hz))
        edges = hz_to_mel(self._centres_hz)
        at = np.clip((hz_to_mel(frequency_hz) - edges[0]) / (edges[1] - edges[0]), 0.0, count - 1.001)
        low = at.astype(np.int64)
        index = low + count * np.arange(len(low))[:, None]
        flat = [
            np.bincount((index + more).ravel(), (power * share).ravel(), minlength=count * len(low))
            for more, share in ((0, 1.0 - (at - low)), (1, at - low))
        ]
        return lags, (flat[0] + flat[1]).reshape(len(low), count).astype(np.float32)

    def given(self, said: Said, z: np.ndarray, pitch_hz: np.ndarray) -> Given:
        """As `__call__`, with the source: the partials that the controls say, in the flat domain."""
        config = self.config
        sizes = {"subframes": config.subframes, "subframe": config.subframe, "sample_rate_hz": config.sample_rate_hz}
        told, prediction = self(said, z, pitch_hz)
        tones = partials(said["harmonic"], pitch_hz, half_partials=config.half_partials, **sizes)
        source = flat(tones * upsample(said["level"], config.point), prediction)
        return Given(told, prediction, source, cycles_of(pitch_hz, **sizes).reshape(-1))


class Told:
    """The steps' own network of what is told: [S, W] -> [S, told_width]."""

    def __init__(self, weights: Weights) -> None:
        self._entry, self._block = Dense(weights, "steps/entry"), Residual(weights, "steps/block")
        self._norm = Norm(weights, "steps/norm")

    def __call__(self, told: np.ndarray) -> np.ndarray:
        return self._norm(self._block(gelu(self._entry(told))))


def _emphasis(cycles: np.ndarray) -> np.ndarray:
    """What pre-emphasis makes of the power at a frequency in cycles a sample."""
    return (1.0 + PRE_EMPHASIS**2) - (2.0 * PRE_EMPHASIS) * np.cos((2.0 * np.pi) * cycles)


def predicted(r: np.ndarray) -> Prediction:
    """Autocorrelations [S, P + 1] -> the prediction, by Levinson's recursion as in Makhoul (1975)."""
    error, a = r[:, 0] * np.float32(1.0 + WHITE), np.zeros((len(r), 0), np.float32)
    for i in range(1, r.shape[1]):
        reflection = (r[:, i] - np.einsum("jp,jp->j", a, r[:, i - 1 : 0 : -1])) / error
        a = np.concatenate([a - reflection[:, None] * a[:, ::-1], reflection[:, None]], axis=1)
        error = error * (np.float32(1.0) - reflection * reflection)
    return Prediction(a, np.sqrt(error))


def flat(sound: np.ndarray, prediction: Prediction) -> np.ndarray:
    """Sound [T] -> its prediction's error over the level, [T] float32; silence before it.

    Where the prediction is right it is white and of level one. `decode.wavenet.flat` has the way back.
    """
    a, level = prediction
    order = a.shape[1]
    padded = np.pad(sound, (order + 1, 0))
    emphasised = padded[1:] - np.float32(PRE_EMPHASIS) * padded[:-1]
    rows = emphasised[order:].reshape(len(level), -1).copy()
    for j in range(1, order + 1):
        rows -= a[:, j - 1, None] * emphasised[order - j :][: len(sound)].reshape(rows.shape)
    return (rows / level[:, None]).reshape(-1).astype(np.float32)
