"""What the ears heard of the bundled notes, and where these lie on the map: so that the first map need not listen.

`scripts/bundled_sounds.py` writes it anew; what other ears heard, or of another note, is not used.

Shapes: N notes, E numbers of an embedding.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from synth_explorer.files import atomic_path, text_of
from synth_explorer.library.ears import Ears

FILE = Path(__file__).with_name("bundled.npz")
TOLD = ("duration_s", "sample_rate_hz", "qualities", "families")


def heard(sha256: str) -> dict[str, Any] | None:
    """Fields of `Listened` for the content of a bundled note; None where it is none."""
    return _all().get(sha256, (None, None))[0]


def places() -> dict[str, tuple[float, float]]:
    """Where the bundled notes lie, by their contents: laid out alone, see `places.laid_out`."""
    return {sha256: place for sha256, (_, place) in _all().items()}


@cache
def _all() -> dict[str, tuple[dict[str, Any], tuple[float, float]]]:
    with np.load(FILE, allow_pickle=False) as file:
        about, points, where = json.loads(text_of(file["about"])), file["points"], file["places"]
    if about["ears"] != Ears.bundled().name:
        return {}
    return {
        sha256: (fields | {"embedding": point}, (float(x), float(y)))
        for (sha256, fields), point, (x, y) in zip(about["notes"].items(), points, where, strict=True)
    }


def write(notes: Mapping[str, Mapping[str, Any]], where: np.ndarray, *, path: Path = FILE) -> None:
    """Keep what was heard of notes by their contents, and their places [N, 2]."""
    told = {sha256: {name: fields[name] for name in TOLD} for sha256, fields in notes.items()}
    about = json.dumps({"ears": Ears.bundled().name, "notes": told})
    points = np.stack([fields["embedding"] for fields in notes.values()])
    with atomic_path(path) as temporary:
        np.savez_compressed(temporary, about=np.array(about), points=points, places=where)
