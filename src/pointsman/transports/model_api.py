"""What the APIs of model providers differ in: each is one object of this shape, and all else is shared."""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

import msgspec

from pointsman.core.usage import Figures
from pointsman.ports import Attempt
from pointsman.transports.link import TokenStyle
from pointsman.transports.work import decode_lenient


class Piece(NamedTuple):
    """What one event of a stream holds for a native reply: text, may be empty, and the model if it names one."""

    text: str = ""
    model: str | None = None


class ModelApi(Protocol):
    """One API.

    Attributes:
        protocol: as in `Envelope.protocol`.
        main: the endpoint that each such worker has, and that native messages go to.
        token_style: how a worker's key is sent.
        headers: headers that a request must have and a client may have set, names in lower case.
    """

    protocol: str
    main: str
    token_style: TokenStyle
    headers: tuple[tuple[str, str], ...]

    def prefix(self, path: str) -> str:
        """Return what stands between a worker's URL, whose own path is `path`, and an endpoint."""
        ...

    def ask(self, attempt: Attempt) -> dict[str, Any]:
        """Return the request that a native message is, without `model`."""
        ...

    def read_whole(self, endpoint: str, body: bytes) -> Figures:
        """Return what an answer in one piece says of its tokens.

        Raises:
            ValueError: it is not what a client of this endpoint can read; the text says what was expected.
        """
        ...

    def tell_whole(self, body: bytes) -> dict[str, Any]:
        """Return the native reply that an answer of the main endpoint is: `text`, `usage` and `model`.

        Raises:
            ValueError: as above.
        """
        ...

    def tell_event(self, data: bytes) -> Piece:
        """Return what an event of a streamed answer holds for a native reply.

        Raises:
            ValueError: it is no event of this protocol.
        """
        ...


def read_usage(decoder: msgspec.json.Decoder[Any], name: str, body: bytes) -> Any:
    """Return the `usage` of an answer that is known by a list in it; what stands within that list is not looked at.

    Args:
        decoder: of a struct with that list and `usage`.
        name: of the list.
        body: the answer.

    Raises:
        ValueError: there is no such list, or no JSON.
    """
    try:
        return decoder.decode(body).usage
    except (msgspec.ValidationError, RecursionError) as error:
        raise ValueError(str(error)) from None
    except (ValueError, msgspec.DecodeError) as error:
        value = decode_lenient(body)
        if not isinstance(value, dict) or not isinstance(value.get(name), list):
            raise ValueError(str(error)) from None
        return value.get("usage")
