"""The command that calibrates a checkpoint: what moves what is heard, measured through its decoder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from synth_explorer.cli import common
from synth_explorer.errors import SynthExplorerError

if TYPE_CHECKING:
    from synth_explorer.calibration import Calibration
    from synth_explorer.explorer import Explorer

WORK = ".calibration.jsonl"


def calibrate(
    notes: Annotated[
        Path, typer.Argument(metavar="NOTES", help="A folder of sounds with an index.csv of at least path,pitch.")
    ],
    checkpoint: common.Checkpoint = "default",
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "-o",
            metavar="DIR",
            file_okay=False,
            callback=common.a_folder,
            help="Write controls.json and calibration.json, .md here.",
        ),
    ] = None,
    in_place: Annotated[
        bool, typer.Option("--in-place", help="Put controls.json and calibration.md into the checkpoint.")
    ] = False,
    limit: Annotated[int | None, typer.Option("--notes", min=2, help="Look at so many notes (default 400).")] = None,
    probes: Annotated[
        int | None, typer.Option("--probes", min=2, help="Move and decode so many of them (24; 6 for a WaveNet).")
    ] = None,
    stretch_s: Annotated[
        float | None,
        typer.Option(
            "--stretch-s",
            metavar="SECONDS",
            min=0.1,
            callback=common.a_number,
            help="So much of each (2; 0.5 for a WaveNet).",
        ),
    ] = None,
    directions: Annotated[
        int | None, typer.Option("--directions", min=0, help="Principal directions to measure (4; 3 for a WaveNet).")
    ] = None,
    few: Annotated[
        bool | None, typer.Option("--few/--many", help="Fewer or more settings of each control (few for a WaveNet).")
    ] = None,
    engine: common.Engine = "auto",
) -> None:
    """Find what moves loudness, brightness, noisiness, attack, pitch, spread and hollowness in a checkpoint's latents.

    Controls that were tied in training stay; how they answer is measured. For what has none a direction is sought, and
    kept only where it does what its name says on notes it was not made from. Stopped and started again, it goes on.
    A note that cannot be read is left out and said, and the exit code is 1.
    Latents that were saved before stay valid.
    """
    if (out is None) == (not in_place):
        raise common.wrong_usage("give a folder to write to, or --in-place; not both.", "-o")
    common.check_inputs(notes)
    explorer = common.load_explorer(checkpoint)
    from synth_explorer import calibration
    from synth_explorer.index import IndexRow, read_index

    given = [calibration.Note(note.path, note.pitch) for note in read_index(notes, IndexRow)]
    settings = calibration.Settings.suited(
        explorer, notes=limit, probes=probes, stretch_s=stretch_s, directions=directions, few=few, engine=engine
    )
    folder = explorer.info.path.resolve()
    journal = folder.parent / f".{folder.name}{WORK}" if out is None else out / WORK
    with common.progress(f"calibrating {explorer.checkpoint_name}", unit="steps") as advance:
        found = calibration.calibrate(explorer, given, journal_path=journal, settings=settings, progress=advance)
    _show(found)
    text = calibration.markdown(found.report)
    if out is None:
        common.say(calibration.install(explorer.info, found.controls, report=text).path)
    else:
        _write(explorer, found, text, out)
    _say_left_out(found)


def _say_left_out(found: Calibration) -> None:
    """Say which notes were left out; for what is more than silence the exit code is 1."""
    failures = common.Failures()
    for name, why in found.report["left_out"].items():
        if " is silent " in why:
            typer.echo(f"warning: {why}", err=True)
        else:
            failures.add(SynthExplorerError(why), of=name)
    failures.end()


def _write(explorer: Explorer, found: Calibration, text: str, out: Path) -> None:
    """Controls and reports into a folder."""
    from synth_explorer.checkpoints import CONTROLS

    common.write_json(out / CONTROLS, found.controls.to_dict())
    common.write_json(out / "calibration.json", found.report)
    common.write_text(out / "calibration.md", text)
    for name in (CONTROLS, "calibration.json", "calibration.md"):
        common.say(out / name)


def _show(found: Calibration) -> None:
    """The answers as a table, and what does not answer."""
    keys = ("by", "spearman", "slope", "error", "r2", "notes", "answers")
    rows = [[name, *(item[key] for key in keys)] for name, item in found.report["controls"].items()]
    common.print_table(f"{found.report['notes']} notes", ["control", *keys], rows, err=True)
    for name, why in found.controls.unanswered.items():
        typer.echo(f"{name} does not answer: {why}", err=True)
    for axis in found.controls.principal:
        typer.echo(axis.name, err=True)
