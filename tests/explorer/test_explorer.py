"""The bundled model on real notes: what comes back, what a gain or a transposition does, and what is refused."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from synth_explorer import measure
from synth_explorer.assets import example_notes
from synth_explorer.audio import restore
from synth_explorer.edits import Add, Brightness, EditChain, Gain, Oscillate, Toward, Transpose
from synth_explorer.errors import AudioError, CheckpointError, EditError, LatentsError
from synth_explorer.explorer.decoders import FAST, FINAL, WAVENET
from synth_explorer.latents import Latents
from synth_explorer.lru import LruCache

NAMES = 6

REST = (("glide", 0.0), ("melody", 0.0), ("melody", 5.0))


@pytest.fixture(scope="module")
def notes():
    """A few example notes, spread over the families."""
    found = example_notes()
    return found[:: max(1, len(found) // NAMES)]


def reconstruct(explorer, heard: np.ndarray, *, pitch: float) -> np.ndarray:
    """Encode and decode; audio [T] -> audio [T] on the original's time axis."""
    latents = explorer.encode(heard, pitch=pitch)
    lead_in_samples = latents.meta.lead_in_samples
    return restore(explorer.decode(latents), lead_in_samples=lead_in_samples, total_samples=len(heard))


@pytest.fixture(scope="module")
def encoded(explorer, notes):
    """Their latents, the pitch told."""
    return [explorer.encode(note.path, pitch=note.pitch) for note in notes]


def test_latents_carry_where_they_come_from(explorer, encoded) -> None:
    for latents in encoded:
        assert latents.channels == explorer.config.channels
        assert latents.meta.checkpoint_hash == explorer.checkpoint_hash
        assert latents.frames == -(-latents.duration_samples // explorer.hop)


@pytest.mark.slow
def test_notes_come_back_at_their_level_and_pitch(explorer, notes) -> None:
    distances, levels, cents = [], [], []
    for note in notes:
        audio = explorer.read(note.path)
        rendered = reconstruct(explorer, audio, pitch=note.pitch)
        assert rendered.shape == audio.shape
        distances.append(measure.log_mel_distance_db(audio, rendered, sample_rate_hz=explorer.sample_rate_hz))
        levels.append(abs(measure.level_error_db(audio, rendered)))
        cents.append(abs(measure.pitch_cents_difference(audio, rendered, sample_rate_hz=explorer.sample_rate_hz)))
    assert np.mean(distances) < 4.0
    assert np.median(levels) < 1.0
    assert np.nanmedian(cents) < 10.0


def test_pitch_is_estimated(explorer, notes) -> None:
    errors = [abs(explorer.estimate_pitch(explorer.read(note.path))[0] - note.pitch) for note in notes]
    assert np.mean(np.array(errors) < 0.5) >= 0.8


@pytest.mark.parametrize("gain_db", [-12.0, 6.0])
def test_gain_is_heard_in_decibels(explorer, encoded, gain_db: float) -> None:
    for latents in encoded:
        before = explorer.decode(latents)
        after = explorer.decode(explorer.edit(latents, EditChain((Gain(db=gain_db),))))
        assert measure.rms_db(after) - measure.rms_db(before) == pytest.approx(gain_db, abs=0.3)


def test_transposition_is_heard_in_cents(explorer, encoded) -> None:
    for latents in encoded:
        before = explorer.decode(latents)
        after = explorer.decode(explorer.edit(latents, EditChain((Transpose(semitones=5.0),))))
        pair = tuple(440.0 * 2 ** ((latents.pitch_midi + shift - 69) / 12) for shift in (0.0, 5.0))
        cents = measure.pitch_cents_difference(before, after, sample_rate_hz=explorer.sample_rate_hz, around_hz=pair)
        assert cents == pytest.approx(500.0, abs=10.0)


def test_the_ends_of_a_morph_are_the_notes(explorer, encoded) -> None:
    first, second = encoded[:2]
    end = explorer.morph([first, second], (1.0, 0.0))
    np.testing.assert_allclose(explorer.decode(end), explorer.decode(first), atol=1e-4)


def test_seed(explorer, encoded) -> None:
    first, again, other = (explorer.decode(encoded[0], seed=seed) for seed in (3, 3, 4))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.long
def test_engine(explorer, encoded) -> None:
    latents = encoded[0]
    first = explorer.decode(latents, seed=3)
    reference = explorer.decode(latents, seed=3, engine="keras")
    difference = np.sqrt(np.mean((first - reference) ** 2)) / np.sqrt(np.mean(reference**2))
    assert difference < 0.03


def test_temperature_scales_the_noise(explorer, encoded) -> None:
    latents = encoded[0]
    still = explorer.decode(latents, temperature=0.0, seed=1)
    np.testing.assert_array_equal(still, explorer.decode(latents, temperature=0.0, seed=2))


def test_threads_hear_the_same(explorer, encoded) -> None:
    alone = [explorer.decode(latents) for latents in encoded]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(explorer.decode, encoded))
    for a, b in zip(alone, together, strict=True):
        np.testing.assert_array_equal(a, b)


