"""The inspection: a page about the result, made when somebody opens the panel or asks again."""

from __future__ import annotations

from dataclasses import dataclass

import gradio as gr

from synth_explorer.ui.widgets import widget

WORDS = (
    "Latents, rainbowgram and spectrogram before and after the edits and their difference; loudness, brightness and "
    "pitch over time; modulation spectra; verdicts; and where the sound lies among the example notes."
)


@dataclass(frozen=True)
class Inspection:
    """Components of the panel."""

    group: gr.Accordion
    look: gr.Button
    page: gr.HTML


def build() -> Inspection:
    """Build the panel, closed."""
    with gr.Accordion("Inspection", open=False, elem_id="inspection", elem_classes=["card", "group"]) as group:
        with gr.Row(elem_classes="strip"):
            widget.words(f'<p class="note">{WORDS}</p>')
            look = gr.Button("Look again", size="sm", min_width=0, elem_id="look")
        page = widget.inspection(elem_id="inspection-page")
    return Inspection(group, look, page)
