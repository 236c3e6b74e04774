"""Workers that answer what is no answer, and clients that send what is no request: the right error, the worker
accounted for, and the connection safe for the next message.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.compat.asking import PROTOCOLS, body, flagged, path, plain, streamed, told_error
from tests.compat.fleet import faulty
from tests.compat.provider.plan import Plan
from tests.compat.raw import Answer, RawClient
from tests.compat.shapes.shape import Protocol
from tests.compat.sides import Sides

SETTINGS = faulty
LARGEST = 33_554_432

both_protocols = pytest.mark.parametrize("protocol", PROTOCOLS)
plain_and_streamed = pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])


@pytest.fixture(autouse=True)
def _nothing_is_left(sides: Sides) -> Iterator[None]:
    """After each test every worker has all its slots back, and answers the next message."""
    sides.provider.reset()
    yield
    sides.provider.reset()
    for protocol in PROTOCOLS:
        answer = ask(sides, protocol, "solo", plain(protocol))
        assert (answer.status, answer.body) == (200, plain(protocol).body)
    sides.router.must_be_idle()


def ask(sides: Sides, protocol: Protocol, model: str, *plans: Plan, stream: bool = False) -> Answer:
    """Send a request to a class while the provider answers so."""
    sides.provider.play(*plans)
    with RawClient(sides.router.url) as client:
        return client.ask(path(protocol), body(model, stream=stream))


def must_be_told(protocol: Protocol, answer: Answer, status: int) -> None:
    """Fail unless an answer is an error of this status in the protocol's shape."""
    assert answer.status == status, answer
    told_error(protocol, answer)


# Workers.


@both_protocols
@plain_and_streamed
@pytest.mark.parametrize(
    ("media", "text"),
    [("text/html", b"<html>hello</html>"), ("application/json", b'{"hello":1'), ("application/json", b"")],
    ids=["a page", "broken JSON", "nothing"],
)
def test_what_is_no_answer_is_an_error(sides: Sides, protocol: Protocol, stream: bool, media: str, text: bytes) -> None:
    """A 200 that holds something else must not pass for a whole answer."""
    answer = ask(sides, protocol, "solo", Plan(headers=(("content-type", media),), pieces=[text]), stream=stream)
    must_be_told(protocol, answer, 502)


@both_protocols
@plain_and_streamed
def test_no_content_is_no_answer(sides: Sides, protocol: Protocol, stream: bool) -> None:
    """A 204 has nothing in it that a client could use."""
    must_be_told(protocol, ask(sides, protocol, "solo", Plan(status=204), stream=stream), 502)


@both_protocols
@plain_and_streamed
def test_redirects_are_not_followed(sides: Sides, protocol: Protocol, stream: bool) -> None:
    """A worker that sends on to itself is asked once; the client is not sent anywhere."""
    sides.provider.always(Plan(status=307, headers=(("location", path(protocol)),)))
    answer = ask(sides, protocol, "solo", stream=stream)
    must_be_told(protocol, answer, 502)
    assert answer.header("location") is None
    assert len(sides.provider.seen) == 1


@both_protocols
def test_a_head_that_does_not_end_is_an_error(sides: Sides, protocol: Protocol) -> None:
    """Headers of a megabyte, and ten thousand of them."""
    for fields in ((("x-long", "v" * 1_000_000),), tuple((f"x-{n}", "v") for n in range(10_000))):
        must_be_told(protocol, ask(sides, protocol, "solo", plain(protocol).with_headers(*fields)), 502)


@both_protocols
def test_a_head_that_says_two_lengths_is_an_error(sides: Sides, protocol: Protocol) -> None:
    """Whoever believes one of them may take the rest for the next answer."""
    must_be_told(protocol, ask(sides, protocol, "solo", plain(protocol).with_headers(("content-length", "5"))), 502)


@both_protocols
def test_interim_heads_alone_are_no_answer(sides: Sides, protocol: Protocol) -> None:
    """Three 1xx heads, then the end of the connection."""
    interim = b"HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n" * 3 + b"HTTP/1.1 "
    plan = Plan(interim=interim, status=102, headers=(), framing="close")
    answer = ask(sides, protocol, "solo", plan)
    must_be_told(protocol, answer, 502)
    assert answer.interim == []


