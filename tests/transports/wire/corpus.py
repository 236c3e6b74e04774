"""Replies, good and bad, by what is odd about them. Each ends with the end of the stream.

Two tables: what everybody reads alike, and what we refuse on purpose although others take it, with the reason.
"""

from __future__ import annotations

from typing import NamedTuple

from pointsman.transports.wire.reply_parser import MAX_HEADER_BYTES, MAX_HEADERS

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"

AGREED = {
    "length": OK + b"Content-Length: 2\r\n\r\nhi",
    "length 0": OK + b"Content-Length: 0\r\n\r\n",
    "leading zeros": OK + b"Content-Length: 0002\r\n\r\nab",
    "shorter than said": OK + b"Content-Length: 5\r\n\r\nab",
    "longer than said": OK + b"Content-Length: 2\r\n\r\nabcd",
    "two lengths": OK + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab",
    "negative length": OK + b"Content-Length: -1\r\n\r\na",
    "signed length": OK + b"Content-Length: +1\r\n\r\na",
    "hexadecimal length": OK + b"Content-Length: 0x1\r\n\r\na",
    "empty length": OK + b"Content-Length: \r\n\r\na",
    "two numbers as length": OK + b"Content-Length: 1 0\r\n\r\na",
    "underscored length": OK + b"Content-Length: 1_0\r\n\r\na",
    "enormous length": OK + b"Content-Length: 99999999999999999999999\r\n\r\na",
    "chunked": CHUNKED + b"1\r\na\r\nA\r\n0123456789\r\n0\r\n\r\n",
    "chunked, capitals": OK + b"Transfer-Encoding: CHUNKED\r\n\r\n1\r\na\r\n0\r\n\r\n",
    "chunked, padded": OK + b"Transfer-Encoding:\tchunked \r\n\r\n1\r\na\r\n0\r\n\r\n",
    "chunked, HTTP/1.0": b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n",
    "chunk size with zeros": CHUNKED + b"0001\r\na\r\n000\r\n\r\n",
    "chunk extensions": CHUNKED + b'1;a=b;c="d"\r\na\r\n0;x\r\n\r\n',
    "bad chunk size": CHUNKED + b"zz\r\n",
    "negative chunk size": CHUNKED + b"-1\r\na",
    "0x chunk size": CHUNKED + b"0x1\r\na\r\n0\r\n\r\n",
    "enormous chunk size": CHUNKED + b"ffffffffffffffffffffff\r\n",
    "chunk longer than said": CHUNKED + b"1\r\nab\r\n0\r\n\r\n",
    "chunk size ended by LF": CHUNKED + b"1\na\r\n0\r\n\r\n",
    "cut in a chunk": CHUNKED + b"5\r\nab",
    "no last chunk": CHUNKED + b"1\r\na\r\n",
    "cut in the trailers": CHUNKED + b"1\r\na\r\n0\r\nX: y",
    "trailers": CHUNKED + b"1\r\na\r\n0\r\nX: y\r\nZ: w\r\n\r\n",
    "bad trailer": CHUNKED + b"1\r\na\r\n0\r\nX y\r\n\r\n",
    "gzip coding": OK + b"Transfer-Encoding: gzip\r\n\r\nabc",
    "gzip, chunked": OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n1\r\na\r\n0\r\n\r\n",
    "identity coding": OK + b"Transfer-Encoding: identity\r\n\r\nabc",
    "unknown coding": OK + b"Transfer-Encoding: xchunked\r\n\r\n1\r\na\r\n0\r\n\r\n",
    "chunked twice": OK + b"Transfer-Encoding: chunked\r\n" * 2 + b"\r\n1\r\na\r\n0\r\n\r\n",
    "space before the colon": OK + b"Transfer-Encoding : chunked\r\n\r\n1\r\na\r\n0\r\n\r\n",
    "until the end": OK + b"\r\nabc",
    "until the end, HTTP/1.0": b"HTTP/1.0 200 OK\r\n\r\nabc",
    "HTTP/1.0": b"HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\na",
    "100": b"HTTP/1.1 100 Continue\r\n\r\n" + OK + b"Content-Length: 1\r\n\r\na",
    "100, 102, 103": b"HTTP/1.1 100 C\r\n\r\nHTTP/1.1 102 P\r\nA: b\r\n\r\nHTTP/1.1 103 E\r\n\r\n" + OK + b"\r\na",
    "100 with a length": b"HTTP/1.1 100 C\r\nContent-Length: 2\r\n\r\n" + OK + b"Content-Length: 1\r\n\r\na",
    "100 then chunked": b"HTTP/1.1 100 C\r\nContent-Length: 2\r\n\r\n" + CHUNKED + b"1\r\na\r\n0\r\n\r\n",
    "only 100": b"HTTP/1.1 100 C\r\n\r\n",
    "101": b"HTTP/1.1 101 S\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
    "101 without upgrade": b"HTTP/1.1 101 S\r\n\r\n" + OK + b"Content-Length: 1\r\n\r\na",
    "upgrade offered": OK + b"Connection: upgrade\r\nUpgrade: h2c\r\nContent-Length: 1\r\n\r\na",
    "204": b"HTTP/1.1 204 N\r\n\r\n",
    "204 with a length": b"HTTP/1.1 204 N\r\nContent-Length: 5\r\n\r\n",
    "204 chunked": b"HTTP/1.1 204 N\r\nTransfer-Encoding: chunked\r\n\r\n",
    "304 with a length": b"HTTP/1.1 304 N\r\nContent-Length: 5\r\n\r\n",
    "no reason": b"HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n",
    "empty reason": b"HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n",
    "status of 2 digits": b"HTTP/1.1 20 OK\r\nContent-Length: 0\r\n\r\n",
    "status of 4 digits": b"HTTP/1.1 2000 OK\r\nContent-Length: 0\r\n\r\n",
    "status 000": b"HTTP/1.1 000 OK\r\nContent-Length: 0\r\n\r\n",
    "status 999": b"HTTP/1.1 999 OK\r\nContent-Length: 0\r\n\r\n",
    "two spaces": b"HTTP/1.1  200 OK\r\nContent-Length: 0\r\n\r\n",
    "HTTP/1": b"HTTP/1 200 OK\r\n\r\n",
    "http/1.1": b"http/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    "ICE/1.0": b"ICE/1.0 200 OK\r\nContent-Length: 0\r\n\r\n",
    "RTSP/1.0": b"RTSP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n",
    "empty line first": b"\r\n" + OK + b"Content-Length: 0\r\n\r\n",
    "a request": b"GET / HTTP/1.1\r\n\r\n",
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
    "HTML": b"<html>no</html>\r\n\r\n",
    "nothing": b"",
    "only a status": OK,
    "lines ended by CR": b"HTTP/1.1 200 OK\rContent-Length: 1\r\ra\r\n\r\n",
    "NUL in a value": OK + b"X: a\0b\r\nContent-Length: 0\r\n\r\n",
    "CR in a value": OK + b"X: a\rb\r\nContent-Length: 0\r\n\r\n",
    "Latin-1 in a value": OK + b"X: \xe9\xff\r\nContent-Length: 0\r\n\r\n",
    "no name": OK + b": a\r\nContent-Length: 0\r\n\r\n",
    "no colon": OK + b"abc\r\nContent-Length: 0\r\n\r\n",
    "header folded at once": OK + b" X: a\r\nContent-Length: 0\r\n\r\n",
    "empty header values": OK + b"X:\r\nY: \r\nZ:\t\r\nContent-Length: 0\r\n\r\n",
    "names in any case": OK + b"cOnTeNt-LeNgTh: 2\r\nX-A: b\r\n\r\nhi",
    "names in capitals": OK + b"CONTENT-LENGTH: 2\r\n\r\nhi",
    "headers more than once": OK + b"X: a\r\nSet-Cookie: b\r\nx: c\r\nSet-Cookie: b\r\nContent-Length: 0\r\n\r\n",
    "value padded": OK + b"X: \t a  b\tc \t\r\nContent-Length:\t1\t\r\n\r\na",
    "value of colons": OK + b"X:::a\r\nContent-Length: 0\r\n\r\n",
    "UTF-8 in a value": OK + "X: Zürich\r\nContent-Length: 0\r\n\r\n".encode(),
    "slash in a name": OK + b"X/Y: a\r\nContent-Length: 0\r\n\r\n",
    "space in a name": OK + b"X Y: a\r\nContent-Length: 0\r\n\r\n",
    "Latin-1 in a name": OK + b"X\xe9: a\r\nContent-Length: 0\r\n\r\n",
    "chunk size in small letters": CHUNKED + b"a\r\n0123456789\r\n0\r\n\r\n",
    "chunk size of 17 digits": CHUNKED + b"00000000000000001\r\na\r\n0\r\n\r\n",
    "chunk size missing": CHUNKED + b"\r\na\r\n0\r\n\r\n",
    "chunk extension without a value": CHUNKED + b"1;a=\r\na\r\n0\r\n\r\n",
    "chunk extension with an escape": CHUNKED + b'1;a="\\""\r\na\r\n0\r\n\r\n',
    "chunk ended by LF": CHUNKED + b"1\r\na\n0\r\n\r\n",
    "chunk size ended by CR": CHUNKED + b"1\r\ra\r\n0\r\n\r\n",
    "empty line between chunks": CHUNKED + b"1\r\na\r\n\r\n0\r\n\r\n",
    "empty trailer": CHUNKED + b"1\r\na\r\n0\r\nX:\r\n\r\n",
    "server-sent events": OK
    + b"Content-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
    + b'6\r\ndata: \r\n7\r\n{"a":1}\r\n2\r\n\n\n\r\n0\r\n\r\n',
    "no coding, empty": OK + b"Transfer-Encoding:\r\n\r\nabc",
    "100 chunked": b"HTTP/1.1 100 C\r\nTransfer-Encoding: chunked\r\n\r\n" + OK + b"Content-Length: 1\r\n\r\na",
    "until the end, kept alive": b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n\r\nabc",
    "kept alive and closing": OK + b"Connection: keep-alive, close\r\nContent-Length: 1\r\n\r\na",
    "204 with a body": b"HTTP/1.1 204 N\r\n\r\nabc",
    "304 with a body": b"HTTP/1.1 304 N\r\nContent-Length: 3\r\n\r\nabc",
    "a second reply": (OK + b"Content-Length: 1\r\n\r\na") * 2,
    "tab behind the version": b"HTTP/1.1\t200 OK\r\nContent-Length: 0\r\n\r\n",
    "closing": OK + b"Connection: close\r\nContent-Length: 1\r\n\r\na",
}


