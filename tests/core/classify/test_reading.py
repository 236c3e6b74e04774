"""Facts about reading: what a model, the user's rules and the terms of the settings make of the words together."""

from __future__ import annotations

import math

import pytest
from hypothesis import given

from pointsman.core.classify.grounds import ModelGrounds
from pointsman.core.classify.linear import LinearModel
from pointsman.core.classify.pins import ConversationPins
from pointsman.core.classify.pipeline import Classifier, TrainedModel
from pointsman.model.decision import Classification
from pointsman.model.errors import SettingsError
from pointsman.model.settings import ClassifierSettings, ClassSettings, RuleSettings, Settings
from tests.core.classify.made import TEXTS, WORDS, make

CLASSES = Settings().classes
PINS = ConversationPins(1.0, 1)
MODEL = LinearModel(["tactical", "strategic"], {"plan": 2.0, "fix": -2.0, "the plan": 1.0, "|": 0.25}, [0.5])
THREE = {**CLASSES, "research": ClassSettings(pool="planners", cost=9.0)}
"""Research is a class that the model does not know."""


def classifier(model=MODEL, classes=CLASSES, rules=(), models_own=0.6, marks="", **settings) -> Classifier:
    """A classifier that knows this model; `models_own` is the threshold in its file."""
    trained = TrainedModel(model, "m-1", models_own, marks)
    return Classifier(ClassifierSettings(rules=list(rules), **settings), classes, trained)


def ask(of: Classifier, text: str) -> Classification:
    """Ask about a text that belongs to no conversation."""
    return of.dry(ask=text, hint=None, client="c", conversation_id=None, now=0.0, pins=PINS)


def rule(phrase: str, message_class: str, weight: float = 1.0, force: bool = False) -> RuleSettings:
    """A rule of the user's."""
    return RuleSettings(phrase=phrase, message_class=message_class, weight=weight, force=force)


def test_the_model_decides_with_all_that_an_answer_has():
    """Class, calibrated probabilities, cause, runner-up, margin, threshold and version."""
    answer = ask(classifier(), "plan")
    score = 0.5 + 2.0 / 1**0.5
    strategic = 1.0 / (1.0 + math.exp(-score))
    assert (answer.message_class, answer.cause, answer.runner_up) == ("strategic", "model", "tactical")
    assert answer.probabilities == pytest.approx({"strategic": strategic, "tactical": 1.0 - strategic})
    assert answer.confidence == answer.probabilities["strategic"]
    assert answer.margin == pytest.approx(2.0 * strategic - 1.0)
    assert (answer.threshold, answer.version) == (0.6, "m-1")
    assert (answer.bias, answer.logit) == (0.5, pytest.approx(score))
    assert [(one.feature, one.found, one.message_class) for one in answer.evidence] == [
        ("plan", 'says "plan"', "strategic")
    ]


def test_the_evidence_is_that_of_the_class_that_was_taken():
    """What speaks for the other one speaks against it, and has the other sign."""
    answer = ask(classifier(), "fix the plan. fix")
    assert answer.message_class == "strategic"
    assert answer.logit == pytest.approx(0.5 + (2.0 - 2.0 + 1.0 + 0.25) / 2.0)
    answer = ask(classifier(), "fix fix")
    assert answer.message_class == "tactical"
    assert (answer.bias, [one.weight for one in answer.evidence]) == (-0.5, [2.0])


RULED = classifier(
    LinearModel(["tactical", "strategic"], {"plan": 2.0, "fix": -2.0, "=rules tactical>=0.5": -1.0}, [0.5]),
    THREE,
    [rule("typo", "tactical", 0.7), rule("why", "strategic", 0.4), rule("page", "research", 6.0)],
    marks="builtin-1",
)
MANY = classifier(
    make(5, [" ".join(WORDS)], with_pieces=True, with_sizes=True),
    {f"c{number}": ClassSettings(pool="coders", cost=1.0 + number) for number in range(5)},
    [rule("typo", "c1", 0.7), rule("why", "c4", 3.0)],
    fallback_class="c4",
)


