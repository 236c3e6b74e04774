"""What is in force, as the message path sees it: one object that answers at once, swapped whole at each step.

Decides the order of what holds messages at the legacy: an alarm, then a kill switch, then the rollout itself. Counts
the lanes that were given, for the share that the candidate really has.
"""

from __future__ import annotations

from pointsman.core.rollout.assign import OURS, Assigner, Fixed
from pointsman.core.rollout.stages import SERVING, Position
from pointsman.core.rollout.tally import Tally
from pointsman.model.rollout import Assignment, Lane, State, Why
from pointsman.model.settings_operations import RolloutSettings


class Lanes:
    """Gives each message its lane. Before `use` everything goes to the legacy.

    Args:
        tally: counts what was given.

    Attributes:
        is_guarded: the candidate answers messages that could be given back to the legacy.
    """

    def __init__(self, tally: Tally) -> None:
        self.is_guarded = False
        self._assigner: Assigner | Fixed = Fixed(Assignment(Lane.LEGACY, Why.DISABLED))
        self._counts = tally.lanes

    @property
    def legacy_only(self) -> bool:
        """Everything goes to the legacy and nothing is mirrored, whatever the key."""
        return self._assigner.legacy_only

    def assign(self, key: str, client: str, path: str) -> Assignment:
        """Return the lane of a message, and count it."""
        given = self._assigner.assign(key, client, path)
        self._counts[given.lane] += 1
        return given

    def look_up(self, key: str, client: str, path: str) -> Assignment:
        """Return the lane that a message would be given; counts nothing."""
        return self._assigner.assign(key, client, path)

    def all_ours(self) -> None:
        """There is no legacy."""
        self._assigner = Fixed(OURS)

    def use(self, position: Position, salt: str, settings: RolloutSettings, *, alarm: bool, killed: bool) -> None:
        """Go by this from the next message on."""
        self.is_guarded = False
        if alarm:
            self._assigner = Fixed(Assignment(Lane.LEGACY, Why.ERROR))
            return
        if killed:
            self._assigner = Fixed(Assignment(Lane.LEGACY, Why.KILLED))
            return
        serves = position.state in SERVING and position.state is not State.COMPLETED
        self.is_guarded = serves and position.share > 0.0
        self._assigner = Assigner(
            position,
            salt,
            shadow_share=settings.shadow.share,
            exclude_clients=settings.exclude_clients,
            exclude_paths=settings.exclude_paths,
        )
