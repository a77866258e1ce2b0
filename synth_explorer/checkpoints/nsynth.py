"""Checkpoints of the NSynth family: load, save, and import what magenta trained with TensorFlow 1.

magenta's variables are `LAYER/W` of shape [1, taps, in, out] and `LAYER/biases` [out]; training adds averages under
`/ExponentialMovingAverage`, which generation does not use unless asked, and the optimizer's, which are left out.

Shapes: W width, S skip width, C channels, Q levels.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from synth_explorer.checkpoints.folder import CheckpointInfo, folders, load_weights, write
from synth_explorer.checkpoints.tensorflow1 import TensorFlowCheckpoint, opened
from synth_explorer.errors import CheckpointError

if TYPE_CHECKING:
    from synth_explorer.model.nsynth import NSynth
    from synth_explorer.model.nsynth_config import NSynthConfig

AVERAGE = "/ExponentialMovingAverage"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_LAYERS = re.compile(
    r"(ae_startconv|ae_bottleneck|startconv|skip_start|out1|cond_map_out1|logits"
    r"|(?:ae_dilatedconv|ae_res|dilatedconv|cond_map|res|skip)_\d+)/(W|biases)"
)


@dataclass(frozen=True)
class Imported:
    """What an import found."""

    info: CheckpointInfo  # the checkpoint that was written
    source: str  # the name of TensorFlow's checkpoint
    step: int | None  # of its training, None when it is not known
    averaged: bool  # whether the averages were taken
    left_out: int  # how many other variables it holds


def load_nsynth(info: CheckpointInfo) -> NSynth:
    """Build the network and give it its weights. Raises CheckpointError when a name or a shape does not fit."""
    from synth_explorer.model.nsynth_config import NSynthConfig

    model = _built(NSynthConfig(**info.config))
    load_weights(model, info)
    return model


def _built(config: NSynthConfig) -> NSynth:
    from synth_explorer.model.nsynth import NSynth

    model = NSynth(config, initializer="zeros", name="nsynth")
    model.build()
    return model


def save_nsynth(
    model: NSynth, folder: str | os.PathLike[str], *, description: str, card: str, source: dict | None = None
) -> CheckpointInfo:
    """Write a whole checkpoint beside `folder`, then put it in its place; weights stay as they are, bit by bit."""
    return write(
        model,
        folder,
        family="nsynth",
        description=description,
        config=model.config.to_dict(),
        controls={"format_version": 1},
        card=card,
        dtype="float32",
        source=source or {},
    )


def import_nsynth(
    path: str | os.PathLike[str],
    *,
    name: str,
    into: str | os.PathLike[str] | None = None,
    averaged: bool = False,
    force: bool = False,
) -> Imported:
    """Turn a checkpoint of magenta's NSynth into one of ours.

    Every name and shape is checked, and every number read, before anything is written. Sizes are taken from the
    shapes; sample rate, hop and dilations, which a checkpoint does not tell, are those of `h512_bo16`.

    Args:
        path: prefix, `.index`, `.meta`, folder or tar.
        into: the folder to write it to; None: the first of `folders()`.
        averaged: take the exponential moving averages in place of the plain variables.

    Raises:
        CheckpointError: a name that is taken or is none, or a checkpoint that is missing, damaged or of another model.
    """
    if not _NAME.fullmatch(name) or name == "default":
        raise CheckpointError(
            f"--name {name!r} must be a plain name of letters, digits, dots, dashes and underscores, and not 'default'."
        )
    target = (folders()[0] if into is None else Path(into)) / name
    if target.exists() and not force:
        raise CheckpointError(f"{target} exists already; choose another name, or replace it (--force).")
    with opened(Path(path)) as checkpoint:
        suffix = AVERAGE if averaged else ""
        config = _config(checkpoint, suffix)
        wanted = _wanted(config)
        _check(checkpoint, wanted, suffix)
        model = _built(config)
        for weight in model.weights:
            layer, kind = weight.path.split("/")[-2:]
            values = _numbers(checkpoint, f"{layer}/{'W' if kind == 'kernel' else 'biases'}{suffix}")
            weight.assign(values.reshape(weight.shape))
    kind = "averaged" if averaged else "plain"
    at = "" if checkpoint.step is None else f" of step {checkpoint.step}"
    info = save_nsynth(
        model,
        target,
        description=f"NSynth's WaveNet autoencoder, {kind} weights{at}: {sizes(config)}",
        card=_card(name, checkpoint, kind, config),
        source={"file": checkpoint.name, "step": checkpoint.step, "weights": kind},
    )
    return Imported(info, checkpoint.name, checkpoint.step, averaged, len(checkpoint.shapes) - len(wanted))


def sizes(config: NSynthConfig) -> str:
    """The network's sizes in words."""
    return (
        f"{config.encoder_layers} encoder layers of {config.encoder_width}, {config.layers} decoder layers of "
        f"{config.width}, skip {config.skip_width}, {config.channels} channels"
    )


