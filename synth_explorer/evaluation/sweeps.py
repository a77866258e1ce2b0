"""The sweeps of `evaluate controls`: what each control is asked for, and the edits that ask for it.

Shapes: C channels.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from synth_explorer.edits import (
    HELD,
    KINDS,
    Add,
    Attack,
    Brightness,
    Edit,
    EditChain,
    Figure,
    Gain,
    Hollowness,
    MeanSound,
    Noisiness,
    Oscillate,
    OscillateChannels,
    Scale,
    Spread,
    Toward,
    Transpose,
)
from synth_explorer.latents import Latents

Setting = tuple[float, float]  # what is asked, and the rate in Hz for an oscillation (else 0)

PLAIN_ATTACK_S = 0.1
RATES_HZ = (1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0, 12.0)


@dataclass(frozen=True)
class Sweep:
    """A control's settings and how they are asked for."""

    figure: Figure  # what is heard of it; only the order counts where it is `untold`
    settings: tuple[Setting, ...]  # what is asked, in turn
    still: tuple[Figure, ...]  # what should stay, as rows name it, with the most that it may move
    oscillates: str = ""  # the target of an oscillation, or ""
    untold: bool = False

    @property
    def steady(self) -> dict[str, float]:
        """What should stay, as rows name it, with the most that it may move."""
        return {figure.key: figure.tolerance for figure in self.still}


def _plain(edit: type[Edit], *values: float, still: tuple[str, ...]) -> Sweep:
    """Of an edit's figure; `still` are those of `HELD` that should stay."""
    settings = tuple((value, 0.0) for value in values)
    return Sweep(edit.figure, settings, tuple(HELD[target] for target in still), untold=edit.untold is not None)


def _swings(target: str, *depths: float) -> Sweep:
    """Of an oscillation; the other two should not swing."""
    still = tuple(figure for other, figure in Oscillate.SWINGS.items() if other != target)
    return Sweep(Oscillate.figure, tuple(zip(depths, RATES_HZ, strict=True)), still, oscillates=target)


SWEEPS: dict[str, Sweep] = {
    "gain": _plain(Gain, -18, -15, -12, -9, -6, -3, 3, 6, 9, still=("pitch", "brightness")),
    "brightness": _plain(Brightness, -1, -0.75, -0.5, -0.25, 0, 0.25, 0.5, 0.75, 1, still=("pitch", "loudness")),
    "noisiness": _plain(Noisiness, -18, -12, -9, -6, -3, 3, 6, 9, 12, still=("pitch", "loudness", "brightness")),
    "spread": _plain(
        Spread, -0.5, -0.3, -0.2, -0.1, 0.1, 0.2, 0.3, 0.4, 0.5, still=("pitch", "loudness", "brightness")
    ),
    "hollowness": _plain(Hollowness, -9, -6, -4, -2, 2, 4, 6, 9, 12, still=("pitch", "loudness", "brightness")),
    "attack": _plain(Attack, 0.03, 0.05, 0.08, 0.12, 0.2, 0.3, 0.45, 0.7, 1.0, still=("pitch",)),
    "transpose": _plain(Transpose, *(100.0 * n for n in (-12, -9, -7, -5, -2, 2, 5, 7, 9, 12)), still=()),
    "toward": _plain(Toward, *np.linspace(0, 1, 9), still=("pitch", "loudness")),
    "osc_loudness": _swings("loudness", 6, 2, 9, 3, 1, 5, 8, 4, 7),
    "osc_brightness": _swings("brightness", 0.5, 0.2, 0.4, 0.3, 0.1, 0.45, 0.25, 0.35, 0.15),
    "osc_pitch": _swings("pitch", 50, 20, 100, 30, 10, 40, 60, 25, 80),
}
"""What is asked of each control; units and tolerances are those of its edit."""


def named(goal: MeanSound, *, control: str, asked: float, rate_hz: float) -> EditChain:
    """The edit that has the control's name; `goal` is the mean sound that `toward` moves to."""
    if control == "transpose":
        return EditChain((Transpose(asked / 100.0),))
    if control == "toward":
        return EditChain((Toward(amount=asked, **goal._asdict()),))
    target = SWEEPS[control].oscillates
    return EditChain((Oscillate(target, rate_hz, asked) if target else KINDS[control].of(asked),))


def raw(latents: Latents, goal: Latents, *, control: str, asked: float, rate_hz: float) -> EditChain:
    """What NSynth's demos would do to all channels: scale by the gain, shift by octaves, oscillate, mix the means.

    They have no units: an octave of brightness, spread or pitch, 20 dB of noise or hollowness and a doubling of the
    attack from 0.1 s on are taken for a shift by 1, and the depth of an oscillation for as many units as it has of the
    named control's (20 dB, octaves).
    """
    every = tuple(range(latents.channels))
    if control == "gain":
        return EditChain((Scale(every, 10.0 ** (asked / 20.0)),))
    if control in ("brightness", "spread"):
        return EditChain((Add(every, asked),))
    if control in ("noisiness", "hollowness"):
        return EditChain((Add(every, asked / 20.0),))
    if control == "attack":
        return EditChain((Add(every, float(np.log2(asked / PLAIN_ATTACK_S))),))
    if control == "transpose":
        return EditChain((Add(every, asked / 1200.0),))
    if control == "toward":
        step = asked * (goal.z.mean(axis=0, dtype=np.float64) - latents.z.mean(axis=0, dtype=np.float64))
        return EditChain(tuple(Add((channel,), float(amount)) for channel, amount in enumerate(step)))
    unit = {"loudness": 20.0, "brightness": 1.0, "pitch": 1200.0}[SWEEPS[control].oscillates]
    return EditChain((OscillateChannels(every, rate_hz, asked / unit),))
