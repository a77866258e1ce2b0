"""A slider for a knob: its range, its step, its words and its rest are those that the edit says."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import gradio as gr

from synth_explorer.ui.request.knobs import NUMBERS


def slider(name: str, **options: Any) -> gr.Slider:
    """A slider for the knob of this name; one that rests between its ends has no filled part."""
    label, knob = NUMBERS[name].label, NUMBERS[name].slider
    looks: dict[str, Any] = {"elem_classes": "from-middle"} if knob.low < 0 < knob.high and not knob.rest else {}
    looks |= {"label": label, "elem_id": element_id(name), "min_width": 0}
    return gr.Slider(knob.low, knob.high, value=knob.rest, step=knob.step, **(looks | options))


def sliders(names: Iterable[str]) -> dict[str, gr.Component]:
    """Sliders by their names."""
    return {name: slider(name) for name in names}


def pair(*names: str) -> dict[str, gr.Component]:
    """Sliders beside one another."""
    with gr.Row(elem_classes="pair"):
        return sliders(names)


def element_id(name: str) -> str:
    return name.replace("_", "-").removesuffix("-hz").removesuffix("-s")
