"""Words that several answers use."""

from __future__ import annotations

import html


def alert(text: str) -> str:
    """An inline message; an empty text shows nothing."""
    return f'<p class="message" role="alert">{html.escape(text)}</p>' if text else ""


def signed(cents: int) -> str:
    """Cents with their sign: "+3", "−3", "±0"."""
    return f"+{cents}" if cents > 0 else f"−{-cents}" if cents < 0 else "±0"
