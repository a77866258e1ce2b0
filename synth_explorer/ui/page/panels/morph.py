"""The morph: a pad with sliders that do the same, and the pitch of the result."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import gradio as gr

from synth_explorer.errors import SynthExplorerError
from synth_explorer.pitch import pitch_words
from synth_explorer.rendering.quantise import KEYS, OFF, SEMITONE
from synth_explorer.ui.answers import ideas, states
from synth_explorer.ui.answers.knob_values import pad_value
from synth_explorer.ui.page.panels.sliders import slider
from synth_explorer.ui.request.knobs import IN_KEY, MIX_RANGE
from synth_explorer.ui.request.settings import Settings
from synth_explorer.ui.request.sound_request import SoundRequest
from synth_explorer.ui.session.studios import Studios
from synth_explorer.ui.widgets import widget


@dataclass(frozen=True)
class Morph:
    """Components of the panel; those named as fields of Settings are knobs."""

    pad: gr.HTML
    mix: gr.Slider
    x: gr.Slider
    y: gr.Slider
    quantise: gr.Radio
    key: gr.Dropdown
    set_pitch: gr.Checkbox
    pitch_midi: gr.Textbox
    transpose: gr.Slider

    @property
    def knobs(self) -> dict[str, gr.Component]:
        return {name: component for name, component in vars(self).items() if name != "pad"}


def build(studios: Studios) -> Morph:
    """Build the panel, standing in the middle of four sources."""
    rest = Settings()

    def nearby(asked: str) -> dict[str, Any]:
        return _answered(asked, lambda request, seed: {"tiles": ideas.nearby(studios, request, seed=seed)})

    def surprise(asked: str) -> dict[str, Any]:
        def found(request: SoundRequest, seed: int) -> dict[str, Any]:
            return {"request": states.pinned(studios, ideas.surprise(studios, request, seed=seed)).to_json()}

        return _answered(asked, found)

    with gr.Column(elem_classes=["card", "morph"], min_width=0):
        widget.words("<h2>Morph</h2>")
        pad = widget.pad(pad_value([None] * 4, rest), elem_id="pad")
        mix = gr.Slider(
            *MIX_RANGE, value=rest.mix, step=0.01, label="Mix, A 0 to B 1", visible=False, elem_id="mix", min_width=0
        )
        with gr.Row(elem_classes="pair"):
            x = gr.Slider(0, 1, value=rest.x, step=0.01, label="Across", elem_id="x", min_width=0)
            y = gr.Slider(0, 1, value=rest.y, step=0.01, label="Up", elem_id="y", min_width=0)
        widget.words("<h3>Pitch</h3>")
        quantise = gr.Radio(
            [("Semitone", SEMITONE), ("Key", IN_KEY), ("Off", OFF)],
            value=rest.quantise,
            label="The pitch of the mix snaps to",
            elem_classes="segments",
            elem_id="quantise",
            min_width=0,
        )
        key = gr.Dropdown(
            list(KEYS),
            value=rest.key,
            label="Key",
            show_label=False,
            container=False,
            visible=False,
            elem_id="key",
            min_width=0,
        )
        transpose = slider("transpose")
        set_pitch = gr.Checkbox(
            rest.set_pitch, label="Set the pitch instead of mixing it", container=False, elem_id="set-pitch"
        )
        pitch_midi = gr.Textbox(
            pitch_words(rest.pitch_midi),
            label="Note of the result: C4, Eb3, or a MIDI number",
            max_lines=1,
            visible=False,
            elem_id="pitch-midi",
            elem_classes="note-field",
            min_width=0,
        )
        widget.explore(nearby, surprise, elem_id="explore")
    return Morph(pad, mix, x, y, quantise, key, set_pitch, pitch_midi, transpose)


def _answered(asked: str, make: Callable[[SoundRequest, int], dict[str, Any]]) -> dict[str, Any]:
    """What a widget is answered that asks for ideas; {"error": sentence} where there is none."""
    try:
        given = json.loads(asked)
        return make(SoundRequest.from_json(given["request"]), int(given["seed"]) & 0x7FFFFFFF)
    except SynthExplorerError as error:
        return {"error": str(error)}
    except (ValueError, TypeError, KeyError):
        return {"error": "The page asked for what cannot be read; reload it."}
