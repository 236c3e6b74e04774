"""Composing: every section stands there, every figure is one of the evidence, and what is open is said."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pointsman.operations.report import html, junit, markdown
from pointsman.operations.report.collect import collect
from pointsman.operations.report.compose import compose, open_points
from pointsman.operations.report.escape import as_html, as_markdown
from pointsman.operations.report.model import Report, Table, Tone
from tests.operations.report.evidence import NOW, answers, asking

TITLES = [
    "Summary",
    "Phases",
    "Gates",
    "Performance and service levels",
    "Against the old router",
    "Shadow comparison",
    "Security",
    "Health",
    "Tests",
    "Rollbacks",
    "Steps on record",
    "Open points",
]


def report(known: dict[str, Any] | None = None, tests: junit.TestRun | None = None) -> Report:
    """Return the report on these answers."""
    return compose(collect(asking(answers() if known is None else known), "http://r", NOW, tests), NOW)


def points(known: dict[str, Any]) -> dict[str, Tone]:
    """Return what is open, and how much."""
    return {point.text: point.tone for point in open_points(collect(asking(known), "u", NOW, None))}


def test_the_reference_stands_in_the_title() -> None:
    """`rollout start --ref` ties the report to a change."""
    assert report().title == "Deployment report: PR #234"
    known = answers()
    known["/api/v1/rollout"]["ref"] = ""
    assert report(known).title == "Deployment report: PR #234"
    for entry in known["/api/v1/rollout/history"]["entries"]:
        entry["ref"] = ""
    assert report(known).title == "Deployment report"


def test_every_section_stands_there_with_evidence_and_without() -> None:
    """What was not measured says so in its place."""
    assert [section.title for section in report().sections] == TITLES
    alone = {"/api/v1/status": answers()["/api/v1/status"]}
    bare = report(alone)
    assert [section.title for section in bare.sections] == TITLES
    text = markdown.write(bare)
    for title in TITLES[1:9]:
        section = text.split(f"## {title}\n")[1].split("\n## ")[0]
        assert "ot measured" in section, title
    assert "✔" not in text
    assert "100.0 %" not in text
    assert " 0.0 %" not in text


def test_figures_are_those_of_the_evidence() -> None:
    """Both forms have them all."""
    results = junit.TestRun([junit.Suite("unit", 12, 11, 1, 0, 0, 2.5)], ["tests.a::b"])
    for text in (markdown.write(report(tests=results)), html.write(report(tests=results))):
        plain = text.replace("\\", "")
        for figure in (
            *("74.8 %", "24.9 %", "partial-50", "6 h", "forced below the minimum time", "agreement 97 %"),
            *("60 of 1,000 slow, all of one client", "no worker 3", "error share 4.1 %, limit 1.5 %"),
            *("1,398 of 5,401 broke it", "84.3 ms", "-417.7 %", "59.6 s", "61.0 MB", "99.98 %"),
            *("99.5 %", "5,374", "360 ms", "483 ms", "0.928", "97.0 % (95.7 % to 97.9 %)", "00ff00ff00ff00ff"),
            *("usable 3", "read back something else", "tests.a::b", "2.5 s", "2026-02-25 11:00:00 UTC"),
            *("guard", "error 4.1 %, messages 1,000, window 1.02 min", "tests", "1 test of 12 failed"),
        ):
            assert figure in plain, figure


@pytest.mark.parametrize(
    ("path", "changes", "words", "tone"),
    [
        ("/api/v1/rollout", {"locked": True}, "nobody has acknowledged", Tone.BAD),
        ("/api/v1/rollout", {"alarm": "line 3 is damaged"}, "line 3 is damaged", Tone.BAD),
        ("/api/v1/rollout", {"killed": "file var/ROLLOUT_KILL"}, "var/ROLLOUT_KILL", Tone.BAD),
        ("/api/v1/rollout", {}, "3 messages of the candidate had to be answered by the old router", Tone.WARN),
        ("/api/v1/rollout", {}, "not completed: partial; next: full", Tone.WARN),
        ("/api/v1/rollout", {}, "Gate slow", Tone.WARN),
        ("/api/v1/slo", {"alarm": "3 lines cannot be read"}, "3 lines cannot be read", Tone.WARN),
        ("/api/v1/slo", {}, "Objective missed: 95 of 100 messages", Tone.BAD),
        ("/api/v1/health", {}, "Component disk: warn", Tone.WARN),
    ],
)
def test_what_is_open_is_said(path: str, changes: dict[str, Any], words: str, tone: Tone) -> None:
    """And how much it matters."""
    known = answers()
    known[path] = {**known[path], **changes}
    assert {found for text, found in points(known).items() if words in text} == {tone}


def test_a_completed_rollout_with_all_well_leaves_nothing_open() -> None:
    """The report says `None.`."""
    known = answers()
    known["/api/v1/rollout"] = {
        **known["/api/v1/rollout"],
        "state": "completed",
        "verdicts": [],
        "fallbacks": {},
    }
    known["/api/v1/rollout/history"]["entries"][0]["forced"] = False
    del known["/api/v1/health"]["checks"]["disk"]
    for level in known["/api/v1/slo"]["levels"]:
        level["verdict"] = "met"
    results = junit.TestRun([junit.Suite("unit", 1, 1, 0, 0, 0, 0.1)], [])
    found = collect(asking(known), "u", NOW, results)
    assert open_points(found) == []
    assert markdown.write(compose(found, NOW)).rstrip().endswith("## Open points\n\n✔ None.")


def test_a_rollout_that_is_configured_and_never_began() -> None:
    """No history is no fault: phases are not measured, and the state is shown."""
    known = answers()
    known["/api/v1/rollout/history"] = {"entries": [], "before": None}
    head = {"state": "disabled", "stage": "", "share": 0.0, "realised_share": None, "verdicts": [], "rollout_id": ""}
    known["/api/v1/rollout"] = {**known["/api/v1/rollout"], **head, "ref": ""}
    text = markdown.write(report(known))
    assert "| State | disabled |" in text
    assert "Not measured: no rollout has begun." in text


def test_both_forms_have_the_same_sections_and_tables(tmp_path: Path) -> None:
    """One model, two writers."""
    made = report()
    page, text = html.write(made), markdown.write(made)
    assert page.count("<section") == text.count("\n## ") == len(TITLES)
    for section in made.sections:
        for block in section.blocks:
            for row in getattr(block, "rows", ()):
                first = row[0] if isinstance(row[0], str) else row[0].text
                assert as_markdown(first) in text
                assert as_html(first) in page


def test_nothing_is_green_that_was_not_measured() -> None:
    """No incident among a handful of messages is no proof, and a budget that nobody drew on is not in good order."""
    known = answers()
    for level in known["/api/v1/slo"]["levels"]:
        level["verdict"] = "not_measured"
    for title in ("Security", "Performance and service levels", "Summary"):
        section = next(one for one in report(known).sections if one.title == title)
        text = html.write(Report("t", "s", [section]))
        assert 'class="good"' not in text
        assert "tile good" not in text


def test_what_a_phase_realised_is_known_at_its_end() -> None:
    """The step that ended it says so; of the phase that lasts, the status does."""
    phases = next(section for section in report().sections if section.title == "Phases")
    table = next(block for block in phases.blocks if isinstance(block, Table))
    shares = [(str(row[3]), str(row[4])) for row in table.rows if str(row[3]) != "0.0 %"]
    assert shares == [("25.0 %", "25.0 %"), ("25.0 %", "24.9 %"), ("50.0 %", "50.1 %"), ("75.0 %", "74.8 %")]
    assert [row[2] for row in table.rows][-2:] == ["8 h", "still lasts"]


def test_a_step_says_which_stage_it_led_from():
    """The state alone would call every partial stage alike."""
    steps = next(section for section in report().sections if section.title == "Steps on record")
    (table,) = (block for block in steps.blocks if isinstance(block, Table))
    moves = [row[3] for row in table.rows]
    assert moves[0] == "disabled to shadow"
    assert all(not str(move).startswith("partial to ") for move in moves)
    assert any(str(move).startswith("partial-") for move in moves)
