"""Commands between listening and hearing: encode, decode, morph."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from synth_explorer.cli import common
from synth_explorer.cli.common import AUDIO_SUFFIXES, LATENTS_SUFFIXES
from synth_explorer.errors import LatentsError

if TYPE_CHECKING:
    from collections.abc import Sequence

LOWEST_MIX, HIGHEST_MIX = -0.3, 1.3


def encode(
    notes: Annotated[list[Path], typer.Argument(metavar="NOTE...", help="Sound files, one note each.")],
    out: Annotated[
        Path, typer.Option("--out", "-o", metavar="DIR|FILE.npz", help="Folder for one .npz a note, or one file.")
    ],
    checkpoint: common.Checkpoint = "default",
    pitch: common.NotePitch = None,
    as_is: Annotated[
        bool, typer.Option("--as-is", help="Begin at the first sample, as magenta does; else just before the onset.")
    ] = False,
    fit_steps: common.FitSteps = None,
) -> None:
    """Notes to latents: channels and, beside them, a pitch track where the checkpoint has one; saved as .npz or .npy.

    A .npy holds the channels alone, as magenta's nsynth_save_embeddings writes them.
    """
    targets = _latents_targets(notes, out)
    common.check_inputs(*notes)
    explorer = common.load_explorer(checkpoint)
    common.check_pitch(explorer, pitch)
    encoding = {"pitch": pitch, "align": not as_is, "fit_steps": common.steps_of(fit_steps)}
    for note, target in zip(notes, targets, strict=True):
        explorer.encode(note, source=note.name, **encoding).save(target)
        common.say(target)


def _latents_targets(notes: Sequence[Path], out: Path) -> list[Path]:
    """The file that each note's latents go to."""
    if out.suffix.lower() in LATENTS_SUFFIXES and not out.is_dir():
        if len(notes) > 1:
            raise common.wrong_usage(f"{len(notes)} notes need a folder, not the file {out}.", "-o")
        return [out]
    by_stem: dict[str, Path] = {}
    for note in notes:
        other = by_stem.setdefault(note.stem, note)
        if other is not note:
            raise LatentsError(f"{other} and {note} would both become {out / note.stem}.npz: give them two folders.")
    return [out / f"{stem}.npz" for stem in by_stem]


def decode(
    latents: Annotated[Path, typer.Argument(metavar="LATENTS", help="Latents, .npz or .npy.")],
    out: Annotated[Path, typer.Option("--out", "-o", metavar="OUT.wav", help="Sound to write, .wav or .flac.")],
    checkpoint: common.Checkpoint = "default",
    decoder: common.Decoder = None,
    engine: common.Engine = "auto",
    seed: common.Seed = 0,
    temperature: common.Temperature = 1.0,
    pitch: Annotated[
        float | None, typer.Option("--pitch", metavar="MIDI", help="Pitch to decode at; a .npy has none of its own.")
    ] = None,
) -> None:
    """Latents to sound."""
    common.check_suffix(out, AUDIO_SUFFIXES)
    common.check_inputs(latents)
    explorer = common.load_explorer(checkpoint)
    common.write_result(
        explorer,
        explorer.load_latents(latents, pitch=pitch),
        out,
        decoder=decoder,
        seed=seed,
        temperature=temperature,
        engine=engine,
    )


def morph(
    notes: Annotated[list[Path], typer.Argument(metavar="NOTE NOTE [NOTE NOTE]", help="Two to four notes or latents.")],
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
    pitch: Annotated[
        float | None, typer.Option(metavar="MIDI", help="MIDI pitch of the morph; else between the notes' own.")
    ] = None,
    checkpoint: common.Checkpoint = "default",
    decoder: common.Decoder = None,
    engine: common.Engine = "auto",
    seed: common.Seed = 0,
    temperature: common.Temperature = 1.0,
    fit_steps: common.FitSteps = None,
) -> None:
    """A sound between two to four notes.

    On the pad the notes lie bottom left, bottom right, top left, top right, in the order given.
    """
    positions = _positions(len(notes), mix=mix, x=x, y=y, steps=steps)
    if steps is None:
        common.check_suffix(out, AUDIO_SUFFIXES + LATENTS_SUFFIXES)
        targets = [out]
    else:
        targets = [out / f"{step:03d}_mix_{across:.3f}.wav" for step, (across, _) in enumerate(positions)]
    common.check_inputs(*notes)
    explorer = common.load_explorer(checkpoint)
    from synth_explorer.latents import pad_weights

    sources = [common.read_latents(explorer, note, fit_steps=fit_steps) for note in notes]
    for (across, up), target in zip(positions, targets, strict=True):
        latents = explorer.morph(sources, pad_weights(len(sources), across, up), pitch=pitch)
        common.write_result(
            explorer, latents, target, decoder=decoder, seed=seed, temperature=temperature, engine=engine
        )


def _positions(
    count: int, *, mix: float | None, x: float | None, y: float | None, steps: int | None
) -> list[tuple[float, float]]:
    """Pad positions (x, y) that the options ask for; wrong combinations are wrong usage."""
    if not 2 <= count <= 4:
        raise common.wrong_usage(f"a morph takes two to four notes, not {count}.", "NOTE")
    if count > 2 and (mix is not None or steps is not None):
        option = "--mix" if mix is not None else "--steps"
        raise common.wrong_usage(f"goes between two notes; place {count} notes by --x and --y.", option)
    if count == 2 and y is not None:
        raise common.wrong_usage("two notes lie on one line: use --mix or --x alone.", "--y")
    if sum(given is not None for given in (mix, x, steps)) > 1:
        raise common.wrong_usage("give only one of --mix, --x and --steps.", "--mix")
    for name, value in (("--mix", mix), ("--x", x), ("--y", y)):
        if value is not None and not LOWEST_MIX <= value <= HIGHEST_MIX:
            raise common.wrong_usage(f"{value} must lie between {LOWEST_MIX} and {HIGHEST_MIX}.", name)
    if steps is not None:
        return [(step / (steps - 1), 0.0) for step in range(steps)]
    across = next((value for value in (mix, x) if value is not None), 0.5)
    return [(across, (0.5 if y is None else y) if count > 2 else 0.0)]
