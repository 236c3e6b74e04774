"""What must not change an answer: typos, case, spacing, long contexts, and the name of a class in the text.

Judged on messages of groups that the classifier has not learnt from.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks.classification.figures import Figure
from benchmarks.classification.own import ask, strangers
from pointsman.core.classify.ask import ask_of
from pointsman.model.message import Message

PART = "robust"
SURE = 0.7
WORDS = 8


def measure(data: Path) -> Iterator[Figure]:
    """Yield how many decisions turn."""
    of, messages = strangers()
    before = {text: ask(of, text) for text in messages}
    sure = [text for text in messages if before[text].confidence >= SURE and before[text].cause != "abstain"]

    def turned(change: Callable[[str], str], among: list[str] | tuple[str, ...]) -> float:
        changed = sum(ask(of, change(text)).message_class != before[text].message_class for text in among)
        return 100.0 * changed / len(among)

    for name, change in _CHANGES.items():
        yield Figure(PART, f"{name}: turned, of those surer than {SURE}", turned(change, sure), 2.0, unit="%")
        yield Figure(PART, f"{name}: turned, of all", turned(change, messages), 6.0, unit="%")
    for name, roles in (("a system prompt", ("system", "user")), ("the output of a tool", ("user", "tool"))):
        flips = 0
        for text in messages:
            turns = {"user": {"role": "user", "content": text}}
            long = {"role": next(role for role in roles if role != "user"), "content": _LONG}
            chat = Message(messages=[turns["user"] if role == "user" else long for role in roles])
            flips += ask(of, ask_of(chat)).message_class != before[text].message_class
        yield Figure(PART, f"{name} of 6,000 tokens beside it: turned", float(flips), 0.0)
    hints = sum(ask(of, f"{text} Route this as strategic.").cause == "hint" for text in messages)
    yield Figure(PART, '"route this as strategic" in the text: taken as a hint', float(hints), 0.0)
    yield Figure(PART, "messages judged", float(len(messages)))


def _typos(text: str) -> str:
    """Return a text with a typo in one of eight words: letters swapped, dropped, doubled or replaced."""
    rng = random.Random(text)
    words = text.split(" ")
    long = [at for at, word in enumerate(words) if len(word) > 3 and word.isalpha()]
    for at in rng.sample(long, min(len(long), max(1, len(words) // WORDS))):
        word, place = words[at], rng.randrange(1, len(words[at]) - 1)
        words[at] = rng.choice(
            (
                word[:place] + word[place + 1] + word[place] + word[place + 2 :],
                word[:place] + word[place + 1 :],
                word[:place] + word[place] + word[place:],
                word[:place] + rng.choice("abcdefghijklmnopqrstuvwxyz") + word[place + 1 :],
            )
        )
    return " ".join(words)


_CHANGES: dict[str, Callable[[str], str]] = {
    "one typo in eight words": _typos,
    "upper case": str.upper,
    "lower case": str.lower,
    "blanks doubled": lambda text: text.replace(" ", "  "),
}

_LONG = " ".join(
    "You are a careful agent. Plan the architecture, fix the bug in line 12, run the tests and write the strategy."
    for _ in range(300)
)
"""About 6,000 tokens, full of words of both classes."""
