"""What applications ask OpenAI's API for, as the arguments of its official client. Names are the ids of tests."""

from __future__ import annotations

from typing import Any

MODEL = "gpt-mock"
PIXEL = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk"
    "+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
HELLO = [{"role": "user", "content": "Say hello to Zürich 🚆"}]
WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Weather of a place",
        "strict": True,
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
            "required": ["city", "days"],
            "additionalProperties": False,
        },
    },
}
CLOCK = {
    "type": "function",
    "function": {
        "name": "get_time",
        "strict": True,
        "parameters": {
            "type": "object",
            "properties": {"model": {"type": "string", "enum": ["utc", "local"]}},
            "required": ["model"],
            "additionalProperties": False,
        },
    },
}
QUERY = {"type": "custom", "custom": {"name": "run_sql", "description": "Runs SQL", "format": {"type": "text"}}}
FORM = {
    "type": "json_schema",
    "json_schema": {
        "name": "trip",
        "strict": True,
        "schema": {
            "type": "object",
            "properties": {
                "city": {"type": "string"},
                "stops": {"type": "array", "items": {"type": "integer"}},
                "fast": {"type": "boolean"},
            },
            "required": ["city", "stops", "fast"],
            "additionalProperties": False,
        },
    },
}
CALLED = [
    *HELLO,
    {
        "role": "assistant",
        "content": None,
        "tool_calls": [
            {
                "id": "call_1",
                "type": "function",
                "function": {"name": "get_weather", "arguments": '{"city":"Zürich","days":7}'},
            }
        ],
    },
    {"role": "tool", "tool_call_id": "call_1", "content": '{"sky":"clear","t":-1.50}'},
]
SEEN = [
    {"role": "developer", "content": "Be short."},
    {
        "role": "user",
        "content": [
            {"type": "text", "text": "What is this?"},
            {"type": "image_url", "image_url": {"url": PIXEL, "detail": "low"}},
            {"type": "image_url", "image_url": {"url": "https://example.com/zug.jpg"}},
        ],
    },
]
HEARD = [{"role": "user", "content": [{"type": "input_audio", "input_audio": {"data": "UklGRg==", "format": "wav"}}]}]
FILED = [
    {
        "role": "user",
        "content": [
            {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,JVBERi0="}}
        ],
    }
]

ASKS: dict[str, dict[str, Any]] = {
    "plain": {"messages": HELLO},
    "system": {"messages": [{"role": "system", "content": "You are terse."}, *HELLO], "temperature": 0.2, "seed": 7},
    "limits": {"messages": HELLO, "max_completion_tokens": 1, "stop": ["\n\n", "END"], "top_p": 0.9},
    "two choices": {"messages": HELLO, "n": 2, "presence_penalty": 0.5, "frequency_penalty": -0.5},
    "logprobs": {"messages": HELLO, "logprobs": True, "top_logprobs": 3, "logit_bias": {"50256": -100}},
    "tool": {"messages": HELLO, "tools": [WEATHER], "tool_choice": "required"},
    "parallel tools": {"messages": HELLO, "tools": [WEATHER, CLOCK], "parallel_tool_calls": True},
    "one tool at a time": {"messages": HELLO, "tools": [WEATHER, CLOCK], "parallel_tool_calls": False},
    "tool result": {"messages": CALLED, "tools": [WEATHER], "tool_choice": "none"},
    "schema": {"messages": HELLO, "response_format": FORM},
    "json object": {"messages": HELLO, "response_format": {"type": "json_object"}},
    "refusal": {"messages": [{"role": "user", "content": "please refuse"}]},
    "images": {"messages": SEEN},
    "file": {"messages": FILED},
    "sound in": {"messages": HEARD},
    "sound out": {"messages": HELLO, "modalities": ["text", "audio"], "audio": {"voice": "alloy", "format": "pcm16"}},
    "reasoning": {"messages": HELLO, "reasoning_effort": "high", "verbosity": "low"},
    "tier": {"messages": HELLO, "service_tier": "fast", "store": True, "metadata": {"trip": "Zürich"}, "user": "u-1"},
    "cache key": {
        "messages": HELLO,
        "prompt_cache_key": "k",
        "prompt_cache_retention": "24h",
        "safety_identifier": "s",
    },
    "prediction": {"messages": HELLO, "prediction": {"type": "content", "content": "Grüße"}},
    "web search": {"messages": HELLO, "web_search_options": {"search_context_size": "low"}},
    "unknown fields": {
        "messages": HELLO,
        "extra_body": {
            "x_future": {"deep": [1, {"é": None}]},
            "x_top_k": 40,
            "chat_template_kwargs": {"thinking": False},
        },
        "extra_headers": {"X-Custom": "a, b;c=d", "OpenAI-Beta": "x=v1"},
        "extra_query": {"api-version": "2026-10-01", "q": "ä b"},
    },
}

STREAMED: dict[str, dict[str, Any]] = {
    **{name: ask for name, ask in ASKS.items() if name not in {"limits", "file", "sound in", "prediction"}},
    "usage": {"messages": HELLO, "stream_options": {"include_usage": True}},
    "usage of tools": {"messages": HELLO, "tools": [WEATHER, CLOCK], "stream_options": {"include_usage": True}},
    "custom tool": {"messages": HELLO, "tools": [QUERY]},
    "no obfuscation": {"messages": HELLO, "stream_options": {"include_obfuscation": False}},
}
STREAMED_BY_HELPER = (
    "plain",
    "two choices",
    "parallel tools",
    "schema",
    "refusal",
    "usage of tools",
    "logprobs",
    "reasoning",
)
