"""The studios: one for each checkpoint, loaded when it is first chosen, over one folder of sounds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from threading import Lock
from typing import TYPE_CHECKING, Any

from synth_explorer.errors import CheckpointError
from synth_explorer.files import cache_folder
from synth_explorer.ui.session.exports import Exports
from synth_explorer.ui.session.finals import Finals
from synth_explorer.ui.session.note_store import NoteStore
from synth_explorer.ui.session.sound_folder import SoundFolder
from synth_explorer.ui.session.sound_map import SoundMap
from synth_explorer.ui.session.studio import Studio

if TYPE_CHECKING:
    from synth_explorer.assets import ExampleNote
    from synth_explorer.explorer import Explorer


class Studios:
    """Studios by the name of their checkpoint. Browsers share them; which one a browser uses is its own choice."""

    def __init__(
        self,
        load: Callable[[str], Explorer],
        names: Sequence[str],
        *,
        notes: Sequence[ExampleNote] = (),
        store: NoteStore | None = None,
    ) -> None:
        """
        `load`: makes the Explorer of a checkpoint. `names`: of the checkpoints to choose from; the first begins to load
        at once. `store`: where the notes that people bring are kept; None: the user's.
        """
        self.names = list(names)
        self.sound_folder = SoundFolder()
        self.exports = Exports()
        self.finals = Finals()
        self.store = NoteStore() if store is None else store
        self.notes = {note.name: note for note in notes}
        self.sound_map = SoundMap(notes)
        self.guest_map = SoundMap(notes, folder=cache_folder() / "guest-map", is_kept=False)
        self._load, self._notes = load, notes
        self._studios: dict[str, Studio] = {}
        self._lock = Lock()
        self.studio(self.names[0])

    def studio(self, name: Any) -> Studio:
        """The studio of a checkpoint.

        Raises CheckpointError: a name that is not on the list, whatever it is the path of.
        """
        if name not in self.names:
            raise CheckpointError(f"There is no checkpoint {name!r} here; choose one of: {', '.join(self.names)}.")
        with self._lock:
            known = self._studios.get(name)
            if known is None or known.has_failed:
                known = Studio(
                    lambda: self._load(name),
                    name=name,
                    notes=self._notes,
                    sound_folder=self.sound_folder,
                    store=self.store,
                )
                self._studios[name] = known
            return known
