from __future__ import annotations

import random

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.core.classify.delta import Delta
from pointsman.core.classify.lessons import MOST_GIVEN, WELL, Lessons, Shown, meaning
from pointsman.core.classify.linear import LinearModel
from pointsman.core.classify.pins import ConversationPins
from pointsman.core.classify.pipeline import Classifier, TrainedModel
from pointsman.core.classify.reading import TAUGHT
from pointsman.core.classify.trial import Standing
from pointsman.model.settings import ClassifierSettings, ClassSettings, RuleSettings
from tests.core.classify.made import WORDS, make

COSTS = {"cheap": 1.0, "middle": 5.0, "dear": 10.0}
TWO = {"c0": ClassSettings(pool="a", cost=1.0), "c1": ClassSettings(pool="b", cost=10.0)}
FEEDBACK = st.lists(
    st.tuples(st.integers(0, 5), st.sampled_from("abc"), st.integers(0, 1), st.sampled_from([WELL, 1.0])), max_size=40
)


def lessons() -> Lessons:
    """Lessons beside a model of two classes."""
    return Lessons(1, make(2, ["fix it"]).probabilities)


def shown(message: int) -> Shown:
    """What message number so and so shows."""
    return Shown(list(range(message + 1, message + 31)), [0.3 * (message - 2)])


def teach(of: Lessons, times: int = 300, right: int = 1) -> None:
    """Let six senders say the same of many messages of one kind."""
    for at in range(times):
        of.hear(f"m{at}", f"s{at % 6}", Shown([1, 2, 3], [-1.0]), right, 1.0)


@given(FEEDBACK)
def test_given_again_for_a_message_it_takes_the_place_of_the_first_and_never_counts_twice(given_):
    """However often and whoever's word it was: there is one match a message, with the weight last granted."""
    of = lessons()
    last: dict[int, float] = {}
    for message, sender, right, weight in given_:
        told, replaced = of.hear(str(message), sender, shown(message), right, weight)
        assert replaced == (message in last)
        assert 0.0 <= told.granted <= weight
        last[message] = told.granted
    assert of.trial.now.count == sum(granted > 0.0 for granted in last.values())
    assert of.trial.now.weight == pytest.approx(sum(last.values()), abs=1e-9)


def test_a_feedback_replaced_at_once_leaves_what_the_second_alone_would():
    """Weights, trial and what its sender may still say."""
    once, twice = lessons(), lessons()
    for of in (once, twice):
        of.hear("other", "b", shown(3), 0, 1.0)
        for message in range(3):
            of.hear(f"earlier{message}", "a", shown(message), 0, 1.0)
    twice.hear("m", "a", shown(1), 0, WELL)
    for of in (once, twice):
        of.hear("m", "a", shown(1), 1, 1.0)
    assert twice.corrected(shown(1)) == pytest.approx(once.corrected(shown(1)))
    assert twice.trial.now.gain == pytest.approx(once.trial.now.gain)
    left = [[of.hear(f"n{number}", "a", shown(2), 1, 1.0)[0].granted for number in range(3)] for of in (once, twice)]
    assert left[0] == pytest.approx(left[1])
    assert left[0][-1] < 1.0, "so that it shows whether anything was counted twice"


def test_a_feedback_never_judges_what_it_has_taught():
    """What it is compared with is what was known before; replaced, what was known then."""
    of = lessons()
    first, _ = of.hear("m", "a", shown(1), 1, 1.0)
    assert first.alone == first.learnt
    again, _ = of.hear("m", "a", shown(1), 0, 1.0)
    assert again.learnt == first.learnt


def test_a_sender_that_has_said_much_is_counted_and_not_learnt():
    """Alone, nothing but its first words moves a weight."""
    of = lessons()
    granted = [of.hear(str(at), "a", shown(1), 1, 1.0)[0] for at in range(20)]
    assert sum(one.granted for one in granted) == pytest.approx(5.0)
    assert granted[-1].moves is None
    assert granted[-1].match is None


def test_what_was_learnt_is_used_only_once_it_is_proven_and_forgotten_by_order():
    """Before, and after, the model decides alone."""
    of = lessons()
    teach(of, 60)
    assert of.live is None
    teach(of)
    assert of.live is of.delta
    of.forget()
    assert of.live is None
    assert of.corrected(Shown([1, 2, 3], [-1.0])) == [-1.0]
    assert of.trial.now == Standing(number=2)
    of.forget()
    assert of.trial.now.number == 2, "nothing was learnt since, so nothing is forgotten"


def test_what_was_learnt_elsewhere_is_gone_on_with():
    """In use where it was in use."""
    of, other = lessons(), lessons()
    teach(of)
    other.restore(of.delta, of.trial.now)
    assert other.live is other.delta
    other.restore(Delta(1), Standing())
    assert other.live is None


