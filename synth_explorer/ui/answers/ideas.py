"""Sounds that nobody asked for yet: small variations around a sound, and surprises that stay near real notes."""

from __future__ import annotations

import base64
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from synth_explorer import plots
from synth_explorer.errors import SynthExplorerError
from synth_explorer.ui.answers.abilities import Abilities
from synth_explorer.ui.colours import SLOT_COLOURS
from synth_explorer.ui.request.knobs import LETTERS, MIX_RANGE, NUMBERS, RANGES
from synth_explorer.ui.request.settings import Settings
from synth_explorer.ui.request.sound_request import SoundRequest
from synth_explorer.ui.session.studio import Studio
from synth_explorer.ui.session.studios import Studios

PLACES = tuple((across, up) for up in (1, 0, -1) for across in (-1, 0, 1))
"""Where the nine variations lie around the sound, the top row first."""

STEP = 0.12  # over the pad, from one to the next
BANDS = 48  # of a tile's picture
NEAR_OCTAVE = 7.0  # semitones between the notes of a surprise, at most
CORNER = 0.35  # shape of the beta distribution of its place: most lie near a note or between two


@dataclass(frozen=True)
class Nudge:
    """A small turn of a knob: how far at most, and what it is called either way."""

    knob: str
    most: float
    up: str
    down: str
    needs: str  # what a checkpoint must have, by the name of `Abilities`; "" for nothing


NUDGES = (
    Nudge("brightness", 0.3, "brighter", "darker", "has_brightness"),
    Nudge("noisiness_db", 5.0, "breathier", "purer", "has_noise"),
    Nudge("direction_1", 0.8, "direction 1 up", "direction 1 down", "directions"),
    Nudge("direction_2", 0.8, "direction 2 up", "direction 2 down", "directions"),
)


def nearby(studios: Studios, asked: SoundRequest, *, seed: int) -> list[dict[str, Any]]:
    """Nine small variations: {"request", "words": [...], "picture", "colour"}, in the order of `PLACES`.

    Each lies a step over the pad in its own direction, and its timbre is nudged a little; the one in the middle stays
    where the sound is. `seed`: of the nudges. What cannot be rendered is left out. Raises SynthExplorerError: the
    checkpoint is not here, or is slow.
    """
    studio = _quick(studios, asked)
    rng, able = np.random.default_rng(seed), Abilities.of(studio.explorer)
    nudges = [nudge for nudge in NUDGES if _obeys(able, nudge)]
    found = []
    for index, (across, up) in enumerate(PLACES):
        nudge = nudges[index % len(nudges)] if nudges else None
        sign = 1.0 if (index // max(1, len(nudges)) + int(rng.integers(2))) % 2 else -1.0
        settings = _moved(asked.settings, across, up)
        words = _direction(studio, asked, across, up)
        if nudge is not None:
            settings = _nudged(settings, nudge, sign * float(rng.uniform(0.5, 1.0)))
            words = [nudge.up if sign > 0 else nudge.down, *words]
        tile = _tile(studio, replace(asked, settings=settings), words)
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
    return int(nudge.knob.rsplit("_", 1)[1]) <= len(there) if nudge.needs == "directions" else bool(there)


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


def _direction(studio: Studio, asked: SoundRequest, across: int, up: int) -> list[str]:
    """Toward which note a step goes, where it goes straight to one; nothing in the middle."""
    count = asked.settings.count
    if count == 2:
        corner = (0 if across < 0 else 1) if across else None
    elif across and up:
        corner = (0 if up < 0 else 2) + (across > 0)
    else:
        corner = None
    if corner is None or corner >= count:
        return []
    note = studio.find(asked.tokens[corner])
    return [f"toward {note.title}"] if note is not None else []


def _tile(studio: Studio, asked: SoundRequest, words: list[str]) -> dict[str, Any] | None:
    try:
        render = studio.rendered(studio.asked(asked))
    except SynthExplorerError:  # a variation that cannot be is none
        return None
    colour = plots.mix_colour(list(SLOT_COLOURS[: len(render.weights)]), list(render.weights))
    picture = _picture(render.audio, sample_rate_hz=render.sample_rate_hz, colour=colour)
    return {"request": asked.to_json(), "words": words, "picture": picture, "colour": colour}


def _picture(audio: np.ndarray, *, sample_rate_hz: int, colour: str) -> str:
    png = plots.spectrogram_png(audio, sample_rate_hz=sample_rate_hz, colour=colour, bands=BANDS, compress_level=6)
    return "data:image/png;base64," + base64.b64encode(png).decode()
