"""Songs: voices against naive sums, times to the sample, bends, morphs and releases as they were asked."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from synth_explorer import measure
from synth_explorer.instruments import midi
from synth_explorer.instruments.loops import Loop, cross_faded
from synth_explorer.instruments.maker import Maker
from synth_explorer.instruments.sample import Sample, Slot
from synth_explorer.instruments.voices import VIBRATO_CENTS, Player, path, read, released, wheel_moves
from synth_explorer.instruments.zones import level_db
from synth_explorer.rendering import Patch, Renderer
from tests.instruments.notes import RATE_HZ
from tests.instruments.songs import bend, control, note, song, tempo


class Tones:
    """Samples that are known: one frequency for each step of the morph, times the key's; a loop of whole periods."""

    sample_rate_hz = RATE_HZ

    def __init__(self, *, morph_steps: int = 1, cents: float = 0.0, release_s: float = 0.1) -> None:
        self.morph_steps, self.cents, self.release_s = morph_steps, cents, release_s
        self.asked: list[Slot] = []

    def hz(self, slot: Slot) -> float:
        return (250.0, 500.0, 1000.0)[slot.step] * 2 ** ((slot.root - 60) / 12)

    def sample(self, slot: Slot) -> Sample:
        self.asked.append(slot)
        audio = np.sin(2 * np.pi * self.hz(slot) * np.arange(RATE_HZ) / RATE_HZ).astype(np.float32)
        loop = Loop(6400, 12800, 640, 1.0)
        return Sample(slot, cross_faded(audio, loop), loop, self.cents, True, self.release_s, -3.0, "")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "song.mid"


def test_voices_are_mixed_as_a_naive_sum(file: Path) -> None:
    song(file, [*note(0, 1, 60, 127), *note(0.25, 2, 64, 60), *note(0.3, 0.1, 67, 1), *note(3, 1, 60, 90)])
    tones, found = Tones(), midi.read(file)
    sound = Player(tones).play(found)
    naive = np.zeros(sound.size)
    for one in found.notes:
        start, end = round(one.start_s * RATE_HZ), round(one.end_s * RATE_HZ)
        sample = tones.sample(Player(tones).slot(one, 0))
        for at in range(end - start + round(0.1 * RATE_HZ)):
            place = at
            while place >= sample.loop.end:
                place -= sample.loop.length
            gain = 10 ** (level_db(one.velocity) / 20) / 10 ** (sample.slot.layer.level_db / 20)
            after = max(0, start + at - end) / RATE_HZ
            fade = min(1.0, (end + round(0.1 * RATE_HZ) - 1 - start - at) / 79)
            naive[start + at] += gain * sample.audio[place] * 10 ** (-3.0 * after / 0.1) * fade
    np.testing.assert_allclose(sound, naive, atol=2e-5)


@pytest.mark.parametrize("bpm", [120.0, 97.3, 61.7])
def test_notes_begin_to_the_sample(file: Path, bpm: float) -> None:
    beats = [0.0, 1.0, 2.37, 7.5, 100.0]
    song(file, [tempo(0, bpm), *(event for beat in beats for event in note(beat, 0.25))])
    sound = Player(Tones(release_s=0.03)).play(midi.read(file))
    loud = np.flatnonzero(np.abs(sound) > 0)
    starts = loud[np.flatnonzero(np.diff(loud, prepend=-10_000) > 100)]
    asked = [round(round(beat * 480) * round(60e6 / bpm) * 1e-6 / 480 * RATE_HZ) for beat in beats]
    assert starts.tolist() == [at + 1 for at in asked]  # a sine's first sample is 0


def test_a_long_note_sounds_until_it_is_let_go(file: Path) -> None:
    song(file, note(0, 20))
    sound = Player(Tones()).play(midi.read(file))
    assert sound.size == round(10.1 * RATE_HZ)
    assert np.abs(sound[160_000 - 100 : 160_000]).max() > 0.5
    level = measure.rms_envelope(sound, sample_rate_hz=RATE_HZ, window_ms=20.0)
    assert level[160_800] == pytest.approx(level[150_000] * 10**-1.5, rel=0.25)
    assert np.abs(sound[-3:]).max() < 1e-4


