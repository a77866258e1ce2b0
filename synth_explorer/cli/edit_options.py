"""What `edit` takes beside gain, brightness and pitch: edits of time, envelopes, curves, more oscillations; and the
closed loop behind it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any

import typer

from synth_explorer.cli import common

_ORDINAL = re.compile(r"\s*[0-9]{1,4}\s*")

if TYPE_CHECKING:
    import numpy as np

    from synth_explorer.closed_loop import Solution
    from synth_explorer.edits import Edit, EditChain, Points
    from synth_explorer.explorer import Explorer
    from synth_explorer.latents import Latents

Noisiness = Annotated[
    float | None, typer.Option("--noisiness-db", metavar="DB", help="More or less noise against the partials, in dB.")
]
Attack = Annotated[
    float | None, typer.Option("--attack-s", metavar="SECONDS", help="Let it begin in this time (10 to 90 %).")
]
Trim = Annotated[str | None, typer.Option("--trim-s", metavar="START:END", help="Keep this part: 0.5:2, 0.5: or :2.")]
Reverse = Annotated[bool, typer.Option("--reverse", help="From its end to its beginning.")]
Stretch = Annotated[
    float | None, typer.Option("--stretch", metavar="FACTOR", help="So many times as long, at the same pitch.")
]
Freeze = Annotated[
    str | None, typer.Option("--freeze-s", metavar="AT[:HOLD]", help="Hold this moment, to the end or for so long.")
]
Envelope = Annotated[
    str | None,
    typer.Option("--adsr", metavar="A,D,S,R", help="Attack, decay and release in s, sustain in dB: 0.1,0.2,-6,0.5."),
]
Curves = Annotated[
    list[str] | None,
    typer.Option(
        "--curve", metavar="TARGET:T=V,...", help="Drawn over time: loudness:0=0,1.5=-12 (dB, octaves, cents)."
    ),
]
Swings = Annotated[
    list[str] | None,
    typer.Option(
        "--swing",
        metavar="TARGET:RATE:DEPTH[:SHAPE[:PHASE[:FADE[:SEED]]]]",
        help="One more oscillation, as often as you like: pitch:5:30, brightness:0.7:0.3:walk:0:0:7.",
    ),
]
Directions = Annotated[
    list[str] | None,
    typer.Option(
        "--direction",
        metavar="N=AMOUNT[:UNIT]",
        help="Along principal direction N: 1=1.5 (steps), 2=0.3:brightness (octaves of what it moves).",
    ),
]
OpenLoop = Annotated[
    bool, typer.Option("--open-loop", help="Apply edits by their formulas, without listening to what comes out.")
]


def timed_steps(
    *,
    noisiness_db: float | None,
    attack_s: float | None,
    trim_s: str | None,
    reverse: bool,
    stretch: float | None,
    freeze_s: str | None,
    adsr: str | None,
    curves: list[str] | None,
) -> list[Edit]:
    """The edits that these options ask for, in their order: trim, reverse, stretch, freeze, attack, envelope,
    curves, noisiness. They stand before brightness, gain and oscillations, which are solved upon them."""
    from synth_explorer import edits

    steps: list[Edit] = []
    if trim_s is not None:
        start, _, end = trim_s.partition(":")
        steps.append(edits.Trim(*(_number(part or "0", "--trim-s") for part in (start, end))))
    if reverse:
        steps.append(edits.Reverse())
    if stretch is not None:
        steps.append(edits.Stretch(factor=stretch))
    if freeze_s is not None:
        at, _, hold = freeze_s.partition(":")
        steps.append(edits.Freeze(_number(at, "--freeze-s"), _number(hold or "0", "--freeze-s")))
    if attack_s is not None:
        steps.append(edits.Attack(seconds=attack_s))
    if adsr is not None:
        parts = adsr.split(",")
        if len(parts) != 4:
            raise common.wrong_usage(f"{adsr!r} must be four numbers: attack, decay, sustain in dB, release.", "--adsr")
        steps.append(edits.Envelope(*(_number(part, "--adsr") for part in parts)))
    steps += [_curve(text) for text in curves or ()]
    return steps if noisiness_db is None else [*steps, edits.Noisiness(db=noisiness_db)]


def direction_steps(directions: list[str] | None) -> list[Edit]:
    """The moves along principal directions of --direction."""
    from synth_explorer import edits

    steps: list[Edit] = []
    for text in directions or ():
        number, found, rest = text.partition("=")
        amount, _, unit = rest.partition(":")
        if not found or not _ORDINAL.fullmatch(number):
            raise common.wrong_usage(f"{text!r} must be N=AMOUNT, such as 1=1.5 or 2=0.3:brightness.", "--direction")
        steps.append(edits.Direction(int(number), _number(amount, "--direction"), unit.strip() or "steps"))
    return steps


def swing_steps(swings: list[str] | None) -> list[Edit]:
    """The oscillations of --swing; they stand last."""
    from synth_explorer import edits

    steps: list[Edit] = []
    for text in swings or ():
        target, *parts = text.split(":")
        if not 2 <= len(parts) <= 6:
            raise common.wrong_usage(f"{text!r} must be TARGET:RATE:DEPTH, such as pitch:5:30.", "--swing")
        numbers = [_number(part, "--swing") for part in parts[:2] + parts[3:]]
        shape = parts[2] if len(parts) > 2 else "sine"
        steps.append(edits.Oscillate(target, *numbers[:2], shape, *numbers[2:]))
    return steps


def solve(
    explorer: Explorer,
    latents: Latents,
    chain: EditChain,
    *,
    seed: int = 0,
    temperature: float = 1.0,
    engine: str = "auto",
    open_loop: bool = False,
) -> tuple[Latents, Solution | None]:
    """Edited latents, and how the closed loop solved them; None where it was not asked or this checkpoint cannot.

    What was not reached is said on stderr, one line each.
    """
    from synth_explorer.closed_loop import ClosedLoop

    loop = ClosedLoop(explorer)
    if open_loop or not loop.available:
        return explorer.edit(latents, chain), None
    solution = loop.solve(latents, chain, seed=seed, temperature=temperature, engine=engine)
    for outcome in solution.outcomes:
        if not outcome.reached:
            typer.echo("warning: " + outcome.sentence, err=True)
    return solution.latents, solution


def report(
    chain: EditChain, before: np.ndarray, after: np.ndarray, solution: Solution | None, **known: Any
) -> dict[str, Any]:
    """`measure.report`, with what became of each thing that was asked when the edits were solved."""
    from synth_explorer import measure
    from synth_explorer.closed_loop.loop import split

    if solution is None:
        return measure.report(chain, before, after, **known)
    first = next((edit for edit in chain if edit.kind == "oscillate"), None)  # the one that is reported
    solved = any(edit is first for edit in split(chain)[1])
    found = measure.report(chain, before, after, **known, swings_from=solution.reference.audio if solved else None)
    outcomes = [outcome.to_dict() for outcome in solution.outcomes]
    return found | {"reached": solution.reached, "outcomes": outcomes}


def _curve(text: str) -> Edit:
    from synth_explorer import edits

    target, _, points = text.partition(":")
    pairs: Points = tuple(_point(part, text) for part in points.split(","))
    return edits.Curve(target=target, points=pairs)


def _point(part: str, text: str) -> tuple[float, float]:
    time_s, found, value = part.partition("=")
    if not found:
        raise common.wrong_usage(f"{text!r} must be TARGET:TIME=VALUE,..., such as loudness:0=0,1.5=-12.", "--curve")
    return _number(time_s, "--curve"), _number(value, "--curve")


def _number(text: str, option: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise common.wrong_usage(f"{text!r} must be a number.", option) from None
