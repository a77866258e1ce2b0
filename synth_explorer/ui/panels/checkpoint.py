"""The choice of a checkpoint, where there is one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import gradio as gr

from synth_explorer.ui import widget
from synth_explorer.ui.rack import Rack


@dataclass(frozen=True)
class Checkpoint:
    """Components of the panel. `slow` remembers whether the chosen one makes its sounds on demand."""

    name: gr.Dropdown
    slow: gr.HTML


def build(rack: Rack) -> Checkpoint:
    """Build the panel."""
    name = gr.Dropdown(
        [(Path(name).name, name) for name in rack.names],
        value=rack.names[0],
        label="Checkpoint",
        show_label=False,
        container=False,
        visible=len(rack.names) > 1,
        elem_id="checkpoint",
        min_width=0,
    )
    return Checkpoint(name, widget.memory(False))
