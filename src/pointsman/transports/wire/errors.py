"""What can go wrong between us and a server: a closed set of five, so that one table can give each a meaning."""

from __future__ import annotations

from pointsman.model.errors import PointsmanError


class WireError(PointsmanError):
    """Root of the five; never raised itself."""

    code = "wire"
    http_status = 502


class ConnectFailed(WireError):
    """No connection came about, or it was gone before the first byte was written: the server has seen nothing.

    Also where a proxy stands between, and it was the proxy that refused.
    """

    code = "connect_failed"
    retryable = True


class ConnectionClosed(WireError):
    """The connection ended after the request was written and before the reply was whole.

    Whether the server acted on the request is not known.

    Attributes:
        started: at least one byte of the reply had come.
    """

    code = "connection_closed"

    def __init__(self, detail: str, *, started: bool) -> None:
        self.started = started
        super().__init__(detail)


class Silent(WireError):
    """The server said nothing for longer than it may; the connection has been closed.

    Attributes:
        started: at least one byte of the reply's body had come.
    """

    code = "silent"
    http_status = 504

    def __init__(self, detail: str, *, started: bool) -> None:
        self.started = started
        super().__init__(detail)


class ProtocolBroken(WireError):
    """What came is no HTTP/1.1 reply, or breaks a bound on its headers."""

    code = "protocol_broken"


class BodyTooLarge(WireError):
    """The reply's body is longer than the caller takes."""

    code = "body_too_large"
