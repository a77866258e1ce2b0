"""An instrument of the bundled model, as it is heard in sfizz."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from synth_explorer import measure
from synth_explorer.explorer import Explorer
from synth_explorer.instruments import Plan, loops, make, write
from synth_explorer.rendering import Patch, Renderer
from tests.instruments.notes import RATE_HZ
from tests.instruments.test_players import FRAME, IN_TUNE_CENTS, Player

pytestmark = pytest.mark.long


def test_cello_to_flute(explorer: Explorer, tmp_path: Path) -> None:
    """Every key and layer in tune, every loop of either note clean, every velocity louder than the one before."""
    plan = Plan(36, 84, 6, 3, 1, 3)
    made = make(Renderer(explorer), Patch.of("Cello", "Flute", checkpoint="default-16k"), plan, name="celute")
    player = Player(write(made, tmp_path / "celute", formats=("sfz",))[0])
    assert made.notes == [] and all(one.loop is not None and one.loop.is_clean for one in made.samples)
    for key in range(36, 85):
        key_hz = 440.0 * 2 ** ((key - 69) / 12)
        for layer in plan.layers:
            sound = player.note(key, layer.high, held_s=2.5, total_s=2.5, wheel=(key * 16) % 128)
            heard_hz = measure.pitch_hz(sound, sample_rate_hz=RATE_HZ, around_hz=key_hz)
            assert abs(1200 * np.log2(heard_hz / key_hz)) < IN_TUNE_CENTS, (key, layer)
    level_db = [measure.rms_db(player.note(60, v, held_s=0.5, total_s=0.5, wheel=0)) for v in range(1, 128)]
    assert np.all(np.diff(level_db) > 0)
    for sample in (one for one in made.samples if one.slot.step != 1 and one.slot.layer.high == 127):
        loop, wheel = sample.loop, 127 * (sample.slot.step == 2)
        sound = player.note(sample.slot.root, 127, held_s=8.0, total_s=8.0, wheel=wheel)
        seam = loop.end - loop.fade
        before = loops.own(sound, (loop.start, seam), sample_rate_hz=RATE_HZ)
        for at in range(seam, sound.size - 3 * loop.fade, loop.length):
            around = sound[at - FRAME : at + loop.fade + FRAME]
            assert np.abs(np.diff(around)).max() <= 1.05 * before.steps.max(), sample.slot
            changes = loops.changes_db(around, floor=before.floor, sample_rate_hz=RATE_HZ)
            assert changes.max() <= 1.01 * before.changes_db.max(), sample.slot
    assert max(made.differences_db) < 5.0


def test_a_marimba_is_not_looped(explorer: Explorer, tmp_path: Path) -> None:
    made = make(Renderer(explorer), Patch.of("Marimba", checkpoint="default-16k"), Plan(60, 72, 6, 1), name="marimba")
    assert all(one.loop is None and 0.5 < one.release_s < 2.0 for one in made.samples)
    sound = Player(write(made, tmp_path / "m", formats=("sfz",))[0]).note(66, 127, held_s=3.0, total_s=3.0)
    level_db = 20 * np.log10(measure.rms_envelope(sound, sample_rate_hz=RATE_HZ, window_ms=50.0) + 1e-9)
    assert level_db[RATE_HZ] < level_db.max() - 40.0
