"""Putting new controls into a checkpoint: all at once, or not at all."""

from __future__ import annotations

import json

from synth_explorer import checkpoints
from synth_explorer.edits import Controls
from synth_explorer.errors import CheckpointError

REPORT = "calibration.md"


def install(info: checkpoints.CheckpointInfo, controls: Controls, *, report: str) -> checkpoints.CheckpointInfo:
    """Replace a checkpoint's controls.json, and put the report beside it; everything else stays as it is.

    Latents that were saved before stay valid: the weights that give them their meaning are the same.

    `report`: Markdown, for its folder. Raises CheckpointError: the folder can't be written, or holds other weights than
    when `info` was read.
    """
    if checkpoints.verify(info.path).hash != info.hash:
        raise CheckpointError(f"The checkpoint {info.name} was changed meanwhile; calibrate it again.")
    text = json.dumps(controls.to_dict(), indent=2, allow_nan=False) + "\n"
    return checkpoints.amend(info, {checkpoints.CONTROLS: text.encode(), REPORT: report.encode()})
