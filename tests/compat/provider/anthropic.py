"""Answers of Anthropic's API, made from what the request asks for. The same request always gets the same answer.

Source: the public reference of the Messages API, of its streaming and of its errors, and the types of the official
Python client 2.13 (`anthropic/types`). What the last user turn says may ask for more: `future` for a block of a
type that nobody knows yet, `redact` for redacted thinking, `decline` for a refusal, `pause` for a paused turn.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any

from tests.compat.provider.openai import fill
from tests.compat.provider.plan import EVENTS, JSON, Field, Plan, json_plan
from tests.compat.provider.prompt_cache import Tokens, count

TEXT = 'Grüße aus Zürich – 你好, мир! 🚆👩‍🔧 "quoted" \\ and \n\ttabs.'
THOUGHT = "Trains, then; ⟨so be it⟩ 🤔."
SIGNATURE = base64.b64encode(bytes(range(0, 250, 3))).decode()
REDACTED = base64.b64encode(bytes(range(255, 100, -2))).decode()


def headers(key: str) -> tuple[Field, ...]:
    """Return the header lines that go with every answer."""
    return (
        ("request-id", f"req_{key}"),
        ("anthropic-organization-id", "8e1f1c4e-0000-4000-8000-6d6f636b0000"),
        ("anthropic-ratelimit-requests-limit", "4000"),
        ("anthropic-ratelimit-requests-remaining", "3999"),
        ("anthropic-ratelimit-requests-reset", "2026-11-25T10:00:00Z"),
        ("anthropic-ratelimit-input-tokens-limit", "400000"),
        ("anthropic-ratelimit-input-tokens-remaining", "399000"),
        ("anthropic-ratelimit-input-tokens-reset", "2026-11-25T10:00:01Z"),
        ("anthropic-ratelimit-output-tokens-limit", "80000"),
        ("anthropic-ratelimit-output-tokens-remaining", "79000"),
        ("anthropic-ratelimit-output-tokens-reset", "2026-11-25T10:00:01Z"),
        ("via", "1.1 google"),
        ("cf-cache-status", "DYNAMIC"),
        ("x-robots-tag", "none"),
    )


def prompt(ask: dict[str, Any]) -> list[Any]:
    """Return the parts of a prompt in the order in which caches match them."""
    system = ask.get("system") or []
    return [*ask.get("tools", ()), *(system if isinstance(system, list) else [system]), *ask.get("messages", ())]


def caches(ask: dict[str, Any]) -> bool:
    """Whether a request asks for its prompt to be cached; without that nothing is."""
    return '"cache_control": {' in json.dumps(ask)


def answer(ask: dict[str, Any], key: str, tokens: Tokens) -> Plan:
    """Answer a Messages request, whole or streamed as it asks."""
    blocks = _blocks(ask, key)
    stop, sequence = _stop(ask, blocks)
    usage = _usage(ask, blocks, tokens)
    message = {
        "model": ask["model"],
        "id": f"msg_{key}",
        "type": "message",
        "role": "assistant",
        "content": blocks,
        "stop_reason": stop,
        "stop_sequence": sequence,
        "usage": usage,
    }
    if stop == "refusal":
        message["stop_details"] = {"type": "refusal", "category": "cyber", "explanation": "No."}
    future = {name: value for name, value in ask.items() if name.startswith("x_")}
    if future:
        message["x_future"] = future
    if not ask.get("stream"):
        return json_plan(message, 200, *headers(key))
    return stream([event_bytes(name, value) for name, value in _events(message)], *headers(key))


def event_bytes(name: str, value: Any) -> bytes:
    """Return one server-sent event as Anthropic writes it."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return f"event: {name}\ndata: {text}\n\n".encode()


def stream(events: list[bytes], *fields: Field) -> Plan:
    """Return a streamed answer, one chunk an event."""
    return Plan(
        headers=(("content-type", EVENTS), ("cache-control", "no-cache"), *fields), pieces=events, framing="chunked"
    )


def _last_turn(ask: dict[str, Any]) -> tuple[str, list[dict[str, Any]]]:
    content = ask["messages"][-1]["content"]
    if isinstance(content, str):
        return content, []
    return " ".join(part.get("text", "") for part in content), content


