"""Commands between listening and hearing: encode, decode."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from synth_explorer.cli import common, inputs, sound
from synth_explorer.cli.cluster import Ray
from synth_explorer.cli.common import LATENTS_SUFFIXES
from synth_explorer.errors import SynthExplorerError
from synth_explorer.files import atomic_path

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np

    from synth_explorer.audio import Writing
    from synth_explorer.explorer import Explorer


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
    ray: Ray = None,
) -> None:
    """Notes to latents: channels and, beside them, a pitch track where the checkpoint has one; saved as .npz or .npy.

    A .npy holds the channels alone, as magenta's nsynth_save_embeddings writes them.
    """
    found, failures = inputs.sounds(notes), common.Failures()
    targets = _latents_targets(found, out)
    common.check_outputs(*(("-o", target) for target in targets), inputs=found.files)
    if ray is not None and (as_is or any(target.suffix.lower() != ".npz" for target in targets)):
        raise common.wrong_usage("makes .npz that begin just before the onset.", "--ray")
    found.say(failures)
    if ray is not None:
        _encode_on_ray(dict(zip(found.files, targets, strict=True)), ray, checkpoint, pitch, fit_steps, failures)
        return
    explorer = common.load_explorer(checkpoint)
    common.check_pitch(explorer, pitch)
    encoding = {"pitch": pitch, "align": not as_is, "fit_steps": common.steps_of(fit_steps)}
    for note, target in zip(found.files, targets, strict=True):
        with failures.going_on(note):
            latents = explorer.encode(note, source=note.name, **encoding)
            common.say_notices(note, latents)
            common.write_latents(latents, target)
    failures.end()


def _encode_on_ray(
    targets: Mapping[Path, Path],
    address: str,
    checkpoint: str,
    pitch: float | None,
    fit_steps: int | None,
    failures: common.Failures,
) -> None:
    """Notes to the files of their latents by a cluster, in the order in which they are done."""
    from synth_explorer import checkpoints
    from synth_explorer.batch.notes import Listening
    from synth_explorer.batch.output import Output
    from synth_explorer.batch.ray_executor import RayCluster
    from synth_explorer.batch.worker import Failed, Heard, Listen, Setup
    from synth_explorer.latents import Latents
    from synth_explorer.rendering import Source

    info, tasks = checkpoints.read_info(checkpoints.find(checkpoint)), dict[Listen, Path]()
    for note in targets:
        with failures.going_on(note):
            source = Source.of(note, pitch_midi=pitch).model_copy(
                update={"name": note.name, "path": str(note.absolute())}
            )
            tasks[Listen(Listening(source, common.steps_of(fit_steps), checkpoint, info.hash))] = note
    with RayCluster(Setup(Path(), Output()), None, address=address) as cluster, common.progress("encoding") as tell:
        for done, (task, answer) in enumerate(cluster.run(tasks), 1):
            assert isinstance(task, Listen) and isinstance(answer, Heard | Failed)
            note = tasks[task]
            with failures.going_on(note):
                if isinstance(answer, Failed):
                    raise SynthExplorerError(answer.reason)
                with common.replacing(targets[note]), atomic_path(targets[note]) as temporary:
                    temporary.write_bytes(answer.content)
                common.say_notices(note, Latents.load(targets[note]))
                common.say(targets[note])
            tell(done, len(tasks))
    failures.end()


def _latents_targets(found: inputs.Inputs, out: Path) -> list[Path]:
    """The file that each note's latents go to."""
    count = len(found.files) + len(found.problems)
    if count == 1 and out.suffix.lower() in LATENTS_SUFFIXES and not out.is_dir():
        common.check_outputs(("-o", out), inputs=[*found.files, *found.problems])
        return [out for _ in found.files]
    return inputs.in_folder(found, common.a_folder(out), ".npz")


@common.grouped
def decode(
    latents: Annotated[list[Path], typer.Argument(metavar="LATENTS...", help="Latents, .npz or .npy.")],
    out: Annotated[
        Path, typer.Option("--out", "-o", metavar="OUT.wav|DIR", help="Sound to write, .wav or .flac; or a folder.")
    ],
    *,
    decoding: common.Decoding,
    pitch: Annotated[
        float | None,
        typer.Option(
            "--pitch",
            metavar=common.PITCH,
            parser=common.pitch_of,
            help="Pitch to decode at; a .npy has none of its own.",
        ),
    ] = None,
    file: sound.File,
    format: sound.Format = None,
) -> None:
    """Latents to sound. Several go into a folder; NSynth's network decodes them together, which is faster."""
    found, failures = inputs.latents(latents), common.Failures()
    targets = sound.targets(found, out, format)
    how = file.writing(*targets, out)
    common.check_outputs(*(("-o", target) for target in targets), inputs=found.files)
    found.say(failures)
    explorer = common.load_explorer(decoding.checkpoint)
    common.check_pitch(explorer, pitch)
    pairs = list(zip(found.files, targets, strict=True))
    given = decoding.of(explorer) | {"engine": decoding.engine}
    del given["checkpoint"]
    together = explorer.together(decoding.engine)
    for first in range(0, len(pairs), together):
        _decode_group(explorer, pairs[first : first + together], failures, pitch, how, given)
    failures.end()


def _decode_group(
    explorer: Explorer,
    pairs: Sequence[tuple[Path, Path]],
    failures: common.Failures,
    pitch: float | None,
    how: Writing,
    decoding: dict[str, Any],
) -> None:
    """Read, decode and write (latents, sound) together."""
    from synth_explorer.rendering import sampler_of

    read, ready = [], []
    for path, target in pairs:
        with failures.going_on(path):
            read.append(explorer.load_latents(path, pitch=pitch))
            ready.append((path, target))
    sounds: Sequence[np.ndarray | SynthExplorerError] = []
    if read:
        with failures.going_on(", ".join(str(path) for path, _ in ready)):
            sounds = sound.decode_group(explorer, read, [target.name for _, target in ready], **decoding)
    for heard, latents, (path, target) in zip(sounds, read, ready, strict=False):  # none where decoding failed
        with failures.going_on(path):
            if isinstance(heard, SynthExplorerError):
                raise heard
            sampler = sampler_of(latents)
            sound.write(target, heard, sample_rate_hz=explorer.sample_rate_hz, sampler=sampler, how=how)
            common.say(target)
