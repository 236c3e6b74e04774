"""The same code twice: against the provider itself, and through the router. Only the base URL differs."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

from tests.compat.provider.plan import Plan
from tests.compat.provider.server import Provider, Seen
from tests.compat.router import Running

T = TypeVar("T")
SHOWN = 1_000
_NOTHING = "(nothing)"

NOT_PASSED = frozenset(
    {"accept-encoding", "connection", "host", "te", "traceparent", "transfer-encoding", "content-length"}
)
"""Request headers that belong to one connection, or that the router says itself."""

NEVER_PASSED = ("connection", "cookie", "x-pointsman-")


@dataclass
class Sides:
    """A provider, and a router in front of it."""

    provider: Provider
    router: Running

    def compare(self, case: Callable[[str], T], *plans: Plan, always: Plan | None = None, same: bool = True) -> T:
        """Run a case on both sides; return what both came to.

        Args:
            case: is given the URL of a server, and returns plain values.
            *plans: how the provider answers the first requests of each side.
            always: how it answers all others.
            same: the provider must also have been sent the same requests.
        """
        results: list[T] = []
        requests: list[list[Seen]] = []
        for url in (self.provider.url, self.router.url):
            self._prepare(plans, always)
            results.append(case(url))
            requests.append(list(self.provider.seen))
        return self._check(results, requests, same)

    async def compare_async(
        self, case: Callable[[str], Awaitable[T]], *plans: Plan, always: Plan | None = None, same: bool = True
    ) -> T:
        """Do the same with a case that is a coroutine function."""
        results: list[T] = []
        requests: list[list[Seen]] = []
        for url in (self.provider.url, self.router.url):
            self._prepare(plans, always)
            results.append(await case(url))
            requests.append(list(self.provider.seen))
        found = self._check(results, requests, same)
        await asyncio.sleep(0)
        return found

    def _prepare(self, plans: tuple[Plan, ...], always: Plan | None) -> None:
        self.provider.reset()
        self.provider.play(*plans)
        self.provider.always(always)

    def _check(self, results: list[T], requests: list[list[Seen]], same: bool) -> T:
        direct, routed = results
        if routed != direct:
            raise AssertionError(
                "\n".join(["not the same through the router:", *differences(direct, routed, "result")])
            )
        sent, passed = ([essence(seen) for seen in side] for side in requests)
        if same and passed != sent:
            raise AssertionError("\n".join(["not the same at the provider:", *differences(sent, passed, "request")]))
        return direct


def essence(seen: Seen) -> tuple[str, list[tuple[str, str]], bytes]:
    """Return what must be the same of a request, whichever way it came."""
    return seen.line, sorted(field for field in seen.fields if field[0] not in NOT_PASSED), seen.body


def differences(direct: Any, routed: Any, where: str) -> Iterator[str]:
    """Yield where two values differ, and how."""
    if isinstance(direct, dict) and isinstance(routed, dict):
        for key in [*direct, *(key for key in routed if key not in direct)]:
            yield from differences(direct.get(key, _NOTHING), routed.get(key, _NOTHING), f"{where}.{key}")
    elif isinstance(direct, list | tuple) and isinstance(routed, list | tuple) and len(direct) == len(routed):
        for place, (one, other) in enumerate(zip(direct, routed, strict=True)):
            yield from differences(one, other, f"{where}[{place}]")
    elif direct != routed:
        yield f"{where}: directly {str(direct)[:SHOWN]!r}, through the router {str(routed)[:SHOWN]!r}"
