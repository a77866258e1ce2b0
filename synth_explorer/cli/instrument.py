"""The command that makes instruments for samplers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from synth_explorer.cli import common, inputs

if TYPE_CHECKING:
    from synth_explorer.rendering import Patch, Renderer

Sources = Annotated[
    list[Path],
    typer.Argument(
        metavar="PATCH|NOTE...",
        callback=inputs.notes,
        help="A patch (.json, .zip), or one to four notes or latents; bundled notes by name.",
    ),
]
MorphSteps = Annotated[
    int | None, typer.Option("--morph-steps", min=2, max=32, help="Sounds from the first note to the last.")
]

ByPitch = Annotated[
    bool,
    typer.Option(
        "--by-pitch",
        help="The notes are recordings of one instrument at several pitches: a key lies between those next to it.",
    ),
]

ReleaseS = Annotated[
    float | None,
    typer.Option(
        metavar="SECONDS", callback=common.a_number, help="How long a key that is let go rings; else as the note."
    ),
]


NO_WHEEL = "by pitch the keys choose between the notes, so nothing else moves between them."


def instrument(
    sources: Sources,
    out: common.Folder,
    format: Annotated[
        str, typer.Option("--format", metavar="sfz,decent,bitwig", help="What to write, one or several.")
    ] = "sfz",
    keys: Annotated[
        str, typer.Option(metavar="LOW-HIGH|KEY", help="Keys that it plays, C4 is middle C (60).")
    ] = "C2-C6",
    key_step: Annotated[int, typer.Option(min=1, max=24, help="Every so many semitones a key is rendered.")] = 3,
    velocity_layers: Annotated[int, typer.Option(min=1, max=16, help="Layers of level and brightness.")] = 3,
    round_robin: Annotated[int, typer.Option(min=1, max=16, help="Sounds of a key, by seed, that take turns.")] = 1,
    morph_steps: MorphSteps = None,
    by_pitch: ByPitch = False,
    release_s: ReleaseS = None,
    checkpoint: common.Checkpoint = "default",
    decoder: common.Decoder = None,
    seed: common.Seed = 0,
    fit_steps: common.FitSteps = None,
) -> None:
    """A patch as an instrument for samplers: over keys and velocities, looped, in tune; several notes on the mod wheel.

    Into the folder go the instrument under the folder's name, its samples and `instrument.json`, a report.
    """
    from synth_explorer.errors import SpecError, SynthExplorerError
    from synth_explorer.instruments import Plan, formats_of, key_range, make, sample_path, targets, write

    try:
        formats = formats_of(format)
    except SpecError as error:
        raise common.wrong_usage(str(error), "--format") from None
    try:
        low, high = key_range(keys)
        plan = Plan(low, high, key_step, velocity_layers, round_robin, morph_steps or 1, release_s)
    except SynthExplorerError as error:
        raise common.wrong_usage(str(error), "--keys") from None
    files = targets(out, formats)
    written = [*files, *(out / sample_path(slot) for slot in plan.slots)]
    common.check_outputs(*(("-o", file) for file in written), inputs=sources)
    older = [file for file in files if file.is_file()]
    if by_pitch and morph_steps is not None:
        raise common.wrong_usage(NO_WHEEL, "--morph-steps")
    renderer, patch = opened(
        sources, by_pitch=by_pitch, checkpoint=checkpoint, decoder=decoder, seed=seed, fit_steps=fit_steps
    )
    with common.progress(f"rendering {out.name}", unit="samples") as update:
        made = make(renderer, patch, plan, name=out.resolve().name, processes=None, progress=update)
    write(made, out, formats=formats)
    for file in older:
        typer.echo(f"note: replaced {file}", err=True)
    for file in files:
        common.say(file)
    _say(made, formats)


def _say(made: Any, formats: tuple[Any, ...]) -> None:
    """What is to be known of an instrument, a line each."""
    from synth_explorer.instruments.writing import cannot

    for note in (*made.notes, *cannot(made, formats), made.consistency):
        typer.echo(f"note: {note}", err=True)


def opened(
    sources: list[Path], *, by_pitch: bool, checkpoint: str, decoder: str | None, seed: int, fit_steps: int | None
) -> tuple[Renderer, Patch]:
    """The patch that PATCH|NOTE... names, and what renders it. A patch says its own checkpoint, seed and fit."""
    is_patch = any(path.suffix.lower() in common.PATCH_SUFFIXES for path in sources)
    if is_patch and len(sources) > 1:
        raise common.wrong_usage("give one patch, or notes; not both.", "PATCH|NOTE")
    if len(sources) > 4:
        raise common.wrong_usage(f"an instrument has one to four notes, not {len(sources)}.", "PATCH|NOTE")
    if by_pitch and (is_patch or len(sources) == 1):
        raise common.wrong_usage("is of two to four notes; a patch says it itself.", "--by-pitch")
    common.check_inputs(*sources)
    if is_patch:
        return _opened_patch(sources[0], checkpoint=checkpoint, decoder=decoder, seed=seed, fit_steps=fit_steps)
    explorer = common.load_explorer(checkpoint)
    from synth_explorer.rendering import Mix, Renderer, Source

    renderer = Renderer(explorer)
    patch = renderer.patch(
        *(Source.of(note) for note in sources),
        checkpoint=checkpoint,
        decoder=common.decoder_of(explorer, decoder),
        seed=seed,
        fit_steps=common.steps_of(fit_steps),
    )
    if by_pitch:
        patch = patch.but(mix=Mix(by_pitch=True))
    for note, source in zip(sources, patch.sources, strict=True):
        common.say_notices(note, renderer.latents(source, fit_steps=patch.fit_steps))
    return renderer, patch


def _opened_patch(
    path: Path, *, checkpoint: str, decoder: str | None, seed: int, fit_steps: int | None
) -> tuple[Renderer, Patch]:
    for option, given in (
        ("--checkpoint", checkpoint != "default"),
        ("--seed", seed != 0),
        ("--fit-steps", fit_steps is not None),
    ):
        if given:
            raise common.wrong_usage(f"is said by the patch {path.name} itself; leave it out.", option)
    from synth_explorer.rendering import load_patch, renderer_of

    patch = load_patch(path)
    with common.status(f"loading checkpoint {patch.checkpoint}"):
        renderer = renderer_of(patch)
    if decoder is not None:
        patch = patch.but(decoder=common.decoder_of(renderer.explorer, decoder).name)
    return renderer, patch
