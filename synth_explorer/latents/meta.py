"""What latents mean and where they came from, beside their arrays."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, cast

from synth_explorer.errors import LatentsError

FORMAT_VERSION = 2
READ_VERSIONS = (1, 2)
NOISE_RANGE_DB = 480.0
"""Five times what one edit may ask for; the decoder's arithmetic bears no more than 760 dB."""


@dataclass(frozen=True)
class LatentsMeta:
    """What latents mean and where they came from.

    Attributes:
        checkpoint: name of the model that made them.
        checkpoint_hash: hash of that model; latents of another hash mean something else.
        sample_rate_hz: rate of the audio they stand for.
        hop: samples per frame.
        source: the note or the mix, in words.
        duration_samples: samples to decode; 0 means all frames (F * hop).
        lead_in_samples: index in the original recording of the first sample that was encoded; may be negative.
        noise_db: by how much the decoder's noise is raised against its partials.
        pitch_confidence: 0..1, how sure the pitch is that was heard; None where it was stated, or is a mix of several.
        pitch_kind: what the pitch was heard of, see `pitch.HeardPitch`; "" where it was stated.
        loop: first and last sample of the note's sustain, as its file gave it; None where it gave none.
        notices: what was lost when the note was read, in sentences that go on after its name.
        format_version: of the file.
    """

    checkpoint: str
    checkpoint_hash: str
    sample_rate_hz: int
    hop: int
    source: str = ""
    duration_samples: int = 0
    lead_in_samples: int = 0
    noise_db: float = 0.0
    pitch_confidence: float | None = None
    pitch_kind: str = ""
    loop: tuple[int, int] | None = None
    notices: tuple[str, ...] = ()
    format_version: int = FORMAT_VERSION

    def __post_init__(self) -> None:
        for name in ("loop", "notices"):  # JSON has no tuples
            if isinstance(getattr(self, name), list):
                object.__setattr__(self, name, tuple(getattr(self, name)))
        for item in fields(self):
            value: Any = getattr(self, item.name)
            kinds = _META_KINDS.get(item.name, (int,))
            if not isinstance(value, kinds) or isinstance(value, bool):
                raise LatentsError(f"meta {item.name}={value!r} must be {kinds[0].__name__}.")
        if self.pitch_confidence is not None and not 0.0 <= self.pitch_confidence <= 1.0:
            raise LatentsError(f"pitch_confidence={self.pitch_confidence!r} must lie in 0..1.")
        if self.loop is not None and not (
            len(self.loop) == 2 and all(type(end) is int for end in self.loop) and 0 <= self.loop[0] < self.loop[1]
        ):
            raise LatentsError(f"loop={self.loop!r} must be a first and a last sample.")
        if not all(isinstance(notice, str) for notice in cast("tuple[Any, ...]", self.notices)):
            raise LatentsError(f"notices={self.notices!r} must be sentences.")
        if self.sample_rate_hz < 1 or self.hop < 1:
            raise LatentsError(f"sample_rate_hz={self.sample_rate_hz} and hop={self.hop} must be positive.")
        if not abs(self.noise_db) <= NOISE_RANGE_DB:
            raise LatentsError(f"noise_db={self.noise_db:g} must lie in {-NOISE_RANGE_DB:g}..{NOISE_RANGE_DB:g}.")
        if self.duration_samples < 0:
            raise LatentsError(f"duration_samples={self.duration_samples} must not be negative.")
        if self.format_version not in READ_VERSIONS:
            raise LatentsError(
                f"format_version={self.format_version} is unknown; this version reads up to {FORMAT_VERSION}. "
                "Encode the note again or use the program that wrote it."
            )
        object.__setattr__(self, "format_version", FORMAT_VERSION)


_META_KINDS: dict[str, tuple[type, ...]] = {
    **dict.fromkeys(("checkpoint", "checkpoint_hash", "source", "pitch_kind"), (str,)),
    **{"noise_db": (float,), "pitch_confidence": (float, type(None))},
    **{"loop": (tuple, type(None)), "notices": (tuple,)},
}
META_NAMES = frozenset(item.name for item in fields(LatentsMeta))
