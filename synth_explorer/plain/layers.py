"""The layers of the networks: `model.blocks` in numpy, and how slopes go back through them.

Shapes: F frames, C channels in, D channels out, K taps of a convolution.

A layer is called as it is read. `traced` gives its output and a function that takes the slope of a loss by the output
to the slope by the input (a vector-Jacobian product); weights stay as they are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from synth_explorer.plain.gelu import gelu, gelu_and_slope
from synth_explorer.plain.halves import in_halves

Back = Callable[[np.ndarray], np.ndarray]
Weights = Mapping[str, np.ndarray]

_NORM_EPSILON = 1e-5
_ONE = np.float32(1.0)


class Dense:
    """[.., C] -> [.., D]."""

    def __init__(self, weights: Weights, name: str) -> None:
        self.kernel, self.bias = weights[f"{name}/kernel"], weights[f"{name}/bias"]

    def __call__(self, x: np.ndarray) -> np.ndarray:
        y = x @ self.kernel
        y += self.bias
        return y

    def back(self, slope: np.ndarray) -> np.ndarray:
        """Slope by the output -> slope by the input."""
        return slope @ self.kernel.T


class Norm:
    """Every frame [F, C] brought to mean 0 and variance 1, then scaled and shifted."""

    def __init__(self, weights: Weights, name: str) -> None:
        self.gamma, self.beta = weights[f"{name}/gamma"], weights[f"{name}/beta"]

    def __call__(self, x: np.ndarray) -> np.ndarray:
        return self._standard(x)[0] * self.gamma + self.beta

    def traced(self, x: np.ndarray) -> tuple[np.ndarray, Back]:
        """Output, and the way back."""
        standard, scale = self._standard(x)

        def back(slope: np.ndarray) -> np.ndarray:
            slope = slope * self.gamma
            along = np.einsum("fc,fc->f", slope, standard)[:, None] / np.float32(slope.shape[1])
            return (slope - slope.mean(axis=1, keepdims=True) - standard * along) * scale

        return standard * self.gamma + self.beta, back

    @staticmethod
    def _standard(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        centred = x - x.mean(axis=-1, keepdims=True)
        square = np.einsum("...c,...c->...", centred, centred)[..., None] / np.float32(x.shape[-1])
        scale = _ONE / np.sqrt(square + np.float32(_NORM_EPSILON))
        centred *= scale
        return centred, scale


class Convolution:
    """[F, C] -> [F, D], not causal; beyond the ends lies silence. Weights [K, C, D], K odd."""

    def __init__(self, weights: Weights, name: str, *, dilation: int = 1) -> None:
        kernel, self.bias, self.dilation = weights[f"{name}/kernel"], weights[f"{name}/bias"], dilation
        self.taps, self._kernel = len(kernel), kernel.reshape(-1, kernel.shape[-1])
        self._backwards = np.ascontiguousarray(kernel[::-1].transpose(0, 2, 1)).reshape(-1, kernel.shape[1])

    def __call__(self, x: np.ndarray) -> np.ndarray:
        out = np.empty((len(x), len(self.bias)), np.float32)
        in_halves(lambda rows: self.rows(x, rows, out=out[rows]), len(x))
        return out

    def rows(self, x: np.ndarray, rows: slice, *, out: np.ndarray) -> np.ndarray:
        """The output at some of the frames."""
        np.matmul(self._columns(x, rows), self._kernel, out=out)
        out += self.bias
        return out

    def rows_back(self, slope: np.ndarray, rows: slice) -> np.ndarray:
        """Slope by the output [F, D] -> slope by some frames of the input: the same, with the kernel turned round."""
        return self._columns(slope, rows) @ self._backwards

    def _columns(self, x: np.ndarray, rows: slice) -> np.ndarray:
        """[F, C] -> [rows, K * C]: what each frame's taps see."""
        frames, reach = len(x), self.dilation * (self.taps // 2)
        out = np.empty((rows.stop - rows.start, self.taps, x.shape[1]), np.float32)
        for tap in range(self.taps):
            away = tap * self.dilation - reach
            first = min(max(rows.start, -away), rows.stop)
            last = max(min(rows.stop, frames - away), first)
            out[: first - rows.start, tap] = out[last - rows.start :, tap] = 0.0
            out[first - rows.start : last - rows.start, tap] = x[first + away : last + away]
        return out.reshape(len(out), -1)


class Residual:
    """x + Dense(gelu(Convolution(Norm(x)))): [F, C] -> [F, C], see `model.blocks.ResidualBlock`."""

    def __init__(self, weights: Weights, name: str, *, dilation: int = 1) -> None:
        self.norm = Norm(weights, f"{name}/norm")
        self.convolution = Convolution(weights, f"{name}/conv", dilation=dilation)
        self.dense = Dense(weights, f"{name}/dense")

    def __call__(self, x: np.ndarray) -> np.ndarray:
        normed, out = self.norm(x), np.empty_like(x)

        def work(rows: slice) -> None:
            heard = gelu(self.convolution.rows(normed, rows, out=np.empty_like(x[rows])))
            np.add(self.dense(heard), x[rows], out=out[rows])

        in_halves(work, len(x))
        return out

    def traced(self, x: np.ndarray) -> tuple[np.ndarray, Back]:
        """Output, and the way back."""
        normed, norm_back = self.norm.traced(x)
        out, steepness = np.empty_like(x), np.empty_like(x)

        def work(rows: slice) -> None:
            heard, steepness[rows] = gelu_and_slope(self.convolution.rows(normed, rows, out=np.empty_like(x[rows])))
            np.add(self.dense(heard), x[rows], out=out[rows])

        def back(slope: np.ndarray) -> np.ndarray:
            inner, of_normed = np.empty_like(x), np.empty_like(x)

            def through_dense(rows: slice) -> None:
                np.multiply(self.dense.back(slope[rows]), steepness[rows], out=inner[rows])

            def through_convolution(rows: slice) -> None:
                of_normed[rows] = self.convolution.rows_back(inner, rows)

            in_halves(through_dense, len(x))
            in_halves(through_convolution, len(x))
            return slope + norm_back(of_normed)

        in_halves(work, len(x))
        return out, back


class Down:
    """[J, C] -> [J / step, D]: each frame sees the subframes from half a window before it. Weights [2 * step, C, D]."""

    def __init__(self, weights: Weights, name: str, *, step: int) -> None:
        kernel, self.bias, self.step = weights[f"{name}/kernel"], weights[f"{name}/bias"], step
        self.seen, self._kernel = kernel.shape[0] * kernel.shape[1], kernel.reshape(-1, kernel.shape[2])

    def __call__(self, x: np.ndarray) -> np.ndarray:
        padded = np.pad(x, ((self.step - 1, self.step + 1), (0, 0))).reshape(-1)
        seen = np.lib.stride_tricks.sliding_window_view(padded, self.seen)[:: self.step * x.shape[1]]
        return seen[: len(x) // self.step] @ self._kernel + self.bias


def pitch_features(pitch_hz: np.ndarray, *, count: int = 12) -> np.ndarray:
    """[F] Hz -> [F, 2 * count + 1], see `model.blocks.pitch_features`."""
    periods = 192.0 / 2.0 ** (np.arange(count) * 0.5)
    midi = np.float32(69.0) + np.float32(12.0) * np.log2(np.maximum(pitch_hz, np.float32(8.0)) / np.float32(440.0))
    angle = midi[:, None] * (2.0 * np.pi / periods).astype(np.float32)
    return np.concatenate([midi[:, None] / np.float32(64.0) - _ONE, np.sin(angle), np.cos(angle)], axis=1)
