"""Which sounds of a batch to keep: their order by diversity, near-duplicates, likeness to a sound; a contact sheet.

`heard` is what is known of a sound by its ear, `space` lays sounds out and finds its way among them, `page` makes one
page of HTML of it.
"""

from __future__ import annotations

from synth_explorer.sheet.heard import Heard, hear, hear_note
from synth_explorer.sheet.page import html
from synth_explorer.sheet.space import Space, farthest_first, near_duplicates
