"""Finding messages by what they are. A view is made only of what is found: there may be a hundred thousand others."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, islice

from pointsman.engines.local.record import Record, view
from pointsman.model.states import ENDS, Status
from pointsman.model.views import MessageView


@dataclass(slots=True, frozen=True)
class Wanted:
    """What is looked for; None means any. `since` in Unix seconds."""

    status: Status | None = None
    client: str | None = None
    conversation_id: str | None = None
    since: float | None = None

    def find(self, live: Iterable[Record], ended: Iterable[MessageView], limit: int) -> list[MessageView]:
        """Return at most `limit` messages that match, those that have not ended first, each kind in the order given."""
        kinds: list[Iterator[MessageView]] = []
        if self.status is None or self.status not in ENDS:
            kinds.append(view(record.envelope, record.status) for record in live if self._fits(record))
        if self.status is None or self.status in ENDS:
            kinds.append(one for one in ended if self._is(one.status, one.client, one.conversation_id, one.created))
        return list(islice(chain.from_iterable(kinds), max(0, limit)))

    def _fits(self, record: Record) -> bool:
        envelope = record.envelope
        return self._is(record.status, envelope.client, envelope.message.conversation_id, envelope.received_wall)

    def _is(self, status: Status, client: str, conversation_id: str | None, created: float) -> bool:
        return (
            (self.status is None or status is self.status)
            and (self.client is None or client == self.client)
            and (self.conversation_id is None or conversation_id == self.conversation_id)
            and (self.since is None or created >= self.since)
        )
