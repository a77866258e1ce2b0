"""Commands that judge a checkpoint on a folder of notes: audio files and an index.csv with at least path,pitch."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from synth_explorer.cli import common

app = typer.Typer(help="Judge a checkpoint on a folder of notes.", no_args_is_help=True)

Notes = Annotated[Path, typer.Argument(metavar="NOTES", help="A folder of WAV or FLAC files with an index.csv.")]
SaveAudio = Annotated[Path | None, typer.Option("--save-audio", metavar="DIR", help="Keep the renders here.")]
PitchFrom = Annotated[
    Literal["estimate", "index"], typer.Option("--pitch-from", help="Estimate the pitch or take the index's.")
]


@app.command("reconstruction")
def reconstruction(
    notes: Notes,
    out: common.Report,
    checkpoint: common.Checkpoint = "default",
    decoder: common.Decoder = "fast",
    save_audio: SaveAudio = None,
    pitch_from: PitchFrom = "estimate",
) -> None:
    """Encode and decode every note; compare with the original."""
    common.check_inputs(notes)
    explorer = common.load_explorer(checkpoint)
    from synth_explorer.train import evaluation

    with common.progress("reconstruction") as advance:
        report = evaluation.evaluate_reconstruction(
            explorer, notes, decoder=decoder, save_audio=save_audio, pitch_source=pitch_from, progress=advance
        )
    _finish(report, out)


@app.command("morph")
def morph(
    notes: Notes,
    out: common.Report,
    checkpoint: common.Checkpoint = "default",
    decoder: common.Decoder = "fast",
    save_audio: SaveAudio = None,
    pitch_from: PitchFrom = "estimate",
) -> None:
    """Morph pairs of notes of one pitch; see whether the pitch stays."""
    common.check_inputs(notes)
    explorer = common.load_explorer(checkpoint)
    from synth_explorer.train import evaluation

    with common.progress("morph") as advance:
        report = evaluation.evaluate_morph(
            explorer, notes, decoder=decoder, save_audio=save_audio, pitch_source=pitch_from, progress=advance
        )
    _finish(report, out)


def _finish(report: dict[str, Any], out: Path) -> None:
    """Write the report, show its summary."""
    common.write_json(out, report)
    common.print_table(f"{report['notes']} notes", ["", ""], [[*item] for item in report["summary"].items()], err=True)
    common.say(out)
