from __future__ import annotations

from typing import Any

import pytest

from pointsman.cli.rollout_picture import essence, may_be_promoted_at, one_line, picture, share

NOW = 1_800_000_000.0

HEAD: dict[str, Any] = {
    "seq": 7,
    "at": NOW - 4_300.0,
    "event": "promote",
    "now": "partial",
    "actor": "alice",
    "reason": "looks good",
    "forced": False,
    "evidence": {},
}


def verdict(gate: str, word: str, **more: Any) -> dict[str, Any]:
    """How a gate stands."""
    known = {"observed_share": 0.004, "limit_share": 0.015, "messages": 1000, "bad": 4, "clients": 212, "detail": "so"}
    return {"gate": gate, "verdict": word, **known, **more}


def status(**more: Any) -> dict[str, Any]:
    """A rollout in the middle, as the API answers it."""
    return {
        "configured": True,
        "state": "partial",
        "stage": "partial-50",
        "share": 0.5,
        "shadow_share": 0.0,
        "realised_share": 0.489,
        "messages": {"legacy": 4310, "candidate": 4120, "both": 0},
        "since": NOW - 4_300.0,
        "stage_min_s": 3_600.0,
        "locked": False,
        "killed": "",
        "alarm": "",
        "ref": "PR #234",
        "verdicts": [verdict("error", "pass"), verdict("slow", "no_data", observed_share=None)],
        "fallbacks": {},
        "shadow": {"sampled": 0, "compared": 0, "dropped": 0, "timed_out": 0},
        "allowed": ["promote", "pause", "rollback"],
        "next_stage": "partial-75",
        "history_head": HEAD,
        **more,
    }


def drawn(width: int = 120, **more: Any) -> str:
    """The picture as text."""
    lines = picture(status(**more), NOW, width)
    return "\n".join("".join(text for text, _ in line).rstrip() for line in lines)


def styled(width: int = 120, **more: Any) -> dict[str, str]:
    """The style of each piece of the picture."""
    return {text.strip(): style for line in picture(status(**more), NOW, width) for text, style in line}


def test_the_lanes_are_shown_with_share_bar_and_messages():
    """What was set, and what came of it."""
    seen = drawn()
    assert "├─ legacy       50 %  ████████████░░░░░░░░░░░░  4,310 messages" in seen
    assert "└─ candidate    50 %  ████████████░░░░░░░░░░░░  4,120 messages, 48.9 % of all" in seen


def test_the_gates_are_shown_against_their_limits():
    """A gate without messages says so; one that fails says why."""
    seen = drawn()
    assert "   ├─ errors   pass    0.4 %, at most 1.5 %  of 1,000 messages, 212 clients" in seen
    assert "   └─ slow     no data so\n" in seen
    assert seen.count("so\n") == 1
    assert "so" in drawn(verdicts=[verdict("error", "fail")]).split()
    assert "errors" not in drawn(state="disabled")
    assert styled(verdicts=[verdict("error", "fail")])["fail"] == "bold red"


def test_what_fell_back_is_shown_by_reason():
    """As the last branch of the candidate."""
    seen = drawn(fallbacks={"unavailable": 1, "no_worker": 2})
    assert "   ├─ slow" in seen
    assert "   └─ fell back 3 to the legacy: no_worker 2, unavailable 1" in seen


def test_the_shadow_is_a_lane_of_its_own():
    """In the shadow the legacy answers what is mirrored too."""
    seen = drawn(
        state="shadow",
        stage="shadow",
        share=0.0,
        shadow_share=0.1,
        realised_share=0.0,
        messages={"legacy": 900, "candidate": 0, "both": 100},
        shadow={"sampled": 100, "compared": 98, "dropped": 2, "timed_out": 0, "class_mismatch": 3, "full": 2},
        verdicts=[],
    )
    assert "├─ legacy      100 %  ████████████████████████  1,000 messages" in seen
    assert "├─ candidate     0 %  ░░░░░░░░░░░░░░░░░░░░░░░░  0 messages\n" in seen
    assert "└─ shadow       10 %  ██░░░░░░░░░░░░░░░░░░░░░░  100 mirrored" in seen
    assert "   ├─ 98 compared + 2 dropped\n   └─ class_mismatch 3, full 2" in seen


