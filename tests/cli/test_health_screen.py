from __future__ import annotations

from typing import Any

from pointsman.cli.health_screen import essence, screen


def check(component: str, status: str = "pass", output: str = "fine", **more: Any) -> dict[str, Any]:
    """Return a component as the API tells it."""
    usual: dict[str, Any] = {"observed": None, "unit": "", "age_s": 60.0, "because_of": []}
    kind = component.partition(":")[0]
    return {"component": component, "componentType": kind, "status": status, "output": output, **usual, **more}


def report(*checks: dict[str, Any], output: str = "") -> dict[str, Any]:
    """Return a report of them."""
    statuses = [one["status"] for one in checks]
    return {
        "status": next((one for one in ("fail", "warn") if one in statuses), "pass"),
        "version": "9.9",
        "summary": {word: statuses.count(word) for word in ("pass", "warn", "fail")},
        "output": output,
        "checks": {one["component"]: [one] for one in checks},
    }


def lines(seen: dict[str, Any], width: int = 120) -> list[str]:
    """Return the picture as text."""
    return ["".join(text for text, _ in line).rstrip() for line in screen(seen, width)]


def test_components_stand_under_their_headings_with_marks_and_figures() -> None:
    """What nobody foresaw stands under the last."""
    shown = lines(
        report(
            check("telemetry", observed=516, unit="series"),
            check("engine", "fail", "broken", observed=0.0025, unit="s"),
            check("mystery", "warn"),
            check("disk", observed=3 << 30, unit="bytes"),
            check("pool:coders", observed=0.5, unit="share"),
        )
    )
    assert shown[0] == "Pointsman 9.9: 1 fail, 1 warn, 3 pass"
    assert [line for line in shown if line and not line.startswith(" ")][1:-1] == [
        "messages", "fleet", "process", "others",
    ]  # fmt: skip
    assert "  ✗ engine          2.50 ms  broken" in shown
    assert "  √ pool:coders      50.0 %  fine" in shown
    assert "  √ disk              3 GiB  fine" in shown
    assert "  √ telemetry           516  fine" in shown
    assert "  ! mystery                  fine" in shown
    assert shown[-1].startswith("deep checks at most 1 min old; ")


def test_no_line_is_longer_than_the_screen() -> None:
    """What is well is cut, what is not is told whole."""
    text = "a sentence that goes on and on, with more words than any narrow screen has room for, to its very end"
    seen = report(check("worker:a-rather-long-name-of-one", "fail", text), check("engine", output=text), output=text)
    for width in (80, 100, 120):
        shown = lines(seen, width)
        assert max(map(len, shown)) <= width
        assert "very end" in " ".join(" ".join(shown).split())
        assert sum("…" in line for line in shown) == (1 if width < 140 else 0)


def test_many_that_are_well_share_a_line() -> None:
    """Those that are not stand out; a few stand for themselves."""
    workers = [check(f"worker:w{at}") for at in range(200)]
    seen = report(*workers, check("worker:lost", "fail", "gone"), *(check(f"pool:p{at}") for at in range(7)))
    shown = lines(seen)
    assert sum("worker" in line for line in shown) == 2
    assert any("√ 200 workers" in line for line in shown)
    assert sum("pool:" in line for line in shown) == 7


def test_what_was_not_looked_at_yet_is_said() -> None:
    """Of some, and of all."""
    assert "1 not yet" in lines(report(check("a"), check("b", age_s=None)))[-1]
    assert lines(report(check("a", age_s=None)))[-1].startswith("not checked deeply yet")


def test_only_a_change_of_status_is_worth_printing_again() -> None:
    """Ages and figures change all the time."""
    before = essence(report(check("a"), check("b")))
    assert essence(report(check("a", age_s=1.0, observed=3), check("b", output="other"))) == before
    assert essence(report(check("a", "warn"), check("b"))) != before
