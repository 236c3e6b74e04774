"""When a rollout goes back by itself: the share of bad messages among the last ones of the candidate is too large.

Two gates, `error` and `slow`, over one window of the last outcomes. A gate fails when the window holds enough messages,
more than the allowed share of them are bad, and this is no matter of one client: enough clients have seen bad messages,
and whichever single client one leaves out, the share is still too large. Where only this last part is missing the
verdict is `hold`: nothing is rolled back, and somebody should look. Where one client is enough by the settings, none of
this last part is asked.

Which events count, and as what, is decided in `outcomes`; what follows from a failure, in `runtime.rollout.conductor`.

This is the simple form. A sequential test (an error budget score against the legacy as control, study "rollout", 2.4)
takes the place of this class behind the same three methods: `observe`, `verdicts`, `use`.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, NamedTuple

from pointsman.model.rollout import Verdict

if TYPE_CHECKING:
    from pointsman.model.settings_operations import GuardSettings


Evidence = dict[str, float | int | str]
"""Figures by name."""


class Seen(NamedTuple):
    """What came of one message of the candidate: whose it was, whether it went wrong, how long the router took."""

    client: str
    bad: bool
    overhead_s: float = 0.0


class _Gate:
    """Bad messages of one gate in the window, by client."""

    __slots__ = ("bad", "by_client", "limit", "name")

    def __init__(self, name: str, limit: float) -> None:
        self.name = name
        self.limit = limit
        self.bad = 0
        self.by_client: dict[str, int] = {}

    def count(self, client: str, by: int) -> None:
        self.bad += by
        _add(self.by_client, client, by)


class Guard:
    """Judges the last messages of the candidate. Each costs the same, however long the window.

    Args:
        settings: the rules.
    """

    def __init__(self, settings: GuardSettings) -> None:
        self._settings = settings
        self._window: deque[Seen] = deque()
        self._clients: dict[str, int] = {}
        self._gates = _gates(settings)

    def use(self, settings: GuardSettings) -> None:
        """Judge by other rules from now on; what was seen is judged again."""
        kept = list(self._window)
        self._settings = settings
        self.forget()
        for seen in kept[-settings.window :]:
            self._take(seen, 1)

    def forget(self) -> None:
        """Begin with an empty window."""
        self._window.clear()
        self._clients.clear()
        self._gates = _gates(self._settings)

    def observe(self, seen: Seen) -> Verdict | None:
        """Take in what came of one more message; returns the verdict of a gate that fails by it, or None."""
        if len(self._window) >= self._settings.window:
            self._take(self._window.popleft(), -1, leaves=True)
        self._take(seen, 1)
        messages = len(self._window)
        for gate in self._gates:
            # A product and a comparison for each message; the rest only where something is wrong.
            if gate.bad > gate.limit * messages:
                verdict = self._judge(gate)
                if verdict.verdict == "fail":
                    return verdict
        return None

    def verdicts(self) -> list[Verdict]:
        """Return how each gate stands."""
        return [self._judge(gate) for gate in self._gates]

    def _take(self, seen: Seen, by: int, *, leaves: bool = False) -> None:
        if not leaves:
            self._window.append(seen)
        _add(self._clients, seen.client, by)
        error, slow = self._gates
        if seen.bad:
            error.count(seen.client, by)
        if seen.overhead_s > self._settings.slow_s:
            slow.count(seen.client, by)

    def _judge(self, gate: _Gate) -> Verdict:
        messages, bad = len(self._window), gate.bad
        share = bad / messages if messages else None
        verdict, detail = self._words(gate, messages, bad)
        return Verdict(
            gate=gate.name,
            verdict=verdict,
            observed_share=share,
            limit_share=gate.limit,
            messages=messages,
            bad=bad,
            clients=len(self._clients),
            detail=detail,
        )

    def _words(self, gate: _Gate, messages: int, bad: int) -> tuple[str, str]:
        """Return the verdict of a gate and a sentence."""
        least, limit = self._settings.min_messages, gate.limit
        what = "went wrong" if gate.name == "error" else f"took over {self._settings.slow_s:g} s of the router's own"
        if messages < least:
            return "no_data", f"{messages} of the {least} messages that a verdict takes"
        said = f"{bad} of the last {messages} messages {what}, {bad / messages:.2%}; the limit is {limit:.2%}"
        if bad <= limit * messages:
            return "pass", said
        few = self._settings.min_clients
        if few == 1:
            return "fail", said
        for client, its in gate.by_client.items():
            if bad - its <= limit * (messages - self._clients[client]):
                return "hold", f"{said}; but client {client!r} saw {its} of them, and the others are well"
        if len(gate.by_client) < few:
            return "hold", f"{said}; but {len(gate.by_client)} clients saw that, and {few} are needed"
        return "fail", said


def _gates(settings: GuardSettings) -> tuple[_Gate, _Gate]:
    return _Gate("error", settings.error_share_max), _Gate("slow", settings.slow_share_max)


def _add(counts: dict[str, int], client: str, by: int) -> None:
    count = counts.get(client, 0) + by
    if count:
        counts[client] = count
    else:
        del counts[client]


def evidence(verdict: Verdict) -> Evidence:
    """Return the figures of a verdict, as the record keeps them."""
    return {
        "gate": verdict.gate,
        "observed_share": verdict.observed_share or 0.0,
        "limit_share": verdict.limit_share,
        "messages": verdict.messages,
        "bad": verdict.bad,
        "clients": verdict.clients,
    }
