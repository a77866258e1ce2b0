"""The routes of the user's library: `GET library` says whether it is for whoever asks.

`POST library/keep?request=` keeps the sound that is asked for in it, with its patch and parents; `final=1`: its final
render; `name=`: what to call it. `GET library/about?id=` tells what is said of one of its sounds, `POST
library/change?id=` with a `session.kept.Change` changes that.

Who is no owner (see `login.is_owner`) is refused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import Request
from fastapi.routing import APIRoute

from synth_explorer.errors import LibraryError
from synth_explorer.ui.routes import final
from synth_explorer.ui.routes.asking import asked, told
from synth_explorer.ui.routes.sound_map import map_of
from synth_explorer.ui.session.kept import Change

if TYPE_CHECKING:
    from synth_explorer.ui.session.studios import Studios

PATH = "/library"


def owner_route(studios: Studios) -> APIRoute:
    """Whether it is for whoever asks."""
    return told(PATH, lambda connection, _: {"owner": map_of(studios, connection).is_kept})


def keep_route(studios: Studios) -> APIRoute:
    """A sound is kept in it."""

    def keep(connection: Request, _: bytes) -> dict[str, Any]:
        given, owned = connection.query_params, map_of(studios, connection)
        owned.check()  # before anything is made
        request = asked(connection)
        if given.get("final"):
            sound = final.made(studios, request, page=connection.client.host if connection.client else "")
        else:
            studio = studios.studio(request.checkpoint)
            sound = studio.rendered(studio.asked(request))
        return owned.keep(sound, given.get("name", ""))

    return told(f"{PATH}/keep", keep, method="POST")


def about_route(studios: Studios) -> APIRoute:
    """What is said of a sound."""
    return told(
        f"{PATH}/about",
        lambda connection, _: map_of(studios, connection).about(connection.query_params.get("id", "")),
    )


def change_route(studios: Studios) -> APIRoute:
    """What is said of it changes; answers what then is."""

    def change(connection: Request, body: bytes) -> dict[str, Any]:
        given = Change.parse(body, what="The change", error=LibraryError)
        return map_of(studios, connection).change(connection.query_params.get("id", ""), given)

    return told(f"{PATH}/change", change, method="POST")


ROUTES = (owner_route, keep_route, about_route, change_route)
