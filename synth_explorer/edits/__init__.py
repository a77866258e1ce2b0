"""Edits of latents: small frozen values with a musician's units, and chains of them that are saved as JSON.

`named` edits, `timbre` and `curves` over time are calibrated for a checkpoint by its `controls`; `timing` reads a note
at other times; `moves` go along calibrated directions; `raw` edits act on any channels, as in the demos of NSynth.
All are pure:
`edit.apply(latents, controls)` returns new latents.
"""

# pyright: reportUnusedImport=false
from __future__ import annotations

from synth_explorer.edits.attack import Attack
from synth_explorer.edits.axes import NamedAxis, PrincipalAxis
from synth_explorer.edits.base import KINDS, Edit, Points, commute, in_order
from synth_explorer.edits.chain import EditChain, figures
from synth_explorer.edits.controls import BrightnessControl, Controls, LoudnessControl
from synth_explorer.edits.curves import Curve, Envelope
from synth_explorer.edits.facts import COARSE_DIGITS, DIGITS, HELD, SHORT_UNITS, TARGETS, UNITS, UNSIGNED_UNITS, Figure
from synth_explorer.edits.moves import Direction, move
from synth_explorer.edits.named import Brightness, Gain, MeanSound, Oscillate, SetPitch, Toward, Transpose
from synth_explorer.edits.raw import Add, OscillateChannels, Scale
from synth_explorer.edits.timbre import Hollowness, Noisiness, Spread
from synth_explorer.edits.timing import Freeze, Reverse, Stretch, Trim
from synth_explorer.edits.waves import SHAPES, wave
