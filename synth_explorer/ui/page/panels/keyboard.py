"""The keyboard at the foot of the page."""

from __future__ import annotations

import gradio as gr

from synth_explorer.ui.page.panels.sliders import element_id
from synth_explorer.ui.request.knobs import DECODING_RANGES, MORPH_RANGES, NUMBERS
from synth_explorer.ui.widgets import widget


def build() -> gr.HTML:
    """Build the keyboard; it knows the sliders by their ids, so that notes that are held follow them."""
    return widget.keyboard(
        {element_id(name): name for name in (*MORPH_RANGES, *NUMBERS, *DECODING_RANGES)}, elem_id="keyboard"
    )
