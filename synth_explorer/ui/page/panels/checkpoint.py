"""The choice of a checkpoint, where there is one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import gradio as gr

from synth_explorer.ui.session.studios import Studios
from synth_explorer.ui.widgets import widget


@dataclass(frozen=True)
class Checkpoint:
    """Components of the panel. `slow` remembers whether the chosen one makes its sounds on demand."""

    name: gr.Dropdown
    slow: gr.HTML


def build(studios: Studios) -> Checkpoint:
    """Build the panel."""
    name = gr.Dropdown(
        [(Path(name).name, name) for name in studios.names],
        value=studios.names[0],
        label="Checkpoint",
        show_label=False,
        container=False,
        visible=len(studios.names) > 1,
        elem_id="checkpoint",
        min_width=0,
    )
    return Checkpoint(name, widget.memory(False))
