"""How the sounds of a batch are written: format, bits, rate, level, length."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from synth_explorer import audio
from synth_explorer.audio import BITS, Sampler, Writing
from synth_explorer.audio.writing import LONGEST_S, SHORTEST_S, Encoded, encoded
from synth_explorer.errors import AudioError
from synth_explorer.schema import Schema

LOWEST_RATE_HZ, HIGHEST_RATE_HZ = 8000, 192_000


class Output(Schema):
    """How sounds are written; see `audio.Writing`. `rate_hz`: None: that of the checkpoint."""

    format: Literal["wav", "flac"] = "wav"
    bits: Literal[16, 24, 32] | None = None
    peak: Literal["keep", "limit", "normalise"] = "keep"
    length_s: Annotated[float, Field(ge=SHORTEST_S, le=LONGEST_S)] | None = None
    rate_hz: Annotated[int, Field(ge=LOWEST_RATE_HZ, le=HIGHEST_RATE_HZ)] | None = None

    @model_validator(mode="after")
    def _a_format(self) -> Self:
        if self.bits not in (None, *BITS[self.suffix]):
            raise ValueError("flac holds whole numbers only: give 16 or 24 bits, or the format wav")
        return self

    @property
    def suffix(self) -> str:
        """The ending of its files."""
        return f".{self.format}"

    @property
    def meaning(self) -> dict[str, Any]:
        """What is equal for outputs that make the same files."""
        return self.model_dump(mode="json") | {"bits": self.bits or BITS[self.suffix][0]}

    def encode(self, sound: np.ndarray, *, sample_rate_hz: int, sampler: Sampler | None) -> tuple[Encoded, int]:
        """A sound [T] as a file's content, and its rate in Hz. Raises AudioError: as `audio.write`."""
        rate_hz = self.rate_hz or sample_rate_hz
        if rate_hz != sample_rate_hz:
            sound = audio.resample(sound, source_rate_hz=sample_rate_hz, sample_rate_hz=rate_hz)
            sampler = sampler and _at_rate(sampler, rate_hz / sample_rate_hz, samples=sound.size)
        how, target = Writing(self.peak, self.bits, self.length_s), Path(f"sound{self.suffix}")
        try:
            return encoded(target, sound, sample_rate_hz=rate_hz, sampler=sampler, how=how), rate_hz
        except AudioError as error:
            raise AudioError(str(error).replace(target.name, "it")) from error


def _at_rate(sampler: Sampler, factor: float, *, samples: int) -> Sampler:
    """What samplers are told of a sound at another rate."""
    if sampler.loop is None:
        return sampler
    first, last = (min(round(end * factor), samples - 1) for end in sampler.loop)
    return Sampler(sampler.midi, (first, last))
