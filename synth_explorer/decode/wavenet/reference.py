"""The plain loop over a `Stack` in NumPy: what every engine is compared with. Slow, and meant to be read.

Shapes: B notes, T samples, F frames, C conditioning channels, X inputs a sample, W width, S skip width, Q levels.
"""

from __future__ import annotations

import numpy as np

from synth_explorer.decode.wavenet.levels import draw, input_table
from synth_explorer.decode.wavenet.session import PLAIN, Block, Way
from synth_explorer.model.stack import Stack


class ReferenceEngine:
    """Opens sessions of the plain loop."""

    name = "reference"
    precision = "float32"

    def __init__(self, stack: Stack) -> None:
        self.stack = stack

    def way(self, notes: int) -> Way:
        """Plain sums."""
        return PLAIN

    def open(self, conditioning: np.ndarray, *, temperature: float) -> ReferenceSession:
        """A session at time 0: conditioning [B, F, C]."""
        return ReferenceSession(self.stack, conditioning, temperature)


class ReferenceSession:
    """The state of one batch: every past vector, in lists."""

    def __init__(self, stack: Stack, conditioning: np.ndarray, temperature: float) -> None:
        self.stack, self.conditioning, self.temperature = stack, conditioning, temperature
        batch = len(conditioning)
        self.table = input_table(stack.levels)
        self.previous = np.zeros(batch, np.float32)
        self.inputs: list[np.ndarray] = []  # of [B, X]
        self.past: list[list[np.ndarray]] = [[] for _ in stack.layers]  # of [B, W]

    def advance(self, block: Block) -> None:
        """Generate or follow the samples of a block; see `Block`."""
        for i in range(block.samples):
            logits = self.logits(block.extra[:, i])
            levels = draw(logits, block.uniforms[:, i], temperature=self.temperature)
            forced = block.forced[:, i]
            self.previous = np.where(np.isnan(forced), self.table[levels], forced)
            block.levels[:, i] = levels
            if block.logits is not None:
                block.logits[:, i] = logits

    def logits(self, extra: np.ndarray) -> np.ndarray:
        """One step: extra inputs [B, X - 1] -> logits [B, Q]."""
        stack = self.stack
        time = len(self.inputs)
        condition = self.conditioning[:, time // stack.hop]
        self.inputs.append(np.concatenate([self.previous[:, None], extra], axis=1))
        stream = stack.start_bias + _causal(self.inputs, stack.start, 1)
        s = stream @ stack.skip_start + stack.skip_start_bias
        for layer, past in zip(stack.layers, self.past, strict=True):
            past.append(stream)
            d = _causal(past, layer.dilated, layer.dilation) + layer.dilated_bias
            d = d + condition @ layer.condition + layer.condition_bias
            p, q = np.split(d, 2, axis=1)
            g = np.tanh(q) / (np.float32(1) + np.exp(-p))
            stream = stream + g @ layer.residual + layer.residual_bias
            s = s + g @ layer.skip + layer.skip_bias
        h = np.maximum(s, 0) @ stack.out + stack.out_bias + condition @ stack.out_condition + stack.out_condition_bias
        return np.maximum(h, 0) @ stack.logits + stack.logits_bias


def _causal(past: list[np.ndarray], kernel: np.ndarray, dilation: int) -> np.ndarray:
    """The newest output of a dilated causal convolution, zeros before the start: kernel [K, in, out] -> [B, out]."""
    taps = len(kernel)
    total = np.zeros((len(past[-1]), kernel.shape[2]), np.float32)
    for k in range(taps):
        back = (taps - 1 - k) * dilation
        if back < len(past):
            total = total + past[-1 - back] @ kernel[k]
    return total
