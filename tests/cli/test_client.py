from __future__ import annotations

import contextlib
import json
import socket
import threading
from collections.abc import Iterator

import pytest

from pointsman.cli.client import Client, Problem, Unreachable, quoted
from pointsman.model.errors import UsageError


@contextlib.contextmanager
def answering(*answers: bytes) -> Iterator[tuple[str, list[bytes]]]:
    """A server that answers one connection after the other with these bytes and hangs up; yields what it was sent."""
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            for answer in answers:
                connection, _ = server.accept()
                with connection:
                    heard.append(connection.recv(65_536))
                    connection.sendall(answer)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}", heard
        thread.join(10)


def http(status: int, body: bytes, kind: str = "application/json") -> bytes:
    """An answer as bytes."""
    head = f"HTTP/1.1 {status} X\r\ncontent-type: {kind}\r\ncontent-length: {len(body)}\r\nconnection: close\r\n\r\n"
    return head.encode() + body


def test_an_answer_is_decoded():
    """JSON in, JSON out; the query leaves out what is None."""
    with answering(http(200, b'{"a": 1}')) as (url, heard):
        assert Client(url).get("/api/v1/messages", client="a b&c", status=None) == {"a": 1}
    assert heard[0].startswith(b"GET /api/v1/messages?client=a+b%26c HTTP/1.1\r\n")


def test_a_router_may_live_below_a_path():
    """The path of the address comes before every path of the API."""
    with answering(http(200, b"{}")) as (url, heard):
        Client(f"{url}/router/").delete("/api/v1/workers/x")
    assert heard[0].startswith(b"DELETE /router/api/v1/workers/x HTTP/1.1\r\n")


def test_a_problem_is_raised_with_its_code_and_when_to_try_again():
    """What the router said, in one line."""
    body = {"code": "rate_limited", "detail": "too many", "retryable": True, "retry_after_s": 0.6123}
    answer = http(429, json.dumps(body).encode(), "application/problem+json")
    with answering(answer) as (url, _), pytest.raises(Problem) as raised:
        Client(url).post("/api/v1/messages", {"text": "x"})
    assert str(raised.value) == "rate_limited: too many; try again in 612 ms"
    assert (raised.value.code, raised.value.status, raised.value.retryable) == ("rate_limited", 429, True)


@pytest.mark.parametrize(
    "answer",
    [
        http(200, b"<html>", "text/html"),
        http(404, b"not here", "text/plain"),
        http(200, b"{broken"),
        http(200, b"[" * 100_000),
        http(500, b"[1]"),
        http(200, b"[1]"),
        http(404, b'{"error": "another program"}'),
        http(302, b"{}"),
        http(502, b""),
        b"SSH-2.0-OpenSSH_9.0\r\n",
        b"",
        b"HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\nshort",
    ],
    ids=[
        "html",
        "text",
        "broken",
        "deep",
        "list",
        "no object",
        "no code",
        "elsewhere",
        "empty",
        "ssh",
        "nothing",
        "cut",
    ],
)
def test_what_is_no_answer_of_a_router_is_unreachable(answer):
    """Whatever else listens there: one clear line, that names the address."""
    with answering(answer) as (url, _), pytest.raises(Unreachable, match="127"):
        Client(url).get("/livez")


def test_an_object_without_the_list_that_was_asked_for_is_no_answer_of_a_router():
    """Another program with JSON answers may listen there."""
    with answering(http(200, b'{"workers": [{"id": "a"}]}'), http(200, b'{"workers": 3}')) as (url, _):
        assert Client(url).listing("/api/v1/workers", "workers") == [{"id": "a"}]
        with pytest.raises(Unreachable, match="an object without workers"):
            Client(url).listing("/api/v1/workers", "workers")


def test_nobody_listening_is_unreachable(free_port):
    """With what to do about it."""
    with pytest.raises(Unreachable, match="start one with `pointsman serve`"):
        Client(f"http://127.0.0.1:{free_port}").get("/livez")


def test_a_name_that_leads_nowhere_is_unreachable():
    """What the resolver says is passed on; no test asks a real one."""
    error = Client("http://nowhere.invalid")._unreachable(socket.gaierror(-2, "Name or service not known"))
    assert str(error).startswith("http://nowhere.invalid cannot be reached: Name or service not known; start one with")


def test_an_answer_that_does_not_come_is_unreachable():
    """After the time that was given."""
    complaint = r"did not answer within 0\.05 s"
    with socket.create_server(("127.0.0.1", 0)) as server, pytest.raises(Unreachable, match=complaint):
        Client(f"http://127.0.0.1:{server.getsockname()[1]}", timeout_s=0.05).get("/livez")


@pytest.mark.parametrize(
    "url", ["127.0.0.1:8080", "ftp://x", "http://", "http://x:port", "http://[::1", "file:///etc", "http://a..b"]
)
def test_what_is_no_address_is_refused(url):
    """With an example of one."""
    with pytest.raises(UsageError, match="no address of a router"):
        Client(url).get("/livez")


def test_the_address_comes_from_argument_then_environment_then_default(monkeypatch):
    """An empty variable is none."""
    monkeypatch.setenv("POINTSMAN_URL", "http://127.0.0.1:9/")
    assert Client("http://127.0.0.1:7").url == "http://127.0.0.1:7"
    assert Client().url == "http://127.0.0.1:9"
    monkeypatch.setenv("POINTSMAN_URL", "")
    assert Client().url == "http://127.0.0.1:8080"


def test_a_key_is_shown_to_the_router(monkeypatch):
    """From argument, then environment; a line end around it, as files leave it, is none of its characters."""
    monkeypatch.setenv("POINTSMAN_KEY", " pm_from_environment\n")
    with answering(*[http(200, b"{}")] * 2) as (url, heard):
        Client(url).get("/api/v1/status")
        Client(url, key="pm_given").get("/api/v1/status")
    assert b"\r\nAuthorization: Bearer pm_from_environment\r\n" in heard[0]
    assert b"\r\nAuthorization: Bearer pm_given\r\n" in heard[1]


def test_without_a_key_none_is_shown(monkeypatch):
    """An empty variable is none."""
    monkeypatch.setenv("POINTSMAN_KEY", "")
    with answering(http(200, b"{}")) as (url, heard):
        Client(url).get("/api/v1/status")
    assert b"uthorization" not in heard[0]


@pytest.mark.parametrize("key", ["pm_a b", "pm_a\nx-evil: 1", "pm_é", "pm_\x1b[2J"])
def test_a_key_that_is_none_is_refused_and_not_repeated(key):
    """Most likely something else was pasted, and that may be a secret too."""
    with pytest.raises(UsageError, match="POINTSMAN_KEY or --key") as raised:
        Client("http://127.0.0.1:9", key=key)
    assert key not in str(raised.value)


def test_who_is_not_let_in_is_told_where_a_key_is_taken_from():
    """Behind what the router itself says."""
    body = {"code": "unauthorized", "detail": "this router wants an API key", "retry_after_s": None}
    answer = http(401, json.dumps(body).encode(), "application/problem+json")
    with answering(answer) as (url, _), pytest.raises(Problem) as raised:
        Client(url).get("/api/v1/status")
    words = "unauthorized: this router wants an API key. This command takes a key from POINTSMAN_KEY or --key"
    assert str(raised.value) == words


def test_an_id_cannot_leave_its_step_of_the_path():
    """Slashes and dots are quoted, control characters too."""
    assert quoted("../a b\n") == "..%2Fa%20b%0A"
