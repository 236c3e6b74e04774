"""Small made-up data for tests of learning: messages of two or more classes that words tell apart, with some noise."""

from __future__ import annotations

import json
import random
from typing import Any

PLAN = [
    "weigh",
    "compare",
    "propose",
    "options",
    "roadmap",
    "why",
    "risks",
    "strategy",
    "architecture",
    "decide",
    "which",
    "approach",
]
DO = ["rename", "fix", "add", "run", "delete", "write", "change", "update", "button", "test", "line", "file"]
EITHER = [
    "the",
    "shop",
    "order",
    "page",
    "customer",
    "invoice",
    "mail",
    "server",
    "table",
    "code",
    "in",
    "of",
    "for",
    "our",
    "new",
    "and",
]


def messages(count: int = 120, seed: int = 1, groups: int = 12, noise: float = 0.05) -> list[dict[str, Any]]:
    """Messages, half of them to plan, half to do; a twentieth bear the wrong label."""
    rng = random.Random(seed)
    rows = []
    for at in range(count):
        label = at % 2
        words = [rng.choice((DO, PLAN)[label]) for _ in range(rng.randrange(2, 5))]
        words += [rng.choice(EITHER) for _ in range(rng.randrange(3, 12))]
        rng.shuffle(words)
        said = label if rng.random() >= noise else 1 - label
        rows.append(
            {"text": " ".join(words), "label": ("tactical", "strategic")[said], "group": f"project {at % groups}"}
        )
    return rows


def outcomes(count: int = 300, seed: int = 1, groups: int = 10) -> list[dict[str, Any]]:
    """Questions on which the strong worker pays off where they ask to prove something."""
    rng = random.Random(seed)
    rows = []
    for at in range(count):
        hard = rng.random() < 0.3
        words = [rng.choice(EITHER) for _ in range(rng.randrange(4, 14))]
        words.insert(rng.randrange(len(words)), "prove" if hard else rng.choice(DO))
        strong = rng.random() < 0.9
        weak = rng.random() < (0.1 if hard else 0.85)
        rows.append(
            {"text": " ".join(words), "weak_ok": int(weak), "strong_ok": int(strong), "group": f"g{at % groups}"}
        )
    return rows


def topics(classes: int, each: int, seed: int = 1) -> list[dict[str, Any]]:
    """Messages of many classes, each with two words of its own."""
    rng = random.Random(seed)
    return [
        {
            "text": " ".join(
                [f"topic{one}a" if rng.random() < 0.9 else "thing", *(rng.choice(EITHER) for _ in range(4)), f"t{one}"]
            ),
            "label": f"class {one:03}",
        }
        for one in range(classes)
        for _ in range(each)
    ]


def as_lines(rows: list[dict[str, Any]]) -> list[bytes]:
    """Rows as a file has them."""
    return [json.dumps(row).encode() + b"\n" for row in rows]
