"""Takes a proxy's URL apart: where it listens, and what it wants to be shown.

User and password stand in the URL, because that is where programs have always had them. From here on they exist as the
value of one header, in no text, repr or error. Source: RFC 9110 (11.7), RFC 7617 (Basic).
"""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from urllib.parse import unquote_to_bytes

from pointsman.model.errors import UsageError
from pointsman.transports.wire.origin import parse_origin

_EXPECTED = "expected http://[user:password@]host:port"


@dataclass(frozen=True, slots=True)
class Proxy:
    """An HTTP proxy.

    Attributes:
        host: name or address to connect to.
        port: 1..65535.
        authority: host and port as they are shown.
        authorization: value of `proxy-authorization`, or None; a secret.
    """

    host: str
    port: int
    authority: str
    authorization: str | None = field(repr=False)

    def explain(self, status: int) -> str:
        """Return what it means that the proxy itself answered with this status instead of doing its work."""
        if status != 407:
            return f"proxy {self.authority} does not let us through: it answered {status}"
        if self.authorization is None:
            return f"proxy {self.authority} wants a user and password (407): put them into `proxy`, {_EXPECTED}"
        return f"proxy {self.authority} refuses the user and password in `proxy` (407); it must take Basic credentials"


def parse_proxy(url: str) -> Proxy:
    """Take a proxy's URL apart.

    Raises:
        UsageError: it cannot be used; the text shows nothing of user and password.
    """
    scheme, colon, rest = url.partition("://")
    user, at, place = rest.rpartition("@")
    if not colon or scheme.lower() != "http":
        shown = f"{scheme}://" if colon and scheme.isalnum() else "no scheme"
        raise UsageError(f"proxy: got {shown}, {_EXPECTED}")
    if any(char in "/?#[]" or not "!" <= char <= "~" for char in user):
        raise UsageError("proxy: user and password may hold no white space and none of / ? # [ ]: percent-encode them")
    try:
        origin = parse_origin(f"http://{place}")
    except UsageError as error:
        raise UsageError(f"proxy: {error}; {_EXPECTED}") from None
    if origin.path or origin.query:
        raise UsageError(f"proxy {origin.authority}: a path in it means nothing; {_EXPECTED}")
    authorization = None
    if at:
        secret = b":".join(unquote_to_bytes(part) for part in user.partition(":")[::2])
        authorization = "Basic " + base64.b64encode(secret).decode("ascii")
    return Proxy(origin.host, origin.port, origin.authority, authorization)
