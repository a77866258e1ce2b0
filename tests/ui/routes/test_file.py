"""The routes of files: what the page made is served; what somebody uploaded is not, however its path is written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote
from urllib.request import Request, urlopen

import httpx
import numpy as np
import pytest
import soundfile

from tests.ui.load.page import API, Book, Page


def status(address: str, path: str, *, method: str = "GET") -> int:
    try:
        with urlopen(Request(address + path, method=method)) as answer:
            return answer.status
    except HTTPError as error:
        return error.code


@pytest.fixture
def uploaded(address: str, tmp_path: Path) -> str:
    """Where the server put what a visitor sent, before and after it was opened."""
    soundfile.write(tmp_path / "secret.wav", 0.3 * np.sin(np.arange(16000) / 7), 16000)
    page, book = Page(address, Book()), Book()
    page.open()
    sent = page.upload(tmp_path / "secret.wav")
    token, *_ = page.event("brought", page.of("upload-a", "upload"), ["fake", sent, ""])
    page.close()
    assert token.endswith("/secret.wav") and not book.errors
    return sent["path"]


def test_an_upload_is_served_to_nobody(address: str, uploaded: str, studios: Any) -> None:
    assert Path(uploaded).is_file()
    inside = studios.sound_folder.folder
    up = "../" * len(inside.parts)
    for path in (
        uploaded,
        quote(uploaded),
        uploaded.replace("/", "//"),
        f"/tmp/..{uploaded}",
        f"{inside}/{up}{uploaded}",
    ):
        for way in ("file=", "file/", "file%3D", "proxy=", "file=file://"):
            for method in ("GET", "HEAD"):
                assert status(address, f"{API}{way}{path}", method=method) >= 400, f"{method} {way}{path}"
    for path in ("file=", "file/", "gradio_api//file=", "gradio_api/file=//"):
        assert status(address, f"{path}{uploaded}") >= 400, path
    for kept in studios.store.folder.iterdir():
        assert status(address, f"{API}file={kept}") >= 400


def test_what_the_page_made_is_served_in_parts_too(address: str, studios: Any) -> None:
    path = studios.sound_folder.put(np.sin(np.arange(4000) / 9).astype(np.float32), sample_rate_hz=16000)
    whole = httpx.get(f"{address}{API}file={path}")
    assert whole.content == path.read_bytes() and whole.headers["content-type"].startswith("audio/")
    part = httpx.get(f"{address}{API}file={path}", headers={"Range": "bytes=100-199"})
    assert part.status_code == 206 and part.content == whole.content[100:200]
    path.unlink()
    assert status(address, f"{API}file={path}") == 403


def test_no_other_upload_is_read_through_an_event(address: str, tmp_path: Path) -> None:
    """Neither a file of the server nor one that was never sent."""
    page = Page(address, book := Book())
    page.open()
    (secret := tmp_path / "secret.wav").write_bytes(b"RIFF")
    given = {"path": str(secret), "orig_name": "x.wav", "meta": {"_type": "gradio.FileData"}}
    assert page.event("brought", page.of("upload-a", "upload"), ["fake", given, ""]) == []
    assert json.dumps(book.errors).count("brought") >= 1
    page.close()
