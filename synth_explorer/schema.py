"""What comes from outside, declared once: what is unknown, of a wrong type or out of range is named with its place.

A `Schema` is a frozen value that is read from JSON and written to it. Other text raises an error for people.
"""

from __future__ import annotations

from typing import Any, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from synth_explorer.errors import SynthExplorerError


class Schema(BaseModel):
    """A frozen value with declared fields; numbers are finite, and nothing is converted from text."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, allow_inf_nan=False, arbitrary_types_allowed=True
    )

    @classmethod
    def make(cls, *, what: str, error: type[SynthExplorerError], **values: Any) -> Self:
        """A value of these fields; `what` and `error` as of `parse`."""
        try:
            return cls(**values)
        except ValidationError as found:
            raise error(sentence(found, what=what)) from None

    @classmethod
    def parse(cls, text: str | bytes, *, what: str, error: type[SynthExplorerError]) -> Self:
        """Read JSON.

        Args:
            text: JSON.
            what: what it is, for the message: "The patch".
            error: what is raised.

        Raises:
            SynthExplorerError: of the kind `error`, one sentence with the place of the first thing that is wrong.
        """
        try:
            return cls.model_validate_json(text)
        except ValidationError as found:
            raise error(sentence(found, what=what)) from None


def sentence(found: ValidationError, *, what: str) -> str:
    """The first thing that is wrong, with its place, what it must be and what was given."""
    first = found.errors(include_url=False)[0]
    place = ".".join(str(part) for part in first["loc"])
    if first["type"] == "json_invalid":
        return f"{what} must be JSON: {first.get('ctx', {})['error']}."
    if first["type"] == "extra_forbidden":
        return f"{what} has an unknown field {place!r}; leave it out."
    if first["type"] == "missing":
        return f"{what} lacks the field {place!r}."
    why = str(first.get("ctx", {})["error"]) if first["type"] == "value_error" else first["msg"].removeprefix("Input ")
    given = "" if first["type"] == "value_error" else f"; received {_short(first['input'])}"
    return f"{what}: {place + ': ' if place else ''}{why}{given}".rstrip(".") + "."


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."
