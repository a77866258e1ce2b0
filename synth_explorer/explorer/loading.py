"""From a checkpoint's files to its family, and which latents are its own."""

from __future__ import annotations

import numpy as np

from synth_explorer import checkpoints
from synth_explorer.errors import LatentsError
from synth_explorer.explorer.default_family import DefaultFamily
from synth_explorer.explorer.family import Family
from synth_explorer.explorer.nsynth_family import NSynthFamily
from synth_explorer.explorer.wavenet_family import WaveNetFamily
from synth_explorer.latents import Latents
from synth_explorer.model.config import ModelConfig
from synth_explorer.model.wavenet_config import WaveNetConfig
from synth_explorer.plain.autoencoder import Autoencoder
from synth_explorer.plain.pitch_head import PitchHead
from synth_explorer.plain.weights import shapes, wavenet_shapes


def load_family(info: checkpoints.CheckpointInfo) -> Family:
    """The model of a checkpoint with all that lies beside it: a pitch head. Raises CheckpointError."""
    return _LOADERS[info.family](info)


def _default(info: checkpoints.CheckpointInfo) -> Family:
    config = ModelConfig(**info.config)
    networks = Autoencoder(config, checkpoints.read_weights(info, shapes(config)))
    return DefaultFamily(networks, _head(info), lambda: checkpoints.load_autoencoder(info))


def _nsynth(info: checkpoints.CheckpointInfo) -> Family:
    from synth_explorer.quiet import import_keras

    import_keras()
    return NSynthFamily(checkpoints.load_nsynth(info))


def _wavenet(info: checkpoints.CheckpointInfo) -> Family:
    config = WaveNetConfig(**info.config)
    weights = checkpoints.read_weights(info, wavenet_shapes(config))
    return WaveNetFamily(config, weights, _head(info), lambda: checkpoints.load_wavenet(info))


_LOADERS = {"default": _default, "nsynth": _nsynth, "wavenet": _wavenet}


def _head(info: checkpoints.CheckpointInfo) -> PitchHead:
    return PitchHead.load(*(info.path / name for name in checkpoints.PITCH))


def refuse_others(latents: Latents, *, info: checkpoints.CheckpointInfo, family: Family) -> None:
    """Raises LatentsError unless these latents can be decoded by this checkpoint."""
    meta = latents.meta
    if meta.checkpoint_hash != info.hash:
        raise LatentsError(
            f"These latents were made by the checkpoint {meta.checkpoint!r} "
            f"({meta.checkpoint_hash[:12]}); this one is {info.name!r} "
            f"({info.hash[:12]}). Encode the note again."
        )
    if latents.channels != family.config.channels:
        raise LatentsError(f"These latents have {latents.channels} channels; {info.name} has {family.config.channels}.")
    if latents.details not in (0, family.details):
        raise LatentsError(
            f"These latents have a detail of {latents.details} numbers; {info.name} has "
            f"{family.details}. Encode the note again."
        )
    points = getattr(family.config, "level_points", 0)
    if latents.fine_level.shape[1] not in (0, points):
        raise LatentsError(
            f"These latents have a fine level of {latents.fine_level.shape[1]} points a frame; {info.name} has "
            f"{points or 'none'}. Encode the note again."
        )
    if latents.enhancements not in (0, family.enhancements):
        raise LatentsError(
            f"These latents have an enhancement of {latents.enhancements} bands; {info.name} has "
            f"{family.enhancements}. Encode the note again."
        )
    if family.has_pitch and not np.isfinite(latents.pitch_hz).all():
        raise LatentsError("These latents carry no pitch track; give their pitch (MIDI) before decoding them.")
