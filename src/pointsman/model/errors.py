"""Exceptions: for faults and wrong use only. Refusals and failures are values, see `model.outcome`.

Each class has a stable `code`, says whether the same call may be tried again, and the HTTP status that a surface
answers with. Message texts say what was wrong, what was expected and what to do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pointsman.model.outcome import Refused


class PointsmanError(Exception):
    """Root of everything we raise on purpose."""

    code: str = "internal"
    retryable: bool = False
    http_status: int = 500


class UsageError(PointsmanError):
    """The caller used the library in a way that cannot work."""

    code = "usage"
    http_status = 400


class NotFound(PointsmanError):
    """There is no such message, worker, pool or queue here."""

    code = "not_found"
    http_status = 404


class Forbidden(PointsmanError):
    """It is another's, and only its owner may."""

    code = "not_yours"
    http_status = 403


class UnknownClass(PointsmanError):
    """No class is called so."""

    code = "unknown_class"
    http_status = 422


class Conflict(PointsmanError):
    """What was asked contradicts the state things are in, such as cancelling a message that has ended."""

    code = "conflict"
    http_status = 409


class Locked(Conflict):
    """A rollout was rolled back and nobody has acknowledged it, or a kill switch holds everything at the legacy."""

    code = "rollout_locked"


class TooEarly(Conflict):
    """A stage of a rollout has not lasted as long as it must; the text says when it may be left."""

    code = "rollout_too_early"


class SettingsError(PointsmanError):
    """Settings that cannot be used. Holds every mistake found, not only the first.

    Attributes:
        mistakes: one readable line each, with file, line, key, what was got and what was expected.
    """

    code = "settings"
    http_status = 422

    def __init__(self, mistakes: list[str]) -> None:
        self.mistakes = list(mistakes)
        super().__init__("\n".join(self.mistakes))


class RefusedError(PointsmanError):
    """Convenience for callers who prefer an exception to a `Refused` value."""

    code = "refused"
    http_status = 422

    def __init__(self, refused: Refused) -> None:
        self.refused = refused
        self.code = refused.reason.value
        self.retryable = refused.retryable
        super().__init__(f"{refused.reason.value}: {refused.detail}")


class DeliveryError(PointsmanError):
    """Convenience: the message was accepted, but ended otherwise than `delivered`.

    Attributes:
        message_id: the message it is about.
        status: `failed`, `dead`, `expired` or `cancelled`.
    """

    code = "not_delivered"
    http_status = 502

    def __init__(self, message_id: str, status: str, detail: str) -> None:
        self.message_id = message_id
        self.status = status
        super().__init__(f"message {message_id} ended {status}: {detail}")


class EngineError(PointsmanError):
    """The engine could not do what was asked; nothing is known to have changed."""

    code = "engine"
    http_status = 503


class EngineUnavailable(EngineError):
    """The engine cannot be reached or is shutting down; try again."""

    code = "unavailable"
    retryable = True


class LeaseLost(EngineError):
    """The lease ran out, was cancelled or was superseded; what came of that attempt no longer counts."""

    code = "lease_lost"
    http_status = 409


class LedgerUnusable(PointsmanError):
    """What is spent cannot be written down, so nothing more may be spent of a budget."""

    code = "ledger_unusable"
    retryable = True
    http_status = 503


class RecordUnusable(PointsmanError):
    """A step of a rollout cannot be written down, so it was not taken; a rollback holds all the same."""

    code = "record_unusable"
    retryable = True
    http_status = 503


class LegacyFault(PointsmanError):
    """The old router gave no answer, or none that is whole; what kind of none, its subclasses say."""

    code = "legacy_fault"
    http_status = 502


class LegacyUnreachable(LegacyFault):
    """No connection to it came about, so it has seen nothing."""

    code = "legacy_unreachable"
    retryable = True


class LegacyTimeout(LegacyFault):
    """It was silent for too long, or did not take the request."""

    code = "legacy_timeout"
    http_status = 504


class LegacyClosed(LegacyFault):
    """It closed the connection before its answer was whole."""

    code = "legacy_closed"


class LegacyGarbage(LegacyFault):
    """What it sent is no answer."""

    code = "legacy_garbage"
