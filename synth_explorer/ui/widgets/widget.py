"""Widgets of the page's own: HTML with a script beside it, `NAME.html` and `NAME.js`.

They are functions, not subclasses: Gradio writes a stub file beside the source of every component class it meets.
The markup is fixed and the script draws the value into it, so that a new value never replaces an element that is
playing, focused or being dragged.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import gradio as gr

from synth_explorer.explorer import FIT_STEPS
from synth_explorer.pitch import HIGHEST_MIDI, LOWEST_MIDI
from synth_explorer.ui.request.knobs import (
    CURVE_DIGITS,
    CURVE_UNITS,
    CURVES,
    LATEST_POINT_S,
    LONGEST_S,
    MIX_RANGE,
    POINTS_MOST,
)
from synth_explorer.ui.request.settings import Settings

FOLDER = Path(__file__).parent
STYLES = [FOLDER / name for name in ("keyboard.css", "deck.css", "exports.css", "files.css", "map.css")]


def words(value: str = "", **options: Any) -> gr.HTML:
    """A few words as HTML, without Gradio's own looks for prose."""
    return gr.HTML(value, apply_default_css=False, js_on_load=None, **options)


def memory(value: Any = None) -> gr.HTML:
    """A value that the page's scripts and the server both read and write. It shows nothing.

    Once the server has sent None, browser and server read "".
    """
    return gr.HTML(value, html_template="", apply_default_css=False, js_on_load=None, visible="hidden")


def pad(value: dict[str, Any], **options: Any) -> gr.HTML:
    """A pad to drag: a strip from A to B for two sources, a square for three or four.

    Value: {"x", "y", "count", "names": [...], "colours": [...]}, as `knob_values.pad_value` makes it. Event: `release`,
    after it was moved by pointer, touch or arrow keys. What it sends must be brought into range by whoever reads it.
    """
    return _widget("pad", value, props={"mix": list(MIX_RANGE)}, **options)


def curves(value: dict[str, Any], **options: Any) -> gr.HTML:
    """A field to draw curves over time in: of the morph, of loudness, brightness and pitch, one at a time.

    Value: {"points": {target: [[time_s, value], ...]}, "count", "targets": [...]}, as `knob_values.curves_value` makes
    it. Event: `release`, after a curve was changed. What it sends must be brought into range by whoever reads it.
    """
    facts = {"ranges": {name: list(range_) for name, range_ in CURVES.items()}, "units": CURVE_UNITS}
    facts |= {"digits": CURVE_DIGITS, "most": POINTS_MOST, "latest": LATEST_POINT_S}
    return _widget("curves", value, props=facts, **options)


def deck(fitted: Callable[[str], int], **options: Any) -> gr.HTML:
    """Buttons to undo and redo, to copy a link and to save; it remembers what the page has shown.

    Value: {"request", "link", "play", "stamp"}, what the page is turned to by one of its events: `apply` where its
    knobs do, `dress` where its notes and its checkpoint may be others. `fitted`: how often the notes of a request have
    been listened to again by now.
    """
    rest = asdict(Settings()) | {"curves": Settings().curves_value()}
    return _widget("deck", None, props={"rest": rest, "steps": FIT_STEPS}, server_functions=[fitted], **options)


def compare(**options: Any) -> gr.HTML:
    """Four snapshots of the page to flip between without a click, at one loudness while its switch is on."""
    return _widget("compare", None, scripts=("view", "hush", "compare"), **options)


def explore(nearby: Callable[[str], Any], surprise: Callable[[str], Any], **options: Any) -> gr.HTML:
    """Buttons for nine variations around the sound, and for a surprise.

    `nearby`, `surprise`: {"request", "seed"} as JSON -> {"tiles": [...]}, {"request"}, or {"error": sentence}.
    """
    return _widget("explore", None, server_functions=[nearby, surprise], **options)


def shelf(**options: Any) -> gr.HTML:
    """The sounds that were heard and the final renders, kept in the browser: to go back to, name, mark and download."""
    return _widget("shelf", None, **options)


def sound_map(**options: Any) -> gr.HTML:
    """The map of sounds, which it fetches from the routes when it is first seen: zoom, pan, hear, take for a source;
    a field that searches it; labels that are probably wrong, to be judged; tags, mark and note of the chosen sound;
    walks that become a morph over time."""
    scripts = ("ask", "map", "map_colours", "map_search", "map_labels", "map_about", "map_walk")
    return _widget("map", None, scripts=scripts, **options)


def keep(**options: Any) -> gr.HTML:
    """The button that keeps the result in the user's library, for who may see that."""
    return _widget("keep", None, scripts=("ask", "keep"), **options)


def inspection(**options: Any) -> gr.HTML:
    """A frame for the inspection of a sound, and its download; it loads when it is told to.

    Value: {"request", "stamp"}, the request for the sound that is to be looked at, or None.
    """
    return _widget("inspection", None, **options)


def files(**options: Any) -> gr.HTML:
    """Sounds that are dropped anywhere or recorded, and the part or the notes of a long one that are used."""
    scripts = ("files", "files_notes")
    return _widget("files", None, hint=f"{LONGEST_S:g}", scripts=scripts, props={"longest": LONGEST_S}, **options)


def exports(**options: Any) -> gr.HTML:
    """Exports of the sound that the knobs ask for, in the background: buttons, how far each is, its download."""
    return _widget("exports", None, **options)


def final_render(**options: Any) -> gr.HTML:
    """The button of the final render, its player and its download; the sound plays while it is made.

    Value: {"available"}: whether the checkpoint has one. What it renders is the newest request of `request.js`.
    """
    return _widget("final_render", {"available": False}, **options)


def screen(*, letter: str, hint: str = "", **options: Any) -> gr.HTML:
    """A spectrogram that plays: picture, playhead, play button, level and download. Empty at first.

    Value: what `answers.screen` makes, or None. A question from `request.js` is played from the address that it makes;
    once it plays, or cannot, the event `heard` asks for what else is to be shown.

    `letter`: what it plays, for those who cannot see it. `hint`: words on the empty screen.
    """
    return _widget("screen", None, letter=letter, hint=hint, **options)


def picker(*, letter: str, families: list[tuple[str, list[tuple[str, str]]]], **options: Any) -> gr.HTML:
    """A menu of example notes, grouped by family.

    Value: {"selected": id, "own": title of a user's own sound}. Event: `choose`, after a note was chosen.

    `families`: [(family, [(id, label), ...]), ...].
    """
    return _widget("picker", {"selected": "", "own": ""}, letter=letter, props={"families": families}, **options)


def keyboard(knobs: dict[str, str], **options: Any) -> gr.HTML:
    """A keyboard that plays the sound: by mouse, touch, letters and MIDI; held notes follow the knobs.

    `knobs`: knob by the id of its slider.
    """
    facts = {"lowest": LOWEST_MIDI, "highest": HIGHEST_MIDI, "knobs": knobs}
    return _widget("keyboard", None, scripts=("view", "hush", "voices", "keyboard"), props=facts, **options)


def _widget(
    name: str,
    value: Any,
    *,
    letter: str = "",
    hint: str = "",
    props: dict[str, Any] | None = None,
    scripts: tuple[str, ...] = (),
    **options: Any,
) -> gr.HTML:
    markup = (FOLDER / f"{name}.html").read_text(encoding="utf-8")
    return gr.HTML(
        value,
        html_template=markup.replace("%letter%", letter).replace("%hint%", hint),
        js_on_load="".join((FOLDER / f"{script}.js").read_text(encoding="utf-8") for script in scripts or (name,)),
        apply_default_css=False,
        **(props or {}),
        **options,
    )
