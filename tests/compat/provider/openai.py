"""Answers of OpenAI's API, made from what the request asks for. The same request always gets the same answer.

Source: the public API reference of chat completions, embeddings and models, and the types of the official Python
client 3.57 (`openai/types/chat`). Fields beyond them (`reasoning_content`, `x_future`) are what compatible servers
add today and what tomorrow's API may add.
"""

from __future__ import annotations

import base64
import json
import struct
from collections.abc import Iterator
from typing import Any

from tests.compat.provider.plan import EVENTS, JSON, Field, Plan, cut_up, json_plan
from tests.compat.provider.prompt_cache import Tokens, count

CREATED = 1_790_000_000
TEXT = 'Grüße aus Zürich – 你好, мир! 🚆👩‍🔧 "quoted" \\ and \n\ttabs.'
THOUGHT = "The user wants trains; ⟨so be it⟩."
REFUSAL = "I can't help with that."
DONE = b"data: [DONE]\n\n"


def headers(key: str) -> tuple[Field, ...]:
    """Return the header lines that go with every answer."""
    return (
        ("x-request-id", f"req_{key}"),
        ("openai-organization", "org-mock"),
        ("openai-processing-ms", "417"),
        ("openai-version", "2020-10-01"),
        ("x-ratelimit-limit-requests", "10000"),
        ("x-ratelimit-limit-tokens", "2000000"),
        ("x-ratelimit-remaining-requests", "9999"),
        ("x-ratelimit-remaining-tokens", "1999734"),
        ("x-ratelimit-reset-requests", "6ms"),
        ("x-ratelimit-reset-tokens", "7ms"),
        ("x-content-type-options", "nosniff"),
        ("cf-ray", "8f0c1d2e3a4b5c6d-ZRH"),
    )


def prompt(ask: dict[str, Any]) -> list[Any]:
    """Return the parts of a prompt in the order in which caches match them."""
    return [*ask.get("tools", ()), *ask.get("messages", ())]


def complete(ask: dict[str, Any], key: str, tokens: Tokens) -> Plan:
    """Answer a chat completion request, whole or streamed as it asks."""
    choices = [_choice(ask, index, key) for index in range(ask.get("n") or 1)]
    head = {
        "id": f"chatcmpl-{key}",
        "created": CREATED,
        "model": f"{ask['model']}-2026-08-07",
        "service_tier": {"fast": "priority"}.get(ask.get("service_tier", ""), ask.get("service_tier") or "default"),
        "system_fingerprint": "fp_44709d6fcb",
    }
    usage = _usage(ask, choices, tokens)
    if ask.get("stream"):
        options = ask.get("stream_options") or {}
        chunks = [*_chunks(ask, choices)]
        events = [{**head, "object": "chat.completion.chunk", "choices": chunk} for chunk in chunks]
        if options.get("include_usage"):
            events = [{**event, "usage": None} for event in events]
            events.append({**head, "object": "chat.completion.chunk", "choices": [], "usage": usage})
        if options.get("include_obfuscation", True):
            events = [{**event, "obfuscation": "aB3" * (place % 4)} for place, event in enumerate(events)]
        return stream([*map(event_bytes, events), DONE], *headers(key))
    answer = {**head, "object": "chat.completion", "choices": choices, "usage": usage}
    future = {name: value for name, value in ask.items() if name.startswith("x_")}
    if future:
        answer["x_future"] = future
    if ask.get("metadata") is not None:
        answer["metadata"] = ask["metadata"]
    return json_plan(answer, 200, *headers(key))


def event_bytes(value: Any) -> bytes:
    """Return one server-sent event as OpenAI writes it."""
    return b"data: " + json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode() + b"\n\n"


def stream(events: list[bytes], *fields: Field) -> Plan:
    """Return a streamed answer, one chunk an event."""
    return Plan(
        headers=(("content-type", EVENTS), ("cache-control", "no-cache"), *fields), pieces=events, framing="chunked"
    )


def _last_text(ask: dict[str, Any]) -> str:
    content = ask["messages"][-1].get("content") or ""
    if isinstance(content, str):
        return content
    return " ".join(str(part.get("text", f"[{part['type']}]")) for part in content)


