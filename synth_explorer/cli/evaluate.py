"""Commands that judge a checkpoint on a folder of notes: audio files and an index.csv with at least path,pitch."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from synth_explorer.cli import common, sound
from synth_explorer.cli.cluster import Place
from synth_explorer.errors import SynthExplorerError

if TYPE_CHECKING:
    from synth_explorer.audio import Writing
    from synth_explorer.evaluation.index import Save
    from synth_explorer.explorer import Explorer

app = typer.Typer(
    help="Judge a checkpoint on a folder of notes. One that cannot be used is said, and the exit code is 1.",
    no_args_is_help=True,
)

Notes = Annotated[Path, typer.Argument(metavar="NOTES", help="A folder of WAV or FLAC files with an index.csv.")]
SaveAudio = Annotated[
    Path | None,
    typer.Option(
        "--save-audio", metavar="DIR", file_okay=False, callback=common.a_folder, help="Keep the renders here."
    ),
]
PitchFrom = Annotated[
    Literal["estimate", "index"], typer.Option("--pitch-from", help="Estimate the pitch or take the index's.")
]


@dataclass(frozen=True)
class Asked:
    """What is judged, and what is kept of it."""

    checkpoint: common.Checkpoint = "default"
    decoder: common.Decoder = None
    engine: common.Engine = "auto"
    save_audio: SaveAudio = None
    pitch_from: PitchFrom = "estimate"
    fit_steps: common.FitSteps = None


@app.command("reconstruction")
@common.grouped
def reconstruction(
    notes: Notes,
    out: common.Report,
    *,
    asked: Asked,
    file: sound.File,
    place: Place,
    with_baselines: Annotated[
        bool, typer.Option("--baselines", help="Also the other decoders, an untrained one, mu-law alone, another seed.")
    ] = False,
) -> None:
    """Encode and decode every note; compare with the original."""
    _judge("reconstruction", notes, out, asked, file, place, with_baselines=with_baselines)


@app.command("morph")
@common.grouped
def morph(notes: Notes, out: common.Report, *, asked: Asked, file: sound.File, place: Place) -> None:
    """Morph pairs of notes of one pitch; see whether the pitch stays."""
    _judge("morph", notes, out, asked, file, place)


def _judge(name: str, notes: Path, out: Path, asked: Asked, file: sound.File, place: Place, **options: bool) -> None:
    """Evaluate, and write the report."""
    _check(notes, out)
    if asked.save_audio is None and file != sound.File():
        raise common.wrong_usage("no renders are kept: say where by --save-audio.", "--peak, --bits, --length-s")
    how, executor = file.writing(), place.errands()
    explorer = common.load_explorer(asked.checkpoint)
    from synth_explorer import evaluation

    judges = {"reconstruction": evaluation.evaluate_reconstruction, "morph": evaluation.evaluate_morph}
    with common.progress(name) as advance:
        report = judges[name](
            explorer,
            notes,
            decoder=common.decoder_of(explorer, asked.decoder),
            engine=asked.engine,
            save_audio=asked.save_audio,
            save=_save(explorer, how),
            pitch_source=asked.pitch_from,
            fit_steps=common.steps_of(asked.fit_steps),
            workers=place.workers,
            executor=executor,
            progress=advance,
            **options,
        )
    _finish(report, out)


@app.command("controls")
@common.grouped
def controls(
    notes: Notes,
    out: common.Report,
    *,
    checkpoint: common.Checkpoint = "default",
    controls: Annotated[
        str, typer.Option("--controls", metavar="NAME,NAME", help="Which to sweep; all unless given.")
    ] = "",
    methods: Annotated[
        str, typer.Option("--methods", metavar="NAME,NAME", help="Of solved,named,raw,none; all unless given.")
    ] = "",
    limit: Annotated[int | None, typer.Option("--limit", min=2, help="So many notes, spread over the index.")] = None,
    pitch_from: PitchFrom = "estimate",
    fit_steps: common.FitSteps = None,
    place: Place,
) -> None:
    """Sweep every control on every note; compare what was heard with what was asked.

    Each is solved by the closed loop (solved), applied by its formula (named), replaced by NSynth's edits of all
    channels (raw), and left away (none).
    """
    _check(notes, out)
    executor = place.errands()
    explorer = common.load_explorer(checkpoint)
    from synth_explorer import evaluation

    with common.progress("controls") as advance:
        report = evaluation.evaluate_controls(
            explorer,
            notes,
            controls=_names(controls) or tuple(evaluation.SWEEPS),
            methods=_names(methods) or evaluation.METHODS,
            limit=limit,
            pitch_source=pitch_from,
            fit_steps=common.steps_of(fit_steps),
            workers=place.workers,
            executor=executor,
            progress=advance,
        )
    common.write_json(out, report)
    shown = ("spearman_median", "slope_median", "error_median", "error_90", "failures", "side_failures", "declared")
    rows = [
        [name, method, *(figures.get(key) for key in shown)]
        for name, by_method in report["summary"]["controls"].items()
        for method, figures in by_method.items()
    ]
    heads = ["control", "method", *(key.replace("_", " ") for key in shown)]
    common.print_table(f"{report['notes']} notes", heads, rows, err=True)
    common.say(out)
    _say_failed(report)


def _save(explorer: Explorer, how: Writing) -> Save:
    """What writes a render as these options say."""

    from synth_explorer.audio import Sampler

    def save(path: Path, audio: Any, midi: float) -> None:
        sampler = Sampler(midi) if 0.0 <= midi < 128.0 else None
        sound.write(path, audio, sample_rate_hz=explorer.sample_rate_hz, sampler=sampler, how=how)

    return save


def _say_failed(report: dict[str, Any]) -> None:
    """Say which notes could not be used; the exit code is then 1, with the report written for the others."""
    failures = common.Failures()
    for one in report["failed"]:
        failures.add(SynthExplorerError(one["error"]), of=one["path"])
    failures.end()


def _check(notes: Path, out: Path) -> None:
    """Refuse a folder that is not there, or a report that cannot be written, before any work is done."""
    common.check_suffix(out, common.REPORT_SUFFIXES)
    common.check_outputs(("-o", out))
    common.check_inputs(notes)


def _names(text: str) -> tuple[str, ...]:
    """The names of a list with commas."""
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _finish(report: dict[str, Any], out: Path) -> None:
    """Write the report, show its summary."""
    common.write_json(out, report)
    beside = report["summary"].get("baselines", {})
    rows = [[*item] for item in report["summary"].items() if item[0] != "baselines"]
    common.print_table(f"{report['notes']} notes", ["", ""], rows, err=True)
    if beside:
        keys = ("log_mel_db_mean", "level_error_db_median", "attack_error_ms_median", "frechet_db2")
        table = [[name, *(figures.get(key) for key in keys)] for name, figures in beside.items()]
        common.print_table("beside", ["", *keys], table, err=True)
    common.say(out)
    _say_failed(report)
