"""The errors that people see: one root, and a message that says what was given, what is allowed, what to do."""

from __future__ import annotations

LONGEST = 2000  # characters of a message, whatever was given


class SynthExplorerError(ValueError):
    """Root of every error that this package raises for a person. The message is one clear sentence or two."""

    def __init__(self, message: str = "") -> None:
        half = LONGEST // 2
        super().__init__(message if len(message) <= LONGEST else f"{message[:half]} ... {message[-half:]}")


class AudioError(SynthExplorerError):
    """A sound or a sound file that cannot be used."""


class LatentsError(SynthExplorerError):
    """Latents, a latents file or interpolation weights that cannot be used."""


class EditError(SynthExplorerError):
    """An edit that cannot be done: a value out of range, an unknown kind, a control without calibration."""


class CheckpointError(SynthExplorerError):
    """A checkpoint that is missing, damaged or of another kind."""


class DataError(SynthExplorerError):
    """Training or evaluation notes that are missing or malformed."""


class SpecError(SynthExplorerError):
    """A configuration or batch specification that cannot be read or obeyed."""


class LibraryError(SynthExplorerError):
    """A library that cannot be opened, or has not what was asked of it."""


def sentence(error: Exception) -> str | None:
    """What a person is told of an error of this program's, or of the system's about a file; None for any other."""
    if isinstance(error, SynthExplorerError):
        return str(error)
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}: {error.filename}" if error.filename else error.strerror
    return None
