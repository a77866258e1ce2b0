"""How the sound is decoded: what is drawn at random, and whether edits are solved."""

from __future__ import annotations

import gradio as gr

from synth_explorer.ui.request.knobs import DECODING_RANGES
from synth_explorer.ui.request.settings import Settings


def build() -> dict[str, gr.Component]:
    """The knobs by their names."""
    rest, (first, last), (low, high) = Settings(), DECODING_RANGES["seed"], DECODING_RANGES["temperature"]
    seed = gr.Number(
        rest.seed, label="Seed", precision=0, minimum=first, maximum=last, step=1, elem_id="seed", min_width=0
    )
    temperature = gr.Slider(
        low, high, value=rest.temperature, step=0.01, label="Temperature", elem_id="temperature", min_width=0
    )
    open_loop = gr.Checkbox(rest.open_loop, label="Edits by formula", container=False, elem_id="open-loop")
    return {"seed": seed, "temperature": temperature, "open_loop": open_loop}
