"""A recording that somebody brings: its notes, which are highlights, and what recurs."""

from __future__ import annotations

from pathlib import Path
from threading import Lock
from typing import Any

from synth_explorer import audio, recordings
from synth_explorer.errors import AudioError
from synth_explorer.ui.session.studio import Studio

_turn = Lock()


def told(studio: Studio, path: Path, *, title: str) -> dict[str, Any]:
    """What is in a recording, see `recordings.facts`. Raises AudioError: it cannot be read, no note is found in it, or
    another one is being listened to."""
    if not _turn.acquire(blocking=False):
        raise AudioError("Another recording is being listened to; try again in a moment.")
    try:
        read = audio.record(path, sample_rate_hz=None, max_s=recordings.LONGEST_S)
        notes = recordings.cut(read.audio, studio.explorer, sample_rate_hz=read.sample_rate_hz, name=title)
    except AudioError as error:
        raise AudioError(str(error).replace(str(path), title)) from error
    finally:
        _turn.release()
    return recordings.facts(recordings.structure(notes), notes, [None] * len(notes))
