"""Sizes of the WaveNet autoencoder that is trained here: one frozen dataclass, saved as JSON beside the weights."""

from __future__ import annotations

from typing import Annotated

import numpy as np

from synth_explorer.errors import CheckpointError
from synth_explorer.model.config import ModelConfig, check_weights
from synth_explorer.schema import Count, Depth, Field, RateHz, Samples, Seconds, Strict, Width, Window, declared

PRE_EMPHASIS = 0.9  # before linear prediction
REACH = 8  # taps on each side of a sample that is read between others
PARTS = 256  # of a sample, at which it is read
LONGEST_LAG = 1600
LOG_SCALES = -7.0, 1.5  # of the distributions
LEAST_DOUBT = 0.005  # less noise in the past is told as so much

Dilations = Annotated[tuple[Window, ...], Strict(False), Field(min_length=1, max_length=64)]


@declared(what="The WaveNet configuration", error=CheckpointError)
class WaveNetConfig:
    """Latents, layer sizes and steps. Lengths are in samples; dilations are in steps.

    Channel 0 of the latents is loudness, channel 1 brightness, as in the default model; the others are learned.
    """

    sample_rate_hz: RateHz = 16000
    hop: Window = 512
    channels: Annotated[Width, Field(ge=3)] = 16
    pre_roll_samples: Samples = 512
    max_s: Seconds = 16.0
    subframe: Window = 64  # of the envelope and of the conditioning
    # encoder
    long_window: Window = 1024
    long_bands: Width = 96
    short_window: Window = 256
    short_bands: Width = 48
    encoder_width: Width = 128
    encoder_blocks: Depth = 3
    latent_noise: float = 0.02
    # frames
    frame_width: Width = 160
    frame_blocks: Depth = 4
    fine_width: Width = 128
    fine_blocks: Depth = 2
    bands: Width = 40  # of the envelope
    order: Depth = 24  # of the linear prediction
    # steps
    step: Depth = 4  # samples that one step makes
    context: Window = 16  # samples of the past that a step reads as they are
    periods: Count = 4  # of the past, each read around its place
    multiples: Count = 16  # of the pitch whose phase is told
    width: Width = 128
    gates: Width = 128
    dilations: Dilations = (1, 2, 4, 8, 16, 32, 64, 1, 4, 16)
    head_width: Width = 128
    mixtures: Depth = 2

    def __post_init__(self) -> None:
        check_weights(
            (self.encoder_blocks, self.encoder_width, self.encoder_width),
            (self.frame_blocks, self.frame_width, self.frame_width),
            (self.fine_blocks, self.fine_width, self.fine_width),
            (len(self.dilations), self.width, self.gates),
        )
        if self.hop % self.subframe or self.subframe % self.step:
            raise CheckpointError(
                f"hop={self.hop} must be a multiple of subframe={self.subframe}, and that of step={self.step}."
            )
        if self.long_window % self.subframe or self.short_window % self.subframe:
            raise CheckpointError(f"The windows must be multiples of subframe={self.subframe}.")

    @property
    def subframes(self) -> int:
        """In one hop."""
        return self.hop // self.subframe

    @property
    def learned(self) -> int:
        """Channels beyond loudness and brightness."""
        return self.channels - 2

    @property
    def frame_rate_hz(self) -> float:
        """Latent frames a second."""
        return self.sample_rate_hz / self.hop

    @property
    def features(self) -> int:
        """Numbers that enter at each step."""
        return self.context + self.periods * (self.step + 2) + 2 * self.multiples + 1

    @property
    def measures(self) -> ModelConfig:
        """What loudness and brightness are measured by."""
        lengths = {"hop": self.hop, "pre_roll_samples": self.pre_roll_samples, "max_s": self.max_s}
        return ModelConfig(sample_rate_hz=self.sample_rate_hz, channels=self.channels, **lengths)

    @property
    def log_scales(self) -> np.ndarray:
        """Where the mixtures' log scales begin, [K] float32: at different ones, so that they part."""
        return (-1.0 - 1.2 * np.arange(self.mixtures)).astype(np.float32)

    to_dict = ModelConfig.to_dict


def between() -> np.ndarray:
    """Weights [PARTS + 1, 2 REACH] that read a sound `part` / PARTS after a sample: a sinc under a cosine."""
    x = np.arange(-REACH + 1, REACH + 1) - np.arange(PARTS + 1)[:, None] / PARTS
    weights = np.sinc(x) * np.cos(np.pi * x / (2.0 * REACH)) ** 2
    return (weights / weights.sum(1, keepdims=True)).astype(np.float32)
