"""What the commands share: error exits, options with one meaning everywhere, reading notes, writing results.

One rule for what is written: inputs are never replaced; an older file of a result's name is, which is said on stderr.
"""

from __future__ import annotations

import inspect
import json
import math
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, overload

import typer

from synth_explorer.cli.failing import Failures as Failures
from synth_explorer.cli.failing import Shell as Shell
from synth_explorer.cli.failing import say_error as say_error
from synth_explorer.cli.progress import interactive as interactive
from synth_explorer.cli.progress import progress as progress
from synth_explorer.cli.progress import status as status
from synth_explorer.cli.tables import print_table as print_table
from synth_explorer.errors import AudioError, LatentsError, SynthExplorerError
from synth_explorer.explorer import decoders
from synth_explorer.files import LATENTS_SUFFIXES as LATENTS_SUFFIXES

if TYPE_CHECKING:
    from synth_explorer.explorer import Explorer
    from synth_explorer.latents import Latents

AUDIO_SUFFIXES, REPORT_SUFFIXES, PATCH_SUFFIXES = (".wav", ".flac"), (".json",), (".json", ".zip")
SOUND_SUFFIXES = (
    *(".wav", ".flac", ".mp3", ".ogg", ".oga", ".opus", ".aif", ".aiff", ".aifc", ".au", ".snd", ".caf", ".w64"),
    *(".rf64", ".voc", ".sf", ".avr", ".paf", ".svx", ".8svx", ".iff", ".nist", ".sph", ".pvf", ".htk", ".sds"),
    *(".m4a", ".mp4", ".m4b", ".aac", ".3gp", ".webm", ".mka", ".amr", ".wma", ".ac3"),
)
"""What libsndfile reads, by its usual names, and PyAV."""
OTHER_SUFFIXES = (".html", ".htm", ".csv", ".txt", ".yaml", ".yml", ".mid", ".sfz", ".dspreset", ".multisample")
FILE_SUFFIXES = (*LATENTS_SUFFIXES, *SOUND_SUFFIXES, *PATCH_SUFFIXES, *OTHER_SUFFIXES)

Checkpoint = Annotated[str, typer.Option("--checkpoint", metavar="NAME|DIR", help="A checkpoint's name or its folder.")]
Decoder = Annotated[
    str | None,
    typer.Option(
        "--decoder",
        metavar="|".join(one.name for one in decoders.KNOWN),
        help="; ".join(f"{one.name}: {one.words}" for one in decoders.KNOWN) + ". Else the checkpoint's first.",
    ),
]
Engine = Annotated[
    str,
    typer.Option(
        "--engine",
        metavar="auto|numba|keras",
        help="What computes the decoder; numba-int16 and numba-int8 round a WaveNet's weights and are faster.",
    ),
]
Seed = Annotated[int, typer.Option("--seed", min=0, help="Seed of the decoder's noise: the same seed, the same sound.")]
PITCH = "C4|60"
"""How options of a pitch say what they take: a note's name, or a MIDI number with its fraction."""


def a_number(value: float | None) -> float | None:
    """Refuse what is no number, which no range does."""
    if value is not None and not math.isfinite(value):
        raise typer.BadParameter(f"{value} is no number.")
    return value


Temperature = Annotated[
    float, typer.Option("--temperature", min=0.0, callback=a_number, help="Spread of the decoder's random draws.")
]


def pitch_of(text: str) -> float:
    """A pitch as a person gives it, as its MIDI number."""
    from synth_explorer.pitch import pitch_given

    try:
        return pitch_given(text)
    except AudioError as error:
        raise typer.BadParameter(str(error)) from None


NotePitch = Annotated[
    float | None,
    typer.Option(
        "--pitch", metavar=PITCH, parser=pitch_of, help="The note's own pitch, if you know it; else it is estimated."
    ),
]
FitSteps = Annotated[
    int | None,
    typer.Option(
        "--fit-steps",
        min=0,
        max=200,
        help="How often to listen to the decoded latents and better them: 0 is quick, more is nearer (default 22).",
    ),
]


@dataclass(frozen=True)
class Decoding:
    """How latents become sound."""

    checkpoint: Checkpoint = "default"
    decoder: Decoder = None
    engine: Engine = "auto"
    seed: Seed = 0
    temperature: Temperature = 1.0

    def of(self, explorer: Explorer) -> dict[str, Any]:
        """What a patch says of it."""
        return {
            "checkpoint": self.checkpoint,
            "decoder": decoder_of(explorer, self.decoder),
            "seed": self.seed,
            "temperature": self.temperature,
        }