def test_the_network_runs_once_for_what_does_not_change_what_it_hears(explorer, encoded, monkeypatch) -> None:
    family, runs = explorer.family, []
    network = family.networks.network
    monkeypatch.setattr(family.networks, "network", lambda *given: runs.append(given) or network(*given))
    monkeypatch.setattr(family, "_said", LruCache(2))
    one = encoded[0]
    detailed = one.replace(detail=np.full(family.details, 0.1, np.float32))
    edited = (one, explorer.edit(one, EditChain((Gain(-6), Brightness(0.2)))), detailed)
    remembered = [explorer.decode(latents) for latents in edited]
    assert len(runs) == 1
    for latents, sound in zip(edited, remembered, strict=True):
        monkeypatch.setattr(family, "_said", LruCache(2))
        np.testing.assert_array_equal(explorer.decode(latents), sound)
    runs.clear()
    explorer.decode(explorer.edit(one, EditChain((Transpose(1),))))
    explorer.decode(explorer.edit(one, EditChain((Add((5,), 0.1),))))
    assert len(runs) == 2
    explorer.decode(one)  # only two are kept
    assert len(runs) == 3


def test_latents_file_round_trip(explorer, encoded, tmp_path) -> None:
    path = encoded[0].save(tmp_path / "note.npz")
    np.testing.assert_array_equal(explorer.decode(explorer.load_latents(path)), explorer.decode(encoded[0]))


def test_a_fit_finds_a_detail_that_brings_the_note_nearer(explorer, notes, encoded, tmp_path) -> None:
    note, audio = notes[2], explorer.read(notes[2].path)
    fitted = explorer.encode(note.path, pitch=note.pitch, fit_steps=6)
    assert fitted.details == explorer.family.details == explorer.config.details > 0 == encoded[2].details
    moving = np.abs(np.diff(fitted.detail, axis=0)).mean(axis=1)
    assert moving[1:6].mean() > 3.0 * moving[-20:].mean() > 0.0  # most at the beginning
    rate_hz, lead_in = explorer.sample_rate_hz, fitted.meta.lead_in_samples

    def distance_db(latents: Latents) -> float:
        sound = restore(explorer.decode(latents), lead_in_samples=lead_in, total_samples=len(audio))
        return measure.log_mel_distance_db(audio, sound, sample_rate_hz=rate_hz)

    bare = fitted.replace(detail=None)
    assert distance_db(fitted) < 0.95 * distance_db(bare)
    assert distance_db(fitted) < 0.8 * distance_db(encoded[2])
    read = explorer.load_latents(fitted.save(tmp_path / "fitted.npz"))
    np.testing.assert_array_equal(explorer.decode(read), explorer.decode(fitted))
    with pytest.raises(LatentsError, match="detail of 3 numbers"):
        explorer.decode(fitted.replace(detail=np.zeros(3)))


