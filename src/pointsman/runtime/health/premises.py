"""What the checks look at: the parts of a running router, as they are when a check runs; and what a check is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol

from pointsman.core.classify.pipeline import Classifier
from pointsman.core.health_board import Needs
from pointsman.core.validate import Validator
from pointsman.model.events import Emit
from pointsman.model.health import Finding
from pointsman.model.settings import Settings
from pointsman.ports import Clock, Engine

if TYPE_CHECKING:
    from pointsman.runtime.dispatcher import Dispatcher
    from pointsman.runtime.learning import Learning
    from pointsman.runtime.pool import Pool
    from pointsman.runtime.reaper import Reaper
    from pointsman.runtime.rollout.conductor import Rollout
    from pointsman.runtime.tasks import Tasks


class Check(Protocol):
    """One component and how it is looked at. Equal checks look at the same things."""

    @property
    def component(self) -> str:
        """Name of the component."""
        ...

    @property
    def kind(self) -> str:
        """The name without that of a pool or worker."""
        ...

    @property
    def depends_on(self) -> tuple[str, ...]:
        """Components that it cannot do without."""
        ...

    @property
    def needs(self) -> Needs:
        """Whether it needs each of these, or any."""
        ...

    def probe(self) -> Finding:
        """Look in microseconds: no I/O, no wait, nothing raised."""
        ...

    async def look(self) -> Finding:
        """Look deeply. May wait, and may be cancelled; never costs money, never changes what a message would meet."""
        ...


class Alone:
    """A component that depends on no other, and is called by its kind."""

    kind: str
    depends_on: tuple[str, ...] = ()
    needs: Needs = "each"

    @property
    def component(self) -> str:
        """Name of the component."""
        return self.kind


class Queues(Engine, Protocol):
    """An engine that says at once how its queues are."""

    def waiting(self, queue: str, level: int) -> int:
        """How many messages of this level or a higher one are ready."""
        ...

    def is_paused(self, queue: str) -> bool:
        """Whether nothing is handed out from this queue, by an operator's wish."""
        ...


class Premises(Protocol):
    """A running router, as the checks see it. `assembly.House` is one."""

    @property
    def settings(self) -> Settings:
        """The settings in force."""
        ...

    @property
    def clock(self) -> Clock:
        """Time."""
        ...

    @property
    def engine(self) -> Queues:
        """Where messages wait."""
        ...

    @property
    def pools(self) -> Mapping[str, Pool]:
        """All pools."""
        ...

    @property
    def dispatchers(self) -> Mapping[str, Dispatcher]:
        """The dispatcher of each pool."""
        ...

    @property
    def reaper(self) -> Reaper:
        """Does what time asks for."""
        ...

    @property
    def validator(self) -> Validator:
        """The live validator."""
        ...

    @property
    def classifier(self) -> Classifier:
        """The live classifier."""
        ...

    @property
    def learning(self) -> Learning:
        """What is learnt from feedback, and how messages drift."""
        ...

    @property
    def rollout(self) -> Rollout:
        """Who answers, this router or the old one."""
        ...

    @property
    def tasks(self) -> Tasks:
        """All tasks of the router."""
        ...

    @property
    def emit(self) -> Emit:
        """Takes events."""
        ...
