"""The routes of exports: `POST export?kind=grid&request=...` begins one and answers its name.

`GET export/NAME` says how far it is, `GET export/NAME/file` is the file, `DELETE export/NAME` lets it go. Whoever knows
the name may ask, from whatever page: a reload finds its exports again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import Request
from fastapi.responses import FileResponse, JSONResponse, PlainTextResponse, Response
from fastapi.routing import APIRoute

from synth_explorer.errors import SpecError, SynthExplorerError
from synth_explorer.ui.routes.asking import asked
from synth_explorer.ui.session.exporting import KINDS, export
from synth_explorer.ui.session.exports import TooMany

if TYPE_CHECKING:
    from synth_explorer.ui.session.studios import Studios

PATH = "/export"
HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
GONE = "This export is not here any more; make it again."


def begin_route(studios: Studios) -> APIRoute:
    """What begins one."""

    def begin(connection: Request, kind: str = "") -> Any:
        try:
            if kind not in KINDS:
                raise SpecError(f"kind={kind!r} must be one of {', '.join(KINDS)}.")
            request = asked(connection)
            studio = studios.studio(request.checkpoint)
            patch = studio.asked(request)
            name = studios.exports.begin(
                kind,
                lambda folder, progress: export(studio.renderer, patch, kind, folder, progress),
                busy=lambda: studio.is_moving,
            )
        except TooMany as error:
            return PlainTextResponse(str(error), status_code=503, headers=HEADERS)
        except SynthExplorerError as error:
            return PlainTextResponse(str(error), status_code=422, headers=HEADERS)
        return JSONResponse({"name": name}, headers=HEADERS)

    return APIRoute(PATH, begin, methods=["POST"], include_in_schema=False)


def state_route(studios: Studios) -> APIRoute:
    """What says how far one is, or lets it go."""

    def state(connection: Request, name: str) -> Any:
        if connection.method == "DELETE":
            studios.exports.stop(name)
            return Response(status_code=204, headers=HEADERS)
        found = studios.exports.find(name)
        if found is None:
            return PlainTextResponse(GONE, status_code=404, headers=HEADERS)
        return JSONResponse(found.facts, headers=HEADERS)

    return APIRoute(f"{PATH}/{{name}}", state, methods=["GET", "DELETE"], include_in_schema=False)


def file_route(studios: Studios) -> APIRoute:
    """What is taken away."""

    def file(name: str) -> Any:
        found = studios.exports.find(name)
        if found is None or found.file is None or not found.file.is_file():
            return PlainTextResponse(GONE, status_code=404, headers=HEADERS)
        return FileResponse(found.file, filename=found.file.name, headers=HEADERS)

    return APIRoute(f"{PATH}/{{name}}/file", file, methods=["GET"], include_in_schema=False)


ROUTES = (begin_route, state_route, file_route)
