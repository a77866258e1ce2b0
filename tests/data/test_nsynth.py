"""Import of NSynth and of plain folders of notes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from synth_explorer import audio
from synth_explorer.data.dataset import NotesDataset
from synth_explorer.data.nsynth import import_nsynth
from synth_explorer.errors import DataError
from tests.data.hearing import to_hz


def note(midi: float, *, seconds: float = 1.0, rate_hz: int = 16_000, delay_s: float = 0.1) -> np.ndarray:
    t = np.arange(round(seconds * rate_hz)) / rate_hz
    wave = 0.4 * np.sin(2 * np.pi * to_hz(midi) * t) * np.exp(-t)
    return np.concatenate([np.zeros(round(delay_s * rate_hz)), wave]).astype(np.float32)


def nsynth_split(folder: Path) -> Path:
    examples = {}
    for instrument, pitch in (("bass_synthetic_001", 40), ("bass_synthetic_001", 52), ("flute_acoustic_002", 72)):
        key = f"{instrument}-{pitch:03d}-100"
        audio.save(folder / "audio" / f"{key}.wav", note(pitch), sample_rate_hz=16_000)
        examples[key] = {"instrument_str": instrument, "instrument_family_str": instrument.split("_")[0],
                         "pitch": pitch, "velocity": 100, "note": 7}  # fmt: skip
    (folder / "examples.json").write_text(json.dumps(examples))
    return folder


def test_a_split_of_nsynth(tmp_path: Path) -> None:
    dataset = NotesDataset(import_nsynth(nsynth_split(tmp_path / "nsynth-valid"), tmp_path / "d"))
    assert dataset.instruments() == ["bass_synthetic_001", "flute_acoustic_002"]
    assert [(n.pitch, n.velocity, n.family) for n in dataset.rows] == [
        (40, 100, "bass"), (52, 100, "bass"), (72, 100, "flute"),
    ]  # fmt: skip
    assert "CC BY 4.0" in dataset.sources["nsynth"]["licence"]
    for i in range(3):
        sound = dataset.audio(i)
        assert sound.shape == (64_000,)
        assert np.max(np.abs(sound[:400])) < 1e-3 < 0.2 < np.max(np.abs(sound[500:1200])), "cut to its onset"
        assert np.max(np.abs(sound)) == pytest.approx(0.4, abs=0.02), "level kept"


def test_a_folder_with_an_index(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    audio.save(folder / "one/a.flac", note(60, rate_hz=44_100), sample_rate_hz=44_100)
    audio.save(folder / "b.wav", note(64.25), sample_rate_hz=16_000)
    audio.save(folder / "silent.wav", np.zeros(8000, np.float32), sample_rate_hz=16_000)
    lines = ["path,pitch,instrument,velocity", "one/a.flac,60,../My Cello,90", "b.wav,64.25,,", "silent.wav,50,,"]
    (folder / "index.csv").write_text("\n".join(lines) + "\n")
    dataset = NotesDataset(import_nsynth(folder, tmp_path / "d"))
    assert [(n.id, n.instrument, n.pitch, n.velocity) for n in dataset.rows] == [
        ("one/a", "_My_Cello", 60.0, 90), ("b", "b", 64.25, 100),
    ]  # fmt: skip
    assert dataset.rows[0].family == "unknown"
    assert not list(tmp_path.glob("*.npy")), "names stay inside the folder"


@pytest.mark.parametrize(
    ("index", "message"),
    [
        ("path\nb.wav\n", "lacks the columns pitch"),
        ("path,pitch\nb.wav,loud\n", "line 2"),
        ("path,pitch\nb.wav,900\n", "pitch: should be less than or equal to 127"),
        ("path,pitch,velocity\nb.wav,60,1e999\n", "line 2"),
        ("path,pitch\nb.wav,60\n../mine2/b.wav,60\n", "line 3.*inside the folder"),
        ("path,pitch\n,60\n", "line 2 lacks the field 'path'"),
        ("path,pitch\nb.wav,\n", "line 2 lacks the field 'pitch'"),
        ("path,pitch\n.,60\n", "line 2.*inside the folder"),
        ("path,pitch\nb\0.wav,60\n", "line 2.*inside the folder"),
        ("path,pitch\nnowhere.wav,60\n", "nowhere.wav"),
    ],
)
def test_bad_indexes_are_named(tmp_path: Path, index: str, message: str) -> None:
    folder = tmp_path / "mine"
    audio.save(folder / "b.wav", note(60), sample_rate_hz=16_000)
    (folder / "index.csv").write_text(index)
    with pytest.raises(DataError, match=message):
        import_nsynth(folder, tmp_path / "deep" / "d")
    assert [path.name for path in tmp_path.iterdir()] == ["mine"], "nothing is left"


@pytest.mark.parametrize(
    ("key", "change", "message"),
    [
        ("a", {"pitch": 1000}, "a.pitch: should be less than or equal to 127; received 1000"),
        ("a", {"pitch": float("nan")}, "a.pitch: should be a finite number"),
        ("a", {"velocity": -5}, "a.velocity: should be greater than or equal to 1; received -5"),
        ("../../mine2/a", {}, "inside the folder"),
        ("/etc/a", {}, "inside the folder"),
    ],
)
def test_bad_notes_of_a_split_are_named(tmp_path: Path, key: str, change: dict, message: str) -> None:
    example = {"instrument_str": "x", "instrument_family_str": "bass", "pitch": 40, "velocity": 100} | change
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "examples.json").write_text(json.dumps({key: example}))
    with pytest.raises(DataError, match=message):
        import_nsynth(tmp_path / "mine", tmp_path / "d")
    assert not (tmp_path / "d").exists()


def test_an_index_in_another_encoding_is_named(tmp_path: Path) -> None:
    (tmp_path / "index.csv").write_bytes("path,pitch\nä.wav,60\n".encode("latin-1"))
    with pytest.raises(DataError, match="UTF-8"):
        import_nsynth(tmp_path, tmp_path / "d")


def test_links_to_sounds_elsewhere_are_followed(tmp_path: Path) -> None:
    audio.save(tmp_path / "elsewhere" / "b.wav", note(60), sample_rate_hz=16_000)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "b.wav").symlink_to(tmp_path / "elsewhere" / "b.wav")
    (tmp_path / "mine" / "index.csv").write_text("path,pitch\nb.wav,60\n")
    assert len(NotesDataset(import_nsynth(tmp_path / "mine", tmp_path / "d")).rows) == 1


def test_a_failed_import_keeps_what_it_finished(tmp_path: Path) -> None:
    folder = nsynth_split(tmp_path / "nsynth-valid")
    (folder / "audio" / "flute_acoustic_002-072-100.wav").write_bytes(b"no sound")
    with pytest.raises(DataError, match="flute"):
        import_nsynth(folder, tmp_path / "d")
    assert [path.name for path in (tmp_path / "d" / "audio").glob("*.npy")] == ["bass_synthetic_001.npy"]


def test_an_import_goes_on_where_it_is_told_of_failures(tmp_path: Path) -> None:
    folder, failed = tmp_path / "mine", []
    for name in ("a", "b"):
        audio.save(folder / f"{name}.wav", note(60), sample_rate_hz=16_000)
    (folder / "bad.wav").write_bytes(b"no sound")
    (folder / "index.csv").write_text("path,pitch\na.wav,60\nbad.wav,60\nmissing.wav,60\nb.wav,60\n")
    rows = NotesDataset(import_nsynth(folder, tmp_path / "d", failed=failed.append)).rows
    assert [row.id for row in rows] == ["a", "b"]
    assert [name in str(error) for name, error in zip(("bad.wav", "missing.wav"), failed, strict=True)] == [True, True]
    audio.save(folder / "bad.wav", note(62), sample_rate_hz=16_000)
    assert len(NotesDataset(import_nsynth(folder, tmp_path / "d", failed=failed.append)).rows) == 3, "tried again"


def test_an_instrument_that_lost_some_notes_is_completed(tmp_path: Path) -> None:
    folder, failed = nsynth_split(tmp_path / "nsynth-valid"), []
    whole = NotesDataset(import_nsynth(folder, tmp_path / "whole"))
    lost = folder / "audio" / "bass_synthetic_001-040-100.wav"
    content = lost.read_bytes()
    lost.write_bytes(b"no sound")
    assert len(NotesDataset(import_nsynth(folder, tmp_path / "d", failed=failed.append))) == 2
    lost.write_bytes(content)
    for gone in folder.glob("audio/*-052-*.wav"):
        gone.unlink()  # what is stored already stays
    found = NotesDataset(import_nsynth(folder, tmp_path / "d", failed=failed.append))
    assert len(failed) == 1
    sounds = {row.id: whole.audio(i) for i, row in enumerate(whole.rows)}
    assert {row.id for row in found.rows} == set(sounds)
    for i, row in enumerate(found.rows):
        np.testing.assert_allclose(found.audio(i), sounds[row.id], atol=1e-6)


def test_folders_of_neither_kind(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"examples\.json nor index\.csv"):
        import_nsynth(tmp_path, tmp_path / "d")
    (tmp_path / "examples.json").write_text('{"a": 1}')
    with pytest.raises(DataError, match="a: should be an object"):
        import_nsynth(tmp_path, tmp_path / "d")
