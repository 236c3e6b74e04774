from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.core.health_board import Board
from pointsman.core.health_history import History
from pointsman.model.errors import NotFound, UsageError
from pointsman.model.health import Finding, HealthMove, HealthStatus, failed, passed, warned, worst

PASS, WARN, FAIL = HealthStatus.PASS, HealthStatus.WARN, HealthStatus.FAIL


def board(**depends_on: tuple[str, ...]) -> Board:
    """Return a board of these components; a name that begins with `any` needs any of its dependencies."""
    made = Board(History(1e6, 100), 10.0)
    for name, others in depends_on.items():
        made.join(name, name.rstrip("0123456789"), 0.0, others, "any" if name.startswith("any") else "each")
    return made


def statuses(of: Board) -> dict[str, str]:
    """Return the status of each component."""
    return {result.component: result.status.value for result in of.latest()}


def test_the_whole_is_as_its_worst_part() -> None:
    """And well while nothing has been seen."""
    of = board(a=(), b=())
    assert of.status() is PASS
    of.record("a", warned("hm"), 1.0, 0.1)
    assert of.status() is WARN
    of.record("b", failed("no"), 1.0, 0.1)
    assert of.status() is FAIL
    of.record("b", passed("yes"), 2.0, 0.1)
    assert of.status() is WARN


def test_a_probe_adds_a_fault_and_never_takes_one_away() -> None:
    """It sees less than the deep check."""
    of = board(a=())
    of.record("a", failed("deep"), 1.0, 0.1)
    of.note("a", passed("fine"), 2.0)
    assert of.latest("a")[0].output == "deep"
    of.record("a", passed("deep"), 3.0, 0.1)
    of.note("a", failed("shallow"), 4.0)
    assert (of.latest("a")[0].status, of.latest("a")[0].output) == (FAIL, "shallow")
    of.note("a", passed("fine"), 5.0)
    assert of.status() is PASS


def test_a_failure_reaches_those_that_depend_on_it_and_nobody_else() -> None:
    """Through others too; each names what it depends on itself."""
    of = board(a=(), b=("a",), c=("b",), d=())
    of.record("a", failed("broken"), 1.0, 0.1)
    assert statuses(of) == {"a": "fail", "b": "fail", "c": "fail", "d": "pass"}
    assert of.latest("b")[0].because_of == ("a",)
    assert of.latest("c")[0].output == "because of b"
    of.record("b", failed("too"), 1.0, 0.1)
    assert of.latest("b")[0].output == "too (because of a)"
    of.record("a", passed("mended"), 2.0, 0.1)
    assert statuses(of) == {"a": "pass", "b": "fail", "c": "fail", "d": "pass"}


def test_a_warning_goes_no_further() -> None:
    """It is nobody else's."""
    of = board(a=(), b=("a",))
    of.record("a", warned("hm"), 1.0, 0.1)
    assert statuses(of) == {"a": "warn", "b": "pass"}


def test_who_needs_any_warns_before_it_fails() -> None:
    """A pool with one worker left works; with none it does not."""
    of = board(w1=(), w2=(), any=("w1", "w2"))
    of.record("w1", failed("gone"), 1.0, 0.1)
    assert statuses(of)["any"] == "warn"
    of.record("w2", failed("gone"), 1.0, 0.1)
    assert (statuses(of)["any"], of.latest("any")[0].output) == ("fail", "because of w1, w2")


def test_many_failed_dependencies_are_counted() -> None:
    """A sentence stays one."""
    names = {f"w{at}": () for at in range(5)}
    of = board(**names, any=tuple(names))
    for name in names:
        of.record(name, failed("gone"), 1.0, 0.1)
    assert of.latest("any")[0].output == "because of w0, w1, w2 and 2 more"


