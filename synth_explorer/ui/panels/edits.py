"""The edits: gain, timbre and oscillation in a musician's units, and presets."""

from __future__ import annotations

from dataclasses import dataclass

import gradio as gr

from synth_explorer.ui import handlers, widget
from synth_explorer.ui.settings import NO_OSCILLATION, OSCILLATIONS, RANGES, SHAPES, Settings

TARGETS = (("Off", NO_OSCILLATION), ("Loudness", "loudness"), ("Brightness", "brightness"), ("Pitch", "pitch"))


@dataclass(frozen=True)
class Edits:
    """Components of the panel. Those named as fields of Settings are knobs."""

    gain_db: gr.Slider
    brightness: gr.Slider
    toward: gr.Radio
    amount: gr.Slider
    osc_target: gr.Radio
    osc_rate_hz: gr.Slider
    osc_depth: gr.Slider
    osc_shape: gr.Radio
    raw_channels: gr.CheckboxGroup
    raw_scale: gr.Slider
    raw_add: gr.Slider
    raw_depth: gr.Slider
    raw_rate_hz: gr.Slider
    missing: gr.HTML
    reset: gr.Button
    save: gr.DownloadButton
    load: gr.UploadButton
    message: gr.HTML
    preset_mean: gr.HTML

    @property
    def knobs(self) -> dict[str, gr.Component]:
        names = set(Settings.names())
        return {name: component for name, component in vars(self).items() if name in names}


def build() -> Edits:
    """Build the panel with every edit at rest."""
    with gr.Column(elem_classes=["card", "edits"], min_width=0):
        widget.words("<h2>Edits</h2>")
        missing = widget.words("", elem_id="missing", elem_classes="messages")
        knobs = _timbre() | _oscillation()
        with gr.Accordion("Latent channels", open=False, elem_id="raw", elem_classes="raw"):
            widget.words("<p class='note'>As in NSynth's demos, in the channels' own units and without promises.</p>")
            knobs |= _raw()
        with gr.Row(elem_classes="buttons"):
            reset = gr.Button("Reset", size="sm", min_width=0, elem_id="reset")
            save = gr.DownloadButton("Save preset", size="sm", min_width=0, elem_id="save-preset")
            load = gr.UploadButton("Load preset", file_types=[".json"], size="sm", min_width=0, elem_id="load-preset")
        message = widget.words("", elem_id="message-edits", elem_classes="messages")
        preset_mean = widget.memory(None)
    return Edits(**knobs, missing=missing, reset=reset, save=save, load=load, message=message, preset_mean=preset_mean)


def _timbre() -> dict[str, gr.Component]:
    rest = Settings()
    return {
        "gain_db": gr.Slider(
            *RANGES["gain_db"],
            value=rest.gain_db,
            step=0.5,
            label="Gain (dB)",
            elem_id="gain-db",
            elem_classes="from-middle",
            min_width=0,
        ),
        "brightness": gr.Slider(
            *RANGES["brightness"],
            value=rest.brightness,
            step=0.01,
            label="Brightness (octaves)",
            elem_id="brightness",
            elem_classes="from-middle",
            min_width=0,
        ),
        "toward": gr.Radio(
            handlers.toward_choices(4, preset=False),
            value=rest.toward,
            label="Timbre toward",
            elem_classes="segments",
            elem_id="toward",
            min_width=0,
        ),
        "amount": gr.Slider(
            0, 1, value=rest.amount, step=0.01, label="How far", visible=False, elem_id="amount", min_width=0
        ),
    }


def _oscillation() -> dict[str, gr.Component]:
    rest = Settings()
    unit, largest, usual, step = OSCILLATIONS["loudness"]
    return {
        "osc_target": gr.Radio(
            list(TARGETS),
            value=rest.osc_target,
            label="Oscillation of",
            elem_classes="segments",
            elem_id="osc-target",
            min_width=0,
        ),
        "osc_rate_hz": gr.Slider(
            *RANGES["osc_rate_hz"],
            value=rest.osc_rate_hz,
            step=0.1,
            label="Rate (Hz)",
            visible=False,
            elem_id="osc-rate",
            min_width=0,
        ),
        "osc_depth": gr.Slider(
            0,
            largest,
            value=usual,
            step=step,
            label=depth_label(unit),
            visible=False,
            elem_id="osc-depth",
            min_width=0,
        ),
        "osc_shape": gr.Radio(
            [(shape.capitalize(), shape) for shape in SHAPES],
            value=rest.osc_shape,
            label="Shape",
            visible=False,
            elem_classes="segments",
            elem_id="osc-shape",
            min_width=0,
        ),
    }


def _raw() -> dict[str, gr.Component]:
    rest = Settings()
    sliders = {  # knob -> (step, label)
        "raw_scale": (0.01, "Scale (factor)"),
        "raw_add": (0.01, "Add (moves the mean)"),
        "raw_depth": (0.01, "Oscillate by (±)"),
        "raw_rate_hz": (0.1, "Rate (Hz)"),
    }
    return {
        "raw_channels": gr.CheckboxGroup(
            channel_choices(16),
            value=[],
            label="Channels that move",
            elem_classes=["segments", "channels"],
            elem_id="raw-channels",
            min_width=0,
        ),
        **{
            name: gr.Slider(
                *RANGES[name],
                value=getattr(rest, name),
                step=step,
                label=label,
                elem_id=name.replace("_", "-").removesuffix("-hz"),
                elem_classes="" if name in ("raw_depth", "raw_rate_hz") else "from-middle",
                min_width=0,
            )
            for name, (step, label) in sliders.items()
        },
    }


def channel_choices(count: int) -> list[tuple[str, int]]:
    """Latent channels as (label, number)."""
    return [(str(channel), channel) for channel in range(count)]


def depth_label(unit: str) -> str:
    return f"Depth (± {unit})"
