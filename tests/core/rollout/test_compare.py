"""What two decisions about one message come to."""

from __future__ import annotations

from itertools import product

from pointsman.core.rollout.compare import Decided, Heard, compare
from pointsman.model.rollout import DIFFERENCES


def test_errors_come_before_everything_else() -> None:
    """Where one of the two made an error, what they say otherwise does not matter."""
    good, bad = Decided(ok=True, message_class="a"), Decided(ok=False, message_class="a", reason="no_worker")
    assert compare(Heard(False, "b"), bad) == "both_error"
    assert compare(Heard(False, "b"), good) == "legacy_error_only"
    assert compare(Heard(True, "b"), bad) == "candidate_error_only"


def test_a_class_is_compared_where_the_legacy_says_its_own() -> None:
    """Equal classes match, others do not, whatever the workers."""
    decided = Decided(ok=True, message_class="tactical", same_worker=False)
    assert compare(Heard(True, "tactical"), decided._replace(same_worker=None)) == "match"
    assert compare(Heard(True, "strategic", "w"), decided) == "class_mismatch"


def test_a_worker_matches_where_the_candidate_might_have_chosen_it() -> None:
    """The worker counts once the classes do not differ, and alone where only it is said."""
    decided = Decided(ok=True, message_class="tactical")
    assert compare(Heard(True, "tactical", "w"), decided._replace(same_worker=False)) == "worker_mismatch"
    assert compare(Heard(True, "tactical", "w"), decided._replace(same_worker=True)) == "match"
    assert compare(Heard(True, None, "w"), decided._replace(same_worker=True)) == "match"
    assert compare(Heard(True, None, "w"), decided._replace(same_worker=False)) == "worker_mismatch"


def test_a_legacy_that_says_nothing_is_not_compared() -> None:
    """Silence is neither agreement nor disagreement."""
    assert compare(Heard(True), Decided(ok=True, message_class="tactical")) == "uncompared"


def test_every_kind_can_occur_and_no_other() -> None:
    """The list of kinds is closed and holds nothing that nothing leads to."""
    heard = [Heard(ok, name, worker) for ok, name, worker in product((True, False), (None, "a", "b"), (None, "w"))]
    decided = [Decided(ok, "a", same) for ok, same in product((True, False), (None, True, False))]
    assert {compare(one, other) for one, other in product(heard, decided)} == set(DIFFERENCES)
