"""Every transport against the one suite of cases."""

from __future__ import annotations

from typing import Any

import pytest

from pointsman.testing.transport_suite import CASES, Case, run_case
from tests.transports.model_peers import PEERS

PAIRS: list[tuple[Any, Case]] = [(peer, case) for peer in PEERS for case in CASES if not case.needs & peer.cannot]


@pytest.mark.real_loop(timeout_s=30)
@pytest.mark.parametrize(("peer", "case"), PAIRS, ids=[f"{peer.__name__}-{case.name}" for peer, case in PAIRS])
async def test_each_transport_does_what_the_suite_says(peer: Any, case: Case) -> None:
    """The case's name and docstring are the fact."""
    async with peer.make() as made:
        await run_case(case, made)
