"""What `make lint` ends with, with a Python that is none."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest


def linted(repository: Path, python: Path, answer: str) -> subprocess.CompletedProcess[str]:
    """`make lint` as if everything were installed, with a Python that answers one question and is content otherwise."""
    python.write_text(f'#!/bin/sh\ncase "$*" in {answer} esac\n')
    python.chmod(0o755)
    words = ["make", "lint", f"PY={python}", "RUNTIME=", "DEV="]
    return subprocess.run(words, cwd=repository, capture_output=True, text=True)


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
    code = 0 if said.startswith("No") else 1
    done = linted(repository, tmp_path / "python", f'*pip*--verbose*check) echo "{said}"; exit {code};;')
    assert bool(done.returncode) == fails, done.stderr
    assert ("foo 1" in done.stdout) == fails


@pytest.mark.skipif(shutil.which("make") is None, reason="no make here")
def test_lint_fails_at_a_licence_that_is_not_free(repository: Path, tmp_path: Path) -> None:
    said = "*licences.py) printf 'MIT: a\\nGPL-3.0  <- look at it: b\\n'; exit 1;;"
    done = linted(repository, tmp_path / "python", said)
    assert done.returncode and done.stdout == "GPL-3.0  <- look at it: b\n"