def _choice(ask: dict[str, Any], index: int, key: str) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": f"{TEXT} #{index}", "refusal": None, "annotations": []}
    finish = "length" if ask.get("max_completion_tokens") == 1 else "stop"
    logprobs = None
    calls = _tool_calls(ask, key)
    form = (ask.get("response_format") or {}).get("type")
    if "refuse" in _last_text(ask):
        message |= {"content": None, "refusal": REFUSAL}
    elif calls:
        message |= {"content": None, "tool_calls": calls}
        finish = "tool_calls"
    elif form in {"json_schema", "json_object"}:
        schema = ask["response_format"].get("json_schema", {}).get("schema", {})
        message["content"] = json.dumps(fill(schema), ensure_ascii=False)
    elif "audio" in (ask.get("modalities") or ()):
        sound = base64.b64encode(bytes(range(96))).decode()
        audio = {"id": f"audio_{key}", "data": sound, "expires_at": CREATED + 3600, "transcript": TEXT}
        message |= {"content": None, "audio": audio}
    elif ask.get("logprobs"):
        logprobs = {
            "content": [_logprob(word, ask.get("top_logprobs") or 0) for word in ("Grüße", " 🚆")],
            "refusal": None,
        }
    elif ask.get("web_search_options") is not None:
        place = {"url": "https://example.com/züge", "title": "Züge", "start_index": 0, "end_index": 5}
        message["annotations"] = [{"type": "url_citation", "url_citation": place}]
    if ask.get("reasoning_effort") not in {None, "none"}:
        message["reasoning_content"] = THOUGHT
    return {"index": index, "message": message, "logprobs": logprobs, "finish_reason": finish}


def _tool_calls(ask: dict[str, Any], key: str) -> list[dict[str, Any]]:
    tools = ask.get("tools") or []
    if ask["messages"][-1]["role"] == "tool" or ask.get("tool_choice") == "none":
        return []
    if ask.get("parallel_tool_calls") is False:
        tools = tools[:1]
    calls = []
    for place, tool in enumerate(tools):
        call: dict[str, Any] = {"id": f"call_{key}_{place}", "type": tool["type"]}
        if tool["type"] == "custom":
            call["custom"] = {"name": tool["custom"]["name"], "input": "SELECT 'Zürich' 🚆"}
        else:
            filled = fill(tool["function"].get("parameters") or {})
            call["function"] = {"name": tool["function"]["name"], "arguments": json.dumps(filled, ensure_ascii=False)}
        calls.append(call)
    return calls


def fill(schema: dict[str, Any]) -> Any:
    """Return a value of a JSON schema."""
    if "enum" in schema:
        return schema["enum"][0]
    if "$ref" in schema or "anyOf" in schema:
        return fill(schema.get("anyOf", [{"type": "string"}])[0])
    kind = schema.get("type", "object")
    if kind == "object":
        return {name: fill(inner) for name, inner in schema.get("properties", {}).items()}
    if kind == "array":
        return [fill(schema.get("items", {"type": "string"}))] * 2
    return {"string": "Zürich 🚆", "integer": 7, "number": 1.5, "boolean": True}.get(kind)


def _logprob(token: str, top: int) -> dict[str, Any]:
    one = {"token": token, "logprob": -0.0127, "bytes": list(token.encode())}
    return {**one, "top_logprobs": [{**one, "logprob": -0.5 * place - 0.0127} for place in range(top)]}


def _usage(ask: dict[str, Any], choices: list[dict[str, Any]], tokens: Tokens) -> dict[str, Any]:
    output = sum(count(json.dumps(choice["message"]).encode()) for choice in choices)
    thought = count(THOUGHT.encode()) if "reasoning_content" in choices[0]["message"] else 0
    return {
        "prompt_tokens": tokens.total,
        "completion_tokens": output + thought,
        "total_tokens": tokens.total + output + thought,
        "prompt_tokens_details": {"cached_tokens": tokens.cached, "audio_tokens": 0},
        "completion_tokens_details": {
            "reasoning_tokens": thought,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 3 if ask.get("prediction") else 0,
            "rejected_prediction_tokens": 0,
        },
    }


