"""What a sender may say in headers: `x-pointsman-class`, `-priority`, `-ttl`, `-conversation`, `-client`,
`Idempotency-Key`.

On the compatible APIs they are the only place for it. On the native API the body has fields of its own: a
header that says the same, or says what the body leaves open, is taken; one that contradicts the body is
refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from pointsman.http.problems import invalid
from pointsman.model.message import LOCAL_CLIENT, Message

_CLIENT: Final = re.compile(rb"[A-Za-z0-9._:@-]{1,64}")
_VISIBLE: Final = re.compile(rb"[!-~](?:[ -~]{0,254}[!-~])?")
_NUMBER: Final = re.compile(rb"[0-9]{1,15}(?:\.[0-9]{1,9})?")

_FIELDS: Final = {
    b"x-pointsman-class": "class_",
    b"x-pointsman-priority": "priority",
    b"x-pointsman-ttl": "ttl_s",
    b"x-pointsman-conversation": "conversation_id",
}


def client(fields: Mapping[bytes, bytes]) -> str:
    """Return the name in `x-pointsman-client`: the client where there are no keys, else a sub-client of the key's.

    Raises:
        RefusedError: `invalid`.
    """
    value = fields.get(b"x-pointsman-client")
    if value is None:
        return LOCAL_CLIENT
    if not _CLIENT.fullmatch(value):
        raise invalid(
            f"x-pointsman-client: got {_show(value)}, expected 1 to 64 letters, digits and . _ : @ -",
            "x-pointsman-client",
        )
    return value.decode()


def idempotency_key(fields: Mapping[bytes, bytes]) -> str | None:
    """Return the `Idempotency-Key` of a request.

    Raises:
        RefusedError: `invalid`.
    """
    value = fields.get(b"idempotency-key")
    if value is None:
        return None
    if not _VISIBLE.fullmatch(value):
        raise invalid(
            f"idempotency-key: got {_show(value)}, expected 1 to 256 visible ASCII characters", "idempotency-key"
        )
    return value.decode()


def read(fields: Mapping[bytes, bytes]) -> dict[str, Any]:
    """Return what the headers say about the message, by attribute of `Message`; mostly nothing.

    Raises:
        RefusedError: `invalid`: a value that cannot be one. Whether there is such a class or priority is not asked.
    """
    hints: dict[str, Any] = {}
    for header, attribute in _FIELDS.items():
        value = fields.get(header)
        if value is not None:
            hints[attribute] = _ttl(value) if attribute == "ttl_s" else _word(header.decode(), value)
    return hints


def merge(message: Message, hints: Mapping[str, Any], resolve: Callable[[str], str | None]) -> Message:
    """Return the message with what the headers add to it.

    Args:
        message: the body.
        hints: of `read`.
        resolve: class by class name, alias or pool name, so that two names of one class agree.

    Raises:
        RefusedError: `invalid`: header and body contradict each other; both are named.
    """
    for attribute, hint in hints.items():
        said = getattr(message, attribute)
        if said is None or said == hint or (attribute == "class_" and _same_class(said, hint, resolve)):
            continue
        field = "class" if attribute == "class_" else attribute
        header = next(name.decode() for name, known in _FIELDS.items() if known == attribute)
        raise invalid(
            f"header {header} says {_cut(hint)}, but {field} in the body says {_cut(said)};"
            " send one of them, or twice the same",
            field,
        )
    missing = {attribute: hint for attribute, hint in hints.items() if getattr(message, attribute) is None}
    return msgspec.structs.replace(message, **missing) if missing else message


def _same_class(one: str, other: str, resolve: Callable[[str], str | None]) -> bool:
    found = resolve(one)
    return found is not None and found == resolve(other)


def _word(header: str, value: bytes) -> str:
    if not _VISIBLE.fullmatch(value):
        raise invalid(f"{header}: got {_show(value)}, expected 1 to 256 visible ASCII characters", header)
    return value.decode()


def _ttl(value: bytes) -> float:
    if not _NUMBER.fullmatch(value):
        raise invalid(f"x-pointsman-ttl: got {_show(value)}, expected seconds, such as 30 or 0.5", "x-pointsman-ttl")
    return float(value)


def _show(value: bytes) -> str:
    return repr(value[:60].decode("latin-1"))


def _cut(value: object) -> str:
    return repr(value)[:80]
