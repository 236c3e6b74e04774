"""Facts about wording: features in words that need no explanation."""

from __future__ import annotations

import pytest

from pointsman.core.classify.features import SIZES
from pointsman.core.classify.wording import words_for


@pytest.mark.parametrize(
    ("feature", "said"),
    [
        ("fix", 'says "fix"'),
        ("fix the", 'says "fix the"'),
        ("| fix", 'begins with "fix"'),
        ("fix |", 'ends with "fix"'),
        ("|", "has a mark that ends a clause"),
        ("| |", "ends with a mark, or has two in a row"),
        ("~_fi", 'a word begins with "fi"'),
        ("~ix_", 'a word ends with "ix"'),
        ("~fix", 'a word has "fix"'),
        ("~_fix_", 'a word "fix"'),
        ("=ends asking", "ends with a question"),
        ("=words>=16", "has 16 words or more"),
        ("=digits>=1", "has a digit"),
        ("=digits>=4", "has 4 digits or more"),
        ("=rules strategic>=1.5", "rules lead to strategic by 1.5"),
        ("=something new", "something new"),
    ],
)
def test_what_a_feature_is_called(feature, said):
    """Each kind, and what nobody has thought of as it is."""
    assert words_for(feature) == said


def test_sizes_have_words_of_their_own():
    """None is shown by its name."""
    assert all(words_for(name) != name[1:] for name in SIZES)