def _blocks(ask: dict[str, Any], key: str) -> list[dict[str, Any]]:
    text, parts = _last_turn(ask)
    blocks: list[dict[str, Any]] = []
    if ask.get("thinking", {}).get("type") in {"enabled", "adaptive"}:
        blocks.append({"type": "thinking", "thinking": THOUGHT, "signature": SIGNATURE})
    if "redact" in text:
        blocks.append({"type": "redacted_thinking", "data": REDACTED})
    if "future" in text:
        blocks.append({"type": "hologram", "payload": {"x": [1, 2.50, None]}, "signature": SIGNATURE})
    if any(part["type"] == "tool_result" for part in parts):
        return [*blocks, {"type": "text", "text": TEXT}]
    tools = ask.get("tools") or []
    for tool in tools:
        if str(tool.get("type", "")).startswith("web_search"):
            blocks += _searched(key)
    documents = [part for part in parts if part["type"] == "document" and (part.get("citations") or {}).get("enabled")]
    blocks.append(_cited() if documents else {"type": "text", "text": "declined" if "decline" in text else TEXT})
    if ask.get("tool_choice", {}).get("type") != "none":
        own = [tool for tool in tools if tool.get("type", "custom") == "custom"]
        own = own[:1] if ask.get("tool_choice", {}).get("disable_parallel_tool_use") else own
        for place, tool in enumerate(own):
            called = {"type": "tool_use", "id": f"toolu_{key}_{place}", "name": tool["name"]}
            blocks.append({**called, "input": fill(tool["input_schema"])})
    return blocks


def _searched(key: str) -> list[dict[str, Any]]:
    name = f"srvtoolu_{key}"
    found = {
        "type": "web_search_result",
        "url": "https://example.com/züge",
        "title": "Züge 🚆",
        "encrypted_content": REDACTED,
        "page_age": "April 30, 2026",
    }
    cited = {
        "type": "web_search_result_location",
        "url": "https://example.com/züge",
        "title": "Züge 🚆",
        "encrypted_index": SIGNATURE,
        "cited_text": "Züge fahren…",
    }
    return [
        {"type": "server_tool_use", "id": name, "name": "web_search", "input": {"query": "Züge Zürich"}},
        {"type": "web_search_tool_result", "tool_use_id": name, "content": [found]},
        {"type": "text", "text": "Sie fahren.", "citations": [cited]},
    ]


def _cited() -> dict[str, Any]:
    place = {
        "type": "char_location",
        "cited_text": "The grass is green.",
        "document_index": 0,
        "document_title": "Gräser",
        "start_char_index": 0,
        "end_char_index": 19,
    }
    return {"type": "text", "text": "the grass is green", "citations": [place]}


def _stop(ask: dict[str, Any], blocks: list[dict[str, Any]]) -> tuple[str, str | None]:
    text, _ = _last_turn(ask)
    if blocks[-1]["type"] == "tool_use":
        return "tool_use", None
    if "decline" in text:
        return "refusal", None
    if "pause" in text:
        return "pause_turn", None
    if ask.get("stop_sequences"):
        return "stop_sequence", ask["stop_sequences"][0]
    return ("max_tokens", None) if ask["max_tokens"] == 1 else ("end_turn", None)


def _usage(ask: dict[str, Any], blocks: list[dict[str, Any]], tokens: Tokens) -> dict[str, Any]:
    cached = caches(ask)
    written = tokens.total - tokens.cached if cached else 0
    usage: dict[str, Any] = {
        "input_tokens": 0 if cached else tokens.total,
        "cache_creation_input_tokens": written,
        "cache_read_input_tokens": tokens.cached if cached else 0,
        "cache_creation": {"ephemeral_5m_input_tokens": written, "ephemeral_1h_input_tokens": 0},
        "output_tokens": count(json.dumps(blocks).encode()),
        "service_tier": "standard",
        "inference_geo": "not_available",
    }
    searches = sum(block["type"] == "server_tool_use" for block in blocks)
    if searches:
        usage["server_tool_use"] = {"web_search_requests": searches, "web_fetch_requests": 0}
    return usage


