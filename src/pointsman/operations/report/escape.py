"""Makes text that came from elsewhere harmless in the forms of a report.

What no reader should see acting, such as line ends, marks that turn writing round and what drives a terminal, becomes a
space in both.
"""

from __future__ import annotations

import re
from html import escape
from typing import Final

_SPECIAL: Final = re.compile(r"([\\`*_{}\[\]<>|#~])")


def as_html(text: str) -> str:
    """Return text for an element or a quoted attribute."""
    return escape(_printable(text))


def as_markdown(text: str) -> str:
    """Return text on one line in which nothing acts as markup, nor as HTML in readers that let it through."""
    return _SPECIAL.sub(r"\\\1", _printable(text))


def _printable(text: str) -> str:
    return "".join(char if char.isprintable() else " " for char in text)
