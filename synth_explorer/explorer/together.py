"""Many notes decoded by a family in groups, as large as it takes them.

Shapes: B notes of a group, T samples.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from threading import Lock

import numpy as np

from synth_explorer.errors import LatentsError
from synth_explorer.explorer.bounds import refuse_unless_sane
from synth_explorer.explorer.family import Decoding, Family, Progress
from synth_explorer.latents import Latents
from synth_explorer.runtime import side_by_side


def decode_together(
    family: Family, latents: Sequence[Latents], hows: Sequence[Decoding], progress: Progress | None = None
) -> list[np.ndarray | LatentsError]:
    """Latents -> audio [T] of each, in their order, or why it is refused: a sound that leaves the sane range.

    Where a family takes one at a time, they go over all cores.

    `hows`: how each is decoded; they differ in length, seed and the level of the noise alone.
    """
    most = family.together(hows[0].engine) if hows else 1
    if most == 1:
        return _side_by_side(family, latents, hows, progress)
    sounds: dict[int, np.ndarray | LatentsError] = {}
    total, before = sum(how.samples for how in hows), 0
    for group in _groups(hows, most):
        lengths = [hows[i].samples for i in group]

        def tell(done: int, _: int, lengths: list[int] = lengths, before: int = before) -> None:
            if progress is not None:
                progress(before + sum(min(done, length) for length in lengths), total)

        chosen = [replace(hows[i], progress=tell) for i in group]
        together = np.concatenate(list(family.stream_together([latents[i] for i in group], chosen)), axis=1)
        sounds |= {i: _checked(together[row, : hows[i].samples].copy()) for row, i in enumerate(group)}
        before += sum(lengths)
    return [sounds[i] for i in range(len(hows))]


def _side_by_side(
    family: Family, latents: Sequence[Latents], hows: Sequence[Decoding], progress: Progress | None
) -> list[np.ndarray | LatentsError]:
    """Each note by itself, over all cores."""
    total, turn, done = sum(how.samples for how in hows), Lock(), 0

    def decoded(i: int) -> np.ndarray | LatentsError:
        nonlocal done
        sound = np.concatenate(list(family.stream(latents[i], hows[i])))
        with turn:
            done += hows[i].samples
            if progress is not None:
                progress(done, total)
        return _checked(sound)

    return side_by_side(decoded, range(len(hows)))


def _checked(sound: np.ndarray) -> np.ndarray | LatentsError:
    try:
        refuse_unless_sane(sound)
    except LatentsError as error:
        return error
    return sound


def _groups(hows: Sequence[Decoding], most: int) -> Iterator[list[int]]:
    """Notes by their places, at most so many: of one level of noise, and of like lengths, so that little is cut off."""
    order = sorted(range(len(hows)), key=lambda i: (hows[i].noise_gain, -hows[i].samples))
    group: list[int] = []
    for i in order:
        if group and (len(group) == most or hows[i].noise_gain != hows[group[0]].noise_gain):
            yield group
            group = []
        group.append(i)
    if group:
        yield group
