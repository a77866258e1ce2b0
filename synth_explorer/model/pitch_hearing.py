"""Hearing the pitch of a note by a pitch head, whichever computes it: its sizes, what it listens to, what that says.

Shapes: B notes, P frames of one note, N samples of the longest window, G bins of the log-frequency grid,
S classes (one a semitone).

`pitch_head.PitchHead` is the network in Keras, which trains; `plain.pitch_head.PitchHead` the same in numpy.
"""

from __future__ import annotations

import dataclasses
import json
from typing import Any, NamedTuple, Protocol

import numpy as np

from synth_explorer import pitch
from synth_explorer.errors import AudioError, CheckpointError
from synth_explorer.model import pitch_cues
from synth_explorer.model.pitch_cues import Listening
from synth_explorer.schema import Count, Depth, Floats, Key, Pair, RateHz, Width, Windows, declared

PRESENCE_DB = 30.0  # of a fundamental: so much weaker, a factor e less likely
SIGHT = (-24, -19, -12, -7, -2, -1, 0, 1, 2, 7, 12, 19, 24)
"""Semitones away that a block of the network looks at."""


@declared(what="The pitch head's configuration", error=CheckpointError)
class PitchHeadConfig:
    """Sizes of the head. Windows are in samples, longest first; window i serves frequencies below crossovers_hz[i].

    `width` features a class, `seen` of them told to other classes in each of `frame_blocks` + `note_blocks` blocks.
    """

    sample_rate_hz: RateHz = 16000
    low_midi: Key = 18
    high_midi: Key = 111
    bins_per_semitone: Depth = 3
    windows: Windows = (8192, 4096, 2048)
    crossovers_hz: Floats = (250.0, 1000.0)
    harmonics: Floats = (0.5, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 10.0)
    range_db: float = 80.0
    width: Width = 64
    seen: Width = 32
    frame_blocks: Depth = 2
    note_blocks: Depth = 2
    frames: Width = 10
    doubt_width: Count = 0  # of the networks that tell the kind of a sound and how sure its pitch is; 0: there are none
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


class Doubt(Protocol):
    """Two small networks on cues, see `pitch_doubt.PitchDoubt`."""

    def judge(self, kind: np.ndarray, right: np.ndarray, *, needed: float) -> tuple[str, np.ndarray, float]: ...


class Head(Protocol):
    """A network that hears pitch: frames [P, N] and weights [P] -> `Listening`."""

    config: PitchHeadConfig

    @property
    def doubt(self) -> Doubt | None: ...

    def listen(self, frames: np.ndarray, weights: np.ndarray) -> Listening: ...


def grid_matrix(config: PitchHeadConfig, window: int, low: int, high: int) -> tuple[int, np.ndarray]:
    """First FFT bin used, and weights [bins, high - low] that read magnitudes at the grid's frequencies.

    Where the grid is finer than the FFT the weights interpolate; where it is coarser they take a triangle a step wide.
    """
    at = pitch.midi_to_hz(config.grid_midi()[low:high]) * (window / config.sample_rate_hz)
    step = at * (2.0 ** (1.0 / (12.0 * config.bins_per_semitone)) - 1.0)
    bins = np.arange(window // 2 + 1)[:, None]
    matrix = np.maximum(0.0, 1.0 - np.abs(bins - at) / np.maximum(1.0, step))
    used = np.flatnonzero(matrix.sum(axis=1))
    return int(used[0]), matrix[used[0] : used[-1] + 1].astype(np.float32)


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


def hear(head: Head, audio: np.ndarray) -> tuple[float, float]:
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


def cues_of(head: Head, audio: np.ndarray) -> Cues:
    """Listen to a note [T]: the class by the network, the cents by `pitch.refine`. Raises AudioError for silence."""
    config, rate = head.config, head.config.sample_rate_hz
    frames, weights = note_frames(audio, config)
    listening = head.listen(frames, weights)
    midi, confidence = read(config, listening.logits)
    refined = pitch.refine(audio[: 8 * rate], midi=midi, sample_rate_hz=rate, hop=rate // 32)
    scales = {"grid_midi": config.grid_midi(), "class_midi": config.class_midi(), "sample_rate_hz": rate}
    kind, right = pitch_cues.cues(listening, frames, weights, refined, **scales)
    return Cues(kind, right, refined.midi, confidence, frames)


def estimate(head: Head, audio: np.ndarray, *, sample_rate_hz: int) -> pitch.HeardPitch:
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
