"""What was answered under load, compared with what is rendered here from the same question, alone."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from synth_explorer.explorer.decoders import FINAL
from tests.ui.load.visitor import Answer

if TYPE_CHECKING:
    from synth_explorer.ui.session.studios import Studios


def differing(studios: Studios, answers: Iterable[Answer]) -> list[str]:
    """Answers that are not the sound that was asked for, in words."""
    found = []
    for answer in answers:
        wanted = rendered(studios, answer)
        if not np.array_equal(wanted, answer.audio):
            same = wanted.size == answer.audio.size
            apart = f"by {np.abs(wanted - answer.audio).max():.2e}" if same else f"{answer.audio.size} of {wanted.size}"
            found.append(f"{answer.kind} differs {apart}: {dict(answer.given)} {answer.request.to_json()}")
    return found


def rendered(studios: Studios, answer: Answer) -> np.ndarray:
    """The sound [T] that an answer should be."""
    studio = studios.studio(answer.request.checkpoint)
    patch, given = studio.asked(answer.request), answer.given
    if answer.kind == "note":
        return studio.keys.note(patch, midi=given["midi"]).audio
    if answer.kind == "stretch":
        return studio.keys.moving(patch, midi=given["midi"], from_s=given["from_s"]).audio
    if answer.kind == "final":
        patch = patch.but(decoder=FINAL.name)
    return studio.renderer.render(patch).audio
