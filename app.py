"""Open the page: `make app`, or `python app.py`. GRADIO_SERVER_NAME and GRADIO_SERVER_PORT say where."""

from __future__ import annotations

import os
import sys

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")

if __name__ == "__main__":
    if sys.argv[1:]:
        sys.exit(__doc__)
    from synth_explorer.ui.page import launch

    launch(os.environ.get("SYNTH_EXPLORER_CHECKPOINT", "default"))
