"""Inspection: what is computed of a note and of its edits, by a model that is none."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from synth_explorer import inspection
from synth_explorer.assets import ExampleNote
from synth_explorer.edits import Brightness, Controls, EditChain, Gain, Oscillate, Scale, Toward, Transpose, Trim
from synth_explorer.errors import LatentsError
from synth_explorer.explorer.family import Decoding
from synth_explorer.inspection.inspection import shortened
from synth_explorer.latents import Latents, LatentsMeta
from synth_explorer.measure import report
from tests.fake_family import CHANNELS, HOP, RATE_HZ, FakeFamily, SlowFamily, fake_explorer

CONTROLS = FakeFamily.controls
META = LatentsMeta(FakeFamily.name, FakeFamily.hash, RATE_HZ, HOP, source="a <note>")


def latents(frames: int = 60, *, pitch: bool = True, seed: int = 0) -> Latents:
    """A note that decays by 20 dB, with channels that move."""
    rng = np.random.default_rng(seed)
    z = 0.3 * rng.normal(size=(frames, CHANNELS))
    z[:, 0] = 1.0 - np.arange(frames) / max(frames, 2)
    return Latents(z, np.full(frames, 220.0 if pitch else np.nan), META)


class PitchInside(FakeFamily):
    """A quick decoder whose latents hold the pitch, 220 Hz, inside."""

    has_pitch = False

    def sound(self, latents: Latents, how: Decoding) -> np.ndarray:
        return super().sound(latents.replace(pitch_hz=np.full(latents.frames, 220.0)), how)


def some_examples() -> inspection.Examples:
    from synth_explorer.inspection.examples import gather

    notes = [latents(seed=seed) for seed in range(5)]
    return gather(notes, [f"Note {index}" for index in range(5)], ["reed", "reed", "brass", "brass", "flute"], CONTROLS)


def inspected(chain: Sequence[Any] = (), note: Latents | None = None, **options: Any) -> inspection.Inspection:
    explorer = options.pop("explorer", None) or fake_explorer()
    note = latents() if note is None else note
    return inspection.inspect(explorer, note, some_examples(), chain=EditChain(tuple(chain)), **options)


def test_channels_have_their_names() -> None:
    assert inspection.channel_names(4, CONTROLS) == ["loudness", "brightness", "2", "3"]
    assert inspection.channel_names(2, Controls()) == ["0", "1"]


def test_use_is_deviation_over_spread() -> None:
    note = latents()
    spread = np.array([0.5, 2.0, 0.0, *np.linspace(1.0, 3.0, CHANNELS - 3)])
    use = inspection.channel_use(note, CONTROLS, centre=np.zeros(CHANNELS), spread=spread)
    assert use.variance == pytest.approx(note.z.astype(float).var(axis=0), rel=1e-4)
    moving = spread > 0
    assert use.use[moving] == pytest.approx((note.z.std(axis=0)[moving] / spread[moving]), rel=1e-4)
    assert np.isnan(use.use[2]) and np.isnan(use.place[2])


def test_frames_that_are_not_heard_do_not_count() -> None:
    note = latents()
    z = np.array(note.z)
    z[30:, 0], z[30:, 1] = z[0, 0] - 41 * 0.05, 99.0
    use = inspection.channel_use(note.replace(z=z), CONTROLS, centre=np.zeros(CHANNELS), spread=np.ones(CHANNELS))
    assert use.mean[1] < 1


@pytest.mark.parametrize("frames", [1, 2])
def test_one_frame_can_be_looked_at(frames: int) -> None:
    found = inspected([Gain(db=-6)], latents(frames))
    page = inspection.html(found)
    assert found.use["before"].variance.shape == (CHANNELS,) and "</html>" in page and "nan" not in page.lower()


def test_plane_is_the_principal_one(rng: np.random.Generator) -> None:
    means = rng.normal(size=(40, 3)) * [1.0, 5.0, 2.0]
    flat = inspection.plane(means)
    _, vectors = np.linalg.eigh(np.cov(means.T))
    assert abs(flat.axes[0] @ vectors[:, -1]) == pytest.approx(1.0) and flat.axes[0][1] > 0
    assert flat.at(means).var(axis=0) / means.var(axis=0).sum() == pytest.approx(flat.share)
    assert flat.share[0] > flat.share[1] > 0


@pytest.mark.parametrize("means", [np.zeros((1, 3)), np.ones((4, 3)), np.outer(np.arange(4.0), [0, 1, 0])])
def test_planes_of_next_to_nothing(means: np.ndarray) -> None:
    flat = inspection.plane(means)
    assert np.isfinite(flat.at(means)).all() and flat.share[1] == 0


def test_examples_are_encoded_once_for_a_checkpoint(note_file: Callable[..., Path], tmp_path: Path) -> None:
    explorer, done = fake_explorer(), []
    paths = [note_file(f"{name}.flac", midi=midi) for name, midi in (("a", 60), ("b", 62))]
    notes = [ExampleNote(path.stem, "reed", path, 60, 100, "", "") for path in paths]
    options = {"folder": tmp_path / "cache", "notes": notes}
    first, unkept = inspection.examples(explorer, **options, progress=lambda *count: done.append(count))
    again, _ = inspection.examples(explorer, **options)
    assert (explorer.family.encoded, unkept, done) == (2, "", [(1, 2), (2, 2)])
    assert [how.midi for how in explorer.family.heard] == [60, 60]
    assert np.array_equal(first.means, again.means) and list(again.names) == ["a", "b"]
    explorer.info = replace(explorer.info, hash="1" * 64)
    inspection.examples(explorer, **options)
    assert explorer.family.encoded == 4
    note_file("a.flac", midi=64)
    inspection.examples(explorer, **options)
    assert explorer.family.encoded == 6


def test_a_damaged_cache_is_made_again_and_a_folder_that_cannot_be_is_told(
    note_file: Callable[..., Path], tmp_path: Path
) -> None:
    explorer, sound = fake_explorer(), note_file("a.flac")
    notes = [ExampleNote("a", "reed", sound, 60, 100, "", "")]
    inspection.examples(explorer, folder=tmp_path / "cache", notes=notes)
    (kept,) = (tmp_path / "cache").iterdir()
    kept.write_bytes(kept.read_bytes()[:100])
    found, unkept = inspection.examples(explorer, folder=tmp_path / "cache", notes=notes)
    assert explorer.family.encoded == 2 and unkept == "" and found.means.shape == (1, CHANNELS)
    _, unkept = inspection.examples(explorer, folder=sound / "cache", notes=notes)
    assert "cannot be written" in unkept


@pytest.mark.parametrize(("rate_hz", "depth"), [(1.0, 3.0), (5.0, 0.4), (12.0, 20.0)])
def test_an_oscillation_is_a_peak_at_its_rate_as_high_as_it_is_deep(rate_hz: float, depth: float) -> None:
    time_s = np.arange(500) / 125
    track = 7 - 2 * time_s + depth * np.sin(2 * np.pi * rate_hz * time_s)
    track[:40], track[200:210] = np.nan, np.nan
    rates_hz, depths = inspection.modulation_spectrum(track)
    best = int(np.argmax(depths))
    assert rates_hz[best] == pytest.approx(rate_hz, abs=0.05) and depths[best] == pytest.approx(depth, rel=0.1)


@pytest.mark.parametrize("track", [np.zeros(0), np.full(500, np.nan), np.zeros(20), np.r_[0.0, [np.nan] * 300, 0.0]])
def test_too_little_has_no_modulation(track: np.ndarray) -> None:
    rates_hz, depths = inspection.modulation_spectrum(track)
    assert rates_hz.size == depths.size == 0


def test_hearing_follows_a_tone() -> None:
    z = np.array(latents().z)
    z[:, 1] = 0.0
    heard = inspection.hear(fake_explorer().decode(latents().replace(z=z)), sample_rate_hz=RATE_HZ, around_hz=220.0)
    middle = heard.time_s.size // 2
    assert heard.pitch[middle] == pytest.approx(57.0, abs=0.02) and heard.pitch_missing == ""
    assert heard.loudness[middle] - heard.loudness[middle // 2] == pytest.approx(-5, abs=0.5)
    centroid_hz = 220.0 / (1.0 - np.exp(-1 / 3))  # of partials that fall by a factor e every third
    assert 2 ** heard.brightness[middle] == pytest.approx(centroid_hz, rel=0.1)


@pytest.mark.parametrize(
    ("audio", "around_hz", "why"),
    [
        (np.zeros(8000, np.float32), 220.0, "silent"),
        (np.random.default_rng(0).normal(size=8000).astype(np.float32), None, "periodic"),
        (0.1 * np.ones(4000, np.float32), 9000.0, "outside"),
    ],
)
def test_no_pitch_has_a_reason(audio: np.ndarray, around_hz: float | None, why: str) -> None:
    heard = inspection.hear(audio, sample_rate_hz=RATE_HZ, around_hz=around_hz)
    assert why in heard.pitch_missing and np.isnan(heard.pitch).all() and heard.pitch.shape == heard.time_s.shape


def verdict_words(requested: EditChain, measured: dict[str, float | None]) -> dict[str, tuple[str, str]]:
    content = {"requested": requested.requested(), "measured": measured}
    return {row.name: (row.state, row.words) for row in inspection.verdicts(content, requested)}


def test_verdicts_are_met_off_or_not_measurable() -> None:
    chain = EditChain((Gain(db=-6), Oscillate(target="pitch", rate_hz=5, depth=30)))
    found = verdict_words(
        chain,
        {
            "gain_db": -6.4,
            "loudness_db": -4.5,
            "brightness_octaves": 0.3,
            "pitch_cents": None,
            "osc_rate_hz": 5.04,
            "osc_depth": 20.0,
        },
    )
    assert found["level"] == ("met", "met") and found["loudness"] == ("off", "off by 1.50 dB")
    assert found["brightness"] == ("off", "off by 0.30 octaves")
    assert found["pitch"] == ("not measurable", "not measurable in this sound")
    assert found["oscillation of pitch, rate"][0] == "met"
    assert found["oscillation of pitch, depth"] == ("off", "off by 10.00 cents")


def test_what_an_edit_may_move_is_not_held_against_it() -> None:
    moved = {"gain_db": 0.0, "loudness_db": 3.0, "brightness_octaves": 0.5, "pitch_cents": 1200.0}
    found = verdict_words(EditChain((Transpose(semitones=12),)), moved)
    assert found["pitch"][0] == "met" and found["loudness"][0] == "off"
    assert found["brightness"] == ("free", "moves with transpose")
    raw = verdict_words(EditChain((Scale(channels=(2,), factor=2.0),)), moved)
    assert {raw[name][0] for name in ("pitch", "loudness", "brightness")} == {"free"}
    still = dict.fromkeys(moved, 0.0)
    raw = verdict_words(EditChain((Scale(channels=(2,), factor=2.0),)), still)
    assert raw["brightness"] == ("free", "hardly moved")
    toward = verdict_words(EditChain((Toward(mean=(0.0,) * 4, amount=0.5),)), moved)
    assert toward["moved toward a note"][0] == "not measurable" and toward["loudness"][0] == "off"


def test_what_else_moves_a_promise_is_said() -> None:
    chain = EditChain((Toward(mean=(0.0,) * 4, amount=0.5), Brightness(octaves=1.0)))
    found = verdict_words(chain, {"loudness_db": 0.0, "brightness_octaves": 1.5, "pitch_cents": 0.0})
    assert found["brightness"] == ("off", "off by 0.50 octaves; toward moves it too")


def test_verdicts_come_from_what_is_heard() -> None:
    found = inspected([Gain(db=-6)])
    rows = {row.name: row for row in found.verdicts}
    measured = report(found.chain, *(found.sounds[role].audio for role in ("before", "after")), sample_rate_hz=RATE_HZ)[
        "measured"
    ]
    assert rows["level"].measured == f"{measured['gain_db']:+.2f} dB".replace("-", "−") and rows["level"].state == "met"
    missed = inspected([Brightness(octaves=1.0)])  # the fake decoder does not answer as its controls say
    assert {row.name: row.state for row in missed.verdicts}["brightness"] == "off"


def test_without_edits_there_is_no_after() -> None:
    found = inspected()
    assert not found.edited and set(found.sounds) == {"before"} and found.verdicts == ()


def test_without_a_fast_decoder_only_a_stretch_is_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SlowFamily, "CHUNK_S", 0.0)
    monkeypatch.setattr(SlowFamily, "controls", CONTROLS)
    slow = fake_explorer(SlowFamily)
    note = latents().replace(checkpoint=slow.checkpoint_name, checkpoint_hash=slow.checkpoint_hash)
    nothing = inspected([Gain(db=-6)], note, explorer=slow)
    assert nothing.sounds == {} and any("--decode-s" in remark for remark in nothing.remarks)
    some = inspected([Gain(db=-6)], note, explorer=slow, decode_s=0.5)
    assert some.sounds["after"].audio.size == 0.5 * RATE_HZ
    assert any("first 0.5 s" in remark for remark in some.remarks)
    with pytest.raises(LatentsError, match="decode_s=-1"):
        inspected(decode_s=-1)


def test_shortened_is_the_beginning() -> None:
    cut = shortened(latents(60), 0.1)
    assert (cut.frames, cut.duration_samples) == (4, 1600)
    assert shortened(latents(60), 99).frames == 60


def test_a_recording_is_laid_on_the_time_of_the_latents() -> None:
    recording = np.arange(10_000, dtype=np.float32)
    note = latents(10).replace(lead_in_samples=300, duration_samples=5000)
    assert note.heard_of(recording)[0] == 300 and note.heard_of(recording).size == 5000
    early = note.replace(lead_in_samples=-100).heard_of(recording)
    assert early[:101].tolist() == [0.0] * 101 and early[101] == 1
    with pytest.raises(LatentsError, match="begin 20000 samples"):
        note.replace(lead_in_samples=20_000).heard_of(recording)


def test_pitch_inside_the_latents_is_estimated_from_the_sound() -> None:
    found = inspected([Gain(db=-3)], latents(pitch=False), explorer=fake_explorer(PitchInside))
    assert any("inside its latents" in remark for remark in found.remarks)
    assert np.nanmedian(found.sounds["before"].pitch) == pytest.approx(57.0, abs=0.05)


def test_time_edits_are_inspected() -> None:
    found = inspected([Trim(start_s=0.5, end_s=1.0)])
    assert found.latents["after"].frames < found.latents["before"].frames
    assert "</html>" in inspection.html(found)


def test_a_pitch_that_moves_is_told_against_its_source() -> None:
    """Not "held": what moves, and how closely the decoded sound follows the recording."""
    frames = 60
    glide = latents(frames).replace(pitch_hz=220.0 * 2.0 ** np.linspace(0.0, 1.0, frames))
    explorer = fake_explorer()
    original = explorer.decode(glide)
    examples = SimpleNamespace(centre=np.zeros(CHANNELS), spread=np.ones(CHANNELS))
    for chain in (EditChain((Gain(-3.0),)), EditChain()):
        found = inspection.inspect(explorer, glide, examples, chain=chain, original=original)
        told = {row.name: row for row in found.verdicts}["pitch against the source"]
        assert told.state == "met"
        follows = "before its edits it follows the source within 30 cents in 100 % of frames"
        assert told.words.startswith(f"moves from A3 to A4; {follows}")
        if len(chain):
            pitch = next(row for row in found.verdicts if row.name == "pitch")
            assert pitch.state == "met" and pitch.words == "as the source: moves from A3 to A4"
        assert np.nanmax(found.sounds["before"].pitch) - np.nanmin(found.sounds["before"].pitch) > 11.0
