"""Facts about rules: what fires, what wins, and what cannot be one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.core.classify.rules import OPENERS, Rule, RuleSet, check_rules, make_rule, read_rules
from pointsman.core.classify.tokens import BREAK, tokenize
from pointsman.model.errors import SettingsError
from pointsman.model.settings import RuleSettings


def rules_for(*phrases: str) -> RuleSet:
    """Rules of weight 1 for a class `c`; `^` makes an opening one."""
    return RuleSet(make_rule(phrase, phrase, "c", 1.0, opening=phrase.startswith("^")) for phrase in phrases)


def fired(rules: RuleSet, text: str) -> list[tuple[str, int]]:
    """Names of what fires on a text, and the number of words before it."""
    return [(rule.name, at) for rule, at in rules.match(tokenize(text))]


def test_words_are_matched_whole_and_without_case():
    """`plan` fires on "PLAN!" and neither on "plans" nor on "explanation"."""
    rules = rules_for("plan")
    assert fired(rules, "The PLAN!") == [("plan", 1)]
    assert fired(rules, "plans need explanation") == []


def test_the_longest_phrase_at_a_word_wins_and_uses_up_its_words():
    """ "implement the plan" hides "implement" and "plan"; where it breaks off, the shorter ones fire."""
    rules = rules_for("implement", "plan", "implement the plan", "implement the big plan")
    assert fired(rules, "implement the plan now") == [("implement the plan", 0)]
    assert fired(rules, "implement the big idea and plan") == [("implement", 0), ("plan", 5)]


def test_a_phrase_does_not_reach_over_a_clause():
    """Words on both sides of a stop are no phrase."""
    assert fired(rules_for("root cause"), "at the root. cause unknown") == []


def test_a_rule_fires_once_at_its_first_place():
    """Repeating a word adds nothing."""
    assert fired(rules_for("fix"), "do fix and fix and fix") == [("fix", 1)]


def test_an_opening_rule_needs_the_beginning_of_a_clause():
    """`^test` fires at the start, after a stop or comma, behind polite words, and nowhere else."""
    rules = rules_for("^test")
    assert fired(rules, "test it") == [("^test", 0)]
    assert fired(rules, "ok, could you please test it") == [("^test", 4)]
    assert fired(rules, "done. Test it") == [("^test", 1)]
    assert fired(rules, "the test fails") == []


def test_an_opening_rule_replaces_the_plain_one_where_it_holds():
    """At the beginning `^add` fires instead of `add`, elsewhere `add` does; a longer plain phrase still wins."""
    rules = rules_for("add", "^add", "add up the")
    assert fired(rules, "add a flag") == [("^add", 0)]
    assert fired(rules, "we add a flag") == [("add", 1)]
    assert fired(rules, "add up the sums") == [("add up the", 0)]


def test_a_clause_still_begins_behind_a_phrase_of_opening_words():
    """ "go ahead and delete": the second word of the order is one as well."""
    assert fired(rules_for("^go ahead", "^delete"), "go ahead and delete it") == [("^go ahead", 0), ("^delete", 3)]


def test_a_rule_may_absorb_the_rest_of_its_clause():
    """What "translate" is applied to fires nothing; the next clause does."""
    rules = RuleSet([make_rule("translate", "translate", "c", 1.0, absorbs=True), make_rule("fix", "fix", "c", 1.0)])
    assert fired(rules, "translate 'we fix it'. Then fix it") == [("translate", 0), ("fix", 5)]
    assert fired(rules, "translate fix fix") == [("translate", 0)]


def test_a_later_rule_with_the_same_words_holds():
    """Two rules for one phrase: the second one is used."""
    first, second = make_rule("first", "ship it", "a", 1.0), make_rule("second", "Ship it!", "b", 1.0)
    assert RuleSet([first, second]).match(["ship", "it"]) == [(second, 0)]


VOCABULARY = ["a", "b", "c", "please", BREAK]
PHRASES = st.lists(
    st.tuples(
        st.lists(st.sampled_from(["a", "b", "c", "please"]), min_size=1, max_size=4), st.booleans(), st.booleans()
    ),
    max_size=12,
    unique_by=lambda phrase: (tuple(phrase[0]), phrase[1]),
)


def match_slowly(rules: list[Rule], tokens: list[str]) -> list[tuple[str, int]]:
    """The definition of matching, word by word."""
    found: dict[str, int] = {}
    at, begins = 0, True
    while at < len(tokens):
        fits = [
            rule
            for rule in rules
            if tuple(tokens[at : at + len(rule.words)]) == rule.words and (begins or not rule.opening)
        ]
        if fits:
            best = max(fits, key=lambda rule: (len(rule.words), rule.opening))
            found.setdefault(best.name, at - tokens[:at].count(BREAK))
            at += len(best.words)
            begins = begins and tokens[at - 1] in OPENERS
            while best.absorbs and at < len(tokens) and tokens[at] != BREAK:
                at += 1
        else:
            begins = tokens[at] == BREAK or (begins and tokens[at] in OPENERS)
            at += 1
    return list(found.items())


@given(PHRASES, st.lists(st.sampled_from(VOCABULARY), max_size=30))
def test_matching_agrees_with_its_definition(phrases, tokens):
    """The trie finds what a search of all rules at each word finds."""
    rules = [
        make_rule(f"{words}{opening}", " ".join(words), "c", 1.0, opening=opening, absorbs=absorbs)
        for words, opening, absorbs in phrases
    ]
    assert [(rule.name, at) for rule, at in RuleSet(rules).match(tokens)] == match_slowly(rules, tokens)


@pytest.mark.parametrize(
    ("phrase", "part"),
    [
        ("?!", "expected words"),
        ("one. two", "expected words"),
        ("one two three four five", "5 words, expected at most 4"),
        ("Ship it", "repeats rule 0"),
    ],
)
def test_a_rule_that_cannot_work_is_named(phrase, part):
    """Loading says which rule is wrong and how, and raises nothing less than all of it."""
    rules = [RuleSettings(phrase="ship it", message_class="a"), RuleSettings(phrase=phrase, message_class="b")]
    [(key, mistake)] = check_rules(rules)
    assert key == "classifier.rules.1.phrase"
    assert part in mistake
    with pytest.raises(SettingsError) as raised:
        read_rules(rules)
    assert raised.value.mistakes == [f"{key}: {mistake}"]


def test_all_wrong_rules_are_reported_at_once():
    """Three mistakes, three lines."""
    rules = [RuleSettings(phrase=phrase, message_class="a") for phrase in ("!", "?", "a b c d e", "fine")]
    assert [key for key, _ in check_rules(rules)] == [f"classifier.rules.{at}.phrase" for at in (0, 1, 2)]


def test_a_users_rule_keeps_what_was_set():
    """Name by position, words without case and final marks, class, weight and force as written."""
    [rule] = read_rules([RuleSettings(phrase="Ship it!", message_class="a", weight=0.5, force=True)])
    assert rule == Rule("rules.0", ("ship", "it"), "ship it", "a", 0.5, force=True)
