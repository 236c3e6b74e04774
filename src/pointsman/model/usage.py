"""What a worker used up for one answer, in tokens, and what is expected of one: one measure for all providers."""

from __future__ import annotations

import msgspec


class Usage(msgspec.Struct, frozen=True, gc=False):
    """Tokens of one answer. Shares never exceed their whole.

    Attributes:
        input_tokens: all input tokens, cached and newly cached ones included.
        cached_input_tokens: of these, the ones read from the provider's prompt cache.
        cache_write_tokens: of these, the ones written to it.
        output_tokens: all output tokens, reasoning included.
        estimated: counted by us from bytes, because the provider did not say, or the answer was cut short.
    """

    input_tokens: int = 0
    cached_input_tokens: int = 0
    cache_write_tokens: int = 0
    output_tokens: int = 0
    estimated: bool = False

    @property
    def tokens(self) -> int:
        """Input and output together."""
        return self.input_tokens + self.output_tokens

    def plus(self, other: Usage) -> Usage:
        """Return both together."""
        return Usage(
            self.input_tokens + other.input_tokens,
            self.cached_input_tokens + other.cached_input_tokens,
            self.cache_write_tokens + other.cache_write_tokens,
            self.output_tokens + other.output_tokens,
            self.estimated or other.estimated,
        )


class Estimate(msgspec.Struct, frozen=True, gc=False):
    """What a message is expected to take, before it is sent: rather too much than too little.

    Attributes:
        input_tokens: from the bytes of the message.
        output_tokens: the most it asks for, or `costs.output_tokens`.
        money: at the dearest price that may come to count; None where there is no price.
    """

    input_tokens: int
    output_tokens: int
    money: float | None = None

    @property
    def tokens(self) -> int:
        """Input and output together."""
        return self.input_tokens + self.output_tokens
