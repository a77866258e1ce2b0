"""The result: its sound, its picture, and what the edits did to it."""

from __future__ import annotations

from dataclasses import dataclass

import gradio as gr

from synth_explorer.ui.widget import Screen


@dataclass(frozen=True)
class Result:
    """Components of the panel."""

    screen: Screen
    message: gr.HTML
    autoplay: gr.Checkbox
    comparison: gr.Row
    before: Screen
    table: gr.HTML

    @property
    def shown(self) -> list[gr.Component]:
        """In the order of handlers.Heard."""
        return [self.screen, self.message]


def build() -> Result:
    """Build the panel."""
    with gr.Column(elem_classes=["card", "result"], min_width=0):
        with gr.Row(elem_classes="strip"):
            gr.HTML("<h2>Result</h2>", elem_classes="heading")
            autoplay = gr.Checkbox(True, label="Play every change", container=False, elem_id="autoplay")
        screen = Screen(None, letter="the result", hint="Loading the model", elem_id="screen-result")
        message = gr.HTML("", elem_id="message-result", elem_classes="messages")
        with gr.Row(visible=False, elem_classes="comparison", elem_id="comparison") as comparison:
            with gr.Column(min_width=0, elem_classes="before"):
                gr.HTML("<h3>Before the edits</h3>", elem_classes="heading")
                before = Screen(None, letter="the morph before the edits", elem_id="screen-before", elem_classes="small")
            table = gr.HTML("", elem_id="report")
    return Result(screen, message, autoplay, comparison, before, table)
