"""Rate-limit headers: both dialects, and nothing that a provider may write is an error."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.core.rate_headers import Reading, readings, retry_after_s

WALL = 1_767_225_600.0  # 2026-01-01T00:00:00Z


def test_openai_says_requests_and_tokens() -> None:
    """Durations until the reset; tokens are those of input and output together."""
    headers = [
        ("x-ratelimit-limit-requests", "5000"),
        ("x-ratelimit-remaining-requests", "4999"),
        ("x-ratelimit-reset-requests", "12ms"),
        ("X-RateLimit-Limit-Tokens", "160000"),
        ("x-ratelimit-remaining-tokens", "159976"),
        ("x-ratelimit-reset-tokens", "6m0s"),
        ("content-type", "application/json"),
    ]
    assert readings(headers, WALL) == {
        "requests": Reading(5000, 4999, 0.012),
        "tokens": Reading(160000, 159976, 360.0),
    }


def test_anthropic_says_input_and_output_apart() -> None:
    """Instants of the reset; `tokens` repeats the narrower of the two, so it is left out beside them."""
    headers = [
        ("anthropic-ratelimit-requests-limit", "50"),
        ("anthropic-ratelimit-requests-remaining", "49"),
        ("anthropic-ratelimit-requests-reset", "2026-01-01T00:00:02Z"),
        ("anthropic-ratelimit-tokens-limit", "8000"),
        ("anthropic-ratelimit-tokens-remaining", "7000"),
        ("anthropic-ratelimit-input-tokens-limit", "30000"),
        ("anthropic-ratelimit-input-tokens-remaining", "29000"),
        ("anthropic-ratelimit-output-tokens-reset", "2025-12-31T23:59:00Z"),
    ]
    assert readings(headers, WALL) == {
        "requests": Reading(50, 49, 2.0),
        "input_tokens": Reading(30000, 29000, None),
        "output_tokens": Reading(None, None, 0.0),
    }
    assert readings(headers[3:5], WALL) == {"tokens": Reading(8000, 7000, None)}


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("1s", 1.0), ("120ms", 0.12), ("6m0s", 360.0), ("1h2m3.5s", 3723.5), ("2d", 86_400.0), ("17", 17.0), ("0s", 0.0)],
)
def test_a_reset_is_a_duration(text: str, seconds: float) -> None:
    """With or without units; never longer than a day, which is what is worth waiting for."""
    assert readings([("x-ratelimit-reset-requests", text)], WALL)["requests"].reset_s == pytest.approx(seconds)


@pytest.mark.parametrize("value", ["", "many", "-1", "1e9", "٣", "9" * 16, "1.5", " "])
def test_what_is_no_number_says_nothing(value: str) -> None:
    """Neither a limit nor what remains."""
    headers = [("x-ratelimit-limit-requests", value), ("x-ratelimit-remaining-requests", value)]
    assert readings(headers, WALL) == {}


@pytest.mark.parametrize(
    ("headers", "wish_s"),
    [
        ([("Retry-After", "7")], 7.0),
        ([("retry-after", "7"), ("retry-after-ms", "1500")], 1.5),
        ([("retry-after", "99999999")], 86_400.0),
        ([("retry-after", "Wed, 21 Oct 2026 07:28:00 GMT")], None),
        ([("retry-after", "-3")], None),
        ([("retry-after", "nan")], None),
        ([], None),
    ],
)
def test_how_long_to_stay_away(headers: list[tuple[str, str]], wish_s: float | None) -> None:
    """Milliseconds are the more exact; a date, and nonsense, is left out."""
    assert retry_after_s(headers) == wish_s


NAMES = st.sampled_from(
    [
        f"{start}{a}-{b}"
        for start, a, b in [
            ("x-ratelimit-", "limit", "requests"),
            ("x-ratelimit-", "remaining", "tokens"),
            ("x-ratelimit-", "reset", "tokens"),
            ("x-ratelimit-", "", ""),
            ("anthropic-ratelimit-", "input-tokens", "reset"),
            ("anthropic-ratelimit-", "requests", "limit"),
            ("anthropic-ratelimit", "", ""),
        ]
    ]
    + ["retry-after", "retry-after-ms", "x-ratelimit-"]
)


@given(headers=st.lists(st.tuples(NAMES, st.text(max_size=30))))
def test_no_header_is_an_error(headers: list[tuple[str, str]]) -> None:
    """Whatever comes, figures are bounded and nothing is raised."""
    for reading in readings(headers, WALL).values():
        assert reading.reset_s is None or 0.0 <= reading.reset_s <= 86_400.0
    wish_s = retry_after_s(headers)
    assert wish_s is None or 0.0 <= wish_s <= 86_400.0