class Doubtful(NamedTuple):
    """A reply that others take and we refuse, and why."""

    why: str
    stream: bytes


FOLDED = "obsolete; a gateway may refuse it (RFC 9112, 5.2), and readers differ in what it means"
TWO_FRAMINGS = "two readers could end the body in two places: the reply behind it is then somebody else's"
LINE_END = "only CR LF ends a line for everybody (RFC 9112, 2.2)"
CONTROL = "no value holds control characters (RFC 9110, 5.5)"
EXTENSION = "no chunk extension looks so (RFC 9112, 7.1.1)"
VERSION = "not a version that we speak"
BOUND = "beyond the bounds on a head"

STRICTER = {
    "folded header": Doubtful(FOLDED, OK + b"X: a\r\n b\r\nContent-Length: 0\r\n\r\n"),
    "folded by a tab": Doubtful(FOLDED, OK + b"X: a\r\n\tb\r\nContent-Length: 0\r\n\r\n"),
    "folded to nothing": Doubtful(FOLDED, OK + b"X: a\r\n \r\nContent-Length: 0\r\n\r\n"),
    "folded length": Doubtful(FOLDED, OK + b"Content-Length:\r\n 2\r\n\r\nhi"),
    "folded coding": Doubtful(FOLDED, OK + b"Transfer-Encoding:\r\n chunked\r\n\r\n1\r\na\r\n0\r\n\r\n"),
    "folded trailer": Doubtful(FOLDED, CHUNKED + b"1\r\na\r\n0\r\nX: y\r\n z\r\n\r\n"),
    "the same length twice": Doubtful(TWO_FRAMINGS, OK + b"Content-Length: 1\r\nContent-Length: 1\r\n\r\na"),
    "list of lengths": Doubtful(TWO_FRAMINGS, OK + b"Content-Length: 1, 1\r\n\r\na"),
    "length, then chunked": Doubtful(
        TWO_FRAMINGS, OK + b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n"
    ),
    "chunked, then length": Doubtful(
        TWO_FRAMINGS, OK + b"Transfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n1\r\na\r\n0\r\n\r\n"
    ),
    "length among the trailers": Doubtful(TWO_FRAMINGS, CHUNKED + b"1\r\na\r\n0\r\nContent-Length: 5\r\n\r\n"),
    "100 that closes": Doubtful(
        "the connection was to end there: what follows was not meant for us",
        b"HTTP/1.1 100 C\r\nConnection: close\r\n\r\n" + OK + b"Content-Length: 1\r\n\r\na",
    ),
    "lines ended by LF": Doubtful(LINE_END, b"HTTP/1.1 200 OK\nContent-Length: 1\n\na"),
    "one line ended by LF": Doubtful(LINE_END, OK + b"X: a\nContent-Length: 1\r\n\r\na"),
    "head ended by LF": Doubtful(LINE_END, OK + b"Content-Length: 1\r\n\na"),
    "control character in a value": Doubtful(CONTROL, OK + b"X: a\x01b\r\nContent-Length: 0\r\n\r\n"),
    "DEL in a value": Doubtful(CONTROL, OK + b"X: a\x7fb\r\nContent-Length: 0\r\n\r\n"),
    "space behind a chunk size": Doubtful(EXTENSION, CHUNKED + b"1 \r\na\r\n0\r\n\r\n"),
    "control character in a chunk extension": Doubtful(EXTENSION, CHUNKED + b"1;a=\x01\r\na\r\n0\r\n\r\n"),
    "Latin-1 in a chunk extension": Doubtful(EXTENSION, CHUNKED + b"1;a=\xe9\r\na\r\n0\r\n\r\n"),
    "chunk extension without a name": Doubtful(EXTENSION, CHUNKED + b"1;\r\na\r\n0\r\n\r\n"),
    "chunk extension with an open quote": Doubtful(EXTENSION, CHUNKED + b'1;a="b\r\na\r\n0\r\n\r\n'),
    "HTTP/2.0": Doubtful(VERSION, b"HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n"),
    "HTTP/0.9": Doubtful(VERSION, b"HTTP/0.9 200 OK\r\nContent-Length: 0\r\n\r\n"),
    "HTTP/1.2": Doubtful(VERSION, b"HTTP/1.2 200 OK\r\nContent-Length: 0\r\n\r\n"),
    "201 headers": Doubtful(
        BOUND, OK + b"".join(b"X%d: y\r\n" % n for n in range(MAX_HEADERS)) + b"Content-Length: 0\r\n\r\n"
    ),
    "64 KiB in one header": Doubtful(BOUND, OK + b"X: " + b"y" * MAX_HEADER_BYTES + b"\r\nContent-Length: 0\r\n\r\n"),
}
"""What h11 takes and we refuse on purpose."""

ALL = {**AGREED, **{name: doubtful.stream for name, doubtful in STRICTER.items()}}
"""Every reply of both tables."""
