"""What a sender learns: its end, the reply where there is one, and an error where it asks for one in vain."""

from __future__ import annotations

import pytest

from pointsman.model.errors import DeliveryError
from pointsman.model.outcome import Reply
from pointsman.model.result import Result
from pointsman.model.states import ENDS, Status


@pytest.mark.parametrize("status", Status)
def test_only_an_end_is_an_end_and_only_delivered_is_delivered(status: Status) -> None:
    """Whatever else is known of it."""
    result = Result("x", status)
    assert result.ended is (status in ENDS)
    assert result.delivered is (status is Status.DELIVERED)


def test_the_text_is_the_replys() -> None:
    """Of a message that was delivered."""
    assert Result("x", Status.DELIVERED, Reply(value={"text": "done"})).text == "done"


@pytest.mark.parametrize(
    ("result", "words"),
    [
        (Result("x", Status.DEAD, Reply(value="no"), detail="used up"), "message x ended dead: used up"),
        (Result("x", Status.DELIVERED), "there is no reply"),
        (Result("x", Status.LEASED), "there is no reply"),
    ],
)
def test_there_is_no_text_without_a_delivery(result: Result, words: str) -> None:
    """The error names message and end; a worker's error body is no answer."""
    with pytest.raises(DeliveryError, match=words) as error:
        _ = result.text
    assert (error.value.message_id, error.value.status) == ("x", result.status)
