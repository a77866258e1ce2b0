"""The map: where the sounds of a library lie in two dimensions, what is alike together.

Landmarks are laid out by t-SNE (van der Maaten and Hinton, 2008) from their principal components and a seed. Every
other sound lies among the landmarks that it is most like, and so does one that comes later: nothing moves for it. Only
when there are twice as many sounds as landmarks, and not yet the most landmarks, all are laid out anew.

Shapes: N sounds, L landmarks, E numbers of an embedding.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from synth_explorer.errors import LibraryError
from synth_explorer.library.ears import EMBEDDING, Ears
from synth_explorer.library.library import Library

LANDMARKS = 1500  # at most
GROWN = 2
PERPLEXITY = 30.0  # about how many neighbours count
NEIGHBOURS = 4  # landmarks that a sound lies among
AT_ONCE = 4096  # sounds, of which the likeness to all landmarks is in memory
SHARPNESS = 20.0  # by how much more the nearest of them counts


def laid_out(points: np.ndarray, *, seed: int = 0) -> np.ndarray:
    """Places [L, 2] of points [L, E] of length 1, within 0 to 1."""
    if len(points) < 4:
        places = points[:, :2].astype(np.float64)
    else:
        from sklearn.manifold import TSNE
        from threadpoolctl import threadpool_limits

        made = TSNE(init="pca", perplexity=min(PERPLEXITY, (len(points) - 1) / 3), random_state=seed)
        with threadpool_limits(1):  # threads of so little work only wait for each other
            places = made.fit_transform(points).astype(np.float64)
    low, high = places.min(axis=0), places.max(axis=0)
    return (places - low) / np.maximum(high - low, 1e-9)


def joined(points: np.ndarray, landmarks: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Places [N, 2] of points [N, E] among landmarks [L, E] that lie at places [L, 2]."""
    if len(points) > AT_ONCE:
        parts = range(0, len(points), AT_ONCE)
        return np.concatenate([joined(points[i : i + AT_ONCE], landmarks, places) for i in parts])
    alike = points @ landmarks.T
    near = np.argpartition(-alike, min(NEIGHBOURS, len(landmarks)) - 1, axis=1)[:, :NEIGHBOURS]
    weights = np.exp(SHARPNESS * (np.take_along_axis(alike, near, axis=1) - alike.max(axis=1, keepdims=True)))
    return np.einsum("nk,nkd->nd", weights / weights.sum(axis=1, keepdims=True), places[near])


class Places:
    """Where the sounds of a library lie, kept in its index."""

    def __init__(self, library: Library) -> None:
        self._library = library

    def all(self) -> tuple[np.ndarray, np.ndarray]:
        """Numbers [N] of all sounds that these ears have heard and their places [N, 2]; those that had none get one."""
        ears = Ears.bundled().name
        rows = self._library.read(
            "SELECT points.entry, embedding, x, y, landmark FROM points LEFT JOIN places "
            "ON places.entry = points.entry AND places.ears = points.ears WHERE points.ears = ? ORDER BY points.entry",
            ears,
        )
        numbers = np.array([row["entry"] for row in rows], np.int64)
        points = np.frombuffer(b"".join(row["embedding"] for row in rows), np.float16).reshape(-1, EMBEDDING)
        points = points.astype(np.float32)
        places = np.array([(row["x"], row["y"]) for row in rows], np.float64).reshape(-1, 2)
        is_new, is_landmark = np.isnan(places[:, 0]), np.array([bool(row["landmark"]) for row in rows], bool)
        if not is_new.any():
            return numbers, places
        if is_landmark.sum() * GROWN <= min(len(rows), LANDMARKS):
            chosen = np.random.default_rng(0).permutation(len(rows))[:LANDMARKS]
            is_new, is_landmark = np.ones(len(rows), bool), np.isin(np.arange(len(rows)), chosen)
            places[is_landmark] = laid_out(points[is_landmark])
        lost = is_new & ~is_landmark
        if lost.any():
            places[lost] = joined(points[lost], points[is_landmark], places[is_landmark])
        told = zip(numbers[is_new], *places[is_new].T, is_landmark[is_new], strict=True)
        with self._library.writing() as index:
            index.executemany(
                "INSERT OR REPLACE INTO places SELECT id, ?, ?, ?, ? FROM entries WHERE id = ?",
                [(ears, float(x), float(y), bool(landmark), int(number)) for number, x, y, landmark in told],
            )
        return numbers, places

    def lay(self, places: Mapping[str, tuple[float, float]]) -> None:
        """Let sounds by their contents lie where they were laid out before, as the first landmarks; where sounds have
        places nothing is done."""
        ears = Ears.bundled().name
        with self._library.writing() as index:
            if index.execute("SELECT 1 FROM places WHERE ears = ? LIMIT 1", (ears,)).fetchone():
                return
            index.executemany(
                "INSERT OR REPLACE INTO places SELECT id, ears, ?, ?, 1 FROM entries JOIN points ON entry = id "
                "WHERE sha256 = ? AND ears = ?",
                [(x, y, sha256, ears) for sha256, (x, y) in places.items()],
            )

    def of(self, point: np.ndarray) -> np.ndarray:
        """The place [2] of a point [E] that is in no library, among the landmarks; see `all`, which lays them out."""
        rows = self._library.read(
            "SELECT embedding, x, y FROM places JOIN points USING (entry, ears) WHERE ears = ? AND landmark",
            Ears.bundled().name,
        )
        if not rows:
            raise LibraryError("Nothing lies on the map yet; add sounds to the library.")
        whole = np.frombuffer(b"".join(row["embedding"] for row in rows), np.float16).reshape(-1, EMBEDDING)
        places = np.array([(row["x"], row["y"]) for row in rows])
        return joined(point[None].astype(np.float32), whole.astype(np.float32), places)[0]
