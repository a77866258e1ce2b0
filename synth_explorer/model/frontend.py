"""Front end: from audio to log-mel, harmonic levels and the two attributes, inside the Keras graph.

Shapes: B notes, T samples (a multiple of the hop), F frames (T / hop), J subframes (F * subframes), N bins, M bands,
K harmonics. Frame f describes the sound AT sample f * hop; subframe j at sample j * subframe.
"""

from __future__ import annotations

import keras
import numpy as np
from keras import ops

from synth_explorer.mel import k_weighting_power, mel_filters
from synth_explorer.model.config import ModelConfig

LOG_FLOOR = 0.01  # of unnormalised STFT magnitudes: near -88 dBFS


def hann(size: int) -> np.ndarray:
    """Periodic Hann window, [size] float32."""
    return (0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(size) / size)).astype(np.float32)


def frame_centred(audio, size: int, hop: int):
    """[B, T] -> [B, T / hop, size]: frames centred at multiples of `hop`, zeros outside; `size` a multiple of `hop`."""
    batch, length = ops.shape(audio)[0], ops.shape(audio)[1]
    frames, steps = length // hop, size // hop
    padded = ops.pad(audio, [[0, 0], [size // 2, size]])
    blocks = [ops.reshape(padded[:, i * hop : i * hop + frames * hop], (batch, frames, hop)) for i in range(steps)]
    return ops.concatenate(blocks, axis=-1)


def spectrum(audio, n_fft: int, hop: int):
    """[B, T] -> [B, T / hop, N] magnitudes of the unnormalised STFT with a periodic Hann window."""
    frames = frame_centred(audio, n_fft, hop) * hann(n_fft)
    real, imaginary = ops.rfft(frames)
    return ops.sqrt(real * real + imaginary * imaginary + 1e-12)


class FrontEnd(keras.layers.Layer):
    """Audio [B, T] and pitch [B, F] in Hz -> features for the encoder and the two attributes.

    Returns a dictionary: `mel` [B, J, M + M_short] (log magnitudes scaled to about -1..1), `harmonic` [B, F, K + H],
    `attributes` [B, F, 2]: loudness and brightness in the units of latent channels 0 and 1.
    """

    def __init__(self, config: ModelConfig, **kwargs) -> None:
        super().__init__(dtype="float32", trainable=False, **kwargs)
        self.config = config
        rate = config.sample_rate_hz
        self._mel = mel_filters(
            config.mel_bands, n_fft=config.n_fft, sample_rate_hz=rate, low_hz=20.0, high_hz=config.top_hz
        )
        self._short_mel = mel_filters(
            config.short_mel_bands, n_fft=config.short_n_fft, sample_rate_hz=rate, low_hz=20.0, high_hz=config.top_hz
        )
        self._bins_hz = (np.arange(config.n_fft // 2 + 1) * rate / config.n_fft).astype(np.float32)
        # mean square of a signal from its windowed spectrum (Parseval), K-weighted
        one_sided = np.full(config.n_fft // 2 + 1, 2.0)
        one_sided[[0, -1]] = 1.0
        scale = 1.0 / (config.n_fft * np.sum(hann(config.n_fft).astype(np.float64) ** 2))
        self._power = (one_sided * scale * k_weighting_power(self._bins_hz)).astype(np.float32)
        self.built = True  # it has no weights, and its parts are called by themselves

    def hop_spectrum(self, audio):
        """[B, T] -> [B, F, N]: the magnitudes that `attributes` reads."""
        return spectrum(audio, self.config.n_fft, self.config.hop)

    def attributes(self, magnitudes):
        """[B, F, N] magnitudes at the hop -> [B, F, 2] loudness (K-weighted dB) and brightness, in latent units.

        Loudness: 10 log10 of the K-weighted mean square under the window, not below -100 dB. Brightness: log2 of the
        magnitude centroid over its reference, leaning to 0 where the sound is weak (`attribute_floor`).
        """
        config = self.config
        power = ops.sum(ops.square(magnitudes) * self._power, axis=-1)
        loudness_db = 10.0 * ops.log10(power + 1e-10)
        z0 = (loudness_db - config.loudness_offset_db) * config.loudness_units_per_db
        floor, reference = config.attribute_floor, config.brightness_reference_hz
        total = ops.sum(magnitudes, axis=-1) + floor
        centroid_hz = (ops.sum(magnitudes * self._bins_hz, axis=-1) + floor * reference) / total
        z1 = ops.log2(centroid_hz / reference)
        return ops.stack([z0, z1], axis=-1)

    def harmonic_levels(self, audio, pitch_hz):
        """[B, T], [B, F] -> [B, F, K + H] log magnitudes at the multiples of the pitch and half-way below each.

        K = harmonic_features, H = half_partials; the floor where there is nothing.
        """
        config = self.config
        magnitudes = spectrum(audio, config.harmonic_n_fft, config.hop)
        bins = magnitudes.shape[-1]
        half = np.arange(1, config.half_partials + 1) - 0.5
        multiples = np.concatenate([np.arange(1, config.harmonic_features + 1), half]).astype(np.float32)
        position = pitch_hz[..., None] * multiples * (config.harmonic_n_fft / config.sample_rate_hz)
        inside = ops.cast(position < bins - 2, "float32")
        low = ops.clip(ops.floor(position), 0, bins - 2)
        index = ops.cast(low, "int32")
        part = ops.clip(position - low, 0.0, 1.0)
        below = ops.take_along_axis(magnitudes, index, axis=-1)
        above = ops.take_along_axis(magnitudes, index + 1, axis=-1)
        level = (below * (1.0 - part) + above * part) * inside
        return scale_log(level * config.magnitude_scale)

    def call(self, audio, pitch_hz):
        return self.without_pitch(audio) | {"harmonic": self.harmonic_levels(audio, pitch_hz)}

    def without_pitch(self, audio):
        """The features that need no pitch: `mel` and `attributes`."""
        config = self.config
        fine = spectrum(audio, config.n_fft, config.subframe)
        short = spectrum(audio, config.short_n_fft, config.subframe)
        bands = ops.concatenate([ops.matmul(fine, self._mel), ops.matmul(short, self._short_mel)], axis=-1)
        return {
            "mel": scale_log(bands * config.magnitude_scale),
            "attributes": self.attributes(fine[:, :: config.subframes]),
        }


def scale_log(magnitudes):
    """Log of unnormalised magnitudes with the floor, scaled so that -88 dBFS is -1.5 and full scale about 1.1."""
    return ops.log(magnitudes + LOG_FLOOR) * (1.0 / 4.0) - 0.35
