"""What a note is, and what edits did to it: numbers first, then one self-contained page of HTML.

`channels` are statistics of latents, `examples` the bundled notes as a map, `hearing` tracks of a sound and their
modulation spectra, `verdicts` requested against measured; `inspection` gathers them, `report` shows them.
"""

from __future__ import annotations

from synth_explorer.inspection.channels import ChannelUse, channel_names, channel_use
from synth_explorer.inspection.examples import Examples, Plane, examples, plane
from synth_explorer.inspection.hearing import Heard, hear, modulation_spectrum
from synth_explorer.inspection.inspection import Inspection, inspect
from synth_explorer.inspection.report import html
from synth_explorer.inspection.verdicts import Verdict, source_verdict, source_words, verdicts
