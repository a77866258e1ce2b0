"""A sound that the page's knobs asked for, and what it was made from.

Shapes: T samples.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from synth_explorer import plots
from synth_explorer.errors import SynthExplorerError
from synth_explorer.ui.colours import SLOT_COLOURS

if TYPE_CHECKING:
    from synth_explorer.edits import EditChain
    from synth_explorer.latents import Latents


class NotRendered(SynthExplorerError):
    """A sound that a slow decoder has yet to be asked for."""


@dataclass(frozen=True, eq=False)
class Render:
    """What the knobs asked for.

    Attributes:
        before: the morph.
        after: the morph with its edits, as they were solved.
        chain: the edits as they were asked.
        weights: of the sources, their means over time where the morph moves.
        audio: [T], decoded from `after`.
        title: what it is a mix of.
        took_s: seconds that it took.
        is_solved: whether the edits were solved, so that there are outcomes.
    """

    before: Latents
    after: Latents
    chain: EditChain
    weights: tuple[float, ...]
    audio: np.ndarray
    title: str
    took_s: float = 0.0
    is_solved: bool = False

    @property
    def colour(self) -> str:
        return plots.mix_colour(list(SLOT_COLOURS[: len(self.weights)]), list(self.weights))
