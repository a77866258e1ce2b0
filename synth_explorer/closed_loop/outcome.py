"""What became of a request: asked, heard, reached or not, and how far it could have gone."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from synth_explorer.edits import DIGITS, UNSIGNED_UNITS


@dataclass(frozen=True)
class Outcome:
    """One thing that an edit promised, and what was heard of it."""

    control: str  # what it is about: "gain", "loudness", "brightness", "pitch", "oscillation of loudness", ...
    unit: str  # of the numbers: dB, octaves, cents, Hz, s, or "of the way" for a proportion
    requested: float  # the change that was asked for; 0 for what should have stayed
    measured: float | None  # the change that was heard; None where it cannot be measured
    tolerance: float  # how far the two may lie apart
    limit: float | None = None  # how far this note goes in the direction that was asked; None where no limit was met
    reason: str = ""  # why there is a limit, or why nothing was measured
    movement: str = ""  # what the pitch does of itself, "moves from C4 to C5"; "" where it stands still

    @property
    def reached(self) -> bool:
        """Whether what was heard lies within the tolerance of what was asked."""
        return self.measured is not None and abs(self.measured - self.requested) <= self.tolerance

    @property
    def sentence(self) -> str:
        """The outcome in a sentence."""
        name, asked = self.control.capitalize(), self._number(self.requested)
        held = self.requested == 0.0
        if self.measured is None:
            return f"{name}: {asked} asked, not measured: {self.reason or 'it cannot be heard in this sound'}."
        heard = self._number(self.measured)
        if self.reached and held and self.movement:
            return f"{name}: {self.movement}, as before the edits, {heard}."
        if self.reached:
            return f"{name}: held, {heard}." if held else f"{name}: {asked} asked, {heard} heard."
        if held:
            return f"{name}: should have stayed, moved by {heard}{self._because()}."
        reach = "" if self.limit is None else f"; this note goes to {self._number(self.limit)}"
        return f"{name}: {asked} asked, {heard} heard{self._because()}{reach}."

    def _because(self) -> str:
        return f": {self.reason}" if self.reason else ""

    def _number(self, value: float) -> str:
        unsigned = self.unit in UNSIGNED_UNITS or self.control.startswith("oscillation")
        return f"{value:{'' if unsigned else '+'}.{DIGITS.get(self.unit, 2)}f} {self.unit}"

    def to_dict(self) -> dict[str, Any]:
        """As JSON has it, `reached` and `sentence` included."""
        return asdict(self) | {"reached": self.reached, "sentence": self.sentence}
