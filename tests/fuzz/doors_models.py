"""Doors that models come in by: checkpoints, those of TensorFlow 1, configurations and runs of training."""

from __future__ import annotations

import hashlib
from typing import Any

import yaml

from synth_explorer import checkpoints
from synth_explorer.explorer import Explorer
from tests.conftest import REPOSITORY
from tests.fuzz.attack import Attempt, Door
from tests.fuzz.world import World

DEFAULT = REPOSITORY / "checkpoints" / "default-16k"
SMALL = ("config.json", "controls.json", "pitch.json")


def doors(world: World, *, heavy: bool) -> list[Door]:
    """All of them; without `heavy` those that need no Keras."""
    configs = [tiny_config(world), _tiny_wavenet(world)]
    small = {name: (DEFAULT / name).read_bytes() for name in SMALL}
    large = small | {path.name: path.read_bytes() for path in DEFAULT.iterdir() if path.suffix in (".npz", ".h5")}
    quick = [
        Door("checkpoint", [small], lambda given: _checkpoint(world, given)),
        Door("training configuration", configs, lambda given: _configured(world, given)),
    ]
    return quick + (_heavy(world, large) if heavy else [])


def _heavy(world: World, large: dict[str, bytes]) -> list[Door]:
    return [
        Door("weights of a checkpoint", [large], lambda given: _checkpoint(world, given), heavy=True),
        Door("checkpoint of NSynth", [_nsynth(world)], lambda given: _checkpoint(world, given), heavy=True),
        Door("TensorFlow 1", [_tensorflow(world)], _imported, heavy=True),
        _run(world),
    ]


def _checkpoint(world: World, given: Attempt) -> None:
    folder = given.tree()
    for path in DEFAULT.iterdir():
        if "pitch.json" in given.given and path.name not in given.given and path.name not in SMALL:
            (folder / path.name).symlink_to(path)
    checkpoints.read_info(folder)
    explorer = Explorer.load(folder)
    latents = explorer.encode(world.note)
    if explorer.has_pitch:  # others are compiled for long
        assert next(iter(explorer.stream(latents))).size


def _nsynth(world: World) -> dict[str, bytes]:
    from tests.model.small_nsynth import small_checkpoint

    folder = small_checkpoint(world.folder / "nsynth").path
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def _tensorflow(world: World) -> dict[str, bytes]:
    from tests.checkpoints.test_nsynth import PREFIX, network, write

    folder = write(world.folder / "tf1" / PREFIX, network()).parent
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def _imported(given: Attempt) -> None:
    checkpoints.import_nsynth(given.tree(), name="mine", into=given.out)


def tiny_config(world: World, **changes: Any) -> bytes:
    """A training configuration of the folder `set`."""
    from tests.model.small import SIZES

    values = {
        "datasets": {str(world.folder / "set"): 1.0}, "batch": 2, "frames": 8, "steps": 2, "warm_up_steps": 1,
        "validate_every": 2, "validation_notes": 1, "save_every_s": 0.0, "jit_compile": False,
        "model": SIZES | {"pre_roll_samples": 512},
    } | changes  # fmt: skip
    return yaml.safe_dump(values).encode()


def _tiny_wavenet(world: World) -> bytes:
    from tests.model.small_wavenet import SIZES

    return tiny_config(world, family="wavenet", model=SIZES | {"pre_roll_samples": 512})


def _configured(world: World, given: Attempt) -> None:
    """A batch of what a configuration asks for, without a network."""
    from synth_explorer.train.batches import Batches
    from synth_explorer.train.start import load
    from synth_explorer.train.trainer import open_sources

    config = load(given.file(".yaml"))
    sources = open_sources(config, config.sizes, split=_split(world))
    how = {"size": config.batch, "frames": config.frames, "seed": config.seed, "augmentation": config.augmentation}
    Batches(sources, config.sizes, **how).batch(0)


def _split(world: World) -> str:
    from synth_explorer.data.dataset import NotesDataset

    return NotesDataset(world.folder / "set").rows[0].split


def _run(world: World) -> Door:
    """A run's state; the network is built once."""
    from synth_explorer.quiet import import_keras

    import_keras()
    from synth_explorer.train.start import load
    from synth_explorer.train.trainer import Run

    path, out = world.folder / "train.yaml", world.folder / "run"
    path.write_bytes(tiny_config(world))
    run = Run.__new__(Run)
    run.config, run.out, run.step, run.best = load(path), out, 0, 1.0
    run.model = run.make_model()
    run.average = run.model.get_weights()
    out.mkdir()
    run._save()
    state = (out / "state.npz").read_bytes()

    def resumed(given: Attempt) -> None:
        run.out = given.tree()
        before = _hash(run)
        try:
            run.resume()
        except Exception:
            assert _hash(run) == before, "half of a state was taken"
            raise

    return Door("state of a run", [{"state.npz": state}], resumed, heavy=True)


def _hash(run: Any) -> str:
    return hashlib.sha256(b"".join(weight.tobytes() for weight in run.model.get_weights())).hexdigest()
