"""Commands between listening and hearing: encode, decode, morph."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from synth_explorer.cli import common, inputs, sound
from synth_explorer.cli.common import AUDIO_SUFFIXES, LATENTS_SUFFIXES

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

    from synth_explorer.audio import Writing
    from synth_explorer.explorer import Explorer

LOWEST_MIX, HIGHEST_MIX = -0.3, 1.3


def encode(
    notes: Annotated[
        list[Path],
        typer.Argument(
            metavar="NOTE...",
            callback=inputs.notes,
            help="Sound files, one note each, folders of them, or bundled notes by name.",
        ),
    ],
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
    found, failures = inputs.sounds(notes), common.Failures()
    targets = _latents_targets(found, out)
    common.check_outputs(*(("-o", target) for target in targets), inputs=found.files)
    found.say(failures)
    explorer = common.load_explorer(checkpoint)
    common.check_pitch(explorer, pitch)
    encoding = {"pitch": pitch, "align": not as_is, "fit_steps": common.steps_of(fit_steps)}
    for note, target in zip(found.files, targets, strict=True):
        with failures.going_on(note):
            latents = explorer.encode(note, source=note.name, **encoding)
            common.say_notices(note, latents)
            common.write_latents(latents, target)
    failures.end()


def _latents_targets(found: inputs.Inputs, out: Path) -> list[Path]:
    """The file that each note's latents go to."""
    count = len(found.files) + len(found.problems)
    if count == 1 and out.suffix.lower() in LATENTS_SUFFIXES and not out.is_dir():
        common.check_outputs(("-o", out), inputs=[*found.files, *found.problems])
        return [out for _ in found.files]
    return _in_folder(found, common.a_folder(out), ".npz")


def _in_folder(found: inputs.Inputs, folder: Path, suffix: str) -> list[Path]:
    """The file of a folder that each file's result goes to; of two that would be one, the second is a problem."""
    by_stem: dict[str, Path] = {}
    for file in list(found.files):
        other = by_stem.setdefault(file.stem, file)
        if other is not file:
            found.files.remove(file)
            same = f"{folder / file.stem}{suffix}"
            found.problems[file] = f"{file} would become {same}, as {other} does: give one of them another name."
    return [folder / f"{stem}{suffix}" for stem in by_stem]


def decode(
    latents: Annotated[list[Path], typer.Argument(metavar="LATENTS...", help="Latents, .npz or .npy.")],
    out: Annotated[
        Path, typer.Option("--out", "-o", metavar="OUT.wav|DIR", help="Sound to write, .wav or .flac; or a folder.")
    ],
    checkpoint: common.Checkpoint = "default",
    decoder: common.Decoder = None,
    engine: common.Engine = "auto",
    seed: common.Seed = 0,
    temperature: common.Temperature = 1.0,
    pitch: Annotated[
        float | None, typer.Option("--pitch", metavar="MIDI", help="Pitch to decode at; a .npy has none of its own.")
    ] = None,
    peak: sound.Peak = "keep",
    bits: sound.Bits = None,
    length_s: sound.LengthS = None,
    format: sound.Format = None,
) -> None:
    """Latents to sound. Several go into a folder; NSynth's network decodes them together, which is faster."""
    found, failures = inputs.latents(latents), common.Failures()
    targets = _sound_targets(found, out, format)
    how = sound.writing(peak, bits, length_s, *targets, out)
    common.check_outputs(*(("-o", target) for target in targets), inputs=found.files)
    found.say(failures)
    explorer = common.load_explorer(checkpoint)
    common.check_pitch(explorer, pitch)
    pairs = list(zip(found.files, targets, strict=True))
    decoding = {
        "decoder": common.decoder_of(explorer, decoder),
        "seed": seed,
        "temperature": temperature,
        "engine": engine,
    }
    for first in range(0, len(pairs), explorer.together):
        _decode_group(explorer, pairs[first : first + explorer.together], failures, pitch, how, decoding)
    failures.end()


def _sound_targets(found: inputs.Inputs, out: Path, format: str | None) -> list[Path]:
    """The file that the sound of each note's latents goes to."""
    count = len(found.files) + len(found.problems)
    if count == 1 and out.suffix.lower() in AUDIO_SUFFIXES:
        if format is not None:
            raise common.wrong_usage(f"is of sounds in a folder; {out} says what it is.", "--format")
        common.check_outputs(("-o", out), inputs=[*found.files, *found.problems])
        return [out for _ in found.files]
    return _in_folder(found, common.a_folder(out), f".{format or 'wav'}")


