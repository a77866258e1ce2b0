"""An Explorer over an NSynth checkpoint: the tiny network, saved and loaded as an imported one is."""

from __future__ import annotations

from pathlib import Path
from threading import Event

import numpy as np
import pytest

from synth_explorer import audio as audio_files
from synth_explorer.edits import (
    Add,
    Brightness,
    EditChain,
    Gain,
    Oscillate,
    OscillateChannels,
    Scale,
    Toward,
    Transpose,
)
from synth_explorer.errors import AudioError, CheckpointError, EditError, LatentsError, SynthExplorerError
from synth_explorer.explorer import Explorer
from synth_explorer.explorer.decoders import FAST, WAVENET
from synth_explorer.latents import Latents, time_mean
from tests.conftest import make_note


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny checkpoint."""
    from tests.model.small_nsynth import small_checkpoint

    return small_checkpoint(tmp_path_factory.mktemp("checkpoints") / "tiny").path


@pytest.fixture(scope="module")
def nsynth(folder: Path) -> Explorer:
    return Explorer.load(folder)


@pytest.fixture(scope="module")
def latents(nsynth: Explorer) -> Latents:
    return nsynth.encode(make_note(60, seconds=0.1), source="note")


def test_what_it_says_of_itself(nsynth: Explorer) -> None:
    assert (nsynth.decoders, nsynth.has_pitch, nsynth.hop, nsynth.sample_rate_hz) == ((WAVENET,), False, 64, 16000)
    assert nsynth.controls.loudness is None and nsynth.controls.brightness is None
    assert "wavenet" in repr(nsynth)
    nsynth.warm_up()


def test_latents_begin_before_the_onset(nsynth: Explorer, latents: Latents) -> None:
    note = audio_files.audible(make_note(60, seconds=0.1), sample_rate_hz=nsynth.sample_rate_hz)
    assert latents.frames == -(-latents.duration_samples // nsynth.hop)
    assert not latents.has_pitch and latents.meta.checkpoint_hash == nsynth.checkpoint_hash
    start = latents.meta.lead_in_samples
    kept = note[start : start + latents.duration_samples]
    assert latents.duration_samples == len(note) - start
    as_is = nsynth.encode(kept, align=False)
    np.testing.assert_array_equal(as_is.z, latents.z)
    assert as_is.meta.lead_in_samples == 0
    later = nsynth.encode(np.concatenate([np.zeros(100, np.float32), note]))
    np.testing.assert_allclose(later.z, latents.z, atol=0.05)  # its mean is another
    assert later.meta.lead_in_samples == start + 100


def test_as_it_is_is_what_the_network_says(nsynth: Explorer) -> None:
    from keras import ops

    note = make_note(62, seconds=0.2)[: 40 * nsynth.hop]
    expected = ops.convert_to_numpy(nsynth.model.encoder(note[None]))[0]
    np.testing.assert_allclose(nsynth.encode(note, align=False).z, expected, atol=1e-6)


def test_a_pitch_is_passed_over_but_never_set(nsynth: Explorer, latents: Latents, tmp_path: Path) -> None:
    note = make_note(60, seconds=0.1)
    np.testing.assert_array_equal(nsynth.encode(note, pitch=72.0).z, latents.z)
    with pytest.raises(AudioError, match="inside its latents"):
        nsynth.estimate_pitch(note)
    path = latents.save(tmp_path / "a.npz")
    with pytest.raises(LatentsError, match="inside z"):
        nsynth.load_latents(path, pitch=60.0)
    with pytest.raises(LatentsError, match="inside z"):
        nsynth.morph([latents, latents], (0.5, 0.5), pitch=60.0)


def test_decoding_is_its_stream_and_its_seed(nsynth: Explorer, latents: Latents) -> None:
    sound = nsynth.decode(latents, seed=3)
    assert sound.dtype == np.float32 and sound.shape == (latents.duration_samples,)
    assert len(np.unique(sound)) > 20
    chunks = list(nsynth.stream(latents, seed=3, decoder="wavenet"))
    assert all(chunk.ndim == 1 for chunk in chunks)
    np.testing.assert_array_equal(np.concatenate(chunks), sound)
    assert not np.array_equal(nsynth.decode(latents, seed=4), sound)
    calm = [nsynth.decode(latents, seed=seed, temperature=0.0) for seed in (1, 2)]
    np.testing.assert_array_equal(*calm)


@pytest.mark.slow
def test_engines_agree(nsynth: Explorer, latents: Latents) -> None:
    two = latents.replace(z=latents.z[:2], pitch_hz=latents.pitch_hz[:2], duration_samples=100)
    numba, keras = (nsynth.decode(two, seed=3, engine=engine) for engine in ("numba", "keras"))
    np.testing.assert_array_equal(numba, keras)
    np.testing.assert_array_equal(numba, nsynth.decode(latents, seed=3)[:100])  # later frames are not heard before


def test_a_stream_tells_and_stops(nsynth: Explorer, latents: Latents) -> None:
    told: list[tuple[int, int]] = []
    sound = nsynth.decode(latents, progress=lambda done, total: told.append((done, total)))
    assert told[-1] == (len(sound), len(sound))
    assert [done for done, _ in told] == sorted({done for done, _ in told})
    stop = Event()
    stop.set()
    assert list(nsynth.stream(latents, stop=stop)) == []
    halves = nsynth.stream(latents, stop=lambda: len(told) > 2 * len(sound))
    assert sum(map(len, halves)) == len(sound)


def test_latents_travel_as_magentas_embeddings(nsynth: Explorer, latents: Latents, tmp_path: Path) -> None:
    path = latents.save(tmp_path / "note.npy")
    assert np.load(path).shape == (latents.frames, 4)
    np.save(tmp_path / "batch.npy", np.load(path)[None])
    for name in ("note.npy", "batch.npy"):
        read = nsynth.load_latents(tmp_path / name)
        np.testing.assert_array_equal(read.z, latents.z)
        assert not read.has_pitch
        assert len(nsynth.decode(read)) == latents.frames * nsynth.hop
    np.save(tmp_path / "other.npy", np.zeros((10, 16), np.float32))
    with pytest.raises(LatentsError, match="16 channels"):
        nsynth.load_latents(tmp_path / "other.npy")
    whole = nsynth.load_latents(latents.save(tmp_path / "note.npz"))
    np.testing.assert_array_equal(nsynth.decode(whole), nsynth.decode(latents))


def test_a_morph_holds_every_channel_of_the_shorter_note(nsynth: Explorer, latents: Latents) -> None:
    longer = nsynth.encode(make_note(64, seconds=0.3))
    mixed = nsynth.morph([latents, longer], (0.25, 0.75))
    assert (mixed.frames, mixed.has_pitch) == (longer.frames, False)
    np.testing.assert_allclose(mixed.z[-1], 0.25 * latents.z[-1] + 0.75 * longer.z[-1], atol=1e-5)
    assert np.isfinite(nsynth.decode(mixed)).all()


def test_raw_edits(nsynth: Explorer, latents: Latents) -> None:
    other = nsynth.encode(make_note(72, seconds=0.1))
    mean = time_mean(other, loudness_channel=None)
    chain = EditChain((Scale(channels=(0, 1), factor=1.5), Add(channels=(2,), amount=0.5)))
    expected = latents.z * np.array([1.5, 1.5, 1.0, 1.0]) + np.array([0.0, 0.0, 0.5, 0.0])
    np.testing.assert_allclose(nsynth.edit(latents, chain).z, expected, atol=1e-5)
    swung = nsynth.edit(latents, EditChain((OscillateChannels(channels=(3,), rate_hz=20.0, depth=1.0),)))
    assert 0.9 < np.abs(swung.z - latents.z)[:, 3].max() < 1.1
    moved = nsynth.edit(latents, EditChain((Toward(mean=tuple(mean), amount=1.0),)))
    np.testing.assert_allclose(moved.z.mean(axis=0), mean, atol=1e-4)
    for edited in (swung, moved):
        assert not np.array_equal(nsynth.decode(edited), nsynth.decode(latents))


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (Gain(db=-6.0), "not calibrated for loudness"),
        (Brightness(octaves=0.5), "not calibrated for brightness"),
        (Oscillate(target="loudness", rate_hz=5.0, depth=3.0), "not calibrated for loudness"),
        (Oscillate(target="pitch", rate_hz=5.0, depth=30.0), "keeps pitch inside z"),
        (Transpose(semitones=3.0), "keeps pitch inside z"),
    ],
)
def test_named_controls_are_refused(nsynth: Explorer, latents: Latents, edit, message: str) -> None:
    with pytest.raises(EditError, match=message):
        nsynth.edit(latents, EditChain((edit,)))


def test_wrong_choices_are_refused_at_once(nsynth: Explorer, latents: Latents) -> None:
    with pytest.raises(CheckpointError, match="wavenet"):
        nsynth.stream(latents, decoder="fast")
    with pytest.raises(CheckpointError, match="numba"):
        nsynth.stream(latents, engine="steam")
    with pytest.raises(SynthExplorerError, match="temperature"):
        nsynth.stream(latents, temperature=-1.0)
    with pytest.raises(LatentsError, match=r"other.*tiny"):
        nsynth.stream(latents.replace(checkpoint="other", checkpoint_hash="0" * 64))
    with pytest.raises(AudioError):
        nsynth.encode(np.zeros(4000, np.float32))
    with pytest.raises(AudioError):
        nsynth.encode(np.zeros(0, np.float32), align=False)


def test_short_notes(nsynth: Explorer) -> None:
    for samples in (1, 10, nsynth.hop, nsynth.hop + 1):
        audio = np.full(samples, 0.5, np.float32)
        latents = nsynth.encode(audio, align=False)
        assert (latents.frames, latents.duration_samples) == (-(-samples // nsynth.hop), samples)
        assert nsynth.decode(latents).shape == audio.shape


def test_another_family_is_named(folder: Path, tmp_path: Path) -> None:
    import json
    import shutil

    copy = Path(shutil.copytree(folder, tmp_path / "odd"))
    config = json.loads((copy / "config.json").read_text())
    (copy / "config.json").write_text(json.dumps(config | {"family": "organ"}))
    with pytest.raises(CheckpointError, match=r"should be 'default', 'nsynth' or 'wavenet'; received 'organ'"):
        Explorer.load(copy)


def test_the_default_streams_what_it_decodes(explorer: Explorer) -> None:
    assert (explorer.decoders[0], explorer.has_pitch) == (FAST, True)
    latents = explorer.encode(make_note(60), pitch=60.0)
    told: list[tuple[int, int]] = []
    chunks = list(explorer.stream(latents, seed=2, progress=lambda done, total: told.append((done, total))))
    np.testing.assert_array_equal(np.concatenate(chunks), explorer.decode(latents, decoder="fast", seed=2))
    assert told == [(latents.duration_samples, latents.duration_samples)]


@pytest.mark.parametrize("engine", [pytest.param("numba-int16", marks=pytest.mark.long), "numba-int8"])
def test_rounded_weights_have_a_seed_too(nsynth: Explorer, latents: Latents, engine: str) -> None:
    first, again = (nsynth.decode(latents, seed=3, engine=engine) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    assert nsynth.family.wavenet(engine).precision == engine.removeprefix("numba-")
