"""The routes of files, `GET gradio_api/file=PATH`: the sounds that the page made, by the paths that it was told.

They stand before Gradio's own, which answer whatever lies in its folder of uploads to whoever knows the path.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from fastapi.responses import FileResponse, PlainTextResponse
from fastapi.routing import APIRoute

if TYPE_CHECKING:
    from synth_explorer.ui.session.studios import Studios

PATHS = ("/gradio_api/file={path:path}", "/gradio_api/file/{path:path}")
HEADERS = {"X-Content-Type-Options": "nosniff"}


def file_route(studios: Studios, path: str = PATHS[0]) -> APIRoute:
    """The route over the studios, for Gradio's launch."""

    def file(path: str) -> Any:
        found = studios.sound_folder.file(Path(path))
        if found is None:
            return PlainTextResponse("This file is not here, or not for you.", status_code=403, headers=HEADERS)
        return FileResponse(found, headers=HEADERS)

    return APIRoute(path, file, methods=["GET", "HEAD"], include_in_schema=False)


def older_route(studios: Studios) -> APIRoute:
    """The same by the address that Gradio had for it before."""
    return file_route(studios, PATHS[1])


ROUTES = (file_route, older_route)
