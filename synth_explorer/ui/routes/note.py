"""The route of keys: `GET sound/note.wav?request=...&midi=60` is what is asked for as a key plays it.

A WAV file whose headers say where it loops, and in which time it dies away once it is let go. Notes are made in threads
of their own, a few at a time: however many are asked for, the sound that a slider asks for waits for none of them. A
key that was struck waits for none that is made ahead.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from fastapi.responses import PlainTextResponse, Response
from fastapi.routing import APIRoute

from synth_explorer.errors import SynthExplorerError
from synth_explorer.ui.request.sound_request import SoundRequest
from synth_explorer.ui.routes.final import HEADERS, header
from synth_explorer.ui.session.keys import Crowded

if TYPE_CHECKING:
    from synth_explorer.instruments.held import HeldNote
    from synth_explorer.ui.session.studio import Studio
    from synth_explorer.ui.session.studios import Studios

PATH = "/sound/note.wav"


def note_route(studios: Studios) -> APIRoute:
    """The route over the studios, for Gradio's launch."""

    async def note(
        request: str = "",
        midi: float | None = None,
        hold: bool = False,
        from_s: float | None = None,
        first: bool = False,
        ahead: bool = False,
    ) -> Any:
        """
        Args:
            midi: pitch of the key; none: the sound's own.
            hold: whether it is looped also where it dies away fast.
            from_s: answers a short stretch from this moment on, for a note that is held while a knob is turned.
            first: whether its beginning is enough for now, where it was not made yet (`X-First`).
            ahead: whether nobody waits for it: while anybody waits for anything the answer is empty (204).
        """
        try:
            asked = SoundRequest.from_json(request)
            studio = studios.studio(asked.checkpoint)
            if ahead and (not studio.is_ready or studio.is_moving or studio.keys.is_busy):
                return Response(status_code=204, headers=HEADERS)
            if not ahead:
                studio.touch()
            how = {"hold": hold, "from_s": from_s, "first": first}
            begun = studio.keys.begin(lambda: _note(studio, asked, midi, **how), spare=ahead)
            made = await asyncio.wrap_future(begun)
        except Crowded as error:
            return PlainTextResponse(str(error), status_code=503, headers=HEADERS)
        except SynthExplorerError as error:
            return PlainTextResponse(str(error), status_code=422, headers=HEADERS)
        return Response(_wav(made, studio.explorer.sample_rate_hz), media_type="audio/wav", headers=_facts(made))

    return APIRoute(PATH, note, methods=["GET"], include_in_schema=False)


def _note(
    studio: Studio,
    asked: SoundRequest,
    midi: float | None,
    *,
    hold: bool,
    from_s: float | None,
    first: bool,
) -> HeldNote:
    patch = studio.asked(asked)
    if from_s is not None:
        return studio.keys.moving(patch, midi=midi, from_s=from_s)
    return studio.keys.note(patch, midi=midi, always=hold, first=first)


def _wav(made: HeldNote, sample_rate_hz: int) -> bytes:
    return header(made.audio.size, sample_rate_hz) + made.audio.astype("<f4").tobytes()


def _facts(made: HeldNote) -> dict[str, str]:
    """What a player must know: the loop in samples, its end exclusive; seconds of the release; the
    moment of the sound that it begins at; its pitch."""
    facts = {"X-Release-S": f"{made.release_s:.3f}", "X-From-S": f"{made.from_s:.5f}", "X-Midi": f"{made.midi:.4f}"}
    if not made.is_whole:
        facts["X-First"] = "true"
    if made.loop is not None:
        facts["X-Loop"] = f"{made.loop.start} {made.loop.end}"
    return HEADERS | facts
