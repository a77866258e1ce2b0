"""A plan carried out: nothing is lost or done twice, whatever happens on the way."""

from __future__ import annotations

import csv
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
from filelock import FileLock

from synth_explorer import measure
from synth_explorer.batch import manifest, run
from synth_explorer.batch import plan as plans
from synth_explorer.batch.descriptors import NAMES, describe
from synth_explorer.batch.plan import Plan
from synth_explorer.errors import SpecError
from synth_explorer.rendering import Patch, render
from tests.batch.conftest import BundledFamily
from tests.conftest import make_note

Planned = Callable[[str], Plan]
GRID = "sources: [Cello, Marimba]\nfit_steps: 2\nmorphs: [{pairs: all, steps: 3}]\npitches: [C3, C4]\n"


def content(folder: Path) -> dict[str, bytes]:
    """Every file that a person sees in a folder."""
    inside = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return {str(path): (folder / path).read_bytes() for path in inside if path.parts[0] != ".batch"}


def lines(folder: Path) -> list[dict]:
    return list(manifest.read(folder))


@pytest.mark.slow
def test_the_files_are_what_a_patch_sounds_like(fake: BundledFamily, planned: Planned, tmp_path: Path) -> None:
    from synth_explorer import rendering

    plan = planned(GRID)
    done = run.run(plan, tmp_path / "out")
    assert (done.made, done.kept, done.failures) == (6, 0, [])
    explorer = rendering.renderer_of(plan.jobs[0].patch).explorer
    for job, line in zip(plan.jobs, lines(tmp_path / "out"), strict=True):
        samples, rate_hz = soundfile.read(tmp_path / "out" / job.file, dtype="float32")
        np.testing.assert_array_equal(samples, render(job.patch, explorer=explorer).audio)
        assert line["file"] == job.file and Patch.from_json(json.dumps(line["patch"])) == job.patch
        assert line["duration_s"] == pytest.approx(samples.size / rate_hz) and line["sample_rate_hz"] == rate_hz
        assert line["bytes"] == (tmp_path / "out" / job.file).stat().st_size


