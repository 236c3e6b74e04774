# ruff: noqa: E501 - a shape is one line, however long
"""Request shapes: every parameter and content type of the references once, and bytes that programs like to spoil."""

from __future__ import annotations

import json
from collections.abc import Iterator

from tests.compat import anthropic_cases, openai_cases
from tests.compat.provider import anthropic, openai
from tests.compat.provider.plan import Field, Plan
from tests.compat.provider.prompt_cache import Tokens
from tests.compat.shapes.fragments import FRAGMENTS, TEXTS
from tests.compat.shapes.shape import MODEL, Protocol, Shape

CHAT, MESSAGES, COUNT = "/v1/chat/completions", "/v1/messages", "/v1/messages/count_tokens"
PATHS: dict[Protocol, str] = {"openai": CHAT, "anthropic": MESSAGES}
TURNS = '"messages":[{"role":"user","content":"Grüße, 世界 🚆"}]'.encode()
REST: dict[Protocol, bytes] = {"openai": TURNS, "anthropic": b'"max_tokens":16,' + TURNS}

_ASK = {"model": "m", "max_tokens": 16, "messages": [{"role": "user", "content": "x"}]}
ANSWER: dict[Protocol, Plan] = {
    "openai": openai.complete(_ASK, "fixed", Tokens(3, 1)),
    "anthropic": anthropic.answer(_ASK, "fixed", Tokens(3, 1)),
}

HEADERS: dict[str, tuple[Field, ...]] = {
    "vendor headers": (("OpenAI-Beta", "assistants=v2"), ("OpenAI-Project", "p"), ("X-Stainless-Lang", "python")),
    "anthropic headers": (
        ("anthropic-version", "2023-06-01"),
        ("anthropic-beta", "a-1,b-2"),
        ("anthropic-user-profile-id", "u"),
    ),
    "user agent": (("User-Agent", "AsyncOpenAI/Python 3.57.0 (x; y)"),),
    "odd values": (("X-Empty", ""), ("X-Tab", "a\tb"), ("X-Quotes", '"a", b;c="d"'), ("X-Comma", "a,,b ,")),
    "latin-1 value": (("X-Name", "Z\xfcrich"),),
    "the same twice": (("X-Twice", "1"), ("X-Other", "2"), ("X-Twice", "3")),
    "long value": (("X-Long", "v" * 7_000),),
    "many": tuple((f"X-Many-{n}", str(n)) for n in range(60)),
}


def shapes() -> Iterator[Shape]:
    """Yield all request shapes."""
    for protocol, path in PATHS.items():
        for name, body in _bodies(protocol):
            yield Shape(f"{protocol} request: {name}", protocol, body, ANSWER[protocol], path)
        for name, fields in HEADERS.items():
            body = _put(protocol, b'"x":1')
            yield Shape(f"{protocol} request headers: {name}", protocol, body, ANSWER[protocol], path, fields)
    for query in ("?beta=true", "?beta=true&x=%C3%A4+b", "?a=1;b=2&a=3&=&c"):
        yield Shape(
            f"anthropic query {query}", "anthropic", _put("anthropic", b'"x":1'), ANSWER["anthropic"], MESSAGES + query
        )
        yield Shape(f"openai query {query}", "openai", _put("openai", b'"x":1'), ANSWER["openai"], CHAT + query)
    counted = anthropic.count_tokens(_ASK, "fixed")
    for name in ("letter escaped", "key twice", "above 2^53"):
        body = b'{"model":%b,%b,"x_future":%b}' % (MODEL, TURNS, FRAGMENTS[name])
        yield Shape(f"anthropic count_tokens: {name}", "anthropic", body, counted, COUNT)


def _put(protocol: Protocol, extra: bytes) -> bytes:
    return b'{"model":%b,%b,%b}' % (MODEL, REST[protocol], extra)


def _bodies(protocol: Protocol) -> Iterator[tuple[str, bytes]]:
    cases = (
        openai_cases.ASKS
        if protocol == "openai"
        else {name: {**anthropic_cases.BASE, **ask} for name, ask in anthropic_cases.ASKS.items()}
    )
    for name, ask in cases.items():
        plain = {key: value for key, value in ask.items() if not key.startswith("extra_")} | ask.get("extra_body", {})
        text = json.dumps({"model": "@", **plain}, ensure_ascii=False, separators=(",", ":"))
        yield name, text.encode().replace(b'"model":"@"', b'"model":' + MODEL, 1)
    for name, value in FRAGMENTS.items():
        yield f"{name} in an unknown field", _put(protocol, b'"x_future":' + value)
    for name in TEXTS:
        turn = b'"messages":[{"role":"user","content":%b}]' % FRAGMENTS[name]
        yield f"{name} as content", b'{"model":%b,"max_tokens":16,%b}' % (MODEL, turn)
    yield from _layouts(REST[protocol])
    for name, part in (_OPENAI_TURNS if protocol == "openai" else _ANTHROPIC_TURNS).items():
        yield name, b'{"model":%b,"max_tokens":16,"messages":%b}' % (MODEL, part)