Report = Annotated[Path, typer.Option("--out", "-o", metavar="REPORT.json", help="JSON report to write.")]


def grouped(function: Callable[..., None]) -> Callable[..., None]:
    """A command with groups of options: a parameter that is a dataclass becomes an option for each of its fields."""
    own = inspect.signature(function, eval_str=True)
    groups: dict[str, Any] = {
        item.name: item.annotation for item in own.parameters.values() if is_dataclass(item.annotation)
    }
    options: list[inspect.Parameter] = []
    for item in own.parameters.values():
        if item.name not in groups:
            options.append(item)
            continue
        options += inspect.signature(groups[item.name], eval_str=True).parameters.values()
    others = [item for item in options if item.kind is item.VAR_KEYWORD]
    either = inspect.Parameter.POSITIONAL_OR_KEYWORD
    named = [item.replace(kind=either) for item in options if item.kind is not item.VAR_KEYWORD]

    def command(**given: Any) -> None:
        for name, group in groups.items():
            given[name] = group(**{item.name: given.pop(item.name) for item in fields(group)})
        function(**given)

    command.__name__, command.__doc__ = function.__name__, function.__doc__
    command.__signature__ = own.replace(parameters=[*named, *others])
    return command


def wrong_usage(message: str, option: str) -> typer.BadParameter:
    """An error of the command line itself (exit code 2), said of `option`."""
    return typer.BadParameter(message, param_hint=f"'{option}'")


def number(text: str, option: str, shape: str) -> float:
    """A number of an option whose words must be of a shape."""
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not math.isfinite(value):
        raise wrong_usage(f"{text.strip()!r} is no number; the option must be {shape}.", option)
    return value


def check_suffix(path: Path, allowed: tuple[str, ...], *, option: str = "-o") -> None:
    """Refuse an output whose suffix names no format, before any work is done."""
    if path.suffix.lower() not in allowed:
        raise wrong_usage(f"{path} must end in {' or '.join(allowed)}.", option)


def check_outputs(*outputs: tuple[str, Path | None], inputs: Sequence[Path | None] = ()) -> None:
    """Refuse files that cannot be written, or would replace an input or another output, before any work is done.

    `outputs`: (option, file to write); None is not written. `inputs`: files that are read.
    """
    taken = {path.resolve(): "is read; it would be lost" for path in inputs if path is not None}
    for option, path in outputs:
        if path is None:
            continue
        if path.is_dir():
            raise wrong_usage(f"{path} is a folder; give the name of a file.", option)
        if named := _named_like_a_file(path.parent):
            raise wrong_usage(named, option)
        if blocked := _blocked(path, path.absolute().parents):
            raise wrong_usage(blocked, option)
        if path.resolve() in taken:
            raise wrong_usage(f"{path} {taken[path.resolve()]}: give another name.", option)
        taken[path.resolve()] = f"is written by {option} already"


@overload
def a_folder(path: Path) -> Path: ...
@overload
def a_folder(path: Path | None) -> Path | None: ...
def a_folder(path: Path | None) -> Path | None:
    """Refuse a folder that cannot be made, or is named like a file: it was most likely meant to be one.

    Raises OSError: no folder can have this name.
    """
    if path is not None:
        whole = path.absolute()
        if wrong := _named_like_a_file(path) or _blocked(path, (whole, *whole.parents)):
            raise typer.BadParameter(wrong)
    return path


def _blocked(path: Path, folders: Iterable[Path]) -> str:
    """A sentence about the nearest of folders that is there, if it is none; "" where it is one."""
    above = next(folder for folder in folders if folder.exists())
    return "" if above.is_dir() else f"{path} cannot be written: {above} is a file, not a folder."


def _named_like_a_file(folder: Path) -> str:
    """A sentence about the part of a folder's path that would have to be made with the name of a file; "" for none."""
    for part in (folder, *folder.parents):
        if part.suffix.lower() in FILE_SUFFIXES and not part.exists():
            return f"{part} is the name of a file; give that of a folder, without {part.suffix}."
    return ""


def check_inputs(*paths: Path | None) -> None:
    """Refuse inputs that are not there, before any work is done."""
    for path in paths:
        if path is not None and not path.exists():
            raise SynthExplorerError(missing(path))


