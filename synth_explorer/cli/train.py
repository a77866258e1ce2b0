"""The command that trains a checkpoint."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from synth_explorer.cli import common


def train(
    config: Annotated[Path, typer.Argument(metavar="CONFIG", help="A training configuration, YAML.")],
    out: common.Folder,
    resume: Annotated[bool, typer.Option("--resume", help="Go on where a run in this folder stopped.")] = False,
) -> None:
    """Train a model from a configuration; log to CSV, keep the best by validation."""
    from synth_explorer import quiet

    common.check_inputs(config)
    quiet.import_keras()
    from synth_explorer.train import trainer

    trainer.train(config, out, resume=resume)
    common.say(out)
