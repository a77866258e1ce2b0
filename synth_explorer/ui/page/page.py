"""The page: panels put together, wired to their answers, and served."""

from __future__ import annotations

import os
from pathlib import Path
from signal import SIGTERM, default_int_handler, signal
from threading import current_thread, main_thread
from typing import Any

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")  # before gradio is imported: no look-ups, ever

import gradio as gr
from fastapi.middleware import Middleware

from synth_explorer.files import temporary_folder
from synth_explorer.ui import api
from synth_explorer.ui.page import help, theme, wiring
from synth_explorer.ui.page.panels import (
    checkpoint,
    deck,
    edits,
    exporting,
    inspection,
    keyboard,
    morph,
    pitch,
    result,
    sounds,
    sources,
)
from synth_explorer.ui.routes import door, export, file, library, login, sound_map
from synth_explorer.ui.routes.final import final_route, place_route
from synth_explorer.ui.routes.inspection import inspection_route
from synth_explorer.ui.routes.note import note_route
from synth_explorer.ui.routes.patch import patch_route
from synth_explorer.ui.routes.picture import picture_route
from synth_explorer.ui.routes.recorded import recorded_route
from synth_explorer.ui.routes.sound import sound_route, source_route
from synth_explorer.ui.session.studios import Studios
from synth_explorer.ui.widgets import widget

TITLE = "synth_explorer"
SCRIPT = Path(__file__).with_name("page.js")
VIEW = widget.FOLDER / "view.js"
ICON = Path(__file__).with_name("icon.svg")
UPLOADS_KEPT_S = 600
"""Uploads are read at once, and what is a note is kept by its content: Gradio's copies go after so long."""

SKIPS = "".join(
    f'<a class="skip" href="#{place}">Skip to the {name}</a>'
    for place, name in (("pad", "pad"), ("screen-result", "result"), ("keyboard", "keyboard"))
)
ROUTES = (
    sound_route,
    source_route,
    final_route,
    place_route,
    inspection_route,
    patch_route,
    note_route,
    picture_route,
    recorded_route,
    *export.ROUTES,
    *file.ROUTES,
    *sound_map.ROUTES,
    *library.ROUTES,
)


def build_page(studios: Studios) -> gr.Blocks:
    """Build the page over the studios. It can be built before a model has loaded."""
    swept = UPLOADS_KEPT_S // 10, UPLOADS_KEPT_S
    with gr.Blocks(title=TITLE, analytics_enabled=False, fill_width=True, delete_cache=swept) as page:
        with gr.Row(elem_classes="masthead"):
            widget.words(f"{SKIPS}<h1>{TITLE}</h1><p>Walk between notes, bend them, hear it at once.</p>")
            kept = deck.build(studios)
            chosen = checkpoint.build(studios)
        kept.message.render()
        slots = sources.build(studios)
        with gr.Row(elem_classes="bench"):
            mix = morph.build()
            out = result.build(studios)
            tuned = pitch.build()
            knobs = edits.build()
        with gr.Column(elem_classes="card", min_width=0):
            widget.shelf(elem_id="shelf")
        sounds.build()
        exporting.build()
        inside = inspection.build()
        widget.files(elem_id="files")
        keyboard.build()
        api.build(studios)
        wiring.wire(page, wiring.Panels(studios, chosen, kept, slots, mix, tuned, knobs, out, inside))
    return page


def launch(name: str = "default", **options: Any) -> None:
    """Serve the page until it is stopped.

    The model loads while the page is being built and served; a page that opens before it is ready waits for it.

    `name`: of the checkpoint that the page begins with, or its folder. `options`: passed to Gradio's launch
    (server_name, server_port, inbrowser, ...).
    """
    from synth_explorer.assets import example_notes
    from synth_explorer.checkpoints import list_checkpoints

    if current_thread() is main_thread():
        signal(SIGTERM, default_int_handler)  # as Ctrl-C does, so that nothing temporary is left
    os.environ.setdefault("GRADIO_TEMP_DIR", str(temporary_folder("synth_explorer_uploads-")))
    names = [name, *(info.name for info in list_checkpoints() if info.name != name)]
    studios = Studios(_load, names, notes=example_notes())
    serve(build_page(studios), studios, **options)


def serve(page: gr.Blocks, studios: Studios, **options: Any) -> tuple[Any, str, str]:
    """Launch a page with its looks; returns what Gradio's launch returns."""
    gr.set_static_paths(str(studios.sound_folder.folder))  # what endpoints answer of it is not copied
    looks = {
        "theme": theme.InstrumentTheme(),
        "css_paths": [theme.STYLE_SHEET, *widget.STYLES],
        "js": help.filled(SCRIPT.read_text(encoding="utf-8")).replace("%view%", VIEW.read_text(encoding="utf-8")),
        "favicon_path": ICON,
        "footer_links": [],
        "run_history": False,
        "app_kwargs": {
            "routes": [login.guarded(make(studios)) for make in ROUTES],
            "middleware": [Middleware(door.Door)],
        },
        "ssr_mode": False,
        "max_file_size": "64mb",
        "show_error": True,
    }
    return page.launch(**(looks | options))


def _load(checkpoint: str) -> Any:
    from synth_explorer.explorer import Explorer

    return Explorer.load(checkpoint)
