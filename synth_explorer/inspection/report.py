"""An inspection as one page of HTML: no network, no other files, light and dark, readable on a phone."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from pathlib import Path

import numpy as np

from synth_explorer import __version__, measure
from synth_explorer.inspection import scores, sounds
from synth_explorer.inspection.inspection import Inspection
from synth_explorer.inspection.verdicts import tolerances
from synth_explorer.latents import Latents, midi_to_hz
from synth_explorer.pitch import note_name
from synth_explorer.plots.chart import STYLE_SHEET
from synth_explorer.plots.rainbow import hue_colours

HERE = Path(__file__).parent
HUES_SHOWN = 24


def html(inspection: Inspection) -> str:
    """The whole page, as text."""
    style = STYLE_SHEET.read_text(encoding="utf-8") + (HERE / "report.css").read_text(encoding="utf-8")
    script = (HERE / "report.js").read_text(encoding="utf-8")
    body = "".join(f"<section><h2>{escape(title)}</h2>{content}</section>" for title, content in _sections(inspection))
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; img-src data:; media-src data:; '
        "style-src 'unsafe-inline'; script-src 'unsafe-inline'\">"
        f"<title>{escape(inspection.title)}, inspected</title><style>{style}</style></head>"
        f"<body><header><h1>{escape(inspection.title)}</h1>{_legend(inspection)}</header>"
        f"<main>{body}</main><script>{script}</script></body></html>\n"
    )


def _sections(inspection: Inspection) -> Iterator[tuple[str, str]]:
    """(title, HTML) from top to bottom; what does not exist is left out."""
    heard, edited = inspection.sounds, inspection.edited
    rate = {"sample_rate_hz": inspection.sample_rate_hz}
    yield "Facts", _facts(inspection)
    if heard:
        yield "Listen", sounds.players(heard, **rate, edited=edited)
    if edited:
        yield "Requested and measured", _verdicts(inspection)
    if heard:
        yield "Log-mel spectrogram", sounds.spectrograms(heard, **rate, edited=edited)
        yield "Rainbowgram", _hues() + sounds.rainbowgrams(heard, **rate, edited=edited)
        yield "Over time", sounds.tracks(heard, inspection.latents)
        yield "Modulation spectrum", _MODULATION + sounds.modulations(heard, comparable=_comparable(inspection))
    latents, names = inspection.latents, inspection.names
    yield "Latents", _HEAT + scores.heat_maps(latents, inspection.examples, names)
    yield "Channels over time", scores.curves(latents, names)
    if inspection.detail_places:
        yield "Detail", _DETAIL + scores.detail(latents, inspection.detail_places)
    if any(score.enhancements for score in latents.values()):
        yield "Enhancement", _ENHANCEMENT + scores.enhancement(latents, **rate)
    yield "Use of the channels", _USE + scores.use_table(inspection.use, inspection.examples, names)
    yield "Among the example notes", scores.example_map(inspection.means, inspection.examples)


_MODULATION = (
    '<p class="note">How deep each track swings at each rate, after a cubic trend is taken away: an oscillation is a '
    "peak at its rate, as high as it is deep. A note's own attack and decay lie at the left. The measure looks through "
    "windows of 32 ms and more, so that fast oscillations stand a little lower than they are.</p>"
)
_HEAT = (
    '<p class="note">Each channel less its mean over the example notes, in multiples of its spread over them: orange '
    "above, blue below, nothing at the mean.</p>"
)
_DETAIL = (
    '<p class="note">What the fit found beside the channels: offsets on the spectra that the network makes of '
    "them, their mean over time.</p>"
)
_ENHANCEMENT = (
    '<p class="note">What neither channels nor detail hold of the spectrum, heard when the note was encoded: orange is '
    "what the fast decoder plays too softly, blue what it plays too loudly. The final render puts it right; it fades "
    "when the pitch moves, within a semitone.</p>"
)
_USE = (
    '<p class="note">Over the frames that are heard. Spread is the standard deviation over the frames of all example '
    "notes: a use of 1 is as much movement within this note as there is among all of them.</p>"
)


_TOLERANCES = (
    f'<p class="note">Met means: {tolerances()}. Measured is the sound after the edits against the sound before '
    "them.</p>"
)
_LOOP = (
    '<p class="note">What the closed loop says that solved the edits, each against the sound without the edits that it '
    "solves:</p>"
)


def _comparable(inspection: Inspection) -> bool:
    """Whether no edit moves the note in time, so that before and after can be subtracted."""
    return not any(edit.timed for edit in inspection.chain)


def _legend(inspection: Inspection) -> str:
    roles = [*dict.fromkeys([*inspection.sounds, *inspection.latents])]
    names = {role: sounds.title(role, edited=inspection.edited) for role in roles}
    if not inspection.edited and "before" not in inspection.sounds:
        names["before"] = "Latents"
    if inspection.edited:
        names["difference"] = "Difference"
    keys = "".join(f'<li><b class="key {role}"></b>{escape(name)}</li>' for role, name in names.items())
    return f'<ul class="keys">{keys}</ul>'


def _facts(inspection: Inspection) -> str:
    """What the note is, in words and figures."""
    rows = [(name, value) for name, value in _fact_rows(inspection) if value]
    listed = "".join(f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>" for name, value in rows)
    remarks = "".join(f'<p class="note remark">{escape(remark)}</p>' for remark in inspection.remarks)
    return f'<dl class="facts">{listed}</dl>{remarks}'


def _fact_rows(inspection: Inspection) -> Iterator[tuple[str, str]]:
    before = inspection.latents["before"]
    meta = before.meta
    yield "Source", meta.source
    yield "Checkpoint", f"{inspection.explorer_name} ({inspection.checkpoint_hash[:12]})"
    yield "Decoder", f"{inspection.decoder}, seed {inspection.seed}"
    for role, score in inspection.latents.items():
        who = f", {role}" if inspection.edited else ""
        yield (
            f"Duration{who}",
            f"{score.duration_s:.3f} s, {score.frames} frames of {1000 / score.frame_rate_hz:.1f} ms",
        )
        yield f"Pitch{who}", pitch_words(score)
    yield "To be known", "; ".join("it " + notice for notice in before.notices)
    yield "Sample rate", f"{meta.sample_rate_hz} Hz"
    begins = meta.lead_in_samples / meta.sample_rate_hz
    where = "into" if begins >= 0 else "before"
    yield "Begins", f"{abs(begins):.3f} s {where} the recording" if "original" in inspection.sounds else ""
    for role, heard in inspection.sounds.items():
        rate = {"sample_rate_hz": inspection.sample_rate_hz}
        loudness = measure.loudness_db(heard.audio, **rate)
        brightness = measure.brightness_octaves(heard.audio, **rate)
        centroid = f", centroid {2**brightness:.0f} Hz" if np.isfinite(brightness) else ""
        peak = "silent" if np.isinf(heard.peak_db) else f"peak {heard.peak_db:.1f} dBFS"
        words = f"{heard.rms_db:.1f} dB RMS, {loudness:.1f} LUFS, {peak}{centroid}"
        yield f"Level, {sounds.title(role, edited=inspection.edited).lower()}", words.replace("-", "−")
    yield "Edits", " → ".join(edit_words(edit.to_dict()) for edit in inspection.chain)
    yield "Made by", f"synth_explorer {__version__}"


def pitch_words(latents: Latents) -> str:
    """The middle of a pitch track as a note, its MIDI number and Hz."""
    if not latents.has_pitch:
        return "inside the latents"
    midi = latents.pitch_midi
    nearest = round(midi)
    cents = 100.0 * (midi - nearest)
    off = f" {cents:+.0f} cents".replace("-", "−") if abs(cents) >= 1 else ""
    return f"{note_name(midi)}{off}, MIDI {midi:.2f}, {midi_to_hz(midi):.2f} Hz"


def edit_words(content: dict) -> str:
    """An edit as people read it: its kind and its fields, long lists by their length."""
    fields = {name: value for name, value in content.items() if name != "kind"}
    words = [f"{name} {_field(value)}" for name, value in fields.items()]
    return content["kind"].replace("_", " ") + (f" ({', '.join(words)})" if words else "")


def _field(value: object) -> str:
    if isinstance(value, list):
        return f"of {len(value)}" if len(value) > 4 else str(value)
    return f"{value:g}" if isinstance(value, float) else str(value)


def _verdicts(inspection: Inspection) -> str:
    """The table of verdicts, and what the closed loop had to say."""
    if not inspection.verdicts:
        return '<p class="note">Nothing was measured: see the remarks above.</p>'
    rows = "".join(
        f'<tr class="{row.state.split()[0]}"><th scope="row">{escape(row.name)}</th><td>{escape(row.requested)}</td>'
        f"<td>{escape(row.measured) or '–'}</td><td>{escape(row.words)}</td></tr>"
        for row in inspection.verdicts
    )
    heads = "".join(f'<th scope="col">{name}</th>' for name in ("", "requested", "measured", "verdict"))
    said = "".join(f"<li>{escape(sentence)}</li>" for sentence in inspection.outcomes)
    loop = f'{_LOOP}<ul class="near">{said}</ul>' if said else ""
    table = f'<table class="verdicts"><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>'
    return f'<div class="scroll">{table}</div>{_TOLERANCES}{loop}'


def _hues() -> str:
    """What the hues of a rainbowgram mean."""
    stops = ", ".join(f"rgb({r} {g} {b})" for r, g, b in [*hue_colours(HUES_SHOWN), hue_colours(HUES_SHOWN)[0]])
    return (
        '<p class="note">Constant-Q level as brightness; the hue is how far the instantaneous frequency lies from the '
        "nearest semitone.</p>"
        f'<div class="hues"><span>−50 cents</span><i style="background:linear-gradient(90deg, {stops})"></i>'
        "<span>+50</span></div>"
    )
