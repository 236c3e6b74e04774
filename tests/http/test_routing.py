"""Finding a route: by method and path, with parameters that can mislead nobody."""

from __future__ import annotations

import pytest

from pointsman.http.exchange import Answer, Request
from pointsman.http.problems import RequestError
from pointsman.http.routing import Route, RouteTable
from pointsman.model.errors import NotFound, RefusedError


async def one(request: Request) -> Answer:
    """Answer one."""
    raise NotImplementedError


async def two(request: Request) -> Answer:
    """Answer two."""
    raise NotImplementedError


ONE, TWO, THREE = Route(one), Route(two), Route(one)
TABLE = RouteTable(
    {
        ("GET", "/things"): ONE,
        ("POST", "/things"): TWO,
        ("GET", "/things/{id}"): TWO,
        ("DELETE", "/things/{id}"): ONE,
        ("POST", "/things/special"): THREE,
        ("GET", "/things/{id}/parts/{part}"): THREE,
    }
)


@pytest.mark.parametrize(
    ("method", "path", "route", "parameters"),
    [
        ("GET", "/things", ONE, {}),
        ("HEAD", "/things", ONE, {}),
        ("POST", "/things", TWO, {}),
        ("GET", "/things/a-1.b:c@d_E", TWO, {"id": "a-1.b:c@d_E"}),
        ("HEAD", "/things/x", TWO, {"id": "x"}),
        ("DELETE", "/things/x", ONE, {"id": "x"}),
        ("POST", "/things/special", THREE, {}),
        ("GET", "/things/x/parts/y", THREE, {"id": "x", "part": "y"}),
    ],
)
def test_method_and_path_find_their_route(method: str, path: str, route: Route, parameters: dict[str, str]) -> None:
    """Exact paths go before patterns; HEAD finds what GET finds."""
    assert TABLE.match(method, path) == (route, parameters)


@pytest.mark.parametrize(
    "path", ["", "/", "/thing", "/things/", "/things/x/", "//things", "/things/x/parts", "/things/x/y/z", "/a" * 500]
)
def test_a_path_that_is_none_is_not_found(path: str) -> None:
    """No path is guessed at, not even one with a slash too many."""
    with pytest.raises((NotFound, RefusedError)):
        TABLE.match("GET", path)


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("PUT", "/things", b"GET, HEAD, POST"),
        ("POST", "/things/x", b"DELETE, GET, HEAD"),
        ("GET", "/things/special", b"POST"),
        ("HEAD", "/things/special", b"POST"),
    ],
)
def test_another_method_is_told_which_ones_there_are(method: str, path: str, allow: bytes) -> None:
    """405 with Allow."""
    with pytest.raises(RequestError) as caught:
        TABLE.match(method, path)
    assert (caught.value.code, caught.value.headers) == ("method_not_allowed", ((b"allow", allow),))


@pytest.mark.parametrize(
    "name", ["", ".", "..", "-x", "a b", "a\x00", "a\nb", "é", "a\x1b[1m", "a" * 129, "%41", "a;b"]
)
def test_a_parameter_that_no_name_can_be_is_refused(name: str) -> None:
    """Control characters, blanks, dots alone and anything over 128 characters never reach the router."""
    with pytest.raises(RefusedError) as caught:
        TABLE.match("GET", f"/things/{name}")
    assert caught.value.refused.field == "id"
    assert caught.value.refused.detail.isprintable()
