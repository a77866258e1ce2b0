"""Presets: the edits of a question as a file, and the knobs that a file turns."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from synth_explorer.edits import MeanSound
from synth_explorer.errors import SynthExplorerError
from synth_explorer.ui.answers.results import asked_for
from synth_explorer.ui.answers.words import alert
from synth_explorer.ui.request.chains import turned
from synth_explorer.ui.request.settings import Settings
from synth_explorer.ui.session.studio import Studio
from synth_explorer.ui.session.studios import Studios


def preset(studios: Studios, question: Any) -> tuple[str, str]:
    """The edits of a question as JSON, as a preset file has them, and a message; the JSON is empty where there is none.

    Args: as of `results.answer`.
    """
    try:
        studio, asked = asked_for(studios, question)
        return studio.asked(asked).edits.to_json(), ""
    except SynthExplorerError as error:
        return "", alert(str(error))


def load_preset(studio: Studio, path: str | None, settings: Settings) -> tuple[Settings, MeanSound | None, str]:
    """Turn the edit knobs to what a preset file says, if the studio's checkpoint can follow it.

    Returns the knobs (as they were, if the file is no preset), the mean sound it goes toward, and a message.
    """
    from synth_explorer.edits import EditChain

    if not path:
        return settings, None, ""
    try:
        changed, mean = turned(settings, EditChain.load(path))
        if mean is not None:
            studio.check_mean(mean)
    except SynthExplorerError as error:
        return settings, None, alert(str(error).replace(str(path), Path(path).name))
    if mean is not None:  # it goes into addresses
        mean = mean._replace(mean=tuple(float(f"{value:.7g}") for value in mean.mean))
    return changed, mean, ""
