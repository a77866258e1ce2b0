"""Tasks done by a Ray cluster: actors, each a worker with its own core, on nodes that need not share any files.

Whatever is lost with an actor or its node is done again by another one. The same tasks have the same answers as here.
"""

from __future__ import annotations

import logging
import os
import socket
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from importlib.util import find_spec
from itertools import islice
from typing import Any, Self

from synth_explorer import __version__
from synth_explorer.batch.executors import AHEAD, TRIES, Kind, Task
from synth_explorer.batch.parcels import Receiver, Sender
from synth_explorer.batch.worker import Failed, Worker, reason_of
from synth_explorer.errors import SpecError, SynthExplorerError
from synth_explorer.quiet import held_back
from synth_explorer.runtime import cores

LOCAL = "local"
"""The address of a cluster that is started here, and ended with its work."""

OWN_LINES = rb"(?m)^\[20\d\d-.*\n?"  # of its C++ code
ANSWERS_S = 10.0  # within which a cluster must
PATIENCE_S = 30.0  # after which it is said that nothing has begun

_log = logging.getLogger(__name__)


def check() -> None:
    """Raises SpecError: Ray is not installed."""
    if find_spec("ray") is None:
        raise SpecError("Ray is not installed here: pip install -r requirements-cluster.txt (or the extra `cluster`).")


class Remote:
    """An actor: a worker in a process of its own."""

    def __init__(self, setup: Any, receiver: Callable[..., Any], worker: Kind) -> None:
        import ray

        self._receive = receiver(setup, ray.get, worker)

    def version(self) -> str:
        """Of the program that does the work."""
        return __version__

    def do(self, parcel: Any) -> Any:
        """Do a task."""
        return self._receive(parcel)


@dataclass(eq=False)
class _Actor:
    handle: Any
    version: Any  # reference to it
    is_ready: bool = False
    doing: deque[Any] = field(default_factory=deque)  # references to its answers to come, in its order
    suspect: Any = None  # of them: what it was at when it was lost


@dataclass(frozen=True, eq=False)
class _Begun:
    """A task that was handed out."""

    actor: _Actor
    task: Any
    tries: int


