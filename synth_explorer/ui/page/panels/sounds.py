"""The map of sounds: the bundled notes and the user's library by likeness, to search, to hear and to take."""

from __future__ import annotations

import gradio as gr

from synth_explorer.ui.widgets import widget


def build() -> None:
    """Build the panel, closed; its widget asks the server by itself once it is seen."""
    with gr.Accordion("Map of sounds", open=False, elem_id="sounds", elem_classes=["card", "group"]):
        widget.sound_map(elem_id="map")
