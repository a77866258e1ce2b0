"""The route of keys: what a key plays, where it loops, what is refused, and that nobody waits for it."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import replace
from email.message import Message
from io import BytesIO
from threading import Event
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import urlopen

import numpy as np
import pytest
import soundfile

from synth_explorer import runtime
from synth_explorer.edits import EditChain, SetPitch
from synth_explorer.pitch import midi_to_hz
from synth_explorer.runtime import Helpers
from synth_explorer.ui.request.settings import Settings
from synth_explorer.ui.session import keys as keys_of
from synth_explorer.ui.session.keys import Crowded, Keys
from tests.ui.knobs import sent


def request(studio, settings: Settings | None = None, *, checkpoint: str = "fake") -> str:
    """What a page asks, of the first notes."""
    tokens = [studio.open_example(name).token for name in list(studio.notes)[:4]]
    return json.dumps({"checkpoint": checkpoint, "sources": tokens, "knobs": sent(settings or Settings())})


def asked(address: str, path: str = "note.wav", **query: object) -> tuple[np.ndarray, Message]:
    with urlopen(f"{address}sound/{path}?{urlencode(query)}") as answer:
        return soundfile.read(BytesIO(answer.read()), dtype="float32")[0], answer.headers


def refused(address: str, **query: object) -> HTTPError:
    with pytest.raises(HTTPError) as found:
        asked(address, **query)
    return found.value


def heard_hz(audio: np.ndarray, around_hz: float) -> float:
    """The strongest frequency near one, naively."""
    spectrum = np.abs(np.fft.rfft(audio * np.hanning(audio.size), n=16 * audio.size))
    hz = np.fft.rfftfreq(16 * audio.size, 1 / 16_000)
    near = np.abs(np.log2(np.maximum(hz, 1.0) / around_hz)) < 0.1
    return float(hz[near][np.argmax(spectrum[near])])


@pytest.mark.parametrize("midi", [40, 60, 79.5])
def test_a_key_plays_its_pitch(address, studio, midi) -> None:
    audio, told = asked(address, request=request(studio), midi=midi)
    assert heard_hz(audio, midi_to_hz(midi)) == pytest.approx(midi_to_hz(midi), rel=0.003)
    assert float(told["X-Midi"]) == pytest.approx(midi, abs=0.01) and 0.03 <= float(told["X-Release-S"]) <= 8.0
    assert told["Content-Type"] == "audio/wav"


def test_transposition_comes_upon_the_key(address, studio) -> None:
    _, told = asked(address, request=request(studio, Settings(transpose=7.0)), midi=50)
    assert float(told["X-Midi"]) == pytest.approx(57.0, abs=0.01)


def test_no_key_is_the_sounds_own_pitch_and_hold_loops_it(address, studio) -> None:
    question = request(studio)
    audio, told = asked(address, request=question, hold="true")
    start, end = map(int, told["X-Loop"].split())
    assert 0 < start < end <= audio.size
    result = studio.render([studio.find(one) for one in json.loads(question)["sources"]], Settings())
    assert float(told["X-Midi"]) == pytest.approx(result.after.pitch_midi, abs=0.01)
    begins = round(float(told["X-From-S"]) * 16_000)
    np.testing.assert_allclose(audio[200:2000], result.audio[begins + 200 : begins + 2000], atol=1e-6)


def test_a_stretch_is_short_and_loops(address, studio) -> None:
    audio, told = asked(address, request=request(studio), midi=60, from_s=0.1)
    start, end = map(int, told["X-Loop"].split())
    assert 0 < start < end <= audio.size <= 0.8 * 16_000 + 64 and float(told["X-From-S"]) == pytest.approx(0.1)
    assert heard_hz(audio[start:end], midi_to_hz(60)) == pytest.approx(midi_to_hz(60), rel=0.01)
    beyond, told = asked(address, request=request(studio), midi=60, from_s=99)
    assert beyond.size and float(told["X-From-S"]) < 1.0


def test_a_note_that_is_not_ready_begins_with_the_same_samples(address, studio) -> None:
    question = request(studio, Settings(x=0.37, y=0.21))
    begins, told = asked(address, request=question, midi=63, first="true")
    whole, later = asked(address, request=question, midi=63)
    apart = round((float(told["X-From-S"]) - float(later["X-From-S"])) * 16_000)
    assert told["X-First"] == "true" and 1600 < begins.size <= keys_of.FIRST_S * 16_000
    np.testing.assert_allclose(begins[200:1600], whole[200 + apart : 1600 + apart], atol=1e-5)
    again, told = asked(address, request=question, midi=63, first="true")
    assert "X-First" not in told and again.size == whole.size


def test_questions_that_cannot_be_answered_are_one_sentence(address, studio, studios) -> None:
    for error in (
        refused(address, request="nonsense", midi=60),
        refused(address, request=request(studio), midi=4),
        refused(address, request=request(studios.studio("slow"), checkpoint="slow"), midi=60),
    ):
        assert error.code == 422 and error.read().decode().endswith(".")


def test_who_plays_ahead_waits_for_who_plays(address, studio) -> None:
    question = request(studio)
    asked(address, request=question, midi=61)
    assert studio._moved_s > 0.0
    studio._moved_s = float("inf")
    with urlopen(f"{address}sound/note.wav?{urlencode({'request': question, 'midi': 62, 'ahead': 'true'})}") as answer:
        assert answer.status == 204 and answer.read() == b""
    studio._moved_s = 0.0
    assert asked(address, request=question, midi=62, ahead="true")[0].size


def test_many_notes_keep_no_slider_waiting(address, studio, monkeypatch) -> None:
    """More notes than there are threads for requests; the sound of a slider comes while all of them wait."""
    go_on, question = Event(), request(studio)
    real = Keys.note
    monkeypatch.setattr(Keys, "note", lambda *given, **named: go_on.wait(30) and real(*given, **named))
    with ThreadPoolExecutor(50) as players:
        try:
            notes = [players.submit(asked, address, request=question, midi=36 + n) for n in range(50)]
            audio, _ = asked(address, "result.wav", request=request(studio, Settings(gain_db=-1.5)))
            assert audio.size and not any(note.done() for note in notes)
        finally:
            go_on.set()
        assert all(note.result()[0].size for note in notes)


def test_too_many_are_turned_away(studio, monkeypatch) -> None:
    monkeypatch.setattr(keys_of, "WAITING_MOST", 2)
    go_on, keys = Event(), Keys(lambda: studio.renderer)
    notes = [keys.begin(lambda: go_on.wait(30)) for _ in range(2)]
    with pytest.raises(Crowded):
        keys.begin(lambda: None)
    go_on.set()
    assert all(note.result() for note in notes)
    keys.begin(lambda: None).result()
    go_on.clear()
    idle = [keys.begin(lambda: go_on.wait(30), spare=True) for _ in range(2)]
    keys.begin(lambda: None).result(30)  # what nobody waits for counts by itself
    with pytest.raises(Crowded):
        keys.begin(lambda: None, spare=True)
    go_on.set()
    assert all(one.result() for one in idle)


def test_what_nobody_waits_for_takes_no_thread_of_a_keys(studio) -> None:
    go_on, keys = Event(), Keys(lambda: studio.renderer)
    idle = [keys.begin(lambda: go_on.wait(30), spare=True) for _ in range(3)]
    struck = [keys.begin(lambda: "heard") for _ in range(2)]
    assert [key.result(30) for key in struck] == ["heard", "heard"] and not any(one.done() for one in idle)
    go_on.set()
    assert all(one.result(30) for one in idle) and not keys.is_busy


@pytest.mark.parametrize("how", ["a key", "a held note"])
def test_while_somebody_waits_for_a_key_other_sounds_rest(studio, monkeypatch, how: str) -> None:
    monkeypatch.setattr(runtime, "REST_MOST_S", 60.0)
    monkeypatch.setattr(runtime._Urgency, "next_s", 0.0)
    patch = studio.patch([studio.open_example(name) for name in list(studio.notes)[:2]], Settings())
    keys, decode, rested = Keys(lambda: studio.renderer), studio.renderer.decode, []
    others, helpers = ThreadPoolExecutor(1), Helpers(1)

    def decoded(*given):
        rested.append(others.submit(lambda: helpers.submit(max, 1, 2).result()))
        wait(rested, timeout=0.3)
        assert not rested[0].done()
        return decode(*given)

    monkeypatch.setattr(studio.renderer, "decode", decoded)
    made = keys.note(patch, midi=60, first=True) if how == "a key" else keys.moving(patch, midi=60, from_s=0.5)
    assert made.audio.size and rested[0].result(30) == 2
    others.shutdown()
    helpers.shutdown()


def test_notes_are_remembered_and_forgotten(studio, monkeypatch) -> None:
    monkeypatch.setattr(keys_of, "NOTES_KEPT", 3)
    keys = Keys(lambda: studio.renderer)
    patch = studio.patch([studio.open_example(name) for name in list(studio.notes)[:4]], Settings())
    first = keys.note(patch, midi=60)
    assert keys.note(replace_name(patch), midi=60.0) is first
    assert keys.note(patch, midi=60, always=True) is not first
    for midi in (61, 62, 63):
        keys.note(patch, midi=midi)
    assert len(keys) == 3 and keys.note(patch, midi=60) is not first
    for from_s in (0.0, 0.1, 0.2):
        keys.moving(patch, midi=60, from_s=from_s)
    assert len(keys) == 3


def replace_name(patch):
    """The same sound with its notes under other names."""
    return patch.but(sources=tuple(replace_one(source) for source in patch.sources))


def replace_one(source):
    return source.model_copy(update={"name": "another"})


def test_a_key_is_the_patch_at_its_pitch(studio) -> None:
    """Against the plain way: the pitch set first, the edits upon it."""
    notes = [studio.open_example(name) for name in list(studio.notes)[:2]]
    patch = studio.patch(notes, replace(Settings(count=2), gain_db=-3.0))
    plain = studio.renderer.render(patch.but(edits=EditChain((SetPitch(midi=66.0), *patch.edits))))
    made = studio.keys.note(patch, midi=66)
    begins = round(made.from_s * 16_000)
    np.testing.assert_array_equal(made.audio[100:4000], plain.audio[begins + 100 : begins + 4000])
