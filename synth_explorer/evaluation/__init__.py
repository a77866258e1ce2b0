"""Evaluation on folders of notes: how near they come back, whether morphs keep their pitch, what the controls do."""

from __future__ import annotations

from synth_explorer.evaluation.controls import METHODS, evaluate_controls
from synth_explorer.evaluation.morph import evaluate_morph
from synth_explorer.evaluation.reconstruction import evaluate_reconstruction
from synth_explorer.evaluation.sweeps import SWEEPS
