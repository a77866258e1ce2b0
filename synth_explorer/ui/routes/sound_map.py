"""The routes of the map: `GET map` is all that lies on it, `GET map/sound?id=` a sound of it.

`POST map/take?id=&checkpoint=` answers what the page calls a sound by that becomes a source, `GET map/here?request=`
where the sound that is asked for and its sources lie, and `GET map/find?words=` which sounds are as words say: compared
with the sound that is asked for, or with that of `id`. `GET map/doubtful` are labels that are probably wrong, `POST
map/judge?id=&tag=&right=1` says whether one is. `POST map/walk` with a `session.walk.Walk` answers which sounds it
passes, and the curves of the morph that it is.

Who is no owner (see `login.is_owner`) has a map of the bundled notes alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import Request
from fastapi.responses import FileResponse, PlainTextResponse
from fastapi.routing import APIRoute

from synth_explorer.errors import EditError, SynthExplorerError
from synth_explorer.ui.routes.asking import HEADERS, asked, told
from synth_explorer.ui.routes.login import is_owner
from synth_explorer.ui.session.walk import Walk

if TYPE_CHECKING:
    import numpy as np

    from synth_explorer.ui.request.sound_request import SoundRequest
    from synth_explorer.ui.session.sound_map import SoundMap
    from synth_explorer.ui.session.studio import Studio
    from synth_explorer.ui.session.studios import Studios

PATH = "/map"
SEEN_MOST = 200
"""Sounds that may be left out of what is found."""


def facts_route(studios: Studios) -> APIRoute:
    """All that lies on the map."""
    return told(PATH, lambda connection, _: map_of(studios, connection).facts())


def sound_route(studios: Studios) -> APIRoute:
    """A sound of it."""

    def sound(connection: Request, id: str = "") -> Any:
        try:
            return FileResponse(map_of(studios, connection).sound(id), headers=HEADERS)
        except SynthExplorerError as error:
            return PlainTextResponse(str(error), status_code=422, headers=HEADERS)

    return APIRoute(f"{PATH}/sound", sound, methods=["GET"], include_in_schema=False)


def take_route(studios: Studios) -> APIRoute:
    """A sound becomes a source."""

    def take(connection: Request, _: bytes) -> dict[str, Any]:
        studio = studios.studio(connection.query_params.get("checkpoint"))
        return {"token": map_of(studios, connection).token(studio, connection.query_params.get("id", ""))}

    return told(f"{PATH}/take", take, method="POST")


def here_route(studios: Studios) -> APIRoute:
    """Where the sound lies that is asked for, and its sources."""

    def here(connection: Request, _: bytes) -> dict[str, Any]:
        request = asked(connection)
        studio = studios.studio(request.checkpoint)
        notes = [note for note in studio.used(request) if note is not None]
        audio, rate = _rendered(studio, request)
        places = map_of(studios, connection)
        sources = [places.place_of(studio, note) for note in notes]
        return {"place": places.place(audio, sample_rate_hz=rate), "sources": sources}

    return told(f"{PATH}/here", here)


def find_route(studios: Studios) -> APIRoute:
    """What words say."""

    def find(connection: Request, _: bytes) -> dict[str, Any]:
        given = connection.query_params
        this: Any = given.get("id")
        if not this and "request" in given:
            request = asked(connection)
            this = _rendered(studios.studio(request.checkpoint), request)
        seen = [one for one in given.get("seen", "").split(",") if one][:SEEN_MOST]
        spread = 0.5 if "spread" in given else 0.0
        return map_of(studios, connection).find(given.get("words", ""), this=this, spread=spread, without=seen)

    return told(f"{PATH}/find", find)


def doubtful_route(studios: Studios) -> APIRoute:
    """Labels that are probably wrong."""
    return told(f"{PATH}/doubtful", lambda connection, _: map_of(studios, connection).doubtful())


def judge_route(studios: Studios) -> APIRoute:
    """Whether a label is right; answers those that are left."""

    def judge(connection: Request, _: bytes) -> dict[str, Any]:
        given, owns = connection.query_params, map_of(studios, connection)
        owns.judge(given.get("id", ""), given.get("tag", ""), right=given.get("right") == "1")
        return owns.doubtful()

    return told(f"{PATH}/judge", judge, method="POST")


def walk_route(studios: Studios) -> APIRoute:
    """A walk becomes a morph over time."""

    def walked(connection: Request, body: bytes) -> Any:
        given = Walk.parse(body, what="The walk", error=EditError)
        return map_of(studios, connection).walked(studios.studio(given.checkpoint), given)

    return told(f"{PATH}/walk", walked, method="POST")


def map_of(studios: Studios, connection: Request) -> SoundMap:
    """The map for whoever asks."""
    return studios.sound_map if is_owner(connection) else studios.guest_map


def _rendered(studio: Studio, request: SoundRequest) -> tuple[np.ndarray, int]:
    return studio.rendered(studio.asked(request)).audio, studio.explorer.sample_rate_hz


ROUTES = (facts_route, sound_route, take_route, here_route, find_route, doubtful_route, judge_route, walk_route)
