"""The report: one page that needs nothing else, whole in every case, and the command that writes it."""

from __future__ import annotations

import base64
import io
import re
import shutil
import time
import wave
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from scipy.io import wavfile
from typer.testing import CliRunner

from synth_explorer import inspection
from synth_explorer.cli import app, common
from synth_explorer.edits import EditChain, Gain, Oscillate, Scale
from synth_explorer.explorer.family import Decoding
from synth_explorer.inspection import sounds
from synth_explorer.inspection.report import edit_words, pitch_words
from synth_explorer.latents import Latents, LatentsMeta
from tests.fake_family import HOP, RATE_HZ, FakeFamily, fake_explorer

if TYPE_CHECKING:
    from synth_explorer.explorer import Explorer

WAIT_S = 60.0
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or "/usr/bin/chromium"
META = LatentsMeta(FakeFamily.name, FakeFamily.hash, RATE_HZ, HOP, source="<b>.wav")
SECTIONS = ["Facts", "Listen", "Requested and measured", "Log-mel spectrogram", "Rainbowgram", "Over time"]
SECTIONS += ["Modulation spectrum", "Latents", "Channels over time", "Use of the channels", "Among the example notes"]
WITH_DETAIL = [*SECTIONS[:9], "Detail", *SECTIONS[9:]]
WITH_ENHANCEMENT = [*WITH_DETAIL[:10], "Enhancement", *WITH_DETAIL[10:]]


