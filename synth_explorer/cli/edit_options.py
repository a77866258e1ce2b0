"""The options of `edit`, made from what the edits say of themselves; the edits that they ask for; and the closed loop
behind them."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING, fields
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from typer.core import TyperCommand

from synth_explorer.cli import common

if TYPE_CHECKING:
    from synth_explorer.edits import Edit, Points
    from synth_explorer.edits.facts import Option

Channels = tuple[int, ...] | None  # None: all of them
OnChannels = tuple["Edit", bool]  # an edit, and whether it is of all the channels that a note has

_ORDINAL = re.compile(r"\s*[0-9]{1,4}\s*")
_CHANNELS = re.compile(r"\d{1,4}(-\d{1,4})?(,\d{1,4}(-\d{1,4})?)*")
_APART = ("toward", "scale", "add", "oscillate", "oscillate_channels")
"""Edits that options make together, or for a note."""


def asking(function: Callable[..., None]) -> Callable[..., None]:
    """A command that takes the options of the edits as `**asked`; register it with `EditCommand`."""
    own = inspect.signature(function, eval_str=True)
    named = [item for item in own.parameters.values() if item.kind is not item.VAR_KEYWORD]
    function.__signature__ = own.replace(parameters=named)
    return function


class EditCommand(TyperCommand):
    """A command with an option for every edit. They are made when they are needed: no other command waits for numpy."""

    @cached_property
    def whole(self) -> Any:
        """The command with all of its options."""
        assert self.callback is not None
        function = inspect.unwrap(self.callback)
        own = inspect.signature(function)
        needed = [item for item in own.parameters.values() if item.default is item.empty]
        others = [item for item in own.parameters.values() if item.default is not item.empty]

        def command(**given: Any) -> None:
            function(**given)

        command.__signature__ = own.replace(parameters=[*needed, *_parameters(), *others])
        shell = typer.Typer(add_completion=False)
        shell.command(self.name)(command)
        return typer.main.get_command(shell)

    def _params(self) -> list[Any]:
        return self.whole.params

    def _keep_none(self, own: list[Any]) -> None:
        """Typer's, without the edits."""

    params: Any = property(_params, _keep_none)

    def invoke(self, ctx: Any) -> Any:
        return self.whole.invoke(ctx)


def _parameters() -> Iterator[inspect.Parameter]:
    """The options of the edits, in the order in which they are applied."""
    from synth_explorer.edits import SHAPES, TARGETS, Oscillate, OscillateChannels, Toward, in_order

    for edit in in_order():
        if edit is Toward:
            name, words, metavar, *_ = _own(edit)
            yield _parameter(name, words, metavar, of=Path)
        if edit is Oscillate:
            yield _parameter("osc", "What swings.", of=Literal[TARGETS])
            depths = [f"{fact.unit} of {name} (default {fact.usual:g})" for name, fact in edit.DEPTHS.items()]
            own = f"a channel's own units (default {OscillateChannels.numbers()['depth'].usual:g})"
            yield _parameter("osc_depth", "Peak deviation to either side: " + ", ".join([*depths, own]), of=float)
            yield _parameter("osc_shape", "Its form (default sine).", of=Literal[SHAPES])
        for fact in edit.numbers().values():
            if fact.option:
                parser = common.pitch_of if fact.unit == "MIDI" else None
                yield _parameter(fact.option.name, fact.help, fact.option.metavar, of=float, parser=parser)
        if edit.option and edit is not Toward:
            name, words, metavar, many, switch = edit.option
            yield _parameter(name, words, metavar, of=bool if switch else list[str] if many else str)


def _parameter(
    name: str, words: str, metavar: str | None = None, *, of: Any, parser: Callable[[str], float] | None = None
) -> inspect.Parameter:
    option = typer.Option(_option(name), metavar=metavar, parser=parser, help=words)
    default, kind = (False, bool) if of is bool else (None, of | None)
    found = Annotated[kind, option]
    return inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD, default=default, annotation=found)


def check(asked: Mapping[str, Any]) -> None:
    """Refuse options that mean nothing together."""
    if asked["osc"] is None and asked["osc_channels"] is None:
        for name in ("osc_rate_hz", "osc_depth", "osc_shape"):
            if asked[name] is not None:
                message = "say what swings: --osc loudness, brightness or pitch, or --osc-channels."
                raise common.wrong_usage(message, _option(name))
    if asked["osc"] is not None and asked["osc_channels"] is not None:
        raise common.wrong_usage("give --osc or --osc-channels, not both.", "--osc-channels")
    if asked["toward"] is None and asked["amount"] is not None:
        raise common.wrong_usage("say toward which note: --toward NOTE.", "--amount")
    if asked["transpose"] is not None and asked["set_pitch"] is not None:
        raise common.wrong_usage("give --transpose or --set-pitch, not both.", "--set-pitch")


def plain_steps(asked: Mapping[str, Any]) -> list[Edit]:
    """The edits that each an option of its own asks for, in their order."""
    from synth_explorer.edits import in_order

    steps: list[Edit] = []
    for edit in (edit for edit in in_order() if edit.kind not in _APART):
        for name, fact in edit.numbers().items():
            if fact.option and asked.get(fact.option.name) is not None:
                steps.append(edit.of(**{name: asked[fact.option.name]}))
        option = edit.option
        given = asked.get(option.name) if option else None
        if option and option.switch:
            steps += [edit.of()] if given else []
        elif option and given is not None:
            read = _READERS.get(edit.kind, _numbers)
            steps += [read(edit, text) for text in (given if option.many else [given])]
    return steps


