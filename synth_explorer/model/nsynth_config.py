"""Sizes of the NSynth network: one frozen dataclass, saved as JSON beside the weights."""

from __future__ import annotations

from synth_explorer.errors import CheckpointError
from synth_explorer.model.config import ModelConfig
from synth_explorer.schema import declared


@declared(what="The NSynth configuration", error=CheckpointError)
class NSynthConfig:
    """Sizes of a WaveNet autoencoder (Engel et al. 2017); the defaults are magenta's `h512_bo16`.

    Dilations are 2^(i mod stages). Lengths are in samples, widths in channels.
    """

    sample_rate_hz: int = 16000
    hop: int = 512
    channels: int = 16
    levels: int = 256
    pre_roll_samples: int = 512
    max_s: float = 16.0
    # encoder
    encoder_taps: int = 3
    encoder_stages: int = 10
    encoder_layers: int = 30
    encoder_width: int = 128
    # decoder
    taps: int = 3
    stages: int = 10
    layers: int = 30
    width: int = 512
    skip_width: int = 256

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if name != "pre_roll_samples" and not value > 0:
                raise CheckpointError(f"{name}={value} must be positive.")
        if self.levels % 2:
            raise CheckpointError(f"levels={self.levels} must be even.")
        if not self.encoder_taps % 2:
            raise CheckpointError(f"encoder_taps={self.encoder_taps} must be odd.")

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
