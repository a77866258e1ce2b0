"""The morph: a pad, with sliders that do the same."""

from __future__ import annotations

from dataclasses import dataclass

import gradio as gr

from synth_explorer.ui.answers.knob_values import pad_value
from synth_explorer.ui.request.knobs import MIX_RANGE
from synth_explorer.ui.request.settings import Settings
from synth_explorer.ui.widgets import widget


@dataclass(frozen=True)
class Morph:
    """Components of the panel; but for the pad they are named as fields of Settings."""

    pad: gr.HTML
    mix: gr.Slider
    x: gr.Slider
    y: gr.Slider


def build() -> Morph:
    """Build the panel, standing in the middle of four sources."""
    rest = Settings()
    with gr.Column(elem_classes=["card", "morph"], min_width=0):
        widget.words("<h2>Morph</h2>")
        pad = widget.pad(pad_value([None] * 4, rest), elem_id="pad")
        mix = gr.Slider(
            *MIX_RANGE,
            value=rest.mix,
            step=0.01,
            label="Mix (0 is A, 1 is B)",
            visible=False,
            elem_id="mix",
            min_width=0,
        )
        with gr.Row(elem_classes="pair"):
            x = gr.Slider(0, 1, value=rest.x, step=0.01, label="Horizontal", elem_id="x", min_width=0)
            y = gr.Slider(0, 1, value=rest.y, step=0.01, label="Vertical", elem_id="y", min_width=0)
    return Morph(pad, mix, x, y)
