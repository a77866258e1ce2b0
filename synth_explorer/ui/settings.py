"""What the knobs of the page say, as one value: where the morph is, its pitch, and the edits."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any

from synth_explorer.errors import EditError

if TYPE_CHECKING:
    from synth_explorer.edits import EditChain

LETTERS = ("A", "B", "C", "D")
NO_SOURCE, PRESET_SOUND = "Off", "Preset"
NO_OSCILLATION = "off"
MIX_RANGE = (-0.3, 1.3)
RANGES = {
    "transpose": (-24.0, 24.0),
    "gain_db": (-24.0, 12.0),
    "brightness": (-1.0, 1.0),
    "amount": (0.0, 1.0),
    "osc_rate_hz": (0.1, 15.0),
    "raw_scale": (-3.0, 3.0),
    "raw_add": (-3.0, 3.0),
    "raw_depth": (0.0, 3.0),
    "raw_rate_hz": (0.1, 15.0),
}
"""How far the knobs of the edits turn."""

MORPH_RANGES = {"mix": MIX_RANGE, "x": (0.0, 1.0), "y": (0.0, 1.0), "pitch_midi": (21.0, 108.0)}
CHANNELS_MOST = 64
SHAPES = ("sine", "triangle", "square", "ramp")

OSCILLATIONS = {  # target -> (unit, largest depth, usual depth, step)
    "loudness": ("dB", 12.0, 4.0, 0.1),
    "brightness": ("octaves", 1.0, 0.3, 0.01),
    "pitch": ("cents", 200.0, 30.0, 1.0),
}

CHOICES = {  # knobs that are chosen, not turned
    "count": (2, 3, 4),
    "toward": (NO_SOURCE, *LETTERS, PRESET_SOUND),
    "osc_target": (NO_OSCILLATION, *OSCILLATIONS),
    "osc_shape": SHAPES,
}


@dataclass(frozen=True)
class Settings:
    """The knobs. Field names are the names of the page's components.

    Attributes:
        count: how many sources take part, 2 to 4.
        mix: with two sources, 0 = A and 1 = B, from -0.3 to 1.3.
        x, y: with more sources, the point on the pad, 0..1.
        set_pitch: whether `pitch_midi` replaces the pitch of the morph.
        pitch_midi: MIDI note.
        transpose: semitones.
        gain_db: decibels.
        brightness: octaves.
        toward: letter of the source toward whose mean sound the timbre goes, "Preset" or "Off".
        amount: how far, 0..1.
        osc_target: "loudness", "brightness", "pitch" or "off".
        osc_rate_hz, osc_depth, osc_shape: of the oscillation; depth in dB, octaves or cents.
        raw_channels: latent channels that the raw edits move; none leaves them at rest.
        raw_scale: they are multiplied by it.
        raw_add: added to them, in their own units.
        raw_depth, raw_rate_hz: they swing by +-depth, in their own units.
    """

    count: int = 4
    mix: float = 0.5
    x: float = 0.5
    y: float = 0.5
    set_pitch: bool = False
    pitch_midi: float = 60.0
    transpose: float = 0.0
    gain_db: float = 0.0
    brightness: float = 0.0
    toward: str = NO_SOURCE
    amount: float = 0.5
    osc_target: str = NO_OSCILLATION
    osc_rate_hz: float = 5.0
    osc_depth: float = 4.0
    osc_shape: str = "sine"
    raw_channels: tuple[int, ...] = ()
    raw_scale: float = 1.0
    raw_add: float = 0.0
    raw_depth: float = 0.0
    raw_rate_hz: float = 5.0

    @classmethod
    def names(cls) -> tuple[str, ...]:
        return tuple(item.name for item in fields(cls))

    @classmethod
    def from_values(cls, values: list[Any] | tuple[Any, ...]) -> Settings:
        """From the components' values in the order of `names`; an emptied number field counts as its default."""
        given = {name: value for name, value in zip(cls.names(), values, strict=True) if value is not None}
        channels = channel_numbers(given.get("raw_channels"))
        return replace(cls(**given), count=int(given.get("count", cls.count)), raw_channels=channels)

    @classmethod
    def from_mapping(cls, given: Any) -> Settings:
        """From what a browser sent: numbers are brought into range, what is missing or of another kind is at rest."""
        rest, values = cls(), given if isinstance(given, Mapping) else {}
        changes: dict[str, Any] = {
            name: _clamp(values.get(name), low, high, otherwise=getattr(rest, name))
            for name, (low, high) in (RANGES | MORPH_RANGES).items()
        }
        changes |= {name: values[name] for name, allowed in CHOICES.items() if values.get(name) in allowed}
        target = changes.get("osc_target", NO_OSCILLATION)
        deepest = OSCILLATIONS[target][1] if target in OSCILLATIONS else math.inf
        changes["osc_depth"] = _clamp(values.get("osc_depth"), 0.0, deepest, otherwise=rest.osc_depth)
        changes["count"] = int(changes.get("count", rest.count))
        channels = channel_numbers(values.get("raw_channels"))
        return cls(**changes, set_pitch=values.get("set_pitch") is True, raw_channels=channels)

    def point(self) -> tuple[float, float]:
        """Where the morph is: (mix, 0) with two sources, (x, y) with more."""
        if self.count == 2:
            return _clamp(self.mix, *MIX_RANGE, otherwise=0.5), 0.0
        return _clamp(self.x, 0.0, 1.0, otherwise=0.5), _clamp(self.y, 0.0, 1.0, otherwise=0.5)

    def weights(self) -> tuple[float, ...]:
        """Weights of the sources A, B, ..."""
        from synth_explorer.latents import pad_weights

        return pad_weights(self.count, *self.point())

    def chain(self, means: Mapping[str, tuple[float, ...]]) -> EditChain:
        """The edits that the knobs ask for; those at rest are left out.

        Args:
            means: mean sound of each source by its letter, and of "Preset" where one was loaded.

        Raises:
            EditError: `toward` names a source that is not there.
        """
        from synth_explorer.edits import Brightness, EditChain, Gain, Oscillate, Toward, Transpose

        edits: list[Any] = []
        if self.transpose:
            edits.append(Transpose(semitones=float(self.transpose)))
        if self.toward != NO_SOURCE and self.amount:
            if self.toward not in means:
                raise EditError(f"There is no source {self.toward} to go toward; choose another one.")
            edits.append(Toward(mean=means[self.toward], amount=float(self.amount)))
        if self.brightness:
            edits.append(Brightness(octaves=float(self.brightness)))
        if self.gain_db:
            edits.append(Gain(db=float(self.gain_db)))
        if self.osc_target != NO_OSCILLATION and self.osc_depth:
            edits.append(
                Oscillate(
                    target=self.osc_target,
                    rate_hz=float(self.osc_rate_hz),
                    depth=float(self.osc_depth),
                    shape=self.osc_shape,
                )
            )
        if self.raw_channels:
            edits += self._raw()
        return EditChain(tuple(edits))

    def _raw(self) -> list[Any]:
        from synth_explorer.edits import Add, OscillateChannels, Scale

        edits: list[Any] = []
        if self.raw_scale != 1.0:
            edits.append(Scale(channels=self.raw_channels, factor=float(self.raw_scale)))
        if self.raw_add:
            edits.append(Add(channels=self.raw_channels, amount=float(self.raw_add)))
        if self.raw_depth:
            swing = {"rate_hz": float(self.raw_rate_hz), "depth": float(self.raw_depth)}
            edits.append(OscillateChannels(channels=self.raw_channels, **swing))
        return edits

    def with_preset(self, chain: EditChain) -> tuple[Settings, tuple[float, ...] | None]:
        """Turn the edit knobs to what a preset says; the morph stays where it is.

        Returns:
            The knobs, and the mean sound that the preset goes toward, if it does.

        Raises:
            EditError: the preset has an edit that the page has no knob for, or one kind twice.
        """
        rest = Settings()
        changes: dict[str, Any] = {
            name: getattr(rest, name)
            for name in self.names()
            if name not in ("count", "mix", "x", "y", "set_pitch", "pitch_midi")
        }
        mean, seen = None, set()
        for edit in chain:
            found, edit_mean = _knobs(edit)
            kind = type(edit).__name__
            if not found or kind in seen:
                what = "has more than one" if kind in seen else "has"
                raise EditError(f"The preset {what} {kind}, which the page has no knob for; apply it in the shell.")
            seen.add(kind)
            _check_reach(kind, found)
            if changes["raw_channels"] not in ((), found.get("raw_channels", changes["raw_channels"])):
                raise EditError("The preset's raw edits move different channels; apply it in the shell.")
            changes |= found
            mean = edit_mean or mean
        return replace(self, **changes), mean


