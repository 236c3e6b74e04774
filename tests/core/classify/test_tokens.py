"""Facts about how text is cut into words."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.core.classify.tokens import BREAK, tokenize


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Fix the Login", "fix the login"),
        ("Stop. Then go, please", "stop | then go | please"),
        ("edit src/app.py and v3.5", "edit src app py and v3 5"),
        ("what's off-by-one in foo_bar()", "what s off by one in foo_bar"),
        ("a|b & c", "a b c"),
        ("why?! how: so\nnow", "why | | how | so | now"),
        ("ÄNDERE Größe", "ändere größe"),
        ("¿Por qué… «esto»?", "| por qué | esto |"),
        ("it’s “done” — really", "it s done really"),
        ("क्यों यह विफल है। फिर", "क्यों यह विफल है | फिर"),
        ("修复login页面，好。", "修 复 login 页 面 | 好 |"),
        ("なぜ？", "な ぜ |"),
        ("ok🙂do", "ok 🙂 do"),
        ("lone \ud800 half", "lone | half"),
        ("", ""),
        (" \t\x00\x1b ", ""),
    ],
)
def test_text_is_cut_into(text, words):
    """Lower-case words, a break between clauses, single characters where a script has no spaces."""
    assert tokenize(text) == words.split()


@given(st.text(alphabet=st.characters(max_codepoint=127)))
def test_ascii_agrees_with_the_obvious_definition(text):
    """Inside each clause the tokens are the runs of letters, digits and underscores."""
    clauses = re.split(r"\. |, |[!?;:\n\r]", text)
    obvious = f" {BREAK} ".join(" ".join(re.findall("[a-z0-9_]+", clause.lower())) for clause in clauses)
    assert tokenize(text) == obvious.split()


@given(st.text(alphabet=st.characters(exclude_categories=()), max_size=60))
def test_no_text_breaks_it(text):
    """Any characters at all, lone surrogates included, give tokens without blanks."""
    assert all(token and not any(char.isspace() for char in token) for token in tokenize(text))


@given(st.text(alphabet="aB é登क्🙂，. \n|", max_size=40))
def test_tokens_are_stable(text):
    """Tokens joined by blanks are cut into the same tokens again, breaks left aside."""
    words = [token for token in tokenize(text) if token != BREAK]
    assert tokenize(" ".join(words)) == words
