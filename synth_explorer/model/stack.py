"""A WaveNet decoder as plain arrays: what every model hands to the decoding engines, whatever trained it.

WaveNet (van den Oord et al. 2016, arXiv 1609.03499) as NSynth builds it (Engel et al. 2017, arXiv 1704.01279). With
x the past samples, c the conditioning of the running frame and * a causal convolution:

    l_0 = start * x + b                    s_0 = skip_start l_0 + b
    d_i = dilated_i * l_i + b + condition_i c + b,  split into halves p and q
    g_i = sigmoid(p) tanh(q)
    l_{i+1} = l_i + residual_i g_i + b     s_{i+1} = s_i + skip_i g_i + b
    logits = logits relu(out relu(s_n) + b + out_condition c + b) + b

Shapes: K taps, X inputs a sample, W width, S skip width, C conditioning channels, Q levels.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from synth_explorer.errors import CheckpointError


@dataclass(frozen=True, eq=False)
class StackLayer:
    """One gated dilated layer. Tap k of `dilated` reads l at t - (K - 1 - k) * dilation."""

    dilation: int
    dilated: np.ndarray  # [K, W, 2W]
    dilated_bias: np.ndarray  # [2W]
    condition: np.ndarray  # [C, 2W]
    condition_bias: np.ndarray  # [2W]
    residual: np.ndarray  # [W, W]
    residual_bias: np.ndarray  # [W]
    skip: np.ndarray  # [W, S]
    skip_bias: np.ndarray  # [S]


@dataclass(frozen=True, eq=False)
class Stack:
    """Weights of a decoder, float32, read-only by convention.

    Input 0 of `start` at time t is the sample t - 1, in network units (`dequantised level / 128` for NSynth); inputs
    1.. (if any) are given from outside, at time t. The conditioning of a frame holds for `hop` samples.

    Raises CheckpointError: shapes that do not fit together.
    """

    sample_rate_hz: int
    hop: int
    start: np.ndarray  # [K0, X, W], tap k reads t - (K0 - 1 - k)
    start_bias: np.ndarray  # [W]
    skip_start: np.ndarray  # [W, S]
    skip_start_bias: np.ndarray  # [S]
    layers: tuple[StackLayer, ...]
    out: np.ndarray  # [S, S]
    out_bias: np.ndarray  # [S]
    out_condition: np.ndarray  # [C, S]
    out_condition_bias: np.ndarray  # [S]
    logits: np.ndarray  # [S, Q]
    logits_bias: np.ndarray  # [Q]

    def __post_init__(self) -> None:
        width, skip, channels = self.width, self.skip_width, self.channels
        wanted = {
            "start_bias": (width,),
            "skip_start": (width, skip),
            "skip_start_bias": (skip,),
            "out": (skip, skip),
            "out_bias": (skip,),
            "out_condition": (channels, skip),
            "out_condition_bias": (skip,),
            "logits": (skip, self.levels),
            "logits_bias": (self.levels,),
        }
        for name, shape in wanted.items():
            _expect(name, getattr(self, name), shape)
        for index, layer in enumerate(self.layers):
            taps = layer.dilated.shape[0]
            shapes = {
                "dilated": (taps, width, 2 * width),
                "dilated_bias": (2 * width,),
                "condition": (channels, 2 * width),
                "condition_bias": (2 * width,),
                "residual": (width, width),
                "residual_bias": (width,),
                "skip": (width, skip),
                "skip_bias": (skip,),
            }
            for name, shape in shapes.items():
                _expect(f"layer {index} {name}", getattr(layer, name), shape)

    @property
    def width(self) -> int:
        """Channels of the residual stream, W."""
        return self.start.shape[2]

    @property
    def inputs(self) -> int:
        """Numbers that enter at each sample, X."""
        return self.start.shape[1]

    @property
    def skip_width(self) -> int:
        """Channels of the skip sum, S."""
        return self.skip_start.shape[1]

    @property
    def channels(self) -> int:
        """Conditioning channels, C."""
        return self.out_condition.shape[0]

    @property
    def levels(self) -> int:
        """Quantisation levels, Q."""
        return self.logits.shape[1]


def _expect(name: str, array: np.ndarray, shape: tuple[int, ...]) -> None:
    if array.shape != shape or array.dtype != np.float32:
        raise CheckpointError(f"{name} must be float32 {shape}; received {array.dtype} {array.shape}.")