def test_a_power_cut_leaves_no_line_that_is_wrong(
    fake: BundledFamily, planned: Planned, tmp_path: Path, on_disk: dict[int, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever of the manifest is on the disk: each file that it tells of was there before, whole."""
    real, told = manifest.Manifest._add, []

    def add(self: manifest.Manifest, record: dict) -> None:
        if record["address"] is not None:
            path = self.folder / record["file"]
            told.append(on_disk.get(path.stat().st_ino) == path.read_bytes())
        real(self, record)

    monkeypatch.setattr(manifest.Manifest, "_add", add)
    plan, out = planned(GRID + "name: '{pitch}/{mix}'\n"), tmp_path / "out"
    run.run(plan, out)
    assert told == [True] * 6
    for path in [path for path in out.rglob("*") if path.suffix in (".jsonl", ".csv", ".npz", ".wav")]:
        assert on_disk[path.stat().st_ino] == path.read_bytes()
        assert path.name in on_disk[path.parent.stat().st_ino].decode()


@pytest.mark.slow
def test_each_note_is_listened_to_once(fake: BundledFamily, planned: Planned, tmp_path: Path) -> None:
    run.run(planned(GRID), tmp_path / "out")
    assert fake.fitted == 2
    run.run(planned(GRID + "seeds: [1, 2]"), tmp_path / "out")
    assert fake.fitted == 2  # by the next run as well


def test_a_second_run_makes_nothing(fake: BundledFamily, planned: Planned, tmp_path: Path) -> None:
    run.run(planned(GRID), tmp_path / "out")
    before, decoded = content(tmp_path / "out"), fake.decoded
    done = run.run(planned(GRID), tmp_path / "out")
    assert (done.made, done.kept) == (0, 6) and fake.decoded == decoded
    assert content(tmp_path / "out") == before


def test_what_is_missing_or_changed_is_made_again(fake: BundledFamily, planned: Planned, tmp_path: Path) -> None:
    plan, out = planned(GRID), tmp_path / "out"
    run.run(plan, out)
    before = content(out)
    (out / plan.jobs[0].file).unlink()
    (out / plan.jobs[1].file).write_bytes(b"RIFF")
    done = run.run(plan, out)
    assert (done.made, done.kept) == (2, 4) and content(out) == before


def test_a_changed_line_makes_what_it_touches(fake: BundledFamily, planned: Planned, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run.run(planned(GRID), out)
    done = run.run(planned(GRID.replace("C4", "D4")), out)
    assert (done.made, done.kept, done.others) == (3, 3, 3)
    assert len(lines(out)) == 6 and len(list(out.glob("*.wav"))) == 9
    done = run.run(planned(GRID), out)  # and back again: all are there still
    assert (done.made, done.kept, done.others) == (0, 6, 3)


def test_other_names_are_no_other_sounds(fake: BundledFamily, planned: Planned, tmp_path: Path) -> None:
    """Where names are exchanged, files are too."""
    text, out = "sources: [{}]\nname: '{{number}}'", tmp_path / "out"
    first = planned(text.format("Cello, Marimba"))
    run.run(first, out)
    before, decoded = content(out), fake.decoded
    done = run.run(planned(text.format("Marimba, Cello")), out)
    assert (done.made, done.kept) == (0, 2) and fake.decoded == decoded
    after = content(out)
    assert (after["1.wav"], after["2.wav"]) == (before["2.wav"], before["1.wav"])
    assert [line["patch"]["sources"][0]["name"] for line in lines(out)] == ["Marimba", "Cello"]


def test_the_same_sound_under_two_names_is_made_once(fake: BundledFamily, planned: Planned, tmp_path: Path) -> None:
    plan = planned("sources: [Cello, Marimba, Harp]\nmorphs: [{pairs: all, at: [0, 1]}]")
    done = run.run(plan, tmp_path / "out")
    assert done.made == 6 and fake.decoded == 3
    assert len({(tmp_path / "out" / job.file).read_bytes() for job in plan.jobs}) == 3


def test_failures_are_collected_and_the_others_made(fake: BundledFamily, planned: Planned, tmp_path: Path) -> None:
    (tmp_path / "silent.wav").write_bytes(b"")
    soundfile.write(tmp_path / "silent.wav", np.zeros(8000), 16000)
    plan = planned("sources: [Cello, silent.wav]\nmorphs: [{each: all}, {pairs: all}]\nedits: [transpose: [-90, 1]]")
    done = run.run(plan, tmp_path / "out")
    assert done.made == 1 and [file for file, _ in done.failures] == [
        "Cello_1_transpose-90.wav",
        "silent_1_transpose-90.wav",
        "silent_1_transpose1.wav",
        "Cello+silent_0.5_transpose-90.wav",
        "Cello+silent_0.5_transpose1.wav",
    ]
    reasons = dict(done.failures)
    assert "must stay in 0..127" in reasons["Cello_1_transpose-90.wav"]
    assert all("silent" in reasons[file] for file in reasons if file.startswith(("silent", "Cello+")))
    assert [line["file"] for line in lines(tmp_path / "out")] == ["Cello_1_transpose1.wav"]
    soundfile.write(tmp_path / "silent.wav", make_note(60, seconds=0.5), 16000)
    plan = planned("sources: [Cello, silent.wav]\nmorphs: [{each: all}, {pairs: all}]\nedits: [transpose: [-90, 1]]")
    assert run.run(plan, tmp_path / "out").made == 2


def test_what_clips_is_said_of_the_sound_not_of_a_temporary_file(
    fake: BundledFamily, planned: Planned, tmp_path: Path
) -> None:
    plan = planned("sources: [Cello]\nbits: 16\nedits: [gain: 40]\nopen_loop: true")
    ((file, reason),) = run.run(plan, tmp_path / "out").failures
    assert file == "Cello.wav" and reason.startswith("it would clip") and "tmp" not in reason
    done = run.run(planned("sources: [Cello]\nedits: [gain: 40]\nopen_loop: true"), tmp_path / "out")
    assert done.too_loud == 1


def test_an_unexpected_error_is_a_failure_too(
    fake: BundledFamily, planned: Planned, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*given: object) -> None:
        raise ZeroDivisionError("no such sound")

    monkeypatch.setattr(fake, "sound", broken)
    done = run.run(planned("sources: [Cello]"), tmp_path / "out")
    assert done.failures == [("Cello.wav", "ZeroDivisionError: no such sound (unexpected)")]


def test_a_manifest_tells_everything(fake: BundledFamily, planned: Planned, tmp_path: Path) -> None:
    run.run(planned("sources: [Cello]\nedits: [gain: -6]\npitches: [C3]"), tmp_path / "out")
    (line,) = lines(tmp_path / "out")
    assert line["asked"] == {"gain_db": -6.0} and line["reached"]
    assert next(outcome["control"] for outcome in line["heard"]) == "gain"
    assert line["checkpoint_hash"] == fake.hash and line["patch"]["checkpoint_hash"] == fake.hash
    assert set(line["descriptors"]) == set(NAMES) and line["descriptors"]["pitch_midi"] == pytest.approx(48, abs=0.1)


def test_a_manifest_is_a_table(fake: BundledFamily, planned: Planned, tmp_path: Path) -> None:
    done = run.run(planned(GRID), tmp_path / "out")
    with done.table.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    told = lines(tmp_path / "out")
    assert [row["file"] for row in rows] == [line["file"] for line in told]
    for row, line in zip(rows, told, strict=True):
        for name, value in line["descriptors"].items():
            assert row[name] == ("" if value is None else str(value))


@pytest.mark.slow
@pytest.mark.parametrize("damage", ["cut off", "garbage", "gone", "doubled", "empty"])
def test_a_damaged_manifest_is_built_again(fake: BundledFamily, planned: Planned, tmp_path: Path, damage: str) -> None:
    plan, out = planned(GRID), tmp_path / "out"
    run.run(plan, out)
    before, path = content(out), out / manifest.MANIFEST
    whole = path.read_bytes()
    if damage == "gone":
        path.unlink()
    else:
        changed = {"cut off": whole[:-40], "garbage": b"{]\n\xff\n[1]\n" + whole, "doubled": whole * 2, "empty": b""}
        path.write_bytes(changed[damage])
    done = run.run(plan, out)
    assert content(out) == before
    assert done.made == {"cut off": 1, "garbage": 0, "gone": 6, "doubled": 0, "empty": 6}[damage]


def test_damaged_latents_are_listened_to_again(fake: BundledFamily, planned: Planned, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run.run(planned(GRID), out)
    before = content(out)
    shutil.copytree(out / ".batch" / "notes", tmp_path / "other" / ".batch" / "notes")
    for path in (tmp_path / "other" / ".batch" / "notes").iterdir():
        path.write_bytes(path.read_bytes()[:100])
    run.run(planned(GRID), tmp_path / "other")
    assert content(tmp_path / "other") == before


def test_notes_are_never_replaced_and_other_files_are_told(
    fake: BundledFamily, planned: Planned, tmp_path: Path
) -> None:
    soundfile.write(tmp_path / "a.wav", make_note(60, seconds=0.5), 16000)
    with pytest.raises(SpecError, match="would be replaced"):
        run.run(planned("sources: [a.wav]"), tmp_path)
    (tmp_path / "b.wav").write_text("a file of someone")
    done = run.run(planned("sources: [a.wav]\nname: b"), tmp_path)
    assert (done.made, done.replaced) == (1, 1) and soundfile.info(tmp_path / "b.wav").frames


def test_two_runs_in_one_folder_are_refused(fake: BundledFamily, planned: Planned, tmp_path: Path) -> None:
    (tmp_path / "out" / ".batch").mkdir(parents=True)
    with FileLock(tmp_path / "out" / ".batch" / "lock"), pytest.raises(SpecError, match="Another run is at work"):
        run.run(planned(GRID), tmp_path / "out")
    assert run.run(planned(GRID), tmp_path / "out").made == 6


def test_a_person_may_stop_it(fake: BundledFamily, planned: Planned, tmp_path: Path) -> None:
    plan, out = planned(GRID), tmp_path / "out"

    def stop(what: str, done: int, total: int) -> None:
        if what == "sounds" and done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run.run(plan, out, progress=stop)
    assert [line["file"] for line in lines(out)] == [job.file for job in plan.jobs[:3]]
    assert set(content(out)) == {*(job.file for job in plan.jobs[:3]), manifest.MANIFEST, manifest.TABLE}
    assert run.run(plan, out).made == 3


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="a process cannot be copied here")
@pytest.mark.parametrize("stride", [5, pytest.param(1, marks=pytest.mark.long)])
def test_killed_at_every_step_it_ends_with_the_same_bytes(
    fake: BundledFamily, planned: Planned, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stride: int
) -> None:
    """A process that ends before each of its renames, and within each line of the manifest; its names are exchanged."""
    first, plan = planned(GRID + "name: '{number}'"), planned(GRID.replace("C3, C4", "C4, C3") + "name: '{number}'")
    run.run(first, tmp_path / "undisturbed")
    run.run(plan, tmp_path / "undisturbed")
    expected = content(tmp_path / "undisturbed")
    steps = 0
    for step in range(0, 60, stride):
        out = tmp_path / f"out{step}"
        shutil.copytree(tmp_path / "undisturbed", out)
        for path in (out / ".batch").glob("*.jsonl"):
            path.unlink()
        run.run(first, out)
        pid = os.fork()
        if pid == 0:
            _end_at(step, monkeypatch)
            run.run(plan, out)
            os._exit(0)
        _, status = os.waitpid(pid, 0)
        for path in out.glob("*.wav"):
            soundfile.info(path)  # no half file
        done = run.run(plan, out)
        assert content(out) == expected and not done.failures
        if status == 0:
            break
        steps += stride
    assert steps > 15 and status == 0


def _end_at(step: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let this process end, as if killed, at the so-manieth rename or written line."""
    left, replace, add = [step], Path.replace, manifest.Manifest._add

    def or_end() -> None:
        left[0] -= 1
        if left[0] < 0:
            os._exit(9)

    def replacing(self: Path, target: Path) -> Path:
        or_end()
        return replace(self, target)

    def adding(self: manifest.Manifest, record: dict) -> None:
        if left[0] == 0:
            assert self._file is not None
            self._file.write(manifest.encoded(record)[:20])
            self._file.flush()
        or_end()
        add(self, record)

    monkeypatch.setattr(Path, "replace", replacing)
    monkeypatch.setattr(manifest.Manifest, "_add", adding)


def test_rates_lengths_and_formats(fake: BundledFamily, planned: Planned, tmp_path: Path) -> None:
    plan = planned("sources: [Cello]\nrate_hz: 44100\nbits: 24\nlength_s: 0.5\npeak: normalise")
    run.run(plan, tmp_path / "out")
    found = soundfile.info(tmp_path / "out" / "Cello.wav")
    assert (found.samplerate, found.frames, found.subtype) == (44100, 22050, "PCM_24")
    (line,) = lines(tmp_path / "out")
    assert line["peak_db"] == pytest.approx(-0.1, abs=1e-3) and line["level_change_db"] > 0
    heard, _ = soundfile.read(tmp_path / "out" / "Cello.wav", dtype="float32")
    assert line["descriptors"]["loudness_db"] == pytest.approx(
        measure.loudness_db(heard, sample_rate_hz=44100), abs=0.01
    )


def test_descriptors_are_those_of_measure() -> None:
    audio = make_note(57, seconds=1.0)
    found = describe(audio, sample_rate_hz=16000, pitch_hz=220.0)
    assert found["loudness_db"] == pytest.approx(measure.loudness_db(audio, sample_rate_hz=16000), abs=1e-4)
    assert found["brightness_octaves"] == pytest.approx(
        measure.brightness_octaves(audio, sample_rate_hz=16000), abs=1e-4
    )
    assert found["attack_s"] == pytest.approx(measure.attack_time_ms(audio, sample_rate_hz=16000) / 1000, abs=1e-4)
    assert found["pitch_midi"] == pytest.approx(57, abs=0.05) and found["noisiness_db"] < -20
    assert describe(audio, sample_rate_hz=16000, pitch_hz=None)["pitch_midi"] == pytest.approx(57, abs=0.05)
    assert set(describe(np.zeros(800, np.float32), sample_rate_hz=16000, pitch_hz=220.0).values()) == {None}
    assert describe(audio, sample_rate_hz=16000, pitch_hz=9000.0)["pitch_midi"] is None


@pytest.mark.long
def test_keras_makes_sounds_in_batches(tmp_path: Path) -> None:
    """The way that a device takes, on the processor: as near to the usual samples as the engines are."""
    spec = tmp_path / "spec.yaml"
    spec.write_text("sources: [Cello, Flute]\nfit_steps: 0\nmorphs:\n  - pairs: all\n    at: [0.25, 0.5, 0.75]\n")
    sounds = {}
    for engine in ("auto", "keras"):
        plan = plans.of_spec(spec, engine=engine)
        assert [len(lot) for lot in plan.lots] == ([3] if engine == "keras" else [1, 1, 1])
        assert not run.run(plan, tmp_path / engine).failures
        sounds[engine] = [soundfile.read(tmp_path / engine / job.file)[0] for job in plan.jobs]
    for one, other in zip(sounds["auto"], sounds["keras"], strict=True):
        assert np.linalg.norm(one - other) < 2e-3 * np.linalg.norm(one)
