"""Long recordings: cut into notes, the same ones told, the most characteristic ones proposed, what recurs as a tree."""

from __future__ import annotations

from synth_explorer.recordings.cutting import LONGEST_S, RecordedNote, cut, sound_of
from synth_explorer.recordings.onsets import find_onsets
from synth_explorer.recordings.outline import facts, outline
from synth_explorer.recordings.structure import Part, is_highlight, structure
