"""A bound on the way out: no decoder may leave the sane range unnoticed, whatever its latents say.

Shapes: T samples.
"""

from __future__ import annotations

import math
from collections.abc import Generator, Iterable

import numpy as np

from synth_explorer.audio import FULL_SCALE_LIMIT
from synth_explorer.errors import LatentsError

LIMIT_DB = 20.0 * math.log10(FULL_SCALE_LIMIT)


def refuse_unless_sane(sound: np.ndarray) -> None:
    """Raises LatentsError where samples of any shape are not finite or exceed full scale by more than 40 dB."""
    peak = float(np.abs(sound).max(initial=0.0))  # NaN wherever there is one
    if peak <= FULL_SCALE_LIMIT:
        return
    level = f"peaks at {20.0 * math.log10(peak):+.0f} dBFS" if math.isfinite(peak) else "has no finite level"
    raise LatentsError(
        f"These latents lie too far from any note to be decoded: the sound {level}, "
        f"the most is {LIMIT_DB:+.0f} dBFS; move them less."
    )


def bounded(chunks: Iterable[np.ndarray]) -> Generator[np.ndarray]:
    """The chunks of a decoder, each looked at before it is passed on."""
    for chunk in chunks:
        refuse_unless_sane(chunk)
        yield chunk
