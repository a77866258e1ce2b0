"""Instruments of a patch: samples over keys, velocities and a morph, for samplers, and music from MIDI files.

`maker` renders a patch into samples, `instrument` plans and reports, `loops` and `sustain` find what can be held,
`sfz`, `decent`, `bitwig` and `writing` make files of them; `midi` reads a song, `voices` plays it.
"""

# pyright: reportUnusedImport=false
from __future__ import annotations

from synth_explorer.instruments.instrument import Instrument, Plan, differences_db, make
from synth_explorer.instruments.maker import Maker
from synth_explorer.instruments.writing import Format, formats_of, sample_path, targets, write
from synth_explorer.instruments.zones import key_range
