"""The route of sounds: `GET sound/result.wav?request=...` answers what is asked, as a WAV file at its own level.

So does `GET sound/result.wav?a=Cello&b=Flute&mix=0.3`, the words of a link, and `?patch={"notes": ["Cello", "Flute"]}`,
a patch in few words, see `Wanted`.

It stands beside Gradio's routes and not among its events, because a player that asks for its sound itself plays it a
good deal sooner than one that waits for an event, its outputs and a second request. The same request is the same
address, so nothing of a session is kept here.

`GET sound/source.wav?checkpoint=...&token=...` is what is heard of a note's recording.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import Request
from fastapi.responses import FileResponse, PlainTextResponse
from fastapi.routing import APIRoute

from synth_explorer.errors import SynthExplorerError
from synth_explorer.ui.request.wanted import read
from synth_explorer.ui.routes.asking import asked
from synth_explorer.ui.session.wanted_patch import found, wanted_patch

if TYPE_CHECKING:
    from synth_explorer.ui.session.studios import Studios

PATH, SOURCE = "/sound/result.wav", "/sound/source.wav"
HEADERS = {"Cache-Control": "no-cache", "X-Content-Type-Options": "nosniff"}


def sound_route(studios: Studios) -> APIRoute:
    """The route over the studios, for Gradio's launch."""

    def sound(connection: Request, patch: str = "") -> Any:
        try:
            if patch:
                studio, wanted = wanted_patch(studios, read(patch))
            else:
                request = asked(connection)
                studio = studios.studio(request.checkpoint)
                wanted = studio.asked(request)
            render = studio.rendered(wanted)
        except SynthExplorerError as error:
            return PlainTextResponse(str(error), status_code=422, headers=HEADERS)
        path = studio.sound_folder.put(render.audio, sample_rate_hz=studio.explorer.sample_rate_hz)
        return FileResponse(path, media_type="audio/wav", headers=HEADERS)

    return APIRoute(PATH, sound, methods=["GET", "HEAD"], include_in_schema=False)


def source_route(studios: Studios) -> APIRoute:
    """The same for the notes that slots hold, by what the page calls them."""

    def source(checkpoint: str = "", token: str = "") -> Any:
        try:
            studio = studios.studio(checkpoint)
            path = studio.heard_file(found(studio, token))
        except SynthExplorerError as error:
            return PlainTextResponse(str(error), status_code=422, headers=HEADERS)
        return FileResponse(path, media_type="audio/wav", headers=HEADERS)

    return APIRoute(SOURCE, source, methods=["GET", "HEAD"], include_in_schema=False)
