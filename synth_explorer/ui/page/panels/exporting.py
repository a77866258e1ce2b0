"""The export: the result as files of several kinds, made in the background."""

from __future__ import annotations

import gradio as gr

from synth_explorer.ui.widgets import widget

WORDS = (
    "The result as it is now, made while you go on; a reload finds it again. A grid is nine sounds between two notes, "
    "or 25 over the pad; an instrument plays on 49 keys at three strengths."
)


def build() -> None:
    """Build the panel, closed. It asks the server by itself."""
    with gr.Accordion("Export", open=False, elem_id="export", elem_classes=["card", "group"]):
        widget.words(f'<p class="note">{WORDS}</p>')
        widget.exports(elem_id="exports")
