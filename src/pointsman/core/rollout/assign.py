"""Who answers a message: sticky by key, and monotone, so that a key once given to the candidate stays with it.

A key has a bucket, 0..9999, which is its place in the rollout's own order, and the candidate answers the buckets below
its share. A larger share therefore only adds keys, the same key gets the same answer on every machine, in every process
and after every restart, and a retry after a rollback begins with the same keys. Nothing random, and never `hash()`,
which differs from process to process.

Which share is in force is not decided here (`stages`), nor what a key is: a conversation, or else a client.

Method: threshold on a hash, as flagd's `fractional` and LaunchDarkly's buckets; BLAKE2b as the standard library has no
faster one that is the same everywhere (study "rollout", 3.1).
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from typing import Final

from pointsman.core.rollout.stages import Position, held
from pointsman.model.rollout import Assignment, Lane, State, Why

BUCKETS: Final = 10_000
"""Parts into which keys are divided; a share is kept to one of them."""

OURS: Final = Assignment(Lane.CANDIDATE, Why.STATIC)
"""There is no legacy, or nothing is left to it."""

_EXCLUDED: Final = Assignment(Lane.LEGACY, Why.EXCLUDED)


def bucket(salt: str, key: str) -> int:
    """Return the place of `key` in the order of `salt`, 0..9999."""
    place = blake2b(f"{salt}:{key}".encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(place, "big") % BUCKETS


class Assigner:
    """Gives each message its lane, by one position of the rollout; made anew at each step.

    Args:
        position: where the rollout stands.
        salt: of the buckets.
        shadow_share: of keys that are mirrored in the shadow stage, 0..1.
        exclude_clients: clients that stay with the legacy.
        exclude_paths: paths that do, whole or with a final `*`.

    Attributes:
        legacy_only: everything goes to the legacy, and nothing is mirrored, whatever the key.
    """

    def __init__(
        self,
        position: Position,
        salt: str,
        *,
        shadow_share: float = 0.0,
        exclude_clients: Sequence[str] = (),
        exclude_paths: Sequence[str] = (),
    ) -> None:
        state = held(position)
        self._salt = salt
        self._below, self._above = Lane.CANDIDATE, Lane.LEGACY
        self._fixed: Assignment | None = None
        share = position.share
        if state is State.SHADOW:
            self._below, share = Lane.BOTH, shadow_share
        elif state in {State.FULL, State.COMPLETED}:
            self._fixed = OURS
        elif state is not State.PARTIAL:
            self._fixed = Assignment(Lane.LEGACY, Why.DISABLED)
        self._limit = round(share * BUCKETS)
        self.legacy_only = self._limit == 0
        excludes = state is not State.COMPLETED
        self._clients = frozenset(exclude_clients if excludes else ())
        paths = exclude_paths if excludes else ()
        self._paths = frozenset(path for path in paths if not path.endswith("*"))
        self._prefixes = tuple(path[:-1] for path in paths if path.endswith("*"))
        self._excludes = bool(self._clients or paths)

    def assign(self, key: str, client: str, path: str) -> Assignment:
        """Return the lane of a message.

        Args:
            key: its conversation, or else its client.
            client: who sent it.
            path: where it came in; empty where there is none.
        """
        if self._excludes and (client in self._clients or path in self._paths or path.startswith(self._prefixes)):
            return _EXCLUDED
        if self._fixed is not None:
            return self._fixed
        place = bucket(self._salt, key)
        return Assignment(self._below if place < self._limit else self._above, Why.SPLIT, place)


class Fixed:
    """Gives every message the same lane, whatever its key; stands in for `Assigner`.

    Args:
        assignment: what it gives.
    """

    def __init__(self, assignment: Assignment) -> None:
        self.legacy_only = assignment.lane is Lane.LEGACY
        self._assignment = assignment

    def assign(self, key: str, client: str, path: str) -> Assignment:
        """Return the lane of every message."""
        return self._assignment
