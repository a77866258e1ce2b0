"""What the page answers, without a browser."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from threading import Event
from urllib.parse import urlencode

import numpy as np
import pytest
import soundfile

from synth_explorer import ui
from synth_explorer.errors import AudioError
from synth_explorer.latents import pad_weights
from synth_explorer.rendering.renderer import RENDERS_KEPT
from synth_explorer.ui.answers import presets, results, screen, slots
from synth_explorer.ui.request.chains import edit_chain
from synth_explorer.ui.request.settings import Settings
from tests.ui.knobs import sent

REST = Settings(count=2)


def rms_db(path: str | Path) -> float:
    audio, _ = soundfile.read(path)
    return 10 * float(np.log10(np.mean(audio**2)))


@pytest.fixture
def sources(studio):
    return [view.source for view in slots.open_defaults(studio)]


def test_defaults_are_four_notes_of_four_families(studio, sources):
    assert len({studio.notes[source.note_id].family for source in sources}) == 4


@pytest.mark.parametrize("gain_db", [-24.0, -12.0, 6.0, 12.0])
def test_the_served_file_has_the_level_of_the_edit(studio, sources, gain_db):
    plain = results.hear(studio, sources, REST)
    edited = results.hear(studio, sources, replace(REST, gain_db=gain_db))
    moved_db = rms_db(edited.screen["path"]) - rms_db(plain.screen["path"])
    assert moved_db == pytest.approx(gain_db, abs=0.02)


def test_a_level_above_full_scale_is_kept_and_said(studio, sources):
    loud = results.hear(studio, sources, replace(REST, gain_db=12.0, count=2, mix=0.0))
    quiet = results.hear(studio, sources, replace(REST, gain_db=-24.0))
    peaks = [np.abs(soundfile.read(shown.screen["path"])[0]).max() for shown in (loud, quiet)]
    assert peaks[0] > 1.0 > peaks[1]
    assert loud.screen["clips"] and not quiet.screen["clips"]
    assert screen.level_text(2.0) == "clips by 6.0 dB"


def test_a_source_plays_at_its_own_level(studio, sources):
    source = sources[0]
    shown = slots.slot_view(studio, 0, source).screen
    original, _ = soundfile.read(source.path)
    asked = urlencode({"checkpoint": "fake", "token": source.token})
    assert shown["address"] == f"sound/source.wav?{asked}" and not shown["path"]
    assert slots.slot_view(studio, 0, source).screen == shown
    assert rms_db(studio.heard_file(source)) == pytest.approx(10 * np.log10(np.mean(original**2)), abs=0.3)


def test_the_same_question_is_answered_from_memory(studio, sources):
    explorer = studio.explorer
    encoded = explorer.family.encoded
    first = results.hear(studio, sources, REST)
    decoded = explorer.family.decoded
    again = results.hear(studio, sources, REST)
    slots.open_defaults(studio)
    assert (explorer.family.encoded, explorer.family.decoded) == (encoded, decoded)
    assert again.screen["path"] == first.screen["path"]
    assert again.screen["stamp"] != first.screen["stamp"]


def test_a_morph_encodes_nothing(studio, sources):
    encoded = studio.explorer.family.encoded
    for mix in (-0.3, 0.1, 0.9, 1.3):
        assert results.hear(studio, sources, replace(REST, mix=mix)).screen is not None
    assert studio.explorer.family.encoded == encoded


def test_the_folder_of_sounds_stays_small(studio, sources, monkeypatch):
    monkeypatch.setattr(studio.sound_folder._files, "size", 5)
    for mix in np.linspace(0, 1, 12):
        results.hear(studio, sources, replace(REST, mix=float(mix)))
    assert len(list(studio.sound_folder.folder.iterdir())) <= 5
    assert len(studio.renderer._renders) <= RENDERS_KEPT


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"this is a shopping list", "not a sound file"), (b"", "empty"), (None, "silent")],
    ids=["text", "nothing", "silence"],
)
def test_a_bad_file_says_why_and_leaves_the_slot(studio, sources, tmp_path, content, words):
    path = tmp_path / "mine.wav"
    if content is None:
        soundfile.write(path, np.zeros(16000), 16000)
    else:
        path.write_bytes(content)
    view = slots.open_own(studio, 1, str(path), sources[1])
    assert view.source is sources[1]
    assert words in view.message
    assert str(tmp_path) not in view.message and "Traceback" not in view.message
    assert view.message.count("<p") == 1


def test_a_good_file_takes_the_slot(studio, sources, fake, tmp_path):
    path = tmp_path / "a <b> note.wav"
    at = np.arange(44100) / 44100
    soundfile.write(path, np.stack([0.3 * np.sin(2 * np.pi * 440 * at)] * 2, axis=1), 44100)
    view = slots.open_own(studio, 0, str(path), sources[0])
    assert view.source.title == "a <b> note.wav" and not view.message
    assert view.source.pitch_midi == pytest.approx(69.0, abs=0.1)
    assert view.picker == {"selected": "", "own": "a <b> note.wav"}


def test_a_long_file_says_how_much_of_it_is_used(studio, sources, tmp_path):
    path = tmp_path / "long.wav"
    soundfile.write(path, 0.3 * np.sin(2 * np.pi * 440 * np.arange(90 * 8000) / 8000), 8000)
    view = slots.open_own(studio, 0, str(path), sources[0])
    assert "lasts 90.0 s; 1.024 s of it are used" in view.message and "alert" not in view.message
    assert "lasts 90.0 s; 1.024 s of it are used" in slots.set_pitch(studio, 0, "60", view.source).message
    assert slots.set_pitch(studio, 0, "C4", sources[0]).message == ""


def test_a_quotation_mark_in_a_name_is_one(studio, sources, tmp_path):
    path = tmp_path / "my %22best%22 note.wav"
    soundfile.write(path, 0.3 * np.sin(2 * np.pi * 440 * np.arange(8000) / 8000), 8000)
    assert slots.open_own(studio, 0, str(path), sources[0]).source.title == 'my "best" note.wav'


def test_pitch_can_be_set_and_given_back(studio, sources):
    set_up = slots.set_pitch(studio, 0, "50.25", sources[0])
    assert set_up.source.pitch_midi == 50.25
    assert set_up.pitch == "D3 +25" and "set by you" in set_up.pitch_text
    assert slots.set_pitch(studio, 0, " ", set_up.source).source.pitch_midi == sources[0].heard_midi
    refused = slots.set_pitch(studio, 0, "200", sources[0])
    assert refused.source is sources[0] and "18 to 111" in refused.message


@pytest.mark.parametrize(
    "point", [{"x": 7, "y": -3}, {"x": "nan", "y": "inf"}, {"x": None}, "nonsense", None, {"x": {}, "y": []}]
)
@pytest.mark.parametrize("count", [2, 3, 4])
def test_whatever_a_browser_sends_is_in_range(studio, sources, point, count):
    point = point if isinstance(point, dict) else {"x": point}
    settings = Settings.from_mapping({"count": count, "mix": point.get("x"), **point})
    assert sum(pad_weights(settings.count, *settings.point())) == pytest.approx(1.0)
    assert results.hear(studio, sources, settings).screen is not None


def test_an_empty_slot_is_one_sentence(studio, sources):
    heard = results.hear(studio, [sources[0], None, None, None], REST)
    assert heard.screen is None and "Slot B has no sound yet" in heard.message


def question(sources, settings, **more):
    """What the page's script writes for these sources and knobs."""
    tokens = [source.token if source and index < settings.count else "" for index, source in enumerate(sources)]
    asked = {"checkpoint": "fake", "sources": tokens, "mean": None, "knobs": sent(settings)} | more
    return {"request": json.dumps(asked), "stamp": 7, "play": True, "complete": True}


