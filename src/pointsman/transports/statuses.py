"""What an HTTP status of 300 or more says: whose fault it is, and whether the worker can have begun.

Decides by status, and where the same status has two causes by the worker's words. Puts nothing into words itself; that
and the reply to the sender are the business of `failures`.

A worker is at fault for what its settings say of it: the key it is sent, the model it is asked for, its address. That
counts against it, and another worker may do. It is different where the key is the sender's own (`passthrough`): then
what the provider says of that key, its limits included, is about this sender, and nobody else must suffer for it.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from pointsman.model.outcome import Failure

BUSY: Final = frozenset({429, 503, 529})
"""Come again later. 529 is Anthropic's word for an overload of its own."""

_KEY: Final = frozenset({401, 402, 403})
_AGAIN: Final = frozenset({408, 409, 425})
"""Statuses below 500 that the official clients try again."""

_USED_UP: Final = (b"insufficient_quota", b"enforced_spend_limit_reached")
"""A 429 of OpenAI or Anthropic that no waiting helps against: there is no money left on the account."""


class Verdict(NamedTuple):
    """What a status means.

    Attributes:
        reason: whose fault.
        sent: the worker may have begun.
        about_key: it is about a key of ours, which its words may quote: they are for nobody.
    """

    reason: Failure
    sent: bool = True
    about_key: bool = False


def judge_webhook(status: int) -> Verdict:
    """Return what a status of a plain JSON worker means."""
    if status in BUSY:
        return Verdict(Failure.WORKER_BUSY, sent=False)
    if status in {401, 407}:
        return Verdict(Failure.WORKER_ERROR, sent=False, about_key=True)
    return Verdict(Failure.MESSAGE_FAULT if 400 <= status < 500 else Failure.WORKER_ERROR)


def judge_model_api(status: int, body: bytes, *, model: str, senders_key: bool, is_main: bool) -> Verdict:
    """Return what a status of a model API means.

    Args:
        status: 300 or more.
        body: the worker's words.
        model: what it was asked for.
        senders_key: it was given the key of the sender.
        is_main: it was asked for what each such worker can do, as opposed to embeddings and the like.
    """
    if status in _KEY or (status == 429 and any(mark in body for mark in _USED_UP)):
        return Verdict(Failure.MESSAGE_FAULT) if senders_key else _misconfigured(about_key=status != 429)
    if status == 407:
        return _misconfigured(about_key=True)
    if status in BUSY:
        if status == 429 and senders_key:
            return Verdict(Failure.MESSAGE_FAULT)
        return Verdict(Failure.WORKER_BUSY, sent=False)
    if status in {404, 405}:
        at_fault = _lacks_model(body, model) or (is_main and b'"error"' not in body)
        return _misconfigured() if at_fault and not senders_key else Verdict(Failure.MESSAGE_FAULT)
    if status < 400 or status in _AGAIN:
        return Verdict(Failure.WORKER_ERROR)
    return Verdict(Failure.MESSAGE_FAULT if status < 500 else Failure.WORKER_ERROR)


def _misconfigured(*, about_key: bool = False) -> Verdict:
    return Verdict(Failure.WORKER_ERROR, sent=False, about_key=about_key)


def _lacks_model(body: bytes, model: str) -> bool:
    """Whether a 404 is about the model that the worker's settings name, and not about something in the message."""
    if b"model_not_found" in body:
        return True
    return bool(model) and re.search(rb"(?<![\w-])" + re.escape(model.encode()) + rb"(?![\w-])", body) is not None