def _chunks(ask: dict[str, Any], choices: list[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """Yield the `choices` of each chunk; of several choices one after the other, as their turn comes."""
    rows = [[*_deltas(choice)] for choice in choices]
    for place in range(max(map(len, rows))):
        for row in rows:
            if place < len(row):
                yield [row[place]]


def _deltas(choice: dict[str, Any]) -> Iterator[dict[str, Any]]:
    message = choice["message"]

    def delta(said: dict[str, Any], finish: str | None = None, logprobs: Any = None) -> dict[str, Any]:
        return {"index": choice["index"], "delta": said, "logprobs": logprobs, "finish_reason": finish}

    yield delta({"role": "assistant", "content": "" if message["content"] is not None else None, "refusal": None})
    for field in ("reasoning_content", "content", "refusal"):
        for part in _parts(message.get(field) or "", 5):
            yield delta({field: part})
    for place, call in enumerate(message.get("tool_calls", ())):
        kind = call["type"]
        body = "input" if kind == "custom" else "arguments"
        start = {**call, "index": place, kind: {**call[kind], body: ""}}
        yield delta({"tool_calls": [start]})
        for part in _parts(call[kind][body], 6):
            yield delta({"tool_calls": [{"index": place, kind: {body: part}}]})
    audio = message.get("audio")
    if audio:
        yield delta({"audio": {"id": audio["id"], "transcript": audio["transcript"]}})
        for part in _parts(audio["data"], 64):
            yield delta({"audio": {"id": audio["id"], "data": part}})
        yield delta({"audio": {"id": audio["id"], "expires_at": audio["expires_at"]}})
    if choice["logprobs"]:
        yield delta({"content": ""}, logprobs=choice["logprobs"])
    yield delta({}, choice["finish_reason"])


def _parts(text: str, size: int) -> list[str]:
    return [text[start : start + size] for start in range(0, len(text), size)]


def embed(ask: dict[str, Any], key: str) -> Plan:
    """Answer an embeddings request, as floats or as base64 of little-endian 32-bit floats."""
    texts = ask["input"] if isinstance(ask["input"], list) else [ask["input"]]
    if texts and isinstance(texts[0], int):
        texts = [texts]
    size = ask.get("dimensions") or 8
    data = []
    for place, text in enumerate(texts):
        seed = json.dumps(text).encode()
        vector = [((len(seed) * 31 + place * 7 + at * 13) % 101 - 50) / 64 for at in range(size)]
        packed = base64.b64encode(struct.pack(f"<{size}f", *vector)).decode()
        value: Any = packed if ask.get("encoding_format") == "base64" else vector
        data.append({"object": "embedding", "index": place, "embedding": value})
    tokens = sum(count(json.dumps(text).encode()) for text in texts)
    usage = {"prompt_tokens": tokens, "total_tokens": tokens}
    return json_plan({"object": "list", "data": data, "model": ask["model"], "usage": usage}, 200, *headers(key))


def list_models(key: str) -> Plan:
    """Answer the list of models."""
    names = ("gpt-mock", "gpt-mock-mini", "text-embedding-mock")
    data = [{"id": name, "object": "model", "created": CREATED, "owned_by": "mock"} for name in names]
    return json_plan({"object": "list", "data": data}, 200, *headers(key))


def slices(plan: Plan, size: int) -> Plan:
    """Return the same stream in chunks of one size, whatever they cut in two."""
    return plan.with_pieces(cut_up(plan.body, size))


_ERRORS = {
    400: ("invalid_request_error", "unsupported_value", "temperature", "Unsupported value: 'temperature' – use 1."),
    401: ("invalid_request_error", "invalid_api_key", None, "Incorrect API key provided: sk-***."),
    403: ("invalid_request_error", "unsupported_country_region_territory", None, "Country not supported."),
    404: ("invalid_request_error", "model_not_found", None, "The model `gpt-mock` does not exist."),
    409: ("invalid_request_error", "conflict", None, "The resource was updated by another request."),
    422: ("invalid_request_error", None, "messages[0]", "Unprocessable."),
    429: ("requests", "rate_limit_exceeded", None, "Rate limit reached for gpt-mock: Limit 3, Used 3, Requested 1."),
    500: ("server_error", None, None, "The server had an error while processing your request. Sorry!"),
    503: ("server_error", "engine_overloaded", None, "The engine is currently overloaded, please try again later."),
}
ERROR_STATUSES = tuple(_ERRORS)


def error_body(status: int) -> bytes:
    """Return the body of an error, written with the indent that OpenAI's has."""
    kind, code, parameter, text = _ERRORS[status]
    error = {"message": text, "type": kind, "param": parameter, "code": code}
    return json.dumps({"error": error}, indent=4, ensure_ascii=False).encode() + b"\n"


def error(status: int, *fields: Field) -> Plan:
    """Return an error as OpenAI answers it."""
    said = any(name.startswith("retry-after") for name, _ in fields)
    waits: tuple[Field, ...] = (
        () if said or status not in {429, 503} else (("retry-after-ms", "20"), ("retry-after", "1"))
    )
    lines = (("content-type", JSON), *headers(f"error{status}"), *waits, *fields)
    return Plan(status=status, headers=lines, pieces=[error_body(status)])
