"""Where notes begin, hold and end."""

from __future__ import annotations

import numpy as np
import pytest

from synth_explorer.instruments import sustain
from tests.instruments.notes import RATE_HZ, held_note, plucked_note

RATE = {"sample_rate_hz": RATE_HZ}


@pytest.mark.parametrize("tremolo", [0.0, 0.4])
def test_the_held_part_lies_within_the_note(tremolo: float) -> None:
    first, last = sustain.sustain(held_note(seconds=2.0, tremolo=tremolo), **RATE)
    assert 0.05 < first / RATE_HZ < 0.2 and 1.8 < last / RATE_HZ <= 2.05


@pytest.mark.parametrize("fall_s", [0.5, 1.0, 4.0])
def test_what_decays_is_not_held(fall_s: float) -> None:
    assert sustain.sustain(plucked_note(fall_s=fall_s), **RATE) is None


def test_what_is_short_is_not_held() -> None:
    assert sustain.sustain(held_note(seconds=0.4), **RATE) is None


def test_what_swells_or_sinks_is_not_held() -> None:
    note = held_note(seconds=2.0)
    swell = note * (10 ** (np.linspace(-10, 0, note.size) / 20)).astype(np.float32)
    assert sustain.sustain(swell, **RATE) is None


@pytest.mark.parametrize("fall_s", [0.2, 0.5, 1.5])
def test_release_is_the_notes_own(fall_s: float) -> None:
    assert sustain.release_s(held_note(fall_s=fall_s), **RATE) == pytest.approx(fall_s, rel=0.15, abs=0.03)
    assert sustain.release_s(plucked_note(fall_s=fall_s), **RATE) == pytest.approx(fall_s, rel=0.15, abs=0.03)


def test_a_note_that_is_cut_off_has_no_release() -> None:
    assert sustain.release_s(held_note(seconds=2.0)[: 2 * RATE_HZ - 800], **RATE) is None


def test_damping_counts_more_than_the_decay_before_it() -> None:
    note = plucked_note(seconds=3.0, fall_s=9.0)
    after = np.maximum(np.arange(note.size) - 2 * RATE_HZ, 0) / RATE_HZ
    assert sustain.release_s(note * (10 ** (-3 * after / 0.3)).astype(np.float32), **RATE) < 0.4


def test_a_note_begins_shortly_before_it_is_heard() -> None:
    note = np.concatenate([np.zeros(1000, np.float32), held_note()])
    assert 1000 - 40 <= sustain.begin(note, **RATE) <= 1000
    assert sustain.begin(held_note(rise_s=1e-4), **RATE) == 0
    assert sustain.heard_until(np.concatenate([note, np.zeros(5000, np.float32)])) <= note.size
