"""Who may speak to a service without keys: programs that connect to loopback, and no foreign page."""

from __future__ import annotations

import pytest

from pointsman.http.guard import allow_everybody, refuse_foreign
from pointsman.model.errors import RefusedError


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {b"host": b""},
        {b"host": b"localhost"},
        {b"host": b"LOCALHOST:8080"},
        {b"host": b"app.localhost:8080"},
        {b"host": b"127.0.0.1:8080"},
        {b"host": b"127.8.9.1"},
        {b"host": b"[::1]:8080"},
        {b"host": b"127.0.0.1:8080", b"origin": b"http://localhost:3000"},
    ],
)
def test_loopback_may_speak(fields: dict[bytes, bytes]) -> None:
    """Under each of its names, and from a page of the developer's own."""
    refuse_foreign(fields)


@pytest.mark.parametrize(
    "fields",
    [
        {b"host": b"evil.example:8080"},
        {b"host": b"localhost.evil.example"},
        {b"host": b"127.0.0.1.evil.example"},
        {b"host": b"notlocalhost"},
        {b"host": b"127.0.0.1:8080@evil.example"},
        {b"host": b"10.0.0.1"},
        {b"host": b"[::2]"},
        {b"host": b"localhost\n"},
        {b"host": b"127.0.0.1", b"origin": b"https://evil.example"},
        {b"host": b"127.0.0.1", b"origin": b"null"},
        {b"host": b"127.0.0.1", b"origin": b"http://localhost.evil.example"},
    ],
)
def test_others_are_refused(fields: dict[bytes, bytes]) -> None:
    """A name that was made to resolve to loopback, or a page that sends to it."""
    with pytest.raises(RefusedError) as caught:
        refuse_foreign(fields)
    assert caught.value.refused.reason == "forbidden"
    assert caught.value.refused.detail.isprintable()


def test_another_application_may_decide_instead() -> None:
    """Where ours is mounted, the guard can be left out."""
    allow_everybody({b"host": b"evil.example"})
