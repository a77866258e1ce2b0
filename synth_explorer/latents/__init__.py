"""Latents: a note as a short score of numbers, and walking between notes.

`note` is the score with its file format, `meta` what it means, `morph` is interpolation: weights fixed or over time,
and the pad's weights.
"""

# pyright: reportUnusedImport=false
from __future__ import annotations

from synth_explorer.latents.meta import LatentsMeta
from synth_explorer.latents.morph import (
    bilinear_weights,
    interpolate,
    normalised,
    pad_weights,
    path,
    under_loudest_db,
    weights_by_pitch,
)
from synth_explorer.latents.note import LOUDNESS_CHANNEL, Latents, hz_to_midi, midi_to_hz, time_mean, with_pitch
