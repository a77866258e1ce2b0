"""The versions that are pinned, for each Python that there is a promise for."""

from __future__ import annotations

import importlib.metadata as metadata
import re
from pathlib import Path

import pytest
from packaging.requirements import Requirement


def pinned(repository: Path) -> dict[str, str]:
    """Version by name."""
    lines = (repository / "constraints.txt").read_text(encoding="utf-8").splitlines()
    return dict(line.split("==") for line in lines if not line.startswith("#"))


@pytest.mark.parametrize("python", ["3.11", "3.12", "3.13"])
def test_what_a_python_needs_is_pinned(python: str, repository: Path) -> None:
    """All that the pinned distributions need there, also where this Python does not."""
    pins = pinned(repository)
    there = {"python_version": python, "python_full_version": f"{python}.0", "extra": ""}
    needed: dict[str, str] = {}
    for distribution in metadata.distributions():
        name = re.sub(r"[-_.]+", "-", distribution.metadata["Name"]).lower()
        for one in map(Requirement, distribution.requires or () if name in pins else ()):
            if one.marker and "python" in str(one.marker) and one.marker.evaluate(there):
                needed[re.sub(r"[-_.]+", "-", one.name).lower()] = name
    assert set(needed) <= set(pins), {name: by for name, by in needed.items() if name not in pins}
    assert python != "3.13" or "audioop-lts" in needed
