"""A training run from its configuration file, whatever the family of its model."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

from synth_explorer.errors import SpecError
from synth_explorer.files import atomic_path, read_text
from synth_explorer.marked import Marked
from synth_explorer.train.nsynth import NSynthTrainConfig
from synth_explorer.train.trainer import TrainConfig
from synth_explorer.train.wavenet import WaveNetTrainConfig

CONFIGS: dict[str, type[TrainConfig]] = {
    kind.family: kind for kind in (TrainConfig, WaveNetTrainConfig, NSynthTrainConfig)
}


def load(path: str | Path) -> TrainConfig:
    """Read YAML or JSON; `family` says of what kind it is. Raises SpecError with the name of what is wrong."""
    path = Path(path)
    try:
        values = Marked(read_text(path), name=str(path)).data
    except (OSError, UnicodeDecodeError) as error:
        raise SpecError(f"{path} can't be read as a training configuration: {error}.") from None
    if not isinstance(values, dict):
        raise SpecError(f"{path} must be a mapping with at least `datasets`.")
    family = str(values.pop("family", TrainConfig.family))
    if family not in CONFIGS:
        raise SpecError(f"{path}: family: should be one of {', '.join(CONFIGS)}; received {family!r}.")
    return CONFIGS[family].of(values, path)


def train(config_path: str | Path, out: str | Path, *, resume: bool = False, report=print) -> Path:
    """Train from a configuration file into the folder `out`; returns the best weights' path.

    Raises SpecError for a bad configuration or when `out` already holds a run and `resume` is not set.
    """
    config, out = load(config_path), Path(out)
    if (out / "state.npz").exists() and not resume:
        raise SpecError(f"{out} already holds a run; give --resume to go on with it, or another folder.")
    out.mkdir(parents=True, exist_ok=True)
    with atomic_path(out / "config.json") as temporary:
        temporary.write_text(json.dumps({"family": config.family, **asdict(config)}, indent=2) + "\n", encoding="utf-8")
    return config.run()(config, out, resume=resume).train(report)
