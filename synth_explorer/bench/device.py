"""Notes in batches through Keras, on whatever device it has: how many a second, and how near to the usual sound."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from synth_explorer.bench.slider import note_of

if TYPE_CHECKING:
    from synth_explorer.explorer import Explorer

BATCHES = (1, 16, 64, 256)
NOTE_S = 4.0
REPEATS = 3


def run(
    explorer: Explorer, *, batches: Sequence[int] = BATCHES, note_s: float = NOTE_S, repeats: int = REPEATS
) -> Iterator[dict[str, Any]]:
    """A row a batch size: `{"batch", "first_s", "sounds_per_s", "times_real_time", "largest_difference"}`.

    `first_s`: of the first batch, compilation included. `largest_difference`: of samples, to the engine that needs no
    device. Rows come as they are measured.
    """
    note = explorer.encode(note_of(int(note_s * explorer.sample_rate_hz), explorer.sample_rate_hz))
    alone = explorer.decode(note)
    for batch in batches:
        latents = [note.replace(z=note.z + np.float32(1e-3 * i)) for i in range(batch)]
        seconds, first = [], None
        for _ in range(repeats + 1):
            start = time.perf_counter()
            first = explorer.decode_many(latents, engine="keras")[0]
            seconds.append(time.perf_counter() - start)
        assert isinstance(first, np.ndarray)
        rate = batch / min(seconds[1:])
        yield {
            "batch": batch,
            "first_s": seconds[0],
            "sounds_per_s": rate,
            "times_real_time": rate * note_s,
            "largest_difference": float(np.abs(first - alone).max()),
        }
