from __future__ import annotations

from pointsman.operations.report.axis import Axis


def test_figures_lie_between_the_ends_in_proportion():
    """Also where pixels fall as figures rise, as they do upwards on a page."""
    axis = Axis(10.0, 20.0, 200.0, 100.0)
    assert [axis.at(value) for value in (10.0, 15.0, 20.0)] == [200.0, 150.0, 100.0]


def test_an_axis_of_one_figure_divides_by_nothing():
    """Everything lies at its beginning."""
    assert Axis(3.0, 3.0, 50.0, 100.0).at(3.0) == 50.0