def _knobs(edit: Any) -> tuple[dict[str, Any], tuple[float, ...] | None]:
    """Which knobs stand for an edit; none for an edit that the page does not know."""
    kind = type(edit).__name__
    if kind == "Oscillate" and edit.target in OSCILLATIONS and not edit.phase_turns and not edit.fade_in_s:
        names = {"target": "osc_target", "rate_hz": "osc_rate_hz", "depth": "osc_depth", "shape": "osc_shape"}
        return {knob: getattr(edit, name) for name, knob in names.items()}, None
    if kind == "Toward" and edit.keep_loudness:
        return {"toward": PRESET_SOUND, "amount": edit.amount}, tuple(edit.mean)
    if kind == "OscillateChannels" and edit.shape == "sine" and not edit.phase_turns:
        return {"raw_channels": edit.channels, "raw_rate_hz": edit.rate_hz, "raw_depth": edit.depth}, None
    if kind in ("Scale", "Add"):
        knob, value = ("raw_scale", edit.factor) if kind == "Scale" else ("raw_add", edit.amount)
        return {"raw_channels": edit.channels, knob: value}, None
    simple = {
        "Gain": ("gain_db", "db"),
        "Brightness": ("brightness", "octaves"),
        "Transpose": ("transpose", "semitones"),
    }
    if kind in simple:
        knob, name = simple[kind]
        return {knob: getattr(edit, name)}, None
    return {}, None


def _check_reach(kind: str, knobs: Mapping[str, Any]) -> None:
    """Refuse an edit that goes further than the page's knobs turn."""
    ranges = RANGES | ({"osc_depth": (0.0, OSCILLATIONS[knobs["osc_target"]][1])} if "osc_target" in knobs else {})
    for name, (low, high) in ranges.items():
        if name in knobs and not low <= knobs[name] <= high:
            raise EditError(
                f"The preset asks for {kind} with {knobs[name]:g}, and the page's knob goes from {low:g} to {high:g}; "
                "apply it in the shell."
            )


def channel_numbers(given: Any) -> tuple[int, ...]:
    """Channels that a browser sent, in order and each once; what is no channel is left out."""
    given = given if isinstance(given, list | tuple) else ()
    return tuple(sorted({value for value in given if type(value) is int and 0 <= value < CHANNELS_MOST}))


def _clamp(value: Any, low: float, high: float, *, otherwise: float) -> float:
    """`value` as a number from low to high; `otherwise` when it is no number."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        return otherwise
    return min(max(number, low), high) if math.isfinite(number) else otherwise
