from __future__ import annotations

import pytest

from pointsman.telemetry.parse import Unreadable, parse

GOOD = """\
# HELP a_total Things.
# TYPE a_total counter
a_total{who="x\\"y\\\\z\\n",b="c,d=}"} 1
a_total{who=""} 2.5
# HELP h_seconds Times.
# TYPE h_seconds histogram
h_seconds_bucket{le="+Inf"} 3
h_seconds_count 3
h_seconds_sum 0.25
"""


def test_what_it_reads_is_what_stands_there() -> None:
    """Kinds by family, values by series."""
    read = parse(GOOD)
    assert read.kinds == {"a_total": "counter", "h_seconds": "histogram"}
    assert len(read.samples) == 5
    assert read.samples['h_seconds_bucket{le="+Inf"}'] == 3.0


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("0.25\n", "0.25", "no end"),
        ("0.25\n", "0,25\n", "no number"),
        ("0.25\n", "\n", "no sample"),
        ("h_seconds_sum", "h_seconds_som", "not announced"),
        ("# TYPE a_total counter\n", "", "not announced"),
        ("# TYPE a_total counter", "# TYPE a_total thing", "neither HELP nor TYPE"),
        ("# HELP h_seconds Times.\n# TYPE h_seconds histogram", "# TYPE a_total counter", "family stands twice"),
        ('a_total{who=""} 2.5\n', 'a_total{who=""} 2.5\na_total{who=""} 2.5\n', "series stands twice"),
        ('who=""', "who=x", "labels cannot be read"),
        ('who=""', 'who="\\t"', "labels cannot be read"),
        ('who=""', 'who=""b="c"', "labels cannot be read"),
    ],
)
def test_what_is_no_exposition_is_told_by_its_line(old: str, new: str, why: str) -> None:
    """Whatever is wrong with it."""
    assert GOOD.count(old) >= 1
    with pytest.raises(Unreadable, match=r"line \d+") as told:
        parse(GOOD.replace(old, new, 1))
    assert why in str(told.value)
