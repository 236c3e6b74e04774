"""Folding layers around a leaf. The order is the reading order: the first layer of the tuple sees a message first.

Idea: tower-rs/tower (a layer maps a service to a service) and Finagle's StackClient (one literal, justified list).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

Request = TypeVar("Request")
Answer = TypeVar("Answer")


def build(
    layers: Sequence[Callable[[Callable[[Request], Awaitable[Answer]]], Callable[[Request], Awaitable[Answer]]]],
    leaf: Callable[[Request], Awaitable[Answer]],
) -> Callable[[Request], Awaitable[Answer]]:
    """Return `leaf` wrapped in `layers`, the first one outermost. With no layers it is `leaf` itself."""
    service = leaf
    for layer in reversed(layers):
        service = layer(service)
    return service


def position(layer: object) -> str:
    """Return the "Position:" sentence of a layer or leaf, which says why it stands where it stands.

    Raises:
        ValueError: its docstring has none; a test keeps that from shipping.
    """
    text = " ".join((type(layer).__doc__ or "").split())
    _, found, reason = text.partition("Position: ")
    if not found:
        raise ValueError(f"{type(layer).__name__} does not say its position")
    return reason