class RayCluster:
    """An executor: actors on the nodes of a cluster, as many as there are tasks and cores for.

    One that is lost, alone or with its node, is replaced as soon as there is room.
    """

    def __init__(
        self,
        setup: Any,
        workers: int | None,
        *,
        address: str,
        worker: Kind = Worker,
        sender: Callable[..., Any] = Sender,
        receiver: Callable[..., Any] = Receiver,
    ) -> None:
        """`workers`: actors at most; None: as many as the cluster has cores. A connection that is there is used.

        `sender` and `receiver` bring tasks to `worker`, as those of `parcels` do. Raises SpecError: Ray is not
        installed, or no cluster answers.
        """
        self._is_mine = _connect(address, workers)
        import ray
        from ray.exceptions import RayError

        self._ray: Any = ray
        self._lost = RayError  # what is raised for an answer that will not come
        self.workers = workers or max(1, int(ray.cluster_resources().get("CPU", 1)))
        self._sender = sender(setup, ray.put)
        self._remote = self._sender.setup, receiver, worker  # what an actor is made of
        self._actors: list[_Actor] = []
        self._early_losses = 0  # of actors that had not begun, one after another

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        for actor in self._actors:
            self._ray.kill(actor.handle)
        if self._is_mine:
            self._ray.shutdown()

    def run(self, tasks: Iterable[Task]) -> Iterator[tuple[Task, Any]]:
        """As they are done."""
        waiting, hand, begun = iter(tasks), deque[tuple[Task, int]](), dict[Any, _Begun]()
        while True:
            room = AHEAD * self.workers - len(hand) - len(begun)
            hand.extend((task, 1) for task in islice(waiting, max(0, room)))
            if not hand and not begun:
                return
            while len(self._actors) < min(self.workers, len(hand) + len(begun)):
                self._start()
            while hand and (actor := self._free()) is not None:
                task, tries = hand.popleft()
                try:
                    parcel = self._sender.parcel(task)
                except (SynthExplorerError, OSError) as error:
                    yield task, Failed(reason_of(error))
                    continue
                answer = actor.handle.do.remote(parcel)
                actor.doing.append(answer)
                begun[answer] = _Begun(actor, task, tries)
            for done in self._done(begun):
                one = begun.pop(done)
                try:
                    answer = self._ray.get(done)
                    one.actor.doing.remove(done)
                    yield one.task, answer
                except self._lost as error:
                    tries = one.tries + self._lose(one.actor, done)
                    if tries <= TRIES:
                        hand.appendleft((one.task, tries))
                    else:
                        why = f"the worker that made it was lost {TRIES} times; is there enough memory?"
                        yield one.task, Failed(f"{why} ({_last_line(error)})")

    def _start(self) -> None:
        kind = self._ray.remote(num_cpus=1)(Remote)
        made = kind.options(scheduling_strategy="SPREAD").remote(*self._remote)
        self._actors.append(_Actor(made, made.version.remote()))

    def _free(self) -> _Actor | None:
        """The actor with the least to do, if it may have more."""
        ready = (actor for actor in self._actors if actor.is_ready)
        least = min(ready, key=lambda actor: len(actor.doing), default=None)
        return least if least is not None and len(least.doing) < AHEAD else None

    def _done(self, begun: Iterable[Any]) -> list[Any]:
        """Wait until something has happened; references to answers that are there."""
        starting = {actor.version: actor for actor in self._actors if not actor.is_ready}
        happened, _ = self._ray.wait([*begun, *starting], num_returns=1, timeout=PATIENCE_S)
        if not happened and len(starting) == len(self._actors):
            free, total = (
                found.get("CPU", 0) for found in (self._ray.available_resources(), self._ray.cluster_resources())
            )
            _log.warning("no worker has begun yet: %g of the cluster's %g cores are free", free, total)
        for version in [one for one in happened if one in starting]:
            self._admit(starting[version])
        return [one for one in happened if one not in starting]

    def _admit(self, actor: _Actor) -> None:
        """Take an actor that has begun to work. Raises SpecError: none can, or it is another program."""
        try:
            version = self._ray.get(actor.version)
        except self._lost as error:
            self._actors.remove(actor)
            self._early_losses += 1
            if getattr(error, "actor_init_failed", False) or self._early_losses == TRIES * self.workers:
                why = "Its workers cannot begin; install the same synth_explorer on every node of the cluster."
                raise SpecError(f"{why} ({_last_line(error)})") from error
            return
        if version != __version__:
            raise SpecError(f"A node of the cluster has synth_explorer {version}, this one {__version__}: use one.")
        actor.is_ready, self._early_losses = True, 0

    def _lose(self, actor: _Actor, answer: Any) -> bool:
        """Give up an actor that was lost before it had answered. Returns whether this may be what ended it."""
        if actor in self._actors:
            self._actors.remove(actor)
            actor.suspect = actor.doing[0]
            self._ray.kill(actor.handle)
        return answer == actor.suspect


def _connect(address: str, workers: int | None) -> bool:
    """Connect to a cluster, or start one. Returns whether there was no connection before."""
    check()
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    import ray

    if ray.is_initialized():
        return False
    _check_address(address)
    here = {"num_cpus": workers or cores(), "include_dashboard": False} if address == LOCAL else {}
    try:
        with held_back(OWN_LINES):  # it says a line a second while it tries
            ray.init(address, log_to_driver=False, logging_level=logging.ERROR, **here)
    except (OSError, RuntimeError, ValueError) as error:  # a ConnectionError is the first
        why = "it wants a token: see docs/cluster.md" if "InvalidAuthToken" in _whole(error) else _last_line(error)
        raise SpecError(f"The Ray cluster at {address} cannot be used: {why}") from error
    return True


def _check_address(address: str) -> None:
    """Raises SpecError: it is none, or nothing answers at it. Ray itself would try for many minutes."""
    if address in (LOCAL, "auto"):
        return
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if not host or not port.isdecimal():
        raise SpecError(
            f"{address!r} is no address of a Ray cluster: give {LOCAL}, auto, HOST:PORT or ray://HOST:PORT."
        )
    try:
        socket.create_connection((host.strip("[]"), int(port)), ANSWERS_S).close()
    except (OSError, OverflowError) as error:
        raise SpecError(f"No Ray cluster answers at {address}: {error}. `ray start --head` starts one.") from error


def _whole(error: BaseException | None) -> str:
    """All that an error and its causes say."""
    return "" if error is None else f"{error}\n{_whole(error.__cause__ or error.__context__)}"


def _last_line(error: Exception) -> str:
    """What an error comes to."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1] if lines else type(error).__name__
