"""The command that renders between notes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from synth_explorer.cli import common, inputs, sound
from synth_explorer.cli.common import AUDIO_SUFFIXES, LATENTS_SUFFIXES, PATCH_SUFFIXES

if TYPE_CHECKING:
    from synth_explorer.rendering import Mix


@dataclass(frozen=True)
class Place:
    """Where between its notes a morph lies."""

    mix: Annotated[
        float | None,
        typer.Option(callback=common.a_number, help="Between two notes: 0 is the first, 1 the second; -0.3 to 1.3."),
    ] = None
    x: Annotated[
        float | None, typer.Option("--x", callback=common.a_number, help="On the pad: 0 is left, 1 is right.")
    ] = None
    y: Annotated[
        float | None, typer.Option("--y", callback=common.a_number, help="On the pad: 0 is bottom, 1 is top.")
    ] = None
    steps: Annotated[
        int | None, typer.Option(min=2, max=1000, help="Write so many sounds, from the first note to the second.")
    ] = None
    weights: Annotated[
        str | None, typer.Option(metavar="W,W,...", help="Of each note, as 0.2,0.3,0.5; brought to a sum of 1.")
    ] = None
    path: Annotated[
        str | None,
        typer.Option(
            metavar="T=PLACE,...", help="Moves over time (s): 0=0,2=1 between two notes, 0=0:0,2=1:0.5 on the pad."
        ),
    ] = None

    by_pitch: Annotated[
        bool,
        typer.Option(
            "--by-pitch",
            help="The notes are recordings of one instrument: the sound lies between those next to its --pitch.",
        ),
    ] = False

    def check(self, count: int) -> None:
        """Refuse options that mean nothing together, or for so many notes, as wrong usage."""
        if not 2 <= count <= 4:
            raise common.wrong_usage(f"a morph takes two to four notes, not {count}.", "NOTE")
        for option, value in (("--mix", self.mix), ("--steps", self.steps)):
            if count > 2 and value is not None:
                raise common.wrong_usage(f"goes between two notes; place {count} notes by --x and --y.", option)
        if count == 2 and self.y is not None:
            raise common.wrong_usage("two notes lie on one line: use --mix or --x alone.", "--y")
        on_pad = self.x if self.y is None else self.y
        ways = {"--mix": self.mix, "--x" if self.x is not None else "--y": on_pad, "--steps": self.steps}
        ways |= {"--weights": self.weights, "--path": self.path, "--by-pitch": self.by_pitch or None}
        given = [option for option, value in ways.items() if value is not None]
        if len(given) > 1:
            raise common.wrong_usage(f"give only one of {' and '.join(given)}.", given[0])
        for option, value in (("--mix", self.mix), ("--x", self.x), ("--y", self.y)):
            _check_place(value, option)

    def mixes(self, count: int) -> list[tuple[str, Mix]]:
        """The mixes of so many notes, each with the stem of its file in a folder; one has none."""
        from synth_explorer.rendering import Mix

        if self.by_pitch:
            return [("", Mix(by_pitch=True))]
        if self.steps is not None:
            places = [step / (self.steps - 1) for step in range(self.steps)]
            return [(f"{step:03d}_mix_{place:.3f}", Mix.of(place)) for step, place in enumerate(places)]
        if self.weights is not None:
            parts = [common.number(part, "--weights", "W,W,..., such as 0.2,0.8") for part in self.weights.split(",")]
            if len(parts) != count:
                raise common.wrong_usage(f"{count} notes need {count} weights, not {len(parts)}.", "--weights")
            return [("", Mix.of(parts))]
        if self.path is not None:
            return [("", Mix.along(_points(count, self.path)))]
        between = next((value for value in (self.mix, self.x) if value is not None), 0.5)
        return [("", Mix.at(between, 0.5 if self.y is None else self.y))]


@common.grouped
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
    *,
    place: Place,
    pitch: Annotated[
        float | None,
        typer.Option(
            metavar=common.PITCH, parser=common.pitch_of, help="Pitch of the morph; else between the notes' own."
        ),
    ] = None,
    quantise: Annotated[
        str,
        typer.Option(
            metavar="off|semitone|KEY",
            help='Where a mixed pitch lies: anywhere, on a semitone, or in a key ("C major").',
        ),
    ] = "off",
    decoding: common.Decoding,
    fit_steps: common.FitSteps = None,
    file: sound.File,
    format: sound.Format = None,
    save_patch: sound.SavePatch = None,
) -> None:
    """A sound between two to four notes.

    On the pad the notes lie bottom left, bottom right, top left, top right, in the order given.
    """
    place.check(len(notes))
    _check_files(out, place, format, save_patch)
    mixes = place.mixes(len(notes))
    targets = [common.a_folder(out) / f"{stem}.{format or 'wav'}" if stem else out for stem, _ in mixes]
    how = file.writing(*targets)
    common.check_outputs(*(("-o", target) for target in targets), ("--save-patch", save_patch), inputs=notes)
    common.check_inputs(*notes)
    explorer, failures = common.load_explorer(decoding.checkpoint), common.Failures()
    from synth_explorer.rendering import Renderer, Source

    own = pitch if explorer.has_pitch else None  # of what has none of its own
    sources = [Source.of(note, pitch_midi=own if note.suffix.lower() == ".npy" else None) for note in notes]
    renderer, fit = Renderer(explorer), common.steps_of(fit_steps)
    first = renderer.patch(*sources, pitch_midi=pitch, quantise=quantise, fit_steps=fit, **decoding.of(explorer))
    for note, latents in zip(notes, renderer.notes(first), strict=True):
        common.say_notices(note, latents)
    for (stem, mix), target in zip(mixes, targets, strict=True):
        with failures.going_on(target if stem else ""):
            done = sound.write_patch(renderer, first.but(mix=mix), target, how, engine=decoding.engine)
            sound.save_patch(done.patch, save_patch)
    failures.end()


def _check_files(out: Path, place: Place, format: str | None, save_patch: Path | None) -> None:
    """Refuse names that cannot be written, and options of one sound for many or of many for one."""
    if place.steps is None:
        common.check_suffix(out, AUDIO_SUFFIXES + LATENTS_SUFFIXES)
        if format is not None:
            raise common.wrong_usage("is of sounds in a folder, by --steps.", "--format")
    if save_patch is not None:
        common.check_suffix(save_patch, PATCH_SUFFIXES, option="--save-patch")
        if place.steps:
            raise common.wrong_usage("is of one sound; leave --steps out.", "--save-patch")


def _check_place(value: float | None, option: str) -> None:
    from synth_explorer.latents.morph import MAX_WEIGHT, MIN_WEIGHT

    if value is not None and not MIN_WEIGHT <= value <= MAX_WEIGHT:
        raise common.wrong_usage(f"{value} must lie between {MIN_WEIGHT} and {MAX_WEIGHT}.", option)


def _points(count: int, path: str) -> list[tuple[float, float, float]]:
    """The points of --path: time in s, x, y."""
    shape = "T=MIX,..., such as 0=0,2=1" if count == 2 else "T=X:Y,..., such as 0=0:0,2=1:0.5"
    places = []
    for point in path.split(","):
        at, _, place = point.partition("=")
        numbers = [common.number(part, "--path", shape) for part in (at, *place.split(":"))]
        if len(numbers) != (2 if count == 2 else 3):
            raise common.wrong_usage(f"{point!r} must be {shape}.", "--path")
        for value in numbers[1:]:
            _check_place(value, "--path")
        time_s, x, y = (*numbers, 0.0)[:3]
        places.append((time_s, x, y))
    return places