def _decode_group(
    explorer: Explorer,
    pairs: Sequence[tuple[Path, Path]],
    failures: common.Failures,
    pitch: float | None,
    how: Writing,
    decoding: dict[str, Any],
) -> None:
    """Read, decode and write (latents, sound) together."""
    read, ready = [], []
    for path, target in pairs:
        with failures.going_on(path):
            read.append(explorer.load_latents(path, pitch=pitch))
            ready.append((path, target))
    sounds: Sequence[np.ndarray] = []
    if read:
        with failures.going_on(", ".join(str(path) for path, _ in ready)):
            sounds = sound.decode_group(explorer, read, [target.name for _, target in ready], **decoding)
    for heard, latents, (path, target) in zip(sounds, read, ready, strict=False):  # none where decoding failed
        with failures.going_on(path):
            sampler = sound.sampler_of(latents)
            sound.write(target, heard, sample_rate_hz=explorer.sample_rate_hz, sampler=sampler, how=how)
            common.say(target)


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
        keyframes = [_keyframes(len(notes), mix=mix, x=x, y=y, weights=weights, path=path)]
        targets = [out]
    else:
        across, folder = [step / (steps - 1) for step in range(steps)], common.a_folder(out)
        keyframes = [[(0.0, (1.0 - place, place))] for place in across]
        targets = [folder / f"{step:03d}_mix_{place:.3f}.{format or 'wav'}" for step, place in enumerate(across)]
    how = sound.writing(peak, bits, length_s, *targets)
    common.check_outputs(*(("-o", target) for target in targets), inputs=notes)
    common.check_inputs(*notes)
    explorer, failures = common.load_explorer(checkpoint), common.Failures()
    own = pitch if explorer.has_pitch else None  # of what has none of its own
    sources = [
        common.read_latents(explorer, note, pitch=own if note.suffix.lower() == ".npy" else None, fit_steps=fit_steps)
        for note in notes
    ]
    decoding = {
        "decoder": common.decoder_of(explorer, decoder),
        "seed": seed,
        "temperature": temperature,
        "engine": engine,
    }
    for places, target in zip(keyframes, targets, strict=True):
        with failures.going_on(target if steps else ""):
            if path is None:
                latents = explorer.morph(sources, places[0][1], pitch=pitch)
            else:
                latents = explorer.morph_path(sources, places, pitch=pitch)
            sound.write_result(explorer, latents, target, how, **decoding)
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
        _check_place(given[option], option)


def _check_place(value: float | None, option: str) -> None:
    if value is not None and not LOWEST_MIX <= value <= HIGHEST_MIX:
        raise common.wrong_usage(f"{value} must lie between {LOWEST_MIX} and {HIGHEST_MIX}.", option)


def _keyframes(
    count: int, *, mix: float | None, x: float | None, y: float | None, weights: str | None, path: str | None
) -> list[tuple[float, tuple[float, ...]]]:
    """(time in s, weight of each note) of a morph: several where it moves, else one at 0 s."""
    from synth_explorer.latents import pad_weights

    if weights is not None:
        parts = tuple(_number(part, "--weights", "W,W,..., such as 0.2,0.8") for part in weights.split(","))
        if len(parts) != count:
            raise common.wrong_usage(f"{count} notes need {count} weights, not {len(parts)}.", "--weights")
        return [(0.0, parts)]
    if path is None:
        across = next((value for value in (mix, x) if value is not None), 0.5)
        return [(0.0, pad_weights(count, across, (0.5 if y is None else y) if count > 2 else 0.0))]
    shape = "T=MIX,..., such as 0=0,2=1" if count == 2 else "T=X:Y,..., such as 0=0:0,2=1:0.5"
    keyframes = []
    for point in path.split(","):
        time_s, _, place = point.partition("=")
        numbers = [_number(part, "--path", shape) for part in (time_s, *place.split(":"))]
        if len(numbers) != (2 if count == 2 else 3):
            raise common.wrong_usage(f"{point!r} must be {shape}.", "--path")
        for value in numbers[1:]:
            _check_place(value, "--path")
        keyframes.append((numbers[0], pad_weights(count, *numbers[1:], *([0.0] if count == 2 else []))))
    return keyframes


def _number(text: str, option: str, shape: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not math.isfinite(value):
        raise common.wrong_usage(f"{text.strip()!r} is no number; the option must be {shape}.", option)
    return value
