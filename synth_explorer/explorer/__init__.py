"""Explorer: the one object that page, shell, batch and tests call. `decoders` are the ways from latents to sound, the
families (`family`, `default_family`, `nsynth_family`) the kinds of models behind it.

Imported when it is first asked for, so that the shell can name the decoders in its help at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from synth_explorer.explorer.explorer import FIT_STEPS, Explorer

__all__ = ["FIT_STEPS", "Explorer"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from synth_explorer.explorer import explorer

    return getattr(explorer, name)
