"""Calibration of a checkpoint: which directions of its latents do what, measured through its decoder.

`hearing` tells what is heard of a sound, `views` pairs it with latents over many notes, `directions` finds directions
in the pairs (partial least squares, principal components), `response` decodes along them and along the controls that
are there already, `answers` judges how well each answers, `journal` keeps finished work through a stop, `calibrate`
does it all, `report` says it, `installation` puts it into the checkpoint.
"""

from __future__ import annotations

from synth_explorer.calibration.calibrate import Calibration, Settings, calibrate
from synth_explorer.calibration.installation import install
from synth_explorer.calibration.report import markdown
from synth_explorer.calibration.views import Note
