"""What a plan takes, said beforehand: right in what can be known, and nothing is written."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from synth_explorer.batch import plan as plans
from synth_explorer.batch import run
from synth_explorer.batch.estimate import duration_s, estimate
from synth_explorer.batch.plan import Plan
from synth_explorer.errors import SpecError
from tests.batch.conftest import BundledFamily
from tests.batch.test_plan import EXAMPLES
from tests.batch.test_run import GRID, content, lines
from tests.conftest import make_note

Planned = Callable[[str], Plan]


@pytest.mark.parametrize("more", ["", "format: flac\npeak: limit\n", "bits: 16\nrate_hz: 32000\n"])
def test_is_right_and_writes_nothing(fake: BundledFamily, planned: Planned, tmp_path: Path, more: str) -> None:
    plan, out = planned(GRID + more), tmp_path / "out"
    found = estimate(plan, out)
    assert not out.exists()
    assert (found.sounds, found.missing, found.notes, found.workers) == (6, 6, 2, 1)
    run.run(plan, out)
    told = lines(out)
    assert found.audio_s == pytest.approx(sum(line["duration_s"] for line in told), rel=0.1)
    assert found.bytes == pytest.approx(sum(line["bytes"] for line in told), rel=0.15)
    assert found.seconds == pytest.approx(found.missing / found.sounds_per_s + 2 * found.note_s)


def test_counts_what_is_there(fake: BundledFamily, planned: Planned, tmp_path: Path) -> None:
    plan, out = planned(GRID), tmp_path / "out"
    run.run(plan, out)
    before = content(out)
    found = estimate(planned(GRID + "seeds: [0, 1]\nname: '{number}'"), out)
    assert (found.sounds, found.notes) == (12, 0)
    found = estimate(plan, out)
    assert (found.missing, found.seconds) == (0, 0.0)
    assert found.bytes == sum(path.stat().st_size for path in out.glob("*.wav"))
    assert content(out) == before


def test_edits_of_time_count(planned: Planned) -> None:
    edits = "- stretch: 2\n  - trim: {start_s: 0.5}\n  - freeze: {at_s: 0.25, hold_s: 1}\n  - gain: -6"
    (job,) = planned(f"sources: [Cello]\nedits:\n  {edits}").jobs
    (plain,) = planned("sources: [Cello]").jobs
    assert duration_s(job.patch) == pytest.approx(1.25)
    assert duration_s(plain.patch) == pytest.approx(soundfile.info(plain.patch.sources[0].locate()).duration)


def test_notes_of_no_weight_do_not_count(planned: Planned, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "short.wav", make_note(60, seconds=0.5), 16000)
    plan = planned("sources: [short.wav, Cello]\nmorphs: [{pairs: all, at: [0, 0.5]}]")
    short, long = (duration_s(job.patch) for job in plan.jobs)
    assert short < long


def test_what_cannot_be_made_is_said(fake: BundledFamily, planned: Planned, tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=r"None of 1 sounds .* must stay in 0\.\.127"):
        estimate(planned("sources: [Cello]\nedits: [transpose: -90]"), tmp_path / "out")
    soundfile.write(tmp_path / "silent.wav", np.zeros(8000), 16000)
    with pytest.raises(SpecError, match=r"None of it can be made: .*silent"):
        estimate(planned("sources: [silent.wav]"), tmp_path / "out")


@pytest.mark.slow
@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_examples_can_be_made(fake: BundledFamily, tmp_path: Path, path: Path) -> None:
    found = estimate(plans.of_spec(path), tmp_path / "out", workers=1)
    assert found.sounds == found.missing and found.notes > 0 and found.audio_s > found.sounds * 0.1
