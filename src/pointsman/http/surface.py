"""What the HTTP application needs of a router, and nothing more: the seam between `http` and `assembly`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from pointsman.core.keys import KeyRing
from pointsman.model.events import Emit
from pointsman.model.message import Envelope
from pointsman.model.objectives import SloReport
from pointsman.model.outcome import Refused
from pointsman.model.result import Result
from pointsman.model.settings import Settings
from pointsman.ports import Clock, Engine
from pointsman.router import RouterCore
from pointsman.runtime.costs import Costs
from pointsman.runtime.decisions import Decisions
from pointsman.runtime.envelopes import Envelopes
from pointsman.runtime.feeds import Feeds
from pointsman.runtime.fleet import Fleet
from pointsman.runtime.health.rounds import Health
from pointsman.runtime.learning import Learning
from pointsman.runtime.preview import Preview
from pointsman.runtime.rollout.conductor import Rollout
from pointsman.runtime.shadow import Shadow


@dataclass(slots=True, frozen=True)
class Surface:
    """A running router as HTTP sees it.

    Attributes:
        core: sends, looks up, cancels, purges.
        fleet: pools and workers.
        engine: queues, dead letters, counts.
        feeds: what happens to messages, for those who follow it.
        decisions: records of ended messages.
        envelopes: wraps what a client sent.
        clock: time.
        settings: the settings in force; a reload changes what it returns.
        preview: a dry run.
        replay: sends a dead letter again under a new id and forgets it; raises NotFound or Conflict.
        resolve_class: class by class name, alias or pool name; None where there is none.
        resolve_model: class by class name, alias, pool or worker model, and the worker model where it is one; None if
            there is none.
        reload: reads the settings again; returns what changed and what needs a restart; raises SettingsError.
        metrics: exposition for an Accept header: body and content type.
        is_ready: whether process and engine can take messages.
        keys: the API keys in force now.
        costs: budgets, prices, and what was taken.
        rollout: who answers, this router or the old one, and the verbs that change it.
        shadow: what this router would have decided about messages that the old one answered.
        slo: objectives and how they are kept, for a window in seconds (None: as set), with the past by `hour` or `day`.
        health: how every component stands.
        learning: hears feedback, and says how the classifier stands.
        emit: tells what happened to whoever counts it.
        version: of Pointsman.
    """

    core: RouterCore
    fleet: Fleet
    engine: Engine
    feeds: Feeds
    decisions: Decisions
    envelopes: Envelopes
    clock: Clock
    settings: Callable[[], Settings]
    preview: Callable[[Envelope], Refused | Preview]
    replay: Callable[[str], Awaitable[Result | Refused]]
    resolve_class: Callable[[str], str | None]
    resolve_model: Callable[[str], tuple[str, str] | None]
    reload: Callable[[], Awaitable[dict[str, list[str]]]]
    metrics: Callable[[str], Awaitable[tuple[bytes, str]]]
    is_ready: Callable[[], bool]
    keys: Callable[[], KeyRing]
    costs: Costs
    rollout: Rollout
    shadow: Shadow
    slo: Callable[[float | None, str], SloReport]
    health: Health
    learning: Learning
    emit: Emit
    version: str
