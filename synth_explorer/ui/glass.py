"""The route of inspections: `GET inspection/report.html?ask=...` looks at the sound that is asked for, as a page.

It is the page that `synth-explorer inspect` writes, made when somebody asks for it and never while a slider moves.
"""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING, Any

from fastapi.responses import HTMLResponse, PlainTextResponse
from fastapi.routing import APIRoute

from synth_explorer.errors import SynthExplorerError
from synth_explorer.lru import LruCache
from synth_explorer.ui.ask import Ask

if TYPE_CHECKING:
    from synth_explorer.ui.rack import Rack
    from synth_explorer.ui.render import Render
    from synth_explorer.ui.studio import Studio

PATH = "/inspection/report.html"
HEADERS = {"Cache-Control": "no-cache", "X-Content-Type-Options": "nosniff"}
PAGES_KEPT = 4


class Glass:
    """Looks at sounds, one at a time, and remembers the pages that it made last."""

    def __init__(self, rack: Rack) -> None:
        self._rack = rack
        self._pages: LruCache[tuple[Render, str]] = LruCache(PAGES_KEPT)
        self._turn = Lock()

    def page(self, ask: Any) -> str:
        """The page of what is asked for, HTML.

        Raises:
            SynthExplorerError: it makes no sense, or a slow decoder has not made it yet.
        """
        asked = Ask.from_json(ask)
        studio = self._rack.studio(asked.checkpoint)
        sources = [studio.find(token) for token in asked.tokens]
        render = studio.render(sources, asked.settings, preset_mean=asked.preset_mean)
        with self._turn:
            known = self._pages.get(ask)
            if known is None or known[0] is not render:
                known = self._pages.put(ask, (render, _looked_at(studio, render)))
        return known[1]


def _looked_at(studio: Studio, render: Render) -> str:
    from synth_explorer import inspection

    explorer = studio.solver.explorer
    examples, _ = inspection.examples(explorer, notes=list(studio.notes.values()))
    found = inspection.inspect(
        explorer,
        render.before.replace(source=render.title),
        examples,
        edited=render.after,
        chain=render.chain,
        outcomes=[outcome.sentence for outcome in studio.outcomes(render)],
        decode=lambda latents, *, seed: studio.solver.decode(latents, seed=seed),
    )
    return inspection.html(found)


def inspection_route(rack: Rack) -> APIRoute:
    """The route over the rack's studios, for Gradio's launch."""
    glass = Glass(rack)

    def inspected(ask: str = "") -> Any:
        try:
            page = glass.page(ask)
        except SynthExplorerError as error:
            return PlainTextResponse(str(error), status_code=422, headers=HEADERS)
        return HTMLResponse(page, headers=HEADERS)

    return APIRoute(PATH, inspected, methods=["GET"], include_in_schema=False)
