"""Who may speak to a service without keys: programs that connect to loopback, and no foreign page."""

from __future__ import annotations

import pytest

from pointsman.http.guard import allow_everybody, refuse_foreign, refuse_foreign_page
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


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {b"host": b"router.example"},
        {b"host": b"router.example", b"origin": b"https://router.example"},
        {b"host": b"ROUTER.example:8443", b"origin": b"http://router.EXAMPLE:8443"},
        {b"host": b"router.example", b"origin": b"http://127.0.0.1:3000"},
    ],
)
def test_with_keys_any_name_will_do_and_pages_of_our_own(fields: dict[bytes, bytes]) -> None:
    """Whatever the scheme, as TLS may end before us."""
    refuse_foreign_page(fields)


@pytest.mark.parametrize(
    "fields",
    [
        {b"host": b"router.example", b"origin": b"https://evil.example"},
        {b"host": b"router.example", b"origin": b"https://router.example:8443"},
        {b"host": b"router.example", b"origin": b"https://router.example@evil.example"},
        {b"host": b"router.example", b"origin": b"app://router.example"},
        {b"host": b"router.example", b"origin": b"null"},
        {b"host": b"", b"origin": b"https://"},
        {b"origin": b"https://evil.example"},
        {b"origin": b"\x1b[2J"},
    ],
)
def test_with_keys_foreign_pages_are_still_refused(fields: dict[bytes, bytes]) -> None:
    """A key in a page is a key that everybody has."""
    with pytest.raises(RefusedError) as caught:
        refuse_foreign_page(fields)
    assert (caught.value.refused.reason, caught.value.refused.field) == ("forbidden", "origin")
    assert caught.value.refused.detail.isprintable()


def test_another_application_may_decide_instead() -> None:
    """Where ours is mounted, the guard can be left out."""
    allow_everybody({b"host": b"evil.example"})
