"""The colours of the slots; every mix of them has one between. Those of the page stand in `page.css`."""

from __future__ import annotations

SLOT_COLOURS = ("#eda93b", "#45b8a6", "#e8705a", "#8ea2f0")
"""A, B, C, D: told apart by lightness too, and always shown with their letter."""
