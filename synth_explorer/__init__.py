"""Explore the space between sounds: notes to latents and back, morphs and edits in musical units.

A sound is a `Patch`, and `render` makes it::

    from synth_explorer import Patch, render
    from synth_explorer.edits import Gain

    sound = render(Patch.of("Marimba", "Cello", mix=0.3, edits=[Gain(-3.0)]))
    sound.audio, sound.sample_rate_hz, sound.outcomes

`Explorer` is a loaded checkpoint: notes to latents and back, step by step.

Importing this package is cheap: Keras and TensorFlow are imported when a model is first needed. Their settings must be
in the environment before that import, so they are made here, where every path into the package comes by. Values that
are already set are kept.
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from synth_explorer.explorer import Explorer as Explorer
    from synth_explorer.rendering import Mix as Mix
    from synth_explorer.rendering import Patch as Patch
    from synth_explorer.rendering import Rendered as Rendered
    from synth_explorer.rendering import load_patch as load_patch
    from synth_explorer.rendering import pack as pack
    from synth_explorer.rendering import render as render

__version__ = "0.1.0"

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # no words on CPU features, GPUs or what oneDNN cannot do here
os.environ.setdefault("GRPC_VERBOSITY", "ERROR")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # `plain.halves` shares out rows; OpenBLAS' threads wait by spinning

_ROOMS = {"Explorer": "explorer"} | dict.fromkeys(
    ("Mix", "Patch", "Rendered", "load_patch", "pack", "render"), "rendering"
)


def __getattr__(name: str) -> Any:
    """What the package offers at its top, imported when it is first asked for."""
    if name not in _ROOMS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_ROOMS[name]}"), name)
