"""What an address asks for: `?request=` what a page wrote, or the words of a link, `?a=Cello&b=Flute&mix=0.3`."""

from __future__ import annotations

from fastapi import Request

from synth_explorer.ui.request import link
from synth_explorer.ui.request.sound_request import SoundRequest


def asked(connection: Request) -> SoundRequest:
    """The request of an address. Raises EditError: it is none."""
    written = connection.query_params.get("request")
    return link.decoded(connection.url.query) if written is None else SoundRequest.from_json(written)
