"""Ears: a note as a point whose neighbours are notes of like instruments, and how likely each family of instruments is.

A small convolutional network looks at log-mel bands; means and spreads of what every one of its levels answers
(multi-level features: Lee and Nam, 2017, arXiv 1703.01793) are projected onto few numbers and tell families.
`train.ears` trains it; this file reads it in numpy. The level of a sound is no part of what is heard.

Shapes: T samples, F frames, M mel bands, C channels, P features of all levels, E numbers of an embedding.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

from synth_explorer import audio as sound
from synth_explorer.errors import AudioError
from synth_explorer.files import UNREADABLE, text_of
from synth_explorer.mel import mel_filters
from synth_explorer.plain.frontend import spectrum
from synth_explorer.plain.layers import Dense, Weights

SAMPLE_RATE_HZ = 16_000
HOP, WINDOW, BANDS = 480, 960, 64
SAMPLES = 48_000  # T, of a note that are heard: 3 s
PRE_ROLL = 512  # samples before its onset
FLOOR = 1e-4  # of the loudest frame: -80 dB
LINEAR_GAIN = 8.0  # of bands without the logarithm, which brings them to about the same spread
LEVELS = ((24, 5), (48, 3), (96, 3), (128, 3))  # channels and taps each way of the convolutions, each of stride 2
EMBEDDING = 64
FEATURES = 3 * sum(channels for channels, _ in LEVELS)
WEIGHTS = Path(__file__).with_name("ears.npz")


class Heard(NamedTuple):
    """What ears say of a note."""

    embedding: np.ndarray  # [E], of length 1: the cosine of two notes says how alike they are
    families: dict[str, float]  # how likely each is, all together 1


def prepared(audio: np.ndarray, *, sample_rate_hz: int) -> np.ndarray:
    """A sound [T'] as the network takes it: [T], from just before its onset on, silence after its end.

    Raises AudioError: audio that is not valid, or silent.
    """
    audio = sound.resample(audio, source_rate_hz=sample_rate_hz, sample_rate_hz=SAMPLE_RATE_HZ)
    note = sound.prepare(audio, sample_rate_hz=SAMPLE_RATE_HZ, pre_roll_samples=PRE_ROLL, max_samples=SAMPLES).audio
    return np.pad(note, (0, SAMPLES - len(note)))


def bands(note: np.ndarray) -> np.ndarray:
    """[T] -> magnitudes in mel bands [F, M], the loudest frame of length 1, so that the level says nothing."""
    found = spectrum(note / np.float32(max(float(np.abs(note).max()), 1e-9)), WINDOW, HOP) @ mel_matrix()
    return found / max(float(np.sqrt(np.max(np.einsum("fm,fm->f", found, found)))), 1e-9)


def scaled(bands: np.ndarray, *, logarithm: bool = True) -> np.ndarray:
    """Bands as the network's first level takes them: logarithms of about -0.5 to 0.5, or as they are."""
    if not logarithm:
        return bands * np.float32(LINEAR_GAIN)
    return (np.log(bands + np.float32(FLOOR)) * np.float32(-1.0 / np.log(FLOOR)) + np.float32(0.5)).astype(np.float32)


@cache
def mel_matrix() -> np.ndarray:
    """[N, M] from bins to bands."""
    return mel_filters(BANDS, n_fft=WINDOW, sample_rate_hz=SAMPLE_RATE_HZ, low_hz=30.0, high_hz=SAMPLE_RATE_HZ / 2)


class Levels:
    """The network, up to what all its levels answer."""

    def __init__(self, weights: Weights, *, logarithm: bool = True) -> None:
        self._levels = [Level(weights, f"level_{i}", taps=taps) for i, (_, taps) in enumerate(LEVELS)]
        self.logarithm = logarithm

    def features(self, heard: np.ndarray) -> np.ndarray:
        """[F, M] of `bands` -> [P] what all levels answer: of each channel the mean of the strongest band, the mean of
        all, and how far their mean moves in time."""
        x, found = scaled(heard, logarithm=self.logarithm)[:, :, None], []
        for level in self._levels:
            x = level(x)
            frames = x.mean(axis=1)
            found += [x.max(axis=1).mean(axis=0), frames.mean(axis=0), frames.std(axis=0)]
        return np.concatenate(found)


class Ears(Levels):
    """The network, and what its features say."""

    def __init__(self, weights: Weights, families: Sequence[str], *, logarithm: bool = True) -> None:
        super().__init__(weights, logarithm=logarithm)
        self._embed, self._tell = Dense(weights, "embedding"), Dense(weights, "families")
        self.families = tuple(families)
        whole = b"".join(np.ascontiguousarray(weights[name]).tobytes() for name in sorted(weights))
        self.name = hashlib.sha256(whole).hexdigest()[:12]  # points of other ears mean something else

    def embedded(self, features: np.ndarray) -> np.ndarray:
        """[.., P] -> [.., E], of length 1."""
        found = self._embed(features)
        return found / np.maximum(np.linalg.norm(found, axis=-1, keepdims=True), np.float32(1e-9))

    def likely(self, features: np.ndarray) -> np.ndarray:
        """[.., P] -> how likely each of `families` is, all together 1."""
        logits = self._tell(features)
        likely = np.exp(logits - logits.max(axis=-1, keepdims=True))
        return likely / likely.sum(axis=-1, keepdims=True)

    def hear(self, audio: np.ndarray, *, sample_rate_hz: int) -> Heard:
        """What ears say of a note [T']. Raises AudioError: audio that is not valid, or silent."""
        features = self.features(bands(prepared(audio, sample_rate_hz=sample_rate_hz)))
        likely = map(float, self.likely(features))
        return Heard(self.embedded(features), dict(zip(self.families, likely, strict=True)))

    @classmethod
    def load(cls, path: Path) -> Ears:
        """What `train.ears` wrote. Raises AudioError: it cannot be read."""
        try:
            with np.load(path, allow_pickle=False) as file:
                weights = {name: np.asarray(file[name], np.float32) for name in file.files if name != "about"}
                about = json.loads(text_of(file["about"]))
            return cls(weights, about["families"], logarithm=about["logarithm"])
        except (*UNREADABLE, TypeError) as error:
            raise AudioError(f"{path} cannot be read as ears: {error}; train them again.") from error

    @classmethod
    @cache
    def bundled(cls) -> Ears:
        """Those that come with the program."""
        return cls.load(WEIGHTS)


class Level:
    """Convolution in time and frequency, stride 2, then ReLU: [F, M, C] -> [F / 2, M / 2, D]. Weights [K, K, C, D]."""

    def __init__(self, weights: Weights, name: str, *, taps: int) -> None:
        kernel, self._bias, self._taps = weights[f"{name}/kernel"], weights[f"{name}/bias"], taps
        self._kernel = kernel.reshape(-1, kernel.shape[-1])

    def __call__(self, x: np.ndarray) -> np.ndarray:
        reach = self._taps // 2
        padded = np.pad(x, ((reach, reach), (reach, reach), (0, 0)))
        seen = np.lib.stride_tricks.sliding_window_view(padded, (self._taps, self._taps), axis=(0, 1))[::2, ::2]
        y = seen.transpose(0, 1, 3, 4, 2).reshape(*seen.shape[:2], -1) @ self._kernel
        y += self._bias
        return np.maximum(y, np.float32(0.0), out=y)
