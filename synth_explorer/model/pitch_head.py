"""A learned head that hears the pitch of a whole single note, octave included.

Shapes: B notes, P frames of one note, N samples of the longest window, G bins of the log-frequency grid, H harmonics,
S classes (one a semitone), C features.

Every class reads the log-frequency spectrum at its own harmonics (HCQT, Bittner et al., 2017), so that one network
knows every pitch alike, and looks at how its octaves and fifths fare. Frames are then fused per class and feature by
attention: a candidate is judged by the frames that speak about it, not by a knock or by noise after the note. What is
left, the cents, is measured by `pitch.refine`.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np
from keras import layers, ops

from synth_explorer import pitch, runtime
from synth_explorer.errors import AudioError, CheckpointError
from synth_explorer.files import UNREADABLE
from synth_explorer.model import pitch_cues
from synth_explorer.model.pitch_cues import Listening
from synth_explorer.model.pitch_doubt import PitchDoubt
from synth_explorer.schema import Floats, Ints, Pair, declared

PRESENCE_DB = 30.0  # of a fundamental: so much weaker, a factor e less likely
_SIGHT = (-24, -19, -12, -7, -2, -1, 0, 1, 2, 7, 12, 19, 24)  # semitones away that a block looks at


@declared(what="The pitch head's configuration", error=CheckpointError)
class PitchHeadConfig:
    """Sizes of the head. Windows are in samples, longest first; window i serves frequencies below crossovers_hz[i].

    `width` features a class, `seen` of them told to other classes in each of `frame_blocks` + `note_blocks` blocks.
    """

    sample_rate_hz: int = 16000
    low_midi: int = 18
    high_midi: int = 111
    bins_per_semitone: int = 3
    windows: Ints = (8192, 4096, 2048)
    crossovers_hz: Floats = (250.0, 1000.0)
    harmonics: Floats = (0.5, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 10.0)
    range_db: float = 80.0
    width: int = 64
    seen: int = 32
    frame_blocks: int = 2
    note_blocks: int = 2
    frames: int = 10
    doubt_width: int = 0  # of the networks that tell the kind of a sound and how sure its pitch is; 0: there are none
    doubt_cues: Pair = (0, 0)
    kind_needed: float = 0.9  # probability from which a kind other than "note" is told

    def __post_init__(self) -> None:
        if len(self.crossovers_hz) != len(self.windows) - 1 or list(self.windows) != sorted(self.windows)[::-1]:
            raise CheckpointError(
                f"windows={self.windows} must fall, with a crossover between each two. Received: {self.crossovers_hz}."
            )

    @property
    def classes(self) -> int:
        """S: classes from `low_midi` to `high_midi`, both included, a semitone each."""
        return self.high_midi - self.low_midi + 1

    def class_midi(self) -> np.ndarray:
        """[S] MIDI number of each class."""
        return self.low_midi + np.arange(self.classes, dtype=np.float64)

    def grid_midi(self) -> np.ndarray:
        """[G] MIDI number of each bin of the spectrum: from an octave below the lowest class to Nyquist."""
        top = float(pitch.hz_to_midi(self.sample_rate_hz / 2 - self.sample_rate_hz / self.windows[-1]))
        count = int((top - self.low_midi + 12) * self.bins_per_semitone)
        return self.low_midi - 12 + np.arange(count) / self.bins_per_semitone

    def to_dict(self) -> dict[str, Any]:
        """A JSON-ready dictionary."""
        return json.loads(json.dumps(dataclasses.asdict(self)))


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
        spectrum = self.magnitudes(frames)
        peak = ops.max(spectrum, axis=-1, keepdims=True)
        level_db = 20.0 * ops.log10(spectrum / (peak + 1e-8) + 1e-8)
        return ops.relu(1.0 + level_db / self.config.range_db)

    def magnitudes(self, frames):
        """Frames [B, N] -> magnitudes [B, G]: 1 for a sinusoid of amplitude 1."""
        longest, parts = self.config.windows[0], []
        for window, (start, matrix) in self._parts:
            middle = frames[:, (longest - window) // 2 : (longest + window) // 2]
            hann = (0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(window) / window)) * (4.0 / window)
            real, imaginary = ops.rfft(middle * hann.astype(np.float32))
            stop = start + matrix.shape[0]
            magnitude = ops.sqrt(real[:, start:stop] ** 2 + imaginary[:, start:stop] ** 2 + 1e-16)
            parts.append(ops.matmul(magnitude, matrix))
        return ops.concatenate(parts, axis=-1)


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


class Block(layers.Layer):
    """Features [.., S, C] -> [.., S, C]: every class looks at its neighbours, its octaves, fifths and twelfths.

    A few features of each of the classes `_SIGHT` semitones away go through one hidden layer; what it says is added.
    """

    def __init__(self, width: int, seen: int, **kwargs) -> None:
        super().__init__(**kwargs)
        self.norm = layers.LayerNormalization(epsilon=1e-5)
        self.tell = layers.Dense(seen)
        self.look = layers.Dense(width, activation="relu")
        self.back = layers.Dense(width)

    def build(self, shape) -> None:
        self.norm.build(shape)
        self.tell.build(shape)
        self.look.build((*shape[:-1], self.tell.units * len(_SIGHT)))
        self.back.build((*shape[:-1], self.look.units))
        self.built = True

    def call(self, x):
        told, classes = self.tell(self.norm(x)), x.shape[-2]
        far = max(map(abs, _SIGHT))
        padded = ops.pad(told, [[0, 0]] * (len(x.shape) - 2) + [[far, far], [0, 0]])
        seen = [padded[..., far + away : far + away + classes, :] for away in _SIGHT]
        return x + self.back(self.look(ops.concatenate(seen, axis=-1)))


class PitchHead(keras.Model):
    """Frames of a note [B, P, N] (N = the longest window) and their weights [B, P] -> logits of its pitch [B, S]."""

    def __init__(self, config: PitchHeadConfig | None = None, **kwargs) -> None:
        super().__init__(**kwargs)
        self.config = config or PitchHeadConfig()
        width = self.config.width
        self.spectrum = LogSpectrum(self.config)
        self.mix = layers.Dense(width, activation="relu")
        self.frame_blocks = [Block(width, self.config.seen) for _ in range(self.config.frame_blocks)]
        self.attention = layers.Dense(width)
        self.note_blocks = [Block(width, self.config.seen) for _ in range(self.config.note_blocks)]
        self.norm = layers.LayerNormalization(epsilon=1e-5)
        self.frame_logits = layers.Dense(1)
        self.logits = layers.Dense(1)
        width = self.config.doubt_width
        self.doubt = PitchDoubt(width, cues=self.config.doubt_cues) if width else None
        self._listen: Callable[..., Any] | None = None

    def build(self, input_shape=None) -> None:
        config = self.config
        wide = (None, config.classes, config.width)
        self.spectrum.build((None, config.windows[0]))
        self.mix.build((None, config.classes, len(config.harmonics) * (config.bins_per_semitone + 2) + 3))
        for layer in (*self.frame_blocks, self.attention, *self.note_blocks, self.norm, self.frame_logits, self.logits):
            layer.build(wide)
        if self.doubt is not None:
            self.doubt.build()
        self.built = True

    def call(self, inputs):
        return self._all(*inputs)[0]

    def listen(self, frames: np.ndarray, weights: np.ndarray) -> Listening:
        """All that the network makes of frames [P, N] and weights [P], compiled."""
        if self._listen is None:
            shape = (-1, self.config.frames, self.config.windows[0])
            self._listen = runtime.compiled(
                lambda f, w: self._all(ops.reshape(f, shape), ops.reshape(w, shape[:2])), ranks=(3, 2)
            )
        return Listening(*(each[0] for each in self._listen(frames[None], weights[None])))

    def _all(self, frames, weights):
        """Frames [B, P, N], weights [B, P] -> the fields of `Listening`, each [B, ..]."""
        samples = self.config.windows[0]
        spectra = self.spectrum(ops.reshape(frames, (-1, samples)))
        spectra = ops.reshape(spectra, (-1, frames.shape[1], spectra.shape[-1]))
        presence = self.presence_db(spectra, weights)
        features, votes = self.features(spectra, weights)
        return self.logits(features)[..., 0] + presence / PRESENCE_DB, features, votes, spectra, presence

    def presence_db(self, spectra, weights):
        """Level at each class's own frequency under the loudest bin of the note's mean spectrum: [B, S], -60 to 0 dB.

        Where the network is in doubt, a pitch that can be heard as a partial is likelier than one that cannot: among
        the doubtful validation notes (confidence below 0.7) 55 % instead of 51 % are right so, of all 97.2 instead of
        97.0 %.
        """
        config = self.config
        mean = ops.sum(spectra * weights[..., None], axis=1) / ops.sum(weights, axis=1)[:, None]
        at = config.bins_per_semitone * (12 + np.arange(config.classes))
        near = [ops.take(mean, np.clip(at + away, 0, spectra.shape[-1] - 1), axis=1) for away in (-1, 0, 1)]
        level = ops.max(ops.stack(near), axis=0) - ops.max(mean, axis=1, keepdims=True)
        return ops.maximum(level * config.range_db, -60.0)

    def classify(self, spectra, weights):
        """Spectra [B, P, G], frame weights [B, P] (0: no such frame) -> logits of the note [B, S], of its frames."""
        features, votes = self.features(spectra, weights)
        return self.logits(features)[..., 0], votes

    def features(self, spectra, weights):
        """Spectra [B, P, G], frame weights [B, P] -> features of the note [B, S, C], logits of its frames [B, P, S]."""
        config, frames = self.config, spectra.shape[1]
        level = ops.log(frames * weights + 1e-9)
        x = self.mix(self.stack(ops.reshape(spectra, (-1, spectra.shape[-1])), ops.reshape(level, (-1,))))
        for block in self.frame_blocks:
            x = block(x)
        shape = (-1, frames, config.classes)
        x = ops.reshape(x, (*shape, config.width))
        score = self.attention(x) + level[:, :, None, None]
        share = ops.exp(score - ops.max(score, axis=1, keepdims=True))  # of each frame, in each feature of each class
        note = ops.sum(share * x, axis=1) / ops.sum(share, axis=1)
        for block in self.note_blocks:
            note = block(note)
        return self.norm(note), self.frame_logits(x)[..., 0]

    def stack(self, spectrum, level):
        """Spectra [B P, G], log weights [B P] -> [B P, S, C]: bins at each class's harmonics; height, end, weight."""
        config = self.config
        step, classes, bins = config.bins_per_semitone, config.classes, spectrum.shape[1]
        reach = step // 2 + 1  # bins seen on either side of a harmonic
        octaves = 1.0 + np.log2(np.asarray(config.harmonics))[:, None]
        near = np.round(12 * step * octaves).astype(int) + np.arange(-reach, reach + 1)  # [H, bins]
        index = step * np.arange(classes)[:, None] + near.reshape(1, -1)
        inside = (index >= 0) & (index < bins)
        seen = ops.take(spectrum, np.clip(index, 0, bins - 1), axis=1) * inside.astype(np.float32)
        place = np.stack([np.linspace(-1.0, 1.0, classes), 1.0 - inside.mean(axis=1)], axis=-1).astype(np.float32)
        nothing = seen[..., :2] * 0.0
        return ops.concatenate([seen, nothing + place, nothing[..., :1] + 0.1 * level[:, None, None]], axis=-1)

    @classmethod
    def load(cls, config_path: str | Path, weights_path: str | Path) -> PitchHead:
        """Build from the JSON of a `PitchHeadConfig` and load weights. Raises CheckpointError."""
        try:
            head = cls(PitchHeadConfig(**json.loads(Path(config_path).read_text())))
            head.build()
            head.load_weights(str(weights_path))
        except CheckpointError:
            raise
        except (*UNREADABLE, TypeError) as error:
            raise CheckpointError(f"The pitch head {Path(weights_path).name} cannot be loaded: {error}") from error
        return head


