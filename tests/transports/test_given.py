from __future__ import annotations

import pytest

from pointsman.model.errors import UsageError
from pointsman.transports.given import check_workers


def work(of: dict) -> str:
    """A worker."""
    return str(of)


def test_functions_by_pool_and_id_are_workers():
    """Also none at all."""
    check_workers({})
    check_workers({"coders": {"coder-1": work, "coder_2": work}, "planners": {}})


@pytest.mark.parametrize(
    ("workers", "why"),
    [
        ([work], "by pool and id"),
        ({"coders": [work]}, "by pool and id"),
        ({"coders": {"": work}}, "names no pool or worker"),
        ({"co ders": {"a": work}}, "'co ders' names no pool or worker"),
        ({1: {"a": work}}, "names no pool or worker"),
        ({"coders": {"a": "work"}}, "must be a function, got 'work'"),
    ],
)
def test_anything_else_is_said(workers, why):
    """With what was expected."""
    with pytest.raises(UsageError, match=why):
        check_workers(workers)
