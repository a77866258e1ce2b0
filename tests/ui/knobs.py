"""Knobs as a browser sends them."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from synth_explorer.ui.request.settings import Settings


def sent(settings: Settings) -> dict[str, Any]:
    """What the page's script writes of these knobs."""
    return asdict(settings) | {"curves": settings.curves_value()}
