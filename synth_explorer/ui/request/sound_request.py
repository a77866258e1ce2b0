"""What a page asks to hear, in one line of text: the whole state of the page, and the address of its sound.

The page reads it off its knobs (`request.js`) and turns them to it (`apply.js`); undo, links, what is saved, snapshots
and routes have it as it is. It comes from outside: nothing in it is a path, and everything in it is checked.
"""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass
from typing import Any

from synth_explorer.edits import MeanSound
from synth_explorer.errors import EditError
from synth_explorer.pitch import check_midi, pitch_given
from synth_explorer.ui.request.knobs import LETTERS
from synth_explorer.ui.request.settings import Settings

LONGEST = 16384
"""Characters of a request; more is refused unread."""


@dataclass(frozen=True)
class SoundRequest:
    """A request for a sound."""

    tokens: tuple[str, ...]  # of the sources in the slots A, B, ...; empty where a slot holds none
    settings: Settings  # the knobs
    checkpoint: str = ""  # name of the checkpoint
    preset_mean: MeanSound | None = None  # mean sound that a loaded preset goes toward
    fit_steps: int | None = None  # how often the notes were listened to again; None: as often as they were yet

    @classmethod
    def from_json(cls, text: Any) -> SoundRequest:
        """Read what `request.js` wrote. Raises EditError: it is no question of this page; AudioError: the pitch
        that is set is none."""
        try:
            if not isinstance(text, str) or len(text) > LONGEST:
                raise ValueError
            content = json.loads(text)
            tokens, mean, steps = content["sources"], content.get("mean"), content.get("fit")
            if not isinstance(tokens, list) or len(tokens) != len(LETTERS):
                raise ValueError
            if not (steps is None or (type(steps) is int and steps >= 0)):
                raise ValueError
            if mean is not None:
                means, spectrum_db, midi = mean
                mean = MeanSound(tuple(map(float, means)), tuple(map(float, spectrum_db)), float(midi))
        except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError):
            raise EditError("The page sent a question that cannot be read; reload it.") from None
        if mean is not None and not all(math.isfinite(value) for value in (*mean.mean, *mean.spectrum_db, mean.midi)):
            raise EditError("The preset's mean sound is not made of numbers; load it again.")
        settings = Settings.from_mapping(content.get("knobs"))
        if settings.set_pitch and isinstance(written := content["knobs"].get("pitch_midi"), str):
            check_midi(pitch_given(written))
        tokens = tuple(token if isinstance(token, str) else "" for token in tokens)
        return cls(tokens, settings, str(content.get("checkpoint", "")), mean, steps)

    def to_json(self) -> str:
        """It as `from_json` reads it."""
        knobs = asdict(self.settings) | {"curves": self.settings.curves_value()}
        said = {"checkpoint": self.checkpoint, "sources": list(self.tokens), "mean": self.preset_mean}
        content = said | {"knobs": knobs, "fit": self.fit_steps}
        return json.dumps(content, allow_nan=False, separators=(",", ":"))
