"""What the shape of an ask says about its class: fences, files and lines, length, kinds of question.

Small weights: shape tips what words leave open. Alone it never decides, `pipeline` sees to that. Roles as in `builtin`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from pointsman.core.classify.ask import FENCE
from pointsman.core.classify.builtin import STRATEGIC, TACTICAL
from pointsman.core.classify.tokens import BREAK

LONG_WORDS: Final = 150
SHORT_WORDS: Final = 5

_ASKING: Final = frozenset({"why", "how", "should", "which", "whether"})


def shape_of(text: str, tokens: Sequence[str]) -> Iterator[tuple[str, str, str, float]]:
    """Yield (feature, what was found, role, weight) for each feature of an ask.

    Args:
        text: as the sender wrote it, fences included.
        tokens: those of `extract(text)`.
    """
    if FENCE in text:
        yield "shape:fence", FENCE, TACTICAL, 0.35
    if "line" in tokens:
        at = tokens.index("line") + 1
        if at < len(tokens) and tokens[at].isdecimal():
            yield "shape:line", f"line {tokens[at]}", TACTICAL, 0.35
    if "_" in text or "()" in text:
        yield "shape:code", "_" if "_" in text else "()", TACTICAL, 0.3
    if "?" in text:
        asking = next((token for token in tokens if token in _ASKING), "")
        if asking:
            yield "shape:question", f"{asking} ?", STRATEGIC, 0.35
    words = len(tokens) - tokens.count(BREAK)
    if words > LONG_WORDS:
        yield "shape:long", f"{words} words", STRATEGIC, 0.35
    elif words <= SHORT_WORDS and "?" not in text:
        yield "shape:short", f"{words} words", TACTICAL, 0.2
