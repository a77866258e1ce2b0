"""Evaluation on a folder of notes: reports, saved audio, and what is wrong with an index."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
import soundfile

from synth_explorer import evaluation
from synth_explorer.assets import example_notes
from synth_explorer.errors import AudioError, DataError
from synth_explorer.index import IndexRow, read_index


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three example notes with an index, two of them of one pitch."""
    by_pitch: dict[int, list] = {}
    for note in example_notes():
        by_pitch.setdefault(note.pitch, []).append(note)
    chosen = max(by_pitch.values(), key=len)[:3]
    with (tmp_path / "index.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["path", "pitch"])
        for note in chosen:
            (tmp_path / note.path.name).write_bytes(note.path.read_bytes())
            writer.writerow([note.path.name, note.pitch])
    return tmp_path


@pytest.mark.slow
def test_reconstruction_report_and_audio(explorer, folder: Path) -> None:
    calls: list[tuple[int, int]] = []
    report = evaluation.evaluate_reconstruction(
        explorer, folder, save_audio=folder / "out", progress=lambda done, total: calls.append((done, total))
    )
    assert report["notes"] == len(report["per_note"]) == 3
    assert calls[-1] == (3, 3)
    mean = np.mean([row["log_mel_db"] for row in report["per_note"]])
    assert report["summary"]["log_mel_db_mean"] == pytest.approx(mean)
    low, high = report["summary"]["log_mel_db_mean_95"]
    assert low <= mean <= high
    for row in report["per_note"]:
        original, rendered = (
            soundfile.info(path).duration
            for path in (folder / row["path"], folder / "out" / f"{Path(row['path']).stem}.wav")
        )
        assert rendered == pytest.approx(original, abs=1e-4)


def test_renders_do_not_replace_their_notes(explorer, folder: Path) -> None:
    note = next(folder.glob("*.flac"))
    soundfile.write(folder / "own.wav", *soundfile.read(note))
    (folder / "index.csv").write_text("path,pitch\nown.wav,60\n")
    before = (folder / "own.wav").read_bytes()
    with pytest.raises(DataError, match=r"own\.wav would overwrite the note"):
        evaluation.evaluate_reconstruction(explorer, folder, save_audio=folder / ".." / folder.name)
    assert (folder / "own.wav").read_bytes() == before


@pytest.mark.long
def test_baselines_frame_the_decoder(explorer, folder: Path) -> None:
    """A fitted render beats the unfitted one, the ceiling beats it, and an untrained network is far off."""
    plain = evaluation.evaluate_reconstruction(explorer, folder)["summary"]
    report = evaluation.evaluate_reconstruction(explorer, folder, fit_steps=6, with_baselines=True)["summary"]
    beside = report["baselines"]
    assert report["fit_steps"] == 6
    assert report["log_mel_db_mean"] < 0.95 * plain["log_mel_db_mean"]
    assert beside["untrained"]["log_mel_db_mean"] > 2.0 * report["log_mel_db_mean"]
    assert beside["untrained"]["frechet_db2"] > report["frechet_db2"] > 0.0
    assert 0.0 < beside["other_seed"]["log_mel_db_mean"] < report["log_mel_db_mean"]
    assert set(beside) == {"mu_law_256", "other_seed", "untrained", "final"}
    assert "mu_law_256" not in evaluation.evaluate_reconstruction(explorer, folder)["summary"]


@pytest.mark.slow
def test_a_checkpoint_without_pitch_is_judged_by_the_index(tmp_path: Path, folder: Path) -> None:
    from synth_explorer.explorer import Explorer
    from tests.conftest import make_note
    from tests.model.small_nsynth import small_checkpoint

    for path in folder.glob("*.flac"):
        soundfile.write(path, make_note(60.0, seconds=0.1), 16000)
    nsynth = Explorer.load(small_checkpoint(tmp_path / "tiny").path)
    words = {"decoder": "wavenet", "fit_steps": 16}
    report = evaluation.evaluate_reconstruction(nsynth, folder, **words, with_baselines=True)
    assert report["summary"]["fit_steps"] == 0 and report["summary"]["engine"] == "auto"
    rounded = evaluation.evaluate_reconstruction(nsynth, folder, **words, engine="numba-int8")
    assert rounded["summary"]["log_mel_db_mean"] != report["summary"]["log_mel_db_mean"]
    assert np.isfinite(report["summary"]["log_mel_db_mean"])
    assert "midi_error" not in report["per_note"][0]
    assert set(report["summary"]["baselines"]) == {"mu_law_256", "other_seed"}


@pytest.mark.slow
def test_morph_report(explorer, folder: Path) -> None:
    report = evaluation.evaluate_morph(explorer, folder, save_audio=folder / "out", pitch_source="index")
    assert report["notes"] == 6
    assert len(list((folder / "out").glob("*.wav"))) == 6
    nearer_a = [row["log_mel_to_a_db"] < row["log_mel_to_b_db"] for row in report["per_note"]]
    assert nearer_a[0]
    assert not nearer_a[2]


@pytest.mark.slow
def test_a_morph_at_another_octave_than_the_index_says_is_heard(explorer, folder: Path) -> None:
    right = evaluation.evaluate_morph(explorer, folder)["summary"]["pitch_within_half_semitone"]
    rows = list(csv.reader((folder / "index.csv").open()))
    with (folder / "index.csv").open("w", newline="") as file:
        csv.writer(file).writerows([rows[0], *([path, int(pitch) + 12] for path, pitch in rows[1:])])
    report = evaluation.evaluate_morph(explorer, folder)
    assert right == 1.0 and report["summary"]["pitch_within_half_semitone"] == 0.0
    assert all(row["pitch_cents"] == pytest.approx(-1200, abs=50) for row in report["per_note"])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "header"),
        ("path,pitch\n", "at least one row"),
        ("name,pitch\na.wav,60\n", "header"),
        ("path,pitch\n../a.wav,60\n", "line 2.*inside"),
        ("path,pitch\n/etc/passwd,60\n", "line 2.*inside"),
        ("path,pitch\na\0.wav,60\n", "line 2.*inside"),
        ("path,pitch\na.wav,high\n", "line 2: pitch: .*received 'high'"),
        ("path,pitch\na.wav,60\nb.wav,nan\n", "line 3: pitch: should be a finite number"),
        ("path,pitch\na.wav,inf\n", "line 2: pitch: should be a finite"),
        ("path,pitch\na.wav,-5\n", "line 2: pitch: should be greater than or equal to 0"),
        ("path,pitch\na.wav,500\n", "line 2: pitch: should be less than or equal to 127"),
    ],
)
def test_a_bad_index_is_named(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "index.csv").write_text(text)
    with pytest.raises(DataError, match=message):
        read_index(tmp_path, IndexRow)


