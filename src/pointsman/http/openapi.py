"""The OpenAPI 3.1 description, made from the table of routes and the types it names; nothing is written
twice.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from pointsman.http.problems import MEDIA_TYPE
from pointsman.http.routing import Route

VERSION: Final = "3.1.0"

_PARAMETER: Final = re.compile(r"\{([a-z]+)\}")
_HINTS: Final = (
    "x-pointsman-class",
    "x-pointsman-priority",
    "x-pointsman-ttl",
    "x-pointsman-conversation",
    "x-pointsman-client",
)
_ATTRIBUTE: Final = re.compile(r"^ {8}([a-z_]+): (.*(?:\n {9,}.*)*)$", re.MULTILINE)
_RENAMED: Final = {"class_": "class", "message_class": "class"}
_PROBLEM: Final = {
    "title": "Problem",
    "description": "RFC 9457. `code` is stable; the reference of errors says what to do about each.",
    "type": "object",
    "required": ["type", "title", "status", "code", "detail", "instance", "retryable", "retry_after_s", "trace_id"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string"},
        "detail": {"type": "string"},
        "instance": {"type": "string"},
        "retryable": {"type": "boolean"},
        "retry_after_s": {"type": ["number", "null"]},
        "trace_id": {"type": ["string", "null"]},
        "field": {"type": "string"},
        "mistakes": {"type": "array", "items": {"type": "string"}},
    },
}

_DEFAULT: Final = {
    "description": "Refused, or ended otherwise than delivered.",
    "content": {MEDIA_TYPE.decode(): {"schema": {"$ref": "#/components/schemas/Problem"}}},
}
_DEFAULT_V1: Final = {
    "description": "The error object of OpenAI, or of Anthropic.",
    "content": {
        "application/json": {"schema": {"type": "object"}},
        # Of what is no valid request at all, nobody knows whose language it would have been.
        MEDIA_TYPE.decode(): {"schema": {"$ref": "#/components/schemas/Problem"}},
    },
}


def document(routes: Mapping[tuple[str, str], Route], version: str) -> bytes:
    """Return the description as JSON.

    Args:
        routes: every route by method and pattern.
        version: of Pointsman.
    """
    return msgspec.json.format(msgspec.json.encode(describe(routes, version)), indent=1)


def describe(routes: Mapping[tuple[str, str], Route], version: str) -> dict[str, Any]:
    """Return the description as a tree of plain values."""
    types = [kind for route in routes.values() for kind in (route.body, *route.replies.values()) if kind is not None]
    known = list(dict.fromkeys(types))
    schemas, components = msgspec.json.schema_components(known, ref_template="#/components/schemas/{name}")
    schema_of = dict(zip(known, schemas, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for (method, pattern), route in routes.items():
        paths.setdefault(pattern, {})[method.lower()] = _operation(pattern, route, schema_of)
    return {
        "openapi": VERSION,
        "info": {
            "title": "Pointsman",
            "version": version,
            "summary": "Routes each message to the right worker of a fleet, and can say why.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": paths,
        "components": {
            "schemas": {**{name: _explain(schema) for name, schema in components.items()}, "Problem": _PROBLEM}
        },
    }


def _operation(pattern: str, route: Route, schema_of: Mapping[Any, Any]) -> dict[str, Any]:
    summary, _, more = (route.answer.__doc__ or "").strip().partition("\n")
    operation: dict[str, Any] = {
        "operationId": f"{route.answer.__module__.rpartition('.')[2]}.{route.answer.__name__}",
        "tags": [route.answer.__module__.rpartition(".")[2]],
        "summary": summary.rstrip("."),
        "parameters": _parameters(pattern, route),
        "responses": {
            **{str(status): _reply(kind, route, schema_of) for status, kind in route.replies.items()},
            "default": _DEFAULT_V1 if pattern.startswith("/v1/") else _DEFAULT,
        },
    }
    if more.strip():
        operation["description"] = " ".join(more.split())
    if route.body is not None:
        operation["requestBody"] = {
            "required": not route.body_may_lack,
            "content": {route.body_media: {"schema": schema_of[route.body]}},
        }
    return operation


def _parameters(pattern: str, route: Route) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in _PARAMETER.findall(pattern)
    ]
    for query in route.query:
        found.append({"name": query.name, "in": "query", "schema": query.schema, "description": query.meaning})
    if route.body is not None and route.sends:
        found.extend({"name": name, "in": "header", "schema": {"type": "string"}} for name in _HINTS)
    return found


def _reply(kind: Any, route: Route, schema_of: Mapping[Any, Any]) -> dict[str, Any]:
    schema = schema_of[kind] if kind is not None else {"type": "string"}
    description = (getattr(kind, "__doc__", None) or "Success.") if kind in schema_of else "Success."
    content = {route.reply_media: {"schema": schema}}
    if route.streams:
        content["text/event-stream"] = {"schema": {}}
    return {"description": description.strip().partition("\n")[0], "content": content}


def _explain(schema: dict[str, Any]) -> dict[str, Any]:
    """Give each property the sentence that the docstring of its type has for it."""
    text, _, attributes = schema.get("description", "").partition("Attributes:")
    properties = schema.get("properties", {})
    for name, meaning in _ATTRIBUTE.findall(attributes + "\n"):
        wire_name = _RENAMED.get(name, name)
        if wire_name in properties:
            properties[wire_name] = {**properties[wire_name], "description": " ".join(meaning.split())}
    explained = dict(schema)
    if text:
        explained["description"] = " ".join(text.split())
    return explained
