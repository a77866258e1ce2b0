"""The page. Gradio lives here and nowhere else. Its rooms: page, answers, session, request; widgets and routes."""

from __future__ import annotations

from synth_explorer.ui import stubs

stubs.leave_out()
