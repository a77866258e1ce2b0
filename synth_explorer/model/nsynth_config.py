"""Sizes of the NSynth network: one frozen dataclass, saved as JSON beside the weights."""

from __future__ import annotations

from typing import Annotated

from synth_explorer.errors import CheckpointError
from synth_explorer.model.config import ModelConfig
from synth_explorer.schema import Depth, Field, RateHz, Samples, Seconds, Width, Window, declared

Stages = Annotated[int, Field(ge=1, le=16)]
MOST_WEIGHTS = 2**28


@declared(what="The NSynth configuration", error=CheckpointError)
class NSynthConfig:
    """Sizes of a WaveNet autoencoder (Engel et al. 2017); the defaults are magenta's `h512_bo16`.

    Dilations are 2^(i mod stages). Lengths are in samples, widths in channels.
    """

    sample_rate_hz: RateHz = 16000
    hop: Window = 512
    channels: Width = 16
    levels: Window = 256
    pre_roll_samples: Samples = 512
    max_s: Seconds = 16.0
    # encoder
    encoder_taps: Depth = 3
    encoder_stages: Stages = 10
    encoder_layers: Depth = 30
    encoder_width: Width = 128
    # decoder
    taps: Depth = 3
    stages: Stages = 10
    layers: Depth = 30
    width: Width = 512
    skip_width: Width = 256

    def __post_init__(self) -> None:
        if self.levels % 2:
            raise CheckpointError(f"levels={self.levels} must be even.")
        if not self.encoder_taps % 2:
            raise CheckpointError(f"encoder_taps={self.encoder_taps} must be odd.")
        weights = sum(taps * inputs * outputs for taps, inputs, outputs in self.kernels().values())
        if weights > MOST_WEIGHTS:
            raise CheckpointError(f"These sizes make {weights:,} weights; at most {MOST_WEIGHTS:,} are loaded.")

    @property
    def frame_rate_hz(self) -> float:
        """Latent frames a second."""
        return self.sample_rate_hz / self.hop

    def kernels(self) -> dict[str, tuple[int, int, int]]:
        """Every layer by magenta's name -> shape of its kernel, (taps, inputs, outputs)."""
        wide, skip, channels = self.width, self.skip_width, self.channels
        shapes = {"ae_startconv": (self.encoder_taps, 1, self.encoder_width)}
        for i in range(1, self.encoder_layers + 1):
            shapes[f"ae_dilatedconv_{i}"] = (self.encoder_taps, self.encoder_width, self.encoder_width)
            shapes[f"ae_res_{i}"] = (1, self.encoder_width, self.encoder_width)
        shapes["ae_bottleneck"] = (1, self.encoder_width, channels)
        shapes |= {"startconv": (self.taps, 1, wide), "skip_start": (1, wide, skip)}
        for i in range(1, self.layers + 1):
            shapes[f"dilatedconv_{i}"] = (self.taps, wide, 2 * wide)
            shapes[f"cond_map_{i}"] = (1, channels, 2 * wide)
            shapes[f"res_{i}"] = (1, wide, wide)
            shapes[f"skip_{i}"] = (1, wide, skip)
        ends = {"out1": (1, skip, skip), "cond_map_out1": (1, channels, skip), "logits": (1, skip, self.levels)}
        return shapes | ends

    to_dict = ModelConfig.to_dict
