"""Edits that are solved instead of guessed: predict, decode, measure, correct, until what is heard is what was asked.

`toward` and then `attack` are solved first, by themselves. `request` is what else a chain asks for, as knobs, `hearing`
measures a decoded sound against its reference, `loop` turns the knobs, and `outcome` says what became of a request.
"""

from __future__ import annotations

from synth_explorer.closed_loop.loop import ClosedLoop, Solution
from synth_explorer.closed_loop.outcome import Outcome
from synth_explorer.closed_loop.toward import mean_sound