def test_the_release() -> None:
    gain = released(3000, 1000, 0.1, sample_rate_hz=RATE_HZ)
    assert np.all(gain[:1001] == 1.0) and np.all(np.diff(gain[1000:]) < 0) and gain[-1] == 0.0
    assert 20 * np.log10(gain[1800]) == pytest.approx(-30.0, abs=0.1)
    assert np.all(released(500, 500, 0.1, sample_rate_hz=RATE_HZ) == 1.0)


def heard_cents(sound: np.ndarray, hz: float) -> float:
    return 1200 * np.log2(measure.pitch_hz(sound, sample_rate_hz=RATE_HZ, around_hz=hz) / hz)


def test_bends_are_heard_in_cents(file: Path) -> None:
    song(file, [*note(0, 4), bend(2, 4096)])
    sound = Player(Tones()).play(midi.read(file))
    assert heard_cents(sound[: RATE_HZ - 100], 250.0) == pytest.approx(0.0, abs=0.3)
    assert heard_cents(sound[RATE_HZ + 100 : 2 * RATE_HZ], 250.0 * 2 ** (1 / 12)) == pytest.approx(0.0, abs=0.3)


def test_a_bent_sample_is_read_where_the_bend_says() -> None:
    """Against the phase that a sine would have: the sum of all the steps before."""
    one = Tones().sample(Slot(60, Player(Tones()).layers[0]))
    rate = 2.0 ** (np.sin(np.arange(20_000) / 900.0) / 6.0)
    position, phases = 0.0, []
    for step in rate.tolist():
        phases.append(position)
        position += step
    expected = np.sin(2 * np.pi * 250.0 * np.array(phases) / RATE_HZ)
    np.testing.assert_allclose(read(one, rate, 20_000)[10:-10], expected[10:-10], atol=1e-4)


def test_measured_cents_and_keys_without_a_sample_are_made_up_for(file: Path) -> None:
    song(file, [*note(0, 4, 60), *note(8, 4, 12), *note(16, 4, 120)])
    tones = Tones(cents=12.0)
    sound = Player(tones).play(midi.read(file))
    assert heard_cents(sound[: 2 * RATE_HZ], 250.0) == pytest.approx(-12.0, abs=0.3)
    low, high = sound[4 * RATE_HZ : 6 * RATE_HZ], sound[8 * RATE_HZ : 10 * RATE_HZ]
    assert {slot.root for slot in tones.asked} == {60, 18, 111}
    crossings = [np.count_nonzero(np.diff(np.signbit(part))) / 4 for part in (low, high)]
    assert crossings[0] == pytest.approx(250 * 2**-4 * 2 ** (-12 / 1200), abs=0.6)
    assert crossings[1] == pytest.approx(250 * 2**5 * 2 ** (-12 / 1200), rel=0.01)


def strengths(sound: np.ndarray) -> list[float]:
    """Amplitudes of the three tones of `Tones` at middle C."""
    at = np.arange(sound.size) / RATE_HZ
    return [2 * abs(np.mean(sound * np.exp(-2j * np.pi * hz * at))) for hz in (250.0, 500.0, 1000.0)]


def test_the_wheel_morphs_while_a_note_sounds(file: Path) -> None:
    song(file, [*note(0, 8, velocity=127), control(2, 1, 127), control(4, 1, 32), control(6, 1, 0)])
    found = midi.read(file)
    sound, second = Player(Tones(morph_steps=3)).play(found), RATE_HZ
    assert wheel_moves(found)
    assert strengths(sound[: second - 100]) == pytest.approx([1, 0, 0], abs=0.01)
    assert strengths(sound[second + 100 : 2 * second - 100]) == pytest.approx([0, 0, 1], abs=0.01)
    part = 64 / 127
    assert strengths(sound[2 * second + 100 : 3 * second - 100]) == pytest.approx([1 - part, part, 0], abs=0.01)
    power = Player(Tones(morph_steps=3), is_coherent=False).play(found)[2 * second + 100 : 3 * second - 100]
    assert strengths(power) == pytest.approx([(1 - part) ** 0.5, part**0.5, 0], abs=0.01)


