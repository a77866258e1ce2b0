"""Which licences count as free for any use."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def licences(repository: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The script."""
    monkeypatch.setattr(sys, "path", [str(repository / "scripts"), *sys.path])
    found = importlib.util.spec_from_file_location("licences", repository / "scripts" / "licences.py")
    assert found is not None and found.loader is not None
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("licence", "is_free"),
    [
        ("MIT License", True),
        ("ISC License (ISCL)", True),
        ("LGPL-2.1-or-later", True),
        ("GNU Lesser General Public License v3 (LGPLv3)", True),
        ("Public Domain", True),
        ("GNU General Public License v3 (GPLv3)", False),
        ("GPL-2.0-only AND MIT", False),
        ("AGPL-3.0", False),
        ("NVIDIA Proprietary Software", False),
        ("unknown", False),
    ],
)
def test_what_is_free(licences: Any, licence: str, is_free: bool) -> None:
    assert bool(licences.FREE.match(licence)) == is_free


def test_the_extras_are_looked_at(licences: Any, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    monkeypatch.setattr(licences, "licence_of", lambda name: "GPL" if name == "pytest" else "MIT")
    assert licences.main() == 1
    assert "GPL  <- look at it: pytest" in capsys.readouterr().out
