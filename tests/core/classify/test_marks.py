"""Facts about marks: what the built-in rules make of an ask, as features."""

from __future__ import annotations

from hypothesis import given

from pointsman.core.classify.evidence import score, weigh_builtin
from pointsman.core.classify.marks import STEPS, marking_rules, marks, role_of
from pointsman.core.classify.rules import make_rule
from pointsman.core.classify.tokens import tokenize
from tests.core.classify.made import TEXTS

RULES = marking_rules()


def marks_of(text: str) -> tuple[str, ...]:
    """The marks of a text."""
    return marks(RULES.match(tokenize(text)))


def test_a_mark_says_for_which_side_and_how_strongly():
    """Each step that the lead reaches is one."""
    assert marks_of("compare the options") == tuple(f"=rules strategic>={step}" for step in STEPS)
    assert marks_of("rename it") == tuple(f"=rules tactical>={step}" for step in STEPS)
    assert marks_of("zebra crossing") == marks_of("") == ()


def test_a_step_is_reached_by_exactly_its_strength():
    """A phrase among the first words counts half as much again; two that oppose each other leave no mark."""
    hit = make_rule("r", "x", "strategic", 1.0), 0
    against = make_rule("s", "y", "tactical", 1.0), 0
    assert marks([hit]) == ("=rules strategic>=0.5", "=rules strategic>=1.5")
    assert marks([(hit[0], 6)]) == ("=rules strategic>=0.5",)
    assert marks([hit, against]) == ()


@given(TEXTS)
def test_the_lead_is_that_of_the_rules_alone(text):
    """As many steps as the difference of the scores that `evidence` works out."""
    hits = RULES.match(tokenize(text))
    scores = score(weigh_builtin(hits), ("strategic", "tactical"))
    lead = scores["strategic"] - scores["tactical"]
    if all(abs(abs(lead) - step) > 1e-9 for step in STEPS):
        side = "strategic" if lead > 0.0 else "tactical"
        assert marks(hits) == tuple(f"=rules {side}>={step}" for step in STEPS if abs(lead) >= step)


def test_rules_that_the_user_has_redefined_leave_no_mark():
    """His words mean what he says."""
    assert marks(marking_rules({("rename",)}).match(["rename", "it"])) == ()


def test_the_role_of_a_mark():
    """None of a feature that is no mark."""
    assert [role_of(name) for name in ("=rules strategic>=0.5", "=question", "rules")] == ["strategic", "", ""]
