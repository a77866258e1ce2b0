"""The door: who leaves before their turn is handed nothing, and everybody else their page."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from synth_explorer.ui.routes.door import AT_ONCE, LEFT, Door

GET = {"type": "http", "method": "GET", "path": "/"}


class Client:
    """A connection that asks at once, and may be left."""

    def __init__(self) -> None:
        self.left, self.asked, self.status = asyncio.Event(), False, 0

    async def receive(self) -> dict[str, Any]:
        if not self.asked:
            self.asked = True
            return {"type": "http.request"}
        await self.left.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: dict[str, Any]) -> None:
        self.status = message.get("status", self.status)


async def settled() -> None:
    """Wait until nobody has anything to do but to wait."""
    for _ in range(50):
        await asyncio.sleep(0)


async def walk() -> tuple[int, list[int], int]:
    made, go_on = 0, asyncio.Event()

    async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
        nonlocal made
        made += 1
        assert (await receive())["type"] == "http.request"
        await go_on.wait()
        await send({"type": "http.response.start", "status": 200})

    door, clients = Door(app), [Client() for _ in range(AT_ONCE + 5)]
    asked = [asyncio.ensure_future(door(GET, client.receive, client.send)) for client in clients]
    await settled()
    first = made
    for client in clients[AT_ONCE:-1]:
        client.left.set()
    await settled()
    go_on.set()
    await asyncio.wait_for(asyncio.gather(*asked), 5.0)
    other = Client()
    await door(GET | {"path": "/sound/result.wav"}, other.receive, other.send)
    for _ in range(2 * AT_ONCE):  # all turns were given back
        again = Client()
        await asyncio.wait_for(door(GET, again.receive, again.send), 5.0)
    return first, [client.status for client in clients], made


def test_only_those_who_stay_are_handed_a_page() -> None:
    with ThreadPoolExecutor(1) as other:  # in this thread Playwright has a loop of its own
        first, told, made = other.submit(lambda: asyncio.run(walk())).result()
    assert first == AT_ONCE
    assert told == [200] * AT_ONCE + [LEFT] * 4 + [200]
    assert made == AT_ONCE + 1 + 1 + 2 * AT_ONCE
