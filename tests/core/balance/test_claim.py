"""One balancer at a time."""

from __future__ import annotations

import pytest

from pointsman.core.balance.claim import claim, release
from pointsman.model.errors import UsageError
from tests.core.balance.fleet import loads


def test_a_load_has_one_owner_until_it_is_released():
    """The first claim is new, the second is not, another's is refused, and only the owner can release."""
    (load,), first, second = loads(1), object(), object()
    assert claim(load, first)
    assert not claim(load, first)
    with pytest.raises(UsageError, match="w0 is in the hands of another balancer"):
        claim(load, second)
    assert not release(load, second)
    assert load.owner is first
    assert release(load, first)
    assert not release(load, first)
    assert claim(load, second)
