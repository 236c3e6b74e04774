"""A small model in a file, and a router's learning beside it, without the rest of the router."""

from __future__ import annotations

from itertools import count
from pathlib import Path
from typing import Any

from pointsman.config.models import load
from pointsman.core.classify.model_file import Reference, StoredModel, write
from pointsman.core.classify.pins import ConversationPins
from pointsman.core.classify.pipeline import TrainedModel
from pointsman.model.events import Admitted
from pointsman.model.settings import ClassifierSettings, Settings, TelemetrySettings
from pointsman.runtime.learning import Learning
from pointsman.runtime.observers import Observers
from pointsman.runtime.tasks import Tasks
from pointsman.sim import SimClock
from pointsman.testing.make import envelope

WEIGHTS = {"fix": -2.0, "typo": -2.0, "plan": 2.0, "design": 2.0, "line": 0.0, "garden": 0.0}
REFERENCE = Reference(
    confidence=(0.0,) * 9 + (1.0,), class_share={"tactical": 0.5, "strategic": 0.5}, unknown_share=0.1
)


def model_file(where: Path, name: str = "small", weights: dict[str, float] | None = None) -> Path:
    """Write a model that knows six words; returns where."""
    known = weights or WEIGHTS
    stored = StoredModel(
        name=name,
        made="2030-01-01T00:00:00Z",
        made_by="tests",
        classes=["tactical", "strategic"],
        vocabulary=list(known),
        weights=list(known.values()),
        bias=[0.0],
        threshold=0.6,
        reference=REFERENCE,
    )
    path = where / f"{name}.json"
    path.write_bytes(write(stored))
    return path


class Desk:
    """Learning that runs; messages are only classified.

    Args:
        where: directory of the models.
        keeps: what is learnt is written to it.
        rules: no model decides.
        **classifier: settings of the classifier.
    """

    def __init__(
        self, where: Path, *, keeps: bool = False, rules: bool = False, keep_decisions: int = 10_000, **classifier: Any
    ) -> None:
        self.clock = SimClock()
        self.observers = Observers()
        self.tasks = Tasks(self.clock)
        self.settings = Settings(
            classifier=ClassifierSettings(models_dir="models", **classifier),
            telemetry=TelemetrySettings(keep_decisions=keep_decisions),
        )
        self.learning = Learning(self.settings, self.clock, where, self.observers)
        self._pins = ConversationPins(60.0, 100)
        self._numbers = count()
        self.use(None if rules else load(model_file(where)))
        if keeps:
            self.learning.keeping.begin()
        self.learning.keeping.open(self.tasks)

    def use(self, trained: TrainedModel | None) -> None:
        """Let this model decide from now on."""
        self.classifier = self.learning.build(self.settings, trained)

    async def __aenter__(self) -> Desk:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.tasks.close()

    def send(self, text: str, client: str = "c", *, hint: str | None = None, conversation_id: str | None = None) -> str:
        """Classify a message and say that it was admitted; returns its id."""
        now = self.clock.monotonic()
        of = envelope(text, at=now, client=client)
        of.id = f"m{next(self._numbers)}"
        of.classification = self.classifier.classify(
            ask=text, hint=hint, client=client, conversation_id=conversation_id, now=now, pins=self._pins
        )
        self.observers.emit(Admitted(now, of, 0.001, 0.0001))
        return of.id

    def teach(self, times: int, label: str = "strategic", text: str = "fix the garden") -> None:
        """Let six clients send a message each in turn, and say which class was right."""
        for at in range(times):
            client = f"c{at % 6}"
            self.learning.feedback(self.send(text, client), client=client, label=label)
