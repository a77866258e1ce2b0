"""XML as samplers' formats have it."""

from __future__ import annotations

import xml.etree.ElementTree as ET


def attributes(**given: object) -> dict[str, str]:
    """Values as attributes: truth as `true` and `false`."""
    return {name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in given.items()}


def document(root: ET.Element) -> str:
    """An element as a document, indented."""
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"
