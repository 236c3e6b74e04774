"""Exceptions: a stable code each, an HTTP status, whether to try again, and words."""

from __future__ import annotations

import pytest

from pointsman.model import errors
from pointsman.model.errors import DeliveryError, PointsmanError, RefusedError, SettingsError
from pointsman.model.outcome import Refusal, Refused

ALL = sorted(
    (
        found
        for found in vars(errors).values()
        if isinstance(found, type) and issubclass(found, PointsmanError) and found is not PointsmanError
    ),
    key=lambda one: one.__name__,
)

RETRYABLE = {
    errors.EngineUnavailable,
    errors.LedgerUnusable,
    errors.LegacyUnreachable,
    errors.RecordUnusable,
}


@pytest.mark.parametrize("kind", ALL)
def test_each_has_a_code_of_its_own_and_a_status(kind: type[PointsmanError]) -> None:
    """Lower case, not that of another one; the status is an error's."""
    assert kind.code == kind.code.lower()
    assert [other for other in ALL if other.code == kind.code] == [kind]
    assert 400 <= kind.http_status <= 599
    assert kind.__doc__


@pytest.mark.parametrize("kind", ALL)
def test_only_what_may_help_is_to_be_tried_again(kind: type[PointsmanError]) -> None:
    """A wrong call stays wrong."""
    assert kind.retryable is (kind in RETRYABLE)


def test_settings_errors_hold_every_mistake() -> None:
    """One line each, in the order in which they were found; the list is a copy."""
    mistakes = ["a: one", "b: two"]
    error = SettingsError(mistakes)
    mistakes.append("c: three")
    assert error.mistakes == ["a: one", "b: two"]
    assert str(error) == "a: one\nb: two"


@pytest.mark.parametrize("reason", [Refusal.INVALID, Refusal.RATE_LIMITED])
def test_a_refusal_as_an_exception_says_the_same(reason: Refusal) -> None:
    """Its code is the reason, and whether to come again is kept."""
    refused = Refused(reason, "too much", 2.0)
    error = RefusedError(refused)
    assert (error.refused, error.code, error.retryable) == (refused, reason.value, refused.retryable)
    assert str(error) == f"{reason.value}: too much"


def test_a_delivery_error_names_message_and_end() -> None:
    """So that whoever logs it can look it up."""
    error = DeliveryError("m1", "expired", "too late")
    assert (error.message_id, error.status, str(error)) == ("m1", "expired", "message m1 ended expired: too late")