def _layouts(rest: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield the same request with its members, spaces and ends elsewhere."""
    yield "model last", b'{%b,"model":%b}' % (rest, MODEL)
    yield "model in the middle", b'{"stream":false,"model":%b,%b}' % (MODEL, rest)
    yield "model twice", b'{"model":%b,%b,"model":%b}' % (MODEL, rest, MODEL)
    yield "model with an escape in its key", rb'{"m\u006fdel":%b,%b}' % (MODEL, rest)
    yield "model after its name in a string", b'{"user":"\\"model\\":\\"x\\"","model":%b,%b}' % (MODEL, rest)
    yield "models before it inside", b'{"metadata":{"model":"a"},"x":[{"model":1}],"model":%b,%b}' % (MODEL, rest)
    yield "space around everything", b' \r\n\t{ "model" \t:\n %b , %b\r\n} \n' % (MODEL, rest)
    yield "a line end after it", b'{"model":%b,%b}\r\n' % (MODEL, rest)
    yield "indented", b'{\n    "model": %b,\n    %b\n}' % (MODEL, rest.replace(b',"', b',\n        "'))
    yield "two streams that are false", b'{"stream":false,"model":%b,%b,"stream":false}' % (MODEL, rest)
    yield (
        "nulls for what may be left out",
        b'{"model":%b,%b,"stream":null,"temperature":null,"tools":null,"stop":null}' % (MODEL, rest),
    )
    yield (
        "600 KB of text",
        b'{"model":%b,%b,"messages":[{"role":"user","content":"%b"}]}'
        % (
            MODEL,
            b'"max_tokens":16',
            b"All work and no play. " * 28_000,
        ),
    )
    yield "4 MB of picture", b'{"model":%b,%b,"x_image":"%b"}' % (MODEL, rest, b"QUJD" * 1_000_000)
    turns = b",".join(b'{"role":"%b","content":"turn %d"}' % ((b"user", b"assistant")[n % 2], n) for n in range(1_001))
    yield "a thousand turns", b'{"model":%b,"max_tokens":16,"messages":[%b]}' % (MODEL, turns)


_OPENAI_TURNS: dict[str, bytes] = {
    "turn with a name": b'[{"role":"user","name":"bob","content":"x"}]',
    "developer turn": b'[{"role":"developer","content":[{"type":"text","text":"x"}]},{"role":"user","content":"y"}]',
    "content before role": b'[{"content":"x","role":"user"}]',
    "assistant without content": b'[{"role":"user","content":"x"},{"role":"assistant","refusal":"no"},{"role":"user","content":"y"}]',
    "assistant with sound": b'[{"role":"user","content":"x"},{"role":"assistant","audio":{"id":"audio_1"}},{"role":"user","content":"y"}]',
    "reasoning sent back": b'[{"role":"user","content":"x"},{"role":"assistant","content":"y","reasoning_content":"hm","reasoning_details":[{"type":"reasoning.encrypted","data":"gAAA"}]},{"role":"user","content":"z"}]',
    "old function call": b'[{"role":"user","content":"x"},{"role":"assistant","content":null,"function_call":{"name":"f","arguments":"{}"}},{"role":"function","name":"f","content":"1"}]',
    "custom tool call": b'[{"role":"user","content":"x"},{"role":"assistant","tool_calls":[{"id":"c","type":"custom","custom":{"name":"q","input":"SELECT 1"}}]},{"role":"tool","tool_call_id":"c","content":"1"}]',
    "tool result in parts": b'[{"role":"user","content":"x"},{"role":"assistant","tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{\\"a\\": 1e2}"}}]},{"role":"tool","tool_call_id":"c","content":[{"type":"text","text":"1"}]}]',
    "refusal part": b'[{"role":"user","content":"x"},{"role":"assistant","content":[{"type":"refusal","refusal":"no"}]},{"role":"user","content":"y"}]',
    "file by id": b'[{"role":"user","content":[{"type":"file","file":{"file_id":"file-1"}}]}]',
    "video of a compatible server": b'[{"role":"user","content":[{"type":"video_url","video_url":{"url":"https://example.com/v.mp4"}},{"type":"text","text":"?"}]}]',
    "cache mark of a compatible server": b'[{"role":"system","content":[{"type":"text","text":"x","cache_control":{"type":"ephemeral"}}]},{"role":"user","content":"y"}]',
    "empty content": b'[{"role":"user","content":""}]',
    "empty parts": b'[{"role":"user","content":[]}]',
    "unknown part": b'[{"role":"user","content":[{"type":"hologram","hologram":{"depth":3.50}}]}]',
    "unknown role": b'[{"role":"critic","content":"x"},{"role":"user","content":"y"}]',
}

_ANTHROPIC_TURNS: dict[str, bytes] = {
    "content before role": b'[{"content":"x","role":"user"}]',
    "prefilled answer": b'[{"role":"user","content":"x"},{"role":"assistant","content":"The answer is ("}]',
    "thinking sent back": b'[{"role":"user","content":"x"},{"role":"assistant","content":[{"type":"thinking","thinking":"\\u00e9\xc3\xa9","signature":"EqQB/+=="},{"signature":"x","thinking":"","type":"thinking"},{"type":"redacted_thinking","data":"Eu0B"},{"type":"text","text":"y"}]},{"role":"user","content":"z"}]',
    "server tool sent back": b'[{"role":"user","content":"x"},{"role":"assistant","content":[{"type":"server_tool_use","id":"srvtoolu_1","name":"web_search","input":{"query":"q"}},{"type":"web_search_tool_result","tool_use_id":"srvtoolu_1","content":[{"type":"web_search_result","url":"u","title":"t","encrypted_content":"Eo8+/=","page_age":null}]}]},{"role":"user","content":"z"}]',
    "search failed": b'[{"role":"user","content":"x"},{"role":"assistant","content":[{"type":"web_search_tool_result","tool_use_id":"s","content":{"type":"web_search_tool_result_error","error_code":"max_uses_exceeded"}}]},{"role":"user","content":"z"}]',
    "code execution sent back": b'[{"role":"user","content":"x"},{"role":"assistant","content":[{"type":"bash_code_execution_tool_result","tool_use_id":"s","content":{"type":"bash_code_execution_result","stdout":"1\\n","stderr":"","return_code":0,"content":[]}}]},{"role":"user","content":"z"}]',
    "mcp sent back": b'[{"role":"user","content":"x"},{"role":"assistant","content":[{"type":"mcp_tool_use","id":"m","name":"n","server_name":"s","input":{}},{"type":"mcp_tool_result","tool_use_id":"m","is_error":false,"content":[]}]},{"role":"user","content":"z"}]',
    "tool result with a picture": b'[{"role":"user","content":"x"},{"role":"assistant","content":[{"type":"tool_use","id":"t","name":"n","input":{"a":1.50}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"t","content":[{"type":"image","source":{"type":"base64","media_type":"image/png","data":"iVBO"}}]}]}]',
    "tool result without content": b'[{"role":"user","content":[{"type":"tool_result","tool_use_id":"t"}]}]',
    "file by id": b'[{"role":"user","content":[{"type":"document","source":{"type":"file","file_id":"file_1"}}]}]',
    "search result part": b'[{"role":"user","content":[{"type":"search_result","source":"s","title":"t","content":[{"type":"text","text":"x"}],"citations":{"enabled":true}}]}]',
    "container upload": b'[{"role":"user","content":[{"type":"container_upload","file_id":"file_1"}]}]',
    "cache marks": b'[{"role":"user","content":[{"type":"text","text":"x","cache_control":{"type":"ephemeral","ttl":"5m"}},{"type":"text","text":"y","cache_control":null}]}]',
    "empty content": b'[{"role":"user","content":""}]',
    "empty parts": b'[{"role":"user","content":"x"},{"role":"assistant","content":[]},{"role":"user","content":"y"}]',
    "unknown part": b'[{"role":"user","content":[{"type":"hologram","hologram":{"depth":3.50},"signature":"x"}]}]',
    "system turn": b'[{"role":"user","content":"x"},{"role":"system","content":"be brief"},{"role":"user","content":"y"}]',
    "unknown role": b'[{"role":"critic","content":"x"},{"role":"user","content":"y"}]',
}
