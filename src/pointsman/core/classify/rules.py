"""Rules: word-bounded phrases of one to four words, each speaking for one class with a weight, or deciding alone.

Decides which rules a message fires. What the hits amount to is `evidence`'s business. Matching walks a trie of
words, so that its cost depends on the message only, never on the number of rules; the longest phrase that begins at
a word wins, and the words it covers count once. Negation is not understood: "do not deploy" fires "deploy". Neither
are word forms: a rule for "plan" does not fire on "plans".
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from pointsman.core.classify.tokens import BREAK, tokenize
from pointsman.model.errors import SettingsError
from pointsman.model.settings import RuleSettings

MAX_WORDS: Final = 4

_OPENERS: Final = """
please pls plz kindly can could would will you hey hi hello dear thanks ok okay yes yeah yep sure now then also and but
so just next first finally lastly again alright great cool good perfect lets let s to go ahead actually quickly maybe
1 2 3 4 5 6 7 8 9 10
por favor puedes podrías y bitte kannst könntest du mir noch mal und il te vous plaît plait peux peut pourrais pourriez
tu et ensuite 请 你 帮 我 然 后 कृपया और फिर
"""

OPENERS: Final = frozenset(_OPENERS.split())
"""Words that may stand in front of the first one that counts: "could you please fix" opens with "fix"."""


class Rule(msgspec.Struct, frozen=True, gc=False):
    """One phrase and what it speaks for.

    Attributes:
        name: shown as evidence.
        words: one to four tokens.
        phrase: the same with blanks between.
        message_class: the class it speaks for.
        weight: log-odds it adds, 0 or more; a rule of weight 0 keeps shorter phrases from firing on its words.
        force: it decides alone.
        opening: it fires only where a clause begins, `OPENERS` left aside.
        absorbs: the rest of its clause is what it is applied to, and fires nothing.
    """

    name: str
    words: tuple[str, ...]
    phrase: str
    message_class: str
    weight: float
    force: bool = False
    opening: bool = False
    absorbs: bool = False

    def speaking_for(self, message_class: str) -> Rule:
        """Return the same rule for another class."""
        return msgspec.structs.replace(self, message_class=message_class)


Hit = tuple[Rule, int]
"""A rule that fired, and how many words stand before it."""


class _Node:
    """A word of a trie: the rule that ends here, and the words that may follow."""

    __slots__ = ("next", "rule")

    def __init__(self) -> None:
        self.rule: Rule | None = None
        self.next: dict[str, _Node] = {}


class RuleSet:
    """Rules, ready to be matched. Immutable.

    Args:
        rules: of two with the same words the later one holds, but an opening rule and another one live side by side.
    """

    __slots__ = ("_anywhere", "_opening", "count")

    def __init__(self, rules: Iterable[Rule]) -> None:
        self._anywhere = _Node()
        self._opening = _Node()
        self.count = 0
        # Plain rules first: where a clause begins, the opening rule of the same words replaces them.
        for rule in sorted(rules, key=lambda rule: rule.opening):
            self.count += 1
            _plant(self._opening, rule)
            if not rule.opening:
                _plant(self._anywhere, rule)

    def match(self, tokens: Sequence[str]) -> list[Hit]:
        """Return the rules that `tokens` fire, in order, each once: at its first place."""
        hits: dict[str, Hit] = {}
        anywhere, opening, end = self._anywhere.next, self._opening.next, len(tokens)
        after, breaks, begins = 0, 0, True
        for at, token in enumerate(tokens):
            if at < after:  # covered by the phrase before
                continue
            if token == BREAK:
                breaks, begins = breaks + 1, True
                continue
            node = opening.get(token) if begins else anywhere.get(token)
            rule, ahead = None, at + 1
            while node is not None:
                if node.rule is not None:
                    rule, after = node.rule, ahead
                node = node.next.get(tokens[ahead]) if ahead < end else None
                ahead += 1
            if rule is None:
                begins = begins and token in OPENERS
            else:
                hits.setdefault(rule.name, (rule, at - breaks))
                begins = begins and tokens[after - 1] in OPENERS
                if rule.absorbs:
                    after = _next_break(tokens, after)
        return list(hits.values())


def _next_break(tokens: Sequence[str], at: int) -> int:
    """Position of the next break from `at` on, or the end."""
    try:
        return tokens.index(BREAK, at)
    except ValueError:
        return len(tokens)


def _plant(node: _Node, rule: Rule) -> None:
    for word in rule.words:
        node = node.next.setdefault(word, _Node())
    node.rule = rule


def words_of(phrase: str) -> tuple[str, ...]:
    """Return the tokens of a rule's phrase; a mark at its end is nothing."""
    tokens = tokenize(phrase)
    while tokens and tokens[-1] == BREAK:
        tokens.pop()
    return tuple(tokens)


def make_rule(
    name: str,
    phrase: str,
    message_class: str,
    weight: float,
    *,
    force: bool = False,
    opening: bool = False,
    absorbs: bool = False,
) -> Rule:
    """Return the rule for a phrase as people write it."""
    words = words_of(phrase)
    return Rule(name, words, " ".join(words), message_class, weight, force, opening, absorbs)


def check_rules(rules: Sequence[RuleSettings]) -> list[tuple[str, str]]:
    """Return `(key, mistake)` for each of the user's rules that cannot work; empty where all can.

    Complements `core.settings_check.check`, which finds classes that do not exist.
    """
    mistakes: list[tuple[str, str]] = []
    seen: dict[tuple[str, ...], int] = {}
    for position, rule in enumerate(rules):
        key = f"classifier.rules.{position}.phrase"
        words = words_of(rule.phrase)
        if not words or BREAK in words:
            mistakes.append((key, f"got {rule.phrase!r}, expected words of one sentence"))
        elif len(words) > MAX_WORDS:
            mistakes.append((key, f"got {rule.phrase!r}, {len(words)} words, expected at most {MAX_WORDS}"))
        elif words in seen:
            mistakes.append((key, f"{rule.phrase!r} repeats rule {seen[words]}: keep one of the two"))
        seen.setdefault(words, position)
    return mistakes


def read_rules(rules: Sequence[RuleSettings]) -> list[Rule]:
    """Return the user's rules, named by their position in the settings.

    Raises:
        SettingsError: some cannot work; names each of them.
    """
    mistakes = check_rules(rules)
    if mistakes:
        raise SettingsError([f"{key}: {mistake}" for key, mistake in mistakes])
    return [
        make_rule(f"rules.{position}", of.phrase, of.message_class, of.weight, force=of.force)
        for position, of in enumerate(rules)
    ]
