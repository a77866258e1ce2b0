"""Edits of latents: small frozen values with a musician's units, and chains of them that are saved as JSON.

`named` edits are calibrated for a checkpoint by its `controls`; `raw` edits act on any channels, as in the demos of
NSynth. All are pure: `edit.apply(latents, controls)` returns new latents.
"""

from __future__ import annotations

from synth_explorer.edits.base import Edit, wave
from synth_explorer.edits.chain import EditChain
from synth_explorer.edits.controls import BrightnessControl, Controls, LoudnessControl
from synth_explorer.edits.named import Brightness, Gain, Oscillate, SetPitch, Toward, Transpose
from synth_explorer.edits.raw import Add, OscillateChannels, Scale

__all__ = [
    "Add",
    "Brightness",
    "BrightnessControl",
    "Controls",
    "Edit",
    "EditChain",
    "Gain",
    "LoudnessControl",
    "Oscillate",
    "OscillateChannels",
    "Scale",
    "SetPitch",
    "Toward",
    "Transpose",
    "wave",
]
