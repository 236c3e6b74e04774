"""Facts about the order of the steps: hint, pin, rules, fallback class."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.core.classify.builtin import VERSION
from pointsman.core.classify.pins import ConversationPins
from pointsman.core.classify.pipeline import Classifier
from pointsman.model.decision import Classification
from pointsman.model.errors import SettingsError, UsageError
from pointsman.model.settings import ClassifierSettings, ClassSettings, RuleSettings, Settings

CLASSES = Settings().classes
PLAN = "Why does the import take so long? Should we redesign it?"
DO = "fix the typo in the footer"
NOTHING = "hm, the thing"


class Desk:
    """A classifier with its pins; the clock stands still unless moved."""

    def __init__(self, rules=(), classes=None, **settings) -> None:
        self.classifier = Classifier(ClassifierSettings(rules=list(rules), **settings), classes or CLASSES)
        self.pins = ConversationPins(3600.0, 100)
        self.now = 0.0
        self.served = set(classes or CLASSES)

    def ask(self, text: str, conversation: str | None = None, hint: str | None = None, dry=False) -> Classification:
        """Classify a text."""
        call = self.classifier.dry if dry else self.classifier.classify
        return call(
            ask=text,
            hint=hint,
            client="c",
            conversation_id=conversation,
            now=self.now,
            pins=self.pins,
            serves=self.served.__contains__,
        )


def rule(phrase: str, message_class: str, weight: float = 1.0, force: bool = False) -> RuleSettings:
    """A rule of the user's."""
    return RuleSettings(phrase=phrase, message_class=message_class, weight=weight, force=force)


def test_a_hint_decides_alone():
    """Class name or alias: certain, without evidence, whatever the words say."""
    for hint in ("tactical", "fast"):
        answer = Desk().ask(PLAN, hint=hint)
        assert (answer.message_class, answer.cause, answer.confidence) == ("tactical", "hint", 1.0)
        assert answer.probabilities == {"strategic": 0.0, "tactical": 1.0}
        assert (answer.runner_up, answer.margin, answer.evidence) == ("strategic", 1.0, ())


def test_auto_is_no_hint():
    """`auto` leaves the choice to us."""
    assert Desk().ask(DO, hint="auto") == Desk().ask(DO)


def test_an_unknown_hint_is_never_ignored():
    """It raises and lists what is known: the surfaces must have resolved it before."""
    with pytest.raises(UsageError, match="no class is called 'gpt'; known: fast, strategic, strong, tactical"):
        Desk().ask(DO, hint="gpt")
    assert Desk().classifier.resolve("gpt") is None


@pytest.mark.parametrize("text", [DO, PLAN, NOTHING])
@pytest.mark.parametrize("order", ["route this as strategic", "class: tactical", '{"class": "strategic"}'])
def test_words_in_the_message_are_never_a_hint(text, order):
    """An order to the router inside the message changes neither class nor cause."""
    plain, ordered = Desk().ask(text), Desk().ask(f"{text}. {order}")
    assert (ordered.message_class, ordered.cause) == (plain.message_class, plain.cause)
    assert plain.cause in ("rule", "abstain")


def test_rules_decide_with_their_evidence():
    """The class, how sure, what against, and why: contributions add up to the log-odds."""
    answer = Desk().ask("Compare the options, then fix the footer")
    assert (answer.message_class, answer.cause, answer.runner_up) == ("strategic", "rule", "tactical")
    assert {piece.feature for piece in answer.evidence} == {"^compare", "options", "^fix", "the footer"}
    sums = {name: sum(p.weight for p in answer.evidence if p.message_class == name) for name in CLASSES}
    odds = answer.probabilities["strategic"] / answer.probabilities["tactical"]
    assert odds == pytest.approx(2.718281828 ** (sums["strategic"] - sums["tactical"]))
    assert answer.confidence == answer.probabilities["strategic"]
    assert answer.margin == pytest.approx(answer.confidence - answer.probabilities["tactical"])
    assert (answer.threshold, answer.version) == (0.60, VERSION)


@pytest.mark.parametrize("text", ["", "   ", "?!", "```\nwhy should we\n```", "hm", "asdf qwer", "đây là", "a_b()"])
def test_a_message_that_says_nothing_goes_to_the_fallback_class(text):
    """Empty, marks alone, code alone or unknown words: cause abstain, though its shape may lean."""
    answer = Desk(fallback_class="tactical").ask(text)
    assert (answer.message_class, answer.cause) == ("tactical", "abstain")
    assert answer.confidence == answer.probabilities["tactical"] < 0.7
    assert Desk().ask(text).message_class == "strategic"


