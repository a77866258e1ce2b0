"""Ideas, at the foot of the result: variations around the sound, and surprises."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from synth_explorer.errors import SynthExplorerError
from synth_explorer.ui.answers import ideas, states
from synth_explorer.ui.request.sound_request import SoundRequest
from synth_explorer.ui.session.studios import Studios
from synth_explorer.ui.widgets import widget


def build(studios: Studios) -> None:
    """Build the panel. It asks the server by itself."""

    def nearby(asked: str) -> dict[str, Any]:
        return _answered(asked, lambda request, seed: {"tiles": ideas.nearby(studios, request, seed=seed)})

    def surprise(asked: str) -> dict[str, Any]:
        def found(request: SoundRequest, seed: int) -> dict[str, Any]:
            return {"request": states.pinned(studios, ideas.surprise(studios, request, seed=seed)).to_json()}

        return _answered(asked, found)

    widget.explore(nearby, surprise, elem_id="explore")


def _answered(asked: str, make: Callable[[SoundRequest, int], dict[str, Any]]) -> dict[str, Any]:
    """What a widget is answered that asks for ideas; {"error": sentence} where there is none."""
    try:
        given = json.loads(asked)
        return make(SoundRequest.from_json(given["request"]), int(given["seed"]) & 0x7FFFFFFF)
    except SynthExplorerError as error:
        return {"error": str(error)}
    except (ValueError, TypeError, KeyError):
        return {"error": "The page asked for what cannot be read; reload it."}
