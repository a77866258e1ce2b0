"""The command that shows a note, and what edits did to it, on one page of HTML."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from synth_explorer.cli import common, inputs, sound

if TYPE_CHECKING:
    import numpy as np

    from synth_explorer.explorer import Explorer
    from synth_explorer.inspection import Examples
    from synth_explorer.latents import Latents


def inspect(
    note: inputs.Note,
    out: Annotated[Path, typer.Option("--out", "-o", metavar="OUT.html", help="The page to write.")],
    preset: Annotated[
        Path | None, typer.Option(metavar="P.json", help="An edit chain: show before, after, and the difference.")
    ] = None,
    pitch: common.NotePitch = None,
    checkpoint: common.Checkpoint = "default",
    seed: common.Seed = 0,
    decode_s: Annotated[
        float | None,
        typer.Option(
            metavar="SECONDS",
            callback=common.a_number,
            help="Decode only so much; without a fast decoder nothing is decoded else.",
        ),
    ] = None,
    open_loop: Annotated[
        bool, typer.Option("--open-loop", help="Apply edits by their formulas, without listening to what comes out.")
    ] = False,
) -> None:
    """Show a note on one page that needs nothing else: latents, spectra, tracks, modulation, its place on a map.

    With --preset everything is shown before and after the edits, and what was requested beside what was measured. The
    example notes of the map are encoded once for each checkpoint and kept in your cache folder; SYNTH_EXPLORER_CACHE
    names another.
    """
    common.check_suffix(out, (".html", ".htm"))
    common.check_outputs(("-o", out), inputs=(note, preset))
    if decode_s is not None and not decode_s > 0:
        raise common.wrong_usage("give a positive number of seconds.", "--decode-s")
    common.check_inputs(note, preset)
    from synth_explorer import inspection
    from synth_explorer.edits import EditChain
    from synth_explorer.rendering import Renderer, Source

    chain = EditChain() if preset is None else EditChain.load(preset)
    explorer = common.load_explorer(checkpoint)
    common.check_pitch(explorer, pitch)
    renderer = Renderer(explorer)
    source = Source.of(note, pitch_midi=pitch)
    patch = renderer.patch(source, edits=chain, seed=seed, open_loop=open_loop)
    common.say_notices(note, renderer.latents(source, fit_steps=patch.fit_steps))
    begun = renderer.begin(patch)

    def decode(score: Latents, *, seed: int) -> np.ndarray:
        return sound.decode(explorer, score, score.meta.source, seed=seed)

    found = inspection.inspect(
        explorer,
        begun.before,
        _examples(explorer),
        edited=begun.after if len(chain) else None,
        chain=chain,
        outcomes=[outcome.sentence for outcome in begun.outcomes],
        original=renderer.recording(source),
        seed=seed,
        decode_s=decode_s,
        decode=decode,
    )
    common.write_text(out, inspection.html(found))
    common.say(out)


def _examples(explorer: Explorer) -> Examples:
    """The bundled notes for the map; encoded the first time, which is shown."""
    from synth_explorer import inspection

    with common.progress("encoding the example notes", unit="notes") as update:
        found, unkept = inspection.examples(explorer, progress=update)
    if unkept:
        typer.echo(f"warning: the example notes will be encoded again next time: {unkept}.", err=True)
    return found
