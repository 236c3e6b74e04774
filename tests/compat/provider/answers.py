"""Which answer a request gets where the test planned none: by its path, as the real providers would."""

from __future__ import annotations

import hashlib

from tests.compat.provider import anthropic, openai
from tests.compat.provider.plan import JSON, Plan, json_plan
from tests.compat.provider.server import Provider, Seen


def answer(provider: Provider, seen: Seen) -> Plan:
    """Answer a request. Ids are made of the body, so that equal ids prove that the same bytes came."""
    key = hashlib.sha256(seen.body).hexdigest()[:20]
    path = seen.target.partition("?")[0]
    if seen.line.startswith("GET /v1/models"):
        return openai.list_models(key)
    if seen.header("content-type") != JSON or not seen.line.startswith("POST "):
        return openai.error(400)
    ask = seen.json
    if path == "/v1/chat/completions":
        return openai.complete(ask, key, provider.prompts.take(openai.prompt(ask)))
    if path == "/v1/embeddings":
        return openai.embed(ask, key)
    if path == "/v1/messages/count_tokens":
        return anthropic.count_tokens(ask, key)
    if path == "/v1/messages":
        tokens = provider.prompts.take(anthropic.prompt(ask))
        return anthropic.answer(ask, key, tokens)
    return json_plan({"error": {"message": f"nothing at {path}", "type": "invalid_request_error"}}, 404)


def provider() -> Provider:
    """Return a provider, not started yet, that answers as the real ones."""
    return Provider(answer)