def test_an_answer_bears_the_question_and_the_sound_of_its_knobs(studios, studio, sources):
    asked = question(sources, replace(REST, mix=0.3))
    answered = results.answer(studios, asked).screen
    assert {name: answered[name] for name in ("request", "stamp", "play")} == {
        name: asked[name] for name in ("request", "stamp", "play")
    }
    assert answered["path"] == results.hear(studio, sources, replace(REST, mix=0.3)).screen["path"]


@pytest.mark.parametrize(
    "asked",
    [
        None,
        5,
        {},
        {"request": "no json"},
        {"request": "[]"},
        {"request": '{"sources": ["a"]}'},
        {"request": "[" * 5000},
        {"request": "x" * 9999},
    ],
)
def test_an_unreadable_question_is_one_sentence(studios, studio, sources, asked):
    heard = results.answer(studios, asked)
    assert not heard.screen["path"] and heard.message.count("<p") == 1 and "reload" in heard.message


def test_a_token_that_was_forgotten_opens_again_and_one_of_nobody_is_refused(studios, studio, sources, monkeypatch):
    monkeypatch.setattr(studio, "_tokens", type(studio._tokens)(8))
    assert studio.find(sources[1].token) == sources[1]
    assert results.answer(studios, question(sources, REST)).screen["path"]
    for token in ("../" * 8, "no note", "0" * 24 + "/x.wav", "Bass 40@high", f"{sources[0].key}/x.wav"):
        with pytest.raises(AudioError, match=r"not kept here any more|is no number"):
            studio.find(token)


