"""From a description of a sound to the sound: `Patch` says all of it, `render` makes it.

`sources` finds its notes by their content, `mix` says where it lies between them, `pack` puts patch and notes into one
file, and a `Renderer` does the work for page, shell and scripts.
"""

# pyright: reportUnusedImport=false
from __future__ import annotations

from synth_explorer.rendering.mix import Mix
from synth_explorer.rendering.pack import load_patch, pack
from synth_explorer.rendering.patch import Patch
from synth_explorer.rendering.rendered import Rendered, sampler_of
from synth_explorer.rendering.renderer import Renderer, render, renderer_of
from synth_explorer.rendering.sources import Source
