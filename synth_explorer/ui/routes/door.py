"""The door of the page: few pages are handed out at a time, and whoever has left before their turn is handed none.

A page takes a tenth of a second of computing; of one that is reloaded again and again only the last is made.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
PATHS = ("/", "/config")
AT_ONCE = 2
LEFT = 499


class Door:
    """ASGI middleware."""

    def __init__(self, app: Callable[[Message, Receive, Send], Awaitable[None]]) -> None:
        self._app, self._turns = app, asyncio.Semaphore(AT_ONCE)

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "GET" or scope["path"] not in PATHS:
            await self._app(scope, receive, send)
            return
        first = await receive()  # the question itself, without a body; what comes after it is that somebody left
        left = asyncio.ensure_future(receive())
        turn = asyncio.ensure_future(self._turns.acquire())
        try:
            await asyncio.wait({left, turn}, return_when=asyncio.FIRST_COMPLETED)
            if left.done():
                await send({"type": "http.response.start", "status": LEFT, "headers": []})  # to nobody
                await send({"type": "http.response.body", "body": b""})
                return
            given = iter((first,))

            async def rest() -> Message:
                return next(given, None) or await asyncio.shield(left)

            await self._app(scope, rest, send)
        finally:
            left.cancel()
            if not turn.cancel() and not turn.cancelled():
                self._turns.release()
