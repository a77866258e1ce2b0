"""magenta's own NSynth (magenta 2.1.4) as a reference: its graphs, checkpoints of random weights, fastgen.

magenta cannot be installed with its own pins on a living Python, and `import magenta` pulls all of them. So it is
installed without dependencies, and its NSynth modules are imported under an empty parent package. Nothing of its code
is changed: for narrow networks the sizes, which `h512_bo16` holds as literals, are replaced in its syntax tree before
it is compiled.

Shapes: B notes, T samples, F frames, C channels, Q levels.
"""

from __future__ import annotations

import ast
import importlib
import importlib.util
import sys
import types
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import Any

import numpy as np

PARENTS = ("magenta", "magenta.models", "magenta.models.nsynth", "magenta.models.nsynth.wavenet")
LITERALS = {
    "num_layers": "layers",
    "width": "width",
    "skip_width": "skip_width",
    "ae_num_layers": "encoder_layers",
    "ae_width": "encoder_width",
    "num_z": "channels",
}


@dataclass(frozen=True)
class Sizes:
    """What may be narrowed; the defaults are h512_bo16's own."""

    layers: int = 30
    width: int = 512
    skip_width: int = 256
    encoder_layers: int = 30
    encoder_width: int = 128
    channels: int = 16


FULL = Sizes()


def available() -> bool:
    """Whether magenta, tf-slim and librosa are installed."""
    return all(importlib.util.find_spec(name) for name in ("magenta", "tf_slim", "librosa"))


def modules(sizes: Sizes = FULL) -> tuple[Any, Any]:
    """magenta's (h512_bo16, fastgen) modules with these sizes, fresh ones for each call."""
    import_parents()
    fastgen = _compiled("magenta.models.nsynth.wavenet.fastgen", {})
    network = _compiled(
        "magenta.models.nsynth.wavenet.h512_bo16", {name: getattr(sizes, field) for name, field in LITERALS.items()}
    )

    class Config(network.Config):
        """magenta's, with as many channels as asked."""

        def __init__(self, train_path: str | None = None) -> None:
            super().__init__(train_path)
            self.ae_bottleneck_width = sizes.channels

    vars(fastgen).update(Config=Config, FastGenerationConfig=network.FastGenerationConfig)
    return types.SimpleNamespace(Config=Config, FastGenerationConfig=network.FastGenerationConfig), fastgen


def import_parents() -> None:
    """Put empty packages where importing magenta's own would pull all that it needs."""
    for name in PARENTS:
        if name not in sys.modules:
            package = types.ModuleType(name)
            package.__spec__ = spec = _spec(name)  # of the parent, which is empty already: runs nothing
            package.__path__ = list(spec.submodule_search_locations or ())
            sys.modules[name] = package


def _spec(name: str) -> ModuleSpec:
    """Where a module of magenta lies, which is installed."""
    spec = importlib.util.find_spec(name)
    assert spec is not None, f"{name} is not installed"
    return spec


def _compiled(name: str, literals: dict[str, int]) -> types.ModuleType:
    """A module of magenta, compiled with other integers assigned to these names."""
    spec = _spec(name)
    assert spec.origin is not None
    tree = ast.parse(Path(spec.origin).read_text(encoding="utf-8"))
    replaced: set[str] = set()
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)):
            continue
        target = node.targets[0].id
        if target in literals and isinstance(node.value, ast.Constant):
            node.value = ast.copy_location(ast.Constant(literals[target]), node.value)
            replaced.add(target)
    assert replaced == set(literals), "magenta's literals have other names"
    module = types.ModuleType(name)
    module.__spec__, module.__file__ = spec, spec.origin
    exec(compile(tree, spec.origin, "exec"), module.__dict__)
    return module


@contextmanager
def session(build: Callable[[Any], Any]) -> Iterator[tuple[Any, Any]]:
    """A TensorFlow 1 session on a new graph: yields (session, what `build(tf)` returned)."""
    tf: Any = importlib.import_module("tensorflow.compat.v1")

    options = tf.ConfigProto(allow_soft_placement=True)
    with tf.Graph().as_default(), tf.Session(config=options) as opened:
        yield opened, build(tf)


def write_checkpoint(
    prefix: Path, *, sizes: Sizes = FULL, seed: int = 0, step: int = 200_000, optimizer: bool = True
) -> Path:
    """Save a checkpoint as magenta's training does, with random weights, biases and averages.

    It holds the variables, their `ExponentialMovingAverage` twins (other numbers), the step and, when `optimizer` says
    so, Adam's slots.

    Returns the prefix, `.../model.ckpt-<step>`, for a Saver.
    """
    _, fastgen = modules(sizes)
    rng = np.random.default_rng(seed)

    def build(tf: Any) -> tuple[Any, Any, dict[Any, Any]]:
        fastgen.Config().build({"wav": tf.placeholder(tf.float32, [1, 512])}, is_training=True)
        global_step = tf.train.get_or_create_global_step()
        average = tf.train.ExponentialMovingAverage(0.9999, global_step)
        average.apply(tf.trainable_variables())
        if optimizer:  # Adam's slots and powers, without the graph of the gradients, which takes long to build
            for variable in tf.trainable_variables():
                for slot in ("Adam", "Adam_1"):
                    tf.get_variable(f"{variable.op.name}/{slot}", variable.shape, trainable=False)
            for power in ("beta1_power", "beta2_power"):
                tf.get_variable(power, [], trainable=False)
        values = {
            tf.placeholder(variable.dtype.base_dtype, variable.shape): _random(variable, rng, step)
            for variable in tf.global_variables()
        }
        assigned = [tf.assign(v, p) for v, p in zip(tf.global_variables(), values, strict=True)]
        return tf.train.Saver(), tf.group(*assigned), values

    with session(build) as (opened, (saver, assign, values)):
        opened.run(assign, values)
        saver.save(opened, str(prefix), global_step=step)
    return prefix.with_name(f"{prefix.name}-{step}")


def _random(variable: Any, rng: np.random.Generator, step: int) -> Any:
    """Numbers for a variable: weights that keep signals near 1, biases that are not zero."""
    name, shape = variable.op.name, variable.shape.as_list()
    if name == "global_step":
        return step
    if "/W" in name:
        gain = 0.3 if name.startswith("ae_res_") else 2.0 if name.startswith("logits") else 1.0
        return (gain * rng.standard_normal(shape) / np.sqrt(np.prod(shape[:-1]))).astype(np.float32)
    return (0.1 * rng.standard_normal(shape)).astype(np.float32)


@contextmanager
def stepper(prefix: Path, batch: int, *, sizes: Sizes = FULL) -> Iterator[Callable[[np.ndarray], None]]:
    """For timing: yields a function that lets fastgen make one sample for each note of a batch, encoding [B, C]."""
    tf: Any = importlib.import_module("tensorflow.compat.v1")

    _, fastgen = modules(sizes)
    with session(lambda tf: fastgen.load_fastgen_nsynth(batch_size=batch)) as (opened, network):
        tf.train.Saver().restore(opened, str(prefix))
        opened.run(network["init_ops"])
        audio = np.zeros((batch, 1))

        def step(encoding: np.ndarray) -> None:
            nonlocal audio
            audio = fastgen.generate_audio_sample(opened, network, audio, encoding)

        yield step


assert {field.name for field in fields(Sizes)} == set(LITERALS.values())
