"""The edits of time: how a note begins, how long it lasts, what is kept of it, and its envelope."""

from __future__ import annotations

import gradio as gr

from synth_explorer.ui.page.panels.sliders import element_id, pair, sliders
from synth_explorer.ui.request.knobs import group
from synth_explorer.ui.widgets import widget


def build() -> dict[str, gr.Component]:
    """The knobs by their names."""
    knobs = sliders(["attack_s", "stretch"])
    knobs |= {"reverse": _switch("reverse", "Reverse"), "freeze": _switch("freeze", "Freeze")}
    knobs |= pair("freeze_at_s", "freeze_hold_s")
    widget.words("<h3>Trim</h3>")
    knobs |= pair("trim_start_s", "trim_end_s")
    widget.words("<h3>Envelope (s, dB)</h3>")
    knobs |= pair("env_attack_s", "env_decay_s") | pair("env_sustain_db", "env_release_s")
    return knobs | sliders([name for name in group("time") if name not in knobs])


def _switch(name: str, label: str) -> gr.Checkbox:
    return gr.Checkbox(False, label=label, container=False, elem_id=element_id(name))
