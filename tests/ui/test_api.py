"""The endpoints for programs, called by gradio_client at a page that is served."""

from __future__ import annotations

import asyncio
import io
import json
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote
from urllib.request import urlopen

import numpy as np
import pytest
import soundfile

from synth_explorer.edits import EditChain, Gain
from synth_explorer.errors import AudioError
from synth_explorer.latents import Latents
from synth_explorer.rendering import load_patch
from synth_explorer.ui import api
from tests.cli import shell
from tests.conftest import make_note

gradio_client = pytest.importorskip("gradio_client")


@pytest.fixture(scope="module")
def client(address: str, tmp_path_factory: pytest.TempPathFactory) -> Any:
    return gradio_client.Client(address, verbose=False, download_files=tmp_path_factory.mktemp("got"))


@pytest.fixture
def names(studios: Any) -> list[str]:
    return list(studios.notes)[:2]


def call(client: Any, endpoint: str, *given: Any, **named: Any) -> Any:
    return client.predict(*given, **named, api_name=f"/{endpoint}")


def refused(client: Any, endpoint: str, **named: Any) -> str:
    """What is said of a question that cannot be answered."""
    with pytest.raises(gradio_client.exceptions.AppError) as found:
        call(client, endpoint, **named)
    said = str(found.value)
    assert said.endswith(".") and "Traceback" not in said
    return said


def test_the_endpoints_are_named_and_typed(client: Any) -> None:
    found = client.view_api(return_format="dict")["named_endpoints"]
    assert set(found) == {"/notes", "/encode", "/morph", "/render", "/export"}
    takes = {one["parameter_name"]: one for one in found["/morph"]["parameters"]}
    assert takes["notes"]["type"] == {"type": "array", "items": {"type": "string"}}
    assert takes["seed"]["type"] == {"type": "integer"} and takes["seed"]["parameter_default"] == 0
    assert len(found["/morph"]["returns"]) == 2
    assert all(one["description"] for one in found.values())


def test_bundled_notes_are_listed(client: Any, studios: Any) -> None:
    listed = call(client, "notes")
    assert [one["name"] for one in listed] == list(studios.notes)
    assert set(listed[0]) == {"name", "family", "pitch_midi", "licence"}


def test_a_morph_is_what_its_patch_sounds_like(client: Any, studio: Any, names: list[str]) -> None:
    edits = [{"kind": "gain", "db": -6}]
    sound, facts = call(client, "morph", notes=names, mix=0.25, pitch="C4", edits=edits, seed=3)
    samples, rate_hz = soundfile.read(sound, dtype="float32")
    sources = [studio.find(name).source for name in names]
    patch = studio.renderer.patch(*sources, mix=_mix(0.25), pitch_midi=60.0, edits=EditChain((Gain(-6),)), seed=3)
    np.testing.assert_array_equal(samples, studio.renderer.render(patch).audio)
    assert facts["id"] == patch.id and facts["sample_rate_hz"] == rate_hz
    assert facts["pitch_midi"] == pytest.approx(60.0)
    assert any(one["control"] == "gain" for one in facts["outcomes"])
    again, same = call(client, "render", facts["patch"])  # a whole patch, as it was answered
    assert same == facts and Path(again).read_bytes() == Path(sound).read_bytes()


def _mix(place: float) -> Any:
    from synth_explorer.rendering import Mix

    return Mix.of(place)


def test_latents_are_named_after_their_note(address: str, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "mine.wav", make_note(57, seconds=0.5), 16000)
    upload = gradio_client.handle_file(tmp_path / "mine.wav")
    _, latents = call(gradio_client.Client(address, verbose=False, download_files=False), "encode", upload, pitch=57)
    assert latents["orig_name"] == "mine-A3.npz"


def test_a_file_is_encoded_and_used(client: Any, tmp_path: Path, names: list[str]) -> None:
    soundfile.write(tmp_path / "mine.wav", make_note(57, seconds=0.5), 16000)
    upload = gradio_client.handle_file(tmp_path / "mine.wav")
    facts, latents = call(client, "encode", upload, pitch=57)
    assert facts["note"].endswith("/mine.wav") and facts["pitch_midi"] == 57
    assert Latents.load(latents).pitch_midi == pytest.approx(57)
    sound, told = call(client, "morph", notes=[facts["note"], names[0]], mix=[0.7, 0.3])
    assert soundfile.info(sound).frames > 0
    assert str(tmp_path) not in json.dumps(told) and all("path" not in one for one in told["patch"]["sources"])
    packed = call(client, "export", told["patch"], kind="patch")
    assert [source.name for source in load_patch(packed).sources] == ["mine.wav", names[0]]