def test_the_stage_says_when_it_may_be_promoted():
    """A bar until then; that it may be, afterwards; nothing where it cannot."""
    assert "the minimum of 1.00 h is over: it may be promoted" in drawn()
    assert "no minimum: it may be promoted" in drawn(stage_min_s=0.0)
    early = drawn(since=NOW - 1_800.0)
    assert "███████░░░░░░░  may be promoted in 30.0 min, at " in early
    assert "promoted" not in drawn(state="paused", allowed=["resume", "rollback"])
    assert may_be_promoted_at(status(since=NOW - 1_800.0)) == NOW + 1_800.0
    assert may_be_promoted_at(status(next_stage="")) is None


def test_the_next_verbs_and_the_last_step_are_named():
    """With the reason, and that it was done by force; the guard's figures below."""
    forced = {**HEAD, "forced": True, "evidence": {"error_share": 0.1034, "messages": 1000}}
    seen = drawn(history_head=forced)
    assert "next     promote to partial-75, pause, rollback" in seen
    assert "last     #7 promote by alice, 1 h ago, by force: looks good" in seen
    assert "         error_share 0.1034, messages 1000" in seen
    assert "last" not in drawn(history_head=None)


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ({"locked": True, "history_head": {**HEAD, "now": "rolled_back", "actor": "guard"}}, "rolled back by guard"),
        ({"killed": "kill file /x/KILL"}, "KILLED   by kill file /x/KILL"),
        ({"alarm": "line 3 is none of ours"}, "ALARM    line 3 is none of ours. Everything goes to the legacy."),
    ],
)
def test_what_is_wrong_stands_first_and_in_red(what, said):
    """With what is to be done."""
    lines = drawn(**what).splitlines()
    assert said in lines[1]
    assert any("bold red" in style for style in styled(**what).values())


@pytest.mark.parametrize(
    ("what", "named"),
    [
        ({}, "rollout  partial-50  since"),
        ({"state": "paused"}, "rollout  paused in partial-50"),
        ({"state": "rolled_back", "stage": "rolled_back"}, "rollout  rolled_back"),
        ({"state": "disabled", "stage": "disabled", "since": None, "ref": ""}, "rollout  disabled\n"),
    ],
)
def test_the_head_names_the_stage(what, named):
    """Of a pause, the stage it holds."""
    assert drawn(**what).startswith(named)


def test_what_is_held_at_the_legacy_is_shown_there():
    """Whatever share the stage has."""
    held: list[dict[str, Any]] = [{"killed": "x"}, {"alarm": "x"}]
    for what in held:
        assert "legacy      100 %" in drawn(**what)
        assert one_line(status(**what), NOW).startswith("partial-50, 0 % of the keys here")


def test_no_line_is_wider_than_the_screen():
    """What is long is folded below itself."""
    long = {**HEAD, "reason": "because " * 40}
    for width in (80, 100, 120):
        seen = drawn(width, history_head=long, alarm="bad " * 60, verdicts=[verdict("slow", "hold", detail="a " * 90)])
        assert max(map(len, seen.splitlines())) <= width


def test_without_an_old_router_there_is_nothing_to_show():
    """One line says where it would be named."""
    assert drawn(configured=False) == "No rollout: the settings name no old router, `rollout.legacy`."


def test_one_line_says_how_it_stands():
    """With what is wrong at its end."""
    assert one_line(status(), NOW) == "partial-50, 50 % of the keys here, 48.9 % of the messages, for 1.19 h"
    assert one_line(status(share=0.0, locked=True, killed="x"), NOW).endswith("KILLED, LOCKED")


def test_only_what_matters_makes_another_picture():
    """Counts move all the time; steps, verdicts and troubles do not."""
    assert essence(status()) == essence(status(messages={"legacy": 1}, realised_share=0.1, fallbacks={"x": 1}))
    for change in ({"locked": True}, {"alarm": "x"}, {"history_head": None}, {"verdicts": [verdict("error", "fail")]}):
        assert essence(status()) != essence(status(**change))


def test_shares_that_were_set_have_no_places_that_say_nothing():
    """Percent."""
    assert [share(value) for value in (0.0, 0.25, 0.125, 1.0)] == ["0 %", "25 %", "12.5 %", "100 %"]
