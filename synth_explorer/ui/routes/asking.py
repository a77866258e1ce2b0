"""What an address asks for: `?request=` what a page wrote, or the words of a link, `?a=Cello&b=Flute&mix=0.3`.

And what is sent with it, and the routes that answer with JSON.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastapi import Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse, PlainTextResponse
from fastapi.routing import APIRoute

from synth_explorer.errors import EditError, SynthExplorerError
from synth_explorer.ui.request import link
from synth_explorer.ui.request.sound_request import SoundRequest

HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
LONGEST_BYTES = 1 << 18  # of words that are sent


def asked(connection: Request) -> SoundRequest:
    """The request of an address. Raises EditError: it is none."""
    written = connection.query_params.get("request")
    return link.decoded(connection.url.query) if written is None else SoundRequest.from_json(written)


async def _sent(connection: Request) -> bytes:
    """Words that are sent with a request. Raises EditError: they are too many."""
    body = bytearray()
    async for chunk in connection.stream():
        body += chunk
        if len(body) > LONGEST_BYTES:
            raise EditError(f"What was sent has more than {LONGEST_BYTES >> 10} kB.")
    return bytes(body)


def told(path: str, answer: Callable[[Request, bytes], Any], *, method: str = "GET") -> APIRoute:
    """A route that answers what is asked, given what is sent with it, as JSON; an error is a sentence (422)."""

    async def answered(connection: Request) -> Any:
        try:
            made = await run_in_threadpool(answer, connection, await _sent(connection))
        except SynthExplorerError as error:
            return PlainTextResponse(str(error), status_code=422, headers=HEADERS)
        return JSONResponse(made, headers=HEADERS)

    return APIRoute(path, answered, methods=[method], include_in_schema=False)
