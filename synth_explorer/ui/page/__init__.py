"""The page: `launch` serves it, `build_page` builds it."""

from __future__ import annotations

from synth_explorer.ui.page.page import build_page, launch, serve
