"""The command that plays MIDI files."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from synth_explorer.cli import common, sound
from synth_explorer.cli.common import AUDIO_SUFFIXES
from synth_explorer.cli.instrument import NO_WHEEL, ByPitch, MorphSteps, ReleaseS, Sources, opened

if TYPE_CHECKING:
    from synth_explorer.instruments.midi import Song
    from synth_explorer.instruments.voices import Place

MORPH_STEPS, SHAPE = 5, "T=PLACE,..., such as 0=0,30=1"


@common.grouped
def play(
    song: Annotated[Path, typer.Argument(metavar="SONG.mid", help="A standard MIDI file.")],
    sources: Sources,
    out: Annotated[Path, typer.Option("--out", "-o", metavar="OUT.wav", help="Sound to write, .wav or .flac.")],
    morph_path: Annotated[
        str | None,
        typer.Option(metavar="T=PLACE,...", help="From the first note (0) to the last (1) over the song's time (s)."),
    ] = None,
    morph_steps: MorphSteps = None,
    velocity_layers: Annotated[int, typer.Option(min=1, max=16, help="Layers of level and brightness.")] = 4,
    by_pitch: ByPitch = False,
    release_s: ReleaseS = None,
    checkpoint: common.Checkpoint = "default",
    decoder: common.Decoder = None,
    seed: common.Seed = 0,
    fit_steps: common.FitSteps = None,
    *,
    file: sound.File,
) -> None:
    """A MIDI file played with a patch: many notes at once, velocities, sustain pedal, pitch bend, tempo.

    The mod wheel moves between the patch's notes (unless --morph-path does); with one note, or by pitch, it is a
    vibrato.
    """
    common.check_suffix(out, AUDIO_SUFFIXES)
    how = file.writing(out)
    common.check_outputs(("-o", out), inputs=[song, *sources])
    common.check_inputs(song)
    for option, given in (("--morph-path", morph_path), ("--morph-steps", morph_steps)):
        if by_pitch and given is not None:
            raise common.wrong_usage(NO_WHEEL, option)
    place = _place(morph_path)
    from synth_explorer.instruments import midi
    from synth_explorer.instruments.maker import Maker
    from synth_explorer.instruments.voices import Player
    from synth_explorer.instruments.zones import layers

    read = midi.read(song)
    for said in read.said:
        typer.echo(f"note: {song}: {said}", err=True)
    renderer, patch = opened(
        sources, by_pitch=by_pitch, checkpoint=checkpoint, decoder=decoder, seed=seed, fit_steps=fit_steps
    )
    steps = _steps(read, 1 if patch.mix.by_pitch else len(patch.sources), place, morph_steps)
    maker = Maker(renderer, patch, morph_steps=steps, release_s=release_s)
    player = Player(maker, layers(velocity_layers), place)
    if steps > 1:
        player.is_coherent = maker.is_coherent(player.slot(read.notes[0], 0))
    with common.progress(f"playing {song.name}", unit="notes") as update:
        audio = player.play(read, progress=update)
    sound.write(out, audio, sample_rate_hz=maker.sample_rate_hz, how=how)
    common.say(out)


def _steps(song: Song, count: int, place: Place | None, given: int | None) -> int:
    """How many sounds between a patch's notes are rendered: one where nothing moves between them."""
    from synth_explorer.instruments.voices import wheel_moves

    if count == 1 and (place is not None or given is not None):
        option = "--morph-path" if place is not None else "--morph-steps"
        raise common.wrong_usage("goes between two to four notes; the patch has one, or goes by pitch.", option)
    if place is None and not wheel_moves(song):
        if given is not None:
            typer.echo("note: nothing moves the morph, neither the mod wheel nor --morph-path", err=True)
        return 1
    return 1 if count == 1 else given or MORPH_STEPS


def _place(text: str | None) -> Place | None:
    """`0=0,30=1` -> a way of the morph over the song's time."""
    if text is None:
        return None
    from synth_explorer.instruments.voices import path

    points = []
    for point in text.split(","):
        time_s, _, place = point.partition("=")
        points.append((common.number(time_s, "--morph-path", SHAPE), common.number(place, "--morph-path", SHAPE)))
    times_s = [time_s for time_s, _ in points]
    if times_s[0] < 0 or any(b <= a for a, b in itertools.pairwise(times_s)):
        raise common.wrong_usage(f"times must rise from 0 s or later; received {times_s}.", "--morph-path")
    if not all(0.0 <= place <= 1.0 for _, place in points):
        raise common.wrong_usage("places must lie between 0 (the first note) and 1 (the last).", "--morph-path")
    return path(points)
