"""Directions of latents: those that go with what is heard (partial least squares), and the principal ones.

Shapes: R rows, C channels, D descriptors, K directions.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from synth_explorer.calibration.hearing import NAMES, SPAN
from synth_explorer.calibration.views import Views

FEWEST_NOTES = 8
MOST_COMPONENTS = 8
HELD_OUT = 5
"""Every fifth note is held out where the reading of latents is judged."""

MOST_MIX = 3.0
WORST_CONDITION = 30.0


def readable(views: Views) -> dict[str, float | None]:
    """How much of each descriptor the latents tell: R^2 of partial least squares on notes that were held out.

    None where too few notes have it. The attack is read from the beginnings of notes.
    """
    return {name: _readable(views, index) for index, name in enumerate(NAMES)}


def _readable(views: Views, index: int) -> float | None:
    rows = np.isfinite(views.heard[:, index])
    held = rows & (views.note % HELD_OUT == HELD_OUT - 1)
    fitted = rows & ~held
    if len(set(views.note[fitted])) < FEWEST_NOTES or len(set(views.note[held])) < 2:
        return None
    wanted = views.heard[:, index]
    if np.ptp(wanted[fitted]) == 0 or np.ptp(wanted[held]) == 0:
        return None
    predict = _fit(views.z[fitted], wanted[fitted, None])
    rest = wanted[held] - predict(views.z[held])[:, 0]
    return float(1.0 - np.sum(rest**2) / np.sum((wanted[held] - wanted[held].mean()) ** 2))


def named(views: Views, names: Sequence[str], channels: Sequence[int]) -> dict[str, np.ndarray]:
    """Vectors [C] along which latents lie apart where one descriptor is higher by 1 and the others are alike.

    Latents are regressed on what is heard, all descriptors at once, by partial least squares: what is heard tells the
    mean change of the latents that goes with it. The attack is fitted on the beginnings of notes.

    `names`: descriptors that are wanted, of `NAMES`. Returns by name, in latents per unit of the descriptor; names that
    too few notes have are left out.
    """
    steady = [name for name in NAMES if name != "attack"]
    found = {name: vector for name, vector in _apart(views, steady, channels).items() if name in names}
    if "attack" in names:
        found |= {name: v for name, v in _apart(views, list(NAMES), channels).items() if name == "attack"}
    return found


def _apart(views: Views, names: list[str], channels: Sequence[int]) -> dict[str, np.ndarray]:
    """As `named`, of the descriptors that enough notes have."""
    index = [NAMES.index(name) for name in names]
    known = np.isfinite(views.heard[:, index])
    if "attack" in names:
        known[~known[:, names.index("attack")]] = False
    enough = [
        len(set(views.note[known[:, i]])) >= FEWEST_NOTES and np.ptp(views.heard[known[:, i], index[i]]) > 0
        for i in range(len(names))
    ]
    kept = [i for i, good in enumerate(enough) if good]
    rows = known[:, kept].all(axis=1)
    if not kept or len(set(views.note[rows])) < FEWEST_NOTES:
        return {}
    heard = views.heard[rows][:, [index[i] for i in kept]]
    predict = _fit(heard, views.z[rows][:, list(channels)])
    centre = heard.mean(axis=0)
    found = {}
    for column, i in enumerate(kept):
        vector = np.zeros(views.z.shape[1])
        vector[list(channels)] = (predict((centre + np.eye(len(kept))[column])[None]) - predict(centre[None]))[0]
        found[names[i]] = vector
    return found


def _fit(given: np.ndarray, wanted: np.ndarray):
    """A linear prediction [R, G] -> [R, W] by partial least squares."""
    from sklearn.cross_decomposition import PLSRegression

    moving = np.ptp(given, axis=0) > 0
    components = int(min(MOST_COMPONENTS, np.linalg.matrix_rank(given - given.mean(axis=0)), len(given) - 1))
    model = PLSRegression(n_components=max(1, components), scale=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # an exact fit leaves nothing to the last components
        model.fit(given[:, moving], wanted)
    return lambda rows: np.reshape(model.predict(rows[:, moving]), (len(rows), -1))


def apart_by_answer(
    vectors: Mapping[str, np.ndarray], answers: Mapping[str, Mapping[str, float]]
) -> dict[str, np.ndarray]:
    """Vectors mixed so that each moves its own descriptor by what it says and the others by nothing, to first order.

    `vectors`: [C] by name, per unit. `answers`: for each of them the change of every descriptor that was heard, per
    unit. Returns the mixed vectors; those as they were whose own descriptor was not heard to move, and all where the
    answers are too much alike to be told apart.
    """
    names = [name for name in vectors if np.isfinite(answers[name].get(name, np.nan))]
    names = [name for name in names if abs(answers[name][name]) > 0.1]
    matrix = np.array([[answers[by].get(of, np.nan) * SPAN[by] / SPAN[of] for by in names] for of in names])
    matrix = np.nan_to_num(matrix.reshape(len(names), len(names)))
    if not names or np.linalg.cond(matrix) > WORST_CONDITION:
        return dict(vectors)
    mix = np.linalg.inv(matrix)
    mixed = dict(vectors)
    for column, name in enumerate(names):
        parts = mix[:, column] * min(1.0, MOST_MIX / np.linalg.norm(mix[:, column]))
        total = sum(part * vectors[of] * SPAN[of] for part, of in zip(parts, names, strict=True))
        mixed[name] = np.asarray(total) / SPAN[name]
    return mixed


def principal(means: np.ndarray, count: int, channels: Sequence[int]) -> list[tuple[np.ndarray, float]]:
    """Principal directions of the mean sounds [N, C]: (a standard deviation along it [C], its share of the variance).

    Only `channels` take part. The largest part of each vector is positive.
    """
    from sklearn.decomposition import PCA

    part = np.asarray(means, np.float64)[:, list(channels)]
    count = min(count, len(part) - 1, len(channels))
    if count < 1 or np.ptp(part, axis=0).max() == 0:
        return []
    model: Any = PCA(n_components=count, svd_solver="full").fit(part)
    found = []
    for axis, variance, share in zip(
        model.components_, model.explained_variance_, model.explained_variance_ratio_, strict=True
    ):
        vector = np.zeros(means.shape[1])
        vector[list(channels)] = axis * np.sign(axis[np.argmax(np.abs(axis))]) * np.sqrt(variance)
        if variance > 1e-12:
            found.append((vector, float(share)))
    return found