def note_frames(
    audio: np.ndarray, config: PitchHeadConfig, *, count: int | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Frames of a note [T] to listen to: [P, N], spread over its sounding part, and their weights [P].

    The sounding part is where the 32 ms level is within 35 dB of its maximum; its start gets more frames than its end.
    P is `count` or `config.frames`. Raises AudioError for silence.
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
    chosen = sounding[((len(sounding) - 1) * np.linspace(0.0, 1.0, count) ** 1.5).round().astype(int)]
    padded = np.pad(scaled, (longest // 2, longest // 2 + step))
    frames = np.stack([padded[block * step : block * step + longest] for block in chosen])
    weights = power[chosen] ** 0.25
    return frames, (weights / weights.sum()).astype(np.float32)


def hear(head: PitchHead, audio: np.ndarray) -> tuple[float, float]:
    """(MIDI pitch to about a quarter of a semitone, confidence 0..1) of the note [T], by the network alone."""
    return read(head.config, head.listen(*note_frames(audio, head.config)).logits)


def read(config: PitchHeadConfig, logits: np.ndarray) -> tuple[float, float]:
    """(MIDI pitch, confidence 0..1) that logits [S] speak for: the centre of the best class and its neighbours."""
    probability = np.exp(logits - logits.max())
    probability /= probability.sum()
    best = int(np.argmax(probability))
    near = np.arange(max(0, best - 1), min(len(probability), best + 2))
    confidence = float(probability[near].sum())
    return float(probability[near] @ config.class_midi()[near] / confidence), confidence


class Cues(NamedTuple):
    """What doubt about one sound is told from: cues to its kind [D], to its pitch [E], that pitch, the head's own
    confidence in it, and the frames [P, N] that were listened to."""

    kind: np.ndarray
    right: np.ndarray
    midi: float
    confidence: float
    frames: np.ndarray


def cues_of(head: PitchHead, audio: np.ndarray) -> Cues:
    """Listen to a note [T]: the class by the network, the cents by `pitch.refine`. Raises AudioError for silence."""
    config, rate = head.config, head.config.sample_rate_hz
    frames, weights = note_frames(audio, config)
    listening = head.listen(frames, weights)
    midi, confidence = read(config, listening.logits)
    refined = pitch.refine(audio[: 8 * rate], midi=midi, sample_rate_hz=rate, hop=rate // 32)
    scales = {"grid_midi": config.grid_midi(), "class_midi": config.class_midi(), "sample_rate_hz": rate}
    kind, right = pitch_cues.cues(listening, frames, weights, refined, **scales)
    return Cues(kind, right, refined.midi, confidence, frames)


def estimate(head: PitchHead, audio: np.ndarray, *, sample_rate_hz: int) -> pitch.HeardPitch:
    """What is heard of the pitch of a sound: fractional MIDI, how likely that is right, and what kind of sound it is.

    audio: [T] float mono at the head's sample rate. A tone above or below the head's classes is told where it is found,
    with little confidence. A head without networks for doubt tells its own confidence, and every sound a "note". Raises
    AudioError for silence or another sample rate.
    """
    config = head.config
    if sample_rate_hz != config.sample_rate_hz:
        raise AudioError(
            f"sample_rate_hz={sample_rate_hz} must be the pitch head's {config.sample_rate_hz}: resample the note."
        )
    heard = cues_of(head, audio)
    if head.doubt is None:
        return pitch.HeardPitch(heard.midi, heard.confidence)
    kind, likely, right = head.doubt.judge(heard.kind, heard.right, needed=config.kind_needed)
    if kind != "outside":
        return pitch.HeardPitch(heard.midi, min(right, 1.0 - float(likely[3])), kind)
    limits = {"low_midi": config.low_midi - 0.5, "high_midi": config.high_midi + 0.5}
    outside = pitch_cues.outside_midi(heard.frames, **limits, sample_rate_hz=sample_rate_hz)
    return pitch.HeardPitch(heard.midi if outside is None else outside, min(right, 1.0 - float(likely[3])))
