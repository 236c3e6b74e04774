from __future__ import annotations

from pointsman.core.keys import ID_BYTES, NO_KEYS, SECRET_BYTES, KeyRing, compose, digest_of
from pointsman.model.events import Event, SecurityIncident
from pointsman.model.health import HealthStatus
from pointsman.model.keys import ApiKey, KeyFault
from pointsman.runtime.health.access import AccessCheck
from pointsman.sim import SimClock


def key(number: int, revoked: float | None = None) -> ApiKey:
    """Return a key."""
    key_id, text = compose(bytes([number] * ID_BYTES), bytes([number] * SECRET_BYTES))
    return ApiKey(id=key_id, name="a key", client="bob", digest=digest_of(text), created=0.0, revoked=revoked)


class Open(KeyRing):
    """A ring that knows everybody."""

    def find(self, presented: bytes, now_wall: float) -> ApiKey | KeyFault:
        return next(iter(self))


async def test_a_key_that_nobody_was_given_opens_nothing() -> None:
    """Where keys are required; one that is revoked keeps them so, and lets nobody in."""
    for ring, status, words in (
        (NO_KEYS, HealthStatus.PASS, "only this machine"),
        (KeyRing([key(1)]), HealthStatus.PASS, "1 are usable"),
        (KeyRing([key(1, revoked=1.0)]), HealthStatus.WARN, "nobody gets in"),
    ):
        events: list[Event] = []
        finding = await AccessCheck(lambda ring=ring: ring, SimClock(), events.append).look()  # type: ignore[misc]
        assert (finding.status, events) == (status, [])
        assert words in finding.output


async def test_one_that_opens_is_a_security_incident() -> None:
    """Told when a probe sees it first, and by each deep check."""
    rings: list[KeyRing] = [Open([key(1)])]
    events: list[Event] = []
    check = AccessCheck(lambda: rings[0], SimClock(), events.append)
    assert {check.probe().status for _ in range(3)} == {HealthStatus.FAIL}
    await check.look()
    rings[0] = KeyRing([key(1)])
    assert check.probe().status is HealthStatus.PASS
    rings[0] = Open([key(1)])
    check.probe()
    assert [event.kind for event in events if isinstance(event, SecurityIncident)] == ["forbidden_call_obeyed"] * 3
