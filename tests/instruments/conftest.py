"""Patches of held and of plucked notes over a model that is none."""

from __future__ import annotations

import pytest

from synth_explorer import audio
from synth_explorer.instruments import Instrument, Plan, make
from synth_explorer.rendering import Patch, Renderer, Source
from tests.fake_family import LongFamily, fake_explorer
from tests.instruments.notes import RATE_HZ, held_note, plucked_note


@pytest.fixture(scope="session")
def renderer() -> Renderer:
    return Renderer(fake_explorer(LongFamily))


@pytest.fixture(scope="session")
def sources(tmp_path_factory: pytest.TempPathFactory) -> list[Source]:
    """A held note, another one, and one that decays."""
    folder = tmp_path_factory.mktemp("notes")
    notes = {
        "held": held_note(261.6, tremolo=0.1),
        "other": held_note(261.6, noise=0.3, harmonics=3),
        "plucked": plucked_note(261.6),
    }
    for name, note in notes.items():
        audio.save(folder / f"{name}.wav", note, sample_rate_hz=RATE_HZ)
    return [Source.of(folder / f"{name}.wav", pitch_midi=60.0) for name in notes]


@pytest.fixture(scope="session")
def held(renderer: Renderer, sources: list[Source]) -> Patch:
    return renderer.patch(sources[0], fit_steps=0)


@pytest.fixture(scope="session")
def pair(renderer: Renderer, sources: list[Source]) -> Patch:
    return renderer.patch(*sources[:2], fit_steps=0)


@pytest.fixture(scope="session")
def plucked(renderer: Renderer, sources: list[Source]) -> Patch:
    return renderer.patch(sources[2], fit_steps=0)


@pytest.fixture(scope="session")
def single(renderer: Renderer, held: Patch) -> Instrument:
    """Three keys in three layers."""
    return make(renderer, held, Plan(49, 66, 8, 3), name="single")


@pytest.fixture(scope="session")
def morphing(renderer: Renderer, pair: Patch) -> Instrument:
    """Two keys, two sounds that take turns, three steps of a morph."""
    return make(renderer, pair, Plan(57, 64, 4, 1, 2, 3), name="morphing")
