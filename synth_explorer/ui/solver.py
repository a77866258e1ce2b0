"""Edits that are solved for the page: fast enough for a slider, and judged once the sound is heard.

Shapes: T samples.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from synth_explorer.closed_loop import ClosedLoop, Outcome
from synth_explorer.closed_loop.loop import keeps_loudness, split
from synth_explorer.edits import Gain
from synth_explorer.lru import LruCache

if TYPE_CHECKING:
    from synth_explorer.edits import EditChain
    from synth_explorer.explorer import Explorer
    from synth_explorer.latents import Latents

SOUNDS_KEPT = 32
DECODING: dict[str, Any] = {"decoder": "fast", "seed": 0, "temperature": 1.0, "engine": "auto"}


class Remembering:
    """An Explorer that remembers the sounds that it decoded last, so that the page decodes nothing twice.

    The plain morph is what the first edit is compared with; an edit's sound is judged after it was played.
    """

    def __init__(self, explorer: Explorer) -> None:
        self._explorer = explorer
        self._sounds: LruCache[np.ndarray] = LruCache(SOUNDS_KEPT)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._explorer, name)

    def decode(self, latents: Latents, **decoding: Any) -> np.ndarray:
        """As `Explorer.decode`; the sound [T] must not be written to."""
        key = (latents.fingerprint, tuple(decoding.items()))
        known = self._sounds.get(key)
        if known is not None:
            return known
        audio = self._explorer.decode(latents, **decoding)
        audio.flags.writeable = False
        return self._sounds.put(key, audio)


class Solver:
    """Solves the edits of one checkpoint's page."""

    def __init__(self, explorer: Explorer) -> None:
        self.explorer = Remembering(explorer)
        self._loop = ClosedLoop(self.explorer)
        self._gain_is_exact = True

    @property
    def available(self) -> bool:
        """Whether this checkpoint's edits can be solved."""
        return self._loop.available

    def decode(self, latents: Latents, **decoding: Any) -> np.ndarray:
        """The sound of latents [T] as the page plays it, remembered."""
        return self.explorer.decode(latents, **DECODING | decoding)

    def solve(self, latents: Latents, chain: EditChain) -> tuple[Latents, np.ndarray]:
        """Edited latents and their sound [T].

        What the loop has nothing to turn for is applied by its formula and decoded once: edits that it does not solve,
        and a gain, which the fast decoder multiplies its sound by, where nothing else is solved. `judge` measures it
        afterwards; a checkpoint whose gain is once found to be off is solved from then on.

        Raises:
            EditError, LatentsError: as `ClosedLoop.solve`.
        """
        if self._by_formula(chain):
            edited = self.explorer.edit(latents, chain)
            return edited, self.decode(edited)
        solution = self._loop.solve(latents, chain)
        return solution.latents, solution.audio

    def judge(self, latents: Latents, chain: EditChain) -> tuple[Outcome, ...]:
        """What became of each thing that was asked, measured on the sound that `solve` made, pitch and rates too."""
        _, asked = split(chain)
        by_formula = self._by_formula(chain)
        trials = {"most_decodes": 1} if by_formula else {}
        outcomes = self._loop.solve(latents, chain, verify=True, **trials).outcomes
        if by_formula and any(outcome.control == "gain" and not outcome.reached for outcome in outcomes):
            self._gain_is_exact = False
        if asked:
            return outcomes
        held = ("loudness",) if any(keeps_loudness(edit) for edit in chain) else ()
        return tuple(
            item for item in outcomes if item.control in held or item.control not in ("loudness", "brightness")
        )

    def _by_formula(self, chain: EditChain) -> bool:
        """Whether the loop has nothing to turn."""
        rest, asked = split(chain)
        plain = not asked or (self._gain_is_exact and all(isinstance(edit, Gain) for edit in asked))
        return plain and not any(edit.solved_apart for edit in rest)
