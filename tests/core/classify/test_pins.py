"""Facts about remembered conversations."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from pointsman.core.classify.pins import ConversationPins

COSTS = {"cheap": 1.0, "middle": 2.0, "dear": 10.0, "as dear": 10.0}


def test_a_class_may_only_rise():
    """A cheaper message leaves the pin as it is, a dearer one lifts it."""
    pins = ConversationPins(60.0, 10)
    assert [pins.settle("c", "t", name, COSTS, 0.0) for name in ("middle", "cheap", "dear", "cheap")] == [
        "middle",
        "middle",
        "dear",
        "dear",
    ]
    assert pins.get("c", "t", 1.0) == "dear"


def test_equal_cost_is_no_reason_to_stay():
    """Of two classes that cost the same, the newer one holds."""
    pins = ConversationPins(60.0, 10)
    pins.settle("c", "t", "dear", COSTS, 0.0)
    assert pins.settle("c", "t", "as dear", COSTS, 1.0) == "as dear"


def test_a_pin_ends_after_silence():
    """Each message holds it for `pin_s` more, to the instant."""
    pins = ConversationPins(60.0, 10)
    pins.settle("c", "t", "dear", COSTS, 0.0)
    pins.settle("c", "t", "cheap", COSTS, 59.0)
    assert pins.get("c", "t", 118.9) == "dear"
    assert pins.get("c", "t", 119.0) is None
    assert pins.settle("c", "t", "cheap", COSTS, 119.0) == "cheap"


def test_what_is_dropped_is_forgotten():
    """The next message decides anew; dropping what is not there is nothing."""
    pins = ConversationPins(60.0, 10)
    pins.settle("c", "t", "dear", COSTS, 0.0)
    pins.drop("c", "t")
    pins.drop("c", "t")
    assert (pins.get("c", "t", 0.0), len(pins)) == (None, 0)
    assert pins.settle("c", "t", "cheap", COSTS, 0.0) == "cheap"


def test_conversations_of_two_clients_never_meet():
    """The same id of another client is another conversation."""
    pins = ConversationPins(60.0, 10)
    pins.settle("one", "t", "dear", COSTS, 0.0)
    assert pins.get("two", "t", 0.0) is None


def test_the_conversation_silent_longest_goes_first():
    """A message keeps its conversation; the one without goes when room is needed."""
    pins = ConversationPins(60.0, 2)
    for conversation, now in (("a", 0.0), ("b", 1.0), ("a", 2.0), ("c", 3.0)):
        pins.settle("c", conversation, "dear", COSTS, now)
    assert [pins.get("c", conversation, 3.0) for conversation in "abc"] == ["dear", None, "dear"]


def test_a_class_that_is_gone_from_the_settings_is_forgotten():
    """After a reload without it, the message's own class holds."""
    pins = ConversationPins(60.0, 2)
    pins.settle("c", "t", "dear", COSTS, 0.0)
    assert pins.settle("c", "t", "cheap", {"cheap": 1.0}, 1.0) == "cheap"


def test_reading_changes_nothing():
    """`get` neither prolongs a pin nor saves it from being pushed out."""
    pins = ConversationPins(60.0, 2)
    pins.settle("c", "a", "dear", COSTS, 0.0)
    pins.settle("c", "b", "dear", COSTS, 1.0)
    assert pins.get("c", "a", 59.0) == "dear"
    assert pins.get("c", "a", 60.0) is None
    pins.settle("c", "c", "dear", COSTS, 2.0)
    assert pins.get("c", "a", 2.0) is None


class PinsAgainstAList(RuleBasedStateMachine):
    """The real thing beside a plain list of (conversation, class, expiry), oldest first."""

    PIN_S = 10.0
    ROOM = 3

    def __init__(self) -> None:
        super().__init__()
        self.pins = ConversationPins(self.PIN_S, self.ROOM)
        self.model: list[tuple[str, str, float]] = []
        self.now = 0.0

    def look_up(self, conversation: str) -> str | None:
        """What the model knows of a conversation now."""
        known = [name for key, name, until in self.model if key == conversation and self.now < until]
        return known[0] if known else None

    @rule(seconds=st.floats(0.0, 12.0))
    def wait(self, seconds: float) -> None:
        self.now += seconds

    @rule(conversation=st.sampled_from("abcdef"), name=st.sampled_from(sorted(COSTS)))
    def send(self, conversation: str, name: str) -> None:
        pinned = self.look_up(conversation)
        if pinned is not None and COSTS[pinned] > COSTS[name]:
            name = pinned
        alive = [pin for pin in self.model if pin[0] != conversation and self.now < pin[2]]
        self.model = [*alive[-(self.ROOM - 1) :], (conversation, name, self.now + self.PIN_S)]
        assert self.pins.settle("c", conversation, name, COSTS, self.now) == name

    @invariant()
    def agrees(self) -> None:
        assert len(self.pins) <= self.ROOM
        for conversation in "abcdef":
            assert self.pins.get("c", conversation, self.now) == self.look_up(conversation)


TestPinsAgainstAList = PinsAgainstAList.TestCase
TestPinsAgainstAList.settings = settings(max_examples=40, stateful_step_count=30)
