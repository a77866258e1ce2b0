"""A learned head that hears the pitch of a whole single note, octave included.

Shapes: B frames of sound, N samples of the longest window, G bins of the log-frequency grid, H harmonics, S classes
(`bins_per_semitone` a semitone), C channels.

The log-frequency spectrum is stacked with copies of itself shifted by its harmonics (HCQT, Bittner et al., 2017), so
that a small convolution over frequency sees all partials of a candidate at once and knows every pitch alike. Dilations
of one octave let a candidate see how its octaves fare. What is left, the cents, is measured by `pitch.refine`.
"""

from __future__ import annotations

import dataclasses
import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import layers, ops

from synth_explorer import pitch
from synth_explorer.errors import AudioError, CheckpointError


@dataclass(frozen=True)
class PitchHeadConfig:
    """Sizes of the head. Windows are in samples, longest first; window i serves frequencies below crossovers_hz[i]."""

    sample_rate_hz: int = 16000
    low_midi: int = 18
    high_midi: int = 111
    bins_per_semitone: int = 3
    windows: tuple[int, ...] = (8192, 4096, 2048)
    crossovers_hz: tuple[float, ...] = (250.0, 1000.0)
    harmonics: tuple[float, ...] = (0.5, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 10.0)
    range_db: float = 80.0
    width: int = 40
    frames: int = 10

    def __post_init__(self) -> None:
        if len(self.crossovers_hz) != len(self.windows) - 1 or list(self.windows) != sorted(self.windows)[::-1]:
            raise CheckpointError(
                f"windows={self.windows} must fall, with a crossover between each two. Received: {self.crossovers_hz}."
            )

    @property
    def classes(self) -> int:
        """S: classes from `low_midi` to `high_midi`, both included."""
        return (self.high_midi - self.low_midi) * self.bins_per_semitone + 1

    def class_midi(self) -> np.ndarray:
        """[S] MIDI number of each class."""
        return self.low_midi + np.arange(self.classes) / self.bins_per_semitone

    def grid_midi(self) -> np.ndarray:
        """[G] MIDI number of each bin of the spectrum: from an octave below the lowest class to Nyquist."""
        top = float(pitch.hz_to_midi(self.sample_rate_hz / 2 - self.sample_rate_hz / self.windows[-1]))
        count = int((top - self.low_midi + 12) * self.bins_per_semitone)
        return self.low_midi - 12 + np.arange(count) / self.bins_per_semitone

    def to_dict(self) -> dict[str, Any]:
        """A JSON-ready dictionary."""
        return json.loads(json.dumps(dataclasses.asdict(self)))

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> PitchHeadConfig:
        """Inverse of `to_dict`. Raises CheckpointError for unknown fields."""
        unknown = sorted(set(values) - {field.name for field in dataclasses.fields(cls)})
        if unknown:
            raise CheckpointError(f"The pitch head's configuration has unknown fields: {', '.join(unknown)}.")
        return cls(**{name: tuple(value) if isinstance(value, list) else value for name, value in values.items()})


class LogSpectrum(layers.Layer):
    """Frames of sound [B, N] -> log-frequency spectrum [B, G], 0 (at `range_db` below the frame's peak) to 1 (peak)."""

    def __init__(self, config: PitchHeadConfig, **kwargs) -> None:
        super().__init__(trainable=False, dtype="float32", **kwargs)
        self.config = config
        edges = np.searchsorted(pitch.midi_to_hz(config.grid_midi()), config.crossovers_hz)
        edges = [0, *edges, len(config.grid_midi())]
        self._parts = [
            (window, _grid_matrix(config, window, low, high))
            for window, low, high in zip(config.windows, edges[:-1], edges[1:], strict=True)
        ]

    def call(self, frames):
        longest, parts = self.config.windows[0], []
        for window, (start, matrix) in self._parts:
            middle = frames[:, (longest - window) // 2 : (longest + window) // 2]
            hann = (0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(window) / window)) * (4.0 / window)
            real, imaginary = ops.rfft(middle * hann.astype(np.float32))
            stop = start + matrix.shape[0]
            magnitude = ops.sqrt(real[:, start:stop] ** 2 + imaginary[:, start:stop] ** 2 + 1e-16)
            parts.append(ops.matmul(magnitude, matrix))
        spectrum = ops.concatenate(parts, axis=-1)
        peak = ops.max(spectrum, axis=-1, keepdims=True)
        level_db = 20.0 * ops.log10(spectrum / (peak + 1e-8) + 1e-8)
        return ops.relu(1.0 + level_db / self.config.range_db)


