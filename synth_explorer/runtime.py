"""How things are run: compiled calls of Keras models for whichever backend there is, and threads over all cores.

Of a compiled call shapes may change; compilation must not happen again.

Shapes: B notes, F frames.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from threading import Condition, Lock, local
from typing import Any, TypeVar

import numpy as np

REST_MOST_S = 0.2

Given = TypeVar("Given")
Made = TypeVar("Made")


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Shared(Future[Made]):
    """Work that a helper may begin, or else whoever asks for its result: nobody waits for a helper that is busy."""

    def __init__(self, work: Callable[[], Made]) -> None:
        super().__init__()
        self._work, self._unbegun = work, Lock()

    def begin(self) -> None:
        """Do the work in this thread, unless it is begun."""
        if not self._unbegun.acquire(blocking=False):
            return
        try:
            self.set_result(self._work())
        except BaseException as error:
            self.set_exception(error)

    def result(self, timeout: float | None = None) -> Made:
        """As of its base."""
        self.begin()
        return super().result(timeout)


class Helpers(ThreadPoolExecutor):
    """Threads that help with one sound; where other sounds take all cores, who asks does the work himself.

    That is so once this process is `alone`, and while as much is done `side_by_side` as there are cores.
    """

    is_alone = False
    _at_work, _turn = 0, Lock()

    @classmethod
    @contextmanager
    def occupied(cls) -> Iterator[None]:
        """A core is taken in this block."""
        with cls._turn:
            Helpers._at_work += 1
        try:
            yield
        finally:
            with cls._turn:
                Helpers._at_work -= 1

    def submit(self, work: Callable[..., Made], /, *given: Any, **named: Any) -> Shared[Made]:
        """As of its base; what nobody asks the result of may never be begun."""
        _rest()
        shared = Shared(partial(work, *given, **named))
        if not Helpers.is_alone and Helpers._at_work < cores():
            super().submit(shared.begin)
        return shared


class _Urgency:
    """What is urgent now, for all threads."""

    turn = Condition()
    works = 0
    until_s = next_s = 0.0  # until when others rest at most; when they may rest again
    thread = local()  # its `works`


@contextmanager
def urgent() -> Iterator[None]:
    """Somebody waits for what this block does: the threads of other sounds rest meanwhile where they ask for helpers.

    They rest for `REST_MOST_S` at a time and half of the time at most, however much is urgent.
    """
    shared = _Urgency
    with shared.turn:
        began_s = time.monotonic()
        if not shared.works and began_s >= shared.next_s:
            shared.until_s = began_s + REST_MOST_S
        shared.works += 1
    shared.thread.works = getattr(shared.thread, "works", 0) + 1
    try:
        yield
    finally:
        shared.thread.works -= 1
        with shared.turn:
            shared.works -= 1
            if not shared.works:
                ended_s = min(time.monotonic(), shared.until_s)
                shared.next_s = max(shared.next_s, 2 * ended_s - (shared.until_s - REST_MOST_S))
                shared.until_s = 0.0
                shared.turn.notify_all()


def _rest() -> None:
    if _Urgency.works and not getattr(_Urgency.thread, "works", 0):
        with _Urgency.turn:
            left_s = _Urgency.until_s - time.monotonic()
            if left_s > 0:
                _Urgency.turn.wait_for(lambda: not _Urgency.works, left_s)


def alone() -> None:
    """Let this process do with one core: others like it use the other ones."""
    Helpers.is_alone = True


def side_by_side(work: Callable[[Given], Made], items: Sequence[Given]) -> list[Made]:
    """Work on each item, as many at a time as there are cores, in threads; results in order. Raises the first error."""
    if len(items) < 2:
        return [work(item) for item in items]

    def by_itself(item: Given) -> Made:
        with Helpers.occupied():
            return work(item)

    with ThreadPoolExecutor(cores()) as pool:
        return list(pool.map(by_itself, items))


def compiled(call: Callable[..., Any], *, ranks: Sequence[int], last: Sequence[int] = ()) -> Callable[..., Any]:
    """A function of float32 numpy arrays of the given ranks that runs `call` as a graph and returns numpy arrays.

    `last` are the sizes of the last axes of the first arrays, where `call` must know them. On TensorFlow one graph
    serves every length. On JAX each new shape compiles once; callers keep lengths few. Other backends run eagerly.
    """
    import keras

    backend = keras.backend.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        shapes: list[list[int | None]] = [[None] * rank for rank in ranks]
        for shape, size in zip(shapes, last, strict=False):
            shape[-1] = size
        graph = tf.function(call, input_signature=[tf.TensorSpec(shape, tf.float32) for shape in shapes])
        return lambda *arrays: tf.nest.map_structure(lambda t: t.numpy(), graph(*map(tf.constant, arrays)))
    if backend == "jax":
        import jax

        jitted = jax.jit(call)
        return lambda *arrays: jax.tree.map(np.asarray, jitted(*arrays))
    return lambda *arrays: _to_numpy(call(*arrays))


def _to_numpy(value: Any) -> Any:
    from keras import ops

    if isinstance(value, dict):
        return {name: _to_numpy(item) for name, item in value.items()}
    if isinstance(value, tuple):
        return tuple(_to_numpy(item) for item in value)
    return ops.convert_to_numpy(value)


def devices() -> list[str]:
    """What Keras computes on."""
    import keras

    return [f"{keras.backend.backend()} {name}" for name in keras.distribution.list_devices()]
