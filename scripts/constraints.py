"""The versions of everything that the requirements lead to in this environment, as `constraints.txt` has them.

`make constraints` renews the file: it upgrades `.venv` within the ranges of requirements*.txt, then runs this. Tests
pass, the file is committed; until then every clone gets what was tested.
"""

from __future__ import annotations

import importlib.metadata as metadata
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from packaging.requirements import Requirement

REPOSITORY = Path(__file__).resolve().parents[1]
HEAD = """# What was tested together: pip takes these versions (`-c constraints.txt`) of whatever the ranges in
# requirements*.txt lead to, so that tomorrow's release of anything does not break today's clone.
# Renewed by `make constraints`.
"""
KINDS = ("", "-cluster", "-dev", "-docs", "-formats", "-parity", "-soundfonts", "-training")
"""Not what GPUs need, nor magenta, which is installed without what it asks for."""

ELSEWHERE = {"tensorflow-cpu": ("tensorflow",)}
"""The same under the names that other systems have it by."""

LATER = {"audioop-lts": "0.2.2", "standard-aifc": "3.13.0", "standard-chunk": "3.13.0", "standard-sunau": "3.13.0"}
"""What only Python 3.13 needs, for it lost these modules: the versions that pip takes there."""


def asked(kinds: Sequence[str]) -> Iterator[Requirement]:
    """What files ask for."""
    for kind in kinds:
        text = (REPOSITORY / f"requirements{kind}.txt").read_text(encoding="utf-8")
        lines = (line.split("#")[0].strip() for line in text.splitlines())
        yield from (Requirement(line) for line in lines if line)


def found(kinds: Sequence[str] = KINDS) -> dict[str, str]:
    """Version by name of all that requirements of some kinds lead to. Raises PackageNotFoundError: what is not here."""
    versions: dict[str, str] = {}
    seen, waiting = set[str](), list(asked(kinds))
    while waiting:
        one = waiting.pop()
        key = f"{_plain(one.name)}{sorted(one.extras)}"
        if key in seen or not _applies(one, set()):
            continue
        seen.add(key)
        there = metadata.distribution(one.name)
        versions[_plain(one.name)] = there.version
        for text in there.requires or ():
            inner = Requirement(text)
            if _applies(inner, one.extras):
                inner.marker = None
                waiting.append(inner)
    return versions


def _applies(one: Requirement, extras: set[str]) -> bool:
    return one.marker is None or any(one.marker.evaluate({"extra": extra}) for extra in extras or {""})


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def main() -> None:
    """Print the file."""
    versions = found() | LATER
    for name, others in ELSEWHERE.items():
        versions |= {other: versions[name] for other in others if name in versions}
    sys.stdout.write(HEAD + "".join(f"{name}=={version}\n" for name, version in sorted(versions.items())))


if __name__ == "__main__":
    main()