def test_feedback_that_can_be_replaced_is_bounded():
    """The oldest becomes final, and is new when it is given again."""
    of = lessons()
    for at in range(MOST_GIVEN + 1):
        of.hear(str(at), f"s{at % 6}", Shown([1], [0.0]), 1, 0.001)
    assert not of.hear("0", "s0", Shown([1], [0.0]), 1, 0.001)[1]
    assert of.hear(str(MOST_GIVEN), "s0", Shown([1], [0.0]), 1, 0.001)[1]


@pytest.mark.parametrize(
    ("outcome", "went_to", "found"),
    [
        ("failed", "cheap", ("middle", 1.0)),
        ("failed", "middle", ("dear", 1.0)),
        ("failed", "dear", None),
        ("ok", "cheap", ("cheap", WELL)),
        ("ok", "middle", None),
        ("ok", "dear", None),
    ],
)
def test_an_outcome_speaks_for_a_class_or_says_nothing(outcome, went_to, found):
    """Failed: the next dearer one; well: the cheapest, weakly, where it was there."""
    assert meaning(outcome, went_to, COSTS) == found


def test_where_all_classes_cost_the_same_no_outcome_says_anything():
    """There is no dearer one to have been right."""
    for outcome in ("ok", "failed"):
        assert meaning(outcome, "a", {"a": 1.0, "b": 1.0}) is None


def answers(classifier: Classifier, texts: list[str]) -> bytes:
    """Return everything that a classifier decides about these, as bytes."""
    pins = ConversationPins(60.0, 10)
    lines = []
    for text in texts:
        found = classifier.dry(ask=text, hint=None, client="", conversation_id=None, now=0.0, pins=pins)
        lines.append((found.message_class, found.probabilities, found.cause, found.margin, found.evidence, found.bias))
    return msgspec.json.encode(lines)


def world(classes: int, **settings) -> tuple[Classifier, Lessons, LinearModel, list[str]]:
    """A classifier, its lessons and model, and a thousand texts."""
    rng = random.Random(classes)
    texts = [" ".join(rng.choices(WORDS, k=rng.randint(1, 30))) for _ in range(1_000)]
    model = make(classes, texts[:50])
    of = Lessons(len(model.bias), model.probabilities)
    named = TWO if classes == 2 else {f"c{at}": ClassSettings(pool="a", cost=1.0 + at) for at in range(classes)}
    trained = TrainedModel(model, "made", 0.6)
    return Classifier(ClassifierSettings(fallback_class="c1", **settings), named, trained, of), of, model, texts


@pytest.mark.parametrize("classes", [2, 5])
def test_forgetting_brings_back_the_decisions_of_before_byte_for_byte(classes):
    """A thousand decisions with their evidence: before, in the shadow, in use (others), after."""
    classifier, of, _, texts = world(classes)
    before = answers(classifier, texts)
    pins = ConversationPins(60.0, 10)
    for at, text in enumerate(texts[:60] * 10):
        found = classifier.dry(ask=text, hint=None, client="", conversation_id=None, now=0.0, pins=pins)
        if of.live is None:
            told = Shown(found.grounds.seen, found.grounds.values)
            of.hear(f"m{at}", f"s{at % 6}", told, classes - 1, 1.0)
            if at == 20:
                assert answers(classifier, texts) == before, "what is only compared changes nothing"
    assert of.live is not None
    assert answers(classifier, texts) != before
    of.forget()
    assert answers(classifier, texts) == before


@pytest.mark.parametrize("classes", [2, 5])
def test_what_feedback_taught_is_a_piece_of_evidence_that_adds_up(classes):
    """Bias and evidence are the log-odds of the answer, with a user's rule beside it."""
    classifier, of, model, texts = world(classes, rules=[RuleSettings(phrase="plan", message_class="c1", weight=0.5)])
    for at in range(400):
        of.hear(f"m{at}", f"s{at % 6}", Shown(list(range(1, 30)), [0.1] * len(model.bias)), classes - 1, 1.0)
    assert of.live is not None
    pins, taught = ConversationPins(60.0, 10), 0
    for text in texts[:100]:
        found = classifier.dry(ask=text, hint=None, client="", conversation_id=None, now=0.0, pins=pins)
        last = f"c{classes - 1}"
        total = found.grounds.bias(last) + sum(one.weight for one in found.grounds.evidence(last))
        assert total == pytest.approx(found.grounds.logit(last), abs=1e-6)
        taught += any(one.feature == TAUGHT for one in found.grounds.evidence(last))
    assert taught > 50