def test_the_comparison_reports_what_was_asked_and_heard(studios, studio, sources):
    settings = replace(REST, gain_db=-6.0, osc_targets=("loudness",), osc_loudness_depth=4.0)
    before, table = results.compare(studios, question(sources, settings))
    assert before is not None and "Gain" in table and "−6.0" in table and "Oscillation of loudness, rate" in table
    assert results.compare(studios, question(sources, REST)) == (None, "")


def test_a_preset_turns_the_knobs_back(studios, studio, sources, tmp_path):
    settings = replace(
        REST,
        gain_db=-6.0,
        brightness=0.25,
        transpose=5.0,
        toward="B",
        amount=0.4,
        osc_targets=("pitch",),
        osc_pitch_depth=20.0,
        raw_channels=(2, 5),
        raw_scale=1.5,
        raw_add=-0.5,
        raw_depth=0.25,
        raw_rate_hz=3.0,
    )
    first = results.hear(studio, sources, settings).screen["path"]
    text, message = presets.preset(studios, question(sources, settings))
    preset = tmp_path / "preset.json"
    preset.write_text(text, encoding="utf-8")
    assert json.loads(text) and not message
    changed, mean, message = presets.load_preset(studio, preset, REST)
    assert not message and changed.toward == "Preset" and mean is not None
    assert replace(changed, toward="B") == settings
    second = results.hear(studio, sources, changed, preset_mean=mean).screen["path"]
    assert np.allclose(soundfile.read(first)[0], soundfile.read(second)[0], atol=1e-5)
    text, message = presets.preset(studios, question([None, *sources[1:]], settings))
    assert not text and "Slot A has no sound yet" in message


def test_the_sound_to_go_toward_is_heard_at_the_pitch_of_the_morph(studio, sources):
    settings = replace(REST, toward="B", amount=0.4, transpose=3.0)
    for changed in (settings, replace(settings, x=1.0), replace(settings, set_pitch=True, pitch_midi=70.0)):
        toward, *_ = studio.patch(sources, changed).edits
        before = studio.render(sources, replace(changed, toward="Off")).before
        assert toward.midi == pytest.approx(before.pitch_midi, abs=0.01) and len(toward.spectrum_db) > 0
    assert toward.midi == pytest.approx(70.0)


def test_a_preset_that_the_page_cannot_show_is_refused(studio, tmp_path):
    from synth_explorer.edits import Add, EditChain, Gain, Scale, SetPitch

    for chain, words in (
        (EditChain((SetPitch(midi=60.0),)), "SetPitch"),
        (EditChain((Scale(channels=(3,), factor=1.5), Add(channels=(4,), amount=1.0))), "different channels"),
        (EditChain((Scale(channels=(3,), factor=9.0),)), "-3 to 3"),
        (EditChain((Gain(1.0), Gain(2.0))), "more than one"),
        (EditChain((Gain(20.0),)), "-24 to 12"),
    ):
        path = chain.save(tmp_path / "preset.json")
        settings, _, message = presets.load_preset(studio, str(path), REST)
        assert settings == REST and words in message
    (tmp_path / "preset.json").write_text("not json")
    assert "preset.json" in presets.load_preset(studio, str(tmp_path / "preset.json"), REST)[2]


