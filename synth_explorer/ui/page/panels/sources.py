"""The sources: two to four slots, each with a note, its picture and its pitch."""

from __future__ import annotations

from dataclasses import dataclass

import gradio as gr

from synth_explorer.ui.request.knobs import LETTERS
from synth_explorer.ui.session.studios import Studios
from synth_explorer.ui.widgets import widget


@dataclass(frozen=True)
class Slot:
    """Components of one slot."""

    column: gr.Column
    source: gr.HTML  # what the page calls its note by, see `SlotNote.token`
    picker: gr.HTML
    screen: gr.HTML
    pitch_text: gr.HTML
    pitch: gr.Textbox
    message: gr.HTML
    upload: gr.UploadButton

    @property
    def shown(self) -> list[gr.Component]:
        """In the order of slots.SlotView."""
        return [self.source, self.picker, self.screen, self.pitch_text, self.pitch, self.message]


@dataclass(frozen=True)
class Sources:
    """The panel: how many slots, and the slots."""

    count: gr.Radio
    slots: tuple[Slot, ...]

    @property
    def tokens(self) -> list[gr.HTML]:
        return [slot.source for slot in self.slots]


def build(studios: Studios) -> Sources:
    """Build the panel with as many slots as there are letters."""
    with gr.Row(elem_classes="strip"):
        widget.words("<h2>Sources</h2>")
        count = gr.Radio(
            [("2 sounds", 2), ("3 sounds", 3), ("4 sounds", 4)],
            value=4,
            label="How many sounds to morph",
            show_label=False,
            container=False,
            elem_classes="segments",
            elem_id="count",
        )
    tokens = [widget.memory("") for _ in LETTERS]
    with gr.Row(elem_classes="slots"):
        slots = tuple(_slot(letter, token, families(studios)) for letter, token in zip(LETTERS, tokens, strict=True))
    return Sources(count, slots)


def _slot(letter: str, token: gr.HTML, notes: list[tuple[str, list[tuple[str, str]]]]) -> Slot:
    name = letter.lower()
    with gr.Column(elem_classes=["card", "slot", f"slot-{name}"], elem_id=f"slot-{name}", min_width=0) as column:
        picker = widget.picker(letter=letter, families=notes, elem_id=f"picker-{name}")
        screen = widget.screen(letter=letter, hint="Opening the note", elem_id=f"screen-{name}", elem_classes="small")
        message = widget.words("", elem_id=f"message-{name}", elem_classes="messages")
        with gr.Row(elem_classes="slot-foot"):
            pitch_text = widget.words("", elem_id=f"pitch-text-{name}", elem_classes="pitch-text")
            pitch = gr.Textbox(
                label=f"Pitch of {letter}: a note such as C4 or Eb3, or a MIDI number",
                show_label=False,
                container=False,
                max_lines=1,
                min_width=0,
                elem_classes="pitch-field",
                elem_id=f"pitch-{name}",
            )
            upload = gr.UploadButton(
                "Upload", file_types=["audio"], size="sm", min_width=0, elem_id=f"upload-{name}", elem_classes="small"
            )
            gr.Button("Record", size="sm", min_width=0, elem_id=f"record-{name}", elem_classes="small")
    return Slot(column, token, picker, screen, pitch_text, pitch, message, upload)


def families(studios: Studios) -> list[tuple[str, list[tuple[str, str]]]]:
    """The example notes by family: [(family, [(id, label), ...]), ...]."""
    grouped: dict[str, list[tuple[str, str]]] = {}
    for note in studios.notes.values():
        grouped.setdefault(note.family.replace("_", " ").capitalize(), []).append((note.name, note.name))
    return list(grouped.items())