@pytest.mark.slow
def test_the_final_render_puts_back_what_the_fast_decoder_lacks(explorer, notes, encoded, tmp_path) -> None:
    note, audio = notes[2], explorer.read(notes[2].path)
    fitted = explorer.encode(note.path, pitch=note.pitch, fit_steps=2)
    assert fitted.enhancement.shape == (fitted.frames, explorer.family.enhancements)
    assert fitted.enhancement.any() and encoded[2].enhancements == 0

    def distance_db(latents: Latents, decoder: str) -> float:
        sound = explorer.decode(latents, decoder=decoder, seed=3)
        sound = restore(sound, lead_in_samples=fitted.meta.lead_in_samples, total_samples=len(audio))
        return measure.log_mel_distance_db(audio, sound, sample_rate_hz=explorer.sample_rate_hz)

    bare = fitted.replace(enhancement=None)
    np.testing.assert_array_equal(explorer.decode(fitted), explorer.decode(bare))  # the fast decoder reads none
    assert distance_db(fitted, "final") < 0.9 * distance_db(fitted, "fast")
    np.testing.assert_array_equal(explorer.decode(bare, decoder="final"), explorer.decode(bare))
    read = explorer.load_latents(fitted.save(tmp_path / "fitted.npz"))
    streamed = np.concatenate(list(explorer.stream(fitted, decoder=FINAL)))
    np.testing.assert_array_equal(explorer.decode(read, decoder="final"), streamed)
    by_keras = explorer.decode(read, decoder="final", engine="keras")
    np.testing.assert_allclose(by_keras, streamed, atol=1e-3)
    with pytest.raises(LatentsError, match="enhancement of 3 bands; default-16k has 80"):
        explorer.decode(fitted.replace(enhancement=np.zeros((fitted.frames, 3))))


def test_decoders_say_what_they_are(explorer) -> None:
    assert explorer.decoders == (FAST, FINAL) and all(one.answers_at_once for one in explorer.decoders)
    assert explorer.decoder() is explorer.decoder("fast") is explorer.decoder(FAST) is FAST
    assert explorer.decoder("wavenet") is FINAL  # as it was called
    assert (str(FINAL), FINAL.reads_enhancement, FAST.reads_enhancement) == ("final", True, False)
    assert explorer.checkpoint_hash.startswith("ea79d545252a")  # latents of before are still its own


def test_edits_toward_a_note_of_another_checkpoint_are_refused(explorer, encoded) -> None:
    with pytest.raises(EditError, match="detail of 3 numbers; default-16k has 288"):
        explorer.edit(encoded[0], EditChain((Toward((0.0,) * (explorer.config.channels + 3), 0.5),)))


def test_foreign_latents_are_refused_by_name(explorer, encoded) -> None:
    foreign = encoded[0].replace(checkpoint="other", checkpoint_hash="0" * 64)
    for use in (
        explorer.decode,
        lambda x: explorer.morph([x, x], (0.5, 0.5)),
        lambda x: explorer.edit(x, EditChain(())),
    ):
        with pytest.raises(LatentsError, match=r"other.*default"):
            use(foreign)


def test_latents_without_pitch_are_refused(explorer, encoded) -> None:
    latents = encoded[0]
    silent_pitch = Latents(latents.z, np.full(latents.frames, np.nan), latents.meta)
    with pytest.raises(LatentsError, match="pitch"):
        explorer.decode(silent_pitch)


@pytest.mark.parametrize(
    "audio", [np.zeros(16000, np.float32), np.full(16000, np.nan, np.float32), np.zeros(0, np.float32)]
)
def test_silence_and_nonsense_are_refused(explorer, audio) -> None:
    with pytest.raises(AudioError):
        explorer.encode(audio)


def test_wrong_choices_are_refused(explorer, encoded) -> None:
    with pytest.raises(
        CheckpointError, match="decoder='slow' must be one that the checkpoint default-16k has: fast, final"
    ):
        explorer.decode(encoded[0], decoder="slow")
    with pytest.raises(CheckpointError, match="wavenet"):
        explorer.decode(encoded[0], decoder=WAVENET)
    with pytest.raises(CheckpointError, match="numba"):
        explorer.decode(encoded[0], engine="steam")
    with pytest.raises(CheckpointError, match="engine='numba-int8' must be one of auto, numba, keras"):
        explorer.decode(encoded[0], engine="numba-int8")
    with pytest.raises(AudioError, match="pitch"):
        explorer.encode(np.ones(4000, np.float32), pitch=500.0)


