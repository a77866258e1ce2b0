"""Commands about checkpoints."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from synth_explorer.cli import common

if TYPE_CHECKING:
    from synth_explorer.checkpoints import CheckpointInfo

app = typer.Typer(help="List, read and verify checkpoints.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(metavar="NAME", help="A checkpoint's name or its folder.")]


@app.command("list")
def list_() -> None:
    """Every checkpoint that is found here."""
    from synth_explorer import checkpoints

    infos = checkpoints.list_checkpoints()
    rows = [[info.name, _size(info), info.hash[:12], info.description, info.path] for info in infos]
    common.print_table("", ["name", "size", "hash", "description", "folder"], rows)


@app.command("show")
def show(name: Name) -> None:
    """The checkpoint's card: data, licences, training, figures, limits."""
    from synth_explorer import checkpoints

    common.say(checkpoints.show(name))


@app.command("verify")
def verify(name: Name) -> None:
    """Compare the checkpoint's files with their recorded hashes."""
    from synth_explorer import checkpoints

    info = checkpoints.verify(name)
    common.say(f"{info.name}: whole, hash {info.hash[:12]}, {_size(info)}")


def _size(info: CheckpointInfo) -> str:
    return f"{info.size_bytes / 1e6:.1f} MB"
