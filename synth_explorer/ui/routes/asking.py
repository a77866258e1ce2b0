"""What an address asks for: `?request=` what a page wrote, or the words of a link, `?a=Cello&b=Flute&mix=0.3`.

And what is sent with it.
"""

from __future__ import annotations

from fastapi import Request

from synth_explorer.errors import EditError
from synth_explorer.ui.request import link
from synth_explorer.ui.request.sound_request import SoundRequest

LONGEST_BYTES = 1 << 18  # of words that are sent


def asked(connection: Request) -> SoundRequest:
    """The request of an address. Raises EditError: it is none."""
    written = connection.query_params.get("request")
    return link.decoded(connection.url.query) if written is None else SoundRequest.from_json(written)


async def sent(connection: Request) -> bytes:
    """Words that are sent with a request. Raises EditError: they are too many."""
    body = bytearray()
    async for chunk in connection.stream():
        body += chunk
        if len(body) > LONGEST_BYTES:
            raise EditError(f"What was sent has more than {LONGEST_BYTES >> 10} kB.")
    return bytes(body)
