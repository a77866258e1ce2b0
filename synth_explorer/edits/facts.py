"""What edits say of themselves: units, ranges, tolerances, shell options and knobs. Every other room reads it here."""

from __future__ import annotations

from dataclasses import MISSING, dataclass, field, replace
from typing import Any, NamedTuple

UNITS = {
    "loudness": "dB",
    "brightness": "octaves",
    "noisiness": "dB",
    "attack": "doublings",
    "pitch": "cents",
    "spread": "octaves",
    "hollowness": "dB",
}
"""What is heard, and the unit of its changes: RMS level, spectral centroid, noise against partials, the time from 10 to
90 % of the loudest amplitude, pitch, width of the spectrum about its centroid, odd partials against even ones."""

TARGETS = ("loudness", "brightness", "pitch")
"""What can swing, and be drawn over time."""

DIGITS = {"dB": 2, "octaves": 2, "cents": 1, "Hz": 2, "s": 3, "times": 3}
COARSE_DIGITS = DIGITS | {"dB": 1, "cents": 0}
"""Decimals of figures by their units, where they are measured, and where they are read in passing."""

SHORT_UNITS = {"octaves": "oct"}
UNSIGNED_UNITS = ("Hz", "s", "times", "of the way")


@dataclass(frozen=True)
class Figure:
    """Something that is heard as one number, and when it is what was asked.

    `aim`, `aim_part`: how near the closed loop tries to come, likewise.
    """

    key: str  # in reports
    name: str  # in words
    unit: str  # of its changes; "" where it is that of what swings
    tolerance: float = 0.0  # how far it may lie from what was asked, in its unit,
    part: float = 0.0  # or as a proportion of what was asked; the larger one counts
    aim: float = 0.0
    aim_part: float = 0.0
    signed: bool = True  # whether it is told with its sign
    title: str = ""  # over a row of a table; "": its name

    def __bool__(self) -> bool:
        """Whether anything is heard: not of `UNHEARD`."""
        return bool(self.key)

    @property
    def digits(self) -> int:
        """Decimals with which it is told."""
        return DIGITS.get(self.unit, 2)

    @property
    def tolerance_words(self) -> str:
        """Its tolerance in words."""
        parts = [f"{100 * self.part:g} %"] if self.part else []
        return " or ".join([*parts, *([f"{self.tolerance:g} {self.unit}"] if self.tolerance else [])])

    def within(self, asked: float) -> float:
        """How far it may lie from what was asked."""
        return max(self.tolerance, self.part * abs(asked))

    def near(self, asked: float) -> float:
        """How near the closed loop tries to come."""
        return max(self.aim, self.aim_part * abs(asked))


UNHEARD = Figure("", "", "")
"""Of what is no one number."""

HELD = {
    "loudness": Figure("loudness_db", "loudness", UNITS["loudness"], 1.0),
    "brightness": Figure("brightness_octaves", "brightness", UNITS["brightness"], 0.1, aim=0.03),
    "pitch": Figure("pitch_cents", "pitch", UNITS["pitch"], 5.0),
}
"""What stays unless it is asked to move, by `TARGETS`: loudness is that of BS.1770."""

EVERYTHING = frozenset(HELD)


class Option(NamedTuple):
    """An option of the shell: its name, what it says, what stands for its value, whether it is given many times.

    The words may name {unit}, {low}, {high} and {usual} of their number.
    """

    name: str
    words: str
    metavar: str | None = None
    many: bool = False
    switch: bool = False


@dataclass(frozen=True)
class Knob:
    """A slider of the page: its name, its label (which may name the {unit}), how far it turns, and where it rests.

    `group` is the part of the page in which it stands: "timbre", "spectrum", "morph", "oscillation", "time",
    "directions", "raw".
    """

    name: str
    label: str
    low: float
    high: float
    step: float
    rest: float = 0.0
    group: str = "timbre"


@dataclass(frozen=True)
class Number:
    """A number of an edit: the range in which it must lie, its unit, what it is usually, and who asks for it.

    `aim` is how near the closed loop tries to come where nearly nothing is asked.
    """

    range: tuple[float, float]
    unit: str = ""
    usual: float | None = None
    option: Option | None = None
    knob: Knob | None = None
    aim: float = 0.0

    @property
    def slider(self) -> Knob:
        """Its knob, of a number that has one."""
        assert self.knob is not None
        return self.knob

    @property
    def label(self) -> str:
        """The words beside its knob."""
        return self.slider.label.format(unit=self.unit)

    @property
    def help(self) -> str:
        """The words of its option."""
        assert self.option is not None
        return self.option.words.format(unit=self.unit, low=self.range[0], high=self.range[1], usual=self.usual)

    def given(self, value: float | None) -> float:
        """A value, or what it is usually where there is none."""
        if value is not None:
            return value
        assert self.usual is not None
        return self.usual

    def turned_by(self, **words: Any) -> Number:
        """The number with the name of its knob filled in."""
        return replace(self, knob=replace(self.slider, name=self.slider.name.format(**words)))


class Untold(NamedTuple):
    """What is asked in a report and is no one figure: its key, its name, and where it can be seen."""

    key: str
    name: str
    where: str


def ranged(range_: tuple[float, float], unit: str = "", *, default: Any = MISSING, **facts: Any) -> Any:
    """A field of an edit with its `Number`."""
    return field(default=default, metadata={"number": Number(range_, unit, **facts)})


def unranged() -> Any:
    """A field of an edit whose range another field tells, behind fields made by `ranged`."""
    return field()
