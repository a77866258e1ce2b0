"""The route of final renders: `GET sound/final.wav?request=...` is the final decoder's sound of what is asked for.

A WAV file whose length is known and whose samples come as they are decoded, so that it plays while it is made. Whoever
closes the connection stops the render. One is made at a time, and those of one page come after everybody else's: with
`page=NAME`, any name of whoever asks, `GET sound/final/place?page=NAME` says meanwhile how many come before theirs.
"""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator, Generator
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from fastapi import Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from fastapi.routing import APIRoute

from synth_explorer.errors import CheckpointError, SynthExplorerError
from synth_explorer.explorer.decoders import FINAL
from synth_explorer.ui.request.sound_request import SoundRequest
from synth_explorer.ui.routes.asking import asked
from synth_explorer.ui.session.line import Full

if TYPE_CHECKING:
    from synth_explorer.rendering import Rendered
    from synth_explorer.ui.session.finals import Begun, FinalRender
    from synth_explorer.ui.session.studio import Studio
    from synth_explorer.ui.session.studios import Studios

PATH, PLACE = "/sound/final.wav", "/sound/final/place"
HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
BYTES, FLOAT = 4, 3  # of a sample, and its kind in a WAV file
LOOK_S = 0.2
LONGEST_NAME = 64


def final_route(studios: Studios) -> APIRoute:
    """The route over the studios, for Gradio's launch."""

    async def final(connection: Request, page: str = "") -> Any:
        try:
            request = asked(connection)
            name = page[:LONGEST_NAME] or (connection.client.host if connection.client else "")
            render = studios.finals.begin(lambda: _begun(studios, request), page=name)
            if not await _has_begun(connection, render):
                return Response(status_code=499, headers=HEADERS)  # to nobody
            samples, rate_hz = render.begun.result()
        except Full as error:
            return PlainTextResponse(str(error), status_code=503, headers=HEADERS)
        except SynthExplorerError as error:
            return PlainTextResponse(str(error), status_code=422, headers=HEADERS)
        head = header(samples, rate_hz)
        length = {"Content-Length": str(len(head) + samples * BYTES)}
        body = _while_heard(connection, render, head)
        return StreamingResponse(body, media_type="audio/wav", headers=HEADERS | length)

    return APIRoute(PATH, final, methods=["GET"], include_in_schema=False)


def place_route(studios: Studios) -> APIRoute:
    """What says how many come before a page's: {"ahead", "seconds": about so many, or null}."""

    def place(page: str = "") -> Any:
        told = studios.finals.told(page[:LONGEST_NAME])
        if told is None:
            return PlainTextResponse("No final render of this page is waited for.", status_code=404, headers=HEADERS)
        return JSONResponse(told, headers=HEADERS)

    return APIRoute(PLACE, place, methods=["GET"], include_in_schema=False)


async def _has_begun(connection: Request, render: FinalRender) -> bool:
    """Wait for the turn of a render; False where nobody listens any more."""
    begun = asyncio.wrap_future(render.begun)
    while not (await asyncio.wait({begun}, timeout=LOOK_S))[0]:
        if await connection.is_disconnected():
            render.stop()
            return False
    return True


async def _while_heard(connection: Request, render: FinalRender, head: bytes) -> AsyncIterator[bytes]:
    """The file, until its end or until nobody listens any more; then the render is stopped."""
    try:
        yield head
        while not await connection.is_disconnected():
            piece = await run_in_threadpool(render.piece, LOOK_S)
            if piece is None:
                break
            if piece.size:
                yield np.asarray(piece, "<f4").tobytes()
    finally:
        render.stop()


def made(studios: Studios, request: SoundRequest, *, page: str) -> Rendered:
    """The final render that is asked for, remembered or made once it is its turn. Raises SynthExplorerError."""
    studio = studios.studio(request.checkpoint)
    patch = studio.asked(request).but(decoder=FINAL.name)
    known = studio.renderer.remembered(patch)
    if known is None:
        render = studios.finals.begin(lambda: _begun(studios, request), page=page)
        render.begun.result()
        while render.piece(LOOK_S) is not None:
            pass
        known = studio.renderer.remembered(patch)
    if known is None:
        raise CheckpointError("The final render was stopped; make it again.")
    return known


def _begun(studios: Studios, request: SoundRequest) -> Begun:
    """What is asked for, begun. Raises SynthExplorerError where it makes no sense."""
    studio = studios.studio(request.checkpoint)
    explorer = studio.explorer
    if FINAL not in explorer.decoders:
        raise CheckpointError(f"The checkpoint {explorer.checkpoint_name} has no final render beside its own decoder.")
    begun = studio.renderer.begin(studio.asked(request).but(decoder=FINAL.name))
    samples = min(begun.after.duration_samples, begun.after.frames * explorer.hop)
    return samples, begun.sample_rate_hz, _kept(studio, begun, samples)


def _kept(studio: Studio, begun: Rendered, samples: int) -> Generator[np.ndarray]:
    """The stream of a sound, which is remembered once it is whole: its picture is asked for then."""
    made: list[np.ndarray] = []
    with closing(studio.renderer.stream(begun)) as chunks:
        for chunk in chunks:
            made.append(chunk)
            yield chunk
    if made and sum(map(len, made)) >= samples:
        studio.renderer.keep(replace(begun, audio=np.concatenate(made)))


def header(samples: int, sample_rate_hz: int) -> bytes:
    """The 56 bytes that a mono WAV file of 32-bit floats begins with."""
    size = samples * BYTES
    rates = sample_rate_hz, sample_rate_hz * BYTES
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, FLOAT, 1, *rates, BYTES, 8 * BYTES)
    form += struct.pack("<4sII", b"fact", 4, samples)  # which every kind but whole numbers has
    return struct.pack("<4sI4s", b"RIFF", 48 + size, b"WAVE") + form + struct.pack("<4sI", b"data", size)
