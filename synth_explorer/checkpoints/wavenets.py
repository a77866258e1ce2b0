"""WaveNets beside the default model, in its checkpoint's folder: `wavenet-FORM.json` (sizes) and `.npz` (weights)."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from synth_explorer.checkpoints.folder import CheckpointInfo, amend
from synth_explorer.errors import CheckpointError
from synth_explorer.files import UNREADABLE

if TYPE_CHECKING:
    from synth_explorer.model.config import ModelConfig
    from synth_explorer.model.wavenet import WaveNet


@dataclass(frozen=True, eq=False)
class StoredWaveNet:
    """A WaveNet with its weights; `gain` and `tails` as of `decode.final.FinalRender`."""

    network: WaveNet
    gain: float
    tails: float


def files_of(form: str) -> tuple[str, str]:
    """Names of sizes and weights."""
    return f"wavenet-{form}.json", f"wavenet-{form}.npz"


def add_wavenet(
    info: CheckpointInfo,
    network: WaveNet,
    *,
    gain: float,
    tails: float,
    final: bool,
    about: dict[str, Any] | None = None,
) -> CheckpointInfo:
    """Put a WaveNet into a checkpoint of the default family, or replace the one of its form.

    Args:
        info: of the checkpoint.
        network: with its weights; stored as half-precision floats.
        gain, tails: see `StoredWaveNet`.
        final: whether `--decoder wavenet` means this form from now on.
        about: what else the JSON should tell (steps, data).

    Raises:
        CheckpointError: a checkpoint of another family, or a folder that can't be written.
    """
    if info.family != "default":
        raise CheckpointError(f"{info.name} is of the family {info.family!r}, which has a WaveNet of its own.")
    sizes, weights = files_of(network.config.form)
    values = {"config": network.config.to_dict(), "gain": gain, "tails": tails, **(about or {})}
    buffer = io.BytesIO()
    np.savez(buffer, **{_name(v.path): np.asarray(w, np.float16) for v, w in _pairs(network)})
    files = {sizes: (json.dumps(values, indent=2) + "\n").encode(), weights: buffer.getvalue()}
    form = network.config.form
    return amend(info, files, **({"final_form": form} if final or not info.final_form else {}))


def load_wavenets(info: CheckpointInfo, model_config: ModelConfig) -> dict[str, StoredWaveNet]:
    """The WaveNets of a checkpoint by form, the final one first. Raises CheckpointError when one does not fit."""
    from synth_explorer.model.wavenet_config import FORMS

    forms = sorted((form for form in FORMS if files_of(form)[0] in info.files), key=lambda f: f != info.final_form)
    return {form: _load(info, form, model_config) for form in forms}


def _load(info: CheckpointInfo, form: str, model_config: ModelConfig) -> StoredWaveNet:
    from synth_explorer.model.wavenet import WaveNet
    from synth_explorer.model.wavenet_config import WaveNetConfig

    sizes, weights = (info.path / name for name in files_of(form))
    try:
        values = json.loads(sizes.read_text(encoding="utf-8"))
        config = WaveNetConfig.from_dict(values["config"])
        gain, tails = float(values["gain"]), float(values["tails"])
        with np.load(weights, allow_pickle=False) as file:
            arrays = {name: file[name].astype(np.float32) for name in file.files}
    except (*UNREADABLE, TypeError) as error:
        raise CheckpointError(f"{weights} and its JSON can't be read as a WaveNet: {error}.") from None
    if config.form != form:
        raise CheckpointError(f"{sizes} holds a WaveNet of the form {config.form!r}.")
    network = WaveNet(config, model_config, name="wavenet")
    network.build()
    wanted = {_name(variable.path): variable for variable in network.weights}
    wrong = sorted(set(wanted) ^ set(arrays)) or [n for n, v in wanted.items() if tuple(v.shape) != arrays[n].shape]
    if wrong:
        raise CheckpointError(f"{weights} does not fit its sizes: {len(wrong)} weights differ, first {wrong[0]!r}.")
    for name, variable in wanted.items():
        if not np.isfinite(arrays[name]).all():
            raise CheckpointError(f"{weights}: {name} has values that are not finite.")
        variable.assign(arrays[name])
    return StoredWaveNet(network, gain, tails)


def _pairs(network: WaveNet) -> Any:
    return zip(network.weights, network.get_weights(), strict=True)


def _name(path: str) -> str:
    """The path of a weight without its model's own name."""
    return path.split("/", 1)[1]
