"""Pointsman: a message routing engine for fleets of AI agents and LLM workers.

    async with Router(workers={"coders": {"mine": my_function}}) as router:
        result = await router.send("fix the typo in line 12")

Names are loaded on first use, so that `import pointsman` and the command line's help stay quick.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pointsman.blocking import BlockingRouter
    from pointsman.embedded import LegacyAnswer, MessageFault, Router, WorkerBusy
    from pointsman.model.errors import DeliveryError, PointsmanError, RefusedError, SettingsError
    from pointsman.model.message import Message
    from pointsman.model.outcome import Accepted, Receipt, Refusal, Refused, Reply
    from pointsman.model.result import Result
    from pointsman.model.rollout import Order
    from pointsman.model.settings import Settings
    from pointsman.model.states import Status

__version__ = "0.1.0"

_HOMES = {
    "Accepted": "pointsman.model.outcome",
    "BlockingRouter": "pointsman.blocking",
    "DeliveryError": "pointsman.model.errors",
    "LegacyAnswer": "pointsman.embedded",
    "Message": "pointsman.model.message",
    "MessageFault": "pointsman.embedded",
    "Order": "pointsman.model.rollout",
    "PointsmanError": "pointsman.model.errors",
    "Receipt": "pointsman.model.outcome",
    "Refusal": "pointsman.model.outcome",
    "Refused": "pointsman.model.outcome",
    "RefusedError": "pointsman.model.errors",
    "Reply": "pointsman.model.outcome",
    "Result": "pointsman.model.result",
    "Router": "pointsman.embedded",
    "Settings": "pointsman.model.settings",
    "SettingsError": "pointsman.model.errors",
    "Status": "pointsman.model.states",
    "WorkerBusy": "pointsman.embedded",
}

__all__ = [
    "Accepted",
    "BlockingRouter",
    "DeliveryError",
    "LegacyAnswer",
    "Message",
    "MessageFault",
    "Order",
    "PointsmanError",
    "Receipt",
    "Refusal",
    "Refused",
    "RefusedError",
    "Reply",
    "Result",
    "Router",
    "Settings",
    "SettingsError",
    "Status",
    "WorkerBusy",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'pointsman' has no attribute {name!r}; it has {', '.join(__all__)}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
