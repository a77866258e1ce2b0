"""A note for the hand: it begins at once, and sounds as long as a key is held.

The loops are those of samplers (`loops`), sought in less of the note and at fewer places, so that they are found while
somebody waits. What dies away is levelled before it is looped.

Shapes: T samples.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from synth_explorer.instruments import loops, sustain
from synth_explorer.instruments.loops import Loop
from synth_explorer.instruments.sample import DEFAULT_RELEASE_S, faded_in, to_its_end
from synth_explorer.latents import midi_to_hz

LONGEST_S = 1.6  # of the held part in which a loop is sought: its end, when the note has become what it is
STARTS, TRIES = 12, 8
STRETCH_STARTS = 4  # of a stretch, whose loop is heard for a moment: its seam is not measured
SILENT = 1e-6


@dataclass(frozen=True, eq=False)
class HeldNote:
    """A note as a key plays it."""

    audio: np.ndarray  # float32 [T], from its onset on; with a loop cut behind that
    loop: Loop | None  # None where it dies away by itself
    release_s: float  # in which it dies away by 60 dB once it is let go
    midi: float  # its pitch
    from_s: float  # of the rendered note, where it begins
    is_whole: bool = True  # or only its beginning


def held(rendered: np.ndarray, *, midi: float, sample_rate_hz: int, always: bool = False) -> HeldNote:
    """A rendered note [T] as a key plays it.

    It is looped where it is held or dies away slowly; `always`: also where it dies away fast, if it is long enough.
    """
    rate = {"sample_rate_hz": sample_rate_hz}
    lead = sustain.begin(rendered, **rate)
    audio = faded_in(rendered[lead:], **rate)
    within = None
    if np.abs(audio).max() > SILENT:
        within = sustain.sustain(audio, **rate) or sustain.falling(audio, always=always, **rate)
    if within is not None:
        within = max(within[0], within[1] - round(LONGEST_S * sample_rate_hz)), within[1]
    loop, ready = _looped(audio, within, midi, sample_rate_hz, starts=STARTS, tries=TRIES)
    own_s = sustain.release_s(audio, **rate)
    release_s = DEFAULT_RELEASE_S if own_s is None else own_s
    return HeldNote(ready, loop, release_s, midi, lead / sample_rate_hz)


def beginning(rendered: np.ndarray, *, midi: float, sample_rate_hz: int) -> HeldNote:
    """What a note [T], of which no more was rendered yet, begins with as a key plays it."""
    lead = sustain.begin(rendered, sample_rate_hz=sample_rate_hz)
    audio = faded_in(rendered[lead:], sample_rate_hz=sample_rate_hz)
    return HeldNote(audio, None, DEFAULT_RELEASE_S, midi, lead / sample_rate_hz, is_whole=False)


def stretch(rendered: np.ndarray, *, midi: float, from_s: float, sample_rate_hz: int) -> HeldNote:
    """A short part of a note [T] from a moment on, looped: what a held note goes on with while a knob is turned."""
    loop, ready = _looped(rendered, (0, rendered.size), midi, sample_rate_hz, starts=STRETCH_STARTS, tries=0)
    return HeldNote(ready, loop, DEFAULT_RELEASE_S, midi, from_s)


def _looped(
    audio: np.ndarray,
    within: tuple[int, int] | None,
    midi: float,
    sample_rate_hz: int,
    *,
    starts: int,
    tries: int,
) -> tuple[Loop | None, np.ndarray]:
    """A note [T] levelled and looped within a part of it; to its end where it cannot be."""
    rate = {"sample_rate_hz": sample_rate_hz}
    if within is not None:
        even = sustain.levelled(audio, within, **rate)
        period = sample_rate_hz / float(midi_to_hz(midi))
        found = loops.find(even, within, period_samples=period, starts=starts, tries=tries, **rate)
        if found is not None:
            return found
    return None, to_its_end(audio, **rate)