def _events(message: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    usage = message["usage"]
    start = {
        **message,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": {**usage, "output_tokens": 1},
    }
    start.pop("stop_details", None)
    yield "message_start", {"type": "message_start", "message": start}
    for index, block in enumerate(message["content"]):
        empty, deltas = _deltas(block)
        yield "content_block_start", {"type": "content_block_start", "index": index, "content_block": empty}
        if index == 0:
            yield "ping", {"type": "ping"}
        for delta in deltas:
            yield "content_block_delta", {"type": "content_block_delta", "index": index, "delta": delta}
        yield "content_block_stop", {"type": "content_block_stop", "index": index}
    ended = {name: message[name] for name in ("stop_reason", "stop_sequence", "stop_details") if name in message}
    counted = {name: value for name, value in usage.items() if name.endswith("_tokens") or name == "server_tool_use"}
    yield "message_delta", {"type": "message_delta", "delta": ended, "usage": counted}
    yield "message_stop", {"type": "message_stop"}


def _deltas(block: dict[str, Any]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return a block as it begins, and what is added to it."""
    kind = block["type"]
    if kind == "text":
        cited = [{"type": "citations_delta", "citation": one} for one in block.get("citations", ())]
        empty = {"type": "text", "text": "", **({"citations": []} if cited else {})}
        return empty, [*cited, *({"type": "text_delta", "text": part} for part in _parts(block["text"], 7))]
    if kind == "thinking":
        thought = [{"type": "thinking_delta", "thinking": part} for part in _parts(block["thinking"], 9)]
        signed = {"type": "signature_delta", "signature": block["signature"]}
        return {"type": "thinking", "thinking": "", "signature": ""}, [*thought, signed]
    if kind in {"tool_use", "server_tool_use"}:
        text = json.dumps(block["input"], ensure_ascii=False)
        return {**block, "input": {}}, [
            {"type": "input_json_delta", "partial_json": part} for part in ("", *_parts(text, 6))
        ]
    return block, []


def _parts(text: str, size: int) -> list[str]:
    return [text[start : start + size] for start in range(0, len(text), size)]


def count_tokens(ask: dict[str, Any], key: str) -> Plan:
    """Answer how many tokens a prompt has."""
    return json_plan({"input_tokens": count(json.dumps(prompt(ask)).encode())}, 200, *headers(key))


_ERRORS = {
    400: ("invalid_request_error", "max_tokens: Field required – „ja“"),
    401: ("authentication_error", "invalid x-api-key"),
    403: ("permission_error", "Your API key does not have permission to use the specified resource."),
    404: ("not_found_error", "model: claude-mock"),
    409: ("conflict_error", "The resource was updated by another request."),
    413: ("request_too_large", "Request exceeds the maximum size"),
    422: ("invalid_request_error", "Unprocessable."),
    429: ("rate_limit_error", "This request would exceed your organization's rate limit."),
    500: ("api_error", "Internal server error"),
    503: ("api_error", "Service unavailable"),
    529: ("overloaded_error", "Overloaded"),
}
ERROR_STATUSES = tuple(_ERRORS)


def error_body(status: int) -> bytes:
    """Return the body of an error."""
    kind, text = _ERRORS[status]
    value = {"type": "error", "error": {"type": kind, "message": text}, "request_id": f"req_error{status}"}
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def error(status: int, *fields: Field) -> Plan:
    """Return an error as Anthropic answers it."""
    said = any(name.startswith("retry-after") for name, _ in fields)
    waits: tuple[Field, ...] = () if said or status not in {429, 503} else (("retry-after", "1"),)
    lines = (("content-type", JSON), *headers(f"error{status}"), *waits, *fields)
    return Plan(status=status, headers=lines, pieces=[error_body(status)])


def error_event(status: int = 529) -> bytes:
    """Return an error in the middle of a stream."""
    kind, text = _ERRORS[status]
    return event_bytes("error", {"type": "error", "error": {"details": None, "type": kind, "message": text}})
