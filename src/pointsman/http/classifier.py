"""The native API of the classifier: what users say of messages, how it stands, and the way back.

Whose word counts and how much is decided below: `runtime.learning` and `core.classify.lessons`.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from pointsman.http import wire
from pointsman.http.exchange import Answer, Request, ok
from pointsman.http.problems import invalid

_BODY_BYTES: Final = 16_384


class Feedback(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What came of a message; exactly one of the two.

    Attributes:
        label: the class that would have been right, or an alias of it.
        outcome: `ok`: its worker did it well; `failed`: it did not, which speaks for the next dearer class.
    """

    label: Annotated[str, Meta(min_length=1, max_length=64)] | None = None
    outcome: Literal["ok", "failed"] | None = None


_FEEDBACK: Final = msgspec.json.Decoder(Feedback)


async def feedback(request: Request) -> Answer:
    """Say of a message which class was right, or how it went; given again, it takes the place of the first."""
    said = wire.strict(await request.body(_BODY_BYTES), _FEEDBACK)
    if (said.label is None) == (said.outcome is None):
        raise invalid("expected label or outcome, exactly one of the two", "label")
    client = request.identity.client
    learning = request.surface.learning
    return ok(learning.feedback(request.parameters["id"], client=client, label=said.label, outcome=said.outcome))


async def show(request: Request) -> Answer:
    """Show how the classifier stands: model, abstained messages, drift, feedback and what was learnt from it."""
    request.query()
    return ok(request.surface.learning.status())


async def rollback(request: Request) -> Answer:
    """Forget all that was learnt from feedback; the trained model decides alone from now on."""
    return ok(request.surface.learning.rollback())
