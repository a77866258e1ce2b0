"""What the ears hear of the bundled notes, written anew: after other ears, measures or notes.

python scripts/bundled_sounds.py
"""

from __future__ import annotations

import numpy as np

from synth_explorer.assets import example_notes
from synth_explorer.library import bundled, places
from synth_explorer.library.listening import Task, heard
from synth_explorer.rendering.sources import content_hash


def main() -> None:
    """Listen to every note, and lay them out."""
    notes = {content_hash(note.path): heard(Task(note.path, "note", note.name)) for note in example_notes()}
    points = np.stack([fields["embedding"] for fields in notes.values()]).astype(np.float32)
    bundled.write(notes, places.laid_out(points))


if __name__ == "__main__":
    main()
