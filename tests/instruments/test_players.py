"""Instruments in an engine that is not ours (sfizz, through pysfizz), and under a linter."""

from __future__ import annotations

import itertools
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from synth_explorer import measure
from synth_explorer.instruments import Instrument, loops, write
from synth_explorer.instruments.zones import Zone
from synth_explorer.pitch import note_name
from tests.instruments.notes import RATE_HZ

BLOCK = 64
IN_TUNE_CENTS = 3.0
FRAME = loops.FRAME_HOPS * loops.hop_samples(RATE_HZ)


class Player:
    """sfizz with an instrument, at the instrument's own rate."""

    def __init__(self, path: Path) -> None:
        pysfizz = pytest.importorskip("pysfizz", reason="no pysfizz: pip install -r requirements-dev.txt")
        self.synth: Any = pysfizz.Synth(sample_rate=RATE_HZ, block_size=BLOCK)
        whole = path.with_name("whole.sfz")  # sfizz streams what is long, and on a busy machine comes too late
        whole.write_text(f'<control>\nhint_ram_based=1\n#include "{path.name}"\n')
        assert self.synth.load_sfz_file(whole, quiet=False)

    @property
    def regions(self) -> int:
        return self.synth._synth.get_num_regions()

    def note(self, key: int, velocity: int, *, held_s: float, total_s: float, wheel: int | None = None) -> np.ndarray:
        """What sfizz plays, mono [T]."""
        self.synth._synth.all_sound_off()
        if wheel is not None:
            self.synth._synth.cc(0, 1, wheel)
        return self.synth.render_note(key, velocity, held_s, total_s).mean(axis=0).astype(np.float32)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("instruments")


@pytest.fixture(scope="module")
def player(single: Instrument, folder: Path) -> Player:
    return Player(write(single, folder / "single", formats=("sfz",))[0])


def test_every_key_plays_in_tune(player: Player) -> None:
    assert player.synth.playable_keys == list(range(49, 67)) and player.regions == 3 * 3
    for key in range(49, 67):
        key_hz = 440.0 * 2 ** ((key - 69) / 12)
        sound = player.note(key, 100, held_s=3.0, total_s=3.0)
        heard_hz = measure.pitch_hz(sound, sample_rate_hz=RATE_HZ, around_hz=key_hz)
        assert abs(1200 * np.log2(heard_hz / key_hz)) < IN_TUNE_CENTS, note_name(key)


def test_levels_rise_with_velocity(player: Player) -> None:
    level_db = [measure.rms_db(player.note(57, velocity, held_s=0.5, total_s=0.5)) for velocity in range(1, 128, 3)]
    assert all(b > a for a, b in itertools.pairwise(level_db))
    asked_db = [40 * np.log10(velocity / 127) for velocity in range(1, 128, 3)]
    apart = np.array(level_db) - level_db[-1] - np.array(asked_db) + asked_db[-1]
    assert np.abs(apart[5:]).max() < 1.5  # players draw straight lines between the points of the curve


def test_loops_go_on_without_a_click(player: Player, single: Instrument) -> None:
    """What sfizz plays over several rounds of a loop changes no more at its seams than between them."""
    for zone in single.plan.zones:
        (sample,) = [one for one in single.samples if one.slot.root == zone.root and one.slot.layer.high == 127]
        loop, sound = sample.loop, player.note(zone.root, 127, held_s=8.0, total_s=8.0)
        seam, after = loop.end - loop.fade, sound[loop.end - loop.fade :]
        before = loops.own(sound, (loop.start, seam), sample_rate_hz=RATE_HZ)
        assert np.abs(np.diff(after)).max() <= 1.01 * before.steps.max(), zone
        for at in range(seam, sound.size - 3 * loop.fade, loop.length):  # every seam
            around = sound[at - FRAME : at + loop.fade + FRAME]
            changes = loops.changes_db(around, floor=before.floor, sample_rate_hz=RATE_HZ)
            assert changes.max() <= before.changes_db.max(), (zone, at)
        level_db = 20 * np.log10(measure.rms_envelope(after, sample_rate_hz=RATE_HZ, window_ms=100.0)[1600:-1600])
        assert np.ptp(level_db) < 4.0, "it neither dies away nor grows"


def test_sfizz_plays_the_same_samples_that_we_unroll(player: Player, single: Instrument) -> None:
    (sample,) = [one for one in single.samples if one.slot.root == 57 and one.slot.layer.high == 127]
    sound = player.note(57, 127, held_s=5.0, total_s=5.0)
    ours = sample.played(sound.size)
    tuned = [offset for offset in range(-2, 3) if _alike(sound, np.roll(ours, offset)) > 0.98]
    assert tuned, "sample for sample, but for the fraction of a cent that it is tuned by"


def _alike(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.corrcoef(a[RATE_HZ:], b[RATE_HZ:])[0, 1])


def test_a_key_that_is_let_go_dies_away_as_the_note(player: Player, single: Instrument) -> None:
    sound = player.note(57, 127, held_s=1.0, total_s=3.0)
    level_db = 20 * np.log10(measure.rms_envelope(sound, sample_rate_hz=RATE_HZ, window_ms=20.0) + 1e-9)
    falls = np.argmax(level_db[RATE_HZ:] < level_db[RATE_HZ - 1600] - 40.0) / RATE_HZ
    assert falls == pytest.approx(single.samples[0].release_s * 40.0 / 60.0, rel=0.3)


def test_the_wheel_morphs_and_keys_take_turns(morphing: Instrument, folder: Path) -> None:
    player = Player(write(morphing, folder / "morphing", formats=("sfz",))[0])
    assert player.regions == len(morphing.samples) == 2 * 2 * 3
    for step, wheel in enumerate((0, 64, 127)):
        first, second, third = (player.note(57, 127, held_s=1.0, total_s=1.0, wheel=wheel) for _ in range(3))
        assert np.abs(first - third).max() < 1e-6 < 1e-4 < np.abs(first - second).max()
        for robin, sound in enumerate((first, second)):
            (ours,) = [
                one for one in morphing.samples if (one.slot.root, one.slot.step, one.slot.robin) == (57, step, robin)
            ]
            assert np.corrcoef(ours.played(RATE_HZ)[4000:], sound[4000:])[0, 1] > 0.95
    wheels = range(0, 128, 8)
    levels = [measure.rms_db(player.note(57, 127, held_s=1.0, total_s=1.0, wheel=wheel)) for wheel in wheels]
    assert np.ptp(levels) < 3.0 + abs(levels[0] - levels[-1]), "no hole between two steps"


@pytest.mark.slow
@pytest.mark.parametrize("name", ["single", "morphing"])
def test_the_linter_has_nothing_to_say(name: str, request: pytest.FixtureRequest, folder: Path) -> None:
    pytest.importorskip("sfzlint", reason="no sfzlint: pip install -r requirements-dev.txt")
    path = write(request.getfixturevalue(name), folder / f"linted_{name}", formats=("sfz",))[0]
    command = [sys.executable, "-c", "from sfzlint.lint import main; main()", "--no-pickle", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == "", done.stdout
    path.write_text(path.read_text().replace("lokey=", "lokeyy=", 1))
    assert "lokeyy" in subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_a_zone_is_where_it_was_planned(player: Player, single: Instrument) -> None:
    assert single.zone(single.samples[0]) == Zone(49, 49, 53)
    (info,) = [one for one in player.synth.get_note_info(51) if one["hivel"] == 127]
    assert info["pitch_keycenter"] == 49 and info["pitch_shift_semitones"] == pytest.approx(2.0, abs=0.03)
