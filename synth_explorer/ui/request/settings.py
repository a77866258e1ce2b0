"""What the knobs of the page say, as one value: where the morph is, its pitch, and the edits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, make_dataclass
from typing import Any

import numpy as np

from synth_explorer.rendering import Mix
from synth_explorer.rendering.quantise import KEYS, SEMITONE
from synth_explorer.ui.request import knobs
from synth_explorer.ui.request.knobs import MIX_RANGE, NO_SOURCE, Curves, clamp

Turned = make_dataclass(
    "Turned", [(name, float, fact.slider.rest) for name, fact in knobs.NUMBERS.items()], frozen=True
)
"""The sliders of the edits at rest, as the edits say: their names, how far they turn and their units stand there."""


@dataclass(frozen=True)
class Settings(Turned):
    """The knobs. Field names are the names of the page's components.

    `x`, `y`: with more sources, the point on the pad, 0..1. `curves`: what was drawn over time: ((target, ((time_s,
    value), ...)), ...), in the order of `knobs.CURVES`.
    """

    count: int = 4  # how many sources take part, 2 to 4
    mix: float = 0.5  # with two sources, 0 = A and 1 = B, from -0.3 to 1.3
    x: float = 0.5
    y: float = 0.5
    by_pitch: bool = False  # whether the pitch says where between the sources, which are recordings of one instrument
    set_pitch: bool = False  # whether `pitch_midi` replaces the pitch of the morph
    pitch_midi: float = 60.0  # MIDI note; the page writes it as a name
    quantise: str = SEMITONE  # where the pitch of the mix comes to lie: on a semitone, in the key, or anywhere
    key: str = KEYS[0]
    toward: str = NO_SOURCE  # letter of the source toward whose mean sound the timbre goes, "Preset" or "Off"
    osc_targets: tuple[str, ...] = ()  # what oscillates, among loudness, brightness and pitch; osc_..._shape: its form
    osc_loudness_shape: str = "sine"
    osc_brightness_shape: str = "sine"
    osc_pitch_shape: str = "sine"
    reverse: bool = False  # whether it is played backwards
    freeze: bool = False  # whether the moment `freeze_at_s` is held, for `freeze_hold_s` (0: to the end)
    curves: Curves = ()
    raw_channels: tuple[int, ...] = ()  # latent channels that the raw edits move; none leaves them at rest
    seed: int = 0  # these three as of a patch
    temperature: float = 1.0
    open_loop: bool = False

    @classmethod
    def names(cls) -> tuple[str, ...]:
        return tuple(item.name for item in fields(cls))

    @classmethod
    def from_values(cls, values: list[Any] | tuple[Any, ...]) -> Settings:
        """From the components' values in the order of `names`; an emptied number field counts as its default."""
        return cls.from_mapping(dict(zip(cls.names(), values, strict=True)))

    @classmethod
    def from_mapping(cls, given: Any) -> Settings:
        """From what a browser sent: numbers are brought into range, what is missing or of another kind is at rest."""
        rest, values = cls(), dict(given) if isinstance(given, Mapping) else {}
        values["pitch_midi"] = knobs.pitch_number(values.get("pitch_midi"))
        changes: dict[str, Any] = {
            name: clamp(values.get(name), low, high, otherwise=getattr(rest, name))
            for name, (low, high) in (knobs.RANGES | knobs.MORPH_RANGES | knobs.DECODING_RANGES).items()
        }
        chosen = {name: values.get(name) for name in knobs.CHOICES}
        changes |= {name: value for name, value in chosen.items() if value in knobs.CHOICES[name]}
        changes |= {name: values.get(name) is True for name in knobs.SWITCHES}
        changes |= {name: int(changes.get(name, getattr(rest, name))) for name in ("count", "seed")}
        changes["osc_targets"] = knobs.targets(values.get("osc_targets"))
        changes["raw_channels"] = knobs.channel_numbers(values.get("raw_channels"))
        return cls(**changes, curves=knobs.curves(values.get("curves")))

    @property
    def quantiser(self) -> str:
        """As a patch has it."""
        return self.key if self.quantise == knobs.IN_KEY else self.quantise

    def point(self) -> tuple[float, float]:
        """Where the morph is: (mix, 0) with two sources, (x, y) with more."""
        if self.count == 2:
            return clamp(self.mix, *MIX_RANGE, otherwise=0.5), 0.0
        return clamp(self.x, 0.0, 1.0, otherwise=0.5), clamp(self.y, 0.0, 1.0, otherwise=0.5)

    @property
    def morph_moves(self) -> bool:
        """Whether the morph was drawn over time; with two sources there is no up."""
        drawn = dict(self.curves)
        return "across" in drawn or ("up" in drawn and self.count > 2)

    def place(self) -> Mix:
        """Where between the sources, and how it moves over the pad where that was drawn, or that the pitch says it."""
        if self.by_pitch:
            return Mix(by_pitch=True)
        if not self.morph_moves:
            return Mix.at(*self.point())
        here, drawn = dict(zip(knobs.MORPH_CURVES, self.point(), strict=True)), dict(self.curves)
        times_s = sorted({0.0, *(time_s for name in knobs.MORPH_CURVES for time_s, _ in drawn.get(name, ()))})
        tracks = [np.full(len(times_s), here[name]) for name in knobs.MORPH_CURVES]
        for number, name in enumerate(knobs.MORPH_CURVES):
            if name in drawn:
                low, high = MIX_RANGE if self.count == 2 and name == "across" else (0.0, 1.0)
                tracks[number] = np.clip(np.interp(times_s, *np.array(drawn[name]).T), low, high)
        return Mix.along(list(zip(times_s, *(track.tolist() for track in tracks), strict=True)))

    def curves_value(self) -> dict[str, dict[str, list[list[float]]]]:
        """The curves as the page's widget and a browser have them."""
        return {"points": {target: [list(point) for point in points] for target, points in self.curves}}
