"""The route of glimpses: `GET sound/picture.png?request=...` is the spectrogram of what a turning knob asks for.

Edits are applied by their formulas and nothing is remembered: what is let go of has an answer of its own. With
`final=1` it is that of the final render, where this was made and is still remembered.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import numpy as np
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import PlainTextResponse, Response
from fastapi.routing import APIRoute

from synth_explorer import plots
from synth_explorer.errors import SynthExplorerError
from synth_explorer.explorer.decoders import FINAL
from synth_explorer.ui.colours import SLOT_COLOURS
from synth_explorer.ui.request.sound_request import SoundRequest
from synth_explorer.ui.session.keys import Crowded

if TYPE_CHECKING:
    from synth_explorer.rendering import Rendered
    from synth_explorer.ui.session.studio import Studio
    from synth_explorer.ui.session.studios import Studios

PATH = "/sound/picture.png"
HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


def picture_route(studios: Studios) -> APIRoute:
    """The route over the studios, for Gradio's launch."""

    async def picture(request: str = "", final: bool = False) -> Any:
        try:
            asked = SoundRequest.from_json(request)
            studio = studios.studio(asked.checkpoint)
            if not studio.is_ready or (studio.is_slow and not final):
                return Response(status_code=204, headers=HEADERS)
            if final:
                return await run_in_threadpool(_final, studio, asked)
            studio.touch()
            made = await asyncio.wrap_future(studio.keys.begin(lambda: _glimpse(studio, asked), spare=True))
        except Crowded:
            return Response(status_code=204, headers=HEADERS)
        except SynthExplorerError as error:
            return PlainTextResponse(str(error), status_code=422, headers=HEADERS)
        return made

    return APIRoute(PATH, picture, methods=["GET"], include_in_schema=False)


def _glimpse(studio: Studio, asked: SoundRequest) -> Response:
    patch = studio.asked(asked)
    return _drawn(studio.renderer.begin(patch.but(open_loop=True)))


def _final(studio: Studio, asked: SoundRequest) -> Response:
    made = studio.renderer.remembered(studio.asked(asked).but(decoder=FINAL.name))
    return Response(status_code=204, headers=HEADERS) if made is None else _drawn(made)


def _drawn(made: Rendered) -> Response:
    colour = plots.mix_colour(list(SLOT_COLOURS[: len(made.weights)]), list(made.weights))
    png = plots.spectrogram_png(made.audio, sample_rate_hz=made.sample_rate_hz, colour=colour)
    return Response(png, media_type="image/png", headers=HEADERS | _facts(made))


def _facts(made: Rendered) -> dict[str, str]:
    """Its pitch, and its peak level."""
    facts = {"X-Peak": f"{float(np.abs(made.audio).max()):.5f}"}
    if made.after.has_pitch:
        facts["X-Midi"] = f"{made.after.pitch_midi:.3f}"
    return facts
