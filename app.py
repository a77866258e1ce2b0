"""Open the page: `make app`, or `python app.py`, with the options of `synth-explorer page`."""

from __future__ import annotations

import sys

from synth_explorer.cli import main

if __name__ == "__main__":
    sys.argv[1:] = ["page", *sys.argv[1:]]
    main()
