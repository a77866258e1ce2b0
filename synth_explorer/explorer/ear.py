"""How a family with a pitch track hears the pitch of a note: by the pitch head, then along the note.

Shapes: T samples, F frames.
"""

from __future__ import annotations

import numpy as np

from synth_explorer import pitch, pitch_path
from synth_explorer.audio import resample
from synth_explorer.model.pitch_hearing import Head, estimate
from synth_explorer.pitch import HeardPitch, folded, midi_to_hz


class Ear:
    """Hears pitches at the head's rate, at which all is heard that tells a pitch."""

    def __init__(self, head: Head, *, sample_rate_hz: int, hop: int) -> None:
        """The rate of the sounds, and their samples a frame."""
        self.head, self._rate_hz, self._hop = head, sample_rate_hz, hop

    def estimate(self, audio: np.ndarray) -> HeardPitch:
        """The pitch head's estimate."""
        return self._estimate(self._low(audio))

    def listen(self, audio: np.ndarray, *, midi: float | None, frames: int) -> tuple[HeardPitch | None, np.ndarray]:
        """The pitch of a note [T], None where it was stated as `midi`, and its track [F] in Hz."""
        low, low_hz = self._low(audio), self.head.config.sample_rate_hz
        if midi is None:
            told = folded(self._estimate(low))
            midi = told.midi
        else:
            told = None
        sizes = {"sample_rate_hz": low_hz, "hop": self._hop * low_hz // self._rate_hz, "frames": frames}
        sure = told is None or not pitch.doubt(*told)
        found = pitch_path.listen(low, midi=midi, stated=told is None, sure=sure, **sizes)
        if told is not None and found.moves and told.kind != "unpitched":  # one pitch was no question to ask
            told = HeardPitch(float(np.median(found.midi)), told.confidence, "moving")
        return told, midi_to_hz(found.midi).astype(np.float32)

    def _low(self, audio: np.ndarray) -> np.ndarray:
        return resample(audio, source_rate_hz=self._rate_hz, sample_rate_hz=self.head.config.sample_rate_hz)

    def _estimate(self, low: np.ndarray) -> HeardPitch:
        return HeardPitch(*estimate(self.head, low, sample_rate_hz=self.head.config.sample_rate_hz))
