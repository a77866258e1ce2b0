"""The pitch of the result: what the mix snaps to, how far it is transposed, or a note of its own."""

from __future__ import annotations

from dataclasses import dataclass

import gradio as gr

from synth_explorer.pitch import pitch_words
from synth_explorer.rendering.quantise import KEYS, OFF, SEMITONE
from synth_explorer.ui.page.panels.sliders import slider
from synth_explorer.ui.request.knobs import IN_KEY
from synth_explorer.ui.request.settings import Settings
from synth_explorer.ui.widgets import widget


@dataclass(frozen=True)
class Pitch:
    """Components of the panel, by the names of fields of Settings."""

    quantise: gr.Radio
    key: gr.Dropdown
    transpose: gr.Slider
    by_pitch: gr.Checkbox
    set_pitch: gr.Checkbox
    pitch_midi: gr.Textbox


def build() -> Pitch:
    """Build the panel, on the nearest semitone."""
    rest = Settings()
    with gr.Column(elem_classes=["card", "pitch"], min_width=0):
        widget.words("<h2>Pitch</h2>")
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
        with gr.Column(min_width=0):
            by_pitch = gr.Checkbox(
                rest.by_pitch, label="The pitch chooses between the notes", container=False, elem_id="by-pitch"
            )
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
    return Pitch(quantise, key, transpose, by_pitch, set_pitch, pitch_midi)