@both_protocols
@plain_and_streamed
def test_trailers_leave_the_connection_usable(sides: Sides, protocol: Protocol, stream: bool) -> None:
    """They end the answer and do not begin the next."""
    known = streamed(protocol) if stream else plain(protocol)
    plan = Plan(headers=known.headers, pieces=known.pieces, framing="chunked", trailers=(("x-late", "1"),) * 3)
    for _ in range(2):
        assert ask(sides, protocol, "solo", plan, stream=stream).body == known.body
    first, second = sides.provider.seen
    assert first.connection == second.connection


@both_protocols
def test_an_error_that_is_too_long_is_still_an_error(sides: Sides, protocol: Protocol) -> None:
    """Eight megabytes of explanation: the status at least reaches the client."""
    plan = Plan(status=400, pieces=[b'{"error":{"message":"%b"}}' % (b"x" * 8_000_000)])
    answer = ask(sides, protocol, "solo", plan)
    assert answer.status == 400


@both_protocols
def test_usage_said_twice_counts_once_and_said_never_is_estimated(sides: Sides, protocol: Protocol) -> None:
    """The decision record has the tokens of each attempt."""
    pieces = [piece for piece in streamed(protocol).pieces if isinstance(piece, bytes)]
    counted = next(
        place for place, piece in enumerate(pieces) if b"total_tokens" in piece or b'output_tokens":9' in piece
    )
    twice = [*pieces[: counted + 1], *pieces[counted:]]
    never = [piece for place, piece in enumerate(pieces) if place != counted or protocol == "anthropic"]
    never = [piece.replace(b'"usage":{', b'"unsaid":{') for piece in never]
    found = []
    for row in (pieces, twice, never):
        answer = ask(sides, protocol, "solo", streamed(protocol).with_pieces(row), stream=True)
        record = sides.router.get(f"/api/v1/messages/{answer.header('x-pointsman-message-id')}/decision")
        found.append(record["attempts"][-1]["usage"])
    assert found[0] == found[1]
    assert found[0]["output_tokens"] == {"openai": 2, "anthropic": 9}[protocol]
    assert found[0]["estimated"] is False
    assert found[2]["estimated"] is True
    assert found[2]["output_tokens"] > 0


# Clients.


@both_protocols
@pytest.mark.parametrize(
    "value", [b'"yes"', b"1", b'"true"', b"[]", b"{}"], ids=["yes", "one", "true in quotes", "list", "object"]
)
def test_a_stream_that_is_neither_true_nor_false_is_refused(sides: Sides, protocol: Protocol, value: bytes) -> None:
    """In the protocol's own shape, naming the field; the worker never sees it."""
    with RawClient(sides.router.url) as client:
        answer = client.ask(path(protocol), body("solo").replace(b'"stream": false', b'"stream": ' + value))
    must_be_told(protocol, answer, 400)
    assert "stream" in told_error(protocol, answer)["message"]
    assert answer.header("x-should-retry") == "false"
    assert not sides.provider.seen


@both_protocols
@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"[]", 400),
        (b'{"model":"solo"}', 400),
        (b'{"model":7,"messages":[]}', 400),
        (b'{"model":"solo","messages":"hello"}', 400),
        (b'{"model":"solo","messages":[{"role":"user","content":"\xff"}]}', 400),
        (b"[" * 100_000, 400),
    ],
    ids=["nothing", "half", "list", "no messages", "model a number", "messages a string", "no UTF-8", "too deep"],
)
def test_what_is_no_request_is_refused(sides: Sides, protocol: Protocol, sent: bytes, status: int) -> None:
    """In the protocol's own shape; the worker never sees it."""
    with RawClient(sides.router.url) as client:
        must_be_told(protocol, client.ask(path(protocol), sent), status)
    assert not sides.provider.seen


