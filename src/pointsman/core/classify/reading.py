"""What the words of an ask say of its class, by rules or by a model, before hints and conversations are looked at.

Both readers answer with the same: a class, how sure, and grounds from which the evidence can be made when somebody
wants to see it.
"""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple, Protocol

from pointsman.core.classify.ask import extract
from pointsman.core.classify.blending import FEATURE, Blended, blend, shifts
from pointsman.core.classify.builtin import STRATEGIC, TACTICAL, VERSION, builtin_rules
from pointsman.core.classify.choosing import cheapest
from pointsman.core.classify.evidence import probabilities, score, strongest, weigh_builtin, weigh_own, weigh_shape
from pointsman.core.classify.grounds import ModelGrounds, least
from pointsman.core.classify.lessons import Lessons
from pointsman.core.classify.linear import LinearModel
from pointsman.core.classify.marks import marks
from pointsman.core.classify.rules import Hit, RuleSet
from pointsman.core.classify.structure import shape_of
from pointsman.core.classify.tokens import tokenize
from pointsman.model.decision import Evidence, Grounds
from pointsman.model.settings import ClassifierSettings

RULES_THRESHOLD: Final = 0.60
"""Confidence below which rules alone abstain, where the settings say nothing."""

TAUGHT: Final = "feedback"
"""Evidence of what feedback has taught, while that is used."""


class Reading(NamedTuple):
    """What the words alone say.

    Attributes:
        message_class: the class they speak for, or the fallback class where they say too little.
        cause: `rule`, `model` or `abstain`.
        probabilities: by class.
        threshold: confidence that was asked for.
        grounds: why.
        unknown_share: of the words, 0..1, that the model does not know; 0 of rules.
        overruled: cheaper classes that rules force too.
    """

    message_class: str
    cause: str
    probabilities: dict[str, float]
    threshold: float
    grounds: tuple[Evidence, ...] | Grounds
    unknown_share: float = 0.0
    overruled: tuple[str, ...] = ()


class Reader(Protocol):
    """Reads the words of an ask."""

    version: str
    unread: frozenset[str]
    """Classes that no words lead to, but for the user's rules."""

    def read(self, ask: str) -> Reading:
        """Return what the words say."""
        ...


class Terms(NamedTuple):
    """What both readers decide by.

    Attributes:
        classes: names, in the order of the settings.
        costs: by class.
        settings: thresholds.
        thresholds: of classes that have one of their own.
        own: the user's rules.
    """

    classes: tuple[str, ...]
    costs: dict[str, float]
    settings: ClassifierSettings
    thresholds: dict[str, float]
    own: RuleSet

    def forced(self, hits: Sequence[Hit]) -> Reading | None:
        """Return the reading where rules force a class: no doubt is left, and all rules that fired are named.

        Of several forced classes the dearest wins, of equally dear ones the first of the settings.
        """
        forced = {rule.message_class for rule, _ in hits if rule.force}
        if not forced:
            return None
        dearest, *others = sorted(forced, key=lambda name: (-self.costs[name], self.classes.index(name)))
        certain = {name: float(name == dearest) for name in self.classes}
        return Reading(dearest, "rule", certain, 0.0, strongest(weigh_own(hits)), overruled=tuple(others))

    def seconded(self, reading: Reading, second: Mapping[str, float]) -> Reading:
        """Return a reading with somebody else's opinion in it: probabilities by class, of which it may lack some."""
        first = reading.probabilities
        if max(first.values()) >= 1.0 or not any(second.get(name) for name in first):
            return reading
        odds = blend(first, second)
        chosen, cause, threshold = self.settle(odds, reading.threshold, "embedding")
        added = shifts(first, second)
        grounds: tuple[Evidence, ...] | Grounds
        if isinstance(reading.grounds, tuple):
            told = (Evidence(FEATURE, "the second opinion", name, amount) for name, amount in added.items())
            grounds = (*reading.grounds, *told)
        else:
            grounds = Blended(reading.grounds, added)
        return reading._replace(
            message_class=chosen, cause=cause, probabilities=odds, threshold=threshold, grounds=grounds
        )

    def settle(self, odds: dict[str, float], usual: float, cause: str) -> tuple[str, str, float]:
        """Return class, cause and threshold for these probabilities; `usual` is the threshold of who found them."""
        asked = self.settings.threshold
        likeliest = cheapest(odds, self.costs, 0.0)
        threshold = self.thresholds.get(likeliest, usual if asked is None else asked)
        if odds[likeliest] < threshold:
            return self.settings.fallback_class, "abstain", threshold
        if not self.settings.cost_of_failure:
            return likeliest, cause, threshold
        return cheapest(odds, self.costs, self.settings.cost_of_failure), cause, threshold


