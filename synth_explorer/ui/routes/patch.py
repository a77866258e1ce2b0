"""The route of patches: `GET sound/patch.zip?request=...` answers what is asked as a patch, packed with its notes."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fastapi import Request
from fastapi.responses import PlainTextResponse, Response
from fastapi.routing import APIRoute

from synth_explorer.errors import SynthExplorerError
from synth_explorer.rendering import pack
from synth_explorer.ui.routes.asking import asked

if TYPE_CHECKING:
    from synth_explorer.ui.session.studios import Studios

PATH = "/sound/patch.zip"
HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


def patch_route(studios: Studios) -> APIRoute:
    """The route over the studios, for Gradio's launch."""

    def packed(connection: Request) -> Any:
        try:
            request = asked(connection)
            studio = studios.studio(request.checkpoint)
            patch = studio.asked(request)
            stem = "patch" if studio.is_slow else studio.rendered(patch).file_stem
            with tempfile.TemporaryDirectory() as folder:
                content = pack(patch, Path(folder, "patch.zip")).read_bytes()
        except SynthExplorerError as error:
            return PlainTextResponse(str(error), status_code=422, headers=HEADERS)
        name = {"Content-Disposition": f'attachment; filename="{stem}.zip"'}
        return Response(content, media_type="application/zip", headers=HEADERS | name)

    return APIRoute(PATH, packed, methods=["GET"], include_in_schema=False)
