"""From latents to sound files: the options of every command that writes sound, decoding, writing, and what is said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from synth_explorer.cli import common, inputs

if TYPE_CHECKING:
    import numpy as np

    from synth_explorer.audio import Sampler, Writing
    from synth_explorer.errors import SynthExplorerError
    from synth_explorer.explorer import Explorer
    from synth_explorer.latents import Latents
    from synth_explorer.rendering import Patch, Rendered, Renderer

Peak = Annotated[
    Literal["keep", "limit", "normalise"],
    typer.Option(
        "--peak", help="keep every level; limit what exceeds -0.1 dBFS; or normalise: bring the peak there, up or down."
    ),
]
Bits = Annotated[
    Literal["16", "24", "32"] | None,
    typer.Option("--bits", help="16 or 24 (PCM, dithered), 32 (float, .wav only); else 32 for .wav, 24 for .flac."),
]
LengthS = Annotated[
    float | None,
    typer.Option(
        "--length-s",
        metavar="SECONDS",
        callback=common.a_number,
        help="Cut it, with a short fade, or fill it with silence to this.",
    ),
]
SavePatch = Annotated[
    Path | None,
    typer.Option(
        "--save-patch", metavar="P.json|P.zip", help="Save all that the sound is made of; .zip with its notes."
    ),
]


@dataclass(frozen=True)
class File:
    """How a sound is written."""

    peak: Peak = "keep"
    bits: Bits = None
    length_s: LengthS = None

    @property
    def given(self) -> dict[str, bool]:
        """Which of its options are given."""
        return {
            "--peak": self.peak != "keep",
            "--bits": self.bits is not None,
            "--length-s": self.length_s is not None,
        }

    def writing(self, *outs: Path) -> Writing:
        """The same, checked against the files to be written before any work is done."""
        for out in outs:
            for option in (name for name, is_given in self.given.items() if is_given and common.is_latents(out)):
                raise common.wrong_usage(f"is of sounds; {out} holds latents.", option)
        from synth_explorer.audio import BITS, Writing
        from synth_explorer.errors import AudioError

        try:
            how = Writing(self.peak, None if self.bits is None else int(self.bits), self.length_s)
        except AudioError as error:
            raise common.wrong_usage(str(error), "--length-s") from None
        for out in (out for out in outs if out.suffix.lower() in BITS):
            try:
                how.bits_for(out)
            except AudioError as error:
                raise common.wrong_usage(str(error), "--bits") from None
        return how


Format = Annotated[Literal["wav", "flac"] | None, typer.Option("--format", help="Of sounds in a folder; else wav.")]


def targets(found: inputs.Inputs, out: Path, format: str | None) -> list[Path]:
    """The file that the sound of each note's latents goes to."""
    count = len(found.files) + len(found.problems)
    if count == 1 and out.suffix.lower() in common.AUDIO_SUFFIXES:
        if format is not None:
            raise common.wrong_usage(f"is of sounds in a folder; {out} says what it is.", "--format")
        common.check_outputs(("-o", out), inputs=[*found.files, *found.problems])
        return [out for _ in found.files]
    return inputs.in_folder(found, common.a_folder(out), f".{format or 'wav'}")


def write_patch(renderer: Renderer, patch: Patch, out: Path, how: Writing | None, *, engine: str) -> Rendered:
    """Render a patch and write its latents (.npz, .npy) or its sound (.wav, .flac), and print the path."""
    if common.is_latents(out):
        done = renderer.begin(patch, engine=engine)
        common.write_latents(done.after, out)
        return done
    if renderer.explorer.decoder(patch.decoder).answers_at_once:
        done = renderer.render(patch, engine=engine)
    else:
        with common.progress(f"decoding {out.name}", unit="samples") as update:
            done = renderer.render(patch, engine=engine, progress=update)
    write(out, done.audio, sample_rate_hz=done.sample_rate_hz, sampler=done.sampler, how=how)
    common.say(out)
    return done


def save_patch(patch: Patch, path: Path | None) -> None:
    """Save a patch, alone or with its notes, as the suffix says; None saves nothing."""
    if path is None:
        return
    from synth_explorer.rendering import pack

    with common.replacing(path):
        pack(patch, path) if path.suffix.lower() == ".zip" else patch.save(path)


def write(
    path: Path, sound: np.ndarray, *, sample_rate_hz: int, sampler: Sampler | None = None, how: Writing | None = None
) -> None:
    """Write a sound, with its pitch and loop for samplers; say what became of its level."""
    from synth_explorer import audio

    with common.replacing(path):
        done = audio.write(path, sound, sample_rate_hz=sample_rate_hz, sampler=sampler, how=how)
    if done.peak_db > 0.0:
        level = f"{path} peaks at {done.peak_db:+.2f} dBFS"
        typer.echo(f"warning: {level}; players may clip it: --peak limit or normalise", err=True)
    if done.change_db:
        limited = how is not None and how.peak == "limit"
        what = (
            "the peaks of {} were limited by up to {:.2f} dB"
            if limited
            else "the level of {} was changed by {:+.2f} dB"
        )
        typer.echo("note: " + what.format(path, abs(done.change_db) if limited else done.change_db), err=True)


def decode(explorer: Explorer, latents: Latents, title: str, **decoding: Any) -> np.ndarray:
    """Latents -> audio [T]; where a decoder takes its time, it is shown how much is left."""
    if explorer.decoder(decoding.get("decoder")).answers_at_once:
        return explorer.decode(latents, **decoding)
    with common.progress(f"decoding {title}", unit="samples") as update:
        return explorer.decode(latents, progress=update, **decoding)


def decode_group(
    explorer: Explorer, latents: Sequence[Latents], titles: Sequence[str], **decoding: Any
) -> Sequence[np.ndarray | SynthExplorerError]:
    """As `decode`, of several notes at once; what is refused of them stands in its place."""
    if len(latents) == 1:
        return [decode(explorer, latents[0], titles[0], **decoding)]
    with common.progress(f"decoding {titles[0]} to {titles[-1]}", unit="samples") as update:
        return explorer.decode_many(latents, progress=update, **decoding)
