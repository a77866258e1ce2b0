"""``python -m synth_explorer``: the same as the command ``synth-explorer``."""

from __future__ import annotations

from synth_explorer.cli import main

if __name__ == "__main__":
    main()
