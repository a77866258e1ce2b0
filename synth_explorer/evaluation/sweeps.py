"""The sweeps of `evaluate controls`: what each control is asked for, and the edits that ask for it.

Shapes: C channels.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from synth_explorer.edits import (
    Add,
    Attack,
    Brightness,
    EditChain,
    Gain,
    MeanSound,
    Noisiness,
    Oscillate,
    OscillateChannels,
    Scale,
    Toward,
    Transpose,
)
from synth_explorer.latents import Latents

Setting = tuple[float, float]  # what is asked, and the rate in Hz for an oscillation (else 0)

PLAIN_ATTACK_S = 0.1
RATES_HZ = (1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0, 12.0)


@dataclass(frozen=True)
class Sweep:
    """A control's settings and how they are asked for.

    Attributes:
        unit: of what is asked.
        settings: what is asked, in turn.
        tolerance: of the error, None where only the order counts; a proportion of what is asked with `relative`.
        least: with `relative`, an error of so much, in the unit, is within the tolerance too.
        steady: what should stay, as rows name it, with the most that it may move.
        oscillates: the target of an oscillation, or "".
    """

    unit: str
    settings: tuple[Setting, ...]
    tolerance: float | None
    steady: dict[str, float]
    relative: bool = False
    least: float = 0.0
    oscillates: str = ""


def _plain(*values: float) -> tuple[Setting, ...]:
    return tuple((value, 0.0) for value in values)


def _swings(*depths: float) -> tuple[Setting, ...]:
    return tuple(zip(depths, RATES_HZ, strict=True))


SWEEPS: dict[str, Sweep] = {
    "gain": Sweep(
        "dB",
        _plain(-18, -15, -12, -9, -6, -3, 3, 6, 9),
        0.5,
        {"pitch_cents": 5.0, "brightness_octaves": 0.1},
    ),
    "brightness": Sweep(
        "octaves",
        _plain(-1, -0.75, -0.5, -0.25, 0, 0.25, 0.5, 0.75, 1),
        0.1,
        {"pitch_cents": 5.0, "loudness_db": 1.0},
    ),
    "noisiness": Sweep(
        "dB",
        _plain(-18, -12, -9, -6, -3, 3, 6, 9, 12),
        1.0,
        {"pitch_cents": 5.0, "loudness_db": 1.0, "brightness_octaves": 0.1},
    ),
    "attack": Sweep(
        "s",
        _plain(0.03, 0.05, 0.08, 0.12, 0.2, 0.3, 0.45, 0.7, 1.0),
        0.1,
        {"pitch_cents": 5.0},
        relative=True,
        least=0.005,
    ),
    "transpose": Sweep("cents", _plain(*(100.0 * n for n in (-12, -9, -7, -5, -2, 2, 5, 7, 9, 12))), 5.0, {}),
    "toward": Sweep("proportion", _plain(*np.linspace(0, 1, 9)), None, {"pitch_cents": 5.0, "loudness_db": 1.0}),
    "osc_loudness": Sweep(
        "dB",
        _swings(6, 2, 9, 3, 1, 5, 8, 4, 7),
        0.15,
        {"brightness_swing_octaves": 0.1, "pitch_swing_cents": 5.0},
        relative=True,
        oscillates="loudness",
    ),
    "osc_brightness": Sweep(
        "octaves",
        _swings(0.5, 0.2, 0.4, 0.3, 0.1, 0.45, 0.25, 0.35, 0.15),
        0.15,
        {"loudness_swing_db": 0.6, "pitch_swing_cents": 5.0},
        relative=True,
        oscillates="brightness",
    ),
    "osc_pitch": Sweep(
        "cents",
        _swings(50, 20, 100, 30, 10, 40, 60, 25, 80),
        0.15,
        {"loudness_swing_db": 0.6, "brightness_swing_octaves": 0.1},
        relative=True,
        oscillates="pitch",
    ),
}
SWING_NAMES = {
    "loudness": "loudness_swing_db",
    "brightness": "brightness_swing_octaves",
    "pitch": "pitch_swing_cents",
}


def named(goal: MeanSound, *, control: str, asked: float, rate_hz: float) -> EditChain:
    """The edit that has the control's name; `goal` is the mean sound that `toward` moves to."""
    if control == "gain":
        return EditChain((Gain(asked),))
    if control == "brightness":
        return EditChain((Brightness(asked),))
    if control == "noisiness":
        return EditChain((Noisiness(asked),))
    if control == "attack":
        return EditChain((Attack(asked),))
    if control == "transpose":
        return EditChain((Transpose(asked / 100.0),))
    if control == "toward":
        return EditChain((Toward(amount=asked, **goal._asdict()),))
    return EditChain((Oscillate(SWEEPS[control].oscillates, rate_hz, asked),))


def raw(latents: Latents, goal: Latents, *, control: str, asked: float, rate_hz: float) -> EditChain:
    """What NSynth's demos would do to all channels: scale by the gain, shift by octaves, oscillate, mix the means.

    They have no units: an octave of brightness or pitch, 20 dB of noise and a doubling of the attack from 0.1 s on are
    taken for a shift by 1, and the depth of an oscillation for as many units as it has of the named control's (20 dB,
    octaves).
    """
    every = tuple(range(latents.channels))
    if control == "gain":
        return EditChain((Scale(every, 10.0 ** (asked / 20.0)),))
    if control == "brightness":
        return EditChain((Add(every, asked),))
    if control == "noisiness":
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
