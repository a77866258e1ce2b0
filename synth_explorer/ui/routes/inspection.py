"""The route of inspections: `GET inspection/report.html?request=...` looks at the sound that is asked for, as a page.

It is the page that `synth-explorer inspect` writes, made when somebody asks for it and never while a slider moves.
"""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING, Any

from fastapi.responses import HTMLResponse, PlainTextResponse
from fastapi.routing import APIRoute

from synth_explorer.errors import SynthExplorerError
from synth_explorer.lru import LruCache
from synth_explorer.ui.request.sound_request import SoundRequest

if TYPE_CHECKING:
    from synth_explorer.rendering import Rendered
    from synth_explorer.ui.session.studio import Studio
    from synth_explorer.ui.session.studios import Studios

PATH = "/inspection/report.html"
HEADERS = {"Cache-Control": "no-cache", "X-Content-Type-Options": "nosniff"}
PAGES_KEPT = 4


class Inspections:
    """Looks at sounds, one at a time, and remembers the pages that it made last."""

    def __init__(self, studios: Studios) -> None:
        self._studios = studios
        self._pages: LruCache[tuple[Rendered, str]] = LruCache(PAGES_KEPT)
        self._turn = Lock()

    def page(self, request: Any) -> str:
        """The page of what is asked for, HTML.

        Raises SynthExplorerError: it makes no sense, or a slow decoder has not made it yet.
        """
        asked = SoundRequest.from_json(request)
        studio = self._studios.studio(asked.checkpoint)
        render = studio.rendered(studio.asked(asked))
        with self._turn:
            known = self._pages.get(request)
            if known is None or known[0] is not render:
                known = self._pages.put(request, (render, _looked_at(studio, render)))
        return known[1]


def _looked_at(studio: Studio, render: Rendered) -> str:
    from synth_explorer import inspection

    explorer = studio.explorer
    examples, _ = inspection.examples(explorer, notes=list(studio.notes.values()))
    found = inspection.inspect(
        explorer,
        render.before.replace(source=render.title),
        examples,
        edited=render.after,
        chain=render.chain,
        outcomes=[outcome.sentence for outcome in render.outcomes],
        decode=lambda latents, *, seed: studio.renderer.decode(latents, render.patch.but(seed=seed)),
    )
    return inspection.html(found)


def inspection_route(studios: Studios) -> APIRoute:
    """The route over the studios, for Gradio's launch."""
    inspections = Inspections(studios)

    def inspected(request: str = "") -> Any:
        try:
            page = inspections.page(request)
        except SynthExplorerError as error:
            return PlainTextResponse(str(error), status_code=422, headers=HEADERS)
        return HTMLResponse(page, headers=HEADERS)

    return APIRoute(PATH, inspected, methods=["GET"], include_in_schema=False)
