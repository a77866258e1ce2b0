"""Commands that make notes to train on."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from synth_explorer.cli import common
from synth_explorer.cli.cluster import Place, Ray

if TYPE_CHECKING:
    from synth_explorer.data.dataset import Sizes

app = typer.Typer(help="Notes to train on.", no_args_is_help=True)

PRE_ROLL_S = 0.032  # silence before a note: a frame


Workers = Annotated[int | None, typer.Option(min=1, max=1024, help="Processes (default: one a core).")]
Rate = Annotated[int, typer.Option(min=8000, max=192_000, help="Samples a second: that of the model to come.")]
Length = Annotated[float, typer.Option(min=0.5, max=60.0, help="Length of a note.")]


def _velocities(text: str) -> tuple[int, ...]:
    """Velocities of a comma-separated list."""
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        message = f"{text!r} must be whole numbers with commas, like 25,50,100."
        raise common.wrong_usage(message, "--velocities") from None


def _sizes(sample_rate_hz: int, seconds: float) -> Sizes:
    from synth_explorer.data.dataset import Sizes

    return Sizes(sample_rate_hz, round(seconds * sample_rate_hz), round(PRE_ROLL_S * sample_rate_hz))


def _rendering() -> AbstractContextManager[Callable[[int, int], None]]:
    """How far it is."""
    return common.progress("rendering", unit="instruments")


@app.command("render")
def render(
    soundfonts: Annotated[list[Path], typer.Argument(metavar="SOUNDFONT...", help="SoundFonts, .sf2.")],
    out: common.Folder,
    pitch_step: Annotated[int, typer.Option(min=1, help="Semitones between rendered keys.")] = 1,
    velocities: Annotated[str, typer.Option(metavar="N,N,...", help="MIDI velocities.")] = "25,50,75,100,127",
    detune_cents: Annotated[
        float, typer.Option(min=0.0, max=1200.0, help="Detune each note by chance, up to so much.")
    ] = 0,
    workers: Workers = None,
    ray: Ray = None,
    limit_instruments: Annotated[int | None, typer.Option(min=1, help="Only the first so many instruments.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the detunes.")] = 0,
    sample_rate: Rate = 16_000,
    seconds: Length = 4.0,
) -> None:
    """Render every pitched preset of SoundFonts; goes on where it stopped.

    Needs FluidSynth (Debian: libfluidsynth3) and pyfluidsynth.
    """
    values, executor = _velocities(velocities), Place(workers, ray).errands()
    from synth_explorer.data import soundfont

    with _rendering() as progress:
        folder = soundfont.render(
            soundfonts,
            out,
            pitch_step=pitch_step,
            velocities=values,
            detune_cents=detune_cents,
            workers=workers,
            limit_instruments=limit_instruments,
            seed=seed,
            sizes=_sizes(sample_rate, seconds),
            executor=executor,
            progress=progress,
        )
    common.say(folder)


@app.command("render-sfz")
def render_sfz(
    root: Annotated[Path, typer.Argument(metavar="FOLDER", help="Has the instruments' repositories as folders.")],
    out: common.Folder,
    key_step: Annotated[int, typer.Option(min=1, help="Semitones between rendered keys.")] = 2,
    workers: Workers = None,
    sample_rate: Rate = 48_000,
    seconds: Length = 3.2,
) -> None:
    """Render the notes of free SFZ instruments, real recordings; goes on where it stopped. Needs pysfizz."""
    from synth_explorer.data import sfz

    with _rendering() as progress:
        sizes = _sizes(sample_rate, seconds)
        folder = sfz.render(root, out, key_step=key_step, workers=workers, sizes=sizes, progress=progress)
    common.say(folder)


@app.command("render-percussion")
def render_percussion(
    soundfonts: Annotated[list[Path], typer.Argument(metavar="SOUNDFONT...", help="SoundFonts, .sf2.")],
    out: common.Folder,
    workers: Workers = None,
    ray: Ray = None,
) -> None:
    """Render what `render` leaves out, drum kits and noises; `train-pitch` learns from them what has no pitch."""
    from synth_explorer.data import percussion

    executor = Place(workers, ray).errands()
    with _rendering() as progress:
        folder = percussion.render(soundfonts, out, workers=workers, executor=executor, progress=progress)
    common.say(folder)


@app.command("synthetic")
def synthetic(
    out: common.Folder,
    instruments: Annotated[int, typer.Option(min=1, max=100_000, help="How many.")] = 312,
    pitches: Annotated[int, typer.Option(min=1, max=1000, help="Notes of each over the range.")] = 12,
    workers: Workers = None,
    ray: Ray = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the instruments.")] = 0,
    sample_rate: Rate = 16_000,
    seconds: Length = 4.0,
) -> None:
    """Render notes of invented instruments; goes on where it stopped."""
    from synth_explorer.data.synthetic import render_synthetic

    executor = Place(workers, ray).errands()
    with _rendering() as progress:
        folder = render_synthetic(
            out,
            instruments=instruments,
            pitches=pitches,
            seed=seed,
            workers=workers,
            sizes=_sizes(sample_rate, seconds),
            executor=executor,
            progress=progress,
        )
    common.say(folder)


@app.command("import-nsynth")
def import_nsynth(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="A split of NSynth: examples.json and audio/.")],
    out: common.Folder,
) -> None:
    """Bring a split of the NSynth dataset, or a folder with an index.csv, into the format that training reads.

    A sound that cannot be read is left out and said, and the exit code is 1; silent ones are left out.
    """
    from synth_explorer.data import nsynth

    failures = common.Failures()
    common.say(nsynth.import_nsynth(folder, out, failed=failures.add))
    failures.end()
