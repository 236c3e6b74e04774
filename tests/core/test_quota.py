"""Quotas of provider accounts: what may go out, what is learnt, and that a large message is not starved."""

from __future__ import annotations

import random
from math import inf
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.core.quota import Draw, Quota
from pointsman.core.rate_headers import Reading
from pointsman.model.settings import QuotaSettings
from pointsman.model.usage import Usage

NOW = 1000.0


def quota(**figures: Any) -> Quota:
    """Return an account at `NOW`."""
    return Quota(QuotaSettings(**figures), NOW)


def draw(of: Quota, message_id: str = "m", now: float = NOW, input_tokens: int = 1, output_tokens: int = 1) -> Draw:
    """Draw what must be there."""
    drawn = of.draw(message_id, now, input_tokens, output_tokens)
    assert isinstance(drawn, Draw), drawn
    return drawn


def test_a_minutes_requests_may_come_at_once_and_then_at_their_pace() -> None:
    """60 a minute: sixty now, and from then on one a second."""
    of = quota(rpm=60)
    for _ in range(60):
        draw(of)
    assert of.draw("m", NOW, 1, 1) == pytest.approx(1.0)
    assert of.ready_at(NOW) == pytest.approx(NOW + 1.0)
    draw(of, now=NOW + 1.0)


def test_tokens_in_and_out_have_limits_of_their_own() -> None:
    """The narrower one decides."""
    of = quota(input_tokens_per_min=600, output_tokens_per_min=6000)
    draw(of, input_tokens=600)
    assert of.draw("m", NOW, 60, 6000) == pytest.approx(6.0)
    of = quota(output_tokens_per_min=600)
    draw(of, input_tokens=10**9, output_tokens=600)
    assert of.draw("m", NOW, 1, 60) == pytest.approx(6.0)


def test_no_more_requests_are_out_than_may_be() -> None:
    """How long that lasts nobody knows, so the wait is infinite; one that ends lets the next go."""
    of = quota(max_in_flight=2)
    first = draw(of)
    draw(of)
    assert of.draw("m", NOW, 1, 1) == inf
    assert of.ready_at(NOW) == inf
    of.finish(first, NOW, None, sent=True)
    assert of.ready_at(NOW) == NOW
    draw(of)


def test_an_account_without_figures_limits_nothing_until_something_is_learnt() -> None:
    """Zeros are unknown, not nothing."""
    of = quota()
    for _ in range(1000):
        draw(of, input_tokens=10**6)
    assert of.left_shares(NOW) == {}


def test_what_was_not_taken_is_given_back() -> None:
    """1000 output tokens were expected and 100 came; input that a cache had is given back too."""
    of = quota(input_tokens_per_min=1000, output_tokens_per_min=1000)
    drawn = draw(of, input_tokens=1000, output_tokens=1000)
    of.finish(drawn, NOW, Usage(1000, 900, 0, 100), sent=True)
    assert of.left_shares(NOW) == pytest.approx({"input_tokens": 0.9, "output_tokens": 0.9})


def test_what_was_taken_beyond_the_estimate_is_taken() -> None:
    """The bucket may be in debt; the next waits for that too."""
    of = quota(output_tokens_per_min=600)
    of.finish(draw(of, output_tokens=100), NOW, Usage(1, 0, 0, 1200), sent=True)
    assert of.draw("m", NOW, 1, 60) == pytest.approx(66.0)


def test_a_request_that_never_went_out_took_nothing() -> None:
    """The connection failed: request and tokens are there again. One that failed at the provider was taken."""
    of = quota(rpm=1, input_tokens_per_min=100)
    of.finish(draw(of, input_tokens=100), NOW, None, sent=False)
    of.finish(draw(of, input_tokens=100), NOW, None, sent=True)
    assert of.left_shares(NOW) == {"requests": 0.0, "input_tokens": 0.0}


def test_a_message_larger_than_the_bucket_goes_out_when_it_is_full() -> None:
    """It would wait for ever otherwise."""
    of = quota(input_tokens_per_min=600)
    draw(of, input_tokens=60)
    assert of.draw("m", NOW, 10_000, 1) == pytest.approx(6.0)
    draw(of, now=NOW + 6.0, input_tokens=10_000)


