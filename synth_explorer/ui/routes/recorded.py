"""The route of recordings: `POST recording?name=&checkpoint=` with a sound file as its body answers what is in it.

Its notes, those that are highlights, and the tree of what recurs, see `recordings.facts`.
"""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fastapi import Request
from fastapi.responses import JSONResponse, PlainTextResponse
from fastapi.routing import APIRoute

from synth_explorer.errors import AudioError, SynthExplorerError
from synth_explorer.ui.session.note_store import LARGEST_BYTES, SUFFIX
from synth_explorer.ui.session.recorded import told

if TYPE_CHECKING:
    from synth_explorer.ui.session.studios import Studios

PATH = "/recording"
HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


def recorded_route(studios: Studios) -> APIRoute:
    """The route over the studios, for Gradio's launch."""

    async def recorded(connection: Request, name: str = "The recording", checkpoint: str = "") -> Any:
        suffix = Path(name).suffix.lower()
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"recording{suffix if SUFFIX.fullmatch(suffix) else ''}"
            try:
                await _received(connection, path, name)
                studio = studios.studio(checkpoint)
                return JSONResponse(await asyncio.to_thread(told, studio, path, title=name), headers=HEADERS)
            except SynthExplorerError as error:
                return PlainTextResponse(str(error), status_code=422, headers=HEADERS)

    return APIRoute(PATH, recorded, methods=["POST"], include_in_schema=False)


async def _received(connection: Request, path: Path, name: str) -> None:
    """Write the body of a request to a file. Raises AudioError: it is too large."""
    with path.open("wb") as file:
        async for chunk in connection.stream():
            file.write(chunk)
            if file.tell() > LARGEST_BYTES:
                raise AudioError(f"{name} has more than {LARGEST_BYTES / 2**20:.0f} MB; cut it shorter.")