class RuleReader:
    """Reads by the user's rules and the built-in ones.

    Args:
        terms: what to decide by.
        roles: class by role; without any, only the user's rules count.
    """

    def __init__(self, terms: Terms, roles: Mapping[str, str], own_words: set[tuple[str, ...]]) -> None:
        self._terms = terms
        self._roles = roles
        self._builtin = builtin_for(roles, own_words)
        own = terms.own.count
        self.version = f"{VERSION}+{own}" if own else VERSION
        self.unread = frozenset(terms.classes) - set(roles.values())

    def read(self, ask: str) -> Reading:
        """See `Reader`."""
        terms = self._terms
        tokens = tokenize(extract(ask))
        found: list[Evidence] = []
        if terms.own.count:
            own = terms.own.match(tokens)
            found = weigh_own(own)
            forced = terms.forced(own)
            if forced is not None:
                return forced
        if self._roles:
            found += weigh_builtin(self._builtin.match(tokens))
        spoken = bool(found)
        found += weigh_shape(shape_of(ask, tokens), self._roles)
        odds = probabilities(score(found, terms.classes))
        chosen, cause, threshold = terms.settle(odds, RULES_THRESHOLD, "rule")
        if not spoken:
            chosen, cause = terms.settings.fallback_class, "abstain"
        return Reading(chosen, cause, odds, threshold, strongest(found))


class ModelReader:
    """Reads by a learned model; the user's rules force, or add their weights to its scores.

    Args:
        terms: what to decide by.
        model: the model.
        names: class of the settings by class of the model, for each of the model's.
        version: of the model.
        threshold: of the model.
        marking: the built-in rules whose marks are among its features, or None.
        lessons: what is learnt from feedback beside the model, or None.
    """

    def __init__(
        self,
        terms: Terms,
        model: LinearModel,
        names: Mapping[str, str],
        *,
        version: str,
        threshold: float,
        marking: RuleSet | None = None,
        lessons: Lessons | None = None,
    ) -> None:
        self._terms = terms
        self._model = model
        self._known = tuple(names[name] for name in model.classes)
        self._beyond = tuple(name for name in terms.classes if name not in set(self._known))
        self._threshold = threshold
        self._marking = marking
        self._lessons = lessons or Lessons(len(model.bias), model.probabilities)
        own = terms.own.count
        self.version = f"{version}+{own}" if own else version
        self.unread = frozenset(self._beyond)

    def read(self, ask: str) -> Reading:
        """See `Reader`."""
        terms, model = self._terms, self._model
        text = extract(ask)
        tokens = tokenize(text)
        own: Sequence[Hit] = terms.own.match(tokens) if terms.own.count else ()
        if own:
            forced = terms.forced(own)
            if forced is not None:
                return forced
        fired: Sequence[Hit] = self._marking.match(tokens) if self._marking else ()
        scores = model.score(ask, text, tokens, marks(fired))
        told = tuple(weigh_own(own)) if own else ()
        if self._lessons.live is not None:
            told += self._taught(scores.seen)
        grounds = ModelGrounds(
            model,
            self._known,
            scores.values,
            array(model.number_kind, scores.seen),
            scores.sizes,
            told,
            tuple([rule for rule, _ in fired]),
        )
        if told or self._beyond:
            odds = probabilities(self._with_own(scores.values, told))
        else:
            odds = dict(zip(self._known, model.probabilities(scores.values), strict=True))
        if scores.is_blank and not fired and not own:
            # No word that it knows, so nothing that it could say.
            nothing = terms.settings.fallback_class
            return Reading(nothing, "abstain", odds, self._threshold, grounds, scores.unknown_share)
        chosen, cause, threshold = terms.settle(odds, self._threshold, "model")
        return Reading(chosen, cause, odds, threshold, grounds, scores.unknown_share)

    def _taught(self, seen: Sequence[int]) -> tuple[Evidence, ...]:
        """Return what feedback has taught of these features."""
        classes = self._known if len(self._model.bias) > 1 else self._known[1:]
        added = self._lessons.delta.add(seen)
        return tuple([Evidence(TAUGHT, "what feedback taught", classes[at], added[at]) for at in added if added[at]])

    def _with_own(self, values: list[float], own: Sequence[Evidence]) -> dict[str, float]:
        """Return the scores by class with what the user's rules add, and with the classes the model does not know."""
        found = dict(zip(self._known, values if len(values) > 1 else [0.0, *values], strict=True))
        for name in self._beyond:
            found[name] = least(values)
        for one in own:
            found[one.message_class] += one.weight
        return found


def builtin_for(roles: Mapping[str, str], redefined: set[tuple[str, ...]]) -> RuleSet:
    """Return the built-in rules for the classes that play their roles, without those the user has redefined."""
    kept = []
    for rule in builtin_rules():
        if rule.message_class in roles and rule.words not in redefined:
            kept.append(rule.speaking_for(roles[rule.message_class]))
    return RuleSet(kept)


def roles_of(resolve: Mapping[str, str | None]) -> dict[str, str]:
    """Return class by role, for the roles that a class plays."""
    return {role: name for role in (STRATEGIC, TACTICAL) if (name := resolve.get(role)) is not None}
