"""From what was learnt to the text of a model: calibrated, rounded, without what weighs nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from pointsman.core.classify.model_file import Reference, StoredModel, sparse
from pointsman.training.learning import Learnt

_DIGITS: Final = 4
"""Of a weight of a model of two classes; what is smaller than its last one counts as nothing."""


def store(
    learnt: Learnt,
    classes: Sequence[str],
    *,
    name: str,
    made: str,
    made_by: str,
    target: str = "label",
    rules: str = "",
    data: dict[str, Any] | None = None,
    metrics: dict[str, Any] | None = None,
    reference: Reference | None = None,
    with_sizes: bool = False,
) -> StoredModel:
    """Return the model as it is written.

    Args:
        learnt: what was learnt.
        classes: their names, by number.
        name: of the model.
        made: RFC 3339 instant.
        made_by: version of Pointsman.
        target: `label` or `outcome`.
        rules: version of the built-in rules among the features, or empty.
        data, metrics, reference: see `StoredModel`.
        with_sizes: sizes count.
    """
    slope, weights = learnt.slope, learnt.weights
    names = learnt.known
    scaled = weights.features.astype(np.float64) * slope
    sizes = [[round(float(one) * slope, _DIGITS) for one in row] for row in weights.sizes] if with_sizes else []
    common: dict[str, Any] = {
        "name": name,
        "made": made,
        "made_by": made_by,
        "target": target,
        "classes": list(classes),
        "pieces": learnt.candidate.with_pieces,
        "rules": rules,
        "bias": [round(float(one) * slope + learnt.offset, _DIGITS) for one in weights.bias],
        "sizes": sizes,
        "threshold": round(learnt.threshold, _DIGITS),
        "data": data or {},
        "metrics": metrics or {},
        "reference": reference or Reference(),
    }
    if len(classes) == 2:
        rounded = np.round(scaled[:, 0], _DIGITS)
        kept = np.flatnonzero(rounded)
        return StoredModel(vocabulary=[names[at] for at in kept], weights=[float(rounded[at]) for at in kept], **common)
    unit = float(np.abs(scaled).max()) / 127.0 or 1.0
    whole = np.round(scaled / unit).astype(np.int64)
    kept = np.flatnonzero(np.abs(whole).sum(axis=1))
    return StoredModel(vocabulary=[names[at] for at in kept], weights=sparse(whole[kept].tolist(), unit), **common)
