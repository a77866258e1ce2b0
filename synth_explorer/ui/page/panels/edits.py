"""The edits: loudness and timbre in a musician's units at once, the rest in groups that open, and presets."""

from __future__ import annotations

from dataclasses import dataclass

import gradio as gr

from synth_explorer.ui.answers.knob_values import channel_choices, curves_value, toward_choices
from synth_explorer.ui.page.panels import decoding, oscillation, timing
from synth_explorer.ui.page.panels.sliders import slider, sliders
from synth_explorer.ui.request.knobs import DIRECTION_KNOBS, TARGETS, group
from synth_explorer.ui.request.settings import Settings
from synth_explorer.ui.widgets import widget


@dataclass(frozen=True)
class Edits:
    """Components of the panel. The knobs have the names of fields of Settings.

    `blocks` are those of oscillations, `directions` is the group of spectrum and principal directions, `preset` is what
    was saved last.
    """

    knobs: dict[str, gr.Component]
    blocks: dict[str, gr.Column]
    directions: gr.Accordion
    missing: gr.HTML
    reset: gr.Button
    save: gr.Button
    message: gr.HTML
    preset: gr.HTML
    preset_mean: gr.HTML


def build() -> Edits:
    """Build the panel with every edit at rest."""
    with gr.Column(elem_classes=["card", "edits"], min_width=0):
        widget.words("<h2>Edits</h2>")
        missing = widget.words("", elem_id="missing", elem_classes="messages")
        knobs = _timbre()
        with gr.Accordion("Oscillation", open=False, elem_id="oscillation", elem_classes="group"):
            swings, blocks = oscillation.build()
        with gr.Accordion("Time and envelope", open=False, elem_id="time", elem_classes="group"):
            times = timing.build()
        with gr.Accordion("Curves over time", open=False, elem_id="drawn", elem_classes="group"):
            curves = {"curves": widget.curves(curves_value(Settings(), list(TARGETS)), elem_id="curves")}
        with gr.Accordion(
            "Spectrum and directions", open=False, elem_id="directions", elem_classes="group"
        ) as directions:
            spectrum = sliders(group("spectrum"))
            widget.words(
                "<p class='note'>Principal directions: along which the notes of the calibration differ most. A step is "
                "their standard deviation; what it moves was measured, as a median.</p>"
            )
            axes = sliders(DIRECTION_KNOBS)
        with gr.Accordion("The model's own numbers", open=False, elem_id="raw", elem_classes="group"):
            widget.words(
                "<p class='note'>The model writes a sound as a few numbers that change over time, its latent channels. "
                "What one of them does differs from note to note: try it by ear.</p>"
            )
            raw = _raw()
        with gr.Accordion("Decoding", open=False, elem_id="decoding", elem_classes="group"):
            decoded = decoding.build()
        with gr.Row(elem_classes="buttons"):
            reset = gr.Button("Reset", size="sm", min_width=0, elem_id="reset")
            save = gr.Button("Save preset", size="sm", min_width=0, elem_id="save-preset")
        message = widget.words("", elem_id="message-edits", elem_classes="messages")
        preset, preset_mean = widget.memory(""), widget.memory(None)
    knobs = knobs | swings | times | curves | spectrum | axes | raw | decoded
    return Edits(knobs, blocks, directions, missing, reset, save, message, preset, preset_mean)


def _timbre() -> dict[str, gr.Component]:
    rest = Settings()
    return sliders(list(reversed(group("timbre")))) | {
        "toward": gr.Radio(
            toward_choices(4, preset=False),
            value=rest.toward,
            label="Timbre toward",
            elem_classes="segments",
            elem_id="toward",
            min_width=0,
        ),
        "amount": slider("amount", visible=False),
    }


def _raw() -> dict[str, gr.Component]:
    channels = gr.CheckboxGroup(
        channel_choices(16),
        value=[],
        label="Numbers to change",
        elem_classes=["segments", "channels"],
        elem_id="raw-channels",
        min_width=0,
    )
    return {"raw_channels": channels} | sliders(dict.fromkeys(["raw_scale", "raw_add", "raw_depth", *group("raw")]))
