"""Files of an instrument: as the formats' papers have them, whole, and equal when made again."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
import zipfile
from pathlib import Path

import pytest
import soundfile

from synth_explorer.audio import riff
from synth_explorer.errors import SpecError
from synth_explorer.instruments import Instrument, Plan, formats_of, make, targets, write
from synth_explorer.instruments.sfz import wheel_places
from synth_explorer.rendering import Patch, Renderer

ALL = ("sfz", "decent", "bitwig")
# The developers' guide of DecentSampler.
DECENT = {
    "DecentSampler": {"minVersion"},
    "groups": set(),
    "group": {"name", "ampVelTrack", "seqMode", "volume"},
    "sample": {
        *("path", "rootNote", "loNote", "hiNote", "loVel", "hiVel", "tuning", "attack", "decay", "sustain", "release"),
        *("loopEnabled", "loopStart", "loopEnd", "loopCrossfade", "seqPosition", "seqLength"),
    },
    "midi": set(),
    "cc": {"number"},
    "binding": {"type", "level", "position", "parameter", "translation", "translationTable"},
}
# The schema of github.com/bitwig/multisample: attributes with their types, children in their order.
INT, DOUBLE = r"-?\d+", r"-?\d+(\.\d+)?"
RANGE = {"low": INT, "high": INT, "low-fade": INT, "high-fade": INT}
BITWIG = {
    "multisample": ({"name": ".+"}, ["generator", "category", "creator", "description", "group", "sample"]),
    "generator": ({}, []),
    "category": ({}, []),
    "creator": ({}, []),
    "description": ({}, []),
    "group": ({"name": ".+", "color": ".+"}, []),
    "sample": (
        {
            "file": ".+", "sample-start": DOUBLE, "sample-stop": DOUBLE, "gain": DOUBLE, "group": INT,
            "zone-logic": "always-play|round-robin",
        },
        ["key", "velocity", "select", "loop"],
    ),
    "key": (RANGE | {"root": INT, "track": DOUBLE, "tune": DOUBLE}, []),
    "velocity": (RANGE, []),
    "select": (RANGE, []),
    "loop": ({"mode": "off|loop|ping-pong", "start": DOUBLE, "stop": DOUBLE, "fade": DOUBLE}, []),
}  # fmt: skip


def test_the_report_tells_everything(morphing: Instrument, tmp_path: Path) -> None:
    found = write(morphing, tmp_path / "m", formats=ALL)
    assert found == targets(tmp_path / "m", ALL)
    assert [path.name for path in found] == ["m.sfz", "m.dspreset", "m.multisample", "instrument.json"]
    told = json.loads(found[-1].read_text())
    assert Patch.parse(json.dumps(told["patch"]), what="it", error=SpecError) == morphing.patch
    assert told["summary"]["samples"] == len(told["samples"]) == 2 * 2 * 3 == told["summary"]["looped"]
    assert told["summary"]["clean_loops"] == 12 and told["summary"]["largest_cents"] < 1.0
    assert len(told["consistency"]["between_keys_db"]) == 1 and told["morph"]["steps"] == 3
    assert any("Select" in note for note in told["notes"]) and any("velocity layer" in note for note in told["notes"])
    for one in told["samples"]:
        path = tmp_path / "m" / one["file"]
        header, chunks = soundfile.info(path), riff.read(path)
        assert (header.subtype, header.samplerate) == ("PCM_24", 16_000)
        assert chunks.root_midi == one["key"] and chunks.loop == (one["loop"]["start"], one["loop"]["end"])
        assert header.frames > one["loop"]["end"] and one["loop"]["step"] <= 1.0 >= one["loop"]["spectrum"]


def test_made_again_the_files_are_the_same(renderer: Renderer, pair: Patch, tmp_path: Path) -> None:
    contents = []
    for name in ("a", "b"):
        made = make(renderer, pair, Plan(60, 60, 3, 1, 1, 2), name="same")
        write(made, tmp_path / name / "same", formats=ALL)
        contents.append({p.relative_to(tmp_path / name): p.read_bytes() for p in (tmp_path / name).rglob("*.*")})
    assert contents[0] == contents[1] and len(contents[0]) == 6


def test_decent_has_documented_elements_only(morphing: Instrument, tmp_path: Path) -> None:
    write(morphing, tmp_path / "m", formats=("decent",))
    root = ET.parse(tmp_path / "m" / "m.dspreset").getroot()
    for element in root.iter():
        assert set(element.attrib) <= DECENT[element.tag], element.tag
    assert [len(group) for group in root.iter("group")] == [4, 4, 4]
    for sample in root.iter("sample"):
        frames = soundfile.info(tmp_path / "m" / sample.get("path")).frames
        assert 0 < int(sample.get("loopStart")) < int(sample.get("loopEnd")) < frames
    assert {sample.get("seqPosition") for sample in root.iter("sample")} == {"1", "2"}
    tables = [
        {float(pair.split(",")[0]): float(pair.split(",")[1]) for pair in one.get("translationTable").split(";")}
        for one in root.iter("binding")
    ]
    for step, at in enumerate(wheel_places(3)):
        assert [table[at] for table in tables] == [float(other == step) for other in range(3)]
    assert all(sum(table[value] for table in tables) == pytest.approx(1.0, abs=1e-3) for value in tables[0])


def test_bitwig_follows_its_schema(morphing: Instrument, tmp_path: Path) -> None:
    write(morphing, tmp_path / "m", formats=("bitwig",))
    assert not (tmp_path / "m" / "samples").exists()
    with zipfile.ZipFile(tmp_path / "m" / "m.multisample") as file:
        assert file.testzip() is None and all(one.compress_type == zipfile.ZIP_STORED for one in file.infolist())
        root, names = ET.fromstring(file.read("multisample.xml")), set(file.namelist())
        for sample in root.iter("sample"):
            assert sample.get("file") in names
            loop = sample.find("loop")
            assert 0 < float(loop.get("start")) < float(loop.get("stop")) <= float(sample.get("sample-stop"))
    for element in root.iter():
        attributes, children = BITWIG[element.tag]
        for name, value in element.attrib.items():
            assert re.fullmatch(attributes[name], value), (element.tag, name, value)
        order = [children.index(child.tag) for child in element]
        assert order == sorted(order)
    select = {tuple(one.find("select").attrib.values()) for one in root.iter("sample")}
    assert select == {("0", "64", "0", "64"), ("0", "127", "64", "63"), ("64", "127", "63", "0")}


def test_what_is_not_looped_is_said(renderer: Renderer, plucked: Patch, tmp_path: Path) -> None:
    made = make(renderer, plucked, Plan(60, 63, 3, 1), name="p")
    assert "no key is looped" in made.notes[0]
    write(made, tmp_path / "p", formats=ALL)
    assert "loop_mode=no_loop" in (tmp_path / "p" / "p.sfz").read_text()
    assert 'loopEnabled="false"' in (tmp_path / "p" / "p.dspreset").read_text()


def test_a_folder_that_cannot_be_written_is_said(renderer: Renderer, plucked: Patch, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    with pytest.raises(SpecError, match="cannot be written"):
        write(make(renderer, plucked, Plan(60, 60, 3, 1), name="p"), tmp_path / "taken", formats=("sfz",))


def test_formats_by_name() -> None:
    assert formats_of("sfz") == ("sfz",) and formats_of("bitwig, SFZ,sfz") == ("bitwig", "sfz")
    for wrong in ("", "sf2", "sfz,", "sfz;decent"):
        with pytest.raises(SpecError, match="one or several of"):
            formats_of(wrong)