def test_a_missing_index_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"index\.csv"):
        read_index(tmp_path, IndexRow)


@pytest.mark.slow
@pytest.mark.parametrize("evaluate", [evaluation.evaluate_reconstruction, evaluation.evaluate_morph])
def test_a_note_that_cannot_be_used_is_told_and_the_others_go_on(explorer, folder: Path, evaluate) -> None:
    index = folder / "index.csv"
    pitch = index.read_text().split(",")[-1].strip()
    (folder / "bad.wav").write_bytes(b"no sound")
    index.write_text(f"path,pitch\nbad.wav,{pitch}\n" + index.read_text().split("\n", 1)[1])
    report = evaluate(explorer, folder)
    assert [one["path"] for one in report["failed"]] == ["bad.wav"] and "not a sound" in report["failed"][0]["error"]
    whole = (folder / "index.csv").read_text().replace(f"bad.wav,{pitch}\n", "")
    index.write_text(whole)
    assert report == evaluate(explorer, folder) | {"failed": report["failed"]}
    index.write_text(f"path,pitch\nbad.wav,{pitch}\nmissing.wav,{pitch}\n")
    with pytest.raises(DataError, match=r"None of the 2 notes can be used. bad\.wav"):
        evaluate(explorer, folder)


@pytest.mark.slow
def test_a_bad_note_does_not_take_its_partners_along(explorer, folder: Path) -> None:
    index = folder / "index.csv"
    first, *others = index.read_text().split()[1:]
    pitch = first.split(",")[-1]
    (folder / "bad.wav").write_bytes(b"no sound")
    good = [line.rsplit(",", 1)[0] + f",{pitch}" for line in (first, *others)]
    index.write_text("\n".join(["path,pitch", *good]))
    whole = evaluation.evaluate_morph(explorer, folder)
    index.write_text("\n".join(["path,pitch", good[0], f"bad.wav,{pitch}", *good[1:]]))
    report = evaluation.evaluate_morph(explorer, folder)
    assert [one["path"] for one in report["failed"]] == ["bad.wav"]
    assert report["per_note"] == whole["per_note"]
    index.write_text("\n".join(["path,pitch", good[0], f"bad.wav,{pitch}"]))
    with pytest.raises(DataError, match=r"no two notes of one pitch that can be used.*bad\.wav"):
        evaluation.evaluate_morph(explorer, folder)


def test_a_render_that_cannot_be_kept_is_told(explorer, folder: Path) -> None:
    def save(path: Path, audio: np.ndarray, midi: float) -> None:
        assert np.isfinite(midi)
        raise AudioError(f"{path.name} would clip.")

    report = evaluation.evaluate_reconstruction(explorer, folder, save_audio=folder / "out", save=save)
    assert report["notes"] == len(report["failed"]) == 3
    assert all("would clip" in one["error"] for one in report["failed"])
