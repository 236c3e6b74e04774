from __future__ import annotations

from pointsman.cli.stacks import stacks


def test_the_stacks_begin_with_what_counts_and_end_with_their_leaf():
    """They are read from a real router, so this only pins the ends."""
    built = stacks()
    ends = {name: (layers[0]["layer"], layers[-1]["layer"]) for name, layers in built.items()}
    assert ends == {
        "admission": ("Measure", "Enqueue"),
        "delivery": ("MeasureDelivery", "Pick"),
        "worker": ("Track", "Send"),
    }
