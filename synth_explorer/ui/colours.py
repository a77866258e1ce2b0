"""The page's colours. Each slot has one, and so has every mix of them."""

from __future__ import annotations

from synth_explorer.plots import INK, PAPER

SLOT_COLOURS = ("#eda93b", "#45b8a6", "#e8705a", "#8ea2f0")
"""A, B, C, D: told apart by lightness too, and always shown with their letter."""

DESK, PANEL, RAISED = "#0e1013", "#191c20", "#22262b"
LINE, MUTED, ACCENT = "#2d3238", "#a3a097", "#e9e4d8"
WARNING = "#ff9d7a"

__all__ = ["ACCENT", "DESK", "INK", "LINE", "MUTED", "PANEL", "PAPER", "RAISED", "SLOT_COLOURS", "WARNING"]
