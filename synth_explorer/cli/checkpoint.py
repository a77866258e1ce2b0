"""Commands about checkpoints."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from synth_explorer.cli import common

if TYPE_CHECKING:
    from synth_explorer.checkpoints import CheckpointInfo

app = typer.Typer(help="List, read, verify and import checkpoints.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(metavar="NAME", help="A checkpoint's name or its folder.")]


@app.command("list")
def list_() -> None:
    """Every checkpoint that is found here; those that cannot be read are named on stderr."""
    from synth_explorer import checkpoints

    infos = checkpoints.list_checkpoints()
    rows = [[info.name, _size(info), info.hash[:12], info.description, info.path] for info in infos]
    common.print_table("", ["name", "size", "hash", "description", "folder"], rows)
    for why in checkpoints.damaged_checkpoints():
        typer.echo(f"warning: {why}", err=True)


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


@app.command("import-nsynth")
def import_nsynth(
    path: Annotated[
        Path,
        typer.Argument(metavar="PATH", help="TensorFlow 1 checkpoint: prefix, .index, .meta, its folder, or a tar."),
    ],
    name: Annotated[str, typer.Option("--name", metavar="NAME", help="What to call it.")],
    averaged: Annotated[
        bool, typer.Option("--averaged", help="Take the moving averages; else the plain weights, as magenta does.")
    ] = False,
    into: Annotated[
        Path | None,
        typer.Option(
            "--into",
            metavar="DIR",
            help="Folder to write to; else the first of $SYNTH_EXPLORER_CHECKPOINTS, or this program's checkpoints/.",
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a checkpoint of this name.")] = False,
) -> None:
    """Import a checkpoint of magenta's NSynth (h512_bo16), so that it works wherever the bundled one does."""
    from synth_explorer import checkpoints

    with common.status(f"importing {path}"):
        found = checkpoints.import_nsynth(path, name=name, into=into, averaged=averaged, force=force)
    info = found.info
    common.say(info.path)
    typer.echo(f"{info.name}: {info.description}; hash {info.hash[:12]}, {_size(info)}", err=True)
    left = f"{found.left_out} other variables (averages, optimizer, counters) were left out"
    typer.echo(f"from {found.source}; {left}", err=True)


def _size(info: CheckpointInfo) -> str:
    return f"{info.size_bytes / 1e6:.1f} MB"
