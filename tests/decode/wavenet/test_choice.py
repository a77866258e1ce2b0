"""`engine=auto` measures which products are the fastest, remembers it, and is never undone by a damaged cache."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from synth_explorer.decode.wavenet import choice
from synth_explorer.decode.wavenet.choice import Chooser
from synth_explorer.decode.wavenet.decoder import WaveNetDecoder
from synth_explorer.decode.wavenet.packing import pack
from synth_explorer.decode.wavenet.transforms import usual_way
from tests.decode.wavenet.stacks import assert_same_draws, inputs_for, random_stack

TIMES = {"plain": 30.0, "pairs": 20.0, "seven": 10.0}


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[list[int]]:
    """The numbers of notes that were measured, while measuring says `TIMES` and the cache is a folder of its own."""
    calls: list[int] = []

    def measure(stack: object, possible: tuple[str, ...], notes: int) -> dict[str, float]:
        calls.append(notes)
        return {scheme: TIMES[scheme] for scheme in possible}

    monkeypatch.setenv("SYNTH_EXPLORER_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(choice, "_measure", measure)
    yield calls


def test_the_fastest_way_is_taken_and_remembered(measured: list[int], tmp_path: Path) -> None:
    stack = random_stack(width=64, skip=64)
    packed = pack(stack, "float32")
    assert usual_way(packed, 9).scheme == "pairs"
    chooser = Chooser(stack)
    way = chooser(packed, 9)
    assert way.scheme == "seven" and way.why == "measured: plain 30 us, pairs 20 us, seven 10 us"
    assert chooser(packed, 15) == way == Chooser(stack)(packed, 8)
    assert measured == [8]  # for 8 to 15 notes, and for the next process
    assert len(list((tmp_path / "cache").iterdir())) == 1
    Chooser(stack)(packed, 16)
    Chooser(random_stack(width=64, skip=64, dilations=(1, 2)))(packed, 8)
    assert len(measured) == 3  # other notes and sizes


def test_nothing_is_measured_where_there_is_no_choice(measured: list[int]) -> None:
    stack = random_stack(width=64, skip=64)
    for precision, notes in (("float32", 3), ("int8", 64), ("int16", 64)):
        assert Chooser(stack)(pack(stack, precision), notes).scheme == "plain"
    odd = random_stack(width=48)
    assert Chooser(odd)(pack(odd, "float32"), 64).scheme == "plain" and not measured


def test_what_takes_more_memory_has_to_be_clearly_faster(measured: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    stack = random_stack(width=64, skip=64)
    packed = pack(stack, "float32")
    monkeypatch.setitem(TIMES, "seven", 19.5)
    assert Chooser(stack)(packed, 8).scheme == "pairs"
    monkeypatch.setitem(TIMES, "plain", 20.0)
    assert Chooser(stack)(packed, 32).scheme == "plain" and measured == [8, 32]


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"step_us": {"plain": 1}}', '{"step_us": {"plain": "x"}}', "\x00"])
def test_a_damaged_cache_is_measured_anew(measured: list[int], tmp_path: Path, text: str) -> None:
    stack = random_stack(width=64, skip=64)
    packed = pack(stack, "float32")
    Chooser(stack)(packed, 8)
    (path,) = (tmp_path / "cache").iterdir()
    path.write_text(text)
    assert Chooser(stack)(packed, 8).scheme == "seven" and len(measured) == 2
    assert json.loads(path.read_text()) == {"step_us": TIMES}


def test_a_cache_that_cannot_be_written_is_no_error(
    measured: list[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("SYNTH_EXPLORER_CACHE", str(tmp_path / "file" / "cache"))
    stack = random_stack(width=64, skip=64)
    chooser = Chooser(stack)
    assert chooser(pack(stack, "float32"), 8).scheme == chooser(pack(stack, "float32"), 8).scheme == "seven"
    assert measured == [8]


def test_a_real_measurement_times_every_way_and_the_samples_agree(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SYNTH_EXPLORER_CACHE", str(tmp_path))
    monkeypatch.setattr(choice, "SLICE_S", 0.002)
    stack = random_stack(width=64, skip=64, taps=3, gain=3.0)
    decoder = WaveNetDecoder(stack, engine="auto", threads=1)
    scheme, why = decoder.way(8)
    (path,) = tmp_path.iterdir()
    step_us = json.loads(path.read_text())["step_us"]
    assert set(step_us) == set(TIMES) and min(step_us.values()) > 0.0
    assert scheme in TIMES and why.startswith("measured: plain ")
    given, uniforms = inputs_for(stack, notes=8, samples=100), np.random.default_rng(5).random((8, 100))
    made = decoder.generate(**given, uniforms=uniforms, samples=100)
    plain = WaveNetDecoder(stack, engine="reference").generate(**given, uniforms=uniforms, samples=100)
    assert_same_draws(stack, given, uniforms, plain, made)
