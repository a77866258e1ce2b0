"""Knobs to edits and back: every edit of the page, and presets that it has to refuse."""

from __future__ import annotations

from dataclasses import replace

import pytest

from synth_explorer import edits
from synth_explorer.edits import EditChain, MeanSound
from synth_explorer.errors import EditError
from synth_explorer.ui.request import knobs
from synth_explorer.ui.request.chains import ORDER, edit_chain, turned
from synth_explorer.ui.request.settings import Settings
from tests.ui.knobs import sent

EVERYTHING = Settings(
    transpose=3.0,
    gain_db=-6.0,
    brightness=0.2,
    noisiness_db=4.0,
    spread=0.25,
    hollowness_db=6.0,
    toward="Preset",
    amount=0.3,
    osc_targets=("loudness", "brightness", "pitch"),
    osc_loudness_shape="square",
    osc_loudness_phase_turns=0.25,
    osc_brightness_rate_hz=0.7,
    osc_brightness_shape="walk",
    osc_pitch_depth=55.0,
    osc_pitch_fade_in_s=0.5,
    attack_s=0.05,
    stretch=1.5,
    reverse=True,
    freeze=True,
    freeze_at_s=0.25,
    freeze_hold_s=2.0,
    trim_start_s=0.1,
    trim_end_s=1.5,
    env_attack_s=0.1,
    env_decay_s=0.2,
    env_sustain_db=-6.0,
    env_release_s=0.3,
    curves=(("loudness", ((0.0, 0.0), (1.0, -12.0))), ("pitch", ((0.5, 100.0),))),
    direction_1=1.5,
    direction_3=-0.5,
    raw_channels=(3, 4),
    raw_scale=1.2,
    raw_add=0.1,
    raw_depth=0.2,
    raw_rate_hz=2.0,
)


def test_every_knob_makes_its_edit_and_a_preset_turns_it_back():
    mean = MeanSound(tuple(0.1 * channel for channel in range(16)), (0.5, -0.25), 60.5)
    chain = edit_chain(EVERYTHING, {"Preset": mean})
    kinds = [edit.kind for edit in chain]
    assert set(kinds) == set(ORDER) and sorted(kinds, key=ORDER.index) == kinds
    back, back_mean = turned(Settings(), EditChain.from_json(chain.to_json()))
    assert back == EVERYTHING and back_mean == mean


def test_what_a_browser_sends_is_what_the_knobs_say():
    assert Settings.from_mapping(sent(EVERYTHING)) == EVERYTHING


def test_a_preset_leaves_the_morph_and_its_curves_alone():
    morph = replace(Settings(), x=0.2, curves=(("across", ((0.0, 1.0),)), ("loudness", ((0.0, -3.0),))))
    changed, _ = turned(morph, EditChain((edits.Gain(-3.0),)))
    assert (changed.x, changed.gain_db, changed.curves) == (0.2, -3.0, (("across", ((0.0, 1.0),)),))


@pytest.mark.parametrize(
    ("chain", "words"),
    [
        ((edits.Stretch(2.0), edits.Trim(0.0, 1.0)), "stretch before trim"),
        ((edits.Oscillate("pitch", 5, 30), edits.Reverse()), "oscillate before reverse"),
        ((edits.Gain(-3), edits.Scale((0,), 2.0)), "gain before scale"),
        ((edits.Oscillate("pitch", 5, 30), edits.Oscillate("pitch", 7, 10)), "more than one Oscillate"),
        ((edits.Oscillate("pitch", 5, 30, "walk", seed=3),), "no knob"),
        ((edits.Stretch(2.0, keep_s=0.1),), "no knob"),
        ((edits.Stretch(9.0),), "0.25 to 4"),
        ((edits.Curve("loudness", ((0.0, -80.0),)),), "-48 to 12"),
        ((edits.Curve("loudness", tuple((0.1 * n, 0.0) for n in range(40))),), "no knob"),
    ],
)
def test_a_preset_that_the_page_would_change_is_refused(chain, words):
    with pytest.raises(EditError, match=words):
        turned(Settings(), EditChain(chain))


def test_edits_that_commute_may_stand_in_any_order():
    changed, _ = turned(Settings(), EditChain((edits.Gain(-3), edits.Reverse(), edits.Transpose(2))))
    assert (changed.gain_db, changed.reverse, changed.transpose) == (-3.0, True, 2.0)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (None, ()),
        ({"points": "loudness"}, ()),
        ({"points": {"loudness": [[1, 500], [0.5, "x"], [1e9, -2], "ab", [2], None]}}, ((1.0, 12.0), (60.0, -2.0))),
        ({"points": {"loudness": [[0.5, -1], [0.1, -2], [0.5, -3]]}}, ((0.1, -2.0), (0.5, -3.0))),
        ({"points": {"loudness": [[float("nan"), 0], [True, float("inf")]], "pan": [[0, 1]]}}, ()),
    ],
)
def test_curves_from_a_browser_are_brought_into_range(given, expected):
    assert dict(knobs.curves(given)).get("loudness", ()) == expected


def test_a_long_curve_is_cut():
    points = [[0.01 * n, 0.0] for n in range(500)]
    assert len(dict(knobs.curves({"points": {"pitch": points}}))["pitch"]) == knobs.POINTS_MOST
