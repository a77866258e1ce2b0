"""Explore the space between sounds: notes to latents and back, morphs and edits in musical units.

Everything goes through one object::

    from synth_explorer.explorer import Explorer

    explorer = Explorer.load()
    latents = explorer.encode("note.wav")
    audio = explorer.decode(latents)

Importing this package is cheap: Keras and TensorFlow are imported when a model is first needed. Their settings must be
in the environment before that import, so they are made here, where every path into the package comes by. Values that
are already set are kept.
"""

from __future__ import annotations

import os

__version__ = "0.1.0"

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # no words on CPU features, GPUs or what oneDNN cannot do here
os.environ.setdefault("GRPC_VERBOSITY", "ERROR")
