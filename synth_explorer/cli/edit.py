"""The command that bends a note: gain, oscillation, timbre and pitch, measured when asked."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from synth_explorer.cli import common, edit_options, inputs, sound
from synth_explorer.cli.common import AUDIO_SUFFIXES, LATENTS_SUFFIXES, REPORT_SUFFIXES

if TYPE_CHECKING:
    import numpy as np

    from synth_explorer.edits import Edit, EditChain
    from synth_explorer.explorer import Explorer
    from synth_explorer.latents import Latents

OSC_DEPTHS = {"loudness": 3.0, "brightness": 0.5, "pitch": 30.0}
OSC_UNITS = {"loudness": "dB", "brightness": "octaves", "pitch": "cents"}
CHANNEL_DEPTH = 1.0
OSC_DEPTH_HELP = "Peak deviation to either side: " + ", ".join(
    [f"{OSC_UNITS[target]} of {target} (default {depth:g})" for target, depth in OSC_DEPTHS.items()]
    + [f"a channel's own units (default {CHANNEL_DEPTH:g})"]
)
_CHANNELS = re.compile(r"\d{1,4}(-\d{1,4})?(,\d{1,4}(-\d{1,4})?)*")


def edit(
    note: inputs.Note,
    out: Annotated[Path, typer.Option("--out", "-o", metavar="OUT.wav", help="Sound (.wav, .flac) or latents (.npz).")],
    gain_db: Annotated[float | None, typer.Option(help="Louder or softer, in dB.")] = None,
    osc: Annotated[Literal["loudness", "brightness", "pitch"] | None, typer.Option(help="What swings.")] = None,
    osc_channels: Annotated[
        str | None, typer.Option(metavar="CHANNELS", help="Channels that swing instead, in their own units.")
    ] = None,
    osc_rate_hz: Annotated[float | None, typer.Option(help="Swings a second (default 5).")] = None,
    osc_depth: Annotated[float | None, typer.Option(help=OSC_DEPTH_HELP)] = None,
    osc_shape: Annotated[
        Literal["sine", "triangle", "square", "ramp", "walk"] | None, typer.Option(help="Its form (default sine).")
    ] = None,
    brightness_octaves: Annotated[
        float | None, typer.Option(help="Brighter or darker, in octaves of the spectral centroid.")
    ] = None,
    toward: Annotated[
        Path | None, typer.Option(metavar="NOTE", callback=inputs.note, help="A note whose mean timbre to move to.")
    ] = None,
    amount: Annotated[
        float | None, typer.Option(help="How far toward it: -0.3 to 1.3 (default 0.5; 1 is there).")
    ] = None,
    scale: Annotated[
        list[str] | None, typer.Option(metavar="CHANNELS=FACTOR", help="Multiply channels: 3=1.5, 0-7,9=0, all=1.2.")
    ] = None,
    add: Annotated[
        list[str] | None, typer.Option(metavar="CHANNELS=AMOUNT", help="Add to channels, which moves their mean.")
    ] = None,
    transpose: Annotated[float | None, typer.Option(metavar="SEMITONES", help="Higher or lower, in semitones.")] = None,
    set_pitch: Annotated[float | None, typer.Option(metavar="MIDI", help="To this MIDI pitch.")] = None,
    noisiness_db: edit_options.Noisiness = None,
    attack_s: edit_options.Attack = None,
    trim_s: edit_options.Trim = None,
    reverse: edit_options.Reverse = False,
    stretch: edit_options.Stretch = None,
    freeze_s: edit_options.Freeze = None,
    adsr: edit_options.Envelope = None,
    curve: edit_options.Curves = None,
    swing: edit_options.Swings = None,
    direction: edit_options.Directions = None,
    open_loop: edit_options.OpenLoop = False,
    preset: Annotated[Path | None, typer.Option(metavar="P.json", help="An edit chain to apply first.")] = None,
    save_preset: Annotated[Path | None, typer.Option(metavar="P.json", help="Save the whole chain.")] = None,
    report: Annotated[Path | None, typer.Option(metavar="R.json", help="Requested against measured, as JSON.")] = None,
    pitch: common.NotePitch = None,
    checkpoint: common.Checkpoint = "default",
    decoder: common.Decoder = None,
    engine: common.Engine = "auto",
    seed: common.Seed = 0,
    temperature: common.Temperature = 1.0,
    fit_steps: common.FitSteps = None,
    peak: sound.Peak = "keep",
    bits: sound.Bits = None,
    length_s: sound.LengthS = None,
) -> None:
    """Bend a note in units a musician knows, and measure what was heard.

    Edits are applied in this order: preset, toward, scale, add, pitch, directions, time and curves, brightness, gain,
    oscillation. The last three are solved: the sound is listened to and corrected until it does what was asked, and
    what it cannot do is said. The raw edits of channels (--scale, --add, --osc-channels) are NSynth's: they work with
    every checkpoint and promise nothing.
    """
    common.check_suffix(out, AUDIO_SUFFIXES if report else AUDIO_SUFFIXES + LATENTS_SUFFIXES)
    for option, path in (("--report", report), ("--save-preset", save_preset)):
        if path is not None:
            common.check_suffix(path, REPORT_SUFFIXES, option=option)
    how = sound.writing(peak, bits, length_s, out)
    outputs = (("-o", out), ("--report", report), ("--save-preset", save_preset))
    common.check_outputs(*outputs, inputs=(note, toward, preset))
    _check_options(
        osc=osc,
        osc_channels=osc_channels,
        osc_rate_hz=osc_rate_hz,
        osc_depth=osc_depth,
        osc_shape=osc_shape,
        toward=toward,
        amount=amount,
        fit_steps=fit_steps,
        transpose=transpose,
        set_pitch=set_pitch,
    )
    raw = {
        "scale": [_assignment(text, "--scale") for text in scale or ()],
        "add": [_assignment(text, "--add") for text in add or ()],
        "osc_channels": None if osc_channels is None else _channels(osc_channels, "--osc-channels"),
    }
    timed = edit_options.timed_steps(
        noisiness_db=noisiness_db,
        attack_s=attack_s,
        trim_s=trim_s,
        reverse=reverse,
        stretch=stretch,
        freeze_s=freeze_s,
        adsr=adsr,
        curves=curve,
    )
    swings = edit_options.swing_steps(swing)
    along = edit_options.direction_steps(direction)
    common.check_inputs(note, toward, preset)
    first = _preset(preset)
    explorer = common.load_explorer(checkpoint)
    latents = common.read_latents(explorer, note, pitch=pitch, fit_steps=fit_steps)
    chain = _chain(
        explorer,
        latents,
        first,
        raw,
        along + timed,
        swings,
        toward=toward,
        amount=amount,
        fit_steps=fit_steps,
        transpose=transpose,
        set_pitch=set_pitch,
        brightness_octaves=brightness_octaves,
        gain_db=gain_db,
        osc=osc,
        osc_channels=osc_channels,
        osc_rate_hz=osc_rate_hz,
        osc_depth=osc_depth,
        osc_shape=osc_shape,
    )
    chain.check(latents)
    decoding = {
        "decoder": common.decoder_of(explorer, decoder),
        "seed": seed,
        "temperature": temperature,
        "engine": engine,
    }
    solving = {"seed": seed, "temperature": temperature, "engine": engine, "open_loop": open_loop}
    edited, solution = edit_options.solve(explorer, latents, chain, **solving)
    after = sound.write_result(explorer, edited, out, how, **decoding)
    if save_preset is not None:  # not before the sound: what cannot be done is no preset
        with common.replacing(save_preset):
            chain.save(save_preset)
    if report is not None:
        before = sound.decode(explorer, latents, "the note before its edits", **decoding)
        known_hz = (_pitch_hz(latents), _pitch_hz(edited)) if latents.has_pitch else None
        known = {
            "sample_rate_hz": explorer.sample_rate_hz,
            "pitch_hz": known_hz,
            "source": _source(explorer, note, latents),
        }
        found = edit_options.report(chain, before, after, solution, **known)
        changed = how.peak != "keep" or how.length_s is not None
        file = {
            "peak": how.peak,
            "length_s": how.length_s,
            "measured": "before the file's peak and length were changed",
        }
        _report(found | {"note": _heard(latents)} | ({"file": file} if changed else {}), report)


def _heard(latents: Latents) -> dict[str, Any]:
    """What a report says of the note itself: its pitch with its doubt, and what was lost when it was read."""
    meta = latents.meta
    pitch = {"pitch_midi": latents.pitch_midi, "pitch_confidence": meta.pitch_confidence, "pitch_kind": meta.pitch_kind}
    return (pitch if latents.has_pitch else {}) | {"notices": list(latents.notices)}


def _check_options(**given: Any) -> None:
    """Refuse options that mean nothing together."""
    if given["osc"] is None and given["osc_channels"] is None:
        for name in ("osc_rate_hz", "osc_depth", "osc_shape"):
            if given[name] is not None:
                message = "say what swings: --osc loudness, brightness or pitch, or --osc-channels."
                raise common.wrong_usage(message, _option(name))
    if given["osc"] is not None and given["osc_channels"] is not None:
        raise common.wrong_usage("give --osc or --osc-channels, not both.", "--osc-channels")
    if given["toward"] is None and given["amount"] is not None:
        raise common.wrong_usage("say toward which note: --toward NOTE.", "--amount")
    if given["transpose"] is not None and given["set_pitch"] is not None:
        raise common.wrong_usage("give --transpose or --set-pitch, not both.", "--set-pitch")


def _option(name: str) -> str:
    return "--" + name.replace("_", "-")


def _assignment(text: str, option: str) -> tuple[tuple[int, ...] | None, float]:
    """`CHANNELS=NUMBER` -> (channels, the number)."""
    channels, _, value = text.partition("=")
    try:
        return _channels(channels, option), float(value)
    except ValueError:
        raise common.wrong_usage(f"{text!r} must be CHANNELS=NUMBER, such as 0,3-5=1.5 or all=0.8.", option) from None


def _channels(text: str, option: str) -> tuple[int, ...] | None:
    """`3`, `0,2-5` or `all` -> channels; None is all of them."""
    if text == "all":
        return None
    if not _CHANNELS.fullmatch(text):
        raise common.wrong_usage(f"{text!r} must name channels, such as 3, or 0,2-5, or all.", option)
    ends = [[int(end) for end in part.split("-")] for part in text.split(",")]
    channels = tuple(channel for first, *last in ends for channel in range(first, (last or [first])[0] + 1))
    if not channels:
        raise common.wrong_usage(f"{text!r} names no channel; write the lower one first.", option)
    return channels


def _preset(path: Path | None) -> EditChain:
    """The edit chain to apply first; empty where none is given."""
    from synth_explorer.edits import EditChain

    return EditChain() if path is None else EditChain.load(path)


def _chain(
    explorer: Explorer,
    latents: Latents,
    chain: EditChain,
    raw: dict[str, Any],
    timed: list[Edit],
    swings: list[Edit],
    *,
    toward: Path | None,
    amount: float | None,
    fit_steps: int | None,
    **given: Any,
) -> EditChain:
    """The edit chain that the options ask for, after the one given."""
    from synth_explorer import closed_loop, edits

    steps: list[Any] = []
    if toward is not None:
        goal = common.read_latents(explorer, toward, fit_steps=fit_steps)
        before = explorer.edit(latents, chain)
        midi = before.pitch_midi if before.has_pitch else None
        mean = closed_loop.mean_sound(explorer, goal, midi=midi)
        steps.append(edits.Toward(amount=0.5 if amount is None else amount, **mean._asdict()))
    everything = tuple(range(latents.channels))
    steps += [edits.Scale(channels=channels or everything, factor=factor) for channels, factor in raw["scale"]]
    steps += [edits.Add(channels=channels or everything, amount=value) for channels, value in raw["add"]]
    if given["transpose"] is not None:
        steps.append(edits.Transpose(semitones=given["transpose"]))
    if given["set_pitch"] is not None:
        steps.append(edits.SetPitch(midi=given["set_pitch"]))
    steps += timed
    if given["brightness_octaves"] is not None:
        steps.append(edits.Brightness(octaves=given["brightness_octaves"]))
    if given["gain_db"] is not None:
        steps.append(edits.Gain(db=given["gain_db"]))
    target = given["osc"]
    if target is not None or given["osc_channels"] is not None:
        rate_hz, depth = given["osc_rate_hz"], given["osc_depth"]
        depth = OSC_DEPTHS.get(target, CHANNEL_DEPTH) if depth is None else depth
        wave = {"rate_hz": 5.0 if rate_hz is None else rate_hz, "depth": depth, "shape": given["osc_shape"] or "sine"}
        if target is not None:
            steps.append(edits.Oscillate(target=target, **wave))
        else:
            steps.append(edits.OscillateChannels(channels=raw["osc_channels"] or everything, **wave))
    return chain + edits.EditChain((*steps, *swings))


def _pitch_hz(latents: Latents) -> float:
    """The middle of a pitch track in Hz."""
    from synth_explorer.latents import midi_to_hz

    return midi_to_hz(latents.pitch_midi)


def _source(explorer: Explorer, note: Path, latents: Latents) -> np.ndarray | None:
    """The recording [T] that latents were encoded from, on their time axis; None where the note was latents."""
    from synth_explorer import inspection

    return None if common.is_latents(note) else inspection.aligned(explorer.read(note), latents)


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
