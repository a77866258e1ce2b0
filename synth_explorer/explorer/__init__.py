"""Explorer: the one object that page, shell, batch and tests call. `families` are the kinds of models behind it."""

from __future__ import annotations

from synth_explorer.explorer.explorer import ENGINES, FIT_STEPS, Explorer

__all__ = ["ENGINES", "FIT_STEPS", "Explorer"]
