"""The composition root: the one place that names concrete parts, and the page on which the way of a message is read.

A message comes in through `admission_layers`, waits in the engine, and goes out through `delivery_layers` and the
`endpoint_layers` of the worker that was picked. Every decision on that way is an object of `core`, every step is one
layer, and what they share is built once, in `House.__init__`. `rebuild` makes the admission stack anew around the same
objects and swaps one reference, so that messages in hand finish on the old one.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from pointsman import stack
from pointsman.config.environment import kill_reason, snapshot
from pointsman.config.models import trained
from pointsman.config.secrets import Secrets
from pointsman.core.affinity import PreferredWorkers
from pointsman.core.balance import BALANCERS
from pointsman.core.breaker import CircuitBreaker
from pointsman.core.classify.pins import ConversationPins
from pointsman.core.consistency import require
from pointsman.core.ids import IdSource
from pointsman.core.load import FleetMean, WorkerLoad
from pointsman.core.routing import fallback_rules, routes, timeout_of
from pointsman.core.validate import Validator
from pointsman.engines.local.engine import LocalEngine
from pointsman.layers.admission.budget import Budget
from pointsman.layers.admission.classify import Classify
from pointsman.layers.admission.doors import Doors
from pointsman.layers.admission.enqueue import Enqueue
from pointsman.layers.admission.flood_guard import FloodGuard
from pointsman.layers.admission.measure import Measure
from pointsman.layers.admission.rate_limit import RateLimit
from pointsman.layers.admission.shed import Shed
from pointsman.layers.admission.speak import Speak
from pointsman.layers.admission.validate import Validate
from pointsman.layers.delivery.expire import Expire
from pointsman.layers.delivery.hold_lease import HoldLease
from pointsman.layers.delivery.measure import MeasureDelivery
from pointsman.layers.delivery.pick import Pick
from pointsman.layers.endpoint.breaker import Breaker
from pointsman.layers.endpoint.limit import Limit
from pointsman.layers.endpoint.quota import DrawQuota
from pointsman.layers.endpoint.send import Send
from pointsman.layers.endpoint.timeout import Timeout
from pointsman.layers.endpoint.track import Track
from pointsman.layers.rescue import Rescue, RescueDelivery
from pointsman.layers.shadow_stack import ShadowStack
from pointsman.model.events import AttemptEnded, Ended
from pointsman.model.settings import BreakerSettings, PoolSettings, Settings, WorkerSettings
from pointsman.ports import AdmitLayer, Attempt, Clock, Deliver, DeliverLayer
from pointsman.router import RouterCore
from pointsman.runtime.bell import Bell
from pointsman.runtime.clock import SystemClock
from pointsman.runtime.costs import Costs
from pointsman.runtime.deadlines import Deadlines
from pointsman.runtime.decisions import Decisions
from pointsman.runtime.destinations import Destinations
from pointsman.runtime.dispatcher import Dispatcher, guests_of
from pointsman.runtime.endpoint import Endpoint
from pointsman.runtime.envelopes import Envelopes
from pointsman.runtime.feeds import Feeds
from pointsman.runtime.fleet import Fleet
from pointsman.runtime.health.rounds import Health
from pointsman.runtime.learning import Learning
from pointsman.runtime.leases import LeaseKeeper
from pointsman.runtime.limits import Limits
from pointsman.runtime.notifier import LocalNotifier
from pointsman.runtime.observers import Observers
from pointsman.runtime.pool import Pool
from pointsman.runtime.preview import Previewer
from pointsman.runtime.reaper import Reaper
from pointsman.runtime.replies import Replies
from pointsman.runtime.rollout.conductor import Rollout
from pointsman.runtime.second_opinion import Embedder, SecondOpinion
from pointsman.runtime.settling import Settler
from pointsman.runtime.shadow import Shadow
from pointsman.runtime.slo import ServiceLevels
from pointsman.runtime.tasks import Tasks
from pointsman.transports.building import Builder
from pointsman.transports.callable import Target


class House:
    """One router with everything it needs. Nothing runs before `start`.

    Args:
        settings: everything that can be set.
        clock: time; the machine's by default.
        rng: the one source of chance; seeded by the operating system by default.
        local: functions that serve as workers of transport `callable`, by worker id.
        secrets: where workers' tokens come from; the environment, and files by default.
        beside: directory that relative file names start from, that of the settings file; the working directory by
            default.
        instance: number of this router among those that share a fleet, 0..4095.
        has_legacy: there is an old router in this process; the settings may name one too.
        embedder: asked for the class where the classifier is unsure.

    Raises:
        SettingsError: the settings contradict themselves.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        clock: Clock | None = None,
        rng: random.Random | None = None,
        local: Mapping[str, Target] | None = None,
        secrets: Secrets | None = None,
        beside: Path | None = None,
        instance: int = 0,
        has_legacy: bool = False,
        embedder: Embedder | None = None,
    ) -> None:
        require(settings)
        self.settings = settings
        self.clock = clock or SystemClock()
        self.rng = rng or random.Random()
        self.local: dict[str, Target] = dict(local or {})
        self._beside = beside or Path()
        self.secrets = secrets or Secrets(snapshot(), self._beside, self.clock)
        self.reloading = asyncio.Lock()
        self.transports = Builder(
            self.secrets.revealer, self._beside, self.local, lambda pool: self.settings.pools[pool]
        )
        self.doors_open = False
        self.running: dict[str, Attempt] = {}
        self.second = SecondOpinion(embedder, lambda: self.settings.classifier, self.clock) if embedder else None
        self.limits = Limits(settings.limits)
        self.pins = ConversationPins(settings.classifier.pin_s, settings.classifier.max_pins)
        self.shadow_pins = ConversationPins(settings.classifier.pin_s, settings.classifier.max_pins)
        self.preferred = PreferredWorkers(settings.conversations.prefer_s, settings.conversations.max_tracked)

        self.observers = Observers()
        self.emit = self.observers.emit
        self.decisions = Decisions(settings.telemetry.keep_decisions)
        self.observers.add(self.decisions.observe, AttemptEnded, Ended)
        self.learning = Learning(settings, self.clock, self._beside, self.observers)
        self.feeds = Feeds(settings.engine.keep_ended, settings.engine.keep_ended_bytes)
        self.observers.add(self.feeds.observe)
        self.rollout = Rollout(settings.rollout, self.clock, self.emit, self._beside, has_legacy, kill_reason())
        self.rollout.listen(self.observers)
        self.tasks = Tasks(self.clock)
        self.shadow = Shadow(self.clock, self.tasks, self.emit, random.Random(0))
        self.deadlines = Deadlines(self.clock)
        self.notifier = LocalNotifier(self.clock)
        self.bell = Bell(self.notifier)
        self.envelopes = Envelopes(self.clock, IdSource(instance, self.rng), self.rng)
        self.engine = LocalEngine(settings.engine, self.clock, tuple(settings.pools), self.bell.ring)
        self.replies = Replies(settings.engine.keep_ended, settings.engine.keep_ended_bytes)
        self.keeper = LeaseKeeper(self.engine, self.clock, settings.engine.lease_s)
        self.reaper = Reaper(self.engine, self.notifier, self.clock, self.bell.ring, self.keeper.revive)
        self.settler = Settler(
            self.engine, self.replies, self.clock, self.rng, self.emit, self.reaper.expect, self.bell.ring
        )

        self.pools: dict[str, Pool] = {}
        self.dispatchers: dict[str, Dispatcher] = {}
        self.costs = Costs(settings, self.pools, self.clock, self._beside, self.observers)
        self.slo = ServiceLevels(settings, self.clock, self._beside, self.observers)
        self.fleet = Fleet(self.pools, self.make_endpoint, self.clock, self.tasks)
        self.deliver: Deliver = stack.build(self.delivery_layers(), Pick(self.pools, self.preferred, self.clock))
        self.core = RouterCore(
            self.engine, self.replies, self.settler, self.clock, self.running, self.dispatchers, self.close_doors
        )
        self.health = Health(self, random.Random(instance), self._beside)
        self.rebuild(settings)

    # The way of a message, in the order in which it meets the layers.

    def admission_layers(self) -> tuple[AdmitLayer, ...]:
        """Return the layers of admission, the outermost first."""
        return (
            Measure(self.clock, self.emit),
            Doors(lambda: self.doors_open),
            Rescue(),
            Validate(self.validator),
            RateLimit(self.limits.per_client, self.limits.overall),
            FloodGuard(self.limits.flood),
            Classify(self.classifier, self.pins, routes(self.settings), self.clock, self.is_up, self.second),
            Speak(self.pools, self.rules),
            Budget(self.costs.spending, self.costs.estimate),
            Shed(self.pools, self.rules, self.engine.waiting, self.settings.shed),
        )

    def admission_leaf(self) -> Enqueue:
        """Return the leaf of admission, which queues the message and wakes whoever may serve it."""
        topics = {name: self.bell.topics(name) for name in self.pools}
        return Enqueue(self.engine, self.notifier, topics, self.reaper.expect, self.clock)

    def delivery_layers(self) -> tuple[DeliverLayer, ...]:
        """Return the layers of delivery, the outermost first; the leaf is `Pick`."""
        return (
            MeasureDelivery(self.clock, self.emit, self.costs.fares.cost),
            RescueDelivery(),
            HoldLease(self.keeper),
            Expire(self.clock),
        )

    def endpoint_layers(self, endpoint: Endpoint, pool: Pool) -> tuple[DeliverLayer, ...]:
        """Return the layers of one worker, the outermost first; the leaf is `Send`."""
        return (
            Track(endpoint, pool, self.clock),
            Breaker(endpoint, pool, self.clock),
            Limit(endpoint),
            DrawQuota(endpoint, self.costs.quotas.account(endpoint.settings.quota)),
            Timeout(endpoint, self.deadlines, self.clock),
        )

    # Building, and building again.

    def rebuild(self, settings: Settings) -> None:
        """Build the admission stack from `settings` around the same state and swap it in."""
        self.settings = settings
        self.rules = self.bell.rules = fallback_rules(settings)
        self.costs.use(settings, self.rules)
        self.rollout.use(settings.rollout)
        self.validator = Validator(settings.validation, settings.classes)
        self.classifier = self.learning.build(settings, trained(settings, self._beside))
        self.destinations = Destinations(settings.classes, self.pools)
        for name, of in settings.pools.items():
            if name not in self.pools:
                self.add_pool(self.make_pool(name, of))
        for pool in self.pools.values():
            pool.patience_s = settings.conversations.patience_s
        self.settler.policies = {name: pool.retry for name, pool in settings.pools.items()}
        for name, dispatcher in self.dispatchers.items():
            dispatcher.guests = guests_of(name, self.pools, self.rules)
            dispatcher.timeout_s = timeout_of(settings.pools[name])
        self.previewer = Previewer(
            self.validator,
            self.classifier,
            self.pins,
            routes(settings),
            self.rules,
            self.pools,
            self.clock,
            self.costs,
            self.preferred,
        )
        layers = self.admission_layers()
        self.shadow.use(ShadowStack(layers, self.shadow_pins, self.pools, self.resolve_class), settings.rollout.shadow)
        self.core.admit = stack.build(layers, self.admission_leaf())

    def make_pool(self, name: str, settings: PoolSettings) -> Pool:
        """Build a pool without workers; nobody knows it yet."""
        balancer = BALANCERS[settings.balancer](self.rng)
        ring, call_help = partial(self.bell.ring, name), partial(self.bell.ring_if_busy_counts, name)
        return Pool(name, balancer, FleetMean(), self.clock, self.emit, ring, call_help)

    def add_pool(self, pool: Pool) -> None:
        """Give a pool its queue and its dispatcher, which does not run yet."""
        self.pools[pool.name] = pool
        self.engine.ensure_queues((pool.name,))
        self.dispatchers[pool.name] = Dispatcher(
            pool,
            engine=self.engine,
            notifier=self.notifier,
            deliver=self.deliver,
            settler=self.settler,
            replies=self.replies,
            clock=self.clock,
            tasks=self.tasks,
            emit=self.emit,
            running=self.running,
            ring=partial(self.bell.ring, pool.name),
        )

    def make_endpoint(
        self, pool: Pool, settings: WorkerSettings, origin: str, breaker: BreakerSettings | None = None
    ) -> Endpoint:
        """Build a worker with its own stack; it has not joined its pool yet. Raises SettingsError or UsageError."""
        endpoint = Endpoint(
            settings=settings,
            load=WorkerLoad(settings.id, settings.max_in_flight, pool.mean, settings.weight),
            breaker=CircuitBreaker(breaker or self.settings.pools[pool.name].breaker, self.rng),
            transport=self.transports.build(pool.name, settings),
            origin=origin,
        )
        self.equip(endpoint, pool)
        return endpoint

    def equip(self, endpoint: Endpoint, pool: Pool) -> None:
        """Build the stack of a worker anew around what it has now; calls that are out finish on the old one."""
        endpoint.deliver = stack.build(self.endpoint_layers(endpoint, pool), Send(endpoint))

    def is_up(self, pool: str) -> bool:
        """Whether a pool has a worker that may be given messages."""
        return self.pools[pool].down_since is None

    def resolve_class(self, name: str) -> str | None:
        """Return the class that a class name, an alias or a pool stands for, by the settings in force."""
        return self.destinations.message_class(name)

    def resolve_model(self, name: str) -> tuple[str, str] | None:
        """Return the class that a name stands for in place of a model, and the worker model where it is one."""
        return self.destinations.model(name)

    # Life.

    async def start(self) -> None:
        """Open the engine, let the workers of the settings join, and begin to dispatch and reap.

        Raises:
            LedgerUnusable: there are budgets, and what is spent cannot be written down.
        """
        await self.engine.open()
        await self.rollout.open()
        self.costs.spending.prepare(self.settings)
        for name, pool in self.settings.pools.items():
            for worker in pool.workers:
                await self.fleet.join(name, worker, "file")
        for name in self.dispatchers:
            self.run_dispatcher(name)
        self.tasks.supervise(lambda: self.reaper.run(self.settler), "reaper")
        self.tasks.supervise(self.keeper.run, "lease keeper")
        self.tasks.supervise(self.rollout.run, "rollout")
        self.tasks.supervise(self.health.run, "health")
        self.slo.open(self.tasks)
        self.learning.keeping.open(self.tasks)
        self.doors_open = True

    def run_dispatcher(self, name: str) -> None:
        """Begin to dispatch the queue of a pool."""
        self.tasks.supervise(self.dispatchers[name].run, f"dispatcher {name}")

    async def stop(self, drain_s: float) -> bool:
        """Drain for at most `drain_s` seconds, then end everything; whether all messages ended by themselves."""
        try:
            return await self.core.drain(drain_s)
        finally:
            # A stop that is itself cancelled drains no longer, but leaves nobody waiting and nothing running.
            await self.core.drain(0.0)
            self.shadow.close()
            await self.tasks.close()
            self.health.close()
            self.deadlines.close()
            await self.fleet.close()
            await self.rollout.close()
            await self.engine.close()
            self.costs.spending.close()

    def close_doors(self) -> None:
        """Take nothing new from now on."""
        self.doors_open = False
