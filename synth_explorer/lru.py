"""A bounded memory of what was computed."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Generic, TypeVar

Value = TypeVar("Value")


class LruCache(Generic[Value]):
    """Remembers the `size` values that were used last. Threads may share it."""

    def __init__(self, size: int, *, forget: Callable[[Value], None] | None = None) -> None:
        """Args: size: how many values to keep. forget: called with each value that is dropped."""
        self.size = size
        self._forget = forget
        self._values: OrderedDict[Hashable, Value] = OrderedDict()
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._values)

    def get(self, key: Hashable) -> Value | None:
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
            return self._values.get(key)

    def put(self, key: Hashable, value: Value) -> Value:
        with self._lock:
            self._values[key] = value
            self._values.move_to_end(key)
            dropped = [self._values.popitem(last=False)[1] for _ in range(len(self._values) - self.size)]
        if self._forget is not None:
            for old in dropped:
                self._forget(old)
        return value