@both_protocols
def test_a_body_that_says_to_be_something_else_is_refused(sides: Sides, protocol: Protocol) -> None:
    """By its media type, or its coding."""
    for fields in ((("content-type", "text/plain"),), (("content-encoding", "gzip"),)):
        with RawClient(sides.router.url) as client:
            must_be_told(protocol, client.ask(path(protocol), body("solo"), *fields), 415)
    assert not sides.provider.seen


@both_protocols
def test_a_path_or_method_that_is_none_is_told_in_the_same_shape(sides: Sides, protocol: Protocol) -> None:
    """Clients that call more of the API than there is get what they can read."""
    with RawClient(sides.router.url) as client:
        must_be_told(protocol, client.ask(path(protocol), b"", method="GET"), 405)
    where = {"openai": "/v1/responses", "anthropic": "/v1/messages/batches"}[protocol]
    with RawClient(sides.router.url) as client:
        must_be_told(protocol, client.ask(where, b"{}"), 404)


@both_protocols
def test_a_body_in_chunks_arrives_whole(sides: Sides, protocol: Protocol) -> None:
    """One byte a chunk, with an extension on the first."""
    sides.provider.play(plain(protocol))
    sent = body("solo")
    chunks = [b"1;x=y\r\n%b\r\n" % sent[:1], *(b"1\r\n%b\r\n" % sent[at : at + 1] for at in range(1, len(sent)))]
    with RawClient(sides.router.url) as client:
        head = client.request(path(protocol), b"").replace(b"Content-Length: 0", b"Transfer-Encoding: chunked")
        client.send(head + b"".join(chunks) + b"0\r\nx-trailer: 1\r\n\r\n")
        assert client.answer().status == 200
    assert sides.provider.seen[0].json["messages"] == json.loads(sent)["messages"]


def padded(model: str, size: int, *, stream: bool = False) -> bytes:
    """Return a request of so many bytes, most of them a picture."""
    start = body(model, stream=stream)[:-1] + b', "x_image": "'
    return start + b"A" * (size - len(start) - 2) + b'"}'


@both_protocols
def test_a_request_of_32_mebibytes_arrives_whole_and_one_more_byte_is_refused(sides: Sides, protocol: Protocol) -> None:
    """The largest that vision requests need."""
    sides.provider.play(plain(protocol))
    sent = padded("solo", LARGEST)
    with RawClient(sides.router.url) as client:
        assert client.ask(path(protocol), sent).status == 200
    assert sides.provider.seen[0].body.partition(b'"max_tokens"')[2] == sent.partition(b'"max_tokens"')[2]
    with RawClient(sides.router.url) as client:
        must_be_told(protocol, client.ask(path(protocol), padded("solo", LARGEST + 1)), 413)
    assert len(sides.provider.seen) == 1


@both_protocols
def test_an_answer_of_32_mebibytes_arrives_whole(sides: Sides, protocol: Protocol) -> None:
    """Plain, and as a stream with lines of a mebibyte."""
    known = plain(protocol)
    plan = known.with_pieces([b'{"x_future":"%b",%b' % (b"x" * (LARGEST - 20 - len(known.body)), known.body[1:])])
    assert ask(sides, protocol, "solo", plan).body == plan.body
    comment = b": " + b"x" * 1_048_576 + b"\n\n"
    first, *rest = streamed(protocol).pieces
    plan = streamed(protocol).with_pieces([first, *[comment] * 32, *rest])
    answer = ask(sides, protocol, "solo", plan, stream=True)
    assert answer.body == plan.body


@both_protocols
def test_a_flagged_stream_is_no_end_of_the_connection(sides: Sides, protocol: Protocol) -> None:
    """The client may go on with the same connection after the error."""
    first = streamed(protocol).pieces[:1]
    sides.provider.play(streamed(protocol).with_pieces(first), plain(protocol))
    with RawClient(sides.router.url) as client:
        client.send(client.request(path(protocol), body("solo", stream=True)))
        flagged(protocol, b"".join(piece for piece in first if isinstance(piece, bytes)), client.answer())
        assert client.ask(path(protocol), body("solo")).body == plain(protocol).body
