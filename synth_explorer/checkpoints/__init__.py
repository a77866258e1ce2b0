"""Checkpoints: find, list, verify, load and save a model as weights plus readable JSON; import NSynth's.

`folder` is the format, `default` and `nsynth` are the two families of models, `tensorflow1` reads
what TensorFlow 1 wrote.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from synth_explorer.checkpoints.default import PITCH, load_autoencoder, load_wavenet, save
from synth_explorer.checkpoints.folder import (
    CARD,
    CONFIG,
    CONTROLS,
    FOLDER_VARIABLE,
    FORMAT_VERSION,
    WEIGHTS,
    CheckpointInfo,
    amend,
    damaged_checkpoints,
    find,
    folders,
    list_checkpoints,
    read_info,
    read_weights,
    sha256,
    show,
    verify,
)
from synth_explorer.checkpoints.nsynth import import_nsynth, load_nsynth, save_nsynth
from synth_explorer.errors import CheckpointError

if TYPE_CHECKING:
    from synth_explorer.model.autoencoder import Autoencoder
    from synth_explorer.model.nsynth import NSynth
    from synth_explorer.model.wavenet import WaveNet


def load_model(info: CheckpointInfo) -> Autoencoder | NSynth | WaveNet:
    """Build a checkpoint's model and give it its weights. Raises CheckpointError when they do not fit."""
    loaders = {"default": load_autoencoder, "nsynth": load_nsynth, "wavenet": load_wavenet}
    if info.family not in loaders:
        known = ", ".join(loaders)
        raise CheckpointError(f"{info.path} is of the family {info.family!r}; this program knows {known}.")
    return loaders[info.family](info)
