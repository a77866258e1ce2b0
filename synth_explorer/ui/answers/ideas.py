"""Sounds that nobody asked for yet: small variations around a sound, and surprises that stay near real notes."""

from __future__ import annotations

import base64
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from synth_explorer import plots
from synth_explorer.errors import SynthExplorerError
from synth_explorer.ui.answers.abilities import Abilities
from synth_explorer.ui.answers.differences import HEARD, heard_words, mix_words, moved_words
from synth_explorer.ui.colours import SLOT_COLOURS
from synth_explorer.ui.request.knobs import LETTERS, MIX_RANGE, NUMBERS, RANGES
from synth_explorer.ui.request.settings import Settings
from synth_explorer.ui.request.sound_request import SoundRequest
from synth_explorer.ui.session.studio import Studio
from synth_explorer.ui.session.studios import Studios

if TYPE_CHECKING:
    from synth_explorer.rendering import Rendered

PLACES = tuple((across, up) for up in (1, 0, -1) for across in (-1, 0, 1))
"""Where the nine variations lie around the sound, the top row first."""

STEP = 0.12  # over the pad, from one to the next
BANDS = 48  # of a tile's picture
NEAR_OCTAVE = 7.0  # semitones between the notes of a surprise, at most
CORNER = 0.35  # shape of the beta distribution of its place: most lie near a note or between two


@dataclass(frozen=True)
class Nudge:
    """A small turn of a knob: how far at most, and what a checkpoint must have, by the name of `Abilities`."""

    knob: str
    most: float
    needs: str


NUDGES = (
    Nudge("brightness", 0.3, "has_brightness"),
    Nudge("noisiness_db", 5.0, "has_noise"),
    Nudge("direction_1", 0.8, "directions"),
    Nudge("direction_2", 0.8, "directions"),
)


def nearby(studios: Studios, asked: SoundRequest, *, seed: int) -> list[dict[str, Any]]:
    """Nine small variations: {"request", "words": [...], "picture", "colour"}, in the order of `PLACES`.

    Each lies a step over the pad in its own direction, and its timbre is nudged a little; the one in the middle stays
    where the sound is. Its words say how it is heard beside the sound, and of which notes it has more. What cannot be
    rendered is left out. `seed`: of the nudges. Raises SynthExplorerError: the sound itself cannot be, or the
    checkpoint is not here, or is slow.
    """
    studio = _quick(studios, asked)
    rng, able = np.random.default_rng(seed), Abilities.of(studio.explorer)
    nudges = [nudge for nudge in NUDGES if _obeys(able, nudge)]
    here, found = studio.rendered(studio.asked(asked)), []
    for index, (across, up) in enumerate(PLACES):
        settings = _moved(asked.settings, across, up)
        moved: list[str] = []
        if nudges:
            nudge = nudges[index % len(nudges)]
            sign = 1.0 if (index // len(nudges) + int(rng.integers(2))) % 2 else -1.0
            share = sign * float(rng.uniform(0.5, 1.0))
            settings, moved = _nudged(settings, nudge, share), _moved_words(able, nudge, share)
        tile = _tile(studio, replace(asked, settings=settings), here, moved)
        found += [] if tile is None else [tile]
    return found


def surprise(studios: Studios, asked: SoundRequest, *, seed: int) -> SoundRequest:
    """Other bundled notes of about one pitch, mixed near one or two of them, with one small edit.

    Raises SynthExplorerError: the checkpoint is not here.
    """
    studio = studios.studio(asked.checkpoint)
    rng, able = np.random.default_rng(seed), Abilities.of(studio.explorer)
    notes = list(studio.notes.values())
    first = notes[int(rng.integers(len(notes)))]
    others = [note for note in notes if note is not first]
    others.sort(
        key=lambda note: (abs(note.pitch - first.pitch) > NEAR_OCTAVE, note.family == first.family, rng.random())
    )
    chosen = [first.name, *(note.name for note in others)][: asked.settings.count]
    tokens = (*chosen, *asked.tokens[len(chosen) :])
    x, y = (round(float(place), 2) for place in rng.beta(CORNER, CORNER, size=2))
    settings = replace(Settings(count=asked.settings.count), x=x, y=y, mix=x)
    nudges = [nudge for nudge in NUDGES if _obeys(able, nudge)]
    if nudges:
        settings = _nudged(settings, nudges[int(rng.integers(len(nudges)))], float(rng.uniform(-1.0, 1.0)))
    return replace(asked, tokens=tokens[: len(LETTERS)], settings=settings, preset_mean=None, fit_steps=None)


def _quick(studios: Studios, asked: SoundRequest) -> Studio:
    studio = studios.studio(asked.checkpoint)
    if studio.is_slow:
        raise SynthExplorerError(f"{asked.checkpoint} takes too long for nine sounds at once; turn its knobs instead.")
    return studio


def _obeys(able: Abilities, nudge: Nudge) -> bool:
    there = getattr(able, nudge.needs)
    return _number(nudge) <= len(there) if nudge.needs == "directions" else bool(there)


def _number(nudge: Nudge) -> int:
    """Of the direction that it goes along."""
    return int(nudge.knob.rsplit("_", 1)[1])


def _moved(settings: Settings, across: int, up: int) -> Settings:
    x, y = settings.point()
    if settings.count == 2:
        return replace(settings, mix=_within(x + STEP * across + STEP / 4 * up * abs(across), *MIX_RANGE))
    return replace(settings, x=_within(x + STEP * across, 0.0, 1.0), y=_within(y + STEP * up, 0.0, 1.0))


def _nudged(settings: Settings, nudge: Nudge, share: float) -> Settings:
    step = NUMBERS[nudge.knob].slider.step
    value = step * round((getattr(settings, nudge.knob) + share * nudge.most) / step)
    return replace(settings, **{nudge.knob: _within(value, *RANGES[nudge.knob])})


def _within(value: float, low: float, high: float) -> float:
    return round(min(max(value, low), high), 2)


def _tile(studio: Studio, asked: SoundRequest, here: Rendered, moved: list[str]) -> dict[str, Any] | None:
    try:
        render = studio.rendered(studio.asked(asked))
    except SynthExplorerError:  # a variation that cannot be is none
        return None
    colour = plots.mix_colour(list(SLOT_COLOURS[: len(render.weights)]), list(render.weights))
    picture = _picture(render.audio, sample_rate_hz=render.sample_rate_hz, colour=colour)
    timbre = ", ".join([*heard_words(render, here), *moved]) or "nearly the same"
    words = [timbre, " · ".join(mix_words(render, here))]
    return {"request": asked.to_json(), "words": words, "picture": picture, "colour": colour}


def _moved_words(able: Abilities, nudge: Nudge, share: float) -> list[str]:
    """What a nudge along a direction makes of a sound beside what is measured of it."""
    if nudge.needs != "directions":
        return []
    return moved_words(able.directions[_number(nudge) - 1], up=share > 0.0, but=HEARD)[:1]


def _picture(audio: np.ndarray, *, sample_rate_hz: int, colour: str) -> str:
    png = plots.spectrogram_png(audio, sample_rate_hz=sample_rate_hz, colour=colour, bands=BANDS, compress_level=6)
    return "data:image/png;base64," + base64.b64encode(png).decode()
