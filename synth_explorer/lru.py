"""A bounded memory of what was computed."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Generic, TypeVar

Value = TypeVar("Value")


class LruCache(Generic[Value]):
    """Remembers the `size` values that were used last. Threads may share it."""

    def __init__(
        self,
        size: int,
        *,
        most_bytes: float = float("inf"),
        bytes_of: Callable[[Value], int] = lambda _: 0,
        forget: Callable[[Value], None] | None = None,
    ) -> None:
        """
        Args:
            size: how many values to keep at most.
            most_bytes: how large all of them may be; the newest is kept however large it is.
            bytes_of: how large a value is, asked when it is put; one of no size yet makes no room for others.
            forget: called with each value that is dropped.
        """
        self.size, self.most_bytes = size, most_bytes
        self._bytes_of, self._forget = bytes_of, forget
        self._values: OrderedDict[Hashable, tuple[Value, int]] = OrderedDict()
        self._bytes = 0
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._values)

    def get(self, key: Hashable) -> Value | None:
        with self._lock:
            if key not in self._values:
                return None
            self._values.move_to_end(key)
            return self._values[key][0]

    def put(self, key: Hashable, value: Value) -> Value:
        """Remember a value, in place of the one of the same key."""
        own = self._bytes_of(value)
        with self._lock:
            self._bytes += own - self._values.get(key, (value, 0))[1]
            self._values[key] = value, own
            self._values.move_to_end(key)
            dropped = [self._drop(next(iter(self._values))) for _ in range(len(self._values) - self.size)]
            large = [one for one, (_, its) in self._values.items() if its and one != key]
            while self._bytes > self.most_bytes and large:
                dropped.append(self._drop(large.pop(0)))
        if self._forget is not None:
            for old in dropped:
                self._forget(old)
        return value

    def _drop(self, key: Hashable) -> Value:
        value, its = self._values.pop(key)
        self._bytes -= its
        return value
