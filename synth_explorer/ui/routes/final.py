"""The route of final renders: `GET sound/final.wav?request=...` is the final decoder's sound of what is asked for.

A WAV file whose length is known and whose samples come as they are decoded, so that it plays while it is made. Whoever
closes the connection stops the render.
"""

from __future__ import annotations

import struct
from collections.abc import AsyncIterator, Generator
from contextlib import closing
from typing import TYPE_CHECKING, Any

import numpy as np
from fastapi import Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import PlainTextResponse, StreamingResponse
from fastapi.routing import APIRoute

from synth_explorer.errors import CheckpointError, SynthExplorerError
from synth_explorer.explorer.decoders import FINAL
from synth_explorer.ui.request.sound_request import SoundRequest
from synth_explorer.ui.routes.asking import asked

if TYPE_CHECKING:
    from synth_explorer.ui.session.studios import Studios

PATH = "/sound/final.wav"
HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
BYTES, FLOAT = 4, 3  # of a sample, and its kind in a WAV file


def final_route(studios: Studios) -> APIRoute:
    """The route over the studios, for Gradio's launch."""

    def final(connection: Request) -> Any:
        try:
            samples, rate_hz, chunks = _begun(studios, asked(connection))
        except SynthExplorerError as error:
            return PlainTextResponse(str(error), status_code=422, headers=HEADERS)
        length = {"Content-Length": str(len(header(samples, rate_hz)) + samples * BYTES)}
        body = wav(chunks, samples=samples, sample_rate_hz=rate_hz)
        return StreamingResponse(_while_heard(connection, body), media_type="audio/wav", headers=HEADERS | length)

    return APIRoute(PATH, final, methods=["GET"], include_in_schema=False)


async def _while_heard(connection: Request, body: Generator[bytes]) -> AsyncIterator[bytes]:
    """The body, made in a thread, until its end or until nobody listens any more; then it is closed."""
    try:
        while not await connection.is_disconnected():
            piece = await run_in_threadpool(next, body, None)
            if piece is None:
                break
            yield piece
    finally:
        body.close()


def _begun(studios: Studios, request: SoundRequest) -> tuple[int, int, Generator[np.ndarray]]:
    """Samples, rate and the stream of what is asked for. Raises SynthExplorerError where it makes no sense."""
    studio = studios.studio(request.checkpoint)
    explorer = studio.explorer
    if FINAL not in explorer.decoders:
        raise CheckpointError(f"The checkpoint {explorer.checkpoint_name} has no final render beside its own decoder.")
    begun = studio.renderer.begin(studio.asked(request).but(decoder=FINAL.name))
    samples = min(begun.after.duration_samples, begun.after.frames * explorer.hop)
    return samples, begun.sample_rate_hz, studio.renderer.stream(begun)


def wav(chunks: Generator[np.ndarray], *, samples: int, sample_rate_hz: int) -> Generator[bytes]:
    """Chunks of audio [n], `samples` in all, as a WAV file of 32-bit floats: what lies beyond full scale is kept."""
    with closing(chunks):
        yield header(samples, sample_rate_hz)
        for chunk in chunks:
            yield np.asarray(chunk, "<f4").tobytes()


def header(samples: int, sample_rate_hz: int) -> bytes:
    """The 56 bytes that a mono WAV file of 32-bit floats begins with."""
    size = samples * BYTES
    rates = sample_rate_hz, sample_rate_hz * BYTES
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, FLOAT, 1, *rates, BYTES, 8 * BYTES)
    form += struct.pack("<4sII", b"fact", 4, samples)  # which every kind but whole numbers has
    return struct.pack("<4sI4s", b"RIFF", 48 + size, b"WAVE") + form + struct.pack("<4sI", b"data", size)
