"""Widgets of the page's own: HTML, with a script beside it and the page's style sheet."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr

FOLDER = Path(__file__).parent / "widgets"

from gradio.events import Dependency

class Widget(gr.HTML):
    """A component whose markup and behaviour are the files `widgets/NAME.html` and `widgets/NAME.js`.

    The markup is fixed (the script draws the value into it), so that a new value never replaces an element that is
    playing, focused or being dragged.
    """

    file_name = ""

    def __init__(self, value: Any = None, **kwargs: Any) -> None:
        markup = (FOLDER / f"{self.file_name}.html").read_text(encoding="utf-8")
        for name in ("letter", "hint"):
            markup = markup.replace(f"%{name}%", kwargs.pop(name, ""))
        script = (FOLDER / f"{self.file_name}.js").read_text(encoding="utf-8")
        super().__init__(
            value, html_template=markup, js_on_load=script, apply_default_css=False, container=False, **kwargs
        )

    def preprocess(self, payload: Any) -> Any:
        return payload

    def postprocess(self, value: Any) -> Any:
        return value
    from typing import Callable, Literal, Sequence, Any, TYPE_CHECKING
    from gradio.blocks import Block
    if TYPE_CHECKING:
        from gradio.components import Timer
        from gradio.components.base import Component


class Pad(Widget):
    """A pad to drag: a strip from A to B for two sources, a square for three or four.

    Value: {"x", "y", "count", "names": [...], "colours": [...]}. Events: `change` while it moves, `release` after it.
    Pointer, touch and arrow keys move it. What it sends must be brought into range by whoever reads it.
    """

    file_name = "pad"
    from typing import Callable, Literal, Sequence, Any, TYPE_CHECKING
    from gradio.blocks import Block
    if TYPE_CHECKING:
        from gradio.components import Timer
        from gradio.components.base import Component


class Screen(Widget):
    """A spectrogram that plays: picture, playhead, play button, level and download.

    Value: what `handlers.screen` makes, or None for an empty screen.
    """

    file_name = "screen"
    from typing import Callable, Literal, Sequence, Any, TYPE_CHECKING
    from gradio.blocks import Block
    if TYPE_CHECKING:
        from gradio.components import Timer
        from gradio.components.base import Component


class Picker(Widget):
    """A menu of example notes, grouped by family. Value: {"selected": id, "own": title of a user's own sound}.

    Event: `change` with the note that was chosen.
    """

    file_name = "picker"
    from typing import Callable, Literal, Sequence, Any, TYPE_CHECKING
    from gradio.blocks import Block
    if TYPE_CHECKING:
        from gradio.components import Timer
        from gradio.components.base import Component