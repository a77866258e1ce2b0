"""What a patch sounds like, and what became of what it asked for.

Shapes: T samples.
"""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from synth_explorer.audio import Sampler, save
from synth_explorer.pitch import HIGHEST_MIDI, LOWEST_MIDI, note_name
from synth_explorer.rendering.patch import Patch

if TYPE_CHECKING:
    from synth_explorer.closed_loop import Outcome, Solution
    from synth_explorer.edits import EditChain
    from synth_explorer.latents import Latents
    from synth_explorer.rendering.renderer import Renderer

LONGEST_SLUG = 24


@dataclass(frozen=True, eq=False)
class Rendered:
    """A rendered patch. What costs more than the sound is made when it is asked for, once."""

    patch: Patch  # what was asked
    before: Latents  # latents of the mix
    after: Latents  # latents with the edits, as they were solved
    weights: tuple[float, ...]  # of the sources, their means over time where the mix moves
    solution: Solution | None  # of the edits; None where they were applied by their formulas, or there are none
    audio: np.ndarray  # [T], decoded from `after`; empty while a slow decoder has not made it
    sample_rate_hz: int  # of it
    took_s: float  # seconds that it took
    engine: str  # that computed the decoder
    renderer: Renderer  # that made it

    @property
    def chain(self) -> EditChain:
        """The edits as they were asked."""
        return self.patch.edits

    @property
    def title(self) -> str:
        """What it is a mix of, in words."""
        return " ".join(f"{name} {weight:.0%}" for name, weight in self.parts)

    @property
    def parts(self) -> tuple[tuple[str, float], ...]:
        """The names of the sources that take part, with their weights."""
        pairs = zip(self.patch.sources, self.weights, strict=True)
        return tuple((source.name, weight) for source, weight in pairs if weight)

    @property
    def file_stem(self) -> str:
        """What it is, as the name of a file without its suffix: "celesta-trumpet-60-40-Fs4"."""
        return file_stem(self.parts, self.after.pitch_midi)

    @property
    def outcomes(self) -> tuple[Outcome, ...]:
        """What became of each thing that the edits asked for; nothing where they were not solved."""
        return () if self.solution is None else self.solution.outcomes

    @cached_property
    def audio_before(self) -> np.ndarray:
        """The sound without the edits [T]."""
        return self.renderer.before(self)

    @cached_property
    def report(self) -> dict[str, Any]:
        """Requested against measured, see `measure.report`, with the outcomes of what was solved."""
        return self.renderer.report(self)

    @property
    def sampler(self) -> Sampler | None:
        """What its file tells samplers."""
        return sampler_of(self.after)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the sound as it is, .wav (32-bit floats) or .flac, with its pitch for samplers. Raises AudioError."""
        return save(path, self.audio, sample_rate_hz=self.sample_rate_hz, sampler=self.sampler)


def file_stem(parts: Sequence[tuple[str, float]], midi: float) -> str:
    """What a mix of notes is, by their names and weights, as the name of a file without its suffix; NaN: no pitch."""
    there = [(slug, round(100 * weight)) for name, weight in parts if (slug := _slug(name))]
    words = [*(slug for slug, _ in there), *(str(percent) for _, percent in there if len(there) > 1)]
    return "-".join(words + ([note_name(midi).replace("♯", "s")] if midi == midi else [])) or "sound"


def sampler_of(latents: Latents) -> Sampler | None:
    """What the file of a sound tells samplers: its pitch and its loop; None where no pitch is known."""
    known = latents.meta.pitch_kind in ("", "note", "moving") and LOWEST_MIDI <= latents.pitch_midi <= HIGHEST_MIDI
    return Sampler(latents.pitch_midi, latents.meta.loop) if known else None


def _slug(name: str) -> str:
    """A note's name for a file's: "Choir Aahs" is "choir-aahs", "My böse Flöte.wav" is "my-bose-flote"."""
    plain = unicodedata.normalize("NFKD", re.sub(r"\.\w{1,5}$", "", name)).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain)[:LONGEST_SLUG].strip("-")
