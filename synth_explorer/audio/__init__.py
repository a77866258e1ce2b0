"""Sound files and the first things done to a sound: read, mix, find the onset, cut, put back, write.

The only room that knows sound files. Audio everywhere else is float32, mono, full scale 1.0, at the checkpoint's
sample rate. Nothing here changes a level without saying so.

Shapes: T samples.
"""

from __future__ import annotations

from synth_explorer.audio.gate import FULL_SCALE_LIMIT, SILENCE_DB, check, resample
from synth_explorer.audio.hearing import audible, refuse_silence
from synth_explorer.audio.onset import Prepared, find_onset, prepare, restore
from synth_explorer.audio.reading import GIVES, Recording, length_s, load, record
from synth_explorer.audio.writing import BITS, Sampler, Writing, Written, save, write
