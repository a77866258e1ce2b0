"""A page with a login: what it plays is for those who are logged in."""

from __future__ import annotations

import re
from http.cookiejar import CookieJar
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, Request, build_opener

import pytest

PATHS = ("sound/result.wav", "sound/final.wav", "sound/patch.zip", "inspection/report.html")


def status(opener: Any, address: str | Request) -> int:
    try:
        return opener.open(address).status
    except HTTPError as error:
        return error.code


@pytest.mark.parametrize("path", PATHS)
def test_routes_ask_for_the_login(guarded: str, path: str) -> None:
    opener = build_opener(HTTPCookieProcessor(CookieJar()))
    assert status(opener, f"{guarded}{path}?request=nonsense") == 401
    opener.open(f"{guarded}login", urlencode({"username": "ann", "password": "secret"}).encode())
    assert status(opener, f"{guarded}{path}?request=nonsense") == 422  # let in, and told that it is nonsense


def test_every_route_beside_gradios_asks_for_the_login(guarded: str, studios: Any) -> None:
    from synth_explorer.ui.page.page import ROUTES

    for route in (make(studios) for make in ROUTES):
        for method in sorted(route.methods):
            asked = Request(guarded + re.sub(r"{.*?}", "x", route.path).lstrip("/"), method=method)
            assert status(build_opener(), asked) == 401, f"{method} {route.path}"


def test_a_wrong_password_lets_nobody_in(guarded: str) -> None:
    opener = build_opener(HTTPCookieProcessor(CookieJar()))
    with pytest.raises(HTTPError):
        opener.open(f"{guarded}login", urlencode({"username": "ann", "password": "wrong"}).encode())
    assert status(opener, f"{guarded}{PATHS[0]}?request=nonsense") == 401


def test_without_a_login_all_may_hear(address: str) -> None:
    assert status(build_opener(), f"{address}{PATHS[0]}?request=nonsense") == 422
