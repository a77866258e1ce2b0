"""Sizes of the WaveNet autoencoder that is trained here: one frozen dataclass, saved as JSON beside the weights."""

from __future__ import annotations

from typing import Annotated

import numpy as np

from synth_explorer.errors import CheckpointError
from synth_explorer.model.config import PITCH_FEATURES, ModelConfig, check_weights
from synth_explorer.schema import Count, Depth, Field, Strict, Width, Window, declared

LOG_SCALES = -7.0, 1.5  # of the distributions
LEAST_DOUBT = 0.005  # less noise in the past is told as so much

Dilations = Annotated[tuple[Window, ...], Strict(False), Field(min_length=1, max_length=64)]


@declared(what="The WaveNet configuration", error=CheckpointError)
class WaveNetConfig(ModelConfig):
    """The default model's latents and layers, and the WaveNet that makes each sample. Dilations are in samples."""

    order: Depth = 24  # of the linear prediction
    told_bands: Width = 24  # in which the noise's share is told
    told_width: Width = 64
    context: Window = 16  # samples of the past that are read as they are
    around: Window = 8  # samples of the source that are read on each side
    turns: Count = 4  # multiples of the pitch whose phase is told
    width: Width = 64
    gates: Width = 64
    dilations: Dilations = (1, 2, 4, 8, 16, 32)
    head_width: Width = 64
    mixtures: Depth = 2

    def __post_init__(self) -> None:
        super().__post_init__()
        check_weights((len(self.dilations), self.width, self.gates), (1, self.told_width, self.told_width))

    @property
    def point(self) -> int:
        """Samples between two points of the envelope and of what is told."""
        return self.hop // self.points

    @property
    def points(self) -> int:
        """Of the envelope in one hop."""
        return self.subframes * self.fine_steps

    @property
    def told(self) -> int:
        """Numbers that are told at each point: two of each band, three of the level, the channels, the pitch."""
        return 2 * self.told_bands + 3 + self.learned + PITCH_FEATURES

    @property
    def features(self) -> int:
        """Numbers that enter at each sample."""
        return self.context + 2 * self.around + 1 + 2 * self.turns + 1

    @property
    def log_scales(self) -> np.ndarray:
        """Where the mixtures' log scales begin, [K] float32: at different ones, so that they part."""
        return (-1.0 - 1.2 * np.arange(self.mixtures)).astype(np.float32)
