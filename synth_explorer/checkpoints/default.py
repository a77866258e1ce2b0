"""Checkpoints of what is trained here: the autoencoder with its fast decoder, the WaveNet; each with a pitch head."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from synth_explorer.checkpoints.folder import CheckpointInfo, load_weights, write

if TYPE_CHECKING:
    from synth_explorer.model.autoencoder import Autoencoder
    from synth_explorer.model.wavenet import WaveNet

PITCH = ("pitch.json", "pitch.weights.h5")


def load_autoencoder(info: CheckpointInfo) -> Autoencoder:
    """Build the autoencoder and give it its weights. Raises CheckpointError when a name or a shape does not fit."""
    from synth_explorer.model.autoencoder import Autoencoder
    from synth_explorer.model.config import ModelConfig

    model = Autoencoder(ModelConfig(**info.config), name="autoencoder")
    model.build_weights()
    load_weights(model, info)
    return model


def load_wavenet(info: CheckpointInfo) -> WaveNet:
    """Build the WaveNet autoencoder and give it its weights. Raises CheckpointError as `load_autoencoder`."""
    from synth_explorer.model.wavenet import WaveNet
    from synth_explorer.model.wavenet_config import WaveNetConfig

    model = WaveNet(WaveNetConfig(**info.config), name="wavenet")
    model.build_weights()
    load_weights(model, info)
    return model


def save(
    model: Autoencoder | WaveNet,
    folder: str | os.PathLike[str],
    *,
    description: str,
    controls: Mapping[str, Any],
    card: str,
    pitch_files: tuple[Path, Path],
    dtype: str = "float16",
    family: str = "default",
) -> CheckpointInfo:
    """Write a whole checkpoint beside `folder`, then put it in its place.

    Args:
        folder: its last part is the checkpoint's name.
        pitch_files: the pitch head's JSON and weights, copied.
        dtype: of the stored weights; float16 halves the file and is well below what can be heard.
    """

    def add_pitch_head(new: Path) -> tuple[str, ...]:
        for source, name in zip(pitch_files, PITCH, strict=True):
            shutil.copyfile(source, new / name)
        return PITCH

    return write(
        model,
        folder,
        family=family,
        description=description,
        config=model.config.to_dict(),
        controls=controls,
        card=card,
        dtype=dtype,
        add=add_pitch_head,
    )
