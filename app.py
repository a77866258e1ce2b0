"""Open the page: `make app`, or `python app.py`. GRADIO_SERVER_NAME and GRADIO_SERVER_PORT say where."""

from __future__ import annotations

import os

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")

if __name__ == "__main__":
    from synth_explorer.ui.page import launch

    launch(os.environ.get("SYNTH_EXPLORER_CHECKPOINT", "default"))
