"""The command that bends a note: gain, oscillation, timbre and pitch, measured when asked."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from synth_explorer.cli import common, edit_options, inputs, sound
from synth_explorer.cli.common import AUDIO_SUFFIXES, LATENTS_SUFFIXES, PATCH_SUFFIXES, REPORT_SUFFIXES

if TYPE_CHECKING:
    from synth_explorer.audio import Writing
    from synth_explorer.edits import Edit, EditChain
    from synth_explorer.explorer import Explorer
    from synth_explorer.latents import Latents
    from synth_explorer.rendering import Rendered, Renderer

OpenLoop = Annotated[
    bool, typer.Option("--open-loop", help="Apply edits by their formulas, without listening to what comes out.")
]


@edit_options.asking
@common.grouped
def edit(
    note: inputs.Note,
    out: Annotated[Path, typer.Option("--out", "-o", metavar="OUT.wav", help="Sound (.wav, .flac) or latents (.npz).")],
    open_loop: OpenLoop = False,
    preset: Annotated[Path | None, typer.Option(metavar="P.json", help="An edit chain to apply first.")] = None,
    save_preset: Annotated[Path | None, typer.Option(metavar="P.json", help="Save the whole chain.")] = None,
    report: Annotated[Path | None, typer.Option(metavar="R.json", help="Requested against measured, as JSON.")] = None,
    pitch: common.NotePitch = None,
    *,
    decoding: common.Decoding,
    fit_steps: common.FitSteps = None,
    file: sound.File,
    save_patch: sound.SavePatch = None,
    **asked: Any,
) -> None:
    """Bend a note in units a musician knows, and measure what was heard.

    Edits are applied in this order: preset, toward, scale, add, pitch, directions, time and curves, brightness, gain,
    oscillation. The last three are solved: the sound is listened to and corrected until it does what was asked, and
    what it cannot do is said. The raw edits of channels (--scale, --add, --osc-channels) are NSynth's: they work with
    every checkpoint and promise nothing.
    """
    asked["toward"] = inputs.note(asked["toward"])
    saved = {"--report": report, "--save-preset": save_preset, "--save-patch": save_patch}
    _check_files(out, saved, inputs=(note, asked["toward"], preset))
    how = file.writing(out)
    edit_options.check(asked)
    steps = _Steps(asked)
    common.check_inputs(note, asked["toward"], preset)
    first = _preset(preset)
    from synth_explorer.rendering import Renderer, Source

    explorer = common.load_explorer(decoding.checkpoint)
    common.check_pitch(explorer, pitch)
    renderer, source = Renderer(explorer), Source.of(note, pitch_midi=pitch)
    steps_of_fit = common.steps_of(fit_steps)
    latents = renderer.latents(source, fit_steps=steps_of_fit)
    common.say_notices(note, latents)
    patch = renderer.patch(
        source,
        edits=steps.chain(explorer, latents, first, fit_steps=fit_steps),
        fit_steps=steps_of_fit,
        open_loop=open_loop,
        **decoding.of(explorer),
    )
    done = sound.write_patch(renderer, patch, out, how, engine=decoding.engine)
    for outcome in done.outcomes:
        if not outcome.reached:
            typer.echo("warning: " + outcome.sentence, err=True)
    sound.save_patch(patch, save_patch)
    if save_preset is not None:  # not before the sound: what cannot be done is no preset
        with common.replacing(save_preset):
            patch.edits.save(save_preset)
    if report is not None:
        _report(_measured(renderer, done) | {"note": _heard(latents)} | _file(how), report)


def _measured(renderer: Renderer, done: Rendered) -> dict[str, Any]:
    """The report of a rendered patch; where a decoder takes its time over the sound before, it is shown."""
    if renderer.explorer.decoder(done.patch.decoder).answers_at_once:
        return done.report
    with common.progress("decoding the note before its edits", unit="samples") as update:
        return renderer.report(done, progress=update)


def _check_files(out: Path, saved: dict[str, Path | None], *, inputs: tuple[Path | None, ...]) -> None:
    """Refuse names that cannot be written, and outputs that are inputs."""
    common.check_suffix(out, AUDIO_SUFFIXES if saved["--report"] else AUDIO_SUFFIXES + LATENTS_SUFFIXES)
    for option, path in saved.items():
        if path is not None:
            allowed = PATCH_SUFFIXES if option == "--save-patch" else REPORT_SUFFIXES
            common.check_suffix(path, allowed, option=option)
    common.check_outputs(("-o", out), *saved.items(), inputs=inputs)


def _file(how: Writing) -> dict[str, Any]:
    """What a report says of the file, where it differs from what was measured."""
    if how.peak == "keep" and how.length_s is None:
        return {}
    measured = "before the file's peak and length were changed"
    return {"file": {"peak": how.peak, "length_s": how.length_s, "measured": measured}}


def _heard(latents: Latents) -> dict[str, Any]:
    """What a report says of the note itself: its pitch with its doubt, and what was lost when it was read."""
    meta = latents.meta
    pitch = {"pitch_midi": latents.pitch_midi, "pitch_confidence": meta.pitch_confidence, "pitch_kind": meta.pitch_kind}
    return (pitch if latents.has_pitch else {}) | {"notices": list(latents.notices)}


def _preset(path: Path | None) -> EditChain:
    """The edit chain to apply first; empty where none is given."""
    from synth_explorer.edits import EditChain

    return EditChain() if path is None else EditChain.load(path)


class _Steps:
    """The edits that the options ask for, read before any note is."""

    def __init__(self, asked: dict[str, Any]) -> None:
        self.raw, self.plain = edit_options.raw_steps(asked), edit_options.plain_steps(asked)
        self.swings = edit_options.swing_steps(asked)
        self.toward, self.amount = asked["toward"], asked["amount"]

    def chain(self, explorer: Explorer, latents: Latents, first: EditChain, *, fit_steps: int | None) -> EditChain:
        """The chain of a note: what is applied first, then these."""
        from synth_explorer.edits import EditChain

        def on(edit: Edit, is_whole: bool) -> Edit:
            return replace(edit, channels=tuple(range(latents.channels))) if is_whole else edit

        toward = [] if self.toward is None else [self._toward(explorer, explorer.edit(latents, first), fit_steps)]
        raw, swings = ([on(*step) for step in steps] for steps in (self.raw, self.swings))
        return first + EditChain((*toward, *raw, *self.plain, *swings))

    def _toward(self, explorer: Explorer, before: Latents, fit_steps: int | None) -> Edit:
        """The move toward the other note, heard at the pitch that this one has by then."""
        from synth_explorer import closed_loop
        from synth_explorer.edits import Toward

        goal = common.read_latents(explorer, self.toward, fit_steps=fit_steps)
        mean = closed_loop.mean_sound(explorer, goal, midi=before.pitch_midi if before.has_pitch else None)
        return Toward(amount=Toward.numbers()["amount"].given(self.amount), **mean._asdict())


def _report(report: dict[str, Any], path: Path) -> None:
    """Write a report as JSON and show it as a table."""
    common.write_json(path, report)
    common.say(path)
    names = list(dict.fromkeys([*report["requested"], *report["measured"]]))
    rows = [[name, report["requested"].get(name), report["measured"].get(name)] for name in names]
    common.print_table("", ["", "requested", "measured"], rows, err=True)
    if report.get("source", {}).get("movement"):
        from synth_explorer.inspection import source_words

        typer.echo(f"Pitch: {source_words(report['source'])}.", err=True)
