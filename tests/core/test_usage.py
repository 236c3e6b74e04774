from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.core.usage import Figures, anthropic_figures, merged, openai_figures, tokens_in, usage_of
from pointsman.model.usage import Usage


def no_guess() -> int:
    """A guess that nobody should ask for."""
    raise AssertionError("nothing was to be guessed")


@pytest.mark.parametrize(
    ("said", "figures"),
    [
        ({"prompt_tokens": 9, "completion_tokens": 12, "total_tokens": 21}, Figures(9, 12)),
        (
            {"prompt_tokens": 2006, "completion_tokens": 300, "prompt_tokens_details": {"cached_tokens": 1920}},
            Figures(2006, 300, 1920),
        ),
        ({"prompt_tokens": 8, "total_tokens": 8}, Figures(8, None)),
        ({"prompt_tokens": 8.0, "completion_tokens": 2.0}, Figures(8, 2)),
        ({"prompt_tokens": 8, "completion_tokens": 0}, Figures(8, 0)),
        ({"prompt_tokens": 0, "completion_tokens": 0}, Figures(None, None)),
        ({"prompt_tokens": 0, "completion_tokens": 7}, Figures(None, 7)),
        ({"prompt_tokens": 8, "completion_tokens": 2, "prompt_tokens_details": {"cached_tokens": 9}}, Figures(8, 2, 8)),
        ({"prompt_tokens": 8, "completion_tokens": 2, "prompt_tokens_details": None}, Figures(8, 2)),
        ({"prompt_tokens": 8, "completion_tokens": 2, "prompt_tokens_details": [1]}, Figures(8, 2)),
        ({"prompt_tokens": -8, "completion_tokens": -2}, Figures(None, None)),
        ({"prompt_tokens": "8", "completion_tokens": None}, Figures(None, None)),
        ({"prompt_tokens": True, "completion_tokens": 1.5}, Figures(None, None)),
        ({"prompt_tokens": 10**30, "completion_tokens": float("inf")}, Figures(None, None)),
        ({"prompt_tokens": float("nan"), "completion_tokens": [1]}, Figures(None, None)),
        (None, Figures(None, None)),
        ([], Figures(None, None)),
    ],
)
def test_what_openai_says_is_read_and_nonsense_is_not(said: Any, figures: Figures) -> None:
    """Cached tokens are among the prompt's; zeros where nothing was counted are no count."""
    assert openai_figures(said) == figures


@pytest.mark.parametrize(
    ("said", "figures"),
    [
        ({"input_tokens": 2095, "output_tokens": 503}, Figures(2095, 503)),
        (
            {
                "input_tokens": 21,
                "cache_creation_input_tokens": 188_086,
                "cache_read_input_tokens": 7,
                "output_tokens": 393,
            },
            Figures(188_114, 393, 7, 188_086),
        ),
        (
            {"input_tokens": 0, "cache_read_input_tokens": 50, "cache_creation_input_tokens": None},
            Figures(50, None, 50),
        ),
        ({"cache_read_input_tokens": 50, "output_tokens": 3}, Figures(50, 3, 50)),
        ({"input_tokens": 0, "output_tokens": 0}, Figures(None, None)),
        ({"input_tokens": "21", "output_tokens": -1}, Figures(None, None)),
        ({"input_tokens": 10**12, "output_tokens": 1}, Figures(None, 1)),
        ("usage", Figures(None, None)),
    ],
)
def test_what_anthropic_says_is_read_with_the_cache_on_top(said: Any, figures: Figures) -> None:
    """Its input figure leaves out what a cache knew, or took."""
    assert anthropic_figures(said) == figures


def test_the_end_of_a_stream_is_laid_over_its_beginning():
    """Figures are cumulative; where the end only fills in zeros, or says nothing, the beginning counts."""
    first = {"input_tokens": 25, "cache_read_input_tokens": 100, "output_tokens": 1}
    assert merged(first, {"output_tokens": 15}) == {**first, "output_tokens": 15}
    assert merged(first, {"input_tokens": 0, "output_tokens": 15}) == {**first, "output_tokens": 15}
    assert merged(first, {"input_tokens": None, "output_tokens": "x"}) == first
    assert merged(first, {"input_tokens": 30}) == {**first, "input_tokens": 30}
    assert merged({}, {"input_tokens": 0, "service_tier": "standard"}) == {
        "input_tokens": 0,
        "service_tier": "standard",
    }


def test_what_was_said_is_taken_as_it_is():
    """No guess is made, and none is needed."""
    assert usage_of(Figures(10, 5, 3, 2), no_guess, no_guess) == Usage(10, 3, 2, 5)


def test_a_guess_stands_in_for_what_was_not_said_and_says_so():
    """Of an input that is guessed, nothing is known to have come from a cache."""
    assert usage_of(Figures(10, None, 3), no_guess, lambda: 7) == Usage(10, 3, 0, 7, estimated=True)
    assert usage_of(Figures(None, 5, 3), lambda: 20, no_guess) == Usage(20, 0, 0, 5, estimated=True)


def test_a_token_is_four_bytes_and_a_started_one_is_one():
    """The rule of thumb."""
    assert [tokens_in(size) for size in (0, 1, 4, 5, 400)] == [0, 1, 1, 2, 100]


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)
NAMES = st.sampled_from(
    [
        "prompt_tokens",
        "completion_tokens",
        "prompt_tokens_details",
        "input_tokens",
        "output_tokens",
        "cache_read_input_tokens",
        "cache_creation_input_tokens",
    ]
)
SAID = ANYTHING | st.dictionaries(NAMES, ANYTHING | st.fixed_dictionaries({"cached_tokens": ANYTHING}), max_size=7)


@given(SAID, SAID)
def test_whatever_is_said_shares_never_exceed_their_whole(said: Any, more: Any) -> None:
    """Nothing is raised, nothing is negative, and no figure is absurd."""
    both = merged(said, more) if isinstance(said, dict) and isinstance(more, dict) else said
    for figures in (openai_figures(said), anthropic_figures(both)):
        usage = usage_of(figures, lambda: 1, lambda: 1)
        assert min(usage.input_tokens, usage.cached_input_tokens, usage.cache_write_tokens, usage.output_tokens) >= 0
        assert usage.cached_input_tokens + usage.cache_write_tokens <= usage.input_tokens <= 3 * 10**9
        assert usage.output_tokens <= 10**9