def test_small_messages_do_not_take_what_a_large_one_waits_for() -> None:
    """A stream of small ones, a hundredth each: the large one still goes out at the time it was told."""
    of = quota(input_tokens_per_min=6000)
    draw(of, input_tokens=6000)
    wait_s = of.draw("large", NOW, 3000, 1)
    assert isinstance(wait_s, float)
    for tick in range(1, 30):
        assert not isinstance(of.draw("small", NOW + tick, 60, 1), Draw)
    assert of.ready_at(NOW + 29) == pytest.approx(NOW + wait_s)
    draw(of, "large", NOW + wait_s, 3000)
    draw(of, "small", NOW + wait_s + 1.0, 60)


def test_what_is_kept_for_a_message_that_never_comes_back_is_free_soon() -> None:
    """It was cancelled, or another account served it: five seconds later the others go on."""
    of = quota(input_tokens_per_min=6000)
    draw(of, input_tokens=6000)
    wait_s = of.draw("gone", NOW, 3000, 1)
    assert isinstance(wait_s, float)
    assert not isinstance(of.draw("small", NOW + wait_s + 4.9, 600, 1), Draw)
    draw(of, "small", NOW + wait_s + 5.1, 600)


def test_a_refusal_of_the_provider_stops_the_account_for_as_long_as_it_wants() -> None:
    """Nothing goes out before; a shorter wish does not shorten a longer one."""
    of = quota(rpm=60)
    of.throttle(NOW, 20.0)
    of.throttle(NOW, 5.0)
    assert of.draw("m", NOW, 1, 1) == pytest.approx(20.0)
    assert of.ready_at(NOW + 1.0) == pytest.approx(NOW + 20.0)
    draw(of, now=NOW + 20.0)


def test_without_a_wish_the_pause_doubles_until_something_is_answered() -> None:
    """One second, two, four, at most a minute; an answer begins anew."""
    of = quota()
    pauses = []
    now = NOW
    for _ in range(8):
        of.throttle(now, None)
        pauses.append(of.ready_at(now) - now)
        now += pauses[-1]
    assert pauses == pytest.approx([1, 2, 4, 8, 16, 32, 60, 60])
    of.answered()
    of.throttle(now, None)
    assert of.ready_at(now) - now == pytest.approx(1.0)


def test_a_limit_that_nobody_gave_is_learnt() -> None:
    """60 a minute of which 1 is left: one may go, the next waits for a second."""
    of = quota()
    of.hear(draw(of), NOW, {"requests": Reading(60, 1, None)})
    assert of.left_shares(NOW) == pytest.approx({"requests": 1 / 60})
    draw(of)
    assert of.draw("m", NOW, 1, 1) == pytest.approx(1.0)


def test_a_limit_of_a_day_is_refilled_at_its_own_pace() -> None:
    """200 a day, 10 used, all there again in 72 minutes: one in 432 seconds, not one in 0.3."""
    of = quota()
    of.hear(draw(of), NOW, {"requests": Reading(200, 190, 4320.0)})
    for _ in range(190):
        draw(of)
    assert of.draw("m", NOW, 1, 1) == pytest.approx(432.0)


def test_what_went_out_after_the_request_that_was_answered_is_not_in_the_answer() -> None:
    """The provider says 10 are left, but four more are on their way."""
    of = quota()
    first = draw(of)
    for _ in range(4):
        draw(of)
    of.hear(first, NOW, {"requests": Reading(60, 10, None)})
    assert of.left_shares(NOW) == pytest.approx({"requests": 6 / 60})


def test_what_went_out_before_is_in_the_answer_however_long_it_lasts() -> None:
    """Thirty long requests are out; what the provider says of the newest has counted them all."""
    of = quota()
    for _ in range(30):
        draw(of)
    of.hear(draw(of), NOW, {"requests": Reading(60, 29, None)})
    assert of.left_shares(NOW) == pytest.approx({"requests": 29 / 60})


def test_an_answer_to_an_older_request_says_nothing_new() -> None:
    """Answers overtake each other."""
    of = quota()
    older, newer = draw(of), draw(of)
    of.hear(newer, NOW, {"requests": Reading(60, 5, None)})
    of.hear(older, NOW, {"requests": Reading(60, 50, None)})
    assert of.left_shares(NOW) == pytest.approx({"requests": 5 / 60})


