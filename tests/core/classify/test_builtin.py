"""Facts about the built-in rules that can be counted; how good they are is in `test_accuracy`."""

from __future__ import annotations

from collections import Counter

import pytest

from pointsman.core.classify.builtin import STRATEGIC, TACTICAL, builtin_rules
from pointsman.core.classify.rules import MAX_WORDS, words_of
from pointsman.core.classify.tokens import BREAK
from tests.core.classify.prompts import CLEAR, HARD

RULES = list(builtin_rules())


def test_there_are_many_for_both_sides():
    """At least 250 phrases, and neither class has more than twice as many as the other."""
    counts = Counter(rule.message_class for rule in RULES)
    assert set(counts) == {STRATEGIC, TACTICAL}
    assert len(RULES) >= 250
    assert max(counts.values()) <= 2 * min(counts.values())


def test_each_is_one_to_four_words_of_one_clause():
    """No phrase is empty, too long to be matched, or split by a stop."""
    assert all(1 <= len(rule.words) <= MAX_WORDS and BREAK not in rule.words for rule in RULES)


def test_none_is_written_twice():
    """A phrase stands once, or once plain and once as an opening; else one of two weights would be lost."""
    counts = Counter((rule.words, rule.opening) for rule in RULES)
    assert [words for words, count in counts.items() if count > 1] == []


def test_weights_are_of_the_published_steps():
    """Strong, clear, leaning, faint, or nothing."""
    assert {rule.weight for rule in RULES} == {2.0, 1.4, 0.8, 0.4, 0.0}


def test_no_rule_names_a_class():
    """The words "strategic" and "tactical" in a message must not steer it."""
    assert not {STRATEGIC, TACTICAL} & {word for rule in RULES for word in rule.words}


def test_no_rule_is_a_message_of_the_tests():
    """Rules are not fitted to single messages: none is a whole one of more than three words."""
    phrases = {rule.words for rule in RULES}
    texts = [words_of(text) for _, text in CLEAR + HARD]
    assert not phrases & {words for words in texts if len(words) > 3}


@pytest.mark.parametrize(
    "pair",
    [
        ("estrategia", "traduce"),
        ("abwägen", "löschen"),
        ("stratégie", "ajoute"),
        ("方 案", "翻 译"),
        ("रणनीति", "अनुवाद"),
    ],
)
def test_five_more_languages_speak_for_both_sides(pair):
    """Spanish, German, French, Chinese and Hindi have words for planning and words for doing."""
    roles = {rule.phrase: rule.message_class for rule in RULES}
    assert [roles[phrase] for phrase in pair] == [STRATEGIC, TACTICAL]