@pytest.mark.parametrize(
    ("kind", "suffix"), [("wav", ".wav"), ("flac", ".flac"), ("latents", ".npz"), ("patch", ".zip"), ("grid", ".zip")]
)
def test_every_kind_is_exported(client: Any, names: list[str], kind: str, suffix: str) -> None:
    path = Path(call(client, "export", {"notes": names}, kind=kind))
    assert path.suffix == suffix and path.stat().st_size > 1000


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"notes": "Cello"}, "notes: should be a list"),
        ({"notes": []}, "at least 1"),
        ({"notes": ["Nobody"]}, "no note 'Nobody' here"),
        ({"notes": ["../../etc/passwd"]}, "no note"),
        ({"notes": [3]}, "notes.0: should be a valid string"),
        ({"mix": "half"}, "mix"),
        ({"mix": [1, 2, 3]}, "2 weights; received 3"),
        ({"pitch": "H9"}, "no pitch"),
        ({"pitch": 500}, "pitch"),
        ({"edits": [{"kind": "gain", "db": "loud"}]}, "finite number"),
        ({"edits": [{"kind": "gian"}]}, "gian"),
        ({"edits": {"kind": "gain"}}, "edits: should be a list"),
        ({"decoder": "slow"}, "decoder"),
        ({"seed": -1}, "seed: should be greater than or equal to 0"),
        ({"seed": 1.5}, "seed"),
        ({"checkpoint": "/etc"}, "no checkpoint '/etc'"),
    ],
)
def test_what_cannot_be_is_said_in_one_sentence(client: Any, names: list[str], given: dict, said: str) -> None:
    assert said in refused(client, "morph", **{"notes": names, **given})


def test_patches_that_cannot_be(client: Any, names: list[str]) -> None:
    assert "unknown field 'tone'" in refused(client, "render", patch={"notes": names, "tone": 3})
    assert "object" in refused(client, "render", patch=[1])
    assert "lacks the field" in refused(client, "render", patch={"sources": []})
    assert "kind: should be 'wav'" in refused(client, "export", patch={"notes": names}, kind="mp3")
    facts = call(client, "morph", notes=names)[1]
    theirs = facts["patch"] | {"checkpoint_hash": "1" * 64}
    assert "checkpoint" in refused(client, "render", patch=theirs)
    elsewhere = json.loads(json.dumps(facts["patch"]))
    elsewhere["sources"][0] |= {"origin": "file", "path": "/etc/hostname", "sha256": "1" * 64}
    assert "There is no note" in refused(client, "render", patch=elsewhere)


@pytest.mark.parametrize("path", ["/etc/hostname", "../../etc/hostname", "nowhere.wav"])
def test_no_file_of_the_server_is_read(client: Any, path: str) -> None:
    assert "was uploaded" in refused(client, "encode", sound={"path": path})


@pytest.mark.parametrize("name", ["a" * 5000, "a\0b", ""])
def test_names_that_no_file_can_have_are_no_uploads(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    with pytest.raises(AudioError, match="was uploaded"):
        api._uploaded({"path": f"{tmp_path}/{name}"})


def test_what_is_no_sound_is_said(client: Any, tmp_path: Path) -> None:
    (tmp_path / "words.wav").write_text("no sound")
    assert "words.wav" in refused(client, "encode", sound=gradio_client.handle_file(tmp_path / "words.wav"))


def test_a_sound_by_its_address_alone(address: str, client: Any, names: list[str]) -> None:
    asked = quote(json.dumps({"notes": names, "mix": 0.5}))
    sound, _ = soundfile.read(io.BytesIO(urlopen(f"{address}sound/result.wav?patch={asked}").read()))
    np.testing.assert_array_equal(sound, soundfile.read(call(client, "morph", notes=names, mix=0.5)[0])[0])
    for wrong, said in (("nonsense", "must be JSON"), ("[]", "must be an object"), (f"{' ' * 70_000}[]", "70,0")):
        with pytest.raises(HTTPError) as found:
            urlopen(f"{address}sound/result.wav?patch={quote(wrong)}")
        assert found.value.code in (422, 431, 400) and (found.value.code != 422 or said in found.value.read().decode())


def test_a_login_lets_programs_in(guarded: str, studios: Any) -> None:
    with pytest.raises(Exception, match=r"(?i)auth|login"):
        gradio_client.Client(guarded, verbose=False)
    client = gradio_client.Client(guarded, auth=("ann", "secret"), verbose=False)
    assert len(call(client, "notes")) == len(studios.notes)


def test_language_models_find_the_same_endpoints(studios: Any, names: list[str]) -> None:
    pytest.importorskip("mcp", reason="no mcp: pip install 'gradio[mcp]'")
    from mcp import ClientSession
    from mcp.client.streamable_http import streamablehttp_client

    from synth_explorer.ui.page import build_page, serve

    page = build_page(studios)
    options = {"server_name": "127.0.0.1", "prevent_thread_lock": True, "quiet": True}
    address = serve(page, studios, mcp_server=True, **options)[1]

    async def ask() -> tuple[Any, Any]:
        server = streamablehttp_client(f"{address}gradio_api/mcp/")
        async with server as (reads, writes, _), ClientSession(reads, writes) as session:
            await session.initialize()
            return await session.list_tools(), await session.call_tool("morph", {"notes": names, "mix": 0.5})

    found, made = asyncio.run(ask())
    page.close()
    tools = {tool.name.rpartition("_")[2]: tool for tool in found.tools}
    assert set(tools) == {"notes", "encode", "morph", "render", "export"}
    assert "Mix one to four notes" in tools["morph"].description
    assert not made.isError


def test_without_mcp_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_module("synth_explorer.cli.page"), "find_spec", lambda name: None)
    assert "pip install 'gradio[mcp]'" in shell.refused("page", "--mcp")