@pytest.mark.parametrize(("channels", "bands"), [(5, 80), (17, 80), (20, 80), (16, 7)])
def test_a_preset_toward_a_sound_of_another_checkpoint_is_refused(studio, tmp_path, channels, bands):
    from synth_explorer.edits import EditChain, Gain, Toward

    toward = Toward(mean=(0.1,) * channels, amount=0.5, spectrum_db=(0.0,) * bands, midi=60.0)
    path = EditChain((toward, Gain(-6.0))).save(tmp_path / "preset.json")
    settings, mean, message = presets.load_preset(studio, str(path), REST)
    assert settings == REST and mean is None
    assert f"{channels} numbers" in message and "16 channels and a detail of 3" in message


@pytest.mark.parametrize("channels", [16, 19])
def test_a_preset_toward_a_sound_of_this_checkpoint_is_taken(studio, tmp_path, channels):
    from synth_explorer.edits import EditChain, Toward

    path = EditChain((Toward(mean=(0.1,) * channels, amount=0.5),)).save(tmp_path / "preset.json")
    settings, mean, message = presets.load_preset(studio, str(path), REST)
    assert settings.toward == "Preset" and len(mean.mean) == channels and not message


def test_edits_at_rest_are_no_edits():
    assert len(edit_chain(Settings(), {})) == 0


def test_a_checkpoint_that_does_not_load_is_said_on_the_page(fake, tmp_path):
    from synth_explorer.errors import CheckpointError
    from synth_explorer.ui.session.studio import Studio

    def load():
        raise CheckpointError("There is no checkpoint 'nobody'; choose one of: default.")

    views = slots.open_defaults(Studio(load, notes=fake.fake_notes(tmp_path)))
    assert all("no checkpoint" in view.message for view in views)


def test_only_what_is_made_for_programs_is_public(studios):
    from synth_explorer.ui.page import build_page

    page = build_page(studios)
    assert page.fns
    public = {event.api_name for event in page.fns.values() if event.api_visibility != "private"}
    assert public == {"notes", "encode", "morph", "render", "export"}
    assert not list(Path(ui.__file__).parent.rglob("*.pyi"))


def test_a_note_is_listened_to_again_in_the_background(fake, tmp_path):
    """Its latents are bettered while nothing moves; what is asked for from then on is made of those."""
    from synth_explorer.ui.session.studio import Studio

    studio = Studio(fake.fake_explorer, notes=fake.fake_notes(tmp_path))
    go_on = Event()
    studio._fitter.submit(go_on.wait)
    source = studio.open_example("Reed 60")
    first, settings = studio.latents(source), Settings(count=2)
    render = studio.render([source, source], settings)
    assert studio.render([source, source], settings) is render
    go_on.set()
    studio._fitter.submit(lambda: None).result()
    assert studio.explorer.family.fitted == 1
    assert studio.latents(source) is not first
    assert studio.latents(source).details == 3 and not first.details
    again = studio.render([source, source], settings)
    assert again is not render and again.after.details == 3
    assert studio.explorer.family.encoded == 1
    studio.sound_folder.close()


@pytest.mark.parametrize(
    ("kind", "confidence", "words"),
    [
        ("note", 1.0, "detected"),
        ("note", 0.61, "61 % sure"),
        ("unpitched", 0.9, "no clear pitch"),
        ("chord", 0.9, "a chord?"),
    ],
)
def test_how_sure_a_pitch_is_stands_beside_it(sources, kind, confidence, words):
    text = slots.pitch_text(replace(sources[0], kind=kind, confidence=confidence))
    assert "pitch" in text and words in text
