"""The command that renders between notes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from synth_explorer.cli import common, inputs, sound
from synth_explorer.cli.common import AUDIO_SUFFIXES, LATENTS_SUFFIXES, PATCH_SUFFIXES

if TYPE_CHECKING:
    from synth_explorer.rendering import Mix


def morph(
    notes: Annotated[
        list[Path],
        typer.Argument(
            metavar="NOTE NOTE [NOTE NOTE]",
            callback=inputs.notes,
            help="Two to four notes or latents; bundled notes by name.",
        ),
    ],
    out: Annotated[
        Path,
        typer.Option("--out", "-o", metavar="OUT", help="Sound (.wav, .flac), latents (.npz); with --steps a folder."),
    ],
    mix: Annotated[
        float | None, typer.Option(help="Between two notes: 0 is the first, 1 the second; -0.3 to 1.3.")
    ] = None,
    x: Annotated[float | None, typer.Option("--x", help="On the pad: 0 is left, 1 is right.")] = None,
    y: Annotated[float | None, typer.Option("--y", help="On the pad: 0 is bottom, 1 is top.")] = None,
    steps: Annotated[
        int | None, typer.Option(min=2, max=1000, help="Write so many sounds, from the first note to the second.")
    ] = None,
    weights: Annotated[
        str | None, typer.Option(metavar="W,W,...", help="Of each note, as 0.2,0.3,0.5; brought to a sum of 1.")
    ] = None,
    path: Annotated[
        str | None,
        typer.Option(
            metavar="T=PLACE,...", help="Moves over time (s): 0=0,2=1 between two notes, 0=0:0,2=1:0.5 on the pad."
        ),
    ] = None,
    pitch: Annotated[
        float | None, typer.Option(metavar="MIDI", help="MIDI pitch of the morph; else between the notes' own.")
    ] = None,
    checkpoint: common.Checkpoint = "default",
    decoder: common.Decoder = None,
    engine: common.Engine = "auto",
    seed: common.Seed = 0,
    temperature: common.Temperature = 1.0,
    fit_steps: common.FitSteps = None,
    peak: sound.Peak = "keep",
    bits: sound.Bits = None,
    length_s: sound.LengthS = None,
    format: sound.Format = None,
    save_patch: sound.SavePatch = None,
) -> None:
    """A sound between two to four notes.

    On the pad the notes lie bottom left, bottom right, top left, top right, in the order given.
    """
    given = {"--mix": mix, "--x": x, "--steps": steps, "--weights": weights, "--path": path}
    _check_morph(len(notes), given | {"--y": y})
    if steps is None:
        common.check_suffix(out, AUDIO_SUFFIXES + LATENTS_SUFFIXES)
        if format is not None:
            raise common.wrong_usage("is of sounds in a folder, by --steps.", "--format")
        places, targets = [_place(len(notes), mix=mix, x=x, y=y, weights=weights, path=path)], [out]
    else:
        places, folder = [step / (steps - 1) for step in range(steps)], common.a_folder(out)
        targets = [folder / f"{step:03d}_mix_{place:.3f}.{format or 'wav'}" for step, place in enumerate(places)]
    if save_patch is not None:
        common.check_suffix(save_patch, PATCH_SUFFIXES, option="--save-patch")
        if steps:
            raise common.wrong_usage("is of one sound; leave --steps out.", "--save-patch")
    how = sound.writing(peak, bits, length_s, *targets)
    outputs = *(("-o", target) for target in targets), ("--save-patch", save_patch)
    common.check_outputs(*outputs, inputs=notes)
    common.check_inputs(*notes)
    explorer, failures = common.load_explorer(checkpoint), common.Failures()
    from synth_explorer.rendering import Mix, Renderer, Source

    own = pitch if explorer.has_pitch else None  # of what has none of its own
    sources = [Source.of(note, pitch_midi=own if note.suffix.lower() == ".npy" else None) for note in notes]
    renderer = Renderer(explorer)
    first = renderer.patch(
        *sources,
        checkpoint=checkpoint,
        pitch_midi=pitch,
        decoder=common.decoder_of(explorer, decoder),
        seed=seed,
        temperature=temperature,
        fit_steps=common.steps_of(fit_steps),
    )
    for note, source in zip(notes, first.sources, strict=True):
        common.say_notices(note, renderer.latents(source, fit_steps=first.fit_steps))
    for place, target in zip(places, targets, strict=True):
        with failures.going_on(target if steps else ""):
            done = sound.write_patch(renderer, first.but(mix=Mix.of(place)), target, how, engine=engine)
            sound.save_patch(done.patch, save_patch)
    failures.end()


def _check_morph(count: int, given: dict[str, float | str | None]) -> None:
    """Options of a morph by their names; wrong combinations are wrong usage."""
    if not 2 <= count <= 4:
        raise common.wrong_usage(f"a morph takes two to four notes, not {count}.", "NOTE")
    for option in ("--mix", "--steps"):
        if count > 2 and given[option] is not None:
            raise common.wrong_usage(f"goes between two notes; place {count} notes by --x and --y.", option)
    if count == 2 and given["--y"] is not None:
        raise common.wrong_usage("two notes lie on one line: use --mix or --x alone.", "--y")
    ways = [option for option, value in given.items() if value is not None and option != "--y"]
    if given["--y"] is not None and "--x" not in ways:
        ways.append("--y")
    if len(ways) > 1:
        raise common.wrong_usage(f"give only one of {' and '.join(ways)}.", ways[0])
    for option in ("--mix", "--x", "--y"):
        place = given[option]
        if not isinstance(place, str):
            _check_place(place, option)


def _check_place(value: float | None, option: str) -> None:
    from synth_explorer.latents.morph import MAX_WEIGHT, MIN_WEIGHT

    if value is not None and not MIN_WEIGHT <= value <= MAX_WEIGHT:
        raise common.wrong_usage(f"{value} must lie between {MIN_WEIGHT} and {MAX_WEIGHT}.", option)


def _place(
    count: int, *, mix: float | None, x: float | None, y: float | None, weights: str | None, path: str | None
) -> Mix:
    """Where a morph of so many notes lies, by its options."""
    from synth_explorer.rendering import Mix

    if weights is not None:
        parts = [common.number(part, "--weights", "W,W,..., such as 0.2,0.8") for part in weights.split(",")]
        if len(parts) != count:
            raise common.wrong_usage(f"{count} notes need {count} weights, not {len(parts)}.", "--weights")
        return Mix.of(parts)
    if path is None:
        return Mix.at(next((value for value in (mix, x) if value is not None), 0.5), 0.5 if y is None else y)
    shape = "T=MIX,..., such as 0=0,2=1" if count == 2 else "T=X:Y,..., such as 0=0:0,2=1:0.5"
    places = []
    for point in path.split(","):
        time_s, _, place = point.partition("=")
        numbers = [common.number(part, "--path", shape) for part in (time_s, *place.split(":"))]
        if len(numbers) != (2 if count == 2 else 3):
            raise common.wrong_usage(f"{point!r} must be {shape}.", "--path")
        for value in numbers[1:]:
            _check_place(value, "--path")
        places.append((*numbers, 0.0)[:3])
    return Mix.along(places)
