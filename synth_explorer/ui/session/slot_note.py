"""A note that a slot of the page holds."""

from __future__ import annotations

from dataclasses import dataclass

from synth_explorer.pitch import doubt
from synth_explorer.rendering import Source
from synth_explorer.ui.session.note_store import DIGITS

HEARD = "@heard"


@dataclass(frozen=True)
class SlotNote:
    """A note in a slot: small enough for a session to carry; its latents are in the studio's memory."""

    path: str  # the file it was read from
    title: str  # what the page calls it
    key: str  # hash of the file's content
    heard_midi: float | None  # estimated pitch; None where the checkpoint keeps pitch inside its latents
    confidence: float  # of the estimate, 0..1
    kind: str  # what the estimate was heard of: "note", "chord", "unpitched", "outside"
    pitch_midi: float | None  # the pitch it was encoded with: the estimate, what its file gave, or what the user set
    note_id: str = ""  # name of the example note; empty for a user's own
    checkpoint: str = ""  # hash of the checkpoint that encodes it
    notices: tuple[str, ...] = ()  # what was lost when the file was read, in sentences that go on after its name
    as_opened: bool = True  # whether its pitch is the one that it gets when it is opened

    @property
    def token(self) -> str:
        """What the page, links and what is saved call it by; `Studio.find` opens it again, whatever was forgotten.

        "Cello", "Cello@60.5" with a pitch that was set, "Cello@heard" with the estimate where it would open with
        another one; a note of one's own by the beginning of its content's hash: "9f86d081884c7d659a2feaa0@60/mine.wav".
        """
        pitch = "" if self.as_opened else HEARD if self.is_estimate else f"@{self.pitch_midi!r}"
        return f"{self.note_id}{pitch}" if self.note_id else f"{self.key[:DIGITS]}{pitch}/{self.title}"

    @property
    def is_estimate(self) -> bool:
        return self.pitch_midi == self.heard_midi

    @property
    def stated_midi(self) -> float | None:
        """The pitch to encode it with; None where it is to be heard."""
        return None if self.is_estimate else self.pitch_midi

    @property
    def source(self) -> Source:
        """It as a patch has it."""
        origin = "bundled" if self.note_id else "file"
        return Source(sha256=self.key, name=self.title, origin=origin, path=self.path, pitch_midi=self.stated_midi)

    @property
    def doubt(self) -> str:
        """What is doubtful about its pitch, in words; "" where it is sure, or was stated."""
        if self.heard_midi is None or not self.is_estimate:
            return ""
        return doubt(self.heard_midi, self.confidence, self.kind)
