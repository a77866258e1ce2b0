"""A hook of mkdocs: shows parts of the papers at the root in pages of `docs`, so that each is written once.

`<!-- part: README.md#The page -->` is the part of that heading, `<!-- part: CHANGELOG.md -->` all of a file, and
`<!-- rooms -->` the map of rooms.
"""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[1]
PART = re.compile(r"^<!-- part: ([\w.-]+)(?:#(.+?))? -->$", re.M)
LINK = re.compile(r"\[([^\]]+)\]\((?!https?:|#)([^)#]+)(#[^)]*)?\)")


def on_page_markdown(markdown: str, **_: Any) -> str:
    """What mkdocs makes a page of."""
    found = PART.sub(lambda part: _linked(_part(part[1], part[2])), markdown)
    return found.replace("<!-- rooms -->", _rooms()) if "<!-- rooms -->" in found else found


def _part(file: str, heading: str | None) -> str:
    """A file without its title, or what stands under one of its headings. Raises ValueError: it has none."""
    text = (REPOSITORY / file).read_text(encoding="utf-8")
    if heading is None:
        return text.partition("\n")[2]
    _, found, rest = text.partition(f"\n## {heading}\n")
    if not found:
        raise ValueError(f"{file} has no part {heading!r}")
    return rest.partition("\n## ")[0]


def _linked(text: str) -> str:
    """Links as they are from `docs`; what lies elsewhere in the repository is named only."""

    def link(found: re.Match[str]) -> str:
        folder, _, name = found[2].rpartition("/")
        return f"[{found[1]}]({name}{found[3] or ''})" if folder == "docs" else f"{found[1]} (`{found[2]}`)"

    return LINK.sub(link, text)


def _rooms() -> str:
    """Every room, what it is for, and what it may know."""
    sys.path.insert(0, str(REPOSITORY))
    from tests.test_house import MAY_KNOW, PACKAGE

    lines = ["| room | what it is | knows |", "| --- | --- | --- |"]
    for room, known in MAY_KNOW.items():
        file = PACKAGE / room / "__init__.py" if (PACKAGE / room).is_dir() else PACKAGE / f"{room}.py"
        file = PACKAGE / "__init__.py" if room == "package" else file
        told = (ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or "").partition("\n\n")[0]
        cell = " ".join(told.split()).replace("|", "\\|")
        lines.append(f"| `{room}` | {cell} | {', '.join(sorted(known - {room})) or 'nothing'} |")
    return "\n".join(lines)