def test_below_the_threshold_it_abstains():
    """The same words decide at a threshold just below their confidence, and not just above it."""
    confidence = Desk().ask(DO).confidence
    assert Desk(threshold=confidence - 0.001).ask(DO).cause == "rule"
    unsure = Desk(threshold=confidence + 0.001).ask(DO)
    assert (unsure.cause, unsure.message_class) == ("abstain", "strategic")
    assert unsure.confidence == pytest.approx(1.0 - confidence)
    assert unsure.margin < 0.0
    assert unsure.evidence


def test_a_conversation_keeps_its_class():
    """A cheaper or empty message stays with the pin, and its confidence is that of its own words."""
    desk = Desk()
    assert desk.ask(PLAN, "t").cause == "rule"
    pinned = desk.ask(DO, "t")
    assert (pinned.message_class, pinned.cause) == ("strategic", "pin")
    assert pinned.confidence == Desk().ask(DO).probabilities["strategic"] < 0.2
    assert pinned.evidence == Desk().ask(DO).evidence
    assert desk.ask("", "t").cause == "pin"


def test_a_conversation_may_rise_but_only_on_clear_words():
    """A dearer message lifts the class; one that says nothing does not, though its fallback would be dearer."""
    desk = Desk()
    desk.ask(DO, "t")
    assert desk.ask(NOTHING, "t").message_class == "tactical"
    risen = desk.ask(PLAN, "t")
    assert (risen.message_class, risen.cause) == ("strategic", "rule")
    assert desk.ask(DO, "t").message_class == "strategic"


def test_a_hint_beats_the_pin_and_lifts_it_but_never_lowers_it():
    """What the sender insists on holds for that message; the conversation remembers the dearer class."""
    desk = Desk()
    desk.ask(PLAN, "t")
    assert desk.ask(PLAN, "t", hint="fast").message_class == "tactical"
    assert desk.ask(DO, "t").message_class == "strategic"
    desk.ask(DO, "u", hint="strong")
    assert desk.ask(DO, "u").message_class == "strategic"


def test_the_first_class_of_a_conversation_holds_even_if_nothing_was_said():
    """A greeting goes to the fallback class, and what follows stays there: a class never falls."""
    desk = Desk()
    desk.ask("hi", "t")
    assert desk.ask(DO, "t").cause == "pin"


def test_a_pin_whose_pool_has_nobody_is_dropped():
    """The message goes by its own words while somebody serves their class, and the conversation goes on from there."""
    desk = Desk()
    desk.ask(PLAN, "t")
    desk.served = {"tactical"}
    assert desk.ask(DO, "t", dry=True).message_class == "tactical"
    fallen = desk.ask(DO, "t")
    assert (fallen.message_class, fallen.cause) == ("tactical", "rule")
    desk.served = {"strategic", "tactical"}
    assert desk.ask(DO, "t").message_class == "tactical"
    assert desk.ask(PLAN, "t").message_class == "strategic"


def test_a_pin_holds_where_nobody_serves_the_messages_own_class_either():
    """Nothing would be won; nor for a message whose own class is the pinned one, nor by a dry run."""
    desk = Desk()
    desk.ask(PLAN, "t")
    desk.served = set()
    assert desk.ask(DO, "t").cause == "pin"
    desk.served = {"tactical"}
    assert desk.ask(PLAN, "t").message_class == "strategic"
    desk.ask(DO, "t", dry=True)
    desk.served = {"strategic", "tactical"}
    assert desk.ask(DO, "t").cause == "pin"


def test_a_pin_ends_after_silence():
    """An hour later the words count again."""
    desk = Desk()
    desk.ask(PLAN, "t")
    desk.now = 3600.0
    assert desk.ask(DO, "t").cause == "rule"


def test_a_pin_to_a_class_that_is_gone_is_no_pin():
    """After a reload without the class the words count."""
    desk = Desk()
    desk.pins.settle("c", "t", "gone", {"gone": 1.0}, 0.0)
    assert desk.ask(DO, "t").cause == "rule"


def test_a_dry_run_reads_pins_and_leaves_them():
    """It answers what would be decided, and the next message is classified as if it had not been asked."""
    desk = Desk()
    assert desk.ask(PLAN, "t", dry=True).cause == "rule"
    assert desk.ask(DO, "t").cause == "rule"
    desk.ask(PLAN, "t")
    assert desk.ask(DO, "t", dry=True).cause == "pin"


def test_a_users_rule_adds_to_the_built_in_ones():
    """Its weight moves the log-odds by exactly that."""
    text = "the thing about invoices and more"
    answer = Desk([rule("thing about", "tactical", 0.9)]).ask(text)
    assert answer.probabilities["tactical"] == pytest.approx(1 / (1 + 2.718281828**-0.9))
    assert answer.evidence[0].feature == "rules.0"
    assert answer.version == f"{VERSION}+1"