def missing(path: Path) -> str:
    """What is said of a NOTE that is not there; a bare word was most likely meant to be a bundled note's name."""
    if path.suffix or path.name != str(path):
        return f"{path} does not exist: give the path of a file that does."
    from synth_explorer.assets import example_notes, meant_note

    names, meant = ", ".join(note.name for note in example_notes()), meant_note(path.name)
    asked = f"if you mean {meant}, say so; else give" if meant else "give"
    return f"{path} does not exist: {asked} the path of a file that does, or the name of a bundled note ({names})."


Folder = Annotated[
    Path, typer.Option("--out", "-o", metavar="DIR", file_okay=False, callback=a_folder, help="Folder to write.")
]


@contextmanager
def replacing(path: Path) -> Iterator[None]:
    """Write a result in this block: an older file of its name is replaced, which is said."""
    is_old = path.is_file()
    yield
    if is_old:
        typer.echo(f"note: replaced {path}", err=True)


def say(text: str | Path) -> None:
    """A result on stdout, unwrapped: one path or figure a line, for scripts."""
    typer.echo(str(text))


def load_explorer(checkpoint: str) -> Explorer:
    """The Explorer of a checkpoint; a name that does not exist is refused before anything is imported."""
    from synth_explorer import checkpoints

    checkpoints.find(checkpoint)
    with status(f"loading checkpoint {checkpoint}"):
        from synth_explorer.explorer import Explorer

        return Explorer.load(checkpoint)


def decoder_of(explorer: Explorer, name: str | None) -> decoders.Decoder:
    """What --decoder says; a name that it had before is said to be one."""
    found = explorer.decoder(name)
    if name not in (None, found.name):
        typer.echo(f"note: the decoder {name} is called {found} now", err=True)
    return found


def is_latents(path: Path) -> bool:
    """Whether a NOTE argument names latents rather than sound."""
    return path.suffix.lower() in LATENTS_SUFFIXES


def check_pitch(explorer: Explorer, pitch: float | None) -> None:
    """Refuse to be told a pitch where it is inside z."""
    if pitch is not None and not explorer.has_pitch:
        name = explorer.checkpoint_name
        raise LatentsError(f"Checkpoint {name!r} keeps pitch inside its latents: leave --pitch out.")


def read_latents(
    explorer: Explorer, path: Path, *, pitch: float | None = None, fit_steps: int | None = None
) -> Latents:
    """Latents of a NOTE argument: a latents file is read, a sound is encoded at `pitch` (MIDI; None: estimated)."""
    check_pitch(explorer, pitch)
    if is_latents(path):
        return explorer.load_latents(path, pitch=pitch)
    latents = explorer.encode(path, pitch=pitch, source=path.name, fit_steps=steps_of(fit_steps))
    say_notices(path, latents)
    return latents


def say_notices(path: Path, latents: Latents) -> None:
    """Warn of what was lost when a sound was read, a line each."""
    for notice in latents.notices:
        say_notice(path, notice)


def say_notice(path: str | os.PathLike[str], notice: str) -> None:
    """A line on stderr; what a file gives of itself is no loss."""
    from synth_explorer.audio import GIVES

    typer.echo(f"{'note' if notice.startswith(GIVES) else 'warning'}: {os.fspath(path)} {notice}.", err=True)


def steps_of(fit_steps: int | None) -> int:
    """What --fit-steps says; None: the shell's own number."""
    from synth_explorer.explorer import FIT_STEPS

    return FIT_STEPS if fit_steps is None else fit_steps


def write_json(path: Path, data: dict[str, Any]) -> None:
    """Write a JSON report, whole or not at all; figures that do not exist (NaN, infinity) become null."""
    write_text(path, json.dumps(_plain(data), indent=2, allow_nan=False) + "\n")


def write_text(path: Path, text: str) -> None:
    """Write a text, whole or not at all."""
    from synth_explorer import files

    with replacing(path):
        files.write_text(path, text)


def write_latents(latents: Latents, path: Path) -> None:
    """Write latents (.npz, .npy), and print the path."""
    with replacing(path):
        latents.save(path)
    say(path)


def _plain(value: Any) -> Any:
    """`value` in JSON's own types."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, Path):
        return str(value)
    if hasattr(value, "tolist"):  # numpy scalars and arrays
        return _plain(value.tolist())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
