"""What the slots answer: a note that is chosen, opened or given another pitch, and what a slot shows of it.

Errors that are meant for people come back as one sentence on the page; nothing here raises them.
"""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from synth_explorer.errors import SynthExplorerError
from synth_explorer.pitch import pitch_given, pitch_words
from synth_explorer.ui.answers.screen import screen
from synth_explorer.ui.answers.words import alert
from synth_explorer.ui.colours import SLOT_COLOURS
from synth_explorer.ui.request.knobs import LETTERS
from synth_explorer.ui.session.slot_note import SlotNote
from synth_explorer.ui.session.studio import Studio

if TYPE_CHECKING:
    from synth_explorer.assets import ExampleNote

DOUBTS = {"unpitched": "no clear pitch", "chord": "a chord?", "outside": "no clear pitch", "moving": "moves"}
"""What is said beside a pitch that is a guess, by what it was heard of; else how sure it is."""

DEFAULT_NOTES = ("Cello", "Trumpet", "Vibraphone", "Choir Aahs")


@dataclass(frozen=True)
class SlotView:
    """What one slot shows, in the order of its components."""

    source: SlotNote | None
    picker: dict[str, str]
    screen: dict[str, Any] | None
    pitch_text: str
    pitch: str  # by its name
    message: str

    @classmethod
    def empty(cls, message: str = "") -> SlotView:
        """A slot without a source."""
        return cls(None, {"selected": "", "own": ""}, None, "", "", alert(message))

    def values(self) -> tuple[Any, ...]:
        token = self.source.token if self.source else ""
        return (token, self.picker, self.screen, self.pitch_text, self.pitch, self.message)


def pitch_text(source: SlotNote) -> str:
    """What the field of a source's pitch says, and where it comes from."""
    if source.pitch_midi is None or source.heard_midi is None:
        return "pitch <i>in its latents</i>"
    heard = pitch_words(source.heard_midi, unit="")
    origin = "detected" if source.is_estimate else f'<span title="{heard} was detected">set by you</span>'
    if source.doubt:
        doubtful = DOUBTS.get(source.kind) or f"{100 * source.confidence:.0f} % sure"
        origin = f'<em title="{html.escape("It " + source.doubt)}">{doubtful}</em>'
    return f"pitch <i>{origin}</i>"


def notices_text(source: SlotNote) -> str:
    """What was lost when a note was read, and what is doubtful about its pitch, in words; nothing where nothing is."""
    said = (*source.notices, *([source.doubt] if source.doubt else []))
    return "".join(f'<p class="caption">{html.escape("It " + notice)}.</p>' for notice in said)


def slot_view(studio: Studio, slot: int, source: SlotNote | None, message: str = "") -> SlotView:
    """Everything that slot number `slot` shows of a source."""
    if source is None:
        return SlotView.empty(message)
    try:
        shown = _screen(studio, slot, source)
    except SynthExplorerError as error:
        return slot_view(studio, slot, None, str(error))
    picker = {"selected": source.note_id, "own": "" if source.note_id else source.title}
    pitch = "" if source.pitch_midi is None else pitch_words(source.pitch_midi, unit="")
    return SlotView(source, picker, shown, pitch_text(source), pitch, alert(message) + notices_text(source))


def _screen(studio: Studio, slot: int, source: SlotNote) -> dict[str, Any]:
    """The screen of a note, which is the same in every page that opens with it."""
    key = slot, source.key, source.title
    shown = studio.pictures.get(key)
    if shown is None:
        heard, label = studio.heard(source), f"{LETTERS[slot]}, {source.title}"
        shown = studio.pictures.put(key, screen(studio, heard, label=label, colour=SLOT_COLOURS[slot], address="-"))
    return shown | {"address": f"sound/source.wav?{urlencode({'checkpoint': studio.name, 'token': source.token})}"}


def choose_note(studio: Studio, slot: int, picked: Any, current: SlotNote | None) -> SlotView:
    """An example note was chosen from the menu."""
    note_id = str(picked.get("selected", "")) if isinstance(picked, dict) else ""
    try:
        return slot_view(studio, slot, studio.open_example(note_id))
    except SynthExplorerError as error:
        return slot_view(studio, slot, current, str(error))


def open_own(studio: Studio, slot: int, path: str | None, current: SlotNote | None) -> SlotView:
    """The user's own file or recording arrived; a bad one leaves the slot as it was and says why.

    Browsers send a quotation mark in the name of a file as %22.
    """
    if not path:
        return slot_view(studio, slot, current)
    try:
        return slot_view(studio, slot, studio.open_own(path, title=Path(path).name.replace("%22", '"')))
    except SynthExplorerError as error:
        return slot_view(studio, slot, current, str(error))


def set_pitch(studio: Studio, slot: int, pitch: str, current: SlotNote | None) -> SlotView:
    """The user says which pitch a source has, by name or MIDI number; an emptied field goes back to the estimate."""
    if current is None:
        return slot_view(studio, slot, None)
    try:
        midi = pitch_given(pitch) if pitch.strip() else None
        return slot_view(studio, slot, studio.with_pitch(current, midi))
    except SynthExplorerError as error:
        return slot_view(studio, slot, current, str(error))


def default_notes(notes: Mapping[str, ExampleNote]) -> list[str]:
    """Names of the notes that the slots hold at first: well-known ones where they are there, one of each family."""
    chosen = [name for name in DEFAULT_NOTES if name in notes]
    families = {notes[name].family for name in chosen}
    for name, note in notes.items():
        if note.family not in families:
            families.add(note.family)
            chosen.append(name)
    return (chosen + [name for name in notes if name not in chosen])[: len(LETTERS)]


def open_defaults(studio: Studio) -> list[SlotView]:
    """What the slots hold when the page opens."""
    names = default_notes(studio.notes)
    views = [choose_note(studio, slot, {"selected": name}, None) for slot, name in enumerate(names)]
    return views + [slot_view(studio, slot, None) for slot in range(len(views), len(LETTERS))]


def views(studio: Studio, tokens: Sequence[str]) -> list[SlotView]:
    """What the slots show of the notes of a request; one that is not there leaves its slot empty and says so."""
    shown = []
    for slot, token in enumerate(tokens):
        try:
            shown.append(slot_view(studio, slot, studio.find(token)))
        except SynthExplorerError as error:
            shown.append(slot_view(studio, slot, None, str(error)))
    return shown


def held(studio: Studio, token: Any) -> SlotNote | None:
    """The note that a slot holds by what the page calls it; None where there is none, or it is gone."""
    try:
        return studio.find(token if isinstance(token, str) else "")
    except SynthExplorerError:
        return None