@pytest.mark.parametrize("of", [classifier(), RULED, MANY])
@given(text=TEXTS)
def test_bias_and_evidence_add_up_to_the_logit(of, text):
    """Within a millionth: model, marks, the user's rules, and classes that the model does not know."""
    answer = ask(of, text)
    assert isinstance(answer.grounds, ModelGrounds)
    for name in answer.probabilities:
        evidence = answer.grounds.evidence(name)
        total = answer.grounds.bias(name) + math.fsum(one.weight for one in evidence)
        assert total == pytest.approx(answer.grounds.logit(name), abs=1e-6)
        assert {one.message_class for one in evidence} <= {name}
        assert len(evidence) <= 32
    assert answer.logit == answer.grounds.logit(answer.message_class)
    assert math.fsum(answer.probabilities.values()) == pytest.approx(1.0)


@pytest.mark.parametrize("of", [RULED, MANY])
@given(text=TEXTS)
def test_the_logit_is_that_of_the_probabilities(of, text):
    """The difference of two scores is the log of the odds between them; of two known classes the score is that."""
    answer = ask(of, text)
    odds, grounds = answer.probabilities, answer.grounds
    if of is RULED:
        between = math.log(odds["strategic"] / odds["tactical"])
        assert grounds.logit("strategic") == pytest.approx(between, abs=1e-6)
        assert grounds.logit("tactical") == pytest.approx(-between, abs=1e-6)
    else:
        expected = grounds.logit("c3") - grounds.logit("c1")
        assert math.log(odds["c3"] / odds["c1"]) == pytest.approx(expected, abs=1e-6)


def test_long_evidence_keeps_its_sum():
    """The weakest are shown as one."""
    model = LinearModel(["tactical", "strategic"], {f"w{n}": 0.1 + n / 100 for n in range(80)}, [0.0])
    answer = ask(classifier(model), " ".join(f"w{n}" for n in range(80)))
    assert len(answer.evidence) == 32
    assert (answer.evidence[-1].feature, answer.evidence[-1].found) == ("...", "49 weaker ones")
    assert sum(one.weight for one in answer.evidence) == pytest.approx(answer.logit)


def test_a_users_rule_adds_its_weight_to_the_score():
    """Neither more nor less, and it is named."""
    plain, ruled = (
        ask(classifier(), "plan ahead"),
        ask(classifier(rules=[rule("ahead", "tactical", 1.5)]), "plan ahead"),
    )
    assert plain.logit is not None
    assert ruled.logit == pytest.approx(plain.logit - 1.5)
    assert [(one.feature, one.found, one.weight) for one in ruled.evidence][-1] == ("rules.0", "ahead", -1.5)
    assert ruled.version == "m-1+1"


def test_a_forced_rule_decides_before_the_model():
    """It is certain, and the model is not asked."""
    answer = ask(classifier(rules=[rule("plan", "tactical", force=True)]), "the plan")
    assert (answer.message_class, answer.cause, answer.confidence, answer.logit) == ("tactical", "rule", 1.0, None)


def test_of_two_forced_classes_the_dearer_wins_and_the_conflict_is_told():
    """Whatever their order; the evidence names both rules, and the class that lost is named."""
    rules = [rule("plan", "tactical", 9.0, force=True), rule("why", "strategic", 0.1, force=True)]
    dear = {"tactical": ClassSettings(pool="coders", cost=7.0), "strategic": ClassSettings(pool="planners", cost=1.0)}
    for ordered in (rules, rules[::-1]):
        answer = ask(classifier(rules=ordered), "why plan")
        assert (answer.message_class, answer.overruled) == ("strategic", ("tactical",))
        assert {one.message_class for one in answer.evidence} == {"strategic", "tactical"}
        assert ask(classifier(classes=dear, rules=ordered), "why plan").message_class == "tactical"
    assert ask(classifier(rules=rules), "plan").overruled == ()


def test_marks_count_only_where_the_model_was_trained_with_these_rules():
    """A model of another version of the rules does not meet theirs."""
    model = LinearModel(["tactical", "strategic"], {"=rules tactical>=0.5": -3.0}, [0.0])
    assert ask(classifier(model, marks="builtin-1"), "rename it").message_class == "tactical"
    assert ask(classifier(model, marks="builtin-0"), "rename it").cause == "abstain"


