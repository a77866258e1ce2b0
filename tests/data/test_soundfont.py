"""SoundFonts: what the file says of its presets, and the notes that FluidSynth makes of them."""

from __future__ import annotations

import os
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from synth_explorer.batch.errands import Site, executor_for
from synth_explorer.data import general_midi, soundfont, synthetic
from synth_explorer.data.dataset import SIZES, DatasetWriter, NotesDataset, Shard, Sizes, split_of
from synth_explorer.data.patches import KINDS
from synth_explorer.data.sf2 import read_presets
from synth_explorer.errors import DataError
from tests.data.hearing import cents, heard_hz, to_hz


@pytest.fixture(scope="module")
def rendered(fluidsynth: None, tiny_soundfont: Path, tmp_path_factory: pytest.TempPathFactory) -> NotesDataset:
    """The tiny SoundFont, rendered once."""
    out = tmp_path_factory.mktemp("rendered") / "d"
    soundfont.render(
        [tiny_soundfont], out, pitch_step=6, velocities=(60, 120), detune_cents=40, workers=1, progress=False
    )
    return NotesDataset(out)


def test_presets_and_their_real_keys(tiny_soundfont: Path) -> None:
    presets = {preset.name: preset for preset in read_presets(tiny_soundfont)}
    assert next(iter(presets)) == "Sine Piano" and list(presets)[-1] == "Kit"
    assert presets["Sine Piano"].keys() == list(range(48, 73))
    assert presets["Low Organ"].keys() == list(range(48, 73)), "a sample travels an octave and no further"
    assert presets["Low Organ"].keys(max_shift_semitones=99) == list(range(30, 109))
    assert presets["Unpitched"].keys() == []
    assert (presets["Kit"].bank, presets["Gun Shot"].program) == (128, 127)


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"", "not a SoundFont"), (b"RIFF\0\0\0\0WAVEfmt ", "not a SoundFont"), (None, "not exist")],
)
def test_files_that_are_not_soundfonts(tmp_path: Path, content: bytes | None, message: str) -> None:
    path = tmp_path / "x.sf2"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(DataError, match=message):
        read_presets(path)
    with pytest.raises(DataError, match=message):
        soundfont.render([path], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_damaged_soundfont(tiny_soundfont: Path, tmp_path: Path) -> None:
    path = tmp_path / "half.sf2"
    path.write_bytes(tiny_soundfont.read_bytes()[:-400])
    with pytest.raises(DataError, match="damaged"):
        read_presets(path)


def test_only_pitched_audible_presets_are_rendered(rendered: NotesDataset) -> None:
    assert rendered.instruments() == ["tiny_000_000_sine_piano", "tiny_000_019_low_organ"]
    assert sorted(set(rendered.column("key"))) == [48, 54, 60, 66, 72]
    assert len(rendered) == 2 * 5 * 2
    assert set(rendered.column("family")) == {"keyboard", "organ"}
    assert set(rendered.column("group")) == {"gm_000", "gm_019"}


def test_labels_are_what_one_hears(rendered: NotesDataset) -> None:
    detunes = []
    for i, note in enumerate(rendered.rows):
        octave = -12 if "organ" in note.instrument else 0
        detunes.append(100 * (note.pitch - note.key - octave))
        if note.key >= 60:
            heard = heard_hz(rendered.audio(i)[4000:40_000], to_hz(note.pitch))
            assert cents(heard, to_hz(note.pitch)) == pytest.approx(0, abs=2), note.id
    assert np.max(np.abs(detunes)) <= 40.001 and np.std(detunes) > 5


def test_onset_level_and_release(rendered: NotesDataset) -> None:
    for i, note in enumerate(rendered.rows):
        sound = rendered.audio(i)
        assert not sound[:512].any(), "silence before the note"
        assert np.max(np.abs(sound[512:1312])) > 0.3 * np.max(np.abs(sound)), "the note begins at once"
        assert np.max(np.abs(sound[60_000:])) < 0.01 * np.max(np.abs(sound)), "the key was let go"
        assert sound.shape == (64_000,) and note.onset_samples == 512
    peaks = {(n.instrument, n.key, n.velocity): n.peak_db for n in rendered.rows}
    assert all(peaks[name, key, 120] > peaks[name, key, 60] + 6 for name, key, _ in peaks)


@pytest.mark.slow
def test_rendering_resumes_and_repeats(rendered: NotesDataset, tiny_soundfont: Path, tmp_path: Path) -> None:
    arguments = {"pitch_step": 6, "velocities": (60, 120), "detune_cents": 40, "progress": False}
    out = soundfont.render([tiny_soundfont], tmp_path / "d", workers=2, **arguments)
    names = sorted(path.relative_to(out) for path in out.rglob("*.*"))
    assert all((out / name).read_bytes() == (rendered.folder / name).read_bytes() for name in names), (
        "as on one process"
    )
    organ, piano = out / "audio/tiny_000_019_low_organ.csv", out / "audio/tiny_000_000_sine_piano.npy"
    before = (organ.read_bytes(), piano.stat().st_mtime_ns)
    organ.unlink()
    (out / "index.csv").unlink()
    soundfont.render([tiny_soundfont], out, workers=1, **arguments)
    assert (organ.read_bytes(), piano.stat().st_mtime_ns) == before
    with pytest.raises(DataError, match="another settings"):
        soundfont.render([tiny_soundfont], out, workers=1, **{**arguments, "pitch_step": 1})


def test_filters_and_limits(
    fluidsynth: None, tiny_soundfont: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = {"pitch_step": 12, "velocities": (100,), "workers": 1, "progress": False}
    out = soundfont.render([tiny_soundfont], tmp_path / "one", limit_instruments=1, **chosen)
    assert NotesDataset(out).instruments() == ["tiny_000_000_sine_piano"]
    out = soundfont.render([tiny_soundfont], tmp_path / "organ", presets=lambda p: p.program == 19, **chosen)
    assert NotesDataset(out).instruments() == ["tiny_000_019_low_organ"]
    assert list(NotesDataset(out).column("pitch")) == [36.0, 48.0, 60.0]
    monkeypatch.setattr(soundfont, "LOWEST_KEY", 40)
    out = soundfont.render([tiny_soundfont], tmp_path / "high", presets=lambda p: p.program == 19, **chosen)
    assert list(NotesDataset(out).column("pitch")) == [48.0, 60.0], "what sounds below the lowest key is left out"
    with pytest.raises(DataError, match="No note"):
        soundfont.render([tiny_soundfont], tmp_path / "none", presets=lambda p: p.program == 73, **chosen)


def _die_of_one(sizes: Sizes, site: Site, job: synthetic.Job) -> Shard:
    if job.number == 1:
        os._exit(9)
    return synthetic._render_job(sizes, site, job)


@pytest.mark.long
def test_what_kills_its_worker_is_told_and_the_others_are_kept(tmp_path: Path) -> None:
    jobs = [synthetic.Job(number, next(iter(KINDS)), 0, 1, (100,)) for number in range(3)]
    writer = DatasetWriter(tmp_path, SIZES, sources={"synthetic": {"licence": "CC0"}}, settings={})
    with pytest.raises(DataError, match=r"^1 of 3 instruments could not be rendered: .* died 3 times"):
        soundfont.render_all(partial(_die_of_one, SIZES), jobs, writer, workers=2, executor=executor_for, progress=None)
    assert [writer.finished(job.name) for job in jobs] == [True, False, True]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"pitch_step": 0}, "pitch_step=0"),
        ({"velocities": (0, 100)}, "velocities"),
        ({"velocities": ()}, "velocities"),
        ({"detune_cents": 300}, "detune_cents=300"),
        ({"workers": 0}, "workers=0"),
    ],
)
def test_arguments_out_of_range(tiny_soundfont: Path, tmp_path: Path, arguments: dict, message: str) -> None:
    with pytest.raises(DataError, match=message):
        soundfont.render([tiny_soundfont], tmp_path / "d", **arguments)
    with pytest.raises(DataError, match="list of at least one"):
        soundfont.render(str(tiny_soundfont), tmp_path / "d")


def test_missing_fluidsynth_is_explained(tiny_soundfont: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fluidsynth", None)
    with pytest.raises(DataError, match="libfluidsynth3"):
        soundfont.render([tiny_soundfont], tmp_path / "d")
    assert not (tmp_path / "d").exists()


def test_general_midi_families_and_groups() -> None:
    assert [general_midi.family_of(p) for p in (0, 40, 56, 68, 73, 127)] == [
        "keyboard", "string", "brass", "reed", "flute", "effect",
    ]  # fmt: skip
    assert general_midi.group_of(49) == general_midi.group_of(48)
    kept = {general_midi.group_of(p) for p in range(128) if p not in general_midi.LEFT_OUT}
    held_out = {split: [g for g in kept if split_of(g) == split] for split in ("validation", "test")}
    for groups in held_out.values():
        assert 8 <= len(groups) <= 12
        assert len({general_midi.family_of(int(g[3:])) for g in groups}) >= 7
