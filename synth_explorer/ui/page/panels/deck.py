"""The deck: undo and redo, the link, and files that hold the whole page."""

from __future__ import annotations

from dataclasses import dataclass

import gradio as gr

from synth_explorer.errors import SynthExplorerError
from synth_explorer.explorer import FIT_STEPS
from synth_explorer.ui.answers import results
from synth_explorer.ui.request.sound_request import SoundRequest
from synth_explorer.ui.session.studios import Studios
from synth_explorer.ui.widgets import widget


@dataclass(frozen=True)
class Deck:
    """Components of the panel. `state`: the request that the page is turned to. `message` is rendered elsewhere."""

    state: gr.HTML
    load: gr.UploadButton
    message: gr.HTML


def build(studios: Studios) -> Deck:
    """Build the panel."""

    def fitted(request: str) -> int:
        try:
            return results.fitted(studios, SoundRequest.from_json(request))
        except SynthExplorerError:  # a note is gone, as its slot and its sound say: there is nothing to wait for
            return FIT_STEPS

    with gr.Row(elem_classes="deck-row"):
        state = widget.deck(fitted, elem_id="deck")
        load = gr.UploadButton("Load", file_types=[".zip", ".json"], size="sm", min_width=0, elem_id="load")
    message = widget.words("", elem_id="message-deck", elem_classes="messages", render=False)
    return Deck(state, load, message)
