"""Remembers the worker that each conversation was served by last, because its prompt cache knows the conversation.

Decides how long that is worth something and how many conversations are remembered; the one that was silent for longest
goes first. Whether the worker can take a message, and whether it is worth waiting for, is decided elsewhere: this is a
preference, and never overrides anybody's health.
"""

from __future__ import annotations

from collections import OrderedDict


class PreferredWorkers:
    """Worker by pool, client and conversation. Not safe from several threads at once.

    Args:
        prefer_s: how long a worker is preferred after it served the conversation, seconds.
        max_tracked: conversations remembered at once, 1 or more; one that two pools have served counts twice.
    """

    __slots__ = ("_max_tracked", "_prefer_s", "_workers")

    def __init__(self, prefer_s: float, max_tracked: int) -> None:
        self._prefer_s = prefer_s
        self._max_tracked = max_tracked
        # Oldest first: a note moves its conversation to the end, so the order is also that of expiry. An OrderedDict,
        # because the first key of a plain dict is found slowly once many before it are gone.
        self._workers: OrderedDict[tuple[str, str, str], tuple[str, float]] = OrderedDict()

    def __len__(self) -> int:
        """Conversations held, the expired ones not yet swept included."""
        return len(self._workers)

    def get(self, pool: str, client: str, conversation: str, now: float) -> str:
        """Return the id of the worker that a conversation prefers in a pool, or an empty string. Changes nothing.

        Args:
            pool: whose workers.
            client: conversations of different clients never meet, whatever their ids.
            conversation: its id.
            now: monotonic seconds.
        """
        noted = self._workers.get((pool, client, conversation))
        return noted[0] if noted is not None and now < noted[1] else ""

    def note(self, pool: str, client: str, conversation: str, worker: str, now: float) -> None:
        """A worker has served a message of the conversation: it is the preferred one from now on."""
        workers = self._workers
        key = (pool, client, conversation)
        if key in workers:
            workers.move_to_end(key)
        else:
            self._sweep(now)
        workers[key] = (worker, now + self._prefer_s)

    def _sweep(self, now: float) -> None:
        """Drop up to two expired notes, and the oldest if there is no room: work per message stays constant."""
        for _ in range(2):
            oldest = next(iter(self._workers), None)
            if oldest is None or (now < self._workers[oldest][1] and len(self._workers) < self._max_tracked):
                return
            del self._workers[oldest]
