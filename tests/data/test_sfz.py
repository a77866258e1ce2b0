"""Notes of an SFZ instrument: what is in tune is kept, at the level and for the time that was asked."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from synth_explorer.data import sfz
from synth_explorer.data.dataset import NotesDataset, Sizes
from synth_explorer.errors import DataError
from tests.data.hearing import cents, heard_hz, to_hz

HIGH = 36  # a partial above half of 16 kHz


@pytest.fixture
def one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A folder with one repository: a sine at middle C that sounds from C to E, and noise above."""
    t = np.arange(2 * 44_100) / 44_100
    folder = tmp_path / "some.repository" / "Samples"
    folder.mkdir(parents=True)
    tone = sum(0.1 / k * np.sin(2 * np.pi * k * to_hz(60) * t) for k in (1, 2, 3, 4, 5, HIGH))
    soundfile.write(folder / "c4.wav", tone, 44_100)
    soundfile.write(folder / "noise.wav", np.random.default_rng(0).uniform(-0.2, 0.2, len(t)), 44_100)
    (folder.parent / "one.sfz").write_text(
        "<control> default_path=$sample_dir/\n"
        "<region> sample=c4.wav lokey=60 hikey=64 pitch_keycenter=60\n"
        "<region> sample=noise.wav lokey=65 hikey=67 pitch_keycenter=66\n"
    )
    instrument = sfz.Instrument("one", "some.repository", "one.sfz", "reed", "CC0", sample_dir="Samples")
    monkeypatch.setattr(sfz, "INSTRUMENTS", (instrument,))
    return tmp_path


@pytest.mark.parametrize("rate", [16_000, 48_000])
def test_notes_in_tune_are_rendered_and_noise_is_left_out(rate: int, one: Path, tmp_path: Path) -> None:
    pytest.importorskip("pysfizz")
    samples, pre_roll = rate, 4 * rate // 125
    sizes = Sizes(rate, samples, pre_roll)
    out = sfz.render(one, tmp_path / "out", workers=1, progress=False, sizes=sizes)
    notes = NotesDataset(out)
    assert {row.key for row in notes.rows} == {60, 62, 64}, "noise has no pitch"
    assert {row.velocity for row in notes.rows} == {40, 80, 120}
    assert notes.sources["one"]["licence"] == "CC0"
    assert {row.group for row in notes.rows} == {"sfz_repository"}
    for index in notes.select(instrument="one")[::3]:
        row, sound = notes.rows[index], notes.audio(index)
        assert sound.shape == (samples,) and not sound[: pre_roll - 64].any()
        sound = sound[pre_roll:]
        assert abs(cents(heard_hz(sound, to_hz(row.pitch), sample_rate_hz=rate), to_hz(row.pitch))) < 5
        spectrum = np.abs(np.fft.rfft(sound * np.hanning(len(sound))))
        above = spectrum[int(6_000 * len(sound) / rate) :].max() / spectrum.max()
        assert (above > 0.01) == (rate > 16_000), "what lies above the band is left out, and nothing folds down"
    loud = {(row.key, row.velocity): row.peak_db for row in notes.rows}
    assert loud[60, 120] > loud[60, 40] + 6
    assert not list(one.rglob(sfz.WRAPPER)), "what was written beside the instrument is gone"


def test_a_folder_without_instruments_is_refused(one: Path, tmp_path: Path) -> None:
    pytest.importorskip("pysfizz")
    with pytest.raises(DataError, match=r"some\.repository"):
        sfz.render(tmp_path / "nothing", tmp_path / "out", progress=False)


def test_only_free_recordings_are_named() -> None:
    assert len({one.name for one in sfz.INSTRUMENTS}) == len(sfz.INSTRUMENTS)
    for one in sfz.INSTRUMENTS:
        assert one.licence.startswith(("CC0", "CC BY", "public domain")), one.name
