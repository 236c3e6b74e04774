"""How large a message is that nobody has looked at yet. Who answers it is tested in `tests/test_embedded_legacy.py`."""

from __future__ import annotations

from typing import Any

import pytest

from pointsman.model.message import Message
from pointsman.runtime.beside import size_of

MOST = 1_000_000


def test_texts_count_by_their_length_wherever_they_stand() -> None:
    """In the text itself, in a chat list, in keys and values of metadata and parameters."""
    nothing = size_of(Message(), MOST)
    for message in (
        Message(text="x" * 5000),
        Message(messages=[{"role": "user", "content": [{"type": "text", "text": "x" * 5000}]}]),
        Message(metadata={"x" * 5000: None}),
        Message(params={"a": {"b": ["x" * 5000]}}),
        Message(metadata={"a": b"x" * 5000}),
    ):
        assert 5000 <= size_of(message, MOST) - nothing <= 5000 + 1000


@pytest.mark.parametrize("wide", [[0] * 100_000, tuple(range(100_000)), dict.fromkeys(range(100_000))])
def test_what_is_wide_is_too_large_without_being_counted(wide: Any) -> None:
    """The answer is exact: nothing of it was looked at."""
    assert size_of(Message(metadata={"wide": wide}), MOST) == MOST + 1


def test_what_has_no_end_is_too_large() -> None:
    """A value may contain itself."""
    endless: list[Any] = []
    endless.extend([endless, endless])
    assert size_of(Message(metadata={"endless": endless}), MOST) > MOST


def test_objects_of_any_kind_have_a_size() -> None:
    """And none of their own code is run."""

    class Odd(str):
        __slots__ = ()

        def __len__(self) -> int:
            raise ValueError

    assert size_of(Message(text=object(), metadata={"odd": Odd("x")}), MOST) > 0  # type: ignore[arg-type]
