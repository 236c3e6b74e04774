"""One shape: what a client sends and what the provider answers, to the byte."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from tests.compat.provider.plan import Field, Plan

MODEL = b"@MODEL@"
"""Stands where the top-level `model` has its value, quotes included."""

Protocol = Literal["openai", "anthropic"]


@dataclass(frozen=True)
class Shape:
    """A request and its answer.

    Attributes:
        name: what is odd about it; unique.
        protocol: whose language it is.
        body: of the request, with `MODEL` in it.
        plan: the answer.
        path: where it is sent.
        fields: header lines of the request that must reach the provider.
    """

    name: str
    protocol: Protocol
    body: bytes
    plan: Plan
    path: str
    fields: tuple[Field, ...] = ()

    def with_model(self, name: str) -> bytes:
        """Return the request's body with this model."""
        return self.body.replace(MODEL, b'"%b"' % name.encode())
