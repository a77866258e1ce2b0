"""The shell: thin commands over `synth_explorer.explorer.Explorer`.

Exit codes: 0 done, 1 a clear error in one line on stderr, 2 wrong usage. Nothing heavier than Typer is imported until a
command runs, so `synth-explorer --help` answers at once.
"""

from __future__ import annotations

import codecs
import io
import sys
from typing import Annotated

import typer

from synth_explorer.cli import (
    bench,
    calibrate,
    checkpoint,
    dataset,
    edit,
    evaluate,
    inspect,
    instrument,
    library,
    morph,
    notes,
    page,
    play,
    recording,
    render,
    sheet,
    train,
)
from synth_explorer.cli.common import Shell
from synth_explorer.cli.edit_options import EditCommand

app = typer.Typer(
    name="synth-explorer",
    cls=Shell,
    help="Explore the space between sounds: notes to latents and back, morphs and edits in musical units.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        from synth_explorer import __version__

        typer.echo(f"synth-explorer {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    debug: Annotated[
        bool, typer.Option("--debug", envvar="SYNTH_EXPLORER_DEBUG", help="Show the traceback of an error.")
    ] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and leave.")
    ] = False,
) -> None:
    """Options of every command; `Shell` reads --debug."""


app.command("encode")(notes.encode)
app.command("decode")(notes.decode)
app.command("morph")(morph.morph)
app.command("render")(render.render)
app.command("notes")(recording.notes)
app.command("sheet")(sheet.sheet)
app.command("instrument")(instrument.instrument)
app.command("play")(play.play)
app.command("edit", cls=EditCommand)(edit.edit)
app.command("inspect")(inspect.inspect)
app.command("page")(page.page)
app.command("train")(train.train)
app.command("train-pitch")(train.train_pitch)
app.command("train-ears")(train.train_ears)
app.command("calibrate")(calibrate.calibrate)
app.command("bench")(bench.bench)
app.add_typer(dataset.app, name="dataset")
app.add_typer(evaluate.app, name="evaluate")
app.add_typer(checkpoint.app, name="checkpoint")
app.add_typer(library.app, name="library")


def _printable(error: UnicodeError) -> tuple[str | bytes, int]:
    """Bytes of names of files as they were, "?" for other characters that the terminal has not."""
    try:
        return codecs.lookup_error("surrogateescape")(error)
    except UnicodeError:
        return codecs.lookup_error("replace")(error)


def main() -> None:
    """Run the command line."""
    codecs.register_error("bytes-or-?", _printable)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="bytes-or-?")
    app(prog_name="synth-explorer")
