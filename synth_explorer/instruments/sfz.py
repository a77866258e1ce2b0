"""SFZ: a text of opcodes that many samplers read. Everything that an instrument has goes into it.

Opcodes: sfzformat.com; all but the curve of the morph are of version 1.
"""

from __future__ import annotations

import numpy as np

from synth_explorer.instruments.instrument import Instrument
from synth_explorer.instruments.sample import Sample, Slot
from synth_explorer.instruments.sustain import SILENT_DB
from synth_explorer.instruments.zones import LOUDEST, Layer

WHEEL = 1
RELEASE_DB = 78.0  # by which a note falls in `ampeg_release`; the format does not say it, sfizz does it so
CURVE_STEP = 8  # velocities between two points of a layer's curve; players draw straight lines


def text(instrument: Instrument, files: dict[Slot, str]) -> str:
    """The SFZ file; `files` are the samples' paths beside it."""
    lines = [f"// {instrument.name}: {instrument.patch.id}, made by synth_explorer", "<control>"]
    if instrument.plan.morph_steps > 1:
        lines += [f"set_cc{WHEEL}=0", f"label_cc{WHEEL}=Morph"]
    lines += ["<global>", "amp_veltrack=100", "bend_up=200", "bend_down=-200"]
    if instrument.plan.morph_steps > 1:
        lines.append(f"xf_cccurve={'gain' if instrument.is_coherent else 'power'}")
    for step in range(instrument.plan.morph_steps):
        for layer in instrument.plan.layers:
            lines += ["", "<group>", f"lovel={layer.low} hivel={layer.high}", _velocities(layer)]
            lines += _fades(step, instrument.plan.morph_steps)
            chosen = [one for one in instrument.samples if (one.slot.step, one.slot.layer) == (step, layer)]
            lines += [_region(instrument, one, files[one.slot]) for one in chosen]
    return "\n".join(lines) + "\n"


def _velocities(layer: Layer) -> str:
    """The curve of gain over the velocities of a layer."""
    points = sorted({*range(layer.low, layer.high, CURVE_STEP), layer.high})
    shown = [f"amp_velcurve_{velocity}={layer.gain(velocity):.5f}" for velocity in points]
    return " ".join(shown if layer.high == LOUDEST else [*shown, f"amp_velcurve_{LOUDEST}=1"])


def _fades(step: int, steps: int) -> list[str]:
    """Where on the wheel a step of the morph comes in and goes out."""
    at = wheel_places(steps)
    fades = [f"xfin_locc{WHEEL}={at[step - 1]} xfin_hicc{WHEEL}={at[step]}"] if step > 0 else []
    if step < steps - 1:
        fades.append(f"xfout_locc{WHEEL}={at[step]} xfout_hicc{WHEEL}={at[step + 1]}")
    return fades


def wheel_places(steps: int) -> list[int]:
    """The controller's value at which each step of a morph sounds alone."""
    return [round(value) for value in np.linspace(0, 127, steps).tolist()]


def _region(instrument: Instrument, one: Sample, file: str) -> str:
    zone, robins = instrument.zone(one), instrument.plan.round_robin
    opcodes = [f"<region> sample={file}", f"lokey={zone.low} hikey={zone.high} pitch_keycenter={zone.root}"]
    if tune := round(-one.cents):
        opcodes.append(f"tune={tune}")
    if one.loop is None:
        opcodes.append("loop_mode=no_loop")
    else:
        opcodes.append(f"loop_mode=loop_continuous loop_start={one.loop.start} loop_end={one.loop.end - 1}")
    opcodes.append(f"ampeg_release={one.release_s * RELEASE_DB / SILENT_DB:.3f}")
    if robins > 1:
        opcodes.append(f"seq_length={robins} seq_position={one.slot.robin + 1}")
    return " ".join(opcodes)
