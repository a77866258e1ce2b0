"""Pitch that moves: known glides, vibrato and melodies are followed; what stands still keeps its track, bit for bit."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy.ndimage import map_coordinates

from synth_explorer import audio as files
from synth_explorer import pitch, pitch_path
from synth_explorer.assets import ExampleNote, example_notes
from synth_explorer.pitch import hz_to_midi, midi_to_hz
from synth_explorer.pitch_unrest import shift_gain, suspicious

RATE_HZ, HOP = 16000, 512
SIZES = {"sample_rate_hz": RATE_HZ, "hop": HOP}
TIMBRES: dict[str, Callable[[int], float]] = {
    "saw": lambda k: 1.0 / k,
    "square": lambda k: (k % 2) / k,
    "sine": lambda k: float(k == 1),
    "no fundamental": lambda k: (k > 1) / k,
    "strong second": lambda k: {1: 0.3, 2: 1.0}.get(k, 0.5 / k),
    "dark": lambda k: k**-2.5,
}


def ramp(t: np.ndarray, begin_s: float, end_s: float) -> np.ndarray:
    return np.clip((t - begin_s) / (end_s - begin_s), 0.0, 1.0)


MOVES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "six semitones": lambda t: 6.0 * ramp(t, 0.3, 1.7),
    "an octave in half a second": lambda t: 12.0 * ramp(t, 0.7, 1.2),
    "an octave down, to the edges": lambda t: -6.0 * t,
    "a curve": lambda t: 7.0 / (1.0 + np.exp(-8.0 * (t - 1.0))),
    "up and down": lambda t: 7.0 * (1.0 - np.abs(2.0 * ramp(t, 0.2, 1.8) - 1.0)),
    "a bend": lambda t: 2.0 * ramp(t, 0.8, 1.0),
    "vibrato of 60 cents": lambda t: 0.6 * np.sin(2 * np.pi * 8.0 * t),
    "vibrato of 200 cents": lambda t: 2.0 * np.sin(2 * np.pi * 6.0 * t),
    "two notes": lambda t: 4.0 * (t > 1.0),
    "three notes": lambda t: 4.0 * (t > 0.7) - 9.0 * (t > 1.3),
}


def moving(
    move: str, timbre: str = "saw", *, midi: float = 60.0, seconds: float = 2.0
) -> tuple[np.ndarray, np.ndarray]:
    """A sound [T] and the true MIDI pitch of each frame [F]."""
    t = np.arange(int(seconds * RATE_HZ)) / RATE_HZ
    truth = midi + MOVES[move](t)
    hz = np.asarray(midi_to_hz(truth))
    turns = np.cumsum(hz) / RATE_HZ
    audio = sum(
        np.where(k * hz < 7500, TIMBRES[timbre](k), 0.0) * np.sin(2 * np.pi * (k * turns + 0.37 * k * k))
        for k in range(1, 20)
    )
    return (0.3 * audio / np.abs(audio).max()).astype(np.float32), truth[::HOP]


def share_near(heard_hz: np.ndarray, truth: np.ndarray, *, cents: float = 30.0) -> float:
    return float(np.mean(np.abs(100.0 * (hz_to_midi(heard_hz) - truth)) < cents))


def read(note: ExampleNote) -> np.ndarray:
    return files.load(note.path, sample_rate_hz=RATE_HZ)


@pytest.mark.parametrize("move", MOVES)
def test_follows_every_movement(move: str) -> None:
    audio, truth = moving(move)
    assert share_near(pitch_path.track(audio, midi=60, **SIZES), truth) >= 0.95


@pytest.mark.parametrize("timbre", TIMBRES)
@pytest.mark.parametrize("midi", [45, 72])
def test_follows_in_every_timbre(timbre: str, midi: int) -> None:
    for move in ("an octave in half a second", "three notes"):
        audio, truth = moving(move, timbre, midi=midi)
        assert share_near(pitch_path.track(audio, midi=midi, **SIZES), truth) >= 0.95, move


@pytest.mark.parametrize("name", ["Alto Sax", "Trumpet", "Flute", "Cello", "Grand Piano", "Reed Organ"])
def test_follows_glides_of_instruments(name: str) -> None:
    """A bundled note played at a speed that rises: its own pitch, and what the speed adds, is the truth."""
    note = next(note for note in example_notes() if note.name == name)
    audio = read(note)
    t = np.arange(2 * RATE_HZ) / RATE_HZ
    rise = 7.0 * ramp(t, 0.3, 1.5) - 2.0
    at = np.cumsum(2.0 ** (rise / 12.0)) - 1.0
    t, rise, at = (part[at < len(audio) - 10] for part in (t, rise, at))
    glide = map_coordinates(audio, at[None], order=3)
    own = hz_to_midi(pitch.track(audio, midi=note.pitch, sample_rate_hz=RATE_HZ, hop=128))
    truth = (np.interp(at / 128, np.arange(len(own)), own) + rise)[::HOP]
    heard_hz = pitch_path.track(glide, midi=note.pitch, **SIZES)
    level = np.sqrt(np.add.reduceat(glide**2, np.arange(0, len(glide), HOP)))
    loud = level > 0.03 * level.max()
    assert share_near(heard_hz[loud], truth[loud]) >= 0.9


@pytest.mark.parametrize(("cents", "seconds"), [(400.0, 0.15), (200.0, 0.3), (400.0, 0.3)])
@pytest.mark.parametrize("midi", [48, 60, 72])
def test_a_scoop_into_a_note_is_followed(midi: int, cents: float, seconds: float) -> None:
    t = np.arange(3 * RATE_HZ) / RATE_HZ
    truth = midi - cents / 100.0 * np.exp(-2.0 * t / seconds) + 0.15 * np.sin(2 * np.pi * 5.0 * t)
    phase = 2 * np.pi * np.cumsum(midi_to_hz(truth)) / RATE_HZ
    audio = (0.2 * sum(np.sin(k * phase + k) / k for k in range(1, 12))).astype(np.float32)
    heard = pitch_path.track(audio, midi=midi, **SIZES)
    away = 1200.0 * np.abs(np.log2(heard[1:12] / midi_to_hz(truth[:: SIZES["hop"]][1:12])))
    assert away.max() < 60.0


def test_steady_notes_keep_their_track_bit_for_bit() -> None:
    for note in example_notes():
        audio = read(note)
        np.testing.assert_array_equal(
            pitch_path.track(audio, midi=note.pitch, **SIZES), pitch.track(audio, midi=note.pitch, **SIZES), note.name
        )


def test_few_steady_notes_are_suspected() -> None:
    """Suspicion costs time: the whole range is listened to."""
    notes = example_notes()
    suspected = [note.name for note in notes if suspicious(pitch.refine(read(note), midi=note.pitch, **SIZES))]
    assert len(suspected) <= 2, suspected


def test_noise_chords_and_bells_stay() -> None:
    rng = np.random.default_rng(0)
    t = np.arange(2 * RATE_HZ) / RATE_HZ
    saw = {midi: moving("a bend", midi=midi, seconds=0.75)[0] for midi in (60, 64, 67)}
    sounds = {
        "noise": rng.normal(size=t.size),
        "bursts": rng.normal(size=t.size) * np.exp(-8.0 * (t % 0.5)),
        "snare": rng.normal(size=t.size) * np.exp(-12 * t) + np.sin(2 * np.pi * 190 * t) * np.exp(-18 * t),
        "chord": saw[60] + saw[64] + saw[67],
        "bell": sum(np.sin(2 * np.pi * hz * t) * np.exp(-hz / 300 * t) for hz in (220, 444, 528, 660, 898, 1190)),
        "silence": np.zeros(t.size),
    }
    for name, sound in sounds.items():
        audio = (0.3 * sound / max(np.abs(sound).max(), 1e-9)).astype(np.float32)
        heard = pitch_path.track(audio, midi=60, **SIZES)
        np.testing.assert_array_equal(heard, pitch.track(audio, midi=60, **SIZES), name)


@pytest.mark.parametrize("samples", [0, 1, 100, 600, 3000])
def test_short_sounds(samples: int) -> None:
    audio = np.random.default_rng(1).normal(size=samples).astype(np.float32)
    heard = pitch_path.listen(audio, midi=60, **SIZES)
    assert heard.midi.shape == heard.voiced.shape == (max(1, -(-samples // HOP)),)
    assert np.isfinite(heard.midi).all()


def test_a_stated_octave_is_kept_where_the_note_stands() -> None:
    audio, truth = moving("a bend")
    below = hz_to_midi(pitch_path.track(audio, midi=48, stated=True, **SIZES))
    np.testing.assert_allclose(np.median(below - truth), -12.0, atol=0.3)
    same = pitch_path.track(audio, midi=60, stated=True, **SIZES)
    assert share_near(same, truth) > 0.95


def test_voiced_is_where_the_sound_is() -> None:
    audio, _ = moving("six semitones")
    heard = pitch_path.listen(np.concatenate([audio, np.zeros(RATE_HZ, np.float32)]), midi=60, **SIZES)
    assert heard.moves
    assert heard.voiced[5:58].all() and not heard.voiced[66:].any()
    np.testing.assert_allclose(heard.midi[66:], 66.0, atol=0.3)  # what is not heard stays where the note ended


def test_the_best_way_is_the_best_of_all() -> None:
    """Against every path through a small lattice."""
    rng = np.random.default_rng(2)
    score = rng.random((5, 6))
    ramp_cost = pitch_path.MOVE_COST * pitch_path.STEP_CENTS / 1200.0

    def worth(way: np.ndarray) -> float:
        moves = np.minimum(ramp_cost * np.abs(np.diff(way)), pitch_path.JUMP_COST)
        return float(score[np.arange(5), way].sum() - moves.sum())

    best = max(worth(np.array(way)) for way in np.ndindex(6, 6, 6, 6, 6))
    np.testing.assert_allclose(worth(pitch_path.best_way(score)), best)


def test_correlation_against_the_plain_one() -> None:
    """Uncompressed and unwindowed this is cos of the lag; here, only where the peaks lie and how high they are."""
    t = np.arange(1024) / RATE_HZ
    tone = sum(np.sin(2 * np.pi * 250.0 * k * t) / k for k in range(1, 9)).astype(np.float32)
    found = pitch_path.correlation(tone[None], np.array([128.0, 64.0, 48.0]), finer=2)[0]
    assert found[0] > 0.9 and found[1] > 0.9 and found[2] < 0.5


def test_straightening_makes_a_glide_stand() -> None:
    audio, _ = moving("six semitones")
    steps = 4 * len(audio) // HOP
    path = 60.0 + MOVES["six semitones"](np.arange(steps) * 128 / RATE_HZ)
    still, places = pitch_path.straightened(audio, path, step=128, middle=62.0)
    assert places[0] == 0 and (np.diff(places) > 0).all()
    heard = hz_to_midi(pitch.track(still, midi=62, **SIZES))
    np.testing.assert_allclose(heard[2:-2], 62.0, atol=0.05)


def test_a_shifted_spectrum_is_noticed_and_a_fading_one_is_not() -> None:
    rng = np.random.default_rng(3)
    shape = rng.random(400)
    fading = shape * np.exp(-np.arange(30)[:, None] * np.linspace(0, 0.1, 400))
    assert shift_gain(fading.astype(np.float32), bin_hz=15.6).max() < 0.05
    audio, _ = moving("two notes")
    refined = pitch.refine(audio, midi=60, **SIZES)
    assert (shift_gain(refined.spectra, bin_hz=refined.bin_hz) > 0.3).sum() > 20
