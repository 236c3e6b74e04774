"""The codes of a request that never became a message, and of faults."""

from __future__ import annotations

from typing import Final

from pointsman.http.code import Code

REQUESTS: Final = (
    Code(
        "not_found",
        404,
        "Not found",
        "There is no such path, message, worker, pool or queue; or it ended too long ago to be remembered.",
        False,
        "Check the name; `/openapi.json` lists the paths.",
    ),
    Code(
        "method_not_allowed",
        405,
        "Method not allowed",
        "The path exists, but not with this method.",
        False,
        "Use a method that the `Allow` header names.",
    ),
    Code(
        "receive_timeout",
        408,
        "The request came too slowly",
        "Headers or body did not arrive in time.",
        True,
        "Send it again, in one go.",
    ),
    Code(
        "conflict",
        409,
        "Conflict",
        "What was asked contradicts the state things are in.",
        False,
        "Look at the state first: `detail` names it.",
    ),
    Code(
        "unsupported_media_type",
        415,
        "Unsupported media type",
        "The body is not declared as JSON, or it is compressed.",
        False,
        "Send `Content-Type: application/json` and no `Content-Encoding`.",
    ),
    Code(
        "head_too_large",
        431,
        "Headers too large",
        "The request line and headers are larger than 64 KiB, or more than 100.",
        False,
        "Send fewer and shorter headers.",
    ),
    Code(
        "model_not_found",
        404,
        "No such model",
        "On a compatible API: `model` is neither `auto` nor a class, an alias, a pool or a worker's model.",
        False,
        "Use a name that `GET /v1/models` lists.",
    ),
)
"""What HTTP itself refuses."""

FAULTS: Final = (
    Code("usage", 400, "Wrong use", "What was asked cannot work.", False, "Read `detail`."),
    Code(
        "illegal_step",
        500,
        "Illegal step",
        "A bug in Pointsman: a message was to change its state in a way that its life"
        " does not allow. Nothing was changed.",
        False,
        "Please report it, with the log.",
    ),
    Code(
        "settings",
        422,
        "The settings have mistakes",
        "Nothing was changed; every mistake is listed in `mistakes`.",
        False,
        "Correct them; `pointsman config check` shows them too.",
    ),
    Code(
        "engine",
        503,
        "The engine failed",
        "It could not do what was asked; nothing is known to have changed.",
        False,
        "Read the log of the router.",
    ),
    Code(
        "lease_lost",
        409,
        "The lease was lost",
        "An attempt was not renewed in time, or was superseded; what came of it no longer counts.",
        False,
        "Nothing: the message is settled by the rules of its pool.",
    ),
    Code(
        "ledger_unusable",
        503,
        "The ledger cannot be used",
        "There are budgets, and the file of `costs.ledger` cannot be read or written, or another process has it.",
        True,
        "Read `detail`: free the disk, correct the path or its rights, or give each router a ledger of its own.",
    ),
    Code(
        "schema_too_new",
        503,
        "The store is newer",
        "It was written by a newer version of Pointsman and is left untouched.",
        False,
        "Run the newer version.",
    ),
    Code(
        "not_delivered",
        502,
        "Not delivered",
        "In the library: the message ended otherwise than delivered.",
        False,
        "Look at the `status` and `detail` of the result.",
    ),
    Code(
        "refused",
        422,
        "Refused",
        "In the library: the message was refused; the code is that of its reason.",
        False,
        "Look at the reason.",
    ),
    Code("internal", 500, "An internal fault", "A bug in Pointsman.", False, "Please report it, with the log."),
    Code(
        "port_taken",
        0,
        "The port is taken",
        "Another process listens on the address of `server.listen`.",
        False,
        "Stop it, or choose another port.",
    ),
    Code(
        "not_loopback",
        0,
        "Not without keys",
        "`server.listen` is an address that others can reach, and there is no usable API key.",
        False,
        "Make one with `pointsman keys create NAME`, or listen on 127.0.0.1 or [::1].",
    ),
)
"""`model.errors`, and what keeps a service from starting."""
