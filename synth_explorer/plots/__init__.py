"""Pictures of sounds and of numbers.

`spectrogram` and `rainbow` are images of sounds, `chart` draws numbers as HTML and SVG that fit any width, `colours`
the palettes.
"""

from __future__ import annotations

from synth_explorer.plots.chart import Line, Point, Scale, image_chart, line_chart, map_chart, scale, seconds
from synth_explorer.plots.colours import GRID, INK, PAPER, mix_colour, palette, rgb
from synth_explorer.plots.heat import heat_map_png
from synth_explorer.plots.rainbow import ConstantQ, constant_q, rainbowgram_png
from synth_explorer.plots.spectrogram import (
    FLOOR_DB,
    LOW_HZ,
    TOP_DB,
    frequency_position,
    spectrogram_db,
    spectrogram_png,
)