@pytest.mark.parametrize("scale", [10.0, 1e4, 1e30])
def test_latents_far_from_any_note_are_decoded_or_refused(explorer, encoded, scale: float) -> None:
    latents = encoded[0]
    try:
        assert np.isfinite(explorer.decode(latents.replace(z=latents.z * np.float32(scale)))).all()
    except LatentsError as error:
        assert "too far" in str(error)


@pytest.mark.parametrize("seconds", [0.03, 0.3, 16.0, 40.0])
def test_short_and_long_notes(explorer, seconds: float) -> None:
    t = np.arange(int(seconds * explorer.sample_rate_hz)) / explorer.sample_rate_hz
    audio = (0.2 * np.sin(2 * np.pi * 220 * t)).astype(np.float32)
    rendered = reconstruct(explorer, audio, pitch=57.0)
    assert rendered.shape == audio.shape
    assert np.isfinite(rendered).all()


def test_npy_of_z_alone_needs_a_pitch(explorer, encoded, tmp_path) -> None:
    path = encoded[0].save(tmp_path / "note.npy")
    with pytest.raises(LatentsError, match="pitch"):
        explorer.load_latents(path)
    latents = explorer.load_latents(path, pitch=57.0)
    np.testing.assert_array_equal(latents.z, encoded[0].z)
    assert latents.pitch_midi == pytest.approx(57.0, abs=1e-3)


@pytest.mark.parametrize(("target", "depth"), [("loudness", 3.0), ("pitch", 30.0), ("brightness", 0.3)])
def test_oscillation_is_heard_at_its_rate_and_depth(explorer, target: str, depth: float) -> None:
    steady = [note for note in example_notes() if note.name in ("Cello", "Flute")]
    for note in steady:
        latents = explorer.encode(note.path, pitch=note.pitch)
        chain = EditChain((Oscillate(target=target, rate_hz=5.0, depth=depth),))
        heard = measure.oscillation(
            explorer.decode(explorer.edit(latents, chain)),
            sample_rate_hz=explorer.sample_rate_hz,
            target=target,
            before=explorer.decode(latents),
            around_hz=float(latents.pitch_hz.mean()),
        )
        assert heard.rate_hz == pytest.approx(5.0, rel=0.01)
        assert heard.depth == pytest.approx(depth, rel=0.15)
    assert steady


@pytest.mark.parametrize(
    ("name", "semitones"), [("glide", 5.0), *(pytest.param(*more, marks=pytest.mark.long) for more in REST)]
)
def test_decoding_follows_a_pitch_that_moves(explorer, name: str, semitones: float) -> None:
    """A glide and a melody are heard in what is decoded, and after edits: its fundamental lies where it was asked."""
    rate_hz, hop = explorer.sample_rate_hz, explorer.hop
    t = np.arange(2 * rate_hz) / rate_hz
    moves = {"glide": 12.0 * np.clip((t - 0.6) / 0.6, 0.0, 1.0), "melody": 4.0 * (t > 0.7) + 3.0 * (t > 1.3)}
    midi = 57.0 + moves[name]
    turns = np.cumsum(440.0 * 2.0 ** ((midi - 69.0) / 12.0)) / rate_hz
    note = (0.1 * sum(np.sin(2 * np.pi * k * turns) / k for k in range(1, 12))).astype(np.float32)
    latents = explorer.encode(note, align=False)
    score = explorer.edit(latents, EditChain((Transpose(semitones),))) if semitones else latents
    sound = explorer.decode(score)
    turned = sound * np.exp(-2j * np.pi * turns * 2.0 ** (semitones / 12.0))[: len(sound)]
    fundamental = np.convolve(turned, np.hanning(hop), "same")  # brought to 0 Hz, where it should be
    off_hz = np.angle(fundamental[1:] / fundamental[:-1]) * rate_hz / (2 * np.pi)
    asked_hz = 440.0 * 2.0 ** ((midi + semitones - 69.0) / 12.0)
    off = 12.0 * np.log2(1.0 + off_hz / asked_hz[: len(off_hz)])[::hop]
    assert np.mean(np.abs(off[2:-2]) < 0.3) > 0.85
