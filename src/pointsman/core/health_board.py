"""What follows from what was found: how each component stands, what its dependants make of that, and the whole.

A component's own status is the worse of its last deep check and its last cheap probe: a probe sees less, so that it may
add a fault, but never takes one away. What it depends on is named, never guessed:

    needs "each"  it fails as soon as one of these has failed, and says because of which.
    needs "any"   it fails when all of these have failed, and warns while some have: a pool and its workers.

A warning goes no further than the component it belongs to. Nothing else connects two components, so that a fault is
seen where it is, and not everywhere. When a check is made, and how, is no business of this file.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from pointsman.core.health_history import History
from pointsman.model.errors import NotFound, UsageError
from pointsman.model.health import Finding, HealthMark, HealthMove, HealthResult, HealthStatus, passed, worst

Needs = Literal["each", "any"]

_UNSEEN = passed("not looked at yet")

_NAMED = 3
"""Failed dependencies that are named in a sentence; of more their number is told."""


@dataclass(slots=True)
class _Part:
    """A component: what it is, what it depends on, what was found last, and how it stands for that."""

    kind: str
    depends_on: tuple[str, ...]
    needs: Needs
    since_wall: float
    deep: Finding | None = None
    probe: Finding | None = None
    at_wall: float | None = None
    took_s: float | None = None
    status: HealthStatus = HealthStatus.PASS
    because_of: tuple[str, ...] = ()
    dependants: list[str] = field(default_factory=list)

    def own(self) -> Finding:
        """Return the worse of what was found; of two that are as bad, the deep one, which saw more."""
        deep, probe = self.deep or self.probe or _UNSEEN, self.probe or self.deep or _UNSEEN
        return deep if worst((deep.status, probe.status)) is deep.status else probe


class Board:
    """How every component stands.

    Args:
        history: remembers deep checks.
        round_s: what belongs to one round of checks at most, seconds: a dependency that is found to have failed within
            it changes what is remembered of its dependants' last check.
    """

    def __init__(self, history: History, round_s: float) -> None:
        self.history = history
        self._round_s = round_s
        self._parts: dict[str, _Part] = {}

    def __contains__(self, component: object) -> bool:
        """Whether there is such a component."""
        return component in self._parts

    def join(
        self, component: str, kind: str, now_wall: float, depends_on: Sequence[str] = (), needs: Needs = "each"
    ) -> None:
        """Add a component, or let one depend on others than before.

        Raises:
            UsageError: a dependency is not there yet, or depends on this component itself.
        """
        for name in depends_on:
            if name not in self._parts:
                raise UsageError(f"{component} depends on {name}, which has not joined yet")
            if component == name or component in self._below(name):
                raise UsageError(f"{component} depends on {name}, which depends on {component}")
        known = self._parts.get(component)
        if known is None:
            self._parts[component] = _Part(kind, tuple(depends_on), needs, now_wall)
        else:
            known.kind, known.depends_on, known.needs = kind, tuple(depends_on), needs
        self._link()

    def leave(self, component: str) -> None:
        """Forget a component and what hangs on it; what its checks found stays in the history."""
        if self._parts.pop(component, None) is not None:
            for part in self._parts.values():
                part.depends_on = tuple(name for name in part.depends_on if name != component)
            self._link()

    def _below(self, component: str) -> set[str]:
        found: set[str] = set()
        for name in self._parts[component].depends_on:
            found |= {name, *self._below(name)}
        return found

    def _link(self) -> None:
        for part in self._parts.values():
            part.dependants = []
        for name, part in self._parts.items():
            for dependency in part.depends_on:
                self._parts[dependency].dependants.append(name)

    def note(self, component: str, finding: Finding, now_wall: float) -> list[HealthMove]:
        """Take what a cheap probe found; returns whose status that changed. An unknown component is ignored."""
        part = self._parts.get(component)
        if part is None:
            return []
        part.probe = finding
        return self._judge(component, now_wall)

    def record(self, component: str, finding: Finding, now_wall: float, took_s: float) -> list[HealthMove]:
        """Take what a deep check found, and remember it; returns whose status that changed.

        Args:
            component: whose; one that has left is ignored.
            finding: what was found.
            now_wall: Unix seconds.
            took_s: seconds the check took.
        """
        part = self._parts.get(component)
        if part is None:
            return []
        part.deep, part.at_wall, part.took_s = finding, now_wall, took_s
        moves = self._judge(component, now_wall)
        self.history.add(self._mark(component, part, now_wall, took_s))
        for move in moves:
            self._amend(move.component, now_wall)
        return moves

    def _amend(self, component: str, now_wall: float) -> None:
        """Put right what is remembered of a dependant's check in the same round."""
        last = self.history.last(component)
        if last is not None and 0.0 <= now_wall - last.at_wall <= self._round_s:
            self.history.add(self._mark(component, self._parts[component], last.at_wall, last.took_s))

    def _mark(self, component: str, part: _Part, at_wall: float, took_s: float) -> HealthMark:
        output = "" if part.status is HealthStatus.PASS else self._output(part)
        return HealthMark(component, at_wall, part.status, round(took_s, 6), output)

    def _judge(self, component: str, now_wall: float) -> list[HealthMove]:
        """Work out how a component stands, and then those that depend on it."""
        part = self._parts[component]
        bad = tuple(name for name in part.depends_on if self._parts[name].status is HealthStatus.FAIL)
        status = part.own().status
        if bad:
            lost = part.needs == "each" or len(bad) == len(part.depends_on)
            status = worst((status, HealthStatus.FAIL if lost else HealthStatus.WARN))
        was, part.status, part.because_of = part.status, status, bad
        if status is was:
            return []
        part.since_wall = now_wall
        moves = [HealthMove(component, was, status, self._output(part))]
        for name in part.dependants:
            moves += self._judge(name, now_wall)
        return moves

    def _output(self, part: _Part) -> str:
        own = part.own()
        if not part.because_of:
            return own.output
        named, more = ", ".join(part.because_of[:_NAMED]), len(part.because_of) - _NAMED
        because = f"because of {named}" + (f" and {more} more" if more > 0 else "")
        return because if own.status is HealthStatus.PASS else f"{own.output} ({because})"

    def latest(self, component: str | None = None) -> list[HealthResult]:
        """Return how every component stands, or one, or those of a kind. Raises NotFound."""
        if component in self._parts:
            return [self._result(component, self._parts[component])]
        found = [self._result(name, part) for name, part in self._parts.items() if component in (None, part.kind)]
        if not found and component is not None:
            known = ", ".join(self._parts) or "none"
            raise NotFound(f"there is no component {component!r}; known: {known}")
        return found

    def _result(self, component: str, part: _Part) -> HealthResult:
        own = part.own()
        return HealthResult(
            component=component,
            kind=part.kind,
            status=part.status,
            output=self._output(part),
            observed=own.observed,
            unit=own.unit,
            limit=own.limit,
            because_of=part.because_of,
            at_wall=part.at_wall,
            took_s=part.took_s,
            since_wall=part.since_wall,
        )

    def status(self) -> HealthStatus:
        """Return the worst of all."""
        return worst(part.status for part in self._parts.values())