def _config(checkpoint: TensorFlowCheckpoint, suffix: str) -> NSynthConfig:
    """The sizes that the shapes tell."""
    from synth_explorer.model.nsynth_config import NSynthConfig

    def shape(layer: str, *, rank: int = 4) -> tuple[int, ...]:
        found = checkpoint.shapes.get(f"{layer}/W{suffix}")
        if found is None:
            raise CheckpointError(_missing(checkpoint, f"{layer}/W", suffix))
        if len(found) != rank or 0 in found:
            raise CheckpointError(f"{checkpoint.name}: {layer}/W has shape {list(found)}, not [1, taps, in, out].")
        return found

    def count(layer: str) -> int:
        pattern = re.compile(rf"{layer}_\d+/W{suffix}")
        return max(1, sum(bool(pattern.fullmatch(name)) for name in checkpoint.shapes))

    start, encoder_start = shape("startconv"), shape("ae_startconv")
    layers, encoder_layers = count("dilatedconv"), count("ae_dilatedconv")
    levels = shape("logits")[3]
    if levels != NSynthConfig.levels:
        raise CheckpointError(f"{checkpoint.name}: logits/W has {levels} levels; NSynth has {NSynthConfig.levels}.")
    return NSynthConfig(
        channels=shape("ae_bottleneck")[3],
        encoder_taps=shape("ae_dilatedconv_1")[1],
        encoder_layers=encoder_layers,
        encoder_width=encoder_start[3],
        taps=shape("dilatedconv_1")[1],
        layers=layers,
        width=start[3],
        skip_width=shape("skip_start")[3],
    )


def _wanted(config: NSynthConfig) -> dict[str, tuple[int, ...]]:
    """magenta's name and shape of every weight."""
    wanted: dict[str, tuple[int, ...]] = {}
    for layer, shape in config.kernels().items():
        wanted |= {f"{layer}/W": (1, *shape), f"{layer}/biases": shape[-1:]}
    return wanted


def _check(checkpoint: TensorFlowCheckpoint, wanted: dict[str, tuple[int, ...]], suffix: str) -> None:
    """Refuse a checkpoint that lacks a variable, has one in another shape, or layers that the network has not."""
    for name, shape in wanted.items():
        found = checkpoint.shapes.get(name + suffix)
        if found is None:
            raise CheckpointError(_missing(checkpoint, name, suffix))
        if found != shape:
            raise CheckpointError(f"{checkpoint.name}: {name} has shape {list(found)}; it must be {list(shape)}.")
    strange = sorted(name for name in checkpoint.shapes if _LAYERS.fullmatch(name) and name not in wanted)
    if strange:
        raise CheckpointError(f"{checkpoint.name} has {strange[0]}, which does not belong to its other layers.")


def _missing(checkpoint: TensorFlowCheckpoint, name: str, suffix: str) -> str:
    """What is wrong when a variable is not there."""
    if suffix and name in checkpoint.shapes:
        return f"{checkpoint.name} has no averages (no {name}{suffix}); import its plain weights, without --averaged."
    if not suffix and name + AVERAGE in checkpoint.shapes:
        return f"{checkpoint.name} holds averages alone (no {name}); import those with --averaged."
    known = sum(bool(_LAYERS.fullmatch(variable.removesuffix(suffix))) for variable in checkpoint.shapes)
    if not known:
        example = min(checkpoint.shapes, default="nothing")
        return f"{checkpoint.name} is of another model: none of its {len(checkpoint.shapes)} variables (such as " + (
            f"{example!r}) is NSynth's."
        )
    return f"{checkpoint.name} has no variable {name}{suffix}: its names differ from those of magenta's h512_bo16."


def _numbers(checkpoint: TensorFlowCheckpoint, name: str) -> np.ndarray:
    values = checkpoint.read(name)
    if values.dtype != np.float32:
        raise CheckpointError(f"{checkpoint.name}: {name} is {values.dtype}; it must be float32.")
    if not np.isfinite(values).all():
        raise CheckpointError(f"{checkpoint.name}: {name} has values that are not finite.")
    return values


def _card(name: str, checkpoint: TensorFlowCheckpoint, kind: str, config: NSynthConfig) -> str:
    step = "unknown" if checkpoint.step is None else checkpoint.step
    paper = "[arXiv 1704.01279](https://arxiv.org/abs/1704.01279)"
    return f"""# {name}

The WaveNet autoencoder of NSynth (Engel et al. 2017, {paper}), imported from a checkpoint of Google Magenta's code.

| | |
| --- | --- |
| imported from | `{checkpoint.name}` |
| step of training | {step} |
| weights | {kind} |
| network | {sizes(config)} |
| sound | {config.sample_rate_hz} Hz, {config.levels} mu-law levels, {config.hop} samples a frame |

- Pitch is inside the latents: it is neither estimated nor set, and an edit of any channel may move it.
- The named controls are not calibrated for these latents until `synth-explorer calibrate` has found directions that
  answer; pitch cannot be set. The edits of NSynth's demos work: scale, add (which moves the mean), oscillate channels,
  and the way to another note's mean.
- One decoder, `wavenet`: sample by sample, slower than real time on a CPU.
- Licence: that of the checkpoint it was imported from.
"""