def raw_steps(asked: Mapping[str, Any]) -> list[OnChannels]:
    """The edits of channels that --scale and --add ask for."""
    from synth_explorer.edits import Add, Scale

    return [_assignment(edit, text) for edit in (Scale, Add) for text in asked.get(_own(edit).name) or ()]


def swing_steps(asked: Mapping[str, Any]) -> list[OnChannels]:
    """The oscillations; they stand last."""
    from synth_explorer.edits import Oscillate, OscillateChannels

    steps: list[OnChannels] = []
    target, channels, rate_hz, depth = (asked.get(f"osc{name}") for name in ("", "_channels", "_rate_hz", "_depth"))
    if target is not None or channels is not None:
        deep = Oscillate.DEPTHS[target] if target else OscillateChannels.numbers()["depth"]
        wave = {
            "rate_hz": Oscillate.numbers()["rate_hz"].given(rate_hz),
            "depth": deep.given(depth),
            "shape": asked.get("osc_shape") or "sine",
        }
        if target is not None:
            steps.append((Oscillate(target, **wave), False))
        elif channels is not None:
            steps.append(_on(OscillateChannels, _channels(channels, "--osc-channels"), **wave))
    return steps + [(_swing(Oscillate, text), False) for text in asked.get("swing") or ()]


def _numbers(edit: type[Edit], text: str) -> Edit:
    """`0.5:2` -> an edit of these numbers, in the order of its fields; one that has a default may be left out."""
    option, parts = _option(_own(edit).name), text.split(":")
    if len(parts) > len(fields(edit)):
        raise common.wrong_usage(f"{text!r} must be {_own(edit).metavar}.", option)
    given = {
        item.name: _number(part, option)
        for item, part in zip(fields(edit), parts, strict=False)
        if part or item.default is MISSING
    }
    return edit.of(**given)


def _envelope(edit: type[Edit], text: str) -> Edit:
    parts = text.split(",")
    if len(parts) != 4:
        raise common.wrong_usage(f"{text!r} must be four numbers: attack, decay, sustain in dB, release.", "--adsr")
    return edit.of(*(_number(part, "--adsr") for part in parts))


def _direction(edit: type[Edit], text: str) -> Edit:
    number, found, rest = text.partition("=")
    amount, _, unit = rest.partition(":")
    if not found or not _ORDINAL.fullmatch(number):
        raise common.wrong_usage(f"{text!r} must be N=AMOUNT, such as 1=1.5 or 2=0.3:brightness.", "--direction")
    return edit.of(int(number), _number(amount, "--direction"), unit.strip() or "steps")


def _curve(edit: type[Edit], text: str) -> Edit:
    target, _, points = text.partition(":")
    pairs: Points = tuple(_point(part, text) for part in points.split(","))
    return edit.of(target=target, points=pairs)


def _point(part: str, text: str) -> tuple[float, float]:
    time_s, found, value = part.partition("=")
    if not found:
        raise common.wrong_usage(f"{text!r} must be TARGET:TIME=VALUE,..., such as loudness:0=0,1.5=-12.", "--curve")
    return _number(time_s, "--curve"), _number(value, "--curve")


_READERS = {"envelope": _envelope, "direction": _direction, "curve": _curve}
"""How words become an edit, where they are more than numbers between colons."""


def _swing(edit: type[Edit], text: str) -> Edit:
    target, *parts = text.split(":")
    if not 2 <= len(parts) <= 6:
        raise common.wrong_usage(f"{text!r} must be TARGET:RATE:DEPTH, such as pitch:5:30.", "--swing")
    values = [part if at == 2 else _number(part, "--swing") for at, part in enumerate(parts)]
    return edit.of(target, *values)


def _on(edit: type[Edit], channels: Channels, **given: Any) -> OnChannels:
    return edit.of(channels=channels or (0,), **given), channels is None


def _assignment(edit: type[Edit], text: str) -> OnChannels:
    """`CHANNELS=NUMBER` -> the edit of these channels by this number."""
    channels, _, value = text.partition("=")
    option, (name, *_) = _option(_own(edit).name), edit.numbers()
    try:
        number = float(value)
    except ValueError:
        raise common.wrong_usage(f"{text!r} must be CHANNELS=NUMBER, such as 0,3-5=1.5 or all=0.8.", option) from None
    return _on(edit, _channels(channels, option), **{name: number})


def _channels(text: str, option: str) -> Channels:
    """`3`, `0,2-5` or `all` -> channels."""
    if text == "all":
        return None
    if not _CHANNELS.fullmatch(text):
        raise common.wrong_usage(f"{text!r} must name channels, such as 3, or 0,2-5, or all.", option)
    ends = [[int(end) for end in part.split("-")] for part in text.split(",")]
    channels = tuple(channel for first, *last in ends for channel in range(first, (last or [first])[0] + 1))
    if not channels:
        raise common.wrong_usage(f"{text!r} names no channel; write the lower one first.", option)
    return channels


def _own(edit: type[Edit]) -> Option:
    """The option of an edit that has one of its own."""
    assert edit.option is not None
    return edit.option


def _option(name: str) -> str:
    return "--" + name.replace("_", "-")


def _number(text: str, option: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise common.wrong_usage(f"{text!r} must be a number.", option) from None
