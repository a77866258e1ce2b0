"""Words that several answers use."""

from __future__ import annotations

import html


def alert(text: str) -> str:
    """An inline message; an empty text shows nothing."""
    return f'<p class="message" role="alert">{html.escape(text)}</p>' if text else ""
