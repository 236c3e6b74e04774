"""What every transport must do, as cases that each one runs: the meaning of `ports.Transport`, executable.

A case sends messages through a transport and looks at outcome and reply. What the worker at the other end does is
told in the message itself, `params["do"]`; a `Peer` per transport makes such a worker and says which of these deeds it
cannot show. The cases wait for events only and never sleep.

    for case in CASES:
        if not case.needs & MyPeer.cannot:
            async with MyPeer() as peer:
                await run_case(case, peer)

Idea: riverqueue/river `riverdrivertest`, one library of cases that every driver runs.
"""

from __future__ import annotations

from pointsman.testing.transport_suite import answers, streams
from pointsman.testing.transport_suite.bench import CASE_S, CASES, DEEDS, Case, Peer, run_case

TOPICS = (answers, streams)
"""The cases by topic, in reading order; importing them is what fills `CASES`."""

__all__ = ["CASES", "CASE_S", "DEEDS", "TOPICS", "Case", "Peer", "run_case"]
