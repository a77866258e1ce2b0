"""What `make lint` ends with, with a Python that is none."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest


@pytest.mark.skipif(shutil.which("make") is None, reason="no make here")
@pytest.mark.parametrize(
    ("said", "fails"),
    [
        ("No broken requirements found.", False),
        ("magenta 2.1.4 requires sox, which is not installed.", False),
        ("magenta 2.1.4 requires sox, which is not installed.\nfoo 1 requires bar, which is not installed.", True),
    ],
)
def test_lint_fails_where_what_is_installed_does_not_fit(
    said: str, fails: bool, repository: Path, tmp_path: Path
) -> None:
    """Only magenta, which is installed without what it asks for, may lack something."""
    python = tmp_path / "python"
    code = 0 if said.startswith("No") else 1
    python.write_text(f'#!/bin/sh\ncase "$*" in *pip*--verbose*check) echo "{said}"; exit {code};; esac\n')
    python.chmod(0o755)
    words = ["make", "lint", f"PY={python}", "RUNTIME=", "DEV="]  # as if everything were installed
    done = subprocess.run(words, cwd=repository, capture_output=True, text=True)
    assert bool(done.returncode) == fails, done.stderr
    assert ("foo 1" in done.stdout) == fails
