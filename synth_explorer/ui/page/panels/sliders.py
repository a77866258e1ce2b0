"""A slider for a knob: its range and its rest are those of the settings."""

from __future__ import annotations

from typing import Any

import gradio as gr

from synth_explorer.ui.request.knobs import RANGES
from synth_explorer.ui.request.settings import Settings


def slider(name: str, step: float, label: str, **options: Any) -> gr.Slider:
    """A slider for the field `name` of Settings; one that rests between its ends has no filled part."""
    low, high = RANGES[name]
    rest = getattr(Settings(), name)
    looks = {"elem_classes": "from-middle"} if low < 0 < high and not rest else {}
    return gr.Slider(
        low, high, value=rest, step=step, label=label, elem_id=element_id(name), min_width=0, **(looks | options)
    )


def element_id(name: str) -> str:
    return name.replace("_", "-").removesuffix("-hz").removesuffix("-s")
