"""Who may hear: routes beside Gradio's own ask for the login that Gradio asks for, where the page has one.

The library is for who is logged in or, where no login is asked for, sits at this computer."""

from __future__ import annotations

from fastapi import Depends, HTTPException, Request
from fastapi.routing import APIRoute

LOOPBACK = ("127.0.0.1", "::1")
READS = ("GET", "HEAD")
OWN = ("same-origin", "none")
"""What browsers say (`Sec-Fetch-Site`) of a request of this server's page, or of a person; programs say nothing."""


def guarded(route: APIRoute) -> APIRoute:
    """The same route; without a login it answers 401 where the page was launched with `auth`, and 403 where the page of
    another site asks for what changes something."""
    return APIRoute(
        route.path,
        route.endpoint,
        methods=sorted(route.methods or {"GET"}),
        include_in_schema=False,
        dependencies=[Depends(check)],
    )


async def check(request: Request) -> None:
    """Let a request pass that carries the cookie of a Gradio login, or any where no login is asked for.

    What changes something is refused where another site has a browser ask for it.
    """
    if request.method not in READS and request.headers.get("Sec-Fetch-Site", OWN[0]) not in OWN:
        raise HTTPException(403, "Only the page itself may ask for this.")
    app = request.app
    if getattr(app, "auth", None) is None:
        return
    cookies = (request.cookies.get(f"access-token-{kind}{app.cookie_id}") for kind in ("", "unsecure-"))
    if not any(cookie in app.tokens for cookie in cookies if cookie):
        raise HTTPException(401, "Log in on the page first.")


def is_owner(request: Request) -> bool:
    """Whether a request that may pass comes from somebody whom the user's library is shown to.

    Behind a proxy on this computer the address counts that it passes on (X-Forwarded-For).
    """
    if getattr(request.app, "auth", None) is not None:
        return True
    return request.client is not None and request.client.host in LOOPBACK
