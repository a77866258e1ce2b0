"""One sample of an instrument: a rendered note, cut, looped, tuned and told apart.

Shapes: T samples.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from synth_explorer import measure
from synth_explorer.instruments import loops, sustain
from synth_explorer.instruments.loops import Loop
from synth_explorer.instruments.zones import Layer
from synth_explorer.latents import midi_to_hz

FADE_IN_S, FADE_OUT_S = 0.002, 0.01
HEARD_S = 3.0  # of a looped note, over which its pitch is measured
DEFAULT_RELEASE_S = 0.3


@dataclass(frozen=True)
class Slot:
    """Which sample of an instrument: its key, layer, step of the morph and number in the round robin."""

    root: int
    layer: Layer
    step: int = 0
    robin: int = 0

    @property
    def stem(self) -> str:
        """The name of its file, without an ending."""
        return f"{self.root:03d}_v{self.layer.high:03d}_m{self.step}_r{self.robin}"


@dataclass(frozen=True, eq=False)
class Sample:
    """A note as a sampler plays it."""

    slot: Slot
    audio: np.ndarray  # [T] from its onset on; with a loop cut behind that
    loop: Loop | None  # None where the note is not held
    cents: float  # how far its pitch lies above its key; 0 where none is heard
    is_pitched: bool
    release_s: float  # in which it dies away by 60 dB
    level_db: float  # RMS of its loudest 50 ms, or of its held part
    patch_id: str

    def played(self, samples: int) -> np.ndarray:
        """What is heard of it while the key is held, [samples]."""
        return loops.unrolled(self.audio, self.loop, samples)


def make(
    slot: Slot,
    rendered: np.ndarray,
    *,
    lead_samples: int,
    sample_rate_hz: int,
    release_s: float | None,
    loop_of: Sample | None = None,
    patch_id: str = "",
) -> Sample:
    """A sample from a rendered note [T].

    `lead_samples`: silence before its onset, which is cut off. `release_s`: None takes the note's own. `loop_of`: the
    same note of another layer, whose loop is taken if
    it does not click here either, so that layers run alike.
    """
    rate = {"sample_rate_hz": sample_rate_hz}
    audio = faded_in(rendered[lead_samples:], sample_rate_hz=sample_rate_hz)
    held = sustain.sustain(audio, **rate)
    loop, ready = _looped(audio, held, slot, loop_of, sample_rate_hz)
    own_s = sustain.release_s(audio, **rate) if release_s is None else release_s
    cents = cents_above(
        loops.unrolled(ready, loop, round(HEARD_S * sample_rate_hz)) if loop else ready, slot.root, **rate
    )
    part = audio[slice(*held)] if held else audio
    level_db = float(20.0 * np.log10(measure.rms_envelope(part, window_ms=50.0, **rate).max() + 1e-9))
    return Sample(
        slot,
        ready,
        loop,
        0.0 if math.isnan(cents) else cents,
        not math.isnan(cents),
        DEFAULT_RELEASE_S if own_s is None else own_s,
        measure.rms_db(part) if held else level_db,
        patch_id,
    )


def _looped(
    audio: np.ndarray, held: tuple[int, int] | None, slot: Slot, loop_of: Sample | None, sample_rate_hz: int
) -> tuple[Loop | None, np.ndarray]:
    """A note [T] with its loop, or to its end where it has none."""
    rate = {"sample_rate_hz": sample_rate_hz}
    if held is not None and loop_of is not None and loop_of.loop is not None and loop_of.loop.end <= audio.size:
        looped = loops.cross_faded(audio, loop_of.loop)
        loop = loops.measured(looped, loop_of.loop, loops.own(audio, held, **rate), **rate)
        if loop.is_clean:
            return loop, looped
    if held is not None:
        found = loops.find(audio, held, period_samples=sample_rate_hz / midi_to_hz(slot.root), **rate)
        if found is not None:
            return found
    return None, to_its_end(audio, sample_rate_hz=sample_rate_hz)


def to_its_end(audio: np.ndarray, *, sample_rate_hz: int) -> np.ndarray:
    """Audio [T] as far as it is heard, fading to nothing in `FADE_OUT_S`."""
    cut = audio[: sustain.heard_until(audio)].copy()
    fade = min(cut.size, round(FADE_OUT_S * sample_rate_hz))
    cut[cut.size - fade :] *= np.linspace(1.0, 0.0, fade, dtype=np.float32)
    return cut


def faded_in(audio: np.ndarray, *, sample_rate_hz: int) -> np.ndarray:
    """Audio [T] that rises from nothing in `FADE_IN_S`."""
    audio = audio.copy()
    fade = min(audio.size, round(FADE_IN_S * sample_rate_hz))
    audio[:fade] *= (0.5 - 0.5 * np.cos(np.pi * np.arange(fade) / fade)).astype(np.float32)
    return audio


def cents_above(audio: np.ndarray, key: int, *, sample_rate_hz: int) -> float:
    """How far a note [T] sounds above its key in cents; NaN where no pitch is heard."""
    key_hz = midi_to_hz(key)
    return 1200.0 * math.log2(measure.pitch_hz(audio, sample_rate_hz=sample_rate_hz, around_hz=key_hz) / key_hz)