def test_each_change_of_a_status_is_told_once() -> None:
    """With what it was before, and why it is so now."""
    of = board(a=(), b=("a",))
    assert of.record("a", passed("fine"), 1.0, 0.1) == []
    moves = of.record("a", failed("broken"), 2.0, 0.1)
    assert moves == [HealthMove("a", PASS, FAIL, "broken"), HealthMove("b", PASS, FAIL, "because of a")]
    assert of.record("a", failed("still"), 3.0, 0.1) == []
    assert of.latest("b")[0].since_wall == 2.0
    assert [move.now for move in of.note("b", warned("own"), 4.0)] == []
    assert [move.component for move in of.record("a", passed("fine"), 5.0, 0.1)] == ["a", "b"]
    assert statuses(of) == {"a": "pass", "b": "warn"}


def test_a_dependant_that_was_checked_first_is_put_right_within_the_round() -> None:
    """What is remembered does not hang on which check was faster; an older check stays as it was."""
    of = board(a=(), b=("a",))
    of.record("b", passed("fine"), 100.0, 0.1)
    of.record("a", failed("late"), 105.0, 5.0)
    assert [(one.status, one.output) for one in of.history.find("b")] == [(FAIL, "because of a")]
    of.record("a", passed("fine"), 106.0, 0.1)
    of.record("b", passed("fine"), 200.0, 0.1)
    of.record("a", failed("later"), 300.0, 0.1)
    assert [one.status for one in of.history.find("b")] == [PASS, PASS]


def test_what_has_left_is_told_of_no_more() -> None:
    """Nor does it hold anybody down; its history stays."""
    of = board(a=(), b=("a",))
    of.record("a", failed("broken"), 1.0, 0.1)
    of.leave("a")
    of.leave("a")
    assert of.record("a", failed("late"), 2.0, 0.1) == []
    assert of.note("a", failed("late"), 2.0) == []
    of.note("b", passed("fine"), 2.0)
    assert statuses(of) == {"b": "pass"}
    assert len(of.history.find("a")) == 1


def test_components_are_found_by_name_and_by_kind() -> None:
    """Others are not, and those that are get named."""
    of = board(w1=(), w2=(), x=())
    assert [result.component for result in of.latest("w")] == ["w1", "w2"]
    with pytest.raises(NotFound, match="w1, w2, x"):
        of.latest("y")


def test_nobody_depends_on_itself_or_on_nothing() -> None:
    """Not through others either, so that no fault holds itself up."""
    of = board(a=(), b=("a",))
    with pytest.raises(UsageError, match="not joined"):
        of.join("c", "c", 0.0, ("z",))
    for name, other in (("a", "b"), ("a", "a")):
        with pytest.raises(UsageError, match="depends on a"):
            of.join(name, name, 0.0, (other,))


FINDINGS = {PASS: passed("p"), WARN: warned("w"), FAIL: failed("f")}
GRAPH = {"a": (), "b": ("a",), "c": ("a", "b"), "any": ("b", "c")}


@given(st.lists(st.tuples(st.sampled_from(list(GRAPH)), st.booleans(), st.sampled_from(list(FINDINGS))), max_size=30))
def test_statuses_follow_from_the_last_findings_alone(steps: list[tuple[str, bool, HealthStatus]]) -> None:
    """In whatever order they came: as if all were worked out anew."""
    of = board(**GRAPH)
    deep: dict[str, Finding] = {}
    probed: dict[str, Finding] = {}
    for at, (name, is_deep, status) in enumerate(steps):
        (deep if is_deep else probed)[name] = FINDINGS[status]
        if is_deep:
            of.record(name, FINDINGS[status], float(at), 0.1)
        else:
            of.note(name, FINDINGS[status], float(at))
    expected: dict[str, HealthStatus] = {}
    for name, others in GRAPH.items():
        own = worst(found[name].status for found in (deep, probed) if name in found)
        bad = [other for other in others if expected[other] is FAIL]
        lost = bad and (name != "any" or len(bad) == len(others))
        expected[name] = worst((own, FAIL if lost else WARN if bad else PASS))
    assert statuses(of) == {name: status.value for name, status in expected.items()}
