"""What applications ask Anthropic's API for, as the arguments of its official client. Names are the ids of tests."""

from __future__ import annotations

from typing import Any

from tests.compat.openai_cases import PIXEL
from tests.compat.provider.anthropic import REDACTED, SIGNATURE, THOUGHT

MODEL = "claude-mock"
BASE: dict[str, Any] = {"max_tokens": 1024}
HELLO = [{"role": "user", "content": "Say hello to Zürich 🚆"}]
KEPT = {"type": "ephemeral"}
WEATHER = {
    "name": "get_weather",
    "description": "Weather of a place",
    "input_schema": {"type": "object", "properties": {"city": {"type": "string"}, "days": {"type": "integer"}}},
}
CLOCK = {
    "name": "get_time",
    "input_schema": {"type": "object", "properties": {"model": {"type": "string"}}},
    "cache_control": KEPT,
}
SEARCH = {"type": "web_search_20250305", "name": "web_search", "max_uses": 3}
THINKING = {"type": "enabled", "budget_tokens": 1024}
SEEN = [
    {
        "role": "user",
        "content": [
            {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PIXEL.split(",")[1]}},
            {"type": "image", "source": {"type": "url", "url": "https://example.com/zug.jpg"}},
            {"type": "text", "text": "What is this?"},
        ],
    }
]
READ = [
    {
        "role": "user",
        "content": [
            {
                "type": "document",
                "source": {"type": "text", "media_type": "text/plain", "data": "The grass is green."},
                "title": "Gräser",
                "citations": {"enabled": True},
                "cache_control": KEPT,
            },
            {"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": "JVBERi0="}},
            {"type": "text", "text": "What colour is the grass?"},
        ],
    }
]
WENT_ON = [
    *HELLO,
    {
        "role": "assistant",
        "content": [
            {"type": "thinking", "thinking": THOUGHT, "signature": SIGNATURE},
            {"type": "redacted_thinking", "data": REDACTED},
            {"type": "tool_use", "id": "toolu_1", "name": "get_weather", "input": {"city": "Zürich", "days": 7}},
        ],
    },
    {
        "role": "user",
        "content": [
            {
                "type": "tool_result",
                "tool_use_id": "toolu_1",
                "content": [{"type": "text", "text": "clear, -1.50°"}],
                "is_error": False,
                "cache_control": KEPT,
            }
        ],
    },
]


def said(text: str) -> list[dict[str, Any]]:
    """One turn of the user."""
    return [{"role": "user", "content": text}]


ASKS: dict[str, dict[str, Any]] = {
    "plain": {"messages": HELLO},
    "system": {"messages": HELLO, "system": "Be terse.", "extra_body": {"temperature": 0.30, "top_k": 5, "top_p": 0.9}},
    "cached system": {
        "messages": HELLO,
        "system": [{"type": "text", "text": "Be terse. " * 30, "cache_control": KEPT}],
    },
    "cached for an hour": {"messages": HELLO, "cache_control": {"type": "ephemeral", "ttl": "1h"}},
    "limit": {"messages": HELLO, "max_tokens": 1},
    "stop sequence": {"messages": HELLO, "stop_sequences": ["\n\nHuman:", "Ende"]},
    "tool": {"messages": HELLO, "tools": [WEATHER], "tool_choice": {"type": "any"}},
    "parallel tools": {"messages": HELLO, "tools": [WEATHER, CLOCK], "tool_choice": {"type": "auto"}},
    "one tool at a time": {
        "messages": HELLO,
        "tools": [WEATHER, CLOCK],
        "tool_choice": {"type": "auto", "disable_parallel_tool_use": True},
    },
    "signed turns": {"messages": WENT_ON, "tools": [WEATHER], "thinking": THINKING, "max_tokens": 2048},
    "thinking": {"messages": HELLO, "thinking": THINKING, "max_tokens": 2048},
    "adaptive thinking": {"messages": HELLO, "thinking": {"type": "adaptive"}, "output_config": {"effort": "high"}},
    "redacted thinking": {"messages": said("redact it"), "thinking": THINKING, "max_tokens": 2048},
    "server tool": {"messages": HELLO, "tools": [SEARCH]},
    "images": {"messages": SEEN},
    "documents": {"messages": READ},
    "refusal": {"messages": said("decline this")},
    "paused turn": {"messages": said("pause now"), "tools": [SEARCH]},
    "unknown block": {"messages": said("show me the future")},
    "tier": {"messages": HELLO, "service_tier": "auto", "metadata": {"user_id": "u-1"}},
    "unknown fields": {
        "messages": HELLO,
        "extra_body": {"x_future": {"deep": [1, {"é": None}]}, "mcp_servers": []},
        "extra_headers": {"X-Custom": "a, b;c=d", "anthropic-beta": "a-2026-01-01,b-2026-02-02"},
        "extra_query": {"flag": "ä b"},
    },
}
BY_HELPER = (
    "plain",
    "parallel tools",
    "thinking",
    "redacted thinking",
    "signed turns",
    "server tool",
    "documents",
    "cached system",
    "refusal",
)
