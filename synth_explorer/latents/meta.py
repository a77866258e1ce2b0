"""What latents mean and where they came from, beside their arrays."""

from __future__ import annotations

import math
from dataclasses import fields
from typing import Annotated

from synth_explorer.errors import LatentsError
from synth_explorer.schema import Field, Index, Pair, RateHz, Texts, Window, declared

FORMAT_VERSION = 2
READ_VERSIONS = (1, 2)
NOISE_RANGE_DB = 480.0
"""Five times what one edit may ask for; the decoder's arithmetic bears no more than 760 dB."""


@declared(what="The meta data", error=LatentsError)
class LatentsMeta:
    """What latents mean and where they came from.

    `pitch_confidence`: 0..1, how sure the pitch is that was heard; None where it was stated, or is a mix of several.
    `loop`: first and last sample of the note's sustain, as its file gave it; None where it gave none.
    """

    checkpoint: str  # name of the model that made them
    checkpoint_hash: str  # hash of that model; latents of another hash mean something else
    sample_rate_hz: RateHz  # rate of the audio they stand for
    hop: Window  # samples per frame
    source: str = ""  # the note or the mix, in words
    duration_samples: Index = 0  # samples to decode; 0 means all frames (F * hop)
    lead_in_samples: int = 0  # index in the original recording of the first sample that was encoded; may be negative
    noise_db: float = 0.0  # by how much the decoder's noise is raised against its partials
    pitch_confidence: Annotated[float, Field(ge=0.0, le=1.0)] | None = None
    pitch_kind: str = ""  # what the pitch was heard of, see `pitch.HeardPitch`; "" where it was stated
    bandwidth_hz: float = (
        0.0  # where the recording itself ended, and the decoder's sound does; 0: nowhere below the top
    )
    loop: Pair | None = None
    notices: Texts = ()  # what was lost when the note was read, in sentences that go on after its name
    format_version: int = FORMAT_VERSION  # of the file

    def __post_init__(self) -> None:
        if self.loop is not None and not 0 <= self.loop[0] < self.loop[1]:
            raise LatentsError(f"loop={self.loop!r} must be a first and a last sample.")
        if not abs(self.noise_db) <= NOISE_RANGE_DB:
            raise LatentsError(f"noise_db={self.noise_db:g} must lie in {-NOISE_RANGE_DB:g}..{NOISE_RANGE_DB:g}.")
        if not 0.0 <= self.bandwidth_hz < math.inf:
            raise LatentsError(
                f"bandwidth_hz={self.bandwidth_hz:g} must be a frequency, or 0 where the band has no end."
            )
        if self.format_version not in READ_VERSIONS:
            raise LatentsError(
                f"format_version={self.format_version} is unknown; this version reads up to {FORMAT_VERSION}. "
                "Encode the note again or use the program that wrote it."
            )
        object.__setattr__(self, "format_version", FORMAT_VERSION)


META_NAMES = frozenset(item.name for item in fields(LatentsMeta))
