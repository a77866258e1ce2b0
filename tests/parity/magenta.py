"""What the parity tests ask of magenta's own NSynth, beside what `bench` times of it.

Shapes: B notes, T samples, F frames, C channels, Q levels.
"""

from __future__ import annotations

import importlib
import types
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np

from synth_explorer.bench.magenta_reference import (
    FULL,
    Sizes,
    available,
    import_parents,
    modules,
    session,
    write_checkpoint,
)

__all__ = [  # noqa: RUF022 - those of `bench` first
    "FULL", "Sizes", "available", "session", "write_checkpoint",
    "NARROW", "encode", "generate", "teacher_forced", "utils", "variables",
]  # fmt: skip

NARROW = Sizes(layers=12, width=24, skip_width=16, encoder_layers=12, encoder_width=20, channels=6)


def utils() -> types.ModuleType:
    """magenta's `nsynth.utils`: mu-law and the like."""
    import_parents()
    return importlib.import_module("magenta.models.nsynth.utils")


def variables(prefix: Path) -> dict[str, np.ndarray]:
    """Every variable of a checkpoint, by TensorFlow's own reader."""
    import tensorflow as tf

    reader = tf.train.load_checkpoint(str(prefix))
    return {name: reader.get_tensor(name) for name in reader.get_variable_to_shape_map()}


def teacher_forced(
    prefix: Path, audio: np.ndarray, *, sizes: Sizes = FULL, averaged: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """Audio [B, T] -> (encodings [B, F, C], probabilities [B, T, Q]) by `h512_bo16.Config.build`."""
    _, fastgen = modules(sizes)

    def build(tf: Any) -> Any:
        network = fastgen.load_nsynth(batch_size=audio.shape[0], sample_length=audio.shape[1])
        average = tf.train.ExponentialMovingAverage(0.9999)
        names = {average.average_name(v): v for v in tf.global_variables()} if averaged else None
        return network, tf.train.Saver(names)

    with session(build) as (opened, (network, saver)):
        saver.restore(opened, str(prefix))
        encodings, flat = opened.run([network["encoding"], network["predictions"]], {network["X"]: audio})
    return encodings, flat.reshape(*audio.shape, -1)


def encode(prefix: Path, audio: np.ndarray, *, sizes: Sizes = FULL) -> np.ndarray:
    """Audio [B, T] -> encodings [B, F, C] by `fastgen.encode`."""
    _, fastgen = modules(sizes)
    return fastgen.encode(audio, str(prefix), sample_length=audio.shape[1])


def generate(
    prefix: Path, encodings: np.ndarray, uniforms: np.ndarray, *, sizes: Sizes = FULL, margin: float = 1e-5
) -> tuple[np.ndarray, np.ndarray]:
    """Encodings [B, F, C] -> (audio [B, F * 512], uniforms used) by `fastgen.synthesize`, fed our random numbers.

    Args:
        prefix: the checkpoint.
        encodings: to decode.
        uniforms: [B, F * 512] in [0, 1).
        sizes: of the network.
        margin: a number closer than this to the edge of its level is moved inwards before it is drawn with, so that
            the last bits of a sum do not decide (they would, once in some ten thousand draws).
    """
    _, fastgen = modules(sizes)
    draws, used, heard = iter(np.ascontiguousarray(uniforms.T)), [], []
    sample = fastgen.sample_categorical

    def sample_with_ours(probabilities: np.ndarray) -> np.ndarray:
        used.append(_inwards(next(draws), probabilities, margin))
        with mock.patch.object(np.random, "rand", lambda count: used[-1]):
            return sample(probabilities)

    with (
        mock.patch.object(fastgen, "sample_categorical", sample_with_ours),
        mock.patch.object(fastgen, "save_batch", lambda audio, paths: heard.append(audio.copy())),
    ):
        fastgen.synthesize(encodings, [], checkpoint_path=str(prefix))
    return heard[-1], np.stack(used, axis=1)


def _inwards(uniforms: np.ndarray, probabilities: np.ndarray, margin: float) -> np.ndarray:
    """Numbers [B] away from the edges of the levels that they draw from probabilities [B, Q]."""
    moved = uniforms.copy()
    for note, sums in enumerate(np.cumsum(probabilities.astype(np.float64), axis=1)):
        level = min(int(np.searchsorted(sums, uniforms[note])), len(sums) - 1)
        low, high = (sums[level - 1] if level else 0.0), min(sums[level], 1.0)
        inset = min(margin, (high - low) / 2)
        moved[note] = np.clip(uniforms[note], low + inset, high - inset)
    return moved
