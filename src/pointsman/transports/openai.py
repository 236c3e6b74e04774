"""Workers that speak the OpenAI protocol: chat completions and embeddings.

So do vLLM, SGLang, llama.cpp, Ollama and most public APIs.
"""

from __future__ import annotations

from typing import Any

import msgspec

from pointsman.core.usage import Figures, openai_figures
from pointsman.ports import Attempt
from pointsman.transports.link import TokenStyle
from pointsman.transports.model_api import Piece, read_usage
from pointsman.transports.model_transport import ModelTransport

_EMBEDDINGS = "/embeddings"


class _Message(msgspec.Struct):
    content: str | None = None


class _Choice(msgspec.Struct):
    message: _Message


class _Completion(msgspec.Struct):
    choices: list[_Choice]
    model: str | None = None
    usage: Any = None


class _Whole(msgspec.Struct):
    choices: list[msgspec.Raw]
    usage: Any = None


class _Embeddings(msgspec.Struct):
    data: list[msgspec.Raw]
    usage: Any = None


class _ChunkChoice(msgspec.Struct):
    index: int = 0
    delta: _Message | None = None


class _Chunk(msgspec.Struct):
    choices: list[_ChunkChoice] | None = None
    model: str | None = None


_completions = msgspec.json.Decoder(_Completion)
_wholes = msgspec.json.Decoder(_Whole)
_embeddings = msgspec.json.Decoder(_Embeddings)
_chunks = msgspec.json.Decoder(_Chunk)
_UNREADABLE = (ValueError, RecursionError, IndexError, msgspec.DecodeError)


class OpenAIApi:
    """See `ModelApi`. A base URL is `.../v1`; one without a path means `/v1`."""

    protocol = "openai"
    main = "/chat/completions"
    token_style: TokenStyle = "bearer"
    headers: tuple[tuple[str, str], ...] = ()

    def prefix(self, path: str) -> str:
        """Complete a URL without a path."""
        return "" if path else "/v1"

    def ask(self, attempt: Attempt) -> dict[str, Any]:
        """Ask for a completion; of a streamed one, for an account at its end too."""
        message = attempt.envelope.message
        text = message.text if message.text is not None else attempt.envelope.ask
        request = {**message.params}
        request["messages"] = message.messages or [{"role": "user", "content": text}]
        request["stream"] = message.stream
        if message.stream:
            request.setdefault("stream_options", {"include_usage": True})
        return request

    def read_whole(self, endpoint: str, body: bytes) -> Figures:
        """Read a completion, or a list of embeddings, which is all input."""
        if endpoint.partition("?")[0] == _EMBEDDINGS:
            try:
                return openai_figures(read_usage(_embeddings, "data", body))._replace(output=0)
            except ValueError as error:
                raise ValueError(f"expected embeddings, got ({error})") from None
        try:
            return openai_figures(read_usage(_wholes, "choices", body))
        except ValueError as error:
            raise _no_completion(error) from None

    def tell_whole(self, body: bytes) -> dict[str, Any]:
        """Tell the text of the first choice."""
        try:
            completion = _completions.decode(body)
            text = completion.choices[0].message.content or ""
        except _UNREADABLE as error:
            raise _no_completion(error) from None
        return {"text": text, "usage": completion.usage, "model": completion.model}

    def tell_event(self, data: bytes) -> Piece:
        """Tell what a chunk adds to the text of the first choice."""
        if data == b"[DONE]":
            return Piece()
        try:
            chunk = _chunks.decode(data)
        except _UNREADABLE as error:
            raise ValueError(f"expected a chunk of a chat completion, got ({error})") from None
        texts = [one.delta.content for one in chunk.choices or () if one.delta and not one.index]
        return Piece("".join(text for text in texts if text), chunk.model)


def _no_completion(error: Exception) -> ValueError:
    return ValueError(f"expected a chat completion with a choice, got ({error})")


class OpenAITransport(ModelTransport):
    """A worker that speaks the OpenAI protocol."""

    _api = OpenAIApi()
