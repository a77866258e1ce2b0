"""The oscillations: loudness, brightness and pitch, each with its own rate, depth and shape, together or alone."""

from __future__ import annotations

import gradio as gr

from synth_explorer.ui.answers.knob_values import target_choices
from synth_explorer.ui.page.panels.sliders import element_id, pair, sliders
from synth_explorer.ui.request.knobs import SHAPES, TARGETS
from synth_explorer.ui.request.settings import Settings
from synth_explorer.ui.widgets import widget


def build() -> tuple[dict[str, gr.Component], dict[str, gr.Column]]:
    """The knobs by their names, and the block of each target, hidden until it oscillates."""
    knobs: dict[str, gr.Component] = {
        "osc_targets": gr.CheckboxGroup(
            target_choices(list(TARGETS)),
            value=[],
            label="What goes up and down",
            elem_classes="segments",
            elem_id="osc-targets",
            min_width=0,
        )
    }
    blocks = {}
    for target in TARGETS:
        with gr.Column(visible=False, min_width=0, elem_id=f"osc-{target}", elem_classes="block-of") as blocks[target]:
            knobs |= _block(target)
    return knobs, blocks


def _block(target: str) -> dict[str, gr.Component]:
    name = f"osc_{target}"
    widget.words(f"<h3>{target.capitalize()}</h3>")
    knobs = sliders([f"{name}_rate_hz", f"{name}_depth"]) | {
        f"{name}_shape": gr.Radio(
            [(shape.capitalize(), shape) for shape in SHAPES],
            value=getattr(Settings(), f"{name}_shape"),
            label="Shape",
            show_label=False,
            elem_classes=["segments", "tight"],
            elem_id=element_id(f"{name}_shape"),
            min_width=0,
        )
    }
    return knobs | pair(f"{name}_phase_turns", f"{name}_fade_in_s")
