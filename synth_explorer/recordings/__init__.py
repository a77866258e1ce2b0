"""Long recordings: cut into notes, the same ones told, the most characteristic ones proposed."""

from __future__ import annotations

from synth_explorer.recordings.cutting import RecordedNote, cut, sound_of
from synth_explorer.recordings.onsets import find_onsets
