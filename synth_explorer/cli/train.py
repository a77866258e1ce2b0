"""The commands that train a checkpoint, its pitch head, and ears."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from synth_explorer.cli import common


def train(
    config: Annotated[Path, typer.Argument(metavar="CONFIG", help="A training configuration, YAML.")],
    out: common.Folder,
    resume: Annotated[bool, typer.Option("--resume", help="Go on where a run in this folder stopped.")] = False,
    pitch_head: Annotated[
        Path | None, typer.Option("--pitch-head", metavar="DIR", help="From `train-pitch`; else the bundled one.")
    ] = None,
) -> None:
    """Train a model from a configuration; log to CSV, keep the best by validation, leave it as DIR/checkpoint."""
    from synth_explorer import quiet

    common.check_inputs(config)
    quiet.import_keras()
    from synth_explorer.train import start
    from synth_explorer.train.export import export

    start.train(config, out, resume=resume)
    common.say(export(out, out / "checkpoint", pitch_folder=pitch_head).path)


def train_pitch(
    datasets: Annotated[list[Path], typer.Argument(metavar="DATASET...", help="Folders that `dataset` wrote.")],
    out: common.Folder,
    minutes: Annotated[float, typer.Option(min=0.1, callback=common.a_number, help="Wall time to take.")] = 20.0,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the notes and weights.")] = 0,
    begin_from: Annotated[
        Path | None, typer.Option("--begin-from", metavar="DIR", help="An earlier head or a checkpoint to go on from.")
    ] = None,
    percussion: Annotated[
        list[Path] | None, typer.Option(metavar="DATASET", help="What `dataset render-percussion` wrote; for doubt.")
    ] = None,
    doubt_sounds: Annotated[int, typer.Option(min=0, help="Sounds that doubt is learned from; 0: none.")] = 20_000,
    doubt_only: Annotated[bool, typer.Option("--doubt-only", help="Keep the head that --begin-from names.")] = False,
) -> None:
    """Train the head that estimates a note's pitch, then its doubt: chords, noise, how sure a pitch is.

    Leaves pitch.json and pitch.weights.h5 in DIR.
    """
    if doubt_only and (begin_from is None or not doubt_sounds):
        raise common.wrong_usage("it needs --begin-from, and sounds to learn from.", "--doubt-only")
    from synth_explorer import quiet

    quiet.import_keras()
    from synth_explorer.train import pitch

    minutes = 0.0 if doubt_only else minutes
    doubt = {"percussion": percussion or (), "doubt_sounds": doubt_sounds}
    common.say(pitch.train_pitch(datasets, out, minutes=minutes, seed=seed, begin_from=begin_from, **doubt))


def train_ears(
    datasets: Annotated[list[Path], typer.Argument(metavar="DATASET...", help="Folders that `dataset` wrote.")],
    out: common.Folder,
    epochs: Annotated[int, typer.Option(min=1, help="How often each note is heard.")] = 6,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the weights and of how notes are changed.")] = 0,
    linear: Annotated[
        bool, typer.Option("--linear", help="Also the same network on bands without the logarithm, to compare.")
    ] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Go on where a run in this folder stopped.")] = False,
) -> None:
    """Train the ears of the library: which instrument, which family. Leaves ears.npz and ears.json in DIR.

    The report says how well instruments that were held out are told, beside cepstra and an untrained network.
    """
    from synth_explorer import quiet

    quiet.import_keras()
    from synth_explorer.train import ears, ears_scores

    how = {"seed": seed, "resume": resume, "say": lambda line: typer.echo(line, err=True)}
    trained = {"trained": ears.train_ears(datasets, out / "ears.npz", epochs=epochs, **how)}
    trained["untrained"] = ears.train_ears(datasets, out / "untrained.npz", epochs=0, **how)
    if linear:
        name = "trained, no logarithm"
        trained[name] = ears.train_ears(datasets, out / "linear.npz", epochs=epochs, logarithm=False, **how)
    common.write_json(out / "ears.json", ears_scores.report(trained, datasets))
    common.say(out / "ears.npz")
