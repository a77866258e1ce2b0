"""Quantisation levels: levels to sound and to network inputs, and the draw of a level, alike in every engine.

The companding is NSynth's mu-law (magenta 2.1.4, `nsynth/utils.py`), with mu = Q - 1: Q levels, level Q / 2 is silence.

Shapes: B notes, T samples, Q levels.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from synth_explorer.errors import SynthExplorerError


def inputs_of(audio: np.ndarray, *, levels: int = 256) -> np.ndarray:
    """What the network reads of audio in [-1, 1]: `floor(sign(x) log1p(mu |x|) / log(Q) * Q / 2) / (Q / 2)`, float32.

    Full scale (1.0) stays 1.0, as in magenta: it lies one above the highest level.
    """
    audio = np.asarray(audio, np.float32)
    mu, half = np.float32(levels - 1), np.float32(levels // 2)
    curve = np.sign(audio) * np.log(np.float32(1) + mu * np.abs(audio)) / np.float32(np.log(levels))
    return np.floor(curve * half) / half


def levels_of(inputs: np.ndarray, *, levels: int = 256) -> np.ndarray:
    """Network inputs -> levels in 0..Q-1, int64."""
    half = levels // 2
    return np.clip(np.rint(np.asarray(inputs) * half).astype(np.int64) + half, 0, levels - 1)


def audio_table(levels: int = 256) -> np.ndarray:
    """The sound of each level: [Q] float32 in (-1, 1). The half-step inverse that leaves silence at 0."""
    x = np.arange(levels, dtype=np.float32) - np.float32(levels // 2)
    out = (x + np.float32(0.5)) * np.float32(2) / np.float32(levels)
    out = np.sign(out) / np.float32(levels - 1) * (np.float32(levels) ** np.abs(out) - np.float32(1))
    return np.where(x == 0, x, out).astype(np.float32)


def input_table(levels: int = 256) -> np.ndarray:
    """What the network is fed after each level: [Q] float32. `fastgen` takes the sound's mu-law; so does this."""
    return inputs_of(audio_table(levels), levels=levels)


def draw(logits: np.ndarray, uniforms: np.ndarray, *, temperature: float) -> np.ndarray:
    """Levels by inverse CDF: float32 logits [B, Q], uniforms [B] in [0, 1) -> [B] int64.

    The definition that every engine keeps: weights are exp((logit - largest) / temperature), summed in float64 in the
    order of the levels; the level is the first whose sum reaches `uniform * total`. At temperature 0 it is the first of
    the largest logits. Two engines whose logits differ by 1e-6 so differ in about one of 10,000 to 100,000 draws.
    """
    if temperature == 0.0:
        return np.argmax(logits, axis=-1)
    spread = (logits - logits.max(axis=-1, keepdims=True)).astype(np.float64) / temperature
    sums = np.cumsum(np.exp(spread), axis=-1)
    reached = sums >= (uniforms * sums[:, -1])[:, None]
    return np.argmax(reached, axis=-1)


class Uniforms:
    """One uniform number per sample and note, from one generator a note: neither batch nor chunk changes them.

    `seeds`: a seed per note; None draws fresh ones. `given`: numbers to use instead, [B, T] in [0, 1). Raises
    SynthExplorerError: another number of seeds than notes, or `given` of a wrong shape or range.
    """

    def __init__(self, batch: int, *, seeds: Sequence[int] | None = None, given: np.ndarray | None = None) -> None:
        if seeds is not None and given is not None:
            raise SynthExplorerError("Give seeds or uniform numbers, not both.")
        if seeds is not None and len(seeds) != batch:
            raise SynthExplorerError(f"{batch} notes need {batch} seeds; received {len(seeds)}.")
        if given is not None:
            given = np.asarray(given, np.float64)
            if given.ndim != 2 or len(given) != batch or not np.all((given >= 0.0) & (given < 1.0)):
                shape = given.shape
                raise SynthExplorerError(f"Uniform numbers must be [{batch}, samples] in [0, 1); received {shape}.")
        self._given = given
        self._generators = [np.random.default_rng(seed) for seed in (seeds if seeds is not None else [None] * batch)]
        self._done = 0

    def take(self, count: int) -> np.ndarray:
        """The next `count` numbers of each note: [B, count] float64."""
        start, self._done = self._done, self._done + count
        if self._given is None:
            return np.stack([generator.random(count) for generator in self._generators])
        return self._given[:, start : self._done]