class Balance(HTMLParser):
    """Counts what is opened and closed, and keeps addresses."""

    VOID = frozenset({"meta", "img", "path"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.addresses += [value or "" for name, value in attrs if name in ("src", "href")]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.VOID:
            assert self.open.pop() == tag


def examples() -> inspection.Examples:
    rng = np.random.default_rng(1)
    means = rng.normal(size=(6, 16))
    names, families = (
        np.array([f"{word} {index // size}" for index in range(6)]) for word, size in (("N", 1), ("f", 3))
    )
    return inspection.Examples(names, families, means, means.mean(axis=0), np.ones(16))


def found(after: np.ndarray | None = None, before: np.ndarray | None = None, **changes: Any) -> inspection.Inspection:
    """An inspection of given sounds."""
    time_s = np.arange(RATE_HZ) / RATE_HZ
    tone = (0.2 * np.sin(2 * np.pi * 262 * time_s)).astype(np.float32)
    note = Latents(np.random.default_rng(0).normal(size=(32, 16)), np.full(32, 261.6), META)
    chain = EditChain((Gain(db=-6), Oscillate(target="loudness", rate_hz=5, depth=3)))

    sounds = iter([tone if before is None else before, tone / 2 if after is None else after])

    class Given(FakeFamily):
        def sound(self, latents: Latents, how: Decoding) -> np.ndarray:
            return next(sounds)

    options = {"edited": note, "chain": chain, "original": tone} | changes
    return inspection.inspect(fake_explorer(Given), note, examples(), **options)


def check_page(page: str) -> None:
    """One whole page that loads nothing."""
    parser = Balance()
    parser.feed(page)
    assert parser.open == [] and all(address.startswith("data:") for address in parser.addresses)
    words = re.sub(r"data:[\w/;+=,.-]*", "", page.replace("http-equiv", ""))  # base64 spells anything
    assert not re.search(r"https?:|url\(|@import|\bnan\b|\binf\b|NaN", words)


def test_the_page_has_every_section_and_loads_nothing() -> None:
    page = inspection.html(found())
    check_page(page)
    assert re.findall(r"<h2>(.*?)</h2>", page) == SECTIONS
    assert "<h1>&lt;b&gt;.wav</h1>" in page and "<b>.wav" not in page
    assert page.count("<audio") == 3 and len(page) < 3e6
    for unit in ("dB", "octaves", "cents", "Hz", "MIDI"):
        assert f"<span>{unit}" in page


def test_a_detail_is_drawn_before_and_after() -> None:
    inspected = found()
    places = {"envelope, Hz": np.array([100.0, 1000.0, 4000.0]), "nothing, Hz": np.zeros(0)}
    latents = {role: score.replace(detail=np.array([0.1, 0.5, -0.2])) for role, score in inspected.latents.items()}
    page = inspection.html(replace(inspected, latents=latents, detail_places=places))
    check_page(page)
    assert re.findall(r"<h2>(.*?)</h2>", page) == WITH_DETAIL
    drawn = page[page.index("<h2>Detail") : page.index("<h2>Use of the channels")]
    assert drawn.count('class="line before"') == drawn.count('class="line after"') == 1
    assert "Envelope" in drawn and "Nothing" not in drawn


def test_an_enhancement_is_drawn_before_and_after() -> None:
    inspected = found()
    bands = np.random.default_rng(0).normal(size=80)
    latents = {
        role: score.replace(enhancement=np.tile(bands, (score.frames, 1))) for role, score in inspected.latents.items()
    }
    page = inspection.html(replace(inspected, latents=latents))
    check_page(page)
    assert re.findall(r"<h2>(.*?)</h2>", page) == [*SECTIONS[:9], "Enhancement", *SECTIONS[9:]]
    drawn = page[page.index("<h2>Enhancement") : page.index("<h2>Use of the channels")]
    assert drawn.count("data:image/png") == 2 and "±12 dB" in drawn


@pytest.mark.parametrize(("samples", "level"), [(1, 0.0), (1, 1.0), (200, 1e-9), (8000, 0.0), (8000, 4.0)])
def test_extreme_sounds_give_a_whole_page(samples: int, level: float) -> None:
    rng = np.random.default_rng(0)
    sound = (level * rng.uniform(-1, 1, size=samples)).astype(np.float32)
    check_page(inspection.html(found(after=sound, before=sound)))


def test_what_does_not_exist_is_left_out_and_told() -> None:
    inspected = found(original=None, chain=EditChain(), edited=None)
    page = inspection.html(inspected)
    check_page(page)
    assert "Requested and measured" not in page and "there is no recording" in page and page.count("<audio") == 1
    assert 'class="arrow"' not in page


def test_players_keep_the_level() -> None:
    audio = np.array([0.5, -0.25, 0.0], np.float32)
    data = base64.b64decode(sounds.wav_uri(audio, sample_rate_hz=RATE_HZ).split(",")[1])
    with wave.open(io.BytesIO(data)) as file:
        assert (file.getframerate(), file.getsampwidth(), file.getnchannels()) == (RATE_HZ, 2, 1)
        assert np.frombuffer(file.readframes(3), "<i2").tolist() == [16384, -8192, 0]
    loud = np.array([1.5, -2.0], np.float32)
    rate_hz, kept = wavfile.read(io.BytesIO(base64.b64decode(sounds.wav_uri(loud, sample_rate_hz=8000).split(",")[1])))
    assert rate_hz == 8000 and kept.tolist() == [1.5, -2.0]


def test_an_oscillation_is_named_by_its_rate() -> None:
    time_s = np.arange(2 * RATE_HZ) / RATE_HZ
    tone = (0.2 * np.sin(2 * np.pi * 262 * time_s)).astype(np.float32)
    swing = (tone * 10 ** (3 * np.sin(2 * np.pi * 4 * time_s) / 20)).astype(np.float32)
    page = inspection.html(found(before=tone, after=swing))
    assert re.search(r"after 4\.0\d Hz \(2\.[6-9]\d* dB\), difference 4\.0\d Hz", page)


def test_brightness_is_labelled_in_hertz() -> None:
    wide = sounds.brightness_scale(np.log2([100.0, 8000.0]))
    assert [text for _, text in wide.ticks] == ["100", "200", "500", "1 k", "2 k", "5 k", "10 k"]
    narrow = sounds.brightness_scale(np.log2([1200.0, 1300.0]), np.full(3, np.nan))
    assert len(narrow.ticks) >= 2 and all(narrow.low <= value <= narrow.high for value, _ in narrow.ticks)


def test_words() -> None:
    note = Latents(np.zeros((3, 2)), np.full(3, 445.0), META)
    assert pitch_words(note) == "A4 +20 cents, MIDI 69.20, 445.00 Hz"
    assert pitch_words(note.replace(pitch_hz=np.full(3, np.nan))) == "inside the latents"
    assert edit_words({"kind": "set_pitch", "midi": 60.0}) == "set pitch (midi 60)"
    assert edit_words({"kind": "reverse"}) == "reverse"
    assert edit_words({"kind": "toward", "mean": [0.0] * 16, "amount": 0.5}) == "toward (mean of 16, amount 0.5)"


def run(*words: Any) -> Any:
    return CliRunner().invoke(app, [str(word) for word in words])


@pytest.fixture
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """A cache of this test session, not the user's."""
    monkeypatch.setenv("SYNTH_EXPLORER_CACHE", str(tmp_path_factory.getbasetemp() / "cache"))


@pytest.mark.long
@pytest.mark.usefixtures("cache")
def test_inspect_with_the_model_that_ships(
    explorer: Explorer, monkeypatch: pytest.MonkeyPatch, note_file: Callable[..., Path], tmp_path: Path
) -> None:
    monkeypatch.setattr(common, "load_explorer", lambda checkpoint: explorer)
    note, out, preset = note_file("a.wav", midi=62), tmp_path / "a.html", tmp_path / "p.json"
    EditChain((Gain(db=-6), Oscillate(target="brightness", rate_hz=5, depth=0.4))).save(preset)
    done = run("inspect", note, "--preset", preset, "-o", out)
    assert (done.exit_code, done.stdout) == (0, f"{out}\n"), done.output
    page = out.read_text(encoding="utf-8")
    check_page(page)
    assert re.findall(r"<h2>(.*?)</h2>", page) == WITH_ENHANCEMENT
    assert re.search(r'<tr class="met"><th scope="row">level</th>', page)
    assert "Cello" in page and "D4" in page and explorer.checkpoint_hash[:12] in page
    latents_file = tmp_path / "a.npz"
    explorer.encode(note).save(latents_file)
    assert run("inspect", latents_file, "-o", out).exit_code == 0
    assert "there is no recording" in out.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["missing.wav", "-o", "OUT.html"], 1, "missing.wav does not exist"),
        (["NOTE", "-o", "OUT.pdf"], 2, ".html"),
        (["NOTE", "-o", "OUT.html", "--decode-s", "0"], 2, "positive"),
        (["NOTE", "-o", "OUT.html", "--preset", "BAD"], 1, "BAD: The preset must be JSON"),
        (["BAD", "-o", "OUT.html"], 1, "is not a sound file"),
    ],
)
def test_bad_input_is_one_sentence_and_leaves_nothing(
    words: list[str],
    code: int,
    message: str,
    note_file: Callable[..., Path],
    tmp_path: Path,
    explorer: Explorer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(common, "load_explorer", lambda checkpoint: explorer)
    (tmp_path / "bad.json").write_text("nothing of a preset")
    names = {"NOTE": note_file(), "BAD": tmp_path / "bad.json"}
    names |= {f"OUT.{kind}": tmp_path / "out" / f"a.{kind}" for kind in ("html", "pdf")}
    done = run("inspect", *(names.get(word, word) for word in words))
    assert done.exit_code == code
    told = " ".join(re.sub(r"[│╭╮╰╯─]", " ", done.output).split())
    assert message.replace("BAD", str(names["BAD"])) in told and "Traceback" not in told
    assert not (tmp_path / "out").exists()


def test_an_unknown_checkpoint_is_one_sentence(note_file: Callable[..., Path], tmp_path: Path) -> None:
    done = run("inspect", note_file(), "--checkpoint", "nowhere", "-o", tmp_path / "a.html")
    assert done.exit_code == 1 and "nowhere" in done.output and not (tmp_path / "a.html").exists()


@pytest.mark.long
@pytest.mark.usefixtures("cache")
def test_a_checkpoint_with_its_pitch_inside_is_inspected(note_file: Callable[..., Path], tmp_path: Path) -> None:
    """NSynth's network, tiny: no fast decoder, no calibrated channel, no pitch track."""
    from synth_explorer.checkpoints import save_nsynth
    from synth_explorer.model.nsynth import NSynth
    from tests.model.small_nsynth import TINY

    network = NSynth(TINY, name="nsynth")
    network.build()
    save_nsynth(network, tmp_path / "tiny", description="tiny", card="# Tiny\n")
    note, out, preset = note_file(seconds=0.5), tmp_path / "a.html", tmp_path / "p.json"
    EditChain((Scale(channels=(1,), factor=2.0),)).save(preset)
    words = ["inspect", note, "--checkpoint", tmp_path / "tiny", "-o", out]
    done = run(*words)
    assert done.exit_code == 0, done.output
    page = out.read_text(encoding="utf-8")
    check_page(page)
    assert "has no fast decoder" in page and page.count("<audio") == 1 and "Over time" in page
    done = run(*words, "--decode-s", 0.2, "--preset", preset)
    assert done.exit_code == 0, done.output
    page = out.read_text(encoding="utf-8")
    check_page(page)
    assert "the first 0.2 s" in page and page.count("<audio") == 3 and "not promised" in page
    EditChain((Gain(db=-6),)).save(preset)
    out.unlink()
    done = run(*words, "--preset", preset)
    assert done.exit_code == 1 and "not calibrated for loudness" in done.output and not out.exists()


def wait_for(page: Any, expression: str) -> None:
    """Until an expression is true in a page, asked from here: its policy forbids the page itself to evaluate text."""
    give_up_s = time.monotonic() + WAIT_S
    while not page.evaluate(expression):
        assert time.monotonic() < give_up_s, expression
        time.sleep(0.05)


@pytest.mark.slow
@pytest.mark.browser
@pytest.mark.skipif(not Path(CHROMIUM).exists(), reason="no chromium: install Debian's package `chromium`")
def test_a_browser_shows_it_on_a_phone_and_plays_it(browser: Any, tmp_path: Path) -> None:
    out, asked, errors = tmp_path / "a.html", [], []
    out.write_text(inspection.html(found()), encoding="utf-8")
    for width in (1280, 390):
        page = browser.new_page(viewport={"width": width, "height": 800})
        page.on("request", lambda request: asked.append(request.url))
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        page.goto(out.as_uri())
        wait_for(page, "[...document.querySelectorAll('audio')].every((audio) => audio.duration > 0.9)")
        assert page.evaluate("document.documentElement.scrollWidth") == width
        page.evaluate("() => Object.assign(document.querySelector('audio'), { loop: true }).play()")
        wait_for(page, "[...document.querySelectorAll('.head')].every((head) => +head.style.opacity > 0)")
        assert all(page.evaluate("[...document.images].map((image) => image.naturalWidth > 0)"))
        page.close()
    assert errors == [] and {url.split(":")[0] for url in asked} <= {"file", "data"}