def _grid_matrix(config: PitchHeadConfig, window: int, low: int, high: int) -> tuple[int, np.ndarray]:
    """First FFT bin used, and weights [bins, high - low] that read magnitudes at the grid's frequencies.

    Where the grid is finer than the FFT the weights interpolate; where it is coarser they take a triangle a step wide.
    """
    at = pitch.midi_to_hz(config.grid_midi()[low:high]) * (window / config.sample_rate_hz)
    step = at * (2.0 ** (1.0 / (12.0 * config.bins_per_semitone)) - 1.0)
    bins = np.arange(window // 2 + 1)[:, None]
    matrix = np.maximum(0.0, 1.0 - np.abs(bins - at) / np.maximum(1.0, step))
    used = np.flatnonzero(matrix.sum(axis=1))
    return int(used[0]), matrix[used[0] : used[-1] + 1].astype(np.float32)


class PitchHead(keras.Model):
    """Frames of sound [B, N] (N = the longest window) -> logits of pitch [B, S]."""

    def __init__(self, config: PitchHeadConfig | None = None, **kwargs) -> None:
        super().__init__(**kwargs)
        self.config = config or PitchHeadConfig()
        octave, width = 12 * self.config.bins_per_semitone, self.config.width
        self.spectrum = LogSpectrum(self.config)
        self.mix = layers.Conv1D(width, 5, padding="same", activation="relu")
        shapes = ((7, 1), (5, octave), (7, 1), (5, octave), (5, 1))
        self.norm = layers.LayerNormalization(epsilon=1e-5)
        self.convs = [
            layers.Conv1D(width, size, dilation_rate=rate, padding="same", activation="relu") for size, rate in shapes
        ]
        self.logits = layers.Conv1D(1, 1)

    def build(self, input_shape=None) -> None:
        stack = (None, self.config.classes, len(self.config.harmonics) + 2)
        wide = (None, self.config.classes, self.config.width)
        self.spectrum.build((None, self.config.windows[0]))
        self.mix.build(stack)
        self.norm.build(wide)
        for conv in self.convs:
            conv.build(wide)
        self.logits.build(wide)
        self.built = True

    def call(self, frames):
        return self.classify(self.spectrum(frames))

    def classify(self, spectrum):
        """Spectrum [B, G] -> logits [B, S]."""
        x = self.norm(self.mix(self.stack(spectrum)))
        for conv in self.convs:
            x = x + conv(x)
        return self.logits(x)[..., 0]

    def stack(self, spectrum):
        """Spectrum [B, G] -> [B, S, H + 2]: its level at each harmonic of each class; at the end height and end."""
        config = self.config
        octave, classes = 12 * config.bins_per_semitone, config.classes
        bins = spectrum.shape[1]
        padded = ops.pad(spectrum, [[0, 0], [0, 5 * octave]])
        starts = [octave + round(octave * math.log2(h)) for h in config.harmonics]
        shifted = [padded[:, start : start + classes] for start in starts]
        height = np.linspace(-1.0, 1.0, classes, dtype=np.float32)
        beyond = np.stack([np.arange(start, start + classes) >= bins for start in starts]).mean(0).astype(np.float32)
        shifted += [spectrum[:, :1] * 0.0 + height, spectrum[:, :1] * 0.0 + beyond]
        return ops.stack(shifted, axis=-1)

    @classmethod
    def load(cls, config_path: str | Path, weights_path: str | Path) -> PitchHead:
        """Build from the JSON of a `PitchHeadConfig` and load weights. Raises CheckpointError."""
        try:
            head = cls(PitchHeadConfig.from_dict(json.loads(Path(config_path).read_text())))
            head.build()
            head.load_weights(str(weights_path))
        except CheckpointError:
            raise
        except (OSError, ValueError, TypeError) as error:
            raise CheckpointError(f"The pitch head {Path(weights_path).name} cannot be loaded: {error}") from error
        return head


def note_frames(
    audio: np.ndarray, config: PitchHeadConfig, *, count: int | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Frames of a note [T] to listen to: [count, N], spread over its sounding part, and their weights [count].

    The sounding part is where the 32 ms level is within 35 dB of its maximum. Raises AudioError for silence.
    """
    count = count or config.frames
    longest, step = config.windows[0], max(1, config.sample_rate_hz // 62)
    audio = np.asarray(audio, dtype=np.float32).reshape(-1)
    peak = float(np.max(np.abs(audio))) if len(audio) else 0.0
    if not np.isfinite(peak) or peak < 1e-7:
        raise AudioError("The note is silent or not finite: its pitch cannot be heard.")
    scaled = np.pad(audio / peak, (0, -len(audio) % step))
    power = (scaled * scaled).reshape(-1, step).mean(axis=1)
    power = np.convolve(power, [0.5, 0.5], mode="same") + 1e-12
    sounding = np.flatnonzero(power > power.max() * 10.0**-3.5)
    late = sounding[sounding >= sounding[0] + 3]
    sounding = late if len(late) else sounding
    chosen = sounding[np.linspace(0, len(sounding) - 1, count).round().astype(int)]
    padded = np.pad(scaled, (longest // 2, longest // 2 + step))
    frames = np.stack([padded[block * step : block * step + longest] for block in chosen])
    weights = power[chosen] ** 0.25
    return frames, (weights / weights.sum()).astype(np.float32)


def hear(head: PitchHead, audio: np.ndarray) -> tuple[float, float]:
    """(MIDI pitch to about a quarter of a semitone, confidence 0..1) of the note [T], by the network alone."""
    frames, weights = note_frames(audio, head.config)
    logits = head.predict_on_batch(frames)  # compiled: a tenth of the time of an eager call
    mean = weights @ logits
    probability = np.exp(mean - mean.max())
    probability /= probability.sum()
    best = int(np.argmax(probability))
    reach = head.config.bins_per_semitone // 2 + 1
    near = np.arange(max(0, best - reach), min(len(probability), best + reach + 1))
    confidence = float(probability[near].sum())
    return float(probability[near] @ head.config.class_midi()[near] / confidence), confidence


def estimate(head: PitchHead, audio: np.ndarray, *, sample_rate_hz: int) -> tuple[float, float]:
    """Fractional MIDI pitch of a single note and the confidence in it.

    audio: [T] float mono at the head's sample rate. Returns (midi, confidence 0..1): the note by the network, the cents
    by `pitch.refine`. Raises AudioError for silence or another sample rate.
    """
    if sample_rate_hz != head.config.sample_rate_hz:
        raise AudioError(
            f"sample_rate_hz={sample_rate_hz} must be the pitch head's {head.config.sample_rate_hz}: resample the note."
        )
    heard, confidence = hear(head, audio)
    refined = pitch.refine(
        audio[: 8 * sample_rate_hz], midi=heard, sample_rate_hz=sample_rate_hz, hop=sample_rate_hz // 32
    )
    return refined.midi, confidence