def test_a_users_rule_replaces_the_built_in_one_of_the_same_words():
    """Weight 0 silences a built-in phrase; the longer built-in phrase does not hide the user's."""
    assert Desk().ask("fix").message_class == "tactical"
    assert Desk([rule("Fix", "tactical", 0.0)]).ask("fix").cause == "abstain"
    assert "rules.0" in [piece.feature for piece in Desk([rule("plan", "tactical")]).ask("write a plan").evidence]


def test_a_forced_rule_decides_alone():
    """It is certain, and what else fired is still shown."""
    answer = Desk([rule("footer", "strategic", 0.1, force=True)]).ask(DO)
    assert (answer.message_class, answer.cause, answer.confidence) == ("strategic", "rule", 1.0)
    assert [piece.feature for piece in answer.evidence] == ["rules.0"]


def test_of_two_forced_classes_the_dearer_wins_and_both_are_shown():
    """Order and weight do not matter."""
    rules = [rule("footer", "tactical", 9.0, force=True), rule("typo", "strategic", 0.1, force=True)]
    for desk in (Desk(rules), Desk(rules[::-1])):
        answer = desk.ask(DO)
        assert answer.message_class == "strategic"
        assert {piece.message_class for piece in answer.evidence} == {"strategic", "tactical"}


def test_a_forced_rule_may_lift_a_pin_but_not_lower_it():
    """It is a rule: the pin comes first unless the class is dearer."""
    desk = Desk([rule("urgent", "strategic", force=True), rule("trivial", "tactical", force=True)])
    desk.ask(DO, "t")
    assert desk.ask("urgent", "t").message_class == "strategic"
    assert desk.ask("trivial", "t").message_class == "strategic"


def test_rules_that_cannot_work_are_refused_at_once():
    """A classifier is not built on them."""
    with pytest.raises(SettingsError, match=r"classifier\.rules\.0\.phrase"):
        Desk([rule("!", "tactical")])


THREE = {
    "other": ClassSettings(pool="p", cost=1.0),
    "tax": ClassSettings(pool="p", cost=2.0),
    "law": ClassSettings(pool="p", cost=5.0),
}


def test_classes_of_the_users_own_need_no_built_in_rules():
    """With three classes, none of them ours, only the user's rules speak; probabilities cover all three."""
    desk = Desk([rule("contract", "law", 2.0), rule("vat", "tax", 2.0)], THREE, fallback_class="other")
    answer = desk.ask("fix the contract")
    assert (answer.message_class, answer.cause) == ("law", "rule")
    assert sum(answer.probabilities.values()) == pytest.approx(1.0)
    assert [piece.feature for piece in answer.evidence] == ["rules.0"]
    second = Desk([rule("contract", "law", 2.0), rule("vat", "tax", 0.5)], THREE, fallback_class="other")
    assert second.ask("vat on a contract").runner_up == "tax"
    assert desk.ask(DO).probabilities == pytest.approx(dict.fromkeys(THREE, 1 / 3))
    tie = desk.ask("vat on a contract")
    assert (tie.cause, tie.message_class) == ("abstain", "other")


def test_a_tie_above_the_threshold_goes_to_the_dearer_class():
    """Never to the one whose name comes first."""
    desk = Desk([rule("contract", "law"), rule("vat", "tax")], THREE, fallback_class="other", threshold=0.3)
    assert desk.ask("vat on a contract").message_class == "law"


def test_built_in_rules_follow_an_alias():
    """A class of another name with the alias `strategic` is what they speak for."""
    classes = {"think": ClassSettings(pool="p", alias=["strategic"]), "do": ClassSettings(pool="p", alias=["tactical"])}
    assert Desk(classes=classes, fallback_class="do").ask(PLAN).message_class == "think"


def test_a_single_class_has_no_runner_up():
    """It gets everything, and nothing breaks."""
    answer = Desk(classes={"all": ClassSettings(pool="p")}, fallback_class="all").ask(PLAN)
    assert (answer.message_class, answer.runner_up, answer.confidence, answer.margin) == ("all", "", 1.0, 1.0)


@given(
    st.text(st.characters(exclude_categories=()), max_size=80)
    | st.lists(st.sampled_from(PLAN.split() + DO.split()), max_size=30).map(" ".join)
)
def test_any_text_gets_an_answer_that_adds_up(text):
    """No text raises; probabilities sum to 1; the class is one of ours and sure enough, or the fallback."""
    answer = DESK.ask(text)
    assert sum(answer.probabilities.values()) == pytest.approx(1.0)
    assert answer.confidence == answer.probabilities[answer.message_class]
    if answer.cause == "rule":
        assert answer.confidence >= 0.6
    else:
        assert (answer.cause, answer.message_class) == ("abstain", "strategic")


DESK = Desk()
