"""Says what is doubtful about data and model, so that nobody takes a figure for more than it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pointsman.core.classify.builtin import STRATEGIC, TACTICAL
from pointsman.training.dataset import STRONG, WEAK, Dataset, Labelled
from pointsman.training.learning import Learnt


def doubts(
    data: Dataset,
    inside: Sequence[Labelled],
    pairs: Sequence[tuple[int, int]],
    found: dict[str, Any],
    beside: dict[str, dict[str, Any]],
    learnt: Learnt,
    *,
    beats: bool,
) -> list[str]:
    """Return what is doubtful, a sentence each.

    Args:
        data: what was learnt from.
        inside: its rows that are in scope.
        pairs: near-duplicates among them.
        found: the model's figures.
        beside: those of the baselines.
        learnt: how it was learnt.
        beats: it is better than each of them.
    """
    said = []
    if data.left_out:
        said.append(f"{data.left_out} rows were left out: a sample of {len(data.rows)} was learnt from")
    if learnt.given_up == "pairs":
        said.append("near-duplicates chain so many messages together that they could not be kept in one fold")
    if learnt.given_up == "groups":
        said.append("one `group` holds most rows, so that groups could not be kept in one fold")
    if not beats:
        said.append("the model does not beat the baselines: what it learnt is not worth using")
    near = len({at for pair in pairs for at in pair})
    if near > 0.02 * len(inside):
        said.append(
            f"{near} of {len(inside)} messages have a near-duplicate (half of their words or more in common)"
            f"{_consequence(learnt)}"
        )
    if not any(row.group for row in inside):
        said.append("no row has a `group` (project, client or author): figures on strangers will be lower than these")
    apart, plain = found.get("apgr_groups_left_out"), found.get("apgr")
    if apart is not None and plain is not None and apart < plain - 0.03:
        said.append(f"in groups it has seen nothing of it recovers {apart:.3f} of the lead, not {plain:.3f}")
    length = beside.get("length", {}).get("auroc")
    if length is not None and len(data.classes) == 2 and max(length, 1.0 - length) > 0.7:
        said.append(f"length alone tells the classes apart (AUROC {length:.2f}): the data may be made, not gathered")
    if set(data.classes) & {WEAK, STRONG} and {STRATEGIC, TACTICAL} & set(data.classes):
        said.append("labels of two vocabularies stand side by side: weak/strong and strategic/tactical")
    return said


def _consequence(learnt: Learnt) -> str:
    """Return what near-duplicates mean for the figures."""
    if not len(learnt.fold):
        return "; real messages are more varied"
    if learnt.apart is not None or learnt.given_up:
        return " and were not kept together; figures on fresh ones will be lower"
    return "; they were kept in one fold"
