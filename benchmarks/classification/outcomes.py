"""Where the strong worker pays off, on RouteLLM's answers of two models (Ong et al. 2024) and by its protocol."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from benchmarks.classification.figures import Figure, not_there
from benchmarks.classification.own import WANTED
from pointsman.operations.learning.course import Course, train

PART = "outcomes"
SEEDS = (0, 1, 2, 3, 4)


def measure(data: Path) -> Iterator[Figure]:
    """Yield how much of the strong worker's lead is recovered."""
    mmlu, gsm8k = data / "outcomes_mmlu.jsonl.gz", data / "outcomes_gsm8k.jsonl.gz"
    if mmlu.is_file():
        found = _course(mmlu, 0).figures
        length = found["apgr_length"]
        yield Figure(PART, "MMLU, five folds: APGR", found["apgr"], 0.62, at_least=True)
        yield Figure(PART, "   above length alone by", found["apgr"] - length, 0.03, at_least=True)
        yield Figure(PART, "   subjects left out", found["apgr_groups_left_out"], 0.54, at_least=True)
        yield Figure(PART, "   length alone, beside it", length)
        yield Figure(PART, "   chance, beside it", found["apgr_random"])
        yield Figure(PART, "   calibration error of the gain", found["ece"])
    else:
        yield not_there(PART, "MMLU", mmlu.name)
    if gsm8k.is_file():
        runs = [_course(gsm8k, seed).figures for seed in SEEDS]
        mean = sum(one["apgr"] for one in runs) / len(runs)
        lowest = min(one["apgr"] for one in runs)
        yield Figure(PART, f"GSM8K, five folds: APGR, mean of {len(SEEDS)} seeds", mean, 0.60, at_least=True)
        yield Figure(PART, "   the worst seed", lowest)
        yield Figure(PART, "   length alone, beside it", runs[0]["apgr_length"])
    else:
        yield not_there(PART, "GSM8K", gsm8k.name)


def _course(path: Path, seed: int) -> Course:
    with gzip.open(path) as lines:
        return train(lines, None, replace(WANTED, target="outcome", seed=seed))