def test_marks_go_by_role_whatever_the_classes_are_called():
    """An alias is enough, and the phrases behind a mark are shown."""
    classes = {
        "deep": ClassSettings(pool="planners", alias=["strategic"]),
        "quick": ClassSettings(pool="coders", alias=["tactical"]),
    }
    model = LinearModel(["tactical", "strategic"], {"=rules tactical>=0.5": -3.0}, [0.0])
    answer = ask(classifier(model, classes, marks="builtin-1", fallback_class="deep"), "rename it")
    assert answer.message_class == "quick"
    assert answer.evidence[0].found == "rules lead to tactical by 0.5: rename"


@pytest.mark.parametrize("text", ["", "   ", "?!", "zebra crossing", "```\nplan\n```"])
def test_words_that_say_nothing_go_to_the_fallback_class(text):
    """Though a bias or a shape would lean to one side."""
    model = LinearModel(["tactical", "strategic"], {"plan": 1.0, "=question": 3.0, "|": 3.0}, [-9.0])
    answer = ask(classifier(model, fallback_class="tactical"), text)
    assert (answer.message_class, answer.cause) == ("tactical", "abstain")


def test_a_threshold_of_the_class_beats_that_of_the_settings_and_this_that_of_the_model():
    """It is the one of the likeliest class that is asked for."""
    own = {**CLASSES, "strategic": ClassSettings(pool="planners", threshold=0.99)}
    assert ask(classifier(models_own=0.5), "plan").threshold == 0.5
    assert ask(classifier(models_own=0.5, threshold=0.7), "plan").threshold == 0.7
    answer = ask(classifier(classes=own, fallback_class="tactical", threshold=0.7), "plan")
    assert (answer.threshold, answer.cause, answer.message_class) == (0.99, "abstain", "tactical")
    assert ask(classifier(classes=own), "fix fix").threshold == 0.6


def test_what_a_failure_costs_decides_how_sure_it_must_be():
    """Down only if `p(tactical) >= 1 - extra / cost_of_failure`; the likeliest stays visible."""
    classes = {
        "tactical": ClassSettings(pool="coders", cost=1.0),
        "strategic": ClassSettings(pool="planners", cost=5.0),
    }
    free, dear = classifier(classes=classes), classifier(classes=classes, cost_of_failure=40.0)
    sure = ask(free, "fix fix").probabilities["tactical"]
    assert 0.6 < sure < 1.0 - 4.0 / 40.0
    assert ask(free, "fix fix").message_class == "tactical"
    up = ask(dear, "fix fix")
    assert (up.message_class, up.cause, up.runner_up) == ("strategic", "model", "tactical")
    assert up.margin < 0.0
    assert ask(classifier(classes=classes, cost_of_failure=12.0), "fix fix").message_class == "tactical"


def test_a_class_that_the_model_does_not_know_is_reached_by_name_only():
    """Unless a rule speaks for it; it never wins by itself."""
    assert classifier(classes=THREE).named_only == ["research"]
    assert classifier(classes=THREE, rules=[rule("x", "research", force=True)]).named_only == ["research"]
    assert classifier(classes=THREE, rules=[rule("x", "research")]).named_only == []
    assert classifier(classes=THREE, fallback_class="research").named_only == []
    assert ask(classifier(classes=THREE, rules=[rule("plan", "research", 9.0)]), "plan").message_class == "research"
    for text in WORDS:
        assert ask(classifier(classes=THREE), text).probabilities["research"] < 0.02


def test_without_a_model_what_no_rule_speaks_for_is_reached_by_name_only():
    """The built-in rules speak for the two roles."""
    assert Classifier(ClassifierSettings(), THREE).named_only == ["research"]
    assert Classifier(ClassifierSettings(), CLASSES).named_only == []


def test_a_model_whose_classes_nobody_knows_is_refused():
    """Nor may two of its classes be one of the settings."""
    with pytest.raises(SettingsError, match="model m-1 knows c0, c1, which no class is called"):
        classifier(make(2, ["fix"]))
    both = {"all": ClassSettings(pool="coders", alias=["tactical", "strategic"])}
    with pytest.raises(SettingsError, match="two classes of model m-1 name the same class"):
        classifier(classes=both, fallback_class="all")


def test_grounds_keep_nothing_of_the_text():
    """Numbers of known features only: an unknown word leaves no trace."""
    answer = ask(classifier(), "plan secretword")
    assert "secretword" not in repr(answer.grounds) + repr(answer.evidence)
    assert answer.unknown_share == 0.5
