"""The workers behind model APIs that the conformance suite talks to, and the list of all peers."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from pointsman.ports import Attempt
from pointsman.testing.attempts import RecordingSink
from pointsman.transports.anthropic import AnthropicApi
from pointsman.transports.events import EventReader
from pointsman.transports.model_transport import ModelTransport
from pointsman.transports.openai import OpenAIApi
from tests.answer_streams import anthropic, data, openai, whole
from tests.transports.model_worker import KINDS, STREAM_HEAD
from tests.transports.peers import SLOTS, STREAMS, CallablePeer, HttpPeer, SubprocessPeer, ThreadPeer
from tests.transports.raw_server import Talk


class ModelPeer(HttpPeer):
    """A server of a model API, asked with native messages."""

    cannot = frozenset({"json"})
    protocol = "openai"

    def __init__(self) -> None:
        super().__init__()
        self._seen = asyncio.Semaphore(0)

    def connect(self, url: str) -> ModelTransport:
        return KINDS[self.protocol](url, model="m", max_in_flight=SLOTS)

    async def go_on(self) -> None:
        self._seen.release()

    def shown(self, sink: RecordingSink) -> str:
        return super().shown(sink).rstrip()

    def asked(self, body: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        assert body["model"] == "m"
        return body["messages"][-1]["content"], body

    def text(self, text: str) -> Any:
        return json.loads(whole(self.protocol, text, self._said()))

    def explained(self, words: str) -> Any:
        return {"error": {"message": words, "type": "error"}}

    def _said(self) -> Any:
        return {"prompt_tokens": 3, "completion_tokens": 1, "input_tokens": 3, "output_tokens": 1}

    async def _do(self, talk: Talk, do: str, say: str, params: dict[str, Any]) -> None:
        if do not in STREAMS:
            await super()._do(talk, do, say, params)
            return
        cut = do != "stream"
        words = [say] if cut else [word + " " * (place < 2) for place, word in enumerate(say.split())]
        if self.protocol == "openai":
            events = openai(*words, **({} if cut else {"usage": self._said()}), end=not cut)
        else:
            events = anthropic(*words, start=self._said(), last=None if cut else self._said(), end=not cut)
        talk.send(STREAM_HEAD)
        for word in words:
            at = events.index(word.rstrip().encode())
            after = events.index(b"\n\n", at) + 2
            talk.send(b"%x\r\n%b\r\n" % (after, events[:after]))
            events = events[after:]
            await self._seen.acquire()
        await self._end_stream(talk, do, events)

    async def _end_stream(self, talk: Talk, do: str, rest: bytes) -> None:
        error = data({"type": "error", "error": {"message": "gone"}})
        match do:
            case "stream_break":
                talk.close()
                return
            case "stream_hang":
                await talk.closed()
                self.left.add()
                return
        rest = error if do == "stream_error" else rest
        talk.send((b"%x\r\n%b\r\n" % (len(rest), rest) if rest else b"") + b"0\r\n\r\n")


class OpenAIPeer(ModelPeer):
    """A server of chat completions, asked with native messages."""


class AnthropicPeer(ModelPeer):
    """A server of messages, asked with native messages."""

    protocol = "anthropic"


class RelayPeer(ModelPeer):
    """A server of chat completions, asked with a compatible client's own bytes."""

    garbage = b"220 mail.example.com ESMTP\r\n"

    def dress(self, attempt: Attempt) -> None:
        message = attempt.envelope.message
        turns = [{"role": "user", "content": message.text}]
        request = {"messages": turns, "model": "auto", "stream": message.stream, **message.params}
        attempt.envelope.protocol = self.protocol
        attempt.envelope.body = json.dumps(request).encode()

    def reply(self, sink: RecordingSink) -> Any:
        assert sink.status == 200
        media = dict(sink.headers)["content-type"]
        if media.startswith("text/event-stream"):
            return {"text": self.shown(sink)}
        assert media == "application/json"
        body = json.loads(sink.body)
        return {"text": body["choices"][0]["message"]["content"] if "choices" in body else body["content"][0]["text"]}

    def shown(self, sink: RecordingSink) -> str:
        api = OpenAIApi() if self.protocol == "openai" else AnthropicApi()
        events = EventReader().feed(sink.body)
        return "".join(api.tell_event(event).text for event in events).rstrip()


class AnthropicRelayPeer(RelayPeer):
    """The same in the other protocol."""

    protocol = "anthropic"


PEERS: list[Any] = [
    HttpPeer,
    OpenAIPeer,
    AnthropicPeer,
    RelayPeer,
    AnthropicRelayPeer,
    SubprocessPeer,
    CallablePeer,
    ThreadPeer,
]
