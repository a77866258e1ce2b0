"""The edits of time: how a note begins, how long it lasts, what is kept of it, and its envelope."""

from __future__ import annotations

import gradio as gr

from synth_explorer.ui.page.panels.sliders import element_id, slider
from synth_explorer.ui.widgets import widget


def build() -> dict[str, gr.Component]:
    """The knobs by their names."""
    knobs: dict[str, gr.Component] = {
        "attack_s": slider("attack_s", 0.005, "Attack (s, 0 as it is)"),
        "stretch": slider("stretch", 0.05, "Stretch (times)"),
        "reverse": _switch("reverse", "Reverse"),
        "freeze": _switch("freeze", "Freeze (for 0 s: to the end)"),
    }
    knobs |= _pair({"freeze_at_s": (0.01, "At (s)"), "freeze_hold_s": (0.1, "For (s)")})
    widget.words("<h3>Trim (to 0 s: to the end)</h3>")
    knobs |= _pair({"trim_start_s": (0.01, "From (s)"), "trim_end_s": (0.01, "To (s)")})
    widget.words("<h3>Envelope (s, dB)</h3>")
    knobs |= _pair({"env_attack_s": (0.01, "Attack"), "env_decay_s": (0.01, "Decay")})
    return knobs | _pair({"env_sustain_db": (0.5, "Sustain"), "env_release_s": (0.01, "Release")})


def _pair(sliders: dict[str, tuple[float, str]]) -> dict[str, gr.Component]:
    """Two sliders beside one another: name -> (step, label)."""
    with gr.Row(elem_classes="pair"):
        return {name: slider(name, step, label) for name, (step, label) in sliders.items()}


def _switch(name: str, label: str) -> gr.Checkbox:
    return gr.Checkbox(False, label=label, container=False, elem_id=element_id(name))
