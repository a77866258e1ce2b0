"""The deck: undo and redo, the link, and files that hold the whole page."""

from __future__ import annotations

from dataclasses import dataclass

import gradio as gr

from synth_explorer.ui.widgets import widget


@dataclass(frozen=True)
class Deck:
    """Components of the panel. `state` holds the request that the page is turned to."""

    state: gr.HTML
    load: gr.UploadButton
    message: gr.HTML


def build() -> Deck:
    """Build the panel."""
    with gr.Row(elem_classes="deck-row"):
        state = widget.deck(elem_id="deck")
        load = gr.UploadButton("Load", file_types=[".zip", ".json"], size="sm", min_width=0, elem_id="load")
        message = widget.words("", elem_id="message-deck", elem_classes="messages")
    return Deck(state, load, message)
