"""What an Explorer asks of a model: the interface that the kinds of models share, and what goes in and out of it.

Shapes: T samples, F frames, C channels, D numbers of detail, E bands of enhancement.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from threading import Event
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np

from synth_explorer.explorer.decoders import FAST, Decoder
from synth_explorer.latents import Latents
from synth_explorer.pitch import HeardPitch

if TYPE_CHECKING:
    from synth_explorer.model.config import ModelConfig
    from synth_explorer.model.nsynth_config import NSynthConfig
    from synth_explorer.model.wavenet_config import WaveNetConfig

Stop = Event | Callable[[], bool]
Progress = Callable[[int, int], None]

NOTHING = np.zeros(0, np.float32)
"""Detail, fine level and enhancement where nothing was fitted."""


@dataclass(frozen=True)
class Encoding:
    """How a note is encoded; see `Explorer.encode`. `midi` is its pitch, None where it is to be estimated."""

    midi: float | None = None
    fit_steps: int = 0
    enhance: bool = False
    progress: Progress | None = None


@dataclass(frozen=True)
class Decoding:
    """How latents are decoded; see `Explorer.stream`.

    `samples` is the length of the whole sound, `noise_gain` what the latents' `noise_db` makes of the noise.
    """

    samples: int
    decoder: Decoder = FAST
    seed: int = 0
    temperature: float = 1.0
    noise_gain: float = 1.0
    engine: str = "auto"
    stop: Stop | None = None
    progress: Progress | None = None


class Encoded(NamedTuple):
    """A note as a model heard it: z [F, C], pitch_hz [F] and, if it was fitted, detail [F, D], enhancement [F, E] and
    fine level [F, P]; its pitch with how sure that is, None where it was stated or lies inside z; and where its
    recording ends, 0 where that has no end of its own."""

    z: np.ndarray
    pitch_hz: np.ndarray
    detail: np.ndarray = NOTHING
    enhancement: np.ndarray = NOTHING
    fine_level: np.ndarray = NOTHING
    pitch: HeardPitch | None = None
    bandwidth_hz: float = 0.0


class Family(Protocol):
    """What a model does for an Explorer. The Explorer checks what comes in. `config`: the model's sizes."""

    model: Any  # the Keras model
    decoders: tuple[Decoder, ...]  # its decoders, the best default first
    has_pitch: bool  # whether a pitch track goes beside z
    details: int  # how many numbers of detail a fit finds, D
    enhancements: int  # how many bands of enhancement, E

    @property
    def config(self) -> ModelConfig | NSynthConfig | WaveNetConfig: ...

    def estimate_pitch(self, audio: np.ndarray) -> HeardPitch:
        """Audio [T] -> its MIDI pitch, and how sure that is. Raises AudioError where the model has no pitch."""
        ...

    def encode(self, audio: np.ndarray, how: Encoding) -> Encoded:
        """A prepared note [T] -> its latents, F = ceil(T / hop)."""
        ...

    def stream(self, latents: Latents, how: Decoding) -> Iterator[np.ndarray]:
        """Latents -> chunks of audio, float32, `how.samples` in all. The Explorer looks at their level."""
        ...

    def together(self, engine: str) -> int:
        """How many notes an engine decodes at once; 1: one after the other."""
        ...

    def stream_together(self, latents: Sequence[Latents], hows: Sequence[Decoding]) -> Iterator[np.ndarray]:
        """As `stream`, of at most `together` notes that differ in length and seed alone: chunks [B, n].

        They are as long as the longest note; what goes past a shorter one's end is to be cut off.
        """
        ...

    def warm_up(self, decoder: Decoder) -> None:
        """Compile everything that a decoder needs."""
        ...


def tone(samples: int, sample_rate_hz: int) -> np.ndarray:
    """What a family is warmed up with: a quiet sine of 220 Hz, float32 [samples]."""
    return (0.1 * np.sin(2.0 * np.pi * 220.0 * np.arange(samples) / sample_rate_hz)).astype(np.float32)
