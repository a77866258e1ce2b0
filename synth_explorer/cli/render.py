"""The command that renders patches."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from synth_explorer.cli import common, inputs, sound


def render(
    patches: Annotated[
        list[Path], typer.Argument(metavar="PATCH...", help="Patches: JSON, or packed with their notes.")
    ],
    out: Annotated[
        Path, typer.Option("--out", "-o", metavar="OUT.wav|DIR", help="Sound to write, .wav or .flac; or a folder.")
    ],
    engine: common.Engine = "auto",
    peak: sound.Peak = "keep",
    bits: sound.Bits = None,
    length_s: sound.LengthS = None,
    format: sound.Format = None,
) -> None:
    """Patches to sound: each says all of it, from its notes to the seed. Several go into a folder."""
    found, failures = inputs.patches(patches), common.Failures()
    targets = sound.targets(found, out, format)
    how = sound.writing(peak, bits, length_s, *targets, out)
    common.check_outputs(*(("-o", target) for target in targets), inputs=found.files)
    found.say(failures)
    from synth_explorer.rendering import load_patch, renderer_of

    for path, target in zip(found.files, targets, strict=True):
        with failures.going_on(path):
            patch = load_patch(path)
            with common.status(f"loading checkpoint {patch.checkpoint}"):
                renderer = renderer_of(patch)
            sound.write_patch(renderer, patch, target, how, engine=engine)
    failures.end()
