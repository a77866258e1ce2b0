"""The result: its sound, its picture, and what the edits did to it."""

from __future__ import annotations

from dataclasses import dataclass

import gradio as gr

from synth_explorer.ui.page.panels import ideas
from synth_explorer.ui.session.studios import Studios
from synth_explorer.ui.widgets import widget


@dataclass(frozen=True)
class Result:
    """Components of the panel."""

    question: gr.HTML
    screen: gr.HTML
    message: gr.HTML
    autoplay: gr.Checkbox
    making: gr.Row
    render: gr.Button
    stop: gr.Button
    progress: gr.HTML
    final_render: gr.HTML
    comparison: gr.Row
    before: gr.HTML
    table: gr.HTML

    @property
    def shown(self) -> list[gr.Component]:
        """In the order of results.Heard."""
        return [self.screen, self.message]


def build(studios: Studios) -> Result:
    """Build the panel."""
    with gr.Column(elem_classes=["card", "result"], min_width=0):
        with gr.Row(elem_classes="strip"):
            widget.words("<h2>Result</h2>")
            widget.compare(elem_id="compare")
            autoplay = gr.Checkbox(True, label="Play every change", container=False, elem_id="autoplay")
        question = widget.memory()
        screen = widget.screen(letter="the result", hint="Loading the model", elem_id="screen-result")
        message = widget.words("", elem_id="message-result", elem_classes="messages")
        with gr.Row(visible=False, elem_classes="making", elem_id="making") as making:
            render = gr.Button("Render", variant="primary", size="sm", min_width=0, elem_id="render")
            stop = gr.Button("Stop", size="sm", min_width=0, interactive=False, elem_id="stop")
            progress = widget.words("", elem_id="progress")
        with gr.Row(elem_classes="outcome"):
            final_render = widget.final_render(elem_id="final-render")
            widget.keep(elem_id="keep")
        ideas.build(studios)
    with gr.Row(visible=False, elem_classes=["card", "comparison"], elem_id="comparison") as comparison:
        with gr.Column(min_width=0, elem_classes="before"):
            widget.words("<h3>Before the edits</h3>")
            before = widget.screen(letter="the morph before the edits", elem_id="screen-before", elem_classes="small")
        table = widget.words("", elem_id="report")
    making_one = (making, render, stop, progress, final_render)
    return Result(question, screen, message, autoplay, *making_one, comparison, before, table)
