"""YAML as plain values, with the line on which each stands.

The core schema of YAML 1.2 (chapter 10.3): `6e-4` is a number, `no` is text, `1:30` is text. A key that stands twice is
refused.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, NoReturn

import yaml

from synth_explorer.errors import SpecError

MOST_VALUES = 1_000_000
_STANDARD = "tag:yaml.org,2002:"
_NULL = re.compile(r"|~|null|Null|NULL")
_BOOL = re.compile(r"(true|True|TRUE)|false|False|FALSE")
_INT = re.compile(r"[-+]?[0-9]+")
_BASED = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"([-+]?)\.(?:(inf|Inf|INF)|nan|NaN|NAN)")

Place = tuple[Any, ...]
"""Where a value stands: keys and indices from the top."""


class Marked:
    """The values of a text, and where they stand in it."""

    def __init__(self, text: str, *, name: str) -> None:
        """`name`: of its file, for messages. Raises SpecError: it is no YAML, in a sentence with its line."""
        self._lines: dict[Place, int] = {(): 1}
        self.name, self._count = name, 0
        try:
            node = yaml.compose(text, Loader=yaml.SafeLoader)
            self.data = None if node is None else self._value(node, ())
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            line = 1 if mark is None else mark.line + 1
            raise SpecError(f"{name}, line {line}: this is no YAML: {error.problem or error.context}.") from None
        except yaml.YAMLError as error:
            raise SpecError(f"{name}: this is no YAML: {' '.join(str(error).split())}.") from None
        except RecursionError:
            raise SpecError(f"{name}: it is nested too deeply.") from None

    def at(self, place: Sequence[Any]) -> tuple[int, Place]:
        """The line of a place, and the place without what does not stand in the text."""
        found: Place = ()
        for part in place:
            if (*found, part) in self._lines:
                found = (*found, part)
        return self._lines[found], found

    def refuse(self, why: str, place: Sequence[Any] = (), *, lacking: str = "") -> NoReturn:
        """Raises SpecError: what is wrong, with file, line and place; `lacking`: a field that is not there."""
        line, found = self.at(place)
        named = named_place((*found, lacking) if lacking else found)
        at = f", {named}" if named else ""
        raise SpecError(f"{self.name}, line {line}{at}: {why.rstrip('.')}.")

    def _value(self, node: yaml.Node, place: Place) -> Any:
        self._count += 1
        self._lines[place] = node.start_mark.line + 1
        if self._count > MOST_VALUES:
            self.refuse(f"it holds more than {MOST_VALUES:,} values", place)
        if not node.tag.startswith(_STANDARD) or "python" in node.tag:
            self.refuse(f"the tag {node.tag} is not known; leave it out", place)
        if isinstance(node, yaml.ScalarNode):
            return _scalar(node.value) if node.style is None else node.value
        if isinstance(node, yaml.SequenceNode):
            return [self._value(item, (*place, i)) for i, item in enumerate(node.value)]
        assert isinstance(node, yaml.MappingNode)
        found: dict[Any, Any] = {}
        for key, item in node.value:
            line = key.start_mark.line + 1
            if not isinstance(key, yaml.ScalarNode):
                raise SpecError(f"{self.name}, line {line}: a key must be a word or a number.")
            known = _scalar(key.value) if key.style is None else key.value
            if known in found:
                raise SpecError(f"{self.name}, line {line}: {key.value!r} stands here twice; leave one out.")
            found[known] = self._value(item, (*place, known))
            self._lines[(*place, known)] = line
        return found


def named_place(place: Sequence[Any]) -> str:
    """A place as people write it: `morphs[0].grid`."""
    named = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in place)
    return named.removeprefix(".")


def _scalar(text: str) -> Any:
    """A word without quotes as the core schema reads it."""
    if _NULL.fullmatch(text):
        return None
    if found := _BOOL.fullmatch(text):
        return bool(found[1])
    if _INT.fullmatch(text):
        return int(text) if len(text) < 300 else float(text)
    if _BASED.fullmatch(text):
        return int(text, 0)
    if _FLOAT.fullmatch(text):
        return float(text)
    if found := _NOT_FINITE.fullmatch(text):
        return float(f"{found[1]}{'inf' if found[2] else 'nan'}")
    return text
