"""A note that a slot of the page holds."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from synth_explorer.pitch import doubt
from synth_explorer.rendering import Source


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

    @property
    def token(self) -> str:
        """What the page calls it by in a question: no path, and nothing that somebody without the sound can guess."""
        told = repr((self.key, self.pitch_midi, self.title, self.checkpoint))
        return hashlib.sha256(told.encode()).hexdigest()[:24]

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
