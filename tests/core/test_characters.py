"""Facts about characters that are refused, and about those that must pass."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.core.characters import find_harmful, is_label

FLAG_OF_WALES = "\U0001f3f4\U000e0067\U000e0062\U000e0077\U000e006c\U000e0073\U000e007f"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "tab\tline\nreturn\r\nform\ffeed",
        "Ünïcödé — “quotes” … ½ €",
        "family \U0001f468\u200d\U0001f469\u200d\U0001f467, red heart \u2764\ufe0f, keycap 1\ufe0f\u20e3",
        FLAG_OF_WALES * 3,
        "pirates \U0001f3f4\u200d\u2620\ufe0f",
        "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",  # Persian with a zero width non-joiner
        "\u0915\u094d\u200d\u0937",  # Devanagari with a joiner
        "\u05e9\u05dc\u05d5\u05dd abc \u200e\u200f",  # Hebrew with direction marks
        "\u2067\u05e9\u05dc\u05d5\u05dd\u2069 and \u202aabc\u202c\nnext \u2068x\u2069",
        "\u2066a \u2067b\u2069 c\u2069",
        "\ufeffbyte order mark, soft\u00adhyphen, no\u00a0break",
        "修复登录页面。なぜ？ 한국어 ไทย",
    ],
)
def test_what_people_write_passes(text):
    """Any language, emoji with joiners and selectors, region flags, balanced directions, line ends."""
    assert find_harmful(text) == ""


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("a\x00b", "U+0000, at character 1"),
        ("\x1b[31mred", "U+001B, at character 0"),
        ("del\x7f", "U+007F, at character 3"),
        ("vt\x0b", "U+000B"),
        ("é\x08", "U+0008, at character 1"),
        ("é\x9b31m", "U+009B, at character 1"),
        ("nel\x85", "U+0085"),
        ("half \ud83d of it", "lone surrogate, U+D83D, at character 5"),
        ("hidden \U000e0049\U000e0067", "tag characters"),
        ("\U000e0001", "tag characters"),
        ("\U0001f3f4\U000e0067\U000e0062", "tag characters"),  # no end
        ("\U0001f3f4\U000e0067\U000e007f", "tag characters"),  # one letter only
        ("\U0001f3f4" + "\U000e0067" * 7 + "\U000e007f", "tag characters"),  # seven letters
        ("\U0001f3f4\U000e0067\U000e0020\U000e007f", "tag characters"),  # a blank is no letter
        (FLAG_OF_WALES + "\U000e0041", "tag characters"),
        ("x\ufe0f\ufe0e", "two variation selectors in a row at character 1"),
        ("x\U000e0101\U000e0102", "two variation selectors in a row"),
        ("x\ufe00\U000e0102", "two variation selectors in a row"),
        ("\u202egnp.exe", "U+202E"),
        ("\u2067\u202dx\u202c\u2069", "U+202D"),
        ("\u202bopen", "not closed on its line"),
        ("\u2067open\n\u2069", "not closed on its line"),
        ("\u2067one\u2069 \u2066two", "not closed on its line"),
        ("\u2067crossed\u202a\u2069\u202c", "not closed on its line"),
        ("closed only \u202c", "not closed on its line"),
    ],
)
def test_what_hides_or_acts_is_named(text, part):
    """Control characters, surrogates, smuggled tags and selectors, reordering: the sentence says what and where."""
    assert part in find_harmful(text)


@given(st.text(alphabet=st.characters(max_codepoint=0x9F)))
def test_controls_are_found_wherever_they_stand(text):
    """Exactly the control characters but tab, line feed, form feed and return are found."""
    controls = set(map(chr, (*range(0x20), *range(0x7F, 0xA0)))) - set("\t\n\f\r")
    assert bool(find_harmful(text)) == bool(controls & set(text))


MARKS = "\u202a\u202b\u202c\u2066\u2067\u2068\u2069"


def balanced(line: str) -> bool:
    """Whether pairs cancel out, the slow way."""
    marks = "".join(char for char in line if char in MARKS)
    while True:
        shorter = marks
        for pair in ("\u202a\u202c", "\u202b\u202c", "\u2066\u2069", "\u2067\u2069", "\u2068\u2069"):
            shorter = shorter.replace(pair, "")
        if shorter == marks:
            return not marks
        marks = shorter


@given(st.text(alphabet=MARKS + "a\n", max_size=12))
def test_directions_must_balance_on_each_line(text):
    """The stack agrees with cancelling pairs until nothing changes."""
    assert (find_harmful(text) == "") == all(balanced(line) for line in text.split("\n"))


@given(st.text(alphabet=st.characters() | st.sampled_from("\ud800\U000e0041\ufe0f\u202e\x1b"), max_size=30))
def test_no_text_breaks_it(text):
    """Whatever is not called harmful can be written as UTF-8."""
    if not find_harmful(text):
        text.encode()


@pytest.mark.parametrize("text", ["conv-1", "Ä b/c", "\U0001f468\u200d\U0001f469", "क्\u200dष"])
def test_a_label_may_be_of_any_language(text):
    """Joiners are no control characters."""
    assert is_label(text)


@pytest.mark.parametrize("text", ["a\nb", "a\x1b", "a\x85", "a\u2028", "a\ud800", "\x7f"])
def test_a_label_has_one_line_and_no_controls(text):
    """What would break a log line or a table is no label."""
    assert not is_label(text)
