"""Work that outlasts a stop: finished items of a long calculation, one JSON line each, in a file beside its result."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from synth_explorer.errors import DataError
from synth_explorer.files import UNREADABLE, write_text


class Journal:
    """Finished items by key, read from a file and appended to it.

    The first line names the work; a file of other work is begun anew. A last line that a stop cut short is dropped when
    the file is read again.

    `work`: what the work depends on, as JSON has it. Raises DataError: the file cannot be read or written, or a line of
    it is damaged.
    """

    def __init__(self, path: str | os.PathLike[str], work: Mapping[str, Any]) -> None:
        self.path = Path(path)
        self._items: dict[str, Any] = {}
        head = json.dumps({"work": work}, sort_keys=True)
        lines = self._lines()
        if lines and lines[0] == head:
            for number, line in enumerate(lines[1:], 2):
                try:
                    key, value = json.loads(line)
                    self._items[key] = value
                except (*UNREADABLE, TypeError) as error:
                    raise DataError(
                        f"Line {number} of {self.path} is damaged; delete the file to begin anew."
                    ) from error
        else:
            lines = [head]
        self.found = len(self._items)
        try:
            write_text(self.path, "\n".join(lines) + "\n")  # without a line that was cut short
        except OSError as error:
            raise DataError(f"{self.path} cannot be written: {error.strerror or error}.") from error

    def _lines(self) -> list[str]:
        """The whole lines of the file, none where there is no such file."""
        try:
            text = self.path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return []
        except (OSError, UnicodeDecodeError) as error:
            raise DataError(f"{self.path} cannot be read: {error}; delete it to begin anew.") from error
        return text.split("\n")[:-1]

    def item(self, key: str, make: Callable[[], Any]) -> Any:
        """The item of this key: remembered, or made now and kept. JSON turns NaN into NaN and tuples into lists."""
        if key not in self._items:
            value = json.loads(json.dumps(make()))
            with self.path.open("a", encoding="utf-8") as file:
                file.write(json.dumps([key, value]) + "\n")
            self._items[key] = value
        return self._items[key]

    def has(self, key: str) -> bool:
        """Whether the item is finished."""
        return key in self._items

    def remove(self) -> None:
        """Delete the file: the work is done."""
        self.path.unlink(missing_ok=True)
