"""What knobs show that are not plain numbers: the pad, the curves, choices and the words beside them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from synth_explorer.ui.answers.differences import moved_words
from synth_explorer.ui.colours import SLOT_COLOURS
from synth_explorer.ui.request.knobs import LETTERS, PRESET_SOUND
from synth_explorer.ui.request.settings import Settings
from synth_explorer.ui.session.slot_note import SlotNote


def pad_value(sources: Sequence[SlotNote | None], settings: Settings) -> dict[str, Any]:
    """Value of the Pad."""
    x, y = settings.point()
    names = [source.title if source else "" for source in sources]
    return {"x": x, "y": y, "count": settings.count, "names": names, "colours": list(SLOT_COLOURS)}


def curves_value(settings: Settings, targets: Sequence[str]) -> dict[str, Any]:
    """Value of the widget that draws curves.

    Args: settings: the knobs. targets: what can be drawn beside the morph, among loudness, brightness and pitch.
    """
    return settings.curves_value() | {"count": settings.count, "targets": list(targets)}


def toward_choices(count: int, *, preset: bool) -> list[str]:
    """What the timbre can go toward."""
    return ["Off", *LETTERS[:count], *([PRESET_SOUND] if preset else [])]


def target_choices(targets: list[str]) -> list[tuple[str, str]]:
    """What can oscillate as (label, target)."""
    return [(target.capitalize(), target) for target in targets]


def channel_choices(count: int) -> list[tuple[str, int]]:
    """Latent channels as (label, number)."""
    return [(str(channel), channel) for channel in range(count)]


def direction_words(name: str) -> tuple[str, str]:
    """The label of a principal direction, and what was measured of a step: "direction 2: noisiness -2.6 dB per step"
    is ("2: purer", "a step: noisiness −2.6 dB").
    """
    number, _, moves = name.removeprefix("direction ").partition(": ")
    measured = moves.removesuffix(" per step")
    found = moved_words(measured)
    if not found:
        return f"{number}: no one thing", measured
    return f"{number}: {', '.join(found)}", "a step: " + measured.replace(" -", " −")