def test_a_path_morphs_over_the_song_and_the_wheel_is_left_alone(file: Path) -> None:
    song(file, [*note(0, 1, velocity=127), *note(4, 1, velocity=127), *note(8, 1, velocity=127), control(0, 1, 127)])
    place = path([(0.5, 0.0), (1.0, 0.5), (4.0, 1.0)])
    assert place(np.array([0.0, 0.75, 9.0])).tolist() == [0.0, 0.25, 1.0]
    sound = Player(Tones(morph_steps=3), place=path([(0.6, 0.0), (2.0, 0.5), (2.6, 0.5), (4.0, 1.0)])).play(
        midi.read(file)
    )
    for start, asked in ((0, [1, 0, 0]), (2, [0, 1, 0]), (4, [0, 0, 1])):
        assert strengths(sound[start * RATE_HZ : start * RATE_HZ + 8000]) == pytest.approx(asked, abs=0.01)


def test_only_what_sounds_is_rendered(file: Path) -> None:
    song(file, [*note(0, 1, 60, 127), *note(1, 1, 60, 100), *note(2, 1, 62, 30)])
    tones = Tones(morph_steps=3)
    Player(tones).play(midi.read(file))
    assert {(slot.root, slot.layer.high, slot.step) for slot in tones.asked} == {(60, 127, 0), (62, 32, 0)}


def test_with_one_sound_the_wheel_is_a_vibrato(file: Path) -> None:
    song(file, [*note(0, 8), control(4, 1, 127)])
    sound = Player(Tones()).play(midi.read(file))
    follow = {"sample_rate_hz": RATE_HZ, "around_hz": 250.0, "track_rate_hz": 200.0}
    still, swings = (
        measure.pitch_track_cents(part, **follow) for part in (sound[: 2 * RATE_HZ], sound[2 * RATE_HZ : 4 * RATE_HZ])
    )
    assert np.nanmax(np.abs(still[10:-10])) < 1.0
    assert np.nanmax(np.abs(swings[10:-10])) == pytest.approx(VIBRATO_CENTS, rel=0.1)


def test_velocities_go_by_the_curve_over_the_layers(file: Path) -> None:
    velocities = [1, 20, 32, 33, 64, 65, 96, 127]
    song(file, [event for at, velocity in enumerate(velocities) for event in note(2 * at, 1, 60, velocity)])
    sound = Player(Tones()).play(midi.read(file))
    for at, velocity in enumerate(velocities):
        (layer,) = [one for one in Player(Tones()).layers if one.low <= velocity <= one.high]
        heard_db = 20 * np.log10(np.abs(sound[at * RATE_HZ + 2000 : at * RATE_HZ + 7000]).max())
        assert heard_db + layer.level_db == pytest.approx(level_db(velocity), abs=0.1)


@pytest.mark.slow
def test_a_patch_plays(renderer: Renderer, pair: Patch, file: Path) -> None:
    song(file, [*note(0, 4, 57, 100), *note(0, 8, 64, 60), control(2, 1, 127), bend(4, 2000)])
    maker = Maker(renderer, pair, morph_steps=3)
    done: list[tuple[int, int]] = []
    sound = Player(maker).play(midi.read(file), progress=lambda *at: done.append(at))
    assert done == [(1, 2), (2, 2)] and np.isfinite(sound).all() and 0.1 < np.abs(sound).max() < 2.0
    assert heard_cents(sound[int(2.2 * RATE_HZ) : int(3.9 * RATE_HZ)], 329.63 * 2 ** (2000 / 8192 * 2 / 12)) < 3.0
    np.testing.assert_array_equal(Player(Maker(renderer, pair, morph_steps=3)).play(midi.read(file)), sound)
