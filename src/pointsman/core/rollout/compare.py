"""Decides what two decisions about one message come to: the old router's, as far as it was heard, and the candidate's.

Which messages are compared, and what becomes of the answer, is decided in `runtime.shadow`.

Words after Diffy and GitHub Scientist (`control`, `candidate`, mismatch, both raised). A worker is compared by whether
the candidate might have chosen it: with several that are equally free the choice is chance, and two routers that
agree in everything would still differ in most messages.
"""

from __future__ import annotations

from typing import NamedTuple


class Heard(NamedTuple):
    """What the old router made of a message.

    Attributes:
        ok: it answered, and with no error of its own.
        message_class: the class it says it chose; None where it does not say.
        worker: the same for the worker.
    """

    ok: bool
    message_class: str | None = None
    worker: str | None = None


class Decided(NamedTuple):
    """What the candidate would have made of it.

    Attributes:
        ok: it would have accepted the message; false for every refusal, and where deciding itself failed.
        message_class: its class, or empty where it came no further than a refusal before that.
        same_worker: the worker that the old router named is one it might have chosen; None where none was named.
        reason: why it would not have accepted the message: a `Refusal`, or the kind of a fault. Empty where it would.
        cause: what decided the class: `hint`, `pin`, `rule`, `model`, `abstain`; empty where nothing did.
        confidence: of the class, 0..1.
    """

    ok: bool
    message_class: str = ""
    same_worker: bool | None = None
    reason: str = ""
    cause: str = ""
    confidence: float = 0.0


def compare(heard: Heard, decided: Decided) -> str:
    """Return which of `model.rollout.DIFFERENCES` it is.

    A class is compared only where the old router says its own; then its worker, where it says that. One that says
    neither is `uncompared`, unless one of the two made an error.
    """
    if not heard.ok:
        return "legacy_error_only" if decided.ok else "both_error"
    if not decided.ok:
        return "candidate_error_only"
    if heard.message_class is not None and heard.message_class != decided.message_class:
        return "class_mismatch"
    if decided.same_worker is False:
        return "worker_mismatch"
    return "uncompared" if heard.message_class is None and decided.same_worker is None else "match"
