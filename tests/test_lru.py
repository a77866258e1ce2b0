"""What is remembered: the newest, so many of them, and not too large together."""

from __future__ import annotations

import numpy as np
import pytest

from synth_explorer.lru import LruCache


def test_the_newest_stay_and_the_others_are_told() -> None:
    gone: list[str] = []
    cache = LruCache[str](2, forget=gone.append)
    for key in "abc":
        cache.put(key, key)
    assert gone == ["a"] and cache.get("a") is None and cache.get("b") == "b"
    cache.put("d", "d")
    assert gone == ["a", "c"] and len(cache) == 2


def test_large_ones_make_room_but_the_newest_stays() -> None:
    gone: list[bytes] = []
    cache = LruCache[bytes](10, most_bytes=10, bytes_of=len, forget=gone.append)
    for key, size in (("none", 0), ("old", 4), ("newer", 4)):
        cache.put(key, bytes(size))
    cache.get("old")
    cache.put("newest", bytes(5))
    assert gone == [bytes(4)] and cache.get("newer") is None and cache.get("old") is not None
    cache.put("huge", bytes(100))
    assert len(cache) == 2 and cache.get("none") == b"" and cache.get("huge") == bytes(100)
    cache.put("huge", b"")  # the same key with another size
    cache.put("next", bytes(10))
    assert cache.get("huge") == b"" and cache.get("next") is not None


@pytest.mark.parametrize("seed", range(5))
def test_a_plain_list_remembers_the_same(seed: int) -> None:
    rng, cache, plain = (
        np.random.default_rng(seed),
        LruCache[int](6, most_bytes=40, bytes_of=int),
        list[tuple[int, int]](),
    )
    for _ in range(400):
        key, size = int(rng.integers(10)), int(rng.integers(0, 25))
        plain = [pair for pair in plain if pair[0] != key] + [(key, size)]
        cache.put(key, size)
        plain = plain[-6:]
        while sum(its for _, its in plain) > 40 and any(its for _, its in plain[:-1]):
            plain.remove(next(pair for pair in plain if pair[1]))
        seen = int(rng.integers(10))
        found = next((pair for pair in plain if pair[0] == seen), None)
        assert cache.get(seen) == (None if found is None else found[1])
        if found is not None:
            plain = [pair for pair in plain if pair != found] + [found]
        assert len(cache) == len(plain)