def test_the_settings_stay_the_most_that_is_used() -> None:
    """The provider would allow 1000; the operator gave 60. And the other way round."""
    of = quota(rpm=60)
    of.hear(draw(of), NOW, {"requests": Reading(1000, 999, None)})
    assert of.left_shares(NOW) == pytest.approx({"requests": 59 / 60})
    of = quota(rpm=1000)
    of.hear(draw(of), NOW, {"requests": Reading(60, 3, None)})
    assert of.left_shares(NOW) == pytest.approx({"requests": 3 / 60})


def test_who_does_not_want_to_learn_believes_the_settings_alone() -> None:
    """And forgets what had been learnt."""
    of = quota(rpm=60)
    of.hear(draw(of), NOW, {"requests": Reading(60, 0, None)})
    of.use(QuotaSettings(rpm=60, learn=False), NOW)
    of.hear(draw(of), NOW, {"requests": Reading(60, 0, None)})
    assert of.left_shares(NOW) == pytest.approx({"requests": 58 / 60})


@pytest.mark.parametrize(
    "reading", [Reading(None, 5, 1.0), Reading(0, 0, 0.0), Reading(None, None, 5.0), Reading(60, 70, 0.0)]
)
def test_what_a_provider_leaves_out_or_says_wrongly_stops_nothing(reading: Reading) -> None:
    """No limit, no number, more left than there is."""
    of = quota()
    of.hear(draw(of), NOW, {"requests": reading, "tokens": reading})
    draw(of)


def test_a_limit_alone_is_learnt_and_changed() -> None:
    """Without what remains, the bucket is a full one of that size, or as full as it was."""
    of = quota()
    of.hear(draw(of), NOW, {"requests": Reading(60, None, None)})
    assert of.left_shares(NOW) == pytest.approx({"requests": 1.0})
    of.hear(draw(of), NOW, {"requests": Reading(30, None, None)})
    assert of.left_shares(NOW) == pytest.approx({"requests": 1.0})


def test_what_the_provider_has_said_is_not_corrected_by_us() -> None:
    """Its word came after the request was counted; only our own figures are corrected."""
    of = quota(output_tokens_per_min=1000)
    drawn = draw(of, output_tokens=500)
    of.hear(drawn, NOW, {"output_tokens": Reading(1000, 700, None)})
    of.finish(drawn, NOW, Usage(1, 0, 0, 100), sent=True)
    assert of.left_shares(NOW) == pytest.approx({"output_tokens": 0.7})


def test_other_figures_keep_what_was_drawn() -> None:
    """A limit that is raised by ten leaves ten more; one that is taken away limits nothing."""
    of = quota(rpm=60, learn=False)
    for _ in range(60):
        draw(of)
    of.use(QuotaSettings(rpm=70, learn=False), NOW)
    assert of.left_shares(NOW) == pytest.approx({"requests": 10 / 70})
    of.use(QuotaSettings(max_in_flight=100, learn=False), NOW)
    assert of.left_shares(NOW) == pytest.approx({"in_flight": 0.4})


def test_the_next_request_is_believed_to_be_like_the_last_ones() -> None:
    """After many of 100 tokens an account with 50 left is not ready, though a smaller one could go."""
    of = quota(input_tokens_per_min=100_000)
    for _ in range(100):
        draw(of, input_tokens=990)
    draw(of, input_tokens=950)
    assert of.ready_at(NOW) > NOW
    draw(of, input_tokens=10)


@given(seed=st.integers(0, 10_000), rpm=st.integers(1, 600), tokens=st.integers(50, 5000))
def test_no_window_holds_more_than_the_account_allows(seed: int, rpm: int, tokens: int) -> None:
    """In any span of time at most a full bucket and what flows in meanwhile goes out."""
    rng = random.Random(seed)
    of = quota(rpm=rpm, input_tokens_per_min=tokens, learn=False)
    now, sent = NOW, []
    for _ in range(120):
        now += rng.choice([0.0, 0.01, 0.5, 5.0])
        size = rng.randint(1, 50)
        got = of.draw(str(rng.random()), now, size, 1)
        if isinstance(got, Draw):
            sent.append((now, size))
        elif rng.random() < 0.3:
            now += got
    for at, (start, _) in enumerate(sent):
        used = 0
        for requests, (then, size) in enumerate(sent[at:], 1):
            used += size
            assert requests <= rpm + (then - start) * rpm / 60 + 1e-3
            assert used <= tokens + (then - start) * tokens / 60 + 1e-3
